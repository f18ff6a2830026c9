"use strict";
/** Pixels of the screen for each of a picture, at most, when it is shown whole. A matter of taste. */
const LARGEST = 1.3;
/** Moving and zooming a picture: with the mouse, with buttons, and to a card. */
const panning = (canvas, svgOf, plainBox, clicked) => {
  const box = () => svgOf().getAttribute("viewBox").split(" ").map(Number);
  const setBox = (values) => svgOf().setAttribute("viewBox", values.map((v) => v.toFixed(1)).join(" "));
  /** The whole picture; a small one is not blown up, so that text has about the same size in all. */
  const fit = () => {
    const [x, y, w, h] = plainBox().split(" ").map(Number), area = canvas.getBoundingClientRect();
    const large = Math.min(area.width / w, area.height / h) > LARGEST;
    const [wide, high] = large ? [area.width / LARGEST, area.height / LARGEST] : [w, h];
    setBox([x - (wide - w) / 2, y - (high - h) / 2, wide, high]);
  };
  const zoom = (factor, atX = 0.5, atY = 0.5) => {
    const [x, y, w, h] = box();
    if (w * factor < 40 || w * factor > 60000) return;
    setBox([x + w * (1 - factor) * atX, y + h * (1 - factor) * atY, w * factor, h * factor]);
  };
  const scale = () => {
    const [, , w, h] = box(), area = canvas.getBoundingClientRect();
    return Math.max(w / area.width, h / area.height);
  };
  /** A card in the middle, at a size at which its name can be read. */
  const centre = (node) => {
    const place = node.getBBox(), area = canvas.getBoundingClientRect(), each = Math.min(scale(), 1.2);
    const w = area.width * each, h = area.height * each;
    setBox([place.x + place.width / 2 - w / 2, place.y + place.height / 2 - h / 2, w, h]);
  };
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const area = canvas.getBoundingClientRect();
    zoom(event.deltaY > 0 ? 1.15 : 1 / 1.15, (event.clientX - area.left) / area.width, (event.clientY - area.top) / area.height);
  }, { passive: false });
  let drag = null;
  canvas.addEventListener("pointerdown", (event) => { drag = { x: event.clientX, y: event.clientY, box: box(), moved: false }; });
  addEventListener("pointermove", (event) => {
    if (!drag) return;
    const [x, y, w, h] = drag.box, dx = event.clientX - drag.x, dy = event.clientY - drag.y;
    if (Math.abs(dx) + Math.abs(dy) > 4) drag.moved = true;
    if (drag.moved) setBox([x - dx * scale(), y - dy * scale(), w, h]);
  });
  addEventListener("pointerup", (event) => {
    const moved = drag && drag.moved;
    drag = null;
    if (moved) return;
    const node = event.target instanceof Element ? event.target.closest("#canvas .node") : null;
    if (node) clicked(node);
  });
  for (const button of document.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => ({ in: () => zoom(1 / 1.3), out: () => zoom(1.3), fit })[button.dataset.zoom]());
  }
  return { centre, fit, zoom };
};
