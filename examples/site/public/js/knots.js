/** An image of a bowline, loaded when somebody asks for it. */
export function drawBowline() {
  const image = new Image(160, 120);
  image.src = new URL("../img/bowline.svg", import.meta.url).href;
  image.alt = "A bowline";
  return image;
}
