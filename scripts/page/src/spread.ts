// What a pin says about the other layers and about the leaves beside it: the rule of
// graphmap/matching/propagation.py over the columns that it gives.

import type { ReviewData, Side } from "./reviewdata";

type Pair = [number, number];

interface Indexed {
  templates: Map<number, Map<string, number>>; modules: Map<number, number[]>;
}

export class Spreader {
  private expected: Indexed;
  private actual: Indexed;
  private known = new Map<string, Pair[]>();

  constructor(private data: ReviewData) {
    this.expected = indexed(data.expected);
    this.actual = indexed(data.actual);
  }

  /** {expected: [actual, the pinned one that it follows from]}, without the pins; pins in the order of the rows. */
  spread(pins: Map<number, number>): Map<number, Pair> {
    const rule = this.data.actual.rule;
    const found = new Map<number, Pair>();
    if (!rule || !this.data.fits) return found;
    const said = new Said(this.data.expected.names.length);
    const done = new Set<string>();
    for (const [left, right] of [...pins].sort((a, b) => a[0] - b[0])) {
      if (right >= this.data.told.answering) continue;
      for (const [one, other] of [[left, right] as Pair, ...this.leavesBeside(left, right)]) {
        said.say(one, other, left);
        const key = this.shiftKey(one, other);
        if (done.has(key)) continue;
        done.add(key);
        for (const [name, there] of this.otherLayers(one, other, key)) said.say(name, there, left);
      }
    }
    const taken = new Set(pins.values()), uses = new Map<number, number>();
    for (const name of said.names)
      if (!pins.has(name) && said.actual[name] >= 0) {
        const there = said.actual[name];
        found.set(name, [there, said.source[name]]);
        uses.set(there, (uses.get(there) ?? 0) + 1);
      }
    for (const [name, [there]] of found) if (uses.get(there)! > 1 || taken.has(there)) found.delete(name);
    return found;
  }

  private fit(one: number, other: number): boolean {
    const { expected, actual, told } = this.data;
    return this.data.fits!.has(expected.shape[one] * told.shapes.length + actual.shape[other]);
  }

  private leavesBeside(left: number, right: number): Pair[] {
    const here = this.data.expected.rule!, there = this.data.actual.rule!;
    if (here.module[left] < 0 || there.module[right] < 0) return [];
    const kinds = ({ modules }: Indexed, { module, kind, kinds: words }: typeof here, at: number) => {
      const found = new Map<string, number[]>();
      for (const i of modules.get(module[at])!) found.set(words[kind[i]], [...(found.get(words[kind[i]]) ?? []), i]);
      return found;
    };
    const others = kinds(this.actual, there, right);
    const pairs: Pair[] = [];
    for (const [kind, [name, ...more]] of kinds(this.expected, here, left)) {
      const other = others.get(kind);
      if (kind === "?" || more.length || other?.length !== 1 || name === left || other[0] === right) continue;
      if (this.fit(name, other[0])) pairs.push([name, other[0]]);
    }
    return pairs;
  }

  private shiftKey(left: number, right: number): string {
    const here = this.data.expected.rule!, there = this.data.actual.rule!;
    const mine = here.numbers[left], other = there.numbers[right];
    const shifts = mine.length === other.length ? mine.map((n, i) => other[i] - n) : "none";
    return `${here.template[left]} ${there.template[right]} ${shifts}`;
  }

  /** Shift every number as the pair does; nothing unless both sides have the same layers. */
  private otherLayers(left: number, right: number, key: string): Pair[] {
    const known = this.known.get(key);
    if (known) return known;
    const here = this.data.expected.rule!, there = this.data.actual.rule!;
    const mine = this.expected.templates.get(here.template[left])!;
    const others = this.actual.templates.get(there.template[right])!;
    const [a, b] = [here.numbers[left], there.numbers[right]];
    let pairs: Pair[] = [];
    if (a.length === b.length && mine.size === others.size)
      for (const name of mine.values()) {
        const found = others.get(here.numbers[name].map((n, i) => n + b[i] - a[i]).join());
        if (found === undefined || !this.fit(name, found)) { pairs = []; break; }
        pairs.push([name, found]);
      }
    this.known.set(key, pairs);
    return pairs;
  }
}

function indexed({ rule }: Side): Indexed {
  const templates = new Map<number, Map<string, number>>(), modules = new Map<number, number[]>();
  rule?.template.forEach((template, i) => {
    let layers = templates.get(template);
    if (!layers) templates.set(template, (layers = new Map()));
    layers.set(rule.numbers[i].join(), i);
    const leaves = modules.get(rule.module[i]);
    if (leaves) leaves.push(i);
    else modules.set(rule.module[i], [i]);
  });
  return { templates, modules };
}

const NOTHING = -1, TWO_THINGS = -2;

/** What is said of each expected name, and by which pin first. */
class Said {
  readonly names: number[] = [];
  readonly actual: Int32Array;
  readonly source: Int32Array;

  constructor(size: number) {
    this.actual = new Int32Array(size).fill(NOTHING);
    this.source = new Int32Array(size);
  }

  say(name: number, found: number, source: number): void {
    if (this.actual[name] === NOTHING) {
      this.names.push(name);
      this.actual[name] = found;
      this.source[name] = source;
    } else if (this.actual[name] !== found) this.actual[name] = TWO_THINGS;
  }
}
