// The panel that tells all about what is selected.

import { useState } from "preact/hooks";
import {
  attrsOf, countText, deviceOf, opOf, plain, rowOf, shapeOf, shapeText, sizeOf, whyOf, type Graph, type Variable,
} from "./data";
import { Facts, Name, NameLink, Section } from "./parts";
import type { Model, State } from "./state";
import { type Trace } from "./trace";
import { opsBelow, type Group } from "./tree";

export interface Actions {
  select(key: string): void; reveal(key: string): void; toggle(group: Group): void; enter(group: Group): void;
  near(node: number, hops?: number): void; setTrace(on: boolean): void; train(): void;
}
interface Props { model: Model; state: State; trace: Trace | null; act: Actions }

export function Details({ model, state, trace, act }: Props) {
  const { g } = model;
  const key = state.selected, name = key.slice(2);
  if (key.startsWith("g:")) {
    const group = model.scope(state.view).source.byId.get(name);
    if (group) return <GroupDetails model={model} state={state} trace={trace} act={act} group={group} />;
  }
  if (key.startsWith("n:") && g.index.has(name))
    return <NodeDetails model={model} state={state} trace={trace} act={act} node={g.index.get(name)!} />;
  if (key.startsWith("v:") && g.variableByName.has(name)) {
    const v = g.variableByName.get(name)!;
    return <div><h2><Name>{v.name}</Name></h2><VariableFacts g={g} v={v} act={act} /></div>;
  }
  if (key.startsWith("t:")) return <LaneDetails model={model} n={Number(name)} act={act} />;
  return <Overview model={model} act={act} lost={key ? name : ""} />;
}

function Overview({ model, act, lost }: { model: Model; act: Actions; lost: string }) {
  const { payload } = model.g;
  return (
    <div>
      {lost && <p class="hint">Nothing here is named <Name>{lost}</Name>.</p>}
      <h2>Overview</h2>
      <ul class="plain">{payload.facts.split(" · ").map((fact) => <li>{plain(fact)}</li>)}</ul>
      {payload.left_out ? <p class="hint">{payload.left_out.toLocaleString("en")} nodes are too many for a page and are left out; the drawn ones are all here.</p> : null}
      {payload.knobs?.length ? <Section title="Knobs" count={payload.knobs.length}>
        <ul class="plain">{payload.knobs.slice(0, 50).map((knob) => <li><NameLink name={knob} onClick={() => act.select(`n:${knob}`)} /></li>)}</ul>
      </Section> : null}
      {Object.entries(payload.signatures).map(([name, { inputs, outputs }]) => (
        <Section title={`Signature ${plain(name)}`}>
          {[["in", inputs], ["out", outputs]].map(([word, ends]) => (ends as string[][]).map(([end, tensor, dtype, shape]) => (
            <p class="end"><b>{word as string}</b> <Name>{end}</Name> <NameLink name={tensor} onClick={() => act.reveal(`n:${tensor.replace(/:\d+$/, "")}`)} />
              <span class="about">{dtype} {shape}</span></p>
          )))}
        </Section>
      ))}
      {payload.train_ops.length ? <p><button type="button" onClick={act.train}>Show how it was trained</button></p> : null}
      {payload.warnings.length ? <Section title="Warnings" count={payload.warnings.length}>
        <ul class="plain">{payload.warnings.slice(0, 50).map((text) => <li>{plain(text)}</li>)}</ul>
      </Section> : null}
      <p class="hint">Choose a box to see all about it. <kbd>/</kbd> searches, <kbd>?</kbd> lists the keys.</p>
    </div>
  );
}

function TraceBox({ model, state, trace, act }: Props) {
  const { g } = model;
  const { source } = model.scope(state.view);
  if (source.kind === "variables") return null;
  const ends = (set: Set<number>, up: boolean) =>
    [...set].filter((op) => (up ? source.before(op) : source.after(op)).length === 0).slice(0, 12);
  return (
    <div class="tracebox">
      <button type="button" aria-pressed={state.trace} onClick={() => act.setTrace(!state.trace)}>Trace</button>
      {trace && (
        <div>
          <p><span class="dot up" /> depends on {trace.up.size.toLocaleString("en")} ops{ends(trace.up, true).length > 0 && ", from:"}</p>
          <ul class="plain">{ends(trace.up, true).map((op) => <li><NameLink name={g.names[op]} about={opOf(g, op)} onClick={() => act.reveal(`n:${g.names[op]}`)} /></li>)}</ul>
          <p><span class="dot down" /> reaches {trace.down.size.toLocaleString("en")} ops{ends(trace.down, false).length > 0 && ", up to:"}</p>
          <ul class="plain">{ends(trace.down, false).map((op) => <li><NameLink name={g.names[op]} about={opOf(g, op)} onClick={() => act.reveal(`n:${g.names[op]}`)} /></li>)}</ul>
        </div>
      )}
    </div>
  );
}

function List({ title, items, open = true }: { title: string; items: { name: string; about?: string; go(): void }[]; open?: boolean }) {
  const [most, setMost] = useState(12);
  if (!items.length) return null;
  return (
    <Section title={title} count={items.length} open={open}>
      <ul class="plain">
        {items.slice(0, most).map(({ name, about, go }) => <li><NameLink name={name} about={about} onClick={go} /></li>)}
      </ul>
      {items.length > most && <button type="button" class="more" onClick={() => setMost(most + 100)}>{items.length - most} more</button>}
    </Section>
  );
}

function NodeDetails({ model, state, trace, act, node }: Props & { node: number }) {
  const { g } = model;
  const drawn = model.drawn(node), variable = g.variableOfNode.get(node);
  const to = (i: number, about = "") => ({ name: i < 0 ? "(not stored)" : g.names[i],
    about: i < 0 ? "" : [opOf(g, i), shapeOf(g, i) === "?" ? "" : shapeOf(g, i), about].filter(Boolean).join(" · "),
    go: () => { if (i >= 0) act.select(`n:${g.names[i]}`); } });
  const start = g.inputs.start[node];
  const inputs = [...rowOf(g.inputs, node)].map((i, k) => to(i, g.slots[start + k] > 0 ? `output ${g.slots[start + k]}` : ""));
  const attrs = attrsOf(g, node);
  const dtype = attrs?.find(([name]) => name === "dtype") ?? attrs?.find(([name]) => name === "T" || name === "DstT");
  const weights = (g.weights.get(node) ?? []).map((w) => ({ name: g.names[w], about: shapeText(g.weightShape.get(w)), go: () => act.select(`n:${g.names[w]}`) }));
  const copies = [...g.sameAs].filter(([, original]) => original === node).map(([copy]) => copy);
  const why = whyOf(g, node);
  return (
    <div>
      <p class="kicker">{plain(opOf(g, node))}</p>
      <h2><Name>{g.names[node]}</Name></h2>
      <Facts rows={[["Shape", shapeOf(g, node)], ["Type", dtype?.[1] ?? ""], ["Device", deviceOf(g, node)],
        ["Role", why ? `${why} (no box of its own)` : g.losses.has(node) ? "loss" : g.outputs.has(node) ? "output of a signature" : ""]]} />
      <div class="buttons">
        {drawn >= 0 && (state.view !== "model" || state.root !== "") && <button type="button" onClick={() => act.reveal(`n:${g.names[node]}`)}>Show in the model</button>}
        <button type="button" onClick={() => act.near(node)}>Neighbourhood</button>
      </div>
      {drawn >= 0 && drawn !== node && <p class="hint">Folded with its equals; drawn as <NameLink name={g.names[drawn]} onClick={() => act.reveal(`n:${g.names[drawn]}`)} /></p>}
      <TraceBox model={model} state={state} trace={trace} act={act} />
      {variable && <VariableFacts g={g} v={variable} act={act} />}
      <List title="Weights" items={weights} />
      <List title="Producers" items={inputs} />
      <List title="Waits for" items={[...rowOf(g.controls, node)].map((i) => to(i))} open={false} />
      <List title="Consumers" items={[...new Set(rowOf(g.users, node))].map((i) => to(i))} />
      <List title="Waited for by" items={[...rowOf(g.waiters, node)].map((i) => to(i))} open={false} />
      <List title="Equal copies" items={copies.map((i) => to(i))} open={false} />
      {attrs?.length ? <Section title="Attributes" count={attrs.length} open={attrs.length < 9}>
        <dl class="attrs">{attrs.map(([name, value]) => <div><dt>{plain(name)}</dt><dd>{plain(value)}</dd></div>)}</dl>
      </Section> : null}
      {attrs === null && <p class="hint">Attributes are left out of pages of so many nodes.</p>}
    </div>
  );
}

function VariableFacts({ g, v, act }: { g: Graph; v: Variable; act: Actions }) {
  const slots = g.variables.filter((other) => other.slotOf === v.name);
  const to = (name: string) => () => act.select(`v:${name}`);
  return (
    <Section title="Variable">
      <Facts rows={[["Shape", shapeText(v.shape)], ["Type", v.dtype ?? ""],
        ["Values", v.shape && !v.shape.includes(null) ? sizeOf(v.shape).toLocaleString("en") : ""],
        ["Stored", v.bytes === null ? "" : `${v.bytes.toLocaleString("en")} bytes`], ["Role", v.role],
        ["Checkpoint key", v.key === null ? "none: only the graph has it" : <Name>{v.key}</Name>],
        ["Slot of", v.slotOf ? <span>{v.slot ? `${v.slot} of ` : ""}<NameLink name={v.slotOf} onClick={to(v.slotOf)} /></span> : ""],
        ["Match", v.status ? <span class={`status ${v.status}`}>{v.status === "unused" ? "not asked for" : v.status}</span> : ""],
        ["Asked for as", v.expected ? <Name>{v.expected}</Name> : ""],
        ["Slots", slots.length ? <ul class="plain">{slots.map((s) => <li><NameLink name={s.name} about={s.slot ?? ""} onClick={to(s.name)} /></li>)}</ul> : ""]]} />
      {v.node >= 0 && <button type="button" onClick={() => act.near(v.node, 2)}>Show what uses it</button>}
    </Section>
  );
}

function GroupDetails({ model, state, trace, act, group }: Props & { group: Group }) {
  const { g } = model;
  const scope = model.scope(state.view);
  const ops = opsBelow(scope.source, group);
  const isOpen = state.opened.has(group.id);
  if (scope.source.kind === "variables") {
    const own = [...ops].map((i) => g.variables[i]);
    return (
      <div>
        <p class="kicker">Scope</p><h2><Name>{group.id}</Name></h2>
        <Facts rows={[["Variables", own.length.toLocaleString("en")], ["Parameters", countText(own.reduce((n, v) => n + sizeOf(v.shape), 0))]]} />
        <div class="buttons"><button type="button" onClick={() => act.toggle(group)}>{isOpen ? "Close" : "Open"}</button>
          <button type="button" onClick={() => act.enter(group)}>Show only this</button></div>
        <List title="Variables" items={own.map((v) => ({ name: v.name, about: shapeText(v.shape), go: () => act.select(`v:${v.name}`) }))} />
      </div>
    );
  }
  const counts = new Map<string, number>();
  for (const op of ops) counts.set(opOf(g, op), (counts.get(opOf(g, op)) ?? 0) + 1);
  const weights = scope.layouter.viewer.weightsOf(ops);
  const inside = new Set(ops);
  const before = new Set<number>(), after = new Set<number>();
  for (const op of ops) {
    for (const p of scope.source.before(op)) if (!inside.has(p)) before.add(p);
    for (const user of scope.source.after(op)) if (!inside.has(user)) after.add(user);
  }
  const copies = group.times > 1 ? [...g.sameAs].filter(([, original]) => inside.has(original)).map(([copy]) => copy) : [];
  const to = (i: number) => ({ name: g.names[i], about: opOf(g, i), go: () => act.reveal(`n:${g.names[i]}`) });
  return (
    <div>
      <p class="kicker">{group.times > 1 ? `Block ×${group.times} ${group.note}` : "Group"}</p>
      <h2><Name>{group.id.replace(/\/\/.*/, "") || group.title}</Name></h2>
      {group.title !== group.id.split("/").pop() && <p class="hint"><Name>{group.title}</Name></p>}
      <Facts rows={[["Ops", ops.length.toLocaleString("en")], ["Variables", weights.length ? weights.length.toLocaleString("en") : ""],
        ["Parameters", weights.length ? countText(weights.reduce((n, w) => n + sizeOf(g.weightShape.get(w)), 0)) : ""]]} />
      <div class="buttons">
        <button type="button" onClick={() => act.toggle(group)}>{isOpen ? "Close" : "Open"}</button>
        <button type="button" onClick={() => act.enter(group)}>Show only this</button>
      </div>
      <TraceBox model={model} state={state} trace={trace} act={act} />
      <List title="Takes from" items={[...before].map(to)} />
      <List title="Goes to" items={[...after].map(to)} />
      <List title="Weights" items={weights.map((w) => ({ name: g.names[w], about: shapeText(g.weightShape.get(w)), go: () => act.select(`n:${g.names[w]}`) }))} open={weights.length < 20} />
      <Section title="Op types" count={counts.size} open={false}>
        <ul class="plain">{[...counts].sort((a, b) => b[1] - a[1]).slice(0, 60).map(([op, n]) => <li>{plain(op)} <span class="about">×{n}</span></li>)}</ul>
      </Section>
      <List title="Nodes of the equal copies" items={copies.map((i) => ({ ...to(i), go: () => act.select(`n:${g.names[i]}`) }))} open={false} />
    </div>
  );
}

function LaneDetails({ model, n, act }: { model: Model; n: number; act: Actions }) {
  const { g } = model;
  const lane = g.payload.lanes?.[n];
  if (!lane) return null;
  return (
    <div>
      <p class="kicker">Training</p>
      <h2>{plain(lane.optimizer[0]?.[0] ?? "gradients")}</h2>
      <ul class="plain">{[...lane.gradients, ...lane.optimizer].map((row) => <li><b>{plain(row[0])}</b> {plain(row.slice(1, 4).filter(Boolean).join(" · "))}</li>)}</ul>
      <p><button type="button" onClick={act.train}>Train ops, hyper-parameters and slots</button></p>
      <List title="Losses" items={lane.losses.map((i) => ({ name: g.names[i], go: () => act.reveal(`n:${g.names[i]}`) }))} />
      <List title="Updated variables" items={lane.variables.map((i) => ({ name: g.names[i], go: () => act.select(`n:${g.names[i]}`) }))} />
    </div>
  );
}
