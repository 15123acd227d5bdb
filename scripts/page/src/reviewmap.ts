// The map under review: what the reader chose, what follows, and the new map as a file.

import { layoutOf, type Evidence, type ReviewData } from "./reviewdata";
import { Spreader } from "./spread";

export const REJECTED = -1, AS_TOLD = -2;
/** {row: the actual chosen for it, REJECTED, or AS_TOLD: the parts that the map joins}. */
export type Choices = ReadonlyMap<number, number>;
export type Why = "map" | "chosen" | "rejected" | "follows" | "taken";
export type Status = "matched" | "ambiguous" | "unmatched";
/** source: the row that this one follows from, or that took its name; best: the likeliest free candidate of an open row. */
export interface Outcome { status: Status; actual: number; why: Why; source: number; best: number }

const STATUSES: Status[] = ["matched", "ambiguous", "unmatched"];
const probability = (bits: number) => Math.round(1e6 / (1 + 2 ** -bits)) / 1e6;

export class ReviewMap {
  readonly size: number;
  private spreader: Spreader;
  private given = new Map<number, number>(); // pins that the map was made with

  constructor(readonly data: ReviewData) {
    this.size = data.told.rows.status.length;
    this.spreader = new Spreader(data);
    for (let row = 0; row < this.size; row++) {
      const [first] = this.evidence(row);
      if (first?.[0] === "pin" && first[1] >= data.told.pinned[0] && data.told.rows.actual[row] >= 0)
        this.given.set(row, data.told.rows.actual[row]);
    }
  }

  status(row: number): Status { return STATUSES[this.data.told.rows.status[row]]; }
  evidence(row: number): Evidence[] { return this.data.told.rows.reasons[this.data.told.rows.evidence[row]]; }
  candidates(row: number): [number, number][] { return this.data.told.rows.candidates[row]; }
  layout(row: number): string { return this.data.told.layouts[this.data.told.rows.layout[row]]; }

  /** Rows whose order a reader goes through: open ones first, then the least sure. */
  order(): number[] {
    const { status, confidence } = this.data.told.rows;
    const rank = [2, 0, 1];
    return [...confidence.keys()].sort((a, b) =>
      rank[status[a]] - rank[status[b]] || (status[a] === 0 ? confidence[a] - confidence[b] : 0) || a - b);
  }

  pins(choices: Choices): Map<number, number> {
    const pins = new Map(this.given);
    for (const [row, actual] of choices) {
      if (actual < 0) pins.delete(row);
      else pins.set(row, actual);
    }
    return pins;
  }

  private spreadOf(choices: Choices): Map<number, [number, number]> {
    return choices.size ? this.spreader.spread(this.pins(choices)) : new Map<number, [number, number]>();
  }

  private last: { choices: Choices; outcomes: Outcome[]; follows: Map<number, [number, number]> } | null = null;

  /** What becomes of every row under these choices. */
  outcomes(choices: Choices): Outcome[] {
    if (this.last?.choices !== choices) {
      const follows = this.spreadOf(choices);
      this.last = { choices, follows, outcomes: this.reckon(choices, follows) };
    }
    return this.last.outcomes;
  }

  private reckon(choices: Choices, follows: Map<number, [number, number]>): Outcome[] {
    const { rows } = this.data.told;
    const pins = this.pins(choices);
    const taken = new Map<number, number>();
    for (const [row, actual] of [...pins].sort((a, b) => a[0] - b[0])) if (!taken.has(actual)) taken.set(actual, row);
    for (const [row, [actual]] of follows) if (!choices.has(row) && !taken.has(actual)) taken.set(actual, row);
    const found = rows.status.map((_, row): Omit<Outcome, "best"> => {
      const choice = choices.get(row);
      if (choice === REJECTED) return { status: "unmatched", actual: -1, why: "rejected", source: -1 };
      if (choice !== undefined) return { status: "matched", actual: Math.max(choice, -1), why: "chosen", source: -1 };
      const base: Omit<Outcome, "best"> = { status: this.status(row), actual: rows.actual[row], why: "map", source: -1 };
      const [actual, source] = follows.get(row) ?? [-1, -1];
      if (actual >= 0) return actual === base.actual && base.status === "matched" ? base : { status: "matched", actual, why: "follows", source };
      const by = base.actual < 0 ? undefined : taken.get(base.actual);
      if (by === undefined || by === row || this.sharesInMap(row, by)) return base;
      return { status: "ambiguous", actual: -1, why: "taken", source: by };
    });
    const held = new Set(found.map((one) => one.actual));
    return found.map((one, row) => ({ ...one, best: one.actual >= 0 ? one.actual
      : this.candidates(row).find(([actual]) => !held.has(actual))?.[0] ?? -1 }));
  }

  /** Rows that a choice would settle beside its own. */
  effect(choices: Choices, row: number, actual: number): number[] {
    const pins = this.pins(new Map([...choices, [row, actual]]));
    this.outcomes(choices);
    const found = this.spreader.spread(pins), before = this.last!.follows;
    const { rows } = this.data.told;
    return [...found].filter(([name, [there]]) => !choices.has(name) && before.get(name)?.[0] !== there &&
      !(rows.status[name] === 0 && rows.actual[name] === there)).map(([name]) => name);
  }

  /** Several expected names of the map share this actual one, both of these among them. */
  private sharesInMap(row: number, other: number): boolean {
    const { actual } = this.data.told.rows;
    return actual[row] === actual[other] && (this.layout(row) === "tied" || this.layout(row).startsWith("split"));
  }

  /** The file: schema graphmap.name-map/1, keys in the order of the contract. */
  toFile(choices: Choices): string {
    const { told, actual: side } = this.data;
    const outcomes = this.outcomes(choices);
    const uses = new Map<number, number>();
    for (const one of outcomes) if (one.actual >= 0) uses.set(one.actual, (uses.get(one.actual) ?? 0) + 1);
    const pins = this.pins(choices);
    const entries = outcomes.map((one, row) => this.entry(row, one, uses, pins));
    const matched = entries.filter((entry) => entry.status === "matched");
    const changed = new Set(outcomes.flatMap((one, row) => (one.why !== "map" && one.actual !== told.rows.actual[row] ? [row] : [])));
    const fields: [string, string][] = Object.entries(told.head).map(([key, value]) => [key, JSON.stringify(value)]);
    fields.push(
      ["verdict", JSON.stringify(matched.length === entries.length ? "same" : matched.length ? "partial" : "other")],
      ["expected_wrong", String(Math.round(1000 * matched.reduce((sum, one) => sum + 1 - one.confidence, 0)) / 1000)],
      ["entries", lines(entries)],
      ["rules", lines(told.rules.filter((rule) => !rule.rows.some((row) => changed.has(row)))
        .map(({ pattern, replacement, covers }) => ({ pattern, replacement, covers })))],
      ["unused", lines(this.unused(outcomes, changed).map((at) => side.names[at]))]);
    return `{\n${fields.map(([key, text]) => ` ${JSON.stringify(key)}: ${text}`).join(",\n")}\n}\n`;
  }

  private entry(row: number, one: Outcome, uses: Map<number, number>, pins: Map<number, number>) {
    const { told, expected, actual: side } = this.data;
    const { rows } = told;
    const isSame = one.status === this.status(row) && one.actual === rows.actual[row];
    const [bits, evidence] = this.reasons(row, one, pins);
    const parts = isSame ? this.data.parts.get(row) : undefined;
    let layout = isSame ? this.layout(row) : one.actual < 0 ? "same" : layoutOf(this.data, row, one.actual) ?? "same";
    if (!isSame && layout === "same" && (uses.get(one.actual) ?? 0) > 1) layout = "tied";
    const name = one.actual < 0 ? null : side.names[one.actual];
    const key = isSame ? this.data.keys : side.keys, at = isSame ? row : one.actual;
    const node = side.nodes.get(one.actual) ?? name;
    const candidates = this.candidates(row).map(([there, confidence]) => ({ actual: side.names[there], confidence }));
    return {
      expected: expected.names[row], shape: told.shapes[expected.shape[row]], status: one.status, actual: name,
      tensor: name === null ? (isSame ? this.data.tensors.get(row) ?? null : null) : isSame ? this.data.tensors.get(row) ?? `${name}:0` : `${node}:0`,
      checkpoint_key: key.has(at) ? key.get(at)! : name,
      confidence: bits === null ? rows.confidence[row] : bits < 0 || one.status !== "matched" ? 0 : probability(bits),
      margin: bits === null ? rows.margin[row] : Math.max(0, bits), layout, ...(parts && { parts }), evidence,
      candidates: name !== null && (one.why === "chosen" || one.why === "follows") ? [{ actual: name, confidence: probability(bits ?? 0) }]
        : one.why === "rejected" ? candidates.filter((c) => c.actual !== this.rejectedName(row)) : candidates,
    };
  }

  /** The name that a rejection speaks of: what the map says, or its first candidate. */
  rejectedName(row: number): string | null {
    const at = this.data.told.rows.actual[row] >= 0 ? this.data.told.rows.actual[row] : this.candidates(row)[0]?.[0] ?? -1;
    return at < 0 ? null : this.data.actual.names[at];
  }

  private reasons(row: number, one: Outcome, pins: Map<number, number>): [number | null, { kind: string; bits: number; why: string }[]] {
    const [pinned, follows] = this.data.told.pinned;
    const { expected, actual } = this.data;
    const say = (kind: string, bits: number, why: string): [number, { kind: string; bits: number; why: string }[]] => [bits, [{ kind, bits, why }]];
    if (one.why === "chosen") return say("pin", pinned, "accepted in review");
    const refused = this.rejectedName(row);
    if (one.why === "rejected") return refused === null ? [0, []] : say("rejected", -pinned, refused);
    if (one.why === "follows")
      return say("pin", follows, `as ${expected.names[one.source]} is pinned to ${actual.names[pins.get(one.source)!]}`);
    const told = this.evidence(row).map(([kind, bits, why]) => ({ kind, bits, why }));
    return [one.why === "taken" ? 0 : null, told];
  }

  /** Stored names nobody asks for, without the slots of used ones. */
  private unused(outcomes: Outcome[], changed: Set<number>): number[] {
    const { told, actual: side } = this.data;
    const base = told.unused.map((name) => side.index.get(name)!);
    if (!changed.size) return base;
    const used = new Set<number>(), before = new Set<number>();
    outcomes.forEach((one, row) => {
      const parts = (this.data.parts.get(row) ?? []).map((part) => side.index.get(partName(part)) ?? -1);
      for (const at of [told.rows.actual[row], ...parts]) before.add(at);
      for (const at of [one.actual, ...(changed.has(row) ? [] : parts)]) used.add(at);
    });
    used.delete(-1);
    before.delete(-1);
    const free = new Set(base);
    for (let at = 0; at < side.names.length; at++) {
      const owner = side.slotOf[at];
      if (used.has(at) || used.has(owner)) free.delete(at);
      else if (before.has(at) || before.has(owner)) free.add(at);
    }
    return [...free].sort((a, b) => (side.names[a] < side.names[b] ? -1 : 1));
  }
}

const partName = (part: unknown): string =>
  typeof part === "string" ? part : String((part as { actual?: unknown }).actual);

function lines(all: unknown[]): string {
  return all.length ? `[\n  ${all.map((one) => JSON.stringify(one)).join(",\n  ")}\n ]` : "[]";
}
