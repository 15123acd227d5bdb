// The page of a graph: header, search and outline, drawing, details.

import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Canvas, KINDS } from "./canvas";
import { plain } from "./data";
import { Details, type Actions } from "./details";
import { download, fileName, toPng, toSvg } from "./export";
import { Help, ThemeButton } from "./help";
import { Name } from "./parts";
import { Omitted, Outline, Search, Training } from "./sidebar";
import type { Model, State } from "./state";
import { selectedOps, trace as traceOf } from "./trace";
import { revealed } from "./reveal";
import { opsBelow, pathTo } from "./tree";
import type { Kind } from "./view";

export function App({ model }: { model: Model }) {
  const [state, setState] = useState<State>(() => model.fromHash(location.hash, ""));
  const [anchor, setAnchor] = useState("");
  const [reveal, setReveal] = useState(state.selected ? 1 : 0);
  const [said, setSaid] = useState("");
  const change = useCallback((part: Partial<State>, keep = "") => {
    setAnchor(keep);
    setState((old) => ({ ...old, ...part }));
  }, []);
  const latest = useRef(state);
  latest.current = state;

  useEffect(() => {
    const hash = model.toHash(state);
    if (hash !== location.hash.slice(1)) history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
  }, [state]);
  useEffect(() => {
    const onHash = () => { setAnchor(""); setReveal((n) => n + 1); setState((old) => model.fromHash(location.hash, old.theme)); };
    addEventListener("hashchange", onHash);
    return () => removeEventListener("hashchange", onHash);
  }, []);

  const act: Actions = useMemo(() => {
    return {
      select: (key) => change({ selected: key, sheet: "details" }, latest.current.selected.slice(2) || "-"),
      reveal: (key) => {
        setReveal((n) => n + 1);
        const [found, keep] = revealed(model, latest.current, key);
        change(found, keep);
      },
      toggle: (group) => {
        const opened = new Set(latest.current.opened);
        if (!opened.delete(group.id)) opened.add(group.id);
        change({ opened }, group.id);
      },
      enter: (group) => change({ root: group.id, selected: "", trace: false, sheet: "graph" }),
      near: (node, hops = 1) => change({ view: `near:${hops}:${model.g.names[node]}`, root: "", opened: new Set(),
        selected: `n:${model.g.names[node]}`, trace: false, sheet: "graph" }),
      setTrace: (on) => change({ trace: on }, "-"),
      train: () => change({ panel: "training", sheet: "outline" }, "-"),
    };
  }, []);

  const picture = useMemo(() => model.picture(state), [state.view, state.root, state.opened]);
  const { source, cut } = model.scope(state.view);
  const ops = useMemo(() => selectedOps(model, state), [state.selected, state.view]);
  const chosen = useMemo(() => new Set(ops), [ops]);
  const trace = useMemo(() => (state.trace && ops.length ? traceOf(source, ops) : null), [state.trace, ops, source]);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey || target.matches("input, textarea, select")) return;
      const now = latest.current;
      const view = (what: string) => document.getElementById("graph")?.dispatchEvent(new CustomEvent("move-view", { detail: what }));
      if (event.key === "/") document.getElementById("search")?.focus();
      else if (event.key === "?") change({ help: !now.help }, "-");
      else if (event.key === "Escape") change(now.help ? { help: false } : now.trace ? { trace: false } : { selected: "", sheet: "graph" }, "-");
      else if (event.key === "t") change({ trace: !now.trace }, "-");
      else if (event.key === "f" || event.key === "0") view("fit");
      else if (event.key === "+" || event.key === "=") view("in");
      else if (event.key === "-") view("out");
      else if (event.key === "u") up();
      else if (event.key === "n" && now.selected.startsWith("n:") && model.g.index.has(now.selected.slice(2))) act.near(model.g.index.get(now.selected.slice(2))!);
      else if (event.key === "m") change({ ...model.start(), theme: now.theme, panel: now.panel });
      else if (event.key === "g") (document.querySelector('#graph [tabindex="0"]') as SVGElement | null)?.focus();
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);

  const up = () => {
    const group = model.group(latest.current);
    if (group.parent) change({ root: group.parent.id });
    else if (latest.current.view !== "model") change({ ...model.start(), theme: latest.current.theme, selected: latest.current.selected });
  };
  const title = model.g.payload.title;
  const save = async (kind: "svg" | "png") => {
    const svg = document.getElementById("graph") as unknown as SVGSVGElement;
    try {
      const text = toSvg(svg, picture, title);
      if (kind === "svg") download(text, `${fileName(title)}.svg`, "image/svg+xml");
      else download(await toPng(text, picture), `${fileName(title)}.png`, "image/png");
      setSaid(`Saved ${fileName(title)}.${kind}`);
    } catch (error) { setSaid(`Not saved: ${String(error)}`); }
  };
  const view = (what: string) => () => document.getElementById("graph")?.dispatchEvent(new CustomEvent("move-view", { detail: what }));
  const kinds = [...new Set(picture.cards.flatMap((card) => card.item.rows.map((row) => row.kind)))];
  const near = /^near:(\d):(.*)$/s.exec(state.view);
  const sheet = (word: State["sheet"], text: string) => (
    <button type="button" aria-pressed={state.sheet === word} onClick={() => change({ sheet: word }, "-")}>{text}</button>
  );
  return (
    <div class="app" data-sheet={state.sheet}>
      <header>
        <h1><Name>{title}</Name></h1>
        <p class="factline">{plain(model.g.payload.facts)}</p>
        <div class="tools">
          <button type="button" onClick={() => void save("svg")}>SVG</button>
          <button type="button" onClick={() => void save("png")}>PNG</button>
          <ThemeButton theme={state.theme} onChange={(theme) => change({ theme }, "-")} />
          <button type="button" aria-label="Keys and help" onClick={() => change({ help: true }, "-")}>?</button>
        </div>
      </header>
      <aside class="left" aria-label="Search and outline">
        <Search model={model} act={act} />
        {model.hasGraph && (
          <div class="tabs" role="group" aria-label="What is listed">
            {([["outline", "Outline"], ["training", "Training"], ["omitted", "Not drawn"]] as const).map(([word, text]) => (
              <button type="button" aria-pressed={state.panel === word} onClick={() => change({ panel: word }, "-")}>{text}</button>
            ))}
          </div>
        )}
        <div class="scroll" tabIndex={0} role="region" aria-label="List">
          {state.panel === "training" && model.hasGraph ? <Training model={model} act={act} />
            : state.panel === "omitted" && model.hasGraph ? <Omitted model={model} act={act} />
            : <Outline model={model} state={state} act={act} />}
        </div>
      </aside>
      <main>
        <nav class="crumbs" aria-label="Where you are">
          <button type="button" class="link" onClick={() => change({ ...model.start(), theme: state.theme, panel: state.panel })}>{model.hasGraph ? "Model" : "Variables"}</button>
          {near && <>
            <span aria-hidden="true">›</span><span class="here">around <Name>{near[2]}</Name></span>
            {[1, 2, 3].map((hops) => <button type="button" aria-pressed={Number(near[1]) === hops}
              onClick={() => act.near(model.g.index.get(near[2])!, hops)}>{hops}</button>)}
            <span class="about">steps{cut ? `, ${cut} more nodes` : ""}</span>
          </>}
          {state.view === "all" && <><span aria-hidden="true">›</span><span class="here">all nodes</span></>}
          {pathTo(model.group(state)).slice(1).map((group, i, all) => <>
            <span aria-hidden="true">›</span>
            {i === all.length - 1 ? <span class="here"><Name>{group.title}</Name></span>
              : <button type="button" class="link" onClick={() => change({ root: group.id })}><Name>{group.title}</Name></button>}
          </>)}
          {model.hasGraph && <button type="button" class="allnodes" aria-pressed={state.view === "all"}
            onClick={() => change(state.view === "all" ? { ...model.start(), theme: state.theme } : { view: "all", root: "", opened: new Set(), trace: false })}>
            All nodes</button>}
        </nav>
        <Canvas picture={picture} selected={state.selected} selectedOps={chosen} trace={trace} anchor={anchor} reveal={reveal}
          label={`Graph of ${plain(title)}: ${picture.cards.length} boxes in ${picture.frames.length} open groups`}
          onSelect={act.select} onToggle={act.toggle} below={(group) => opsBelow(source, group)} />
        <div class="foot">
          <div class="legend">{kinds.map((kind: Kind) => <span><i class={`chip ${kind}`} />{KINDS[kind]}</span>)}</div>
          <div class="zoom" role="group" aria-label="Zoom">
            <button type="button" aria-label="Zoom in" onClick={view("in")}>+</button>
            <button type="button" aria-label="Zoom out" onClick={view("out")}>−</button>
            <button type="button" aria-label="Fit the whole picture" onClick={view("fit")}>Fit</button>
          </div>
        </div>
        <p class="said" role="status">{said}</p>
      </main>
      <aside class="right" aria-label="Details" tabIndex={0}>
        <button type="button" class="close" aria-label="Close the details" onClick={() => change({ sheet: "graph" }, "-")}>×</button>
        <Details model={model} state={state} trace={trace} act={act} />
      </aside>
      <nav class="sheets" aria-label="Parts of the page">{sheet("graph", "Graph")}{sheet("outline", "Outline")}{sheet("details", "Details")}</nav>
      {state.help && <Help onClose={() => change({ help: false }, "-")} />}
    </div>
  );
}
