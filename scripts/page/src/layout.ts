// Where everything lies: every open group is laid out by itself by dagre, inner ones first.

import { Graph as DagreGraph, layout as dagre } from "@dagrejs/dagre";
import { plain } from "./data";
import type { Group } from "./tree";
import type { Item, Row, View, Viewer } from "./view";

export type Point = [number, number];
export interface Box { x: number; y: number; width: number; height: number }
export interface Line { title: string; ops: string; weights: string; shape: string; y: number; height: number; row: Row }
export interface Card extends Box { item: Item; lines: Line[]; badge: string }
export interface FrameBox extends Box { group: Group; depth: number; badge: string; title: string }
export interface Path { points: Point[]; training: boolean; arrow: boolean; from: string; to: string }
export interface Picture { width: number; height: number; cards: Card[]; frames: FrameBox[]; paths: Path[] }

const SANS = 'Arial, "Liberation Sans", Helvetica, "Segoe UI", sans-serif';
const MONO = '"DejaVu Sans Mono", "Liberation Mono", Menlo, Consolas, monospace';
export const FONTS = { title: `700 12.5px ${SANS}`, text: `11px ${SANS}`, mono: `10px ${MONO}` };
const BUTTON = 24; // room for the button that opens a row
const PAD = 12;
const HEAD = 30; // of a frame
const MARGIN = 14;

let pen: CanvasRenderingContext2D | null = null;
const widths = new Map<string, number>();
export function textWidth(text: string, font: keyof typeof FONTS): number {
  const key = font + text;
  let width = widths.get(key);
  if (width === undefined) {
    pen ??= document.createElement("canvas").getContext("2d")!;
    pen.font = FONTS[font];
    width = pen.measureText(text).width;
    if (widths.size > 50000) widths.clear();
    widths.set(key, width);
  }
  return width;
}

export function clip(text: string, limit: number, font: keyof typeof FONTS): string {
  const whole = plain(text.length > 400 ? `${text.slice(0, 240)}…${text.slice(-150)}` : text);
  if (textWidth(whole, font) <= limit) return whole;
  let low = 0, high = whole.length;
  const cut = (keep: number) => {
    const head = Math.ceil(keep * 0.6);
    return `${whole.slice(0, head)}…${whole.slice(whole.length - (keep - head))}`;
  };
  while (low < high) {
    const keep = (low + high + 1) >> 1;
    if (textWidth(cut(keep), font) <= limit) low = keep;
    else high = keep - 1;
  }
  return cut(low);
}

export const badgeText = (times: number, note: string): string => (times > 1 ? `×${times} ${note}`.trim() : "");

export function makeCard(item: Item): Card {
  const badge = badgeText(item.times, item.note);
  let width = 96, y = 0;
  const lines = item.rows.map((row, i) => {
    const title = clip(row.title, 230, "title"), shape = clip(row.shape, 150, "mono");
    const ops = clip(row.ops, 300, "text"), weights = clip(row.weights, 300, "mono");
    const height = 12 + 15 * (1 + Number(!!ops) + Number(!!weights));
    const top = textWidth(title, "title") + (shape ? 16 + textWidth(shape, "mono") : 0)
      + (badge && i === 0 ? 26 + textWidth(badge, "mono") : 0);
    width = Math.max(width, Math.max(top, textWidth(ops, "text"), textWidth(weights, "mono"))
      + 5 + 2 * PAD + (row.group ? BUTTON : 0));
    const line = { title, ops, weights, shape, y, height, row };
    y += height;
    return line;
  });
  return { item, lines, badge, x: 0, y: 0, width: Math.ceil(width), height: y };
}

interface Flat { nodes: [string, number, number][]; edges: [string, string, number, number][] }
interface Placed { boxes: Map<string, Box>; lines: Map<string, Point[]>; width: number; height: number }

/** One level laid out from top to bottom. Edges: from, to, weight, least length. */
export function place(flat: Flat): Placed {
  const graph = new DagreGraph({ multigraph: false, compound: false });
  graph.setGraph({ rankdir: "TB", nodesep: 22, edgesep: 12, ranksep: 30, marginx: 0, marginy: 0,
    ranker: flat.nodes.length > 140 ? "longest-path" : "network-simplex" });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const [id, width, height] of flat.nodes) graph.setNode(id, { width, height });
  for (const [from, to, weight, minlen] of flat.edges) graph.setEdge(from, to, { weight, minlen });
  if (flat.nodes.length) dagre(graph);
  const boxes = new Map<string, Box>();
  for (const [id, width, height] of flat.nodes) {
    const at = graph.node(id) as { x: number; y: number };
    boxes.set(id, { x: at.x - width / 2, y: at.y - height / 2, width, height });
  }
  const lines = new Map<string, Point[]>();
  for (const [from, to] of flat.edges) {
    const points = (graph.edge(from, to) as { points?: { x: number; y: number }[] }).points ?? [];
    lines.set(`${from}\n${to}`, points.map(({ x, y }) => [x, y]));
  }
  return { boxes, lines, width: 0, height: 0 };
}

interface Level { picture: Picture; ports: Map<string, Point> }

/** Lays out groups; what is laid out already is kept until something inside opens or closes. */
export class Layouter {
  private known = new Map<string, { sign: string; level: Level }>();
  placed = 0; // levels that were laid out, for tests of laziness

  constructor(readonly viewer: Viewer) {}

  picture(root: Group, opened: ReadonlySet<string>, extra?: (view: View) => View): Picture {
    return this.level(root, opened, 0, extra).picture;
  }

  private level(group: Group, opened: ReadonlySet<string>, depth: number, extra?: (view: View) => View): Level {
    const sign = signature(group, opened);
    const key = `${depth ? "" : "root:"}${group.id}`;
    const known = this.known.get(key);
    if (known?.sign === sign) return known.level;
    this.placed++;
    let view = this.viewer.view(group, opened);
    if (extra) view = extra(view);
    const level = this.compose(view, opened, depth);
    this.known.set(key, { sign, level });
    return level;
  }

  private compose(view: View, opened: ReadonlySet<string>, depth: number): Level {
    const inner = new Map<string, Level>();
    const cards = new Map<string, Card>();
    const nodes: Flat["nodes"] = [];
    for (const item of view.items) {
      if (item.group && opened.has(item.group.id)) {
        const level = this.level(item.group, opened, depth + 1);
        inner.set(item.id, level);
        const title = textWidth(item.group.title, "title") + 90 + textWidth(badgeText(item.times, item.note), "mono");
        nodes.push([item.id, Math.max(level.picture.width + 2 * MARGIN, Math.min(title, 420)),
          level.picture.height + HEAD + MARGIN]);
      } else {
        const card = makeCard(item);
        cards.set(item.id, card);
        nodes.push([item.id, card.width, card.height]);
      }
    }
    const edges: Flat["edges"] = view.links.map(({ from, to }) => [from, to, 2, 1]);
    const ins = depth ? portsOf(view.ins, "in") : [];
    const outs = depth ? portsOf(view.outs, "out") : [];
    const touched = new Set(edges.flatMap(([from, to]) => [from, to]));
    for (const port of [...ins, ...outs]) for (const id of port.items) touched.add(id);
    const lonely = nodes.filter(([id]) => !touched.has(id));
    const flat: Flat = { nodes: nodes.filter(([id]) => touched.has(id)), edges };
    const fed = new Set(edges.map(([, to]) => to)), feeding = new Set(edges.map(([from]) => from));
    if (ins.length) {
      flat.nodes.push(["top", 1, 1]);
      for (const [id] of flat.nodes) if (id !== "top" && !fed.has(id)) edges.push(["top", id, 0, 2]);
    }
    if (outs.length) {
      flat.nodes.push(["bottom", 1, 1]);
      for (const [id] of flat.nodes)
        if (id !== "top" && id !== "bottom" && !feeding.has(id)) edges.push([id, "bottom", 0, 2]);
    }
    for (const port of ins) {
      flat.nodes.push([port.id, 6, 1]);
      edges.push(["top", port.id, 50, 1]);
      for (const id of port.items) edges.push([port.id, id, 2, 1]);
    }
    for (const port of outs) {
      flat.nodes.push([port.id, 6, 1]);
      edges.push([port.id, "bottom", 50, 1]);
      for (const id of port.items) edges.push([id, port.id, 2, 1]);
    }
    const placed = place(flat);
    return this.assemble(view, placed, { inner, cards, lonely, ins, outs, depth });
  }

  private assemble(view: View, placed: Placed, parts: {
    inner: Map<string, Level>; cards: Map<string, Card>; lonely: Flat["nodes"];
    ins: Port[]; outs: Port[]; depth: number;
  }): Level {
    const { inner, cards, lonely, ins, outs, depth } = parts;
    const helpers = new Set(["top", "bottom", ...ins.map((p) => p.id), ...outs.map((p) => p.id)]);
    const real = [...placed.boxes].filter(([id]) => !helpers.has(id));
    const left = Math.min(...real.map(([, b]) => b.x), 0), top = Math.min(...real.map(([, b]) => b.y), Infinity);
    const up = Number.isFinite(top) ? top - (ins.length ? 16 : 0) : 0;
    for (const [, box] of placed.boxes) { box.x -= left; box.y -= up; }
    for (const line of placed.lines.values()) for (const point of line) { point[0] -= left; point[1] -= up; }
    let width = Math.max(0, ...real.map(([, b]) => b.x + b.width));
    let height = Math.max(0, ...real.map(([, b]) => b.y + b.height));
    ({ width, height } = pack(lonely, placed, width, height));
    if (outs.length) height += 16;
    const made: Picture = { width, height, cards: [], frames: [], paths: [] };
    const innerPorts = new Map<string, Map<string, Point>>();
    for (const item of view.items) {
      const box = placed.boxes.get(item.id)!;
      const level = inner.get(item.id);
      if (!level) {
        made.cards.push({ ...cards.get(item.id)!, x: box.x, y: box.y });
        continue;
      }
      const dx = box.x + (box.width - level.picture.width) / 2, dy = box.y + HEAD;
      made.frames.push({ ...box, group: item.group!, depth, badge: badgeText(item.times, item.note),
        title: clip(item.group!.title, Math.max(90, box.width - 70 - textWidth(badgeText(item.times, item.note), "mono")), "title") });
      made.frames.push(...level.picture.frames.map((f) => ({ ...f, x: f.x + dx, y: f.y + dy })));
      made.cards.push(...level.picture.cards.map((c) => ({ ...c, x: c.x + dx, y: c.y + dy })));
      made.paths.push(...level.picture.paths.map((p) => ({ ...p, points: p.points.map(([x, y]) => [x + dx, y + dy] as Point) })));
      const ports = new Map<string, Point>();
      for (const [key, [x]] of level.ports) {
        const [word, outer] = [key.slice(0, 3).trim(), key.slice(key.indexOf(" ") + 1)];
        const at: Point = [x + dx, word === "in" ? box.y : box.y + box.height];
        ports.set(key, at);
        if (view.cardOf.has(outer)) ports.set(`${word} ${view.cardOf.get(outer)}`, at);
      }
      innerPorts.set(item.id, ports);
      stretch(made, level, innerPorts.get(item.id)!, dx, dy);
    }
    for (const { from, to, training } of view.links) {
      const points = placed.lines.get(`${from}\n${to}`);
      if (!points?.length) continue;
      const start = innerPorts.get(from)?.get(`out ${to}`), end = innerPorts.get(to)?.get(`in ${from}`);
      made.paths.push({ points: attach(points, start, end, placed.boxes.get(from)!, placed.boxes.get(to)!),
        training, arrow: !end, from, to });
    }
    const ports = new Map<string, Point>();
    for (const [list, word] of [[ins, "in"], [outs, "out"]] as const)
      for (const port of list) {
        const at: Point = [straightX(port, word, placed, width), word === "in" ? 0 : height];
        for (const outer of port.outer) ports.set(`${word} ${outer}`, at);
        for (const id of port.items) {
          const [from, to] = word === "in" ? [port.id, id] : [id, port.id];
          const points = placed.lines.get(`${from}\n${to}`) ?? [];
          const outer = [...port.outer][0];
          const own = innerPorts.get(id)?.get(`${word} ${outer}`);
          const path = word === "in"
            ? attach(points, at, own, undefined, placed.boxes.get(id)!)
            : attach(points, own, at, placed.boxes.get(id)!, undefined);
          made.paths.push({ points: path, training: false, arrow: word === "in" && !own,
            from: word === "in" ? outer : id, to: word === "in" ? id : outer });
        }
      }
    return { picture: made, ports };
  }
}

/** Lead the lines that end at an inner frame's ports on to its border. */
function stretch(made: Picture, level: Level, ports: Map<string, Point>, dx: number, dy: number): void {
  const seen = new Set<string>();
  for (const [key, [x, y]] of level.ports) {
    const at = ports.get(key)!;
    const id = `${x} ${y}`;
    if (seen.has(id)) continue;
    seen.add(id);
    made.paths.push({ points: key.startsWith("in") ? [at, [x + dx, y + dy]] : [[x + dx, y + dy], at],
      training: false, arrow: false, from: "", to: "" });
  }
}

/** Ports are alone in their rank, so each can stand over or under what it leads to. */
function straightX(port: Port, word: "in" | "out", placed: Placed, width: number): number {
  const xs = port.items.map((id) => {
    const points = placed.lines.get(word === "in" ? `${port.id}\n${id}` : `${id}\n${port.id}`)!;
    return points[word === "in" ? Math.min(2, points.length - 1) : Math.max(0, points.length - 3)][0];
  });
  return Math.min(Math.max(xs.reduce((a, b) => a + b, 0) / xs.length, 8), Math.max(8, width - 8));
}

interface Port { id: string; items: string[]; outer: Set<string> }

/** Neighbours outside that touch the same cards share a port. */
function portsOf(ends: Map<string, Set<string>>, word: string): Port[] {
  const byOuter = new Map<string, string[]>();
  for (const [item, outer] of ends) for (const one of outer) byOuter.set(one, [...(byOuter.get(one) ?? []), item]);
  const ports = new Map<string, Port>();
  for (const [outer, items] of byOuter) {
    const key = byOuter.size > 12 ? "all" : items.join("\n");
    const port = ports.get(key);
    if (port) {
      port.outer.add(outer);
      port.items = [...new Set([...port.items, ...items])];
    } else ports.set(key, { id: `${word}:${ports.size}`, items, outer: new Set([outer]) });
  }
  return [...ports.values()];
}

/** Cards without edges stand in lines under the rest. */
function pack(lonely: Flat["nodes"], placed: Placed, width: number, height: number): { width: number; height: number } {
  if (!lonely.length) return { width, height };
  const area = lonely.reduce((sum, [, w, h]) => sum + (w + 16) * (h + 16), 0);
  const limit = Math.max(width, Math.min(1100, Math.sqrt(area) * 1.5), ...lonely.map(([, w]) => w));
  let x = 0, y = height ? height + 24 : 0, deep = 0;
  for (const [id, w, h] of lonely) {
    if (x && x + w > limit) { x = 0; y += deep + 16; deep = 0; }
    placed.boxes.set(id, { x, y, width: w, height: h });
    width = Math.max(width, x + w);
    x += w + 16;
    deep = Math.max(deep, h);
  }
  return { width, height: y + deep };
}

/** A line from the lower border of one box, or a port, to the upper border of another, or a port. */
function attach(points: Point[], start: Point | undefined, end: Point | undefined, from: Box | undefined, to: Box | undefined): Point[] {
  if (!points.length) return start && end ? [start, end] : [];
  const within = (x: number, box: Box) => Math.min(Math.max(x, box.x + 14), box.x + box.width - 14);
  const last = points.length - 1;
  const isBack = !start && !end && from && to && from.y >= to.y;
  if (isBack) return points;
  const a: Point = start ?? (from ? [within(points[Math.min(1, last)][0], from), from.y + from.height] : points[0]);
  const b: Point = end ?? (to ? [within(points[Math.max(0, last - 1)][0], to), to.y] : points[last]);
  return [a, ...points.slice(1, -1).filter(([, y]) => y > a[1] + 6 && y < b[1] - 6), b];
}

/** Which groups inside are open: the part of `opened` that a group's layout depends on. */
function signature(group: Group, opened: ReadonlySet<string>): string {
  const found: string[] = [];
  const stack = [group];
  while (stack.length) for (const child of stack.pop()!.groups)
    if (opened.has(child.id)) { found.push(child.id); stack.push(child); }
  return found.join("\n");
}

/** A uniform cubic B-spline that leaves and arrives straight down. */
export function pathData(points: Point[]): string {
  if (points.length < 2) return "";
  const n = (v: number) => String(Math.round(v * 10) / 10);
  const [first, last] = [points[0], points[points.length - 1]];
  if (points.length === 2 && Math.abs(first[0] - last[0]) < 1) return `M${n(first[0])} ${n(first[1])}L${n(last[0])} ${n(last[1])}`;
  const reach = Math.max(-16, Math.min(16, (last[1] - first[1]) / 3));
  const all: Point[] = [first, first, [first[0], first[1] + reach], ...points.slice(1, -1), [last[0], last[1] - reach], last, last];
  let text = `M${n(first[0])} ${n(first[1])}`;
  for (let i = 1; i < all.length - 2; i++) {
    const [p, q, r] = [all[i], all[i + 1], all[i + 2]];
    const third = (a: number, b: number) => (2 * a + b) / 3;
    const [ex, ey] = i === all.length - 3 ? last : [(p[0] + 4 * q[0] + r[0]) / 6, (p[1] + 4 * q[1] + r[1]) / 6];
    text += `C${n(third(p[0], q[0]))} ${n(third(p[1], q[1]))} ${n(third(q[0], p[0]))} ${n(third(q[1], p[1]))} ${n(ex)} ${n(ey)}`;
  }
  return text;
}
