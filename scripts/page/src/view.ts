// What an open group shows: cards made of rows, and the edges between them.

import {
  countText, opOf, shapeOf, shapeText, sizeOf, whyOf, type Graph,
} from "./data";
import { opsBelow, type Group, type Source } from "./tree";

export type Kind = "input" | "layer" | "op" | "loss" | "output" | "training" |
  "matched" | "ambiguous" | "unmatched" | "unused" | "dropped" | "added" | "changed" | "renamed" | "same";
/** One line of a card. key: what is selected by it ("g:scope", "n:node", "v:variable", "t:lane"). */
export interface Row {
  key: string; title: string; ops: string; weights: string; shape: string; kind: Kind;
  group: Group | null; members: Int32Array;
}
export interface Item { id: string; rows: Row[]; times: number; note: string; group: Group | null }
export interface Link { from: string; to: string; training: boolean }
/** ins, outs: what lies outside, {item inside: neighbours of the group}. */
export interface View {
  items: Item[]; links: Link[]; ins: Map<string, Set<string>>; outs: Map<string, Set<string>>;
  cardOf: Map<string, string>; // {child: the card that it is a row of}
}

const SHORT: Record<string, string> = {
  BiasAdd: "+bias", BatchMatMulV2: "BatchMatMul", AddV2: "Add", ConcatV2: "Concat", RealDiv: "Div",
  FusedBatchNormV2: "FusedBatchNorm", FusedBatchNormV3: "FusedBatchNorm", GatherV2: "Gather",
  ResourceGather: "Gather", SparseSoftmaxCrossEntropyWithLogits: "SparseSoftmaxCrossEntropy",
  SoftmaxCrossEntropyWithLogits: "SoftmaxCrossEntropy",
};
const INPUTS = /^(Placeholder|Iterator|OneShotIterator|QueueDequeue|FIFOQueue|Unstage|_Arg)/;
const WORST: Kind[] = ["dropped", "added", "changed", "renamed", "unmatched", "ambiguous", "unused", "matched", "same"];
const ROWS = 8;

export class Viewer {
  private cache = new Map<string, { items: Map<string, Row>; taken: Map<string, Set<string>>; order: string[];
    ins: Map<string, Set<string>>; outs: Map<string, Set<string>> }>();

  private scratch: Int32Array; // {op: number of the child that holds it}, while one group is looked at

  constructor(readonly g: Graph, readonly source: Source) {
    this.scratch = new Int32Array(Math.max(g.size, g.variables.length));
  }

  weightsOf(ops: Iterable<number>): number[] {
    const found = new Set<number>();
    for (const op of ops) for (const w of this.g.weights.get(op) ?? []) found.add(w);
    return [...found];
  }

  kindOf(ops: Int32Array): Kind {
    const { g, source } = this;
    if (source.kind === "variables") return this.status([...new Set(ops)].map((i) => g.variables[i].status)) ?? "layer";
    const compared = g.marks && this.status([...ops, ...this.weightsOf(ops)].map((op) => g.marks!.state(op)));
    if (compared) return compared;
    if (source.kind !== "model") {
      if (ops.every((op) => INPUTS.test(opOf(g, op)))) return "input";
      if (ops.some((op) => g.variableOfNode.has(op))) return "layer";
      return ops.every((op) => /gradient|optimizer|update/.test(whyOf(g, op))) ? "training" : "op";
    }
    const weights = this.weightsOf(ops);
    const status = this.status(weights.map((w) => g.variableOfNode.get(w)?.status ?? ""));
    if (status) return status;
    if (ops.some((op) => g.losses.has(op))) return "loss";
    if (weights.length) return "layer";
    if (ops.some((op) => g.outputs.has(op))) return "output";
    return ops.every((op) => INPUTS.test(opOf(g, op))) ? "input" : "op";
  }

  private status(words: string[]): Kind | undefined {
    return WORST.find((kind) => words.includes(kind));
  }

  /** What a comparison says, in words; "" for what is the same. */
  private told(ops: Int32Array, kind: Kind): string {
    const { marks } = this.g;
    if (!marks || kind === "same" || !WORST.includes(kind)) return "";
    const what = new Set<string>();
    for (const op of [...ops, ...this.weightsOf(ops)]) if (marks.state(op) === kind) what.add(marks.what.get(op) ?? "");
    if (what.size > 1) what.delete("inputs"); // who feeds it matters least
    return what.size <= 2 && ![...what].includes("") ? `${kind}: ${[...what].join(", ")}` : kind;
  }

  weightText(ops: Int32Array, kind: Kind = "op"): string {
    return [this.sizesText(ops), this.told(ops, kind)].filter(Boolean).join(" · ");
  }

  private sizesText(ops: Int32Array): string {
    const { g } = this;
    const weights = this.weightsOf(ops);
    if (!weights.length) return "";
    if (weights.length <= 2) return weights.map((w) => shapeText(g.weightShape.get(w))).join(" + ");
    const total = weights.reduce((sum, w) => sum + sizeOf(g.weightShape.get(w)), 0);
    return `${weights.length} vars, ${countText(total)} params`;
  }

  groupRow(group: Group): Row {
    const { g, source } = this;
    const ops = opsBelow(source, group);
    const base = { key: `g:${group.id}`, title: group.title, group, members: ops, kind: this.kindOf(ops) };
    if (source.kind === "variables") {
      const total = ops.reduce((sum, i) => sum + sizeOf(g.variables[i].shape), 0);
      return { ...base, ops: `${ops.length} variables, ${countText(total)} params`, weights: "", shape: "" };
    }
    const words = new Set<string>();
    for (const op of ops) {
      if (words.size > 3) break;
      const named = source.kind !== "model" || g.weights.get(op)?.some((w) => (g.weightShape.get(w)?.length ?? 0) > 1);
      if (named) words.add(this.word(op));
    }
    const count = ops.length === 1 ? "1 op" : `${ops.length.toLocaleString("en")} ops`;
    const listed = words.size ? `: ${[...words].slice(0, 3).join(", ")}${words.size > 3 ? ", …" : ""}` : "";
    const last = this.exitOf(ops);
    const shape = last === undefined ? "?" : shapeOf(g, last);
    return { ...base, ops: count + listed, weights: this.weightText(ops, base.kind), shape: shape === "?" ? "" : shape };
  }

  /** The last op that something outside takes from, else the last one. */
  private exitOf(ops: Int32Array): number | undefined {
    const inside = new Set(ops);
    let found: number | undefined;
    for (const op of ops)
      if ((found === undefined || op > found) && this.source.after(op).some((user) => !inside.has(user))) found = op;
    return found ?? ops.at(-1);
  }

  word(op: number): string {
    const { g, source } = this;
    const kind = opOf(g, op), weights = source.kind === "model" ? g.weights.get(op) : undefined;
    const isBias = weights?.every((w) => (g.weightShape.get(w)?.length ?? 9) <= 1) && source.before(op).length;
    return /^AddV?2?$/.test(kind) && isBias ? "+bias" : SHORT[kind] ?? kind;
  }

  opRow(ops: Int32Array): Row {
    const { g, source } = this;
    if (source.kind === "variables") {
      const v = g.variables[ops[0]];
      return { key: `v:${v.name}`, title: v.name.split("/").pop()!, ops: v.status && v.expected ? `← ${v.expected}` : "",
        weights: v.status, shape: shapeText(v.shape), kind: this.kindOf(ops), group: null, members: ops };
    }
    const main = ops.find((op) => g.weights.has(op)) ?? ops[ops.length - 1];
    const kind = this.kindOf(ops);
    const name = g.names[main];
    const last = name.split("/").pop() || name;
    const words = [...ops].map((op) => this.word(op)).join(" → ");
    const shape = shapeOf(g, ops[ops.length - 1]);
    const named = source.kind !== "model" || ops.every((op) => INPUTS.test(opOf(g, op)));
    let title = named ? last : words;
    if (kind === "loss" && !/loss/i.test(title)) title = `loss: ${title}`;
    return { key: `n:${name}`, title, ops: named ? words : "", weights: this.weightText(ops, kind),
      shape: shape === "?" ? "" : shape, kind, group: null, members: ops };
  }

  /** The children of a group as rows, and who takes from whom; computed once for each group. */
  private parts(group: Group) {
    const known = this.cache.get(group.id);
    if (known) return known;
    const { source } = this;
    const ids: string[] = [];
    const items = new Map<string, Row>();
    const taken = new Map<string, Set<string>>(), ins = new Map<string, Set<string>>(), outs = new Map<string, Set<string>>();
    const itemOf = this.scratch.fill(-1);
    const all = opsBelow(source, group);
    for (const op of group.ops) itemOf[op] = ids.push(`n:${op}`) - 1;
    for (const child of group.groups) {
      const number = ids.push(`g:${child.id}`) - 1;
      for (const op of opsBelow(source, child)) itemOf[op] = number;
    }
    const note = (map: Map<string, Set<string>>, key: string, value: string) => {
      const found = map.get(key);
      if (found) found.add(value);
      else map.set(key, new Set([value]));
    };
    for (const op of all) {
      const item = itemOf[op];
      for (const p of source.before(op)) {
        if (itemOf[p] < 0) note(ins, ids[item], this.outside(group, p));
        else if (itemOf[p] !== item) note(taken, ids[item], ids[itemOf[p]]);
      }
      for (const user of source.after(op)) if (itemOf[user] < 0) note(outs, ids[item], this.outside(group, user));
    }
    for (const child of group.groups) items.set(`g:${child.id}`, this.groupRow(child));
    for (const op of group.ops) items.set(`n:${op}`, this.opRow(Int32Array.of(op)));
    const order = [...items.keys()];
    const made = { items, taken, order, ins, outs };
    this.cache.set(group.id, made);
    return made;
  }

  /** The neighbour of a group, among its parent's children, in which an op outside lies. */
  private outside(group: Group, op: number): string {
    const above = new Set<Group>();
    for (let one = group.parent; one; one = one.parent) above.add(one);
    let child = this.source.groupOf.get(op);
    if (!child) return "?";
    if (above.has(child)) return `n:${op}`;
    while (child.parent && !above.has(child.parent)) child = child.parent;
    return `g:${child.id}`;
  }

  /** Cards of a group while the children of `opened` are frames: rows join where nothing branches. */
  view(group: Group, opened: ReadonlySet<string>): View {
    const { items, taken, order, ins, outs } = this.parts(group);
    const users = new Map<string, string[]>();
    for (const [item, from] of taken)
      for (const p of from) users.set(p, [...(users.get(p) ?? []), item]);
    const isOpen = (id: string) => id.startsWith("g:") && opened.has(id.slice(2));
    const times = (id: string) => items.get(id)!.group?.times ?? 1;
    const follows = new Map<string, string>();
    if (this.source.kind === "model")
      for (const id of order) {
        const from = taken.get(id);
        if (from?.size !== 1 || ins.get(id)?.size || isOpen(id) || times(id) > 1) continue;
        const [p] = from;
        if (users.get(p)!.length !== 1 || outs.get(p)?.size || isOpen(p) || times(p) > 1) continue;
        if (taken.get(p)?.has(id)) continue;
        if (["input", "loss"].includes(items.get(p)!.kind) || items.get(id)!.kind === "loss") continue;
        follows.set(p, id);
      }
    const second = new Set(follows.values());
    const cardOf = new Map<string, string>();
    const cards: Item[] = [];
    const place = (start: string) => {
      let at: string | undefined = start;
      while (at !== undefined) {
        const first: string = at;
        const rows: Row[] = [];
        let run: number[] = [];
        const flush = () => { if (run.length) rows.push(this.opRow(Int32Array.from(run))); run = []; };
        do {
          const row = items.get(at!)!;
          cardOf.set(at!, first);
          if (row.group || this.source.kind !== "model") { flush(); rows.push(row); }
          else {
            const heavy = row.members.some((op) => (this.g.weights.get(op) ?? [])
              .some((w) => (this.g.weightShape.get(w)?.length ?? 2) > 1));
            if ((run.length && heavy) || run.length >= 4) flush();
            run.push(...row.members);
          }
          at = follows.get(at!);
        } while (at !== undefined && !cardOf.has(at) && rows.length < ROWS);
        if (at !== undefined && cardOf.has(at)) at = undefined;
        flush();
        const alone = rows.length === 1 ? rows[0].group : null;
        cards.push({ id: first, rows, group: alone, times: alone?.times ?? 1, note: alone?.note ?? "" });
      }
    };
    for (const id of order) if (!second.has(id)) place(id);
    for (const id of order) if (!cardOf.has(id)) place(id);
    const links = new Map<string, Link>();
    for (const [item, from] of taken)
      for (const p of from) {
        const [a, b] = [cardOf.get(p)!, cardOf.get(item)!];
        if (a !== b) links.set(`${a}\n${b}`, { from: a, to: b, training: false });
      }
    const ends = (map: Map<string, Set<string>>) => {
      const found = new Map<string, Set<string>>();
      for (const [item, outer] of map) {
        const card = cardOf.get(item)!;
        found.set(card, new Set([...(found.get(card) ?? []), ...outer]));
      }
      return found;
    };
    return { items: this.merged(cards, links), links: [...links.values()], ins: ends(ins), outs: ends(outs), cardOf };
  }

  /** Draw equal loose ops between the same neighbours once, ×N. */
  private merged(cards: Item[], links: Map<string, Link>): Item[] {
    if (this.source.kind !== "model") return cards;
    const near = new Map<string, string[]>();
    for (const { from, to } of links.values()) {
      near.set(to, [...(near.get(to) ?? []), `<${from}`]);
      near.set(from, [...(near.get(from) ?? []), `>${to}`]);
    }
    const first = new Map<string, Item>();
    return cards.filter((card) => {
      const row = card.rows[0];
      if (card.rows.length > 1 || row.group || row.kind !== "op" || !near.get(card.id)?.length) return true;
      const key = `${row.title}\n${row.shape}\n${near.get(card.id)!.sort().join("\n")}`;
      const known = first.get(key);
      if (!known) { first.set(key, card); return true; }
      known.times++;
      known.rows[0] = { ...known.rows[0], members: Int32Array.of(...known.rows[0].members, ...row.members) };
      for (const [name, link] of links) if (link.from === card.id || link.to === card.id) links.delete(name);
      return false;
    });
  }
}
