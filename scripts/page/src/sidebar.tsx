// The left side: search, outline, training, what is not drawn.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { opOf, plain, shapeText } from "./data";
import type { Actions } from "./details";
import { Facts, Name, NameLink, Section } from "./parts";
import { search } from "./search";
import type { Model, State } from "./state";
import type { Group } from "./tree";

export function Search({ model, act }: { model: Model; act: Actions }) {
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const box = useRef<HTMLInputElement>(null);
  const { hits, total } = useMemo(() => search(model.g, query), [query]);
  const take = (i: number) => {
    if (!hits[i]) return;
    act.reveal(hits[i].key);
    setQuery("");
    box.current?.blur();
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") setAt(Math.min(at + 1, hits.length - 1));
    else if (event.key === "ArrowUp") setAt(Math.max(at - 1, 0));
    else if (event.key === "Enter") take(at);
    else if (event.key === "Escape") { setQuery(""); box.current?.blur(); }
    else return;
    event.preventDefault();
  };
  return (
    <div class="search">
      <input ref={box} id="search" type="search" list={undefined} placeholder="Search names and op types" autocomplete="off" spellcheck={false}
        role="combobox" aria-label="Search names and op types" aria-expanded={hits.length > 0} aria-controls="hits"
        aria-activedescendant={hits.length ? `hit-${at}` : undefined} value={query} onKeyDown={onKey}
        onInput={(event) => { setQuery(event.currentTarget.value); setAt(0); }} />
      <kbd aria-hidden="true">/</kbd>
      <div class="hits" hidden={!query}>
        <ul id="hits" role="listbox" aria-label="Search results">
          {hits.map((hit, i) => (
            <li id={`hit-${i}`} role="option" aria-selected={i === at} class={i === at ? "at" : ""}
              onMouseDown={(event) => { event.preventDefault(); take(i); }}><Name>{hit.name}</Name><span class="about">{plain(hit.about)}</span></li>
          ))}
        </ul>
        {query && <p class="hint" role="status">{total ? `${total.toLocaleString("en")} found${total > hits.length ? `, ${hits.length} shown` : ""}` : "Nothing found"}</p>}
      </div>
    </div>
  );
}

export function Outline({ model, state, act }: { model: Model; state: State; act: Actions }) {
  const { source } = model.scope(state.view);
  const [wide, setWide] = useState<ReadonlySet<string>>(new Set());
  const [active, setActive] = useState("");
  const tree = useRef<HTMLUListElement>(null);
  useEffect(() => { setWide(new Set()); }, [source]);
  const rows: { group: Group; depth: number }[] = [];
  const walk = (group: Group, depth: number) => {
    for (const child of group.groups.slice(0, 400)) {
      rows.push({ group: child, depth });
      if (wide.has(child.id)) walk(child, depth + 1);
    }
  };
  walk(source.root, 1);
  const current = rows.some(({ group }) => group.id === active) ? active : rows[0]?.group.id;
  const set = (group: Group, open: boolean) => {
    const next = new Set(wide);
    if (open) next.add(group.id);
    else next.delete(group.id);
    setWide(next);
  };
  const go = (i: number) => {
    if (!rows[i]) return;
    setActive(rows[i].group.id);
    (tree.current?.children[i] as HTMLElement | undefined)?.focus();
  };
  const onKey = (event: KeyboardEvent, i: number) => {
    const { group } = rows[i], isWide = wide.has(group.id);
    if (event.key === "ArrowDown") go(i + 1);
    else if (event.key === "ArrowUp") go(i - 1);
    else if (event.key === "ArrowRight") { if (!isWide && group.groups.length) set(group, true); else if (group.groups.length) go(i + 1); }
    else if (event.key === "ArrowLeft") { if (isWide) set(group, false); else go(rows.findIndex((row) => row.group === group.parent)); }
    else if (event.key === "Enter" || event.key === " ") act.reveal(`g:${group.id}`);
    else if (event.key === "Home") go(0);
    else if (event.key === "End") go(rows.length - 1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  if (!rows.length) return <p class="hint">No scopes here.</p>;
  return (
    <ul ref={tree} class="tree" role="tree" aria-label="Outline of scopes">
      {rows.map(({ group, depth }, i) => (
        <li role="treeitem" aria-level={depth} aria-selected={state.selected === `g:${group.id}`} data-depth={Math.min(depth, 12)}
          aria-expanded={group.groups.length ? wide.has(group.id) : undefined} tabIndex={group.id === current ? 0 : -1}
          onFocus={() => setActive(group.id)} onKeyDown={(event) => onKey(event, i)} onClick={() => act.reveal(`g:${group.id}`)}>
          <span class={`twist${group.groups.length ? "" : " none"}`} aria-hidden="true"
            onClick={(event) => { event.stopPropagation(); set(group, !wide.has(group.id)); }} />
          <Name>{group.title}</Name>{group.times > 1 && <span class="times">×{group.times}</span>}
          <span class="count">{group.size.toLocaleString("en")}</span>
        </li>
      ))}
    </ul>
  );
}

function value(given: unknown): string {
  if (typeof given === "object" && given !== null) {
    const { tensor, source } = given as { tensor?: string; source?: string };
    return `${source ?? "tensor"} ${tensor ?? ""}`;
  }
  return String(given);
}

export function Training({ model, act }: { model: Model; act: Actions }) {
  const { g } = model;
  const node = (name: string) => act.reveal(`n:${name.replace(/:\d+$/, "")}`);
  const link = (name: string, about = "") => <NameLink name={name} about={about} onClick={() => node(name)} />;
  if (!g.payload.train_ops.length) return <p class="hint">No train op is stored in this graph.</p>;
  return (
    <div class="training">
      {g.payload.train_ops.map((op) => (
        <Section title={plain(op.name)}>
          <ol class="way" aria-label="Path of one training step">
            {[...op.feeds.map(([tensor, dtype, shape]) => ["feed", link(tensor, `${dtype} ${shapeText(shape)}`)] as const),
              ...op.inputs.map((name) => ["draws from", link(name)] as const),
              ...(op.loss ? [["loss", link(op.loss)] as const] : []),
              ...op.optimizers.map((o) => ["optimizer", <b>{plain(o.kind)}</b>] as const),
              ["train op", link(op.name)] as const,
              ...(op.global_step ? [["counts in", link(op.global_step)] as const] : [])]
              .map(([word, what]) => <li><span class="word">{word}</span> {what}</li>)}
          </ol>
          {op.optimizers.map((o) => (
            <div>
              <Facts rows={Object.entries(o.hyperparameters).map(([name, given]) => [plain(name), plain(value(given))])} />
              <Section title="Variables and slots" count={Object.keys(o.slots).length} open={Object.keys(o.slots).length < 9}>
                <ul class="plain slots">
                  {Object.entries(o.slots).slice(0, 300).map(([name, slots]) => (
                    <li><NameLink name={name} onClick={() => act.select(`v:${name}`)} />
                      <ul class="plain">{Object.entries(slots).map(([word, slot]) => <li><NameLink name={slot} about={word} onClick={() => act.select(`v:${slot}`)} /></li>)}</ul>
                    </li>
                  ))}
                </ul>
              </Section>
              {Object.entries(o.non_slots).map(([word, name]) => <p class="end"><b>{plain(word)}</b> <NameLink name={name} onClick={() => act.select(`v:${name}`)} /></p>)}
            </div>
          ))}
          {op.unrecovered.map((text) => <p class="hint">{plain(text)}</p>)}
        </Section>
      ))}
    </div>
  );
}

export function Omitted({ model, act }: { model: Model; act: Actions }) {
  const { g } = model;
  const nodes = g.payload.nodes;
  const lists = useMemo(() => {
    const found = new Map<string, number[]>();
    nodes?.why.forEach((why, i) => {
      if (!why) return;
      const word = nodes.words.why[why];
      const list = found.get(word);
      if (list) list.push(i);
      else found.set(word, [i]);
    });
    found.set("repeats of drawn blocks", [...g.sameAs.keys()]);
    return found;
  }, []);
  return (
    <div>
      <p class="hint">What the picture leaves out, and how much of it. All of it can be searched.</p>
      {(g.payload.omitted ?? []).map(([reason, count]) => {
        const list = lists.get(reason) ?? [];
        return (
          <Section title={plain(reason)} count={count} open={false}>
            <ul class="plain">{list.slice(0, 60).map((i) => <li><NameLink name={g.names[i]} about={opOf(g, i)} onClick={() => act.select(`n:${g.names[i]}`)} /></li>)}</ul>
            {list.length > 60 && <p class="hint">{(list.length - 60).toLocaleString("en")} more: search for them.</p>}
          </Section>
        );
      })}
    </div>
  );
}
