// Where something is to be seen: which view, and which groups have to be open.

import type { Model, State } from "./state";
import { pathTo, type Group } from "./tree";

const inside = (group: Group | undefined, root: string): boolean => !root || pathTo(group).some((one) => one.id === root);

/** A drawn op that uses a variable, or -1. */
function userOf(model: Model, variable: number): number {
  for (const [op, weights] of model.g.weights) if (weights.includes(variable)) return model.drawn(op);
  return -1;
}

/** The change of state that shows what a key selects, and the group that keeps its place. */
export function revealed(model: Model, now: State, key: string): [Partial<State>, keep: string] {
  const name = key.slice(2);
  const openTo = (group: Group | undefined, view: string) => {
    const opened = new Set(view === now.view ? now.opened : model.scope(view).first);
    for (const one of pathTo(group)) if (one.parent) opened.add(one.id);
    return opened;
  };
  if (key.startsWith("g:")) {
    const group = model.scope(now.view).source.byId.get(name);
    const root = inside(group, now.root) ? now.root : "";
    return [{ selected: key, opened: openTo(group?.parent ?? undefined, now.view), root, sheet: "graph" }, name];
  }
  if (!model.hasGraph) {
    const { source } = model.scope(now.view);
    const group = source.groupOf.get(model.g.variableByName.get(name)?.index ?? -1);
    return [{ selected: key, opened: openTo(group, now.view), root: inside(group, now.root) ? now.root : "", sheet: "graph" }, "-"];
  }
  const node = key.startsWith("v:") ? model.g.variableByName.get(name)?.node ?? -1 : model.g.index.get(name) ?? -1;
  const op = node < 0 ? -1 : model.drawn(node) >= 0 ? model.drawn(node) : userOf(model, node);
  if (op < 0) return [{ selected: key, sheet: "details" }, "-"];
  const group = model.scope("model").source.groupOf.get(op);
  return [{ view: "model", selected: key, opened: openTo(group, "model"),
    root: now.view === "model" && inside(group, now.root) ? now.root : "", sheet: "graph" }, now.view === "model" ? "-" : ""];
}
