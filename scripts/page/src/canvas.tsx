// The drawing: pan, zoom, select, open and close, by pointer and by keyboard.

import { select } from "d3-selection";
import { zoom, zoomIdentity, type ZoomBehavior, type ZoomTransform } from "d3-zoom";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { pathData, textWidth, type Card, type FrameBox, type Line, type Picture } from "./layout";
import type { Trace } from "./trace";
import type { Group } from "./tree";
import type { Kind, Row } from "./view";

export const KINDS: Record<Kind, string> = {
  input: "input", layer: "layer with weights", op: "other ops", loss: "loss", output: "output",
  training: "training", dropped: "dropped", added: "added", changed: "changed", renamed: "renamed", same: "the same", matched: "matched", ambiguous: "ambiguous", unmatched: "unmatched", unused: "not asked for",
};

export interface CanvasProps {
  picture: Picture; selected: string; selectedOps: ReadonlySet<number>; trace: Trace | null; anchor: string;
  label: string; reveal: number; pane?: string; // pane: tells the parts of one drawing from those of another
  onMove?(transform: ZoomTransform): void;
  onSelect(key: string): void; onToggle(group: Group): void; below(group: Group): Int32Array;
}

type Lit = "" | "up" | "down" | "own" | "dim";
interface Spot { id: string; key: string; x: number; y: number; group: Group | null }

function litOf(trace: Trace | null, members: Int32Array[]): Lit {
  if (!trace) return "";
  let lit: Lit = "dim";
  for (const ops of members) for (const op of ops) {
    if (trace.own.has(op)) return "own";
    if (trace.up.has(op)) lit = "up";
    else if (trace.down.has(op)) lit = "down";
  }
  return lit;
}

const MARGIN = 24;

export function Canvas(props: CanvasProps) {
  const { picture, trace } = props;
  const svg = useRef<SVGSVGElement>(null);
  const inner = useRef<SVGGElement>(null);
  const zooming = useRef<ZoomBehavior<SVGSVGElement, unknown>>(null!);
  const now = useRef<ZoomTransform>(zoomIdentity);
  const before = useRef<Picture | null>(null);
  const [active, setActive] = useState("");
  const pane = props.pane ?? "";
  const spots = useMemo(() => spotsOf(picture, pane), [picture]);
  const lit = useMemo(() => {
    const found = new Map<string, Lit>();
    for (const card of picture.cards) found.set(card.item.id, litOf(trace, card.item.rows.map((r) => r.members)));
    for (const frame of picture.frames) found.set(`g:${frame.group.id}`, litOf(trace, [props.below(frame.group)]));
    return found;
  }, [picture, trace]);

  useLayoutEffect(() => {
    const area = select(svg.current!);
    zooming.current = zoom<SVGSVGElement, unknown>().scaleExtent([0.02, 4]).clickDistance(4)
      .on("zoom", (event: { transform: ZoomTransform; sourceEvent: Event | null }) => {
        now.current = event.transform;
        inner.current!.setAttribute("transform", event.transform.toString());
        if (event.sourceEvent) props.onMove?.(event.transform);
      });
    area.call(zooming.current).on("dblclick.zoom", null);
    const onMove = (event: Event) => {
      const { detail } = event as CustomEvent<string | ZoomTransform>;
      if (typeof detail === "string") move(detail);
      else go(detail);
    };
    svg.current!.addEventListener("move-view", onMove);
    return () => { area.on(".zoom", null); };
  }, []);

  const go = (transform: ZoomTransform) => select(svg.current!).call(zooming.current.transform, transform);
  const room = () => { const box = svg.current!.getBoundingClientRect(); return { w: box.width || 800, h: box.height || 600 }; };
  const latest = useRef(picture);
  latest.current = picture;

  function fit(whole: boolean): void {
    const { w, h } = room();
    const p = latest.current;
    const both = Math.min(1, (w - 2 * MARGIN) / p.width, (h - 2 * MARGIN) / p.height);
    const scale = whole || both >= 0.6 ? both : Math.min(1, Math.max(0.5, (w - 2 * MARGIN) / p.width));
    const x = Math.max((w - p.width * scale) / 2, p.width * scale > w ? Math.min(MARGIN, (w - p.width * scale) / 2) : MARGIN);
    const left = p.width * scale > w - MARGIN ? (w - p.width * scale) / 2 : x;
    go(zoomIdentity.translate(left, Math.max(MARGIN, (h - p.height * scale) / 2 * Number(p.height * scale < h))).scale(scale));
  }

  function move(what: string): void {
    const { w, h } = room();
    if (what === "fit") fit(true);
    else if (what === "start") fit(false);
    else if (what === "in" || what === "out")
      select(svg.current!).call(zooming.current.scaleBy, what === "in" ? 1.3 : 1 / 1.3, [w / 2, h / 2]);
  }

  useLayoutEffect(() => {
    const old = before.current;
    before.current = picture;
    if (!old) { fit(false); return; }
    const from = old === picture ? null : find(old, props.anchor), to = from && find(picture, props.anchor);
    if (from && to) go(now.current.translate(from.x - to.x, from.y - to.y));
    else if (old !== picture && !props.anchor) fit(false);
  }, [picture]);

  const showing = props.selected + props.reveal;
  useEffect(() => { if (props.reveal) show(spotOf(spots, props.selected)); }, [showing, picture]);

  function show(spot: Spot | undefined): void {
    if (!spot) return;
    const { w, h } = room(), t = now.current;
    const x = t.applyX(spot.x), y = t.applyY(spot.y);
    const scale = Math.max(t.k, 0.7);
    if (x < 40 || x > w - 120 || y < 40 || y > h - 80 || t.k < 0.5)
      go(zoomIdentity.translate(w / 2 - (spot.x + 60) * scale, h / 2 - spot.y * scale).scale(scale));
  }

  function focus(spot: Spot | undefined): void {
    if (!spot) return;
    setActive(spot.id);
    show(spot);
    document.getElementById(spot.id)?.focus({ preventScroll: true });
  }

  function onKey(event: KeyboardEvent): void {
    const at = spots.find((spot) => spot.id === (event.target as Element).id);
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (at && (event.key === "Enter" || event.key === " ")) {
      props.onSelect(at.key);
      if (at.group && event.key === "Enter") props.onToggle(at.group);
    } else if (at && event.key.startsWith("Arrow")) focus(next(spots, at, event.key));
    else if (at?.group?.parent && event.key === "Backspace") {
      const parent = at.group.parent;
      if (parent.parent) { props.onToggle(parent); setActive(`s${pane}-g:${parent.id}`); }
    } else if (event.key === "Home") focus(spots[0]);
    else if (event.key === "End") focus(spots[spots.length - 1]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // After opening or closing, the focus stays with the same group.
  useEffect(() => {
    if (!props.anchor || document.activeElement !== document.body) return;
    const spot = spots.find((one) => one.group?.id === props.anchor);
    if (spot && active) focus(spot);
  }, [picture]);

  const current = spots.some((spot) => spot.id === active) ? active : spots[0]?.id;
  // The row of a selected node is its own, or that of the closed group that holds it.
  const chosenRows = useMemo(() => {
    const rows = picture.cards.flatMap((card) => card.item.rows);
    const own = rows.filter((row) => row.key === props.selected);
    if (own.length || !/^[nv]:/.test(props.selected)) return new Set(own);
    return new Set(rows.filter((row) => row.members.some((op) => props.selectedOps.has(op))));
  }, [picture, props.selected, props.selectedOps]);
  const chosen = (row: Row) => chosenRows.has(row);
  const near = new Set(picture.cards.filter((card) => card.item.rows.some(chosen)).map((card) => card.item.id));
  if (props.selected.startsWith("g:")) near.add(props.selected);
  const bright = (from: string, to: string): string => {
    if (!trace) return near.has(from) || near.has(to) ? " near" : "";
    const [a, b] = [lit.get(from) ?? "dim", lit.get(to) ?? "dim"];
    if (a === "dim" || b === "dim" || !from) return " dim";
    return (a === "up" || b === "up") && a !== "down" && b !== "down" ? " up" : a === "up" || b === "up" ? " dim" : " down";
  };
  return (
    <svg ref={svg} id={`graph${pane}`} class="graph" role="group" aria-label={props.label} onKeyDown={onKey}>
      <defs>
        {["", "up", "down"].map((word) => (
          <marker id={`arrow${pane}${word}`} viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
            <path d="M0 0L8 4L0 8z" class={`head ${word}`} />
          </marker>
        ))}
      </defs>
      <g ref={inner}>
        {picture.frames.map((frame) => <FrameBack frame={frame} />)}
        {picture.paths.map((path) => {
          const state = bright(path.from, path.to);
          return <path d={pathData(path.points)} class={`edge${path.training ? " training" : ""}${state}`}
            marker-end={path.arrow ? `url(#arrow${pane}${state.trim() === "up" || state.trim() === "down" ? state.trim() : ""})` : undefined} />;
        })}
        {picture.frames.map((frame) => (
          <FrameTitle frame={frame} props={props} lit={lit.get(`g:${frame.group.id}`) ?? ""} current={current} onFocus={setActive}
            chosen={props.selected === `g:${frame.group.id}`} />
        ))}
        {picture.cards.map((card) => (
          <CardView card={card} props={props} lit={lit.get(card.item.id) ?? ""} current={current} onFocus={setActive} chosen={chosen} />
        ))}
      </g>
    </svg>
  );
}

const rowId = (pane: string, card: Card, i: number) => `s${pane}-${card.item.id}-${i}`;

function FrameBack({ frame }: { frame: FrameBox }) {
  return <rect class={`frame${frame.depth % 2 ? " odd" : ""}${frame.badge ? " many" : ""}`} x={frame.x} y={frame.y}
    width={frame.width} height={frame.height} rx="9" />;
}

function FrameTitle({ frame, props, lit, current, onFocus, chosen }: {
  frame: FrameBox; props: CanvasProps; lit: Lit; current: string | undefined; onFocus(id: string): void; chosen: boolean;
}) {
  const id = `s${props.pane ?? ""}-g:${frame.group.id}`;
  const width = textWidth(frame.title, "title");
  return (
    <g class={`framehead ${lit}${chosen ? " chosen" : ""}`} transform={`translate(${frame.x} ${frame.y})`}>
      <g id={id} role="button" tabIndex={id === current ? 0 : -1} aria-expanded="true"
        aria-label={`${frame.title}, open group${frame.badge ? `, ${frame.badge}` : ""}`}
        onFocus={() => onFocus(id)} onClick={() => props.onSelect(`g:${frame.group.id}`)}
        onDblClick={() => props.onToggle(frame.group)}>
        <rect class="hit" x="4" y="4" width={width + 38} height="22" rx="5" />
        <text class="title halo" x="30" y="20">{frame.title}</text>
      </g>
      {frame.badge && <text class="badge" x={36 + width} y="19">{frame.badge}</text>}
      <g class="toggle" aria-hidden="true" onClick={() => props.onToggle(frame.group)}>
        <rect x="8" y="7" width="16" height="16" rx="4" />
        <path d="M12 15h8" />
      </g>
    </g>
  );
}

function CardView({ card, props, lit, current, onFocus, chosen }: {
  card: Card; props: CanvasProps; lit: Lit; current: string | undefined; onFocus(id: string): void;
  chosen(row: Row): boolean;
}) {
  return (
    <g class={`card ${lit}`} transform={`translate(${card.x} ${card.y})`}>
      {card.badge && <rect class="back stack" x="5" y="-5" width={card.width} height={card.height} rx="6" />}
      <rect class={`back${card.badge ? " many" : ""}`} width={card.width} height={card.height} rx="6" />
      {card.lines.map((line, i) => <RowView key={line.row.key} card={card} line={line} i={i} props={props}
        isCurrent={rowId(props.pane ?? "", card, i) === current} onFocus={onFocus} chosen={chosen(line.row)} />)}
    </g>
  );
}

function RowView({ card, line, i, props, isCurrent, onFocus, chosen }: {
  card: Card; line: Line; i: number; props: CanvasProps; isCurrent: boolean; onFocus(id: string): void; chosen: boolean;
}) {
  const { row } = line, id = rowId(props.pane ?? "", card, i);
  const right = card.width - 12 - (row.group ? 24 : 0);
  const badge = i === 0 ? card.badge : "";
  let y = line.y + 18;
  const shapeWidth = line.shape ? textWidth(line.shape, "mono") + 10 : 0;
  return (
    <g class={`row${chosen ? " chosen" : ""}`}>
      <g id={id} role="button" tabIndex={isCurrent ? 0 : -1} aria-description={KINDS[row.kind]}
        aria-expanded={row.group ? "false" : undefined} onFocus={() => onFocus(id)}
        onClick={() => props.onSelect(row.key)} onDblClick={() => row.group && props.onToggle(row.group)}>
        <rect class="hit" x="1" y={line.y + 1} width={card.width - 2} height={line.height - 2} rx="5" />
        <rect class={`bar ${row.kind}`} x="0.7" y={line.y + 3} width="4.5" height={line.height - 6} rx="1.5" />
        {i > 0 && <path class="sep" d={`M5 ${line.y}H${card.width}`} />}
        <text class="title" x="14" y={y}>{line.title}</text>{" "}
        {line.shape && <text class="mono end" x={right} y={y}>{line.shape}</text>}{" "}
        {badge && <text class="badge end" x={right - shapeWidth} y={y}>{badge}</text>}{" "}
        {line.ops && <text class="sub" x="14" y={(y += 15)}>{line.ops}</text>}{" "}
        {line.weights && <text class="mono" x="14" y={(y += 15)}>{line.weights}</text>}
      </g>
      {row.group && (
        <g class="toggle" aria-hidden="true" onClick={() => props.onToggle(row.group!)}>
          <rect x={card.width - 28} y={line.y + 7} width="16" height="16" rx="4" />
          <path d={`M${card.width - 24} ${line.y + 15}h8m-4 -4v8`} />
        </g>
      )}
    </g>
  );
}

function spotsOf(picture: Picture, pane: string): Spot[] {
  const spots: Spot[] = picture.frames.map((f) => ({ id: `s${pane}-g:${f.group.id}`, key: `g:${f.group.id}`, x: f.x, y: f.y, group: f.group }));
  for (const card of picture.cards)
    card.lines.forEach((line, i) => spots.push({ id: rowId(pane, card, i), key: line.row.key, x: card.x, y: card.y + line.y, group: line.row.group }));
  return spots.sort((a, b) => a.y - b.y || a.x - b.x);
}

function spotOf(spots: Spot[], key: string): Spot | undefined { return spots.find((spot) => spot.key === key); }

/** The nearest spot in a direction; sideways counts more than ahead. */
function next(spots: Spot[], at: Spot, key: string): Spot | undefined {
  const [dx, dy] = { ArrowDown: [0, 1], ArrowUp: [0, -1], ArrowRight: [1, 0], ArrowLeft: [-1, 0] }[key] ?? [0, 0];
  let best: Spot | undefined, least = Infinity;
  for (const spot of spots) {
    const x = spot.x - at.x, y = spot.y - at.y;
    const ahead = x * dx + y * dy, aside = Math.abs(x * dy) + Math.abs(y * dx);
    if (ahead <= 1 || spot === at) continue;
    const far = ahead + 2.5 * aside;
    if (far < least) { least = far; best = spot; }
  }
  return best;
}

function find(picture: Picture, group: string): { x: number; y: number } | undefined {
  if (!group) return undefined;
  const frame = picture.frames.find((f) => f.group.id === group);
  if (frame) return frame;
  for (const card of picture.cards) {
    const line = card.lines.find(({ row }) => row.group?.id === group);
    if (line) return { x: card.x, y: card.y + line.y };
  }
  return undefined;
}
