import { nextHighWater } from "./tide.js";

for (const place of document.querySelectorAll("[data-tide]")) {
  place.textContent = nextHighWater(new Date());
}

document.querySelector("[data-show-knot]")?.addEventListener("click", async () => {
  const { drawBowline } = await import("./knots.js");
  document.querySelector("[data-knot]").append(drawBowline());
});
