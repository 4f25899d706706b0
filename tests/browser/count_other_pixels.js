// How many pixels differ between two PNG pictures, in some colour and by more than so many shades.
async ([pictures, shades]) => {
  const [one, other] = await Promise.all(pictures.map(async (picture) => {
    const image = new Image();
    image.src = 'data:image/png;base64,' + picture;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d');
    canvas.drawImage(image, 0, 0);
    return canvas.getImageData(0, 0, image.width, image.height);
  }));
  if (one.width !== other.width || one.height !== other.height) return one.width * one.height;
  const others = new Set();
  one.data.forEach((shade, place) => { if (Math.abs(shade - other.data[place]) > shades) others.add(place >> 2); });
  return others.size;
}
