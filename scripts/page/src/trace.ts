// What a selection depends on and what depends on it.

import type { Model, State } from "./state";
import { opsBelow, type Source } from "./tree";

export interface Trace { up: Set<number>; down: Set<number>; own: Set<number> }

function reach(start: Iterable<number>, next: (op: number) => Int32Array): Set<number> {
  const seen = new Set(start);
  const stack = [...seen];
  while (stack.length) for (const op of next(stack.pop()!)) if (!seen.has(op)) { seen.add(op); stack.push(op); }
  return seen;
}

/** The ops of a view that a selection ("g:…", "n:…", "v:…") stands for. */
export function selectedOps(model: Model, state: State): number[] {
  const { source } = model.scope(state.view);
  const [kind, name] = [state.selected.slice(0, 2), state.selected.slice(2)];
  if (kind === "g:") {
    const group = source.byId.get(name);
    return group ? [...opsBelow(source, group)] : [];
  }
  if (source.kind === "variables") {
    const v = model.g.variableByName.get(name);
    return v ? [v.index] : [];
  }
  const node = kind === "v:" ? model.g.variableByName.get(name)?.node ?? -1 : model.g.index.get(name) ?? -1;
  if (node < 0 || kind === "t:") return [];
  if (source.kind !== "model") return source.groupOf.has(node) ? [node] : [];
  const drawn = model.g.sameAs.get(node) ?? node;
  if (source.groupOf.has(drawn)) return [drawn];
  const found: number[] = []; // of a variable: the ops that use it
  for (const [op, weights] of model.g.weights) if (weights.includes(node)) found.push(model.g.sameAs.get(op) ?? op);
  return [...new Set(found)];
}

export function trace(source: Source, ops: number[]): Trace {
  const own = new Set(ops);
  const up = reach(ops, source.before), down = reach(ops, source.after);
  for (const op of own) { up.delete(op); down.delete(op); }
  return { up, down, own };
}
