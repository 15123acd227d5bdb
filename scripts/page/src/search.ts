// Finding nodes and variables by parts of their names, or by op type.

import { opOf, type Graph } from "./data";

export interface Hit { key: string; name: string; about: string }

const lower = new WeakMap<Graph, string[]>();
function lowered(g: Graph): string[] {
  let found = lower.get(g);
  if (!found) lower.set(g, (found = g.names.map((name) => name.toLowerCase())));
  return found;
}

/** The best hits, at most `most`, and how many there are. Every word has to stand in the name or op. */
export function search(g: Graph, query: string, most = 40): { hits: Hit[]; total: number } {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return { hits: [], total: 0 };
  const found: [number, number, Hit][] = [];
  let total = 0;
  const rank = (name: string): number => {
    const last = name.slice(name.lastIndexOf("/") + 1);
    if (name === query.toLowerCase()) return 0;
    return (last === words[0] ? 1 : last.includes(words[0]) ? 2 : 3) + name.length / 1e4;
  };
  const ops = g.payload.nodes?.words.op.map((op) => op.toLowerCase()) ?? [];
  const kinds = g.payload.nodes?.op ?? [];
  lowered(g).forEach((name, i) => {
    const op = ops[kinds[i]];
    if (!words.every((word) => name.includes(word) || op === word)) return;
    total++;
    if (found.length < 5000) found.push([rank(name), i, { key: `n:${g.names[i]}`, name: g.names[i], about: opOf(g, i) }]);
  });
  for (const v of g.variables) {
    if (v.node >= 0) continue;
    const name = v.name.toLowerCase();
    if (!words.every((word) => name.includes(word))) continue;
    total++;
    found.push([rank(name), v.index, { key: `v:${v.name}`, name: v.name, about: v.role }]);
  }
  found.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  return { hits: found.slice(0, most).map(([, , hit]) => hit), total };
}
