// The page of a difference: a list of what differs, and both graphs in linked panes.

import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Canvas, KINDS } from "./canvas";
import { plain, type Payload } from "./data";
import { Help, ThemeButton } from "./help";
import { Name, Section } from "./parts";
import { revealed } from "./reveal";
import { Model, type State } from "./state";
import { selectedOps } from "./trace";
import { opsBelow, type Group } from "./tree";
import type { Kind } from "./view";

type DiffRow = [state: Kind, a: string | null, b: string | null, what: string];
export interface DiffPayload {
  kind: "diff"; title: string; facts: string; sides: [Payload, Payload]; rows: Record<string, DiffRow[]>; left_out: Record<string, number>;
}
interface Pane { state: State; anchor: string; reveal: number }

const TITLES: Record<string, string> = { variables: "Variables", train_ops: "Train ops", signatures: "Signatures", nodes: "Nodes", functions: "Functions" };
const SIDES = ["A", "B"] as const;
const SHOWN = 100; // rows of a section before "more"
const KEYS: [string, string][] = [["Tab, Enter", "choose a difference: both panes show it"], ["/", "search what differs"], ["f", "fit both pictures"],
  ["+ −", "zoom both"], ["l", "link or unlink the panes"], ["arrows, Enter", "in a pane: move, open and close groups"], ["?", "this list"]];

export function Diff({ told }: { told: DiffPayload }) {
  const models = useMemo(() => told.sides.map((side) => new Model(side)), []);
  const [panes, setPanes] = useState<Pane[]>(() => models.map((model) => ({ state: model.start(), anchor: "", reveal: 0 })));
  const [linked, setLinked] = useState(true);
  const [theme, setTheme] = useState("");
  const [help, setHelp] = useState(false);
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState("");
  const latest = useRef({ panes, linked });
  latest.current = { panes, linked };
  const others = useMemo(() => {
    const found = SIDES.map(() => new Map<string, string>());
    for (const section of [told.rows.nodes, told.rows.variables])
      for (const [, a, b] of section ?? []) if (a !== null && b !== null) { found[0].set(a, b); found[1].set(b, a); }
    return found;
  }, []);

  const change = useCallback((side: number, part: Partial<State>, anchor: string, reveal = 0) => setPanes((old) => old.map((pane, i) =>
    (i === side ? { state: { ...pane.state, ...part }, anchor, reveal: pane.reveal + reveal } : pane))), []);
  const show = useCallback((side: number, key: string) => {
    const model = models[side], name = key.slice(2);
    const known = key.startsWith("g:") ? model.scope(latest.current.panes[side].state.view).source.byId.has(name)
      : model.g.index.has(name) || model.g.variableByName.has(name);
    if (!known) { change(side, { selected: "" }, "-"); return; }
    const [part, keep] = revealed(model, latest.current.panes[side].state, key);
    change(side, part, keep, 1);
  }, []);
  const choose = (id: string, [, a, b]: DiffRow, section: string) => {
    setChosen(id);
    const word = section === "variables" ? "v:" : "n:";
    ([a, b] as const).forEach((name, side) => { if (name === null) change(side, { selected: "" }, "-"); else show(side, word + name); });
  };
  const select = (side: number, key: string) => {
    const other = 1 - side, name = key.slice(2);
    change(side, { selected: key }, "-");
    if (latest.current.linked) show(other, key.slice(0, 2) + (key.startsWith("g:") ? name : others[side].get(name) ?? name));
  };
  const toggle = (side: number, group: Group) => {
    const opens = !latest.current.panes[side].state.opened.has(group.id);
    models.forEach((model, i) => {
      const { state } = latest.current.panes[i];
      if ((i !== side && !latest.current.linked) || !model.scope(state.view).source.byId.has(group.id)) return;
      const opened = new Set(state.opened);
      if (opens) opened.add(group.id);
      else opened.delete(group.id);
      change(i, { opened }, group.id);
    });
  };
  const both = (what: unknown, only?: number) => SIDES.forEach((_, i) => {
    if (only === undefined || only === i) document.getElementById(`graph-${i}`)?.dispatchEvent(new CustomEvent("move-view", { detail: what }));
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || (event.target as HTMLElement).matches("input")) return;
      if (event.key === "/") document.getElementById("search")?.focus();
      else if (event.key === "f") both("fit");
      else if (event.key === "+" || event.key === "=") both("in");
      else if (event.key === "-") both("out");
      else if (event.key === "l") setLinked((old) => !old);
      else if (event.key === "?") setHelp((old) => !old);
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = ([state, a, b, what]: DiffRow) => { const all = `${state} ${a ?? ""} ${b ?? ""} ${what}`.toLowerCase(); return words.every((word) => all.includes(word)); };
  const kinds = [...new Set(panes.flatMap(({ state }, i) => models[i].picture(state).cards.flatMap((card) => card.item.rows.map((row) => row.kind))))];
  return (
    <div class="app diff">
      <header>
        <h1><Name>{told.title}</Name></h1>
        <p class="factline">{plain(told.facts)}</p>
        <div class="tools">
          <button type="button" aria-pressed={linked} onClick={() => setLinked(!linked)}>Linked</button>
          <ThemeButton theme={theme} onChange={setTheme} />
          <button type="button" aria-label="Keys and help" onClick={() => setHelp(true)}>?</button>
        </div>
      </header>
      <aside class="left" aria-label="What differs">
        <div class="search"><input id="search" type="search" placeholder="Search what differs" aria-label="Search what differs" value={text}
          onInput={(event) => setText(event.currentTarget.value)} /><kbd aria-hidden="true">/</kbd></div>
        <div class="scroll" tabIndex={0} role="region" aria-label="Differences">
          {Object.entries(told.rows).map(([section, all]) => <Rows key={section} section={section} rows={all.filter(fits)} leftOut={told.left_out[section]}
            chosen={chosen} onChoose={choose} />)}
        </div>
      </aside>
      <main>
        {panes.map(({ state, anchor, reveal }, side) => {
          const picture = models[side].picture(state), { source } = models[side].scope(state.view);
          return (
            <section class="pane" aria-label={`${SIDES[side]}: ${plain(told.sides[side].title)}`}>
              <h2>{SIDES[side]}: <Name>{told.sides[side].title}</Name></h2>
              <Canvas picture={picture} pane={`-${side}`} selected={state.selected} selectedOps={new Set(selectedOps(models[side], state))} trace={null}
                anchor={anchor} reveal={reveal} label={`${SIDES[side]}, ${picture.cards.length} boxes`} below={(group) => opsBelow(source, group)}
                onMove={(transform) => { if (latest.current.linked) both(transform, 1 - side); }}
                onSelect={(key) => select(side, key)} onToggle={(group) => toggle(side, group)} />
            </section>
          );
        })}
        <div class="foot">
          <div class="legend">{kinds.map((kind) => <span><i class={`chip ${kind}`} />{KINDS[kind]}</span>)}</div>
          <div class="zoom" role="group" aria-label="Zoom">
            <button type="button" aria-label="Zoom in" onClick={() => both("in")}>+</button>
            <button type="button" aria-label="Zoom out" onClick={() => both("out")}>−</button>
            <button type="button" aria-label="Fit the whole pictures" onClick={() => both("fit")}>Fit</button>
          </div>
        </div>
      </main>
      {help && <Help keys={KEYS} note="A pane that lacks what is chosen shows nothing of it." onClose={() => setHelp(false)} />}
    </div>
  );
}

function Rows({ section, rows, leftOut, chosen, onChoose }: {
  section: string; rows: DiffRow[]; leftOut: number; chosen: string; onChoose(id: string, row: DiffRow, section: string): void;
}) {
  const [most, setMost] = useState(SHOWN);
  return (
    <Section title={TITLES[section] ?? section} count={rows.length} open={section !== "nodes" || rows.length < SHOWN}>
      <ul class="plain differences">
        {rows.slice(0, most).map((row) => {
          const [state, a, b, what] = row, id = `${section} ${a} ${b}`;
          return (
            <li><button type="button" class="difference" aria-pressed={id === chosen} onClick={() => onChoose(id, row, section)}>
              <i class={`chip ${state}`} aria-hidden="true" /><span><span class="about">{KINDS[state]}</span> <Name>{a ?? b ?? ""}</Name>
                {a !== null && b !== null && a !== b && <> → <Name>{b}</Name></>}{what && <span class="what">{plain(what)}</span>}</span>
            </button></li>
          );
        })}
      </ul>
      {rows.length > most && <button type="button" class="more" onClick={() => setMost(most + 500)}>{(rows.length - most).toLocaleString("en")} more</button>}
      {leftOut > 0 && <p class="hint">{leftOut.toLocaleString("en")} more are in <code>graphmap diff --json</code>.</p>}
      {!rows.length && <p class="hint">None.</p>}
    </Section>
  );
}
