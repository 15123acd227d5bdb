// Trees of groups: of the model (as the picture folds it), of all nodes, or of variables.

import { rowOf, type Graph, type Variable } from "./data";

export interface Group {
  id: string; title: string; parent: Group | null; groups: Group[]; ops: number[];
  times: number; note: string; size: number; from: number; // size: ops below, own ones included; from: see Source.order
}

/** A graph with groups. `ops` are node positions, or variable indices where kind is "variables". */
export interface Source {
  kind: "model" | "all" | "near" | "variables"; root: Group; byId: Map<string, Group>; groupOf: Map<number, Group>;
  order: Int32Array; // all ops; those below a group stand together
  before(op: number): Int32Array; after(op: number): Int32Array;
}

const MOST = 60; // children of one open group; more are put into parts
const DEEPEST = 40;
const NONE = new Int32Array(0);

function group(id: string, title: string, parent: Group | null): Group {
  const made: Group = { id, title, parent, groups: [], ops: [], times: 1, note: "", size: 0, from: 0 };
  parent?.groups.push(made);
  return made;
}

export function finish(kind: Source["kind"], root: Group, before: Source["before"], after: Source["after"]): Source {
  const source: Source = { kind, root, byId: new Map(), groupOf: new Map(), order: NONE, before, after };
  const groups: Group[] = [];
  const order: number[] = [];
  const stack = [root];
  while (stack.length) {
    const one = stack.pop()!;
    divide(one, source);
    groups.push(one);
    source.byId.set(one.id, one);
    one.from = order.length;
    one.size = one.ops.length;
    for (const op of one.ops) {
      source.groupOf.set(op, one);
      order.push(op);
    }
    for (let i = one.groups.length - 1; i >= 0; i--) stack.push(one.groups[i]);
  }
  for (let i = groups.length - 1; i > 0; i--) groups[i].parent!.size += groups[i].size;
  source.order = Int32Array.from(order);
  return source;
}

/** Put the children of a crowded group into parts, producers first, so that no part waits for a later one. */
function divide(parent: Group, source: Source): void {
  if (parent.ops.length > MOST) {
    const inside = new Set(parent.ops);
    const level = new Map<number, number>();
    const waiting = new Map(parent.ops.map((op) => [op, source.before(op).filter((p) => inside.has(p)).length]));
    const ready = parent.ops.filter((op) => !waiting.get(op));
    for (const op of ready) level.set(op, 0);
    for (let at = 0; at < ready.length; at++)
      for (const user of source.after(ready[at])) {
        if (!inside.has(user)) continue;
        level.set(user, Math.max(level.get(user) ?? 0, level.get(ready[at])! + 1));
        const left = waiting.get(user)! - 1;
        waiting.set(user, left);
        if (left === 0) ready.push(user);
      }
    const ordered = parent.ops.slice().sort((a, b) => (level.get(a) ?? 1e9) - (level.get(b) ?? 1e9) || a - b);
    parent.ops = [];
    parts(parent, ordered.length, "ops", (made, from, to) => { made.ops = ordered.slice(from, to); });
  }
  if (parent.groups.length > MOST + 10) {
    const held = parent.groups;
    parent.groups = [];
    parts(parent, held.length, "groups", (made, from, to) => {
      made.groups = held.slice(from, to);
      for (const child of made.groups) child.parent = made;
    });
  }
}

function parts(parent: Group, count: number, word: string, fill: (made: Group, from: number, to: number) => void): void {
  const each = Math.max(40, Math.ceil(count / 40));
  for (let from = 0, n = 1; from < count; from += each, n++) {
    const to = Math.min(count, from + each);
    fill(group(`${parent.id}//${word} ${n}`, `${word} ${from + 1}–${to}`, parent), from, to);
  }
}

export function modelSource(g: Graph): Source {
  const scopes = g.payload.scopes!;
  const groups: Group[] = [];
  scopes.parent.forEach((parent, i) => {
    const above = parent < 0 ? null : groups[parent];
    const made = group((above?.id ?? "") + scopes.name[i], scopes.title[i], above);
    made.times = scopes.times[i];
    made.note = scopes.note[i];
    made.ops = scopes.ops[i];
    groups.push(made);
  });
  return finish("model", groups[0], (op) => rowOf(g.before, op), (op) => rowOf(g.after, op));
}

export function openedAtFirst(g: Graph, source: Source): Set<string> {
  const scopes = g.payload.scopes;
  if (!scopes) return new Set(source.root.groups.length + source.root.ops.length > 12 ? [] :
    source.root.groups.map((one) => one.id));
  const ids: string[] = [];
  scopes.parent.forEach((parent, i) => ids.push((parent < 0 ? "" : ids[parent]) + scopes.name[i]));
  return new Set(scopes.opened.map((i) => ids[i]).filter((id) => source.byId.has(id)));
}

/** Groups by "/"; a lonely chain of scopes is one group. */
function byName(names: (i: number) => string, members: Iterable<number>): Group {
  const root = group("", "", null);
  const known = new Map([["", root]]);
  for (const i of members) {
    const pieces = names(i).split("/").slice(0, DEEPEST);
    pieces.pop();
    let above = root;
    let path = "";
    for (const piece of pieces) {
      path += `/${piece}`;
      let found = known.get(path);
      if (!found) known.set(path, (found = group(path.slice(1), piece, above)));
      above = found;
    }
    above.ops.push(i);
  }
  const stack = [root];
  while (stack.length) {
    const one = stack.pop()!;
    one.groups = one.groups.map((first) => {
      let child = first;
      let title = first.title;
      while (!child.ops.length && child.groups.length === 1) {
        child = child.groups[0];
        title += `/${child.title}`;
      }
      child.title = title;
      child.parent = one;
      return child;
    });
    stack.push(...one.groups);
  }
  return root;
}

export function variableSource(variables: Variable[]): Source {
  const shown = variables.filter((v) => v.role === "weight" || v.role === "other");
  const members = (shown.length ? shown : variables).map((v) => v.index);
  return finish("variables", byName((i) => variables[i].name, members), () => NONE, () => NONE);
}

export function allSource(g: Graph): Source {
  const root = byName((i) => g.names[i], g.names.keys());
  return finish("all", root, (op) => ends(g, op, true), (op) => ends(g, op, false));
}

/** Data and control neighbours of a node. */
export function ends(g: Graph, op: number, up: boolean): Int32Array {
  const [data, control] = up ? [g.inputs, g.controls] : [g.users, g.waiters];
  const found = new Set<number>();
  for (const rows of [data, control])
    for (let k = rows.start[op]; k < rows.start[op + 1]; k++) if (rows.all[k] >= 0) found.add(rows.all[k]);
  return Int32Array.from(found);
}

/** The nodes within some hops of one, nearest first, at most 60; hubs are not walked through. */
export function nearSource(g: Graph, centre: number, hops: number): Source & { cut: number } {
  const distance = new Map([[centre, 0]]);
  const queue = [centre];
  let cut = 0;
  for (const op of queue) {
    const far = distance.get(op)!;
    if (far === hops) continue;
    for (const up of [true, false]) {
      const next = ends(g, op, up);
      if (op !== centre && next.length > 24) continue;
      for (const other of next) {
        if (distance.has(other)) continue;
        if (distance.size >= MOST) { cut++; continue; }
        distance.set(other, far + 1);
        queue.push(other);
      }
    }
  }
  const root = group("", "", null);
  root.ops = [...distance.keys()].sort((a, b) => a - b);
  const inside = new Set(root.ops);
  const source = finish("near", root, (op) => ends(g, op, true).filter((p) => inside.has(p)),
    (op) => ends(g, op, false).filter((p) => inside.has(p)));
  return { ...source, cut };
}

export function pathTo(group: Group | undefined): Group[] {
  const path: Group[] = [];
  for (let one: Group | null | undefined = group; one; one = one.parent) path.push(one);
  return path.reverse();
}

export const opsBelow = (source: Source, group: Group): Int32Array =>
  source.order.subarray(group.from, group.from + group.size);
