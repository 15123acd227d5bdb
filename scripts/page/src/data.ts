// What the page is told (see graphmap/render/page/payload.py), unpacked into flat arrays.

export interface Variable {
  index: number; name: string; shape: (number | null)[] | null; dtype: string | null; role: string;
  slotOf: string | null; slot: string | null; key: string | null; bytes: number | null;
  node: number; status: string; expected: string;
}
export interface Lane { losses: number[]; gradients: string[][]; optimizer: string[][]; variables: number[] }
export interface OptimizerSpec {
  kind: string; hyperparameters: Record<string, unknown>;
  slots: Record<string, Record<string, string>>; non_slots: Record<string, string>; sparse: string[];
}
export interface TrainOp {
  name: string; loss: string | null; global_step: string | null;
  feeds: [string, string, (number | null)[] | null][]; inputs: string[];
  optimizers: OptimizerSpec[]; unrecovered: string[];
}
export type Lists = [number[], number[]];
export interface Payload {
  kind: string; title: string; facts: string; warnings: string[];
  train_ops: TrainOp[]; signatures: Record<string, { inputs: string[][]; outputs: string[][] }>;
  knobs?: string[]; omitted?: [string, number][]; left_out?: number; lanes?: Lane[];
  variables: [string, (number | null)[] | null, string | null, string, string | null, string | null,
    string | null, number | null, number, string, string][];
  nodes?: {
    shared: number[]; names: string[]; op: number[]; why: number[]; shape: number[]; attrs: number[];
    device: number[]; inputs: Lists; slots: number[]; controls: Lists;
    words: { op: string[]; why: string[]; shape: string[]; attrs: [string, string][][]; device: string[] };
  };
  model?: {
    ops: number[]; producers: Lists; weights: Lists; losses: number[]; outputs: number[];
    shapes: [number, (number | null)[] | null][];
  };
  marks?: { state: number[]; states: string[]; what: [number, string][] } | null;
  scopes?: {
    parent: number[]; name: string[]; title: string[]; times: number[]; note: string[];
    ops: number[][]; copies: [number, number][]; opened: number[];
  };
}

/** Lists of numbers in one array: those of `i` stand from start[i] to start[i + 1]. */
export interface Rows { start: Int32Array; all: Int32Array }
export const rowOf = (rows: Rows, i: number): Int32Array =>
  rows.all.subarray(rows.start[i], rows.start[i + 1]);

export interface Graph {
  payload: Payload; size: number; names: string[]; index: Map<string, number>;
  inputs: Rows; slots: number[]; controls: Rows; users: Rows; waiters: Rows;
  before: Rows; after: Rows; weights: Map<number, number[]>; // before, after: between drawn ops of the model
  weightShape: Map<number, (number | null)[] | null>; losses: Set<number>; outputs: Set<number>;
  sameAs: Map<number, number>;
  marks: { state(node: number): string; what: Map<number, string> } | null; // what a comparison says
  variables: Variable[]; variableByName: Map<string, Variable>; variableOfNode: Map<number, Variable>;
}

export async function unpack(text: string): Promise<unknown> {
  const packed = Uint8Array.from(atob(text.trim()), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

export function rows([counts, gaps]: Lists, owners?: number[]): Rows {
  const start = new Int32Array(counts.length + 1);
  const all = new Int32Array(gaps.length);
  let at = 0;
  counts.forEach((count, i) => {
    const owner = owners ? owners[i] : i;
    for (let k = 0; k < count; k++, at++) all[at] = owner - gaps[at];
    start[i + 1] = at;
  });
  return { start, all };
}

/** Turn "who takes from whom" round. Missing producers (-1) have no users. */
function reversed(rows: Rows, size: number): Rows {
  const start = new Int32Array(size + 1);
  for (const p of rows.all) if (p >= 0) start[p + 1]++;
  for (let i = 0; i < size; i++) start[i + 1] += start[i];
  const next = start.slice();
  const all = new Int32Array(start[size]);
  for (let i = 0; i < rows.start.length - 1; i++)
    for (let k = rows.start[i]; k < rows.start[i + 1]; k++)
      if (rows.all[k] >= 0) all[next[rows.all[k]]++] = i;
  return { start, all };
}

/** Weights of the ops that have any. */
function weightsOf(lists: Lists, owners: number[]): Map<number, number[]> {
  const found = rows(lists, owners), made = new Map<number, number[]>();
  owners.forEach((owner, i) => { if (found.start[i] < found.start[i + 1]) made.set(owner, [...rowOf(found, i)]); });
  return made;
}

/** Who takes from whom among the drawn ops; those of left-out copies count as the drawn ones. */
function drawnProducers(lists: Lists, owners: number[], size: number, sameAs: Map<number, number>): Rows {
  const found = rows(lists, owners);
  const drawn = new Int32Array(size);
  for (let i = 0; i < size; i++) drawn[i] = i;
  for (const [copy, original] of sameAs) drawn[copy] = original;
  const all = new Int32Array(found.all.length), start = new Int32Array(size + 1);
  let at = 0, next = 0;
  owners.forEach((owner, i) => {
    for (; next <= owner; next++) start[next] = at;
    const from = at;
    if (drawn[owner] === owner)
      for (let k = found.start[i]; k < found.start[i + 1]; k++) {
        const p = drawn[found.all[k]];
        let isNew = p !== owner;
        for (let known = from; isNew && known < at; known++) isNew = all[known] !== p;
        if (isNew) all[at++] = p;
      }
  });
  for (; next <= size; next++) start[next] = at;
  return { start, all: all.subarray(0, at) };
}

/** Names that tell how much of the one before they begin with. */
export function frontDecoded(shared: number[], rest: string[]): string[] {
  let before = "";
  return rest.map((text, i) => (before = before.slice(0, shared[i]) + text));
}

export function readGraph(payload: Payload): Graph {
  const nodes = payload.nodes;
  const names = nodes ? frontDecoded(nodes.shared, nodes.names) : [];
  const size = names.length;
  const inputs = rows(nodes?.inputs ?? [[], []]);
  const controls = rows(nodes?.controls ?? [[], []]);
  const model = payload.model;
  const sameAs = new Map(payload.scopes?.copies ?? []);
  const before = drawnProducers(model?.producers ?? [[], []], model?.ops ?? [], size, sameAs);
  const variables = payload.variables.map(
    ([name, shape, dtype, role, slotOf, slot, key, bytes, node, status, expected], index) =>
      ({ index, name, shape, dtype, role, slotOf, slot, key, bytes, node, status, expected }));
  const index = new Map<string, number>();
  names.forEach((name, i) => { if (!index.has(name)) index.set(name, i); });
  return {
    payload, size, names, index, inputs, controls,
    slots: nodes?.slots ?? [],
    users: reversed(inputs, size), waiters: reversed(controls, size),
    before, after: reversed(before, size),
    weights: model ? weightsOf(model.weights, model.ops) : new Map(),
    weightShape: new Map(model?.shapes ?? []),
    losses: new Set(model?.losses), outputs: new Set(model?.outputs),
    sameAs,
    marks: payload.marks ? { state: (node) => payload.marks!.states[payload.marks!.state[node]] ?? "", what: new Map(payload.marks.what) } : null,
    variables,
    variableByName: new Map(variables.map((v) => [v.name, v])),
    variableOfNode: new Map(variables.filter((v) => v.node >= 0).map((v) => [v.node, v])),
  };
}

export const opOf = (g: Graph, i: number): string => g.payload.nodes!.words.op[g.payload.nodes!.op[i]];
export const whyOf = (g: Graph, i: number): string => g.payload.nodes!.words.why[g.payload.nodes!.why[i]];
export const deviceOf = (g: Graph, i: number): string => g.payload.nodes!.words.device[g.payload.nodes!.device[i]];
export const shapeOf = (g: Graph, i: number): string => g.payload.nodes!.words.shape[g.payload.nodes!.shape[i]];
export function attrsOf(g: Graph, i: number): [string, string][] | null {
  const nodes = g.payload.nodes!;
  return nodes.attrs.length ? nodes.words.attrs[nodes.attrs[i]] : null;
}

export function shapeText(shape: (number | null)[] | null | undefined): string {
  if (!shape) return "?";
  return shape.length ? shape.map((n) => n ?? "?").join("×") : "scalar";
}
export function countText(n: number): string {
  for (const [limit, unit] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]] as const)
    if (n >= limit) return `${(n / limit).toFixed(1).replace(/\.0$/, "")}${unit}`;
  return String(n);
}
export function sizeOf(shape: (number | null)[] | null | undefined): number {
  return shape && !shape.includes(null) ? shape.reduce<number>((a, b) => a * b!, 1) : 0;
}
/** Control and direction characters made visible, so that no name can look like another. */
export const plain = (text: string): string =>
  text.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]/gu, "\ufffd");
