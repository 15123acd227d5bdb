// What a reader sees, and how it stands in the address: #view=…&open=…&sel=…

import { readGraph, type Graph, type Payload } from "./data";
import { Layouter, type Picture } from "./layout";
import {
  allSource, modelSource, nearSource, openedAtFirst, pathTo, variableSource, type Group, type Source,
} from "./tree";
import { Viewer, type Kind, type View } from "./view";

/** view: "model", "all", or "near:HOPS:NODE". root: the group that fills the page. */
export interface State {
  view: string; root: string; opened: ReadonlySet<string>; selected: string; trace: boolean;
  panel: "outline" | "training" | "omitted"; sheet: "graph" | "outline" | "details"; theme: string; help: boolean;
}

interface Scope { source: Source; layouter: Layouter; first: Set<string>; cut: number }

export class Model {
  readonly g: Graph;
  private scopes = new Map<string, Scope>();

  constructor(payload: Payload) { this.g = readGraph(payload); }

  get hasGraph(): boolean { return this.g.size > 0; }

  scope(view: string): Scope {
    let found = this.scopes.get(view);
    if (!found) this.scopes.set(view, (found = this.make(view)));
    return found;
  }

  private make(view: string): Scope {
    const g = this.g;
    let source: Source, cut = 0;
    const near = /^near:(\d):(.*)$/s.exec(view);
    if (!this.hasGraph) source = variableSource(g.variables);
    else if (near && g.index.has(near[2])) {
      const made = nearSource(g, g.index.get(near[2])!, Number(near[1]));
      source = made;
      cut = made.cut;
    } else source = view === "all" ? allSource(g) : modelSource(g);
    const first = source.kind === "model" || source.kind === "variables" ? openedAtFirst(g, source) : new Set<string>();
    return { source, layouter: new Layouter(new Viewer(g, source)), first, cut };
  }

  start(view = "model"): State {
    return { view, root: "", opened: this.scope(view).first, selected: "", trace: false, panel: "outline",
      sheet: "graph", theme: "", help: false };
  }

  group(state: State): Group {
    const { source } = this.scope(state.view);
    return source.byId.get(state.root) ?? source.root;
  }

  picture(state: State): Picture {
    const { layouter, source } = this.scope(state.view);
    const root = this.group(state);
    const lanes = source.kind === "model" && root === source.root ? this.lanes : undefined;
    return layouter.picture(root, state.opened, lanes);
  }

  /** Add the training lanes under the losses. */
  private lanes = (view: View): View => {
    const { source } = this.scope("model");
    const items = [...view.items], links = [...view.links];
    (this.g.payload.lanes ?? []).forEach((lane, n) => {
      const card = (id: string, rows: string[][]) => items.push({ id, times: 1, note: "", group: null,
        rows: rows.map(([title, ops, weights, shape, kind]) =>
          ({ key: `t:${n}`, title, ops, weights, shape, kind: kind as Kind, group: null, members: new Int32Array(0) })) });
      card(`t:${n}g`, lane.gradients);
      for (const loss of lane.losses) {
        const drawn = this.g.sameAs.get(loss) ?? loss;
        const path = pathTo(source.groupOf.get(drawn));
        if (!path.length) continue;
        const item = path.length > 1 ? `g:${path[1].id}` : `n:${drawn}`;
        links.push({ from: view.cardOf.get(item) ?? item, to: `t:${n}g`, training: true });
      }
      if (lane.optimizer.length) {
        card(`t:${n}u`, lane.optimizer);
        links.push({ from: `t:${n}g`, to: `t:${n}u`, training: true });
      }
    });
    const known = new Set(items.map((item) => item.id));
    const once = new Map(links.filter((l) => known.has(l.from) && known.has(l.to)).map((l) => [`${l.from}\n${l.to}`, l]));
    return { ...view, items, links: [...once.values()] };
  };

  /** The drawn op of the model that stands for a node, or -1. */
  drawn(node: number): number {
    const op = this.g.sameAs.get(node) ?? node;
    return this.scope("model").source.groupOf.has(op) ? op : -1;
  }

  toHash(state: State): string {
    const first = this.scope(state.view).first;
    const opened = [...state.opened].filter((id) => !first.has(id)).sort();
    const closed = [...first].filter((id) => !state.opened.has(id)).sort();
    const words: [string, string][] = [];
    if (state.view !== "model") words.push(["view", state.view]);
    if (state.root) words.push(["root", state.root]);
    for (const id of opened) words.push(["open", id]);
    for (const id of closed) words.push(["shut", id]);
    if (state.selected) words.push(["sel", state.selected]);
    if (state.trace) words.push(["trace", "1"]);
    if (state.panel !== "outline") words.push(["panel", state.panel]);
    return new URLSearchParams(words).toString();
  }

  fromHash(hash: string, theme: string): State {
    const words = new URLSearchParams(hash.replace(/^#/, ""));
    const view = words.get("view") ?? "model";
    const state = this.start(/^near:\d:/.test(view) || view === "all" ? (this.hasGraph ? view : "model") : "model");
    const { source } = this.scope(state.view);
    const opened = new Set(state.opened);
    for (const id of words.getAll("open")) if (source.byId.has(id)) opened.add(id);
    for (const id of words.getAll("shut")) opened.delete(id);
    const root = words.get("root") ?? "";
    const panel = words.get("panel");
    return { ...state, opened, theme, root: source.byId.has(root) ? root : "", selected: words.get("sel") ?? "",
      trace: words.get("trace") === "1", panel: panel === "training" || panel === "omitted" ? panel : "outline" };
  }
}
