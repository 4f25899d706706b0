// Loads the page again, or swaps its stylesheets in place, when `sitepub serve --live` has built the site again.
(() => {
  "use strict";
  let run = null;
  const stream = new EventSource("/.sitepub/live");

  stream.addEventListener("run", (event) => {
    // a server that was started again may show anything
    if (run !== null && run !== event.data) location.reload();
    run = event.data;
  });

  stream.addEventListener("message", (event) => {
    const told = JSON.parse(event.data);
    if (told.reload) {
      location.reload();
      return;
    }
    let swapped = 0;
    for (const [before, after] of told.styles) {
      for (const link of linksTo(before)) {
        swap(link, after);
        swapped += 1;
      }
    }
    // one that the page loads in another way can't be swapped
    if (!swapped && told.styles.some(([before]) => isLoaded(before))) location.reload();
  });

  addEventListener("pagehide", () => stream.close());
  addEventListener("pageshow", (event) => event.persisted && location.reload());

  function linksTo(path) {
    return [...document.querySelectorAll('link[rel~="stylesheet" i][href]')].filter((link) => new URL(link.href).pathname === path);
  }

  function isLoaded(path) {
    return performance.getEntriesByType("resource").some((entry) => new URL(entry.name).pathname === path);
  }

  // the old one goes when the new one is there, so that the page is never without
  function swap(link, path) {
    const fresh = link.cloneNode();
    fresh.removeAttribute("integrity");
    fresh.href = `${path}?live=${Date.now()}`;
    fresh.addEventListener("load", () => link.remove());
    fresh.addEventListener("error", () => location.reload());
    link.after(fresh);
  }
})();
