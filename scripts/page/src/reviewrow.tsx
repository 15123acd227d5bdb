// One row of the map: its candidates, the evidence, and both neighbourhoods.

import { useMemo, useState } from "preact/hooks";
import { plain, shapeText } from "./data";
import { Neighbours } from "./neighbours";
import { Name } from "./parts";
import { layoutOf, type Evidence } from "./reviewdata";
import { AS_TOLD, type Choices, type Outcome, type ReviewMap } from "./reviewmap";
import { stateOf } from "./reviewlist";

const FOUND = 40; // names that a search lists
const WIDTH = 220, BAR = 14; // px of a waterfall and of a bar

export interface RowActions {
  accept(): void; reject(): void; choose(actual: number): void; undo(): void; next(): void; pick(row: number): void;
}
interface Props { map: ReviewMap; row: number; place: string; outcomes: Outcome[]; choices: Choices; act: RowActions }

export function RowDetails({ map, row, place, outcomes, choices, act }: Props) {
  const { data } = map;
  const one = outcomes[row];
  const [word, kind] = stateOf(map, row, one);
  const listed = candidatesOf(map, row, one);
  const target = one.best;
  const shown = target >= 0 ? target : listed[0]?.[0] ?? -1;
  const effect = useMemo(() => (target >= 0 && !choices.has(row) ? map.effect(choices, row, target) : []), [row, choices, target]);
  const following = useMemo(() => outcomes.flatMap((other, at) => (other.source === row ? [at] : [])), [outcomes, row]);
  const holders = useMemo(() => {
    const found = new Map<number, number>();
    outcomes.forEach((other, at) => { if (other.actual >= 0) found.set(other.actual, at); });
    return found;
  }, [outcomes]);
  const canAccept = acceptance(map, row, one) !== null;
  const evidence = map.evidence(row);
  return (
    <article aria-label="The row">
      <p class="kicker">{place} · {shapeText(data.told.shapes[data.expected.shape[row]])}</p>
      <h2><Name>{data.expected.names[row]}</Name></h2>
      <p class="verdict"><span class={`word ${kind}`}>{word}</span>{" "}
        {one.actual >= 0 ? <>→ <Name>{data.actual.names[one.actual]}</Name></> : one.status === "matched" ? "joined from parts"
          : one.why === "rejected" ? "has no counterpart" : one.why === "taken" ? "" : "left open"}
        {one.source >= 0 && <> {one.why === "taken" ? "by" : "from"} <button type="button" class="link" onClick={() => act.pick(one.source)}><Name>{data.expected.names[one.source]}</Name></button></>}
      </p>
      <div class="buttons">
        <button type="button" class="main" disabled={!canAccept} onClick={act.accept}>Accept <kbd>a</kbd></button>
        <button type="button" onClick={() => document.getElementById("find")?.focus()}>Change <kbd>c</kbd></button>
        <button type="button" onClick={act.reject}>Reject <kbd>r</kbd></button>
        <button type="button" disabled={!choices.has(row)} onClick={act.undo}>Undo <kbd>u</kbd></button>
        <button type="button" onClick={act.next}>Next open <kbd>n</kbd></button>
      </div>
      {effect.length > 0 && <p class="hint effect">Accepting settles {effect.length.toLocaleString("en")} more {effect.length === 1 ? "row" : "rows"}: <Some map={map} rows={effect} act={act} /></p>}
      {following.length > 0 && <p class="hint effect">{choices.has(row) ? "It settles or frees" : "Following it:"} {following.length.toLocaleString("en")} {following.length === 1 ? "row" : "rows"}: <Some map={map} rows={following} act={act} /></p>}
      <h3>Candidates</h3>
      {listed.length ? (
        <ol class="candidates">
          {listed.map(([actual, confidence], i) => <Candidate key={actual} map={map} row={row} actual={actual} confidence={confidence} number={i + 1}
            isChosen={one.actual === actual} holder={actual === one.actual ? undefined : holders.get(actual)} act={act} />)}
        </ol>
      ) : <p class="hint">Nothing stored comes close.</p>}
      <Find map={map} row={row} holders={holders} act={act} />
      {evidence.length > 0 && <>
        <h3>Evidence <span class="about">for <Name>{data.actual.names[data.told.rows.actual[row] >= 0 ? data.told.rows.actual[row] : map.candidates(row)[0]?.[0] ?? 0] ?? ""}</Name>, in bits</span></h3>
        <Waterfall evidence={evidence} />
      </>}
      <h3>Neighbourhoods</h3>
      <div class="both">
        <Neighbours data={data} side={data.expected} at={row} heading="Expected" />
        {shown >= 0 && <Neighbours data={data} side={data.actual} at={shown} heading="Stored" />}
      </div>
    </article>
  );
}

/** The map's candidates, and what was chosen beside them. */
export function candidatesOf(map: ReviewMap, row: number, one: Outcome): [number, number | null][] {
  const listed: [number, number | null][] = map.candidates(row).slice(0, 9);
  for (const at of [map.data.told.rows.actual[row], one.actual])
    if (at >= 0 && !listed.some(([actual]) => actual === at)) listed.push([at, null]);
  return listed;
}

/** What accepting a row means: what stands there, or the likeliest candidate that is free. */
export function acceptance(map: ReviewMap, row: number, one: Outcome): number | null {
  if (map.status(row) === "matched" && map.data.parts.has(row) && one.actual < 0) return AS_TOLD;
  return one.best >= 0 ? one.best : null;
}

function Some({ map, rows, act }: { map: ReviewMap; rows: number[]; act: RowActions }) {
  const names = map.data.expected.names;
  return <>{rows.slice(0, 4).map((row, i) => <>{i > 0 && ", "}<button type="button" class="link" onClick={() => act.pick(row)}><Name>{names[row]}</Name></button></>)}
    {rows.length > 4 && ` and ${(rows.length - 4).toLocaleString("en")} more`}</>;
}

function Candidate({ map, row, actual, confidence, number, isChosen, holder, act }: {
  map: ReviewMap; row: number; actual: number; confidence: number | null; number: number; isChosen: boolean; holder: number | undefined; act: RowActions;
}) {
  const { data } = map;
  const layout = data.fits ? layoutOf(data, row, actual) : null;
  return (
    <li>
      <button type="button" class="candidate" aria-pressed={isChosen} onClick={() => act.choose(actual)}>
        <kbd>{number}</kbd>
        <Name>{data.actual.names[actual]}</Name>
        <span class="mono">{shapeText(data.told.shapes[data.actual.shape[actual]])}</span>
        {confidence !== null && <span class="share" aria-label={`confidence ${confidence.toFixed(3)}`}>
          <svg viewBox="0 0 60 8" aria-hidden="true"><rect class="track" width="60" height="8" rx="3" /><rect class="part" width={60 * confidence} height="8" rx="3" /></svg>
          {confidence.toFixed(3)}</span>}
        <span class="remarks">
          {data.fits && layout === null && <span class="bad">shape does not fit</span>}
          {layout !== null && layout !== "same" && <span>{layout}</span>}
          {holder !== undefined && <span>now given to <Name>{data.expected.names[holder]}</Name></span>}
        </span>
      </button>
    </li>
  );
}

function Find({ map, row, holders, act }: { map: ReviewMap; row: number; holders: Map<number, number>; act: RowActions }) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const { data } = map;
  const found = useMemo(() => {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) return [];
    const hits: number[] = [], misfits: number[] = [];
    data.actual.names.forEach((name, i) => {
      const low = name.toLowerCase();
      if (words.every((word) => low.includes(word))) (data.fits && layoutOf(data, row, i) === null ? misfits : hits).push(i);
    });
    return [...hits, ...misfits];
  }, [text, row]);
  const take = (actual: number | undefined) => {
    if (actual === undefined) return;
    act.choose(actual);
    setText("");
    (document.activeElement as HTMLElement | null)?.blur();
    document.getElementById("rows")?.focus();
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") setAt(Math.min(at + 1, Math.min(found.length, FOUND) - 1));
    else if (event.key === "ArrowUp") setAt(Math.max(0, at - 1));
    else if (event.key === "Enter") take(found[at]);
    else if (event.key === "Escape") { setText(""); document.getElementById("rows")?.focus(); }
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="find">
      <input id="find" placeholder="Another stored name" aria-label="Find another stored name" role="combobox" autocomplete="off"
        aria-expanded={found.length > 0} aria-controls="found" aria-activedescendant={found.length ? `found-${at}` : undefined} value={text}
        onInput={(event) => { setText(event.currentTarget.value); setAt(0); }} onKeyDown={onKey} />
      <ul id="found" role="listbox" aria-label="Stored names" hidden={!found.length}>
        {found.slice(0, FOUND).map((actual, i) => (
          <li id={`found-${i}`} key={actual} role="option" aria-selected={i === at} class={i === at ? "at" : ""} onClick={() => take(actual)}>
            <Name>{data.actual.names[actual]}</Name> <span class="mono">{shapeText(data.told.shapes[data.actual.shape[actual]])}</span>
            {data.fits && layoutOf(data, row, actual) === null && <span class="bad"> shape does not fit</span>}
            {holders.has(actual) && <span class="about">given to <Name>{data.expected.names[holders.get(actual)!]}</Name></span>}
          </li>
        ))}
      </ul>
      <p class="hint" role="status">{text && !found.length ? "No stored name has that." : found.length > FOUND ? `${(found.length - FOUND).toLocaleString("en")} more` : ""}</p>
    </div>
  );
}

/** Each evidence as a bar from the odds before it to the odds after it. */
function Waterfall({ evidence }: { evidence: Evidence[] }) {
  const sums = evidence.reduce<number[]>((all, [, bits]) => [...all, all[all.length - 1] + bits], [0]);
  const low = Math.min(...sums), span = Math.max(...sums) - low || 1;
  const x = (bits: number) => ((bits - low) / span) * (WIDTH - 4) + 2;
  const last = sums[sums.length - 1];
  return (
    <table class="waterfall">
      <thead class="unseen"><tr><th>Evidence</th><th>Bits</th><th>Odds so far</th></tr></thead>
      <tbody>
        {evidence.map(([kind, bits, why], i) => (
          <tr>
            <th scope="row"><b>{plain(kind)}</b> <span class="why">{plain(why)}</span></th>
            <td class="bits">{bits > 0 ? "+" : ""}{bits.toFixed(1)}</td>
            <td><svg viewBox={`0 0 ${WIDTH} ${BAR}`} role="img" aria-label={`odds so far ${sums[i + 1].toFixed(1)} bits`}>
              <line class="zero" x1={x(0)} x2={x(0)} y1="0" y2={BAR} />
              <rect class={bits < 0 ? "against" : "for"} x={Math.min(x(sums[i]), x(sums[i + 1]))} y="2" height={BAR - 4}
                width={Math.max(2, Math.abs(x(sums[i + 1]) - x(sums[i])))} rx="2" />
            </svg></td>
          </tr>
        ))}
        <tr class="sum"><th scope="row"><b>in all</b></th><td class="bits">{last > 0 ? "+" : ""}{last.toFixed(1)}</td><td /></tr>
      </tbody>
    </table>
  );
}
