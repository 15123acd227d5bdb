// The drawing as it is seen, as a file: SVG with its colours written out, or PNG from it.

import type { Picture } from "./layout";

const STYLES = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin", "opacity", "font-family", "font-size",
  "font-weight", "text-anchor", "paint-order"];
const MARGIN = 20;
const LARGEST = 8000; // px of a PNG's side

export function toSvg(svg: SVGSVGElement, picture: Picture, title: string): string {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const from = svg.querySelectorAll<SVGElement>("*"), to = copy.querySelectorAll<SVGElement>("*");
  from.forEach((element, i) => {
    const style = getComputedStyle(element), target = to[i];
    for (const name of STYLES) {
      const value = style.getPropertyValue(name);
      if (value && value !== "none" || name === "fill") target.setAttribute(name, value);
    }
    for (const name of ["class", "id", "tabindex", "role", "aria-label", "aria-expanded", "aria-hidden"])
      if (name !== "id" || element.tagName !== "marker") target.removeAttribute(name);
  });
  copy.querySelectorAll("g").forEach((g) => { for (const name of STYLES) if (name !== "opacity") g.removeAttribute(name); });
  const inner = copy.querySelector("g")!;
  inner.setAttribute("transform", `translate(${MARGIN} ${MARGIN})`);
  const width = Math.ceil(picture.width) + 2 * MARGIN, height = Math.ceil(picture.height) + 2 * MARGIN;
  for (const { name } of [...copy.attributes]) copy.removeAttribute(name);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("viewBox", `0 0 ${width} ${height}`);
  copy.setAttribute("width", String(width));
  copy.setAttribute("height", String(height));
  copy.setAttribute("role", "img");
  const back = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  back.setAttribute("width", "100%");
  back.setAttribute("height", "100%");
  back.setAttribute("fill", getComputedStyle(svg).backgroundColor);
  const heading = document.createElementNS("http://www.w3.org/2000/svg", "title");
  heading.textContent = title;
  copy.prepend(heading, back);
  return `${new XMLSerializer().serializeToString(copy)}\n`;
}

export function download(content: Blob | string, name: string, type: string): void {
  const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export async function toPng(text: string, picture: Picture): Promise<Blob> {
  const width = picture.width + 2 * MARGIN, height = picture.height + 2 * MARGIN;
  const scale = Math.min(2, LARGEST / width, LARGEST / height);
  const url = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    await new Promise<void>((done, failed) => {
      image.onload = () => done();
      image.onerror = () => failed(new Error("the picture cannot be drawn"));
      image.src = url;
    });
    const canvas = document.createElement("canvas");
    canvas.width = Math.ceil(width * scale);
    canvas.height = Math.ceil(height * scale);
    canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((done, failed) =>
      canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error("no PNG"))), "image/png"));
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** A file name from a title: no separators, nothing that a system reads otherwise. */
export const fileName = (title: string): string => title.replace(/[^\p{L}\p{N}._-]+/gu, "_").slice(0, 80) || "graph";
