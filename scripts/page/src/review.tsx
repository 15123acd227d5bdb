// The page on which a name map is reviewed: rows at the left, one of them at the right.

import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { plain } from "./data";
import { download, fileName } from "./export";
import { Help, ThemeButton } from "./help";
import { Name } from "./parts";
import { RowList } from "./reviewlist";
import { acceptance, candidatesOf, RowDetails, type RowActions } from "./reviewrow";
import { AS_TOLD, REJECTED, type Choices, type Outcome, type ReviewMap } from "./reviewmap";

type Filter = "all" | "open" | "mine";
const KEYS: [string, string][] = [
  ["↓ ↑", "next row, row before (or j, k); Page, Home, End"], ["n", "next open row"], ["a", "accept and go on"], ["1 to 9", "choose that candidate"],
  ["c", "find another stored name: arrows and Enter choose"], ["r", "reject and go on: nothing stored is meant"], ["u", "undo the choice of this row"],
  ["/", "search the rows"], ["s", "save the new map"], ["Esc", "back to the rows"], ["?", "this list"],
];

export function Review({ map }: { map: ReviewMap }) {
  const { told, expected } = map.data;
  const order = useMemo(() => map.order(), []);
  const place = `graphmap-review:${told.digest}`;
  const [choices, setChoices] = useState<Choices>(() => load(map, place));
  const [current, setCurrent] = useState(() => Number(/^#row=(\d+)$/.exec(location.hash)?.[1] ?? order[0] + 1) - 1);
  const [filter, setFilter] = useState<Filter>("all");
  const [text, setText] = useState("");
  const [sheet, setSheet] = useState<"list" | "row">("list");
  const [theme, setTheme] = useState("");
  const [help, setHelp] = useState(false);
  const [said, setSaid] = useState("");
  const outcomes = useMemo(() => map.outcomes(choices), [choices]);
  const rows = useMemo(() => order.filter((row) => shows(map, row, outcomes[row], choices, filter, text)),
    [filter, text, filter === "all" ? null : choices]);
  const isOpen = (row: number) => outcomes[row].status !== "matched" && outcomes[row].why !== "rejected";
  const counts = useMemo(() => {
    let matched = 0, open = 0, follow = 0;
    outcomes.forEach((one, row) => { matched += +(one.status === "matched"); open += +isOpen(row); follow += +(one.why === "follows"); });
    return { matched, open, follow };
  }, [outcomes]);

  const keep = useCallback((next: Choices) => { setChoices(next); save(map, place, next); }, []);
  useEffect(() => { history.replaceState(null, "", `#row=${current + 1}`); }, [current]);
  useEffect(() => {
    const onHash = () => { const row = Number(/^#row=(\d+)$/.exec(location.hash)?.[1] ?? 0) - 1; if (row >= 0 && row < map.size) setCurrent(row); };
    addEventListener("hashchange", onHash);
    return () => removeEventListener("hashchange", onHash);
  }, []);
  const go = (row: number | undefined) => { if (row !== undefined) setCurrent(row); };
  const step = (by: number) => {
    const at = rows.indexOf(current);
    go(rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + by))]);
  };
  const nextOpen = () => {
    const at = order.indexOf(current);
    const next = [...order.slice(at + 1), ...order.slice(0, at)].find(isOpen);
    if (next === undefined) setSaid("No row is open any more.");
    else go(next);
  };
  const decide = (actual: number) => {
    const next = new Map(choices).set(current, actual);
    const before = outcomes, after = map.outcomes(next);
    const more = after.filter((one, row) => row !== current && (one.actual !== before[row].actual || one.status !== before[row].status)).length;
    const what = actual === REJECTED ? "rejected" : actual === AS_TOLD ? "accepted" : `→ ${map.data.actual.names[actual]}`;
    setSaid(`${plain(expected.names[current])} ${plain(what)}${more ? `; ${more.toLocaleString("en")} more ${more === 1 ? "row changes" : "rows change"}` : ""}`);
    keep(next);
  };
  const act: RowActions = {
    accept: () => {
      const actual = acceptance(map, current, outcomes[current]);
      if (actual === null) { setSaid("No free name comes close: find one, or reject."); return; }
      decide(actual);
      step(1);
    },
    reject: () => { decide(REJECTED); step(1); },
    choose: decide,
    undo: () => { const next = new Map(choices); next.delete(current); setSaid("Back to what the map says."); keep(next); },
    next: nextOpen,
    pick: (row) => { setFilter("all"); setText(""); setCurrent(row); setSheet("row"); },
  };
  const saveMap = () => {
    const name = `${fileName(told.title.split(/[/\\]/).pop() ?? "map")}.reviewed.json`;
    download(map.toFile(choices), name, "application/json");
    setSaid(`Saved ${name}`);
  };
  const latest = useRef<(event: KeyboardEvent) => void>(() => {});
  latest.current = (event) => {
    const target = event.target as HTMLElement;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.matches("input")) {
      if (event.key === "Escape" || (event.key === "Enter" && target.id === "search")) { document.getElementById("rows")?.focus(); event.preventDefault(); }
      return;
    }
    const isList = !target.closest("button, summary, [role=combobox]");
    const page = Math.max(1, Math.floor((document.getElementById("rows")?.clientHeight ?? 400) / 46) - 1);
    const moves: Record<string, number> = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: page, PageUp: -page, Home: -rows.length, End: rows.length };
    if (event.key in moves && (isList || event.key.length === 1)) step(moves[event.key]);
    else if (/^[1-9]$/.test(event.key)) { const one = candidatesOf(map, current, outcomes[current])[Number(event.key) - 1]; if (one) act.choose(one[0]); }
    else if (event.key === "a") act.accept();
    else if (event.key === "r") act.reject();
    else if (event.key === "u") act.undo();
    else if (event.key === "n") nextOpen();
    else if (event.key === "c") { setSheet("row"); focus("find"); }
    else if (event.key === "s") saveMap();
    else if (event.key === "/") { setSheet("list"); focus("search"); }
    else if (event.key === "?") setHelp(!help);
    else if (event.key === "Escape") { setHelp(false); setSheet("list"); document.getElementById("rows")?.focus(); }
    else if (event.key === "Enter" && isList) setSheet("row");
    else return;
    event.preventDefault();
  };
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => latest.current(event);
    addEventListener("keydown", onKey);
    document.getElementById("rows")?.focus();
    return () => removeEventListener("keydown", onKey);
  }, []);
  const filters: [Filter, string, number][] = [["all", "All", map.size], ["open", "Open", counts.open], ["mine", "Decided here", choices.size]];
  return (
    <div class="app review" data-sheet={sheet}>
      <header>
        <h1>Review of <Name>{told.title}</Name></h1>
        <p class="factline">{counts.matched.toLocaleString("en")} of {map.size.toLocaleString("en")} matched · {counts.open.toLocaleString("en")} open
          {counts.follow > 0 && ` · ${counts.follow.toLocaleString("en")} follow from what was decided here`}</p>
        <div class="tools">
          <button type="button" class="main" onClick={saveMap}>Save the map</button>
          <ThemeButton theme={theme} onChange={setTheme} />
          <button type="button" aria-label="Keys and help" onClick={() => setHelp(true)}>?</button>
        </div>
      </header>
      <aside class="left" aria-label="Rows">
        <div class="search"><input id="search" type="search" placeholder="Search the rows" aria-label="Search the rows" autocomplete="off" value={text}
          onInput={(event) => setText(event.currentTarget.value)} /><kbd aria-hidden="true">/</kbd></div>
        <div class="tabs" role="group" aria-label="Which rows are listed">
          {filters.map(([word, label, count]) => <button type="button" aria-pressed={filter === word} onClick={() => setFilter(word)}>{label} {count.toLocaleString("en")}</button>)}
        </div>
        <RowList map={map} rows={rows} outcomes={outcomes} current={current} onPick={(row) => { setCurrent(row); setSheet("row"); }} />
        {!rows.length && <p class="hint none">No such row.</p>}
      </aside>
      <main tabIndex={0} aria-label="Row">
        {told.notes.map((note) => <p class="note">{plain(note)}</p>)}
        <RowDetails key={current} map={map} row={current} place={`Row ${(order.indexOf(current) + 1).toLocaleString("en")} of ${map.size.toLocaleString("en")}`}
          outcomes={outcomes} choices={choices} act={act} />
      </main>
      <p class="said" role="status">{said}</p>
      <nav class="sheets" aria-label="Parts of the page">
        <button type="button" aria-pressed={sheet === "list"} onClick={() => setSheet("list")}>Rows</button>
        <button type="button" aria-pressed={sheet === "row"} onClick={() => setSheet("row")}>This row</button>
        <button type="button" disabled={acceptance(map, current, outcomes[current]) === null} onClick={act.accept}>Accept</button>
        <button type="button" onClick={act.reject}>Reject</button>
      </nav>
      {help && <Help keys={KEYS} onClose={() => setHelp(false)} note="What you decide is kept in this browser until you clear its data." />}
    </div>
  );
}

/** At once, so that quick typing lands there; and again where the part was hidden until now. */
function focus(id: string): void {
  document.getElementById(id)?.focus();
  if (document.activeElement?.id !== id) setTimeout(() => document.getElementById(id)?.focus());
}

function shows(map: ReviewMap, row: number, one: Outcome, choices: Choices, filter: Filter, text: string): boolean {
  if (filter === "open" && (one.status === "matched" || one.why === "rejected")) return false;
  if (filter === "mine" && !choices.has(row)) return false;
  if (!text) return true;
  const name = `${map.data.expected.names[row]} ${one.actual >= 0 ? map.data.actual.names[one.actual] : ""}`.toLowerCase();
  return text.toLowerCase().split(/\s+/).every((word) => name.includes(word));
}

/** Choices by name, so that they outlive a page that was written anew. */
function load(map: ReviewMap, place: string): Choices {
  const { expected, actual } = map.data;
  const found = new Map<number, number>();
  try {
    for (const [name, chosen] of Object.entries(JSON.parse(localStorage.getItem(place) ?? "{}") as Record<string, unknown>)) {
      const row = expected.index.get(name);
      const at = chosen === null ? REJECTED : chosen === true ? AS_TOLD : actual.index.get(String(chosen));
      if (row !== undefined && at !== undefined) found.set(row, at);
    }
  } catch { /* a browser that keeps nothing, or keeps something else there: begin anew */ }
  return found;
}

function save(map: ReviewMap, place: string, choices: Choices): void {
  const { expected, actual } = map.data;
  const told = [...choices].map(([row, at]) => [expected.names[row], at === REJECTED ? null : at === AS_TOLD ? true : actual.names[at]]);
  try { localStorage.setItem(place, JSON.stringify(Object.fromEntries(told))); } catch { /* private windows keep nothing */ }
}
