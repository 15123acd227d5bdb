// What stands around a variable on one side: the ops before and after the one that uses it, or,
// where no graph is stored, the names beside it.

import { rowOf, shapeText } from "./data";
import { Name } from "./parts";
import type { ReviewData, Side } from "./reviewdata";

const MOST = 3; // boxes of a rank
const STEPS = 2; // ranks before and after

interface Box { key: string; title: string; weights: [number, string][]; shape: string }

export function Neighbours({ data, side, at, heading }: { data: ReviewData; side: Side; at: number; heading: string }) {
  const users = side.ops?.ofVariable.get(at) ?? [];
  return (
    <section class="near" aria-label={heading}>
      <h4>{heading}</h4>
      {side.ops && users.length ? <Ranks data={data} side={side} at={at} op={users[0]} />
        : <Beside data={data} side={side} at={at} />}
      {side.ops && users.length > 1 && <p class="hint">{users.length} ops use it; the first is shown.</p>}
      {side.ops && !users.length && <p class="hint">No op of the model uses it.</p>}
    </section>
  );
}

function Ranks({ data, side, at, op }: { data: ReviewData; side: Side; at: number; op: number }) {
  const ops = side.ops!;
  const boxes = (list: number[]): Box[] => list.map((i) => ({ key: String(i), title: ops.op[i], shape: ops.shape[i] === "?" ? "" : ops.shape[i],
    weights: [...rowOf(ops.weights, i)].map((w) => [w, side.names[w]]) }));
  const walk = (from: number, next: (i: number) => Iterable<number>): number[][] => {
    const ranks: number[][] = [], seen = new Set([from]);
    let front = [from];
    for (let step = 0; step < STEPS && front.length; step++) {
      front = [...new Set(front.flatMap((i) => [...next(i)]))].filter((i) => !seen.has(i)).slice(0, 50);
      for (const i of front) seen.add(i);
      if (front.length) ranks.push(front);
    }
    return ranks;
  };
  const before = walk(op, (i) => rowOf(ops.producers, i)).reverse(), after = walk(op, (i) => ops.users[i]);
  return (
    <ol class="ranks">
      {[...before, [op], ...after].map((rank, i) => (
        <li class={i === before.length ? "own" : ""}>
          {boxes(rank.slice(0, MOST)).map((box) => (
            <span class="box" key={box.key}>
              <b>{box.title}</b>{box.shape && <span class="mono"> {box.shape}</span>}
              {box.weights.map(([w, name]) => <span class={`weight${w === at ? " this" : ""}`}>
                <Name>{name}</Name> <span class="mono">{shapeText(data.told.shapes[side.shape[w]])}</span></span>)}
            </span>
          ))}
          {rank.length > MOST && <span class="hint">and {rank.length - MOST} more</span>}
        </li>
      ))}
    </ol>
  );
}

function Beside({ data, side, at }: { data: ReviewData; side: Side; at: number }) {
  const first = Math.max(0, at - STEPS - 1);
  return (
    <ol class="ranks names" start={first + 1}>
      {side.names.slice(first, at + STEPS + 2).map((name, i) => (
        <li class={first + i === at ? "own" : ""}><span class="box"><Name>{name}</Name>{" "}
          <span class="mono">{shapeText(data.told.shapes[side.shape[first + i]])}</span></span></li>
      ))}
    </ol>
  );
}
