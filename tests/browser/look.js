// What one frame shows: text, boxes, computed styles of sampled elements, images, fonts, style sheets and what `<link>` names.
async (most) => {
  const round = (value) => Math.round(value * 100) / 100;
  // the order in a head is that of arrivals, where scripts add to it
  const all = [...document.querySelectorAll(':not(head, head *)')];
  const sample = (count) => all.filter((_, place) => place % Math.max(1, Math.ceil(all.length / count)) === 0);
  const name = (element) => element.localName + (element.id ? '#' + element.id : '') + '.' + (element.getAttribute('class') ?? '');

  for (const animation of document.getAnimations()) {
    try { animation.finish(); } catch { animation.cancel(); }
  }

  const boxes = sample(most.boxes).map((element) => {
    const box = element.getBoundingClientRect();
    return [name(element), round(box.x), round(box.y), round(box.width), round(box.height)].join(' ');
  });

  const strings = new Map();
  const number = (text) => strings.get(text) ?? (strings.set(text, strings.size), strings.size - 1);
  const styles = sample(most.styles).flatMap((element) => [null, '::before', '::after'].map((pseudo) => {
    const style = getComputedStyle(element, pseudo);
    if (pseudo && style.content === 'none') return null;
    return [name(element) + (pseudo ?? ''), [...style].map((property) => number(property + ': ' + style.getPropertyValue(property)))];
  })).filter(Boolean);

  const images = [...document.images].map((image) => [image.currentSrc, image.complete, image.naturalWidth, image.naturalHeight]);
  const media = [...document.querySelectorAll('svg image, use, video, audio, object, embed')].map((one) => name(one) + ' ' + one.getBoundingClientRect().width);
  const fonts = [...document.fonts].map((font) => [font.family, font.style, font.weight, font.unicodeRange, font.status].join(' ')).sort();
  const sheets = [...document.styleSheets].map((sheet) => {
    try { return [sheet.href, sheet.media.mediaText, sheet.cssRules.length]; } catch { return [sheet.href, 'unreadable']; }
  });
  // a browser asks for icons and manifests when it likes to
  const links = [...document.querySelectorAll('link[rel~=icon], link[rel~=apple-touch-icon], link[rel~=mask-icon], link[rel~=manifest]')];
  const linked = await Promise.all(links.map(async (link) => {
    const answer = await fetch(link.href).catch((error) => error);
    return [link.href, answer.status ?? String(answer), answer.headers?.get('content-type') ?? ''];
  }));
  return {
    title: document.title,
    text: (document.body ?? document.documentElement).innerText ?? '',
    elements: all.length,
    boxes, strings: [...strings.keys()], styles, images, media, fonts, sheets, linked,
  };
}
