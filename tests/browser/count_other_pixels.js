// How many pixels differ between two PNG pictures.
async (pictures) => {
  const [one, other] = await Promise.all(pictures.map(async (picture) => {
    const image = new Image();
    image.src = 'data:image/png;base64,' + picture;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d');
    canvas.drawImage(image, 0, 0);
    return canvas.getImageData(0, 0, image.width, image.height);
  }));
  if (one.width !== other.width || one.height !== other.height) return one.width * one.height;
  const [before, after] = [one, other].map((pixels) => new Uint32Array(pixels.data.buffer));
  return before.reduce((count, pixel, place) => count + (pixel !== after[place]), 0);
}
