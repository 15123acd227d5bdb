// What the review page is told (see graphmap/render/page/review.py), unpacked.

import { frontDecoded, rows, type Lists, type Rows } from "./data";

export type Shape = (number | null)[] | null;
interface RuleColumns { template: number[]; numbers: number[][]; module: number[]; kind: number[]; kinds: string[] }
interface OpsTold {
  shared: number[]; names: string[]; op: number[]; shape: number[]; producers: Lists; weights: Lists;
  words: { op: string[]; shape: string[] };
}
interface SideTold {
  shared: number[]; names: string[]; shape: number[]; role: number[]; roles: string[]; slotOf: number[];
  keys: [number, string | null][]; nodes: [number, string][]; rule: RuleColumns | null; graph: OpsTold | null;
}
export interface ReviewPayload {
  kind: "review"; title: string; notes: string[]; head: Record<string, unknown>; digest: string;
  pinned: [number, number]; turned: boolean; answering: number; expected: SideTold; actual: SideTold;
  rows: {
    status: number[]; actual: number[]; tensor: [number, string][]; keys: [number, string | null][];
    confidence: number[]; margin: number[]; layout: number[]; evidence: number[]; reasons: Evidence[][];
    candidates: [number, number][][]; parts: [number, unknown[]][];
  };
  rules: { pattern: string; replacement: string; covers: number; rows: number[] }[];
  unused: string[]; fits: [number, number, number, number][] | null; shapes: Shape[]; layouts: string[];
}

/** kind, bits (log2 odds), why. */
export type Evidence = [string, number, string];
/** Ops of the model of one side. users: the reverse of producers. ofVariable: who uses a variable. */
export interface Ops {
  names: string[]; op: string[]; shape: string[]; producers: Rows; users: number[][]; weights: Rows;
  ofVariable: Map<number, number[]>;
}
export interface Side {
  names: string[]; shape: Int32Array; roles: string[]; slotOf: number[]; keys: Map<number, string | null>;
  nodes: Map<number, string>; rule: RuleColumns | null; ops: Ops | null; index: Map<string, number>;
}
export interface ReviewData {
  told: ReviewPayload; expected: Side; actual: Side;
  tensors: Map<number, string>; keys: Map<number, string | null>; parts: Map<number, unknown[]>;
  fits: Map<number, [number, number]> | null; // by expected shape * shapes + actual shape
}

function readOps(told: OpsTold): Ops {
  const producers = rows(told.producers), weights = rows(told.weights);
  const users: number[][] = told.op.map(() => []);
  const ofVariable = new Map<number, number[]>();
  told.op.forEach((_, i) => {
    for (let k = producers.start[i]; k < producers.start[i + 1]; k++) users[producers.all[k]]?.push(i);
    for (let k = weights.start[i]; k < weights.start[i + 1]; k++) {
      const known = ofVariable.get(weights.all[k]);
      if (known) known.push(i);
      else ofVariable.set(weights.all[k], [i]);
    }
  });
  return { names: frontDecoded(told.shared, told.names), op: told.op.map((n) => told.words.op[n]),
    shape: told.shape.map((n) => told.words.shape[n]), producers, users, weights, ofVariable };
}

function readSide(told: SideTold): Side {
  const names = frontDecoded(told.shared, told.names);
  return { names, shape: Int32Array.from(told.shape), roles: told.role.map((n) => told.roles[n]), slotOf: told.slotOf,
    keys: new Map(told.keys), nodes: new Map(told.nodes), rule: told.rule, ops: told.graph && readOps(told.graph),
    index: new Map(names.map((name, i) => [name, i])) };
}

export function readReview(told: ReviewPayload): ReviewData {
  const size = told.shapes.length;
  return { told, expected: readSide(told.expected), actual: readSide(told.actual), tensors: new Map(told.rows.tensor),
    keys: new Map(told.rows.keys), parts: new Map(told.rows.parts),
    fits: told.fits && new Map(told.fits.map(([e, a, plain, turned]) => [e * size + a, [plain, turned]])) };
}

/** The layout that turns an actual variable into an expected one; null where none does, or nobody knows. */
export function layoutOf(data: ReviewData, row: number, actual: number): string | null {
  const { told, expected } = data;
  const found = data.fits?.get(expected.shape[row] * told.shapes.length + data.actual.shape[actual]);
  if (!found) return null;
  const isKernel = (told.shapes[expected.shape[row]]?.length ?? 0) > 1;
  return told.layouts[found[told.turned && isKernel ? 1 : 0]];
}
