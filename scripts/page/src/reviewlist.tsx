// The rows of the map: only those in sight are in the page.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { Name } from "./parts";
import type { Outcome, ReviewMap } from "./reviewmap";

export const HEIGHT = 46; // px of a row, as in review.css
const BEYOND = 6; // rows drawn above and below what is in sight

/** What a row is called, by what the map says and what was chosen. */
export function stateOf(map: ReviewMap, row: number, one: Outcome): [word: string, kind: string] {
  if (one.why === "chosen") return one.actual === map.data.told.rows.actual[row] || one.actual < 0 ||
    (map.status(row) !== "matched" && map.candidates(row).some(([actual]) => actual === one.actual)) ? ["accepted", "done"] : ["changed", "done"];
  if (one.why === "rejected") return ["rejected", "out"];
  if (one.why === "follows") return ["follows", "done"];
  if (one.why === "taken") return ["name taken", "open"];
  return one.status === "matched" ? ["matched", "sure"] : one.status === "ambiguous" ? ["ambiguous", "open"] : ["no match", "none"];
}

interface Props { map: ReviewMap; rows: number[]; outcomes: Outcome[]; current: number; onPick(row: number): void }

export function RowList({ map, rows, outcomes, current, onPick }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState({ top: 0, height: 800 });
  const look = () => { const e = box.current!; setSeen({ top: e.scrollTop, height: e.clientHeight || 800 }); };
  useLayoutEffect(() => {
    look();
    const watch = new ResizeObserver(look);
    watch.observe(box.current!);
    return () => watch.disconnect();
  }, []);
  const at = rows.indexOf(current);
  useLayoutEffect(() => {
    const e = box.current!;
    if (at < 0) return;
    if (at * HEIGHT < e.scrollTop) e.scrollTop = at * HEIGHT;
    else if ((at + 1) * HEIGHT > e.scrollTop + e.clientHeight) e.scrollTop = (at + 1) * HEIGHT - e.clientHeight;
  }, [at, rows]);
  const first = Math.max(0, Math.floor(seen.top / HEIGHT) - BEYOND);
  const shown = rows.slice(first, Math.ceil((seen.top + seen.height) / HEIGHT) + BEYOND);
  // the current row stays in the page, so that who listens hears it
  const all = shown.map((row, i) => [row, first + i]);
  if (at >= 0 && (at < first || at >= first + shown.length)) all.push([current, at]);
  return (
    <div ref={box} class="rows" id="rows" role="listbox" tabIndex={0} aria-label="Rows of the map"
      aria-activedescendant={at >= 0 ? `row-${current}` : undefined} onScroll={look}>
      <div class="rowsheight" role="presentation" style={{ height: `${rows.length * HEIGHT}px` }}>
        {all.map(([row, place]) => <RowLine key={row} map={map} row={row} place={place} size={rows.length} one={outcomes[row]}
          isCurrent={row === current} onPick={onPick} />)}
      </div>
    </div>
  );
}

function RowLine({ map, row, place, size, one, isCurrent, onPick }: {
  map: ReviewMap; row: number; place: number; size: number; one: Outcome; isCurrent: boolean; onPick(row: number): void;
}) {
  const [word, kind] = stateOf(map, row, one);
  const { data } = map;
  const { best } = one;
  const parts = one.status === "matched" && one.actual < 0 ? "joined from parts" : "";
  return (
    <div id={`row-${row}`} class={`line${isCurrent ? " at" : ""}`} role="option" aria-selected={isCurrent} aria-posinset={place + 1}
      aria-setsize={size} style={{ transform: `translateY(${place * HEIGHT}px)` }} onClick={() => onPick(row)}>
      <span class={`mark ${kind}`} aria-hidden="true" />
      <span class="pair">
        <Name>{data.expected.names[row]}</Name>
        <span class={`to${one.actual >= 0 || parts ? "" : " maybe"}`}>
          {one.actual >= 0 || parts ? "→ " : best >= 0 ? "? " : ""}{parts || (best >= 0 && one.why !== "rejected" ? <Name>{data.actual.names[best]}</Name> : "nothing")}
        </span>
      </span>
      <span class={`word ${kind}`}>{word}</span>
    </div>
  );
}
