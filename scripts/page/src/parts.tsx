// Small pieces that both pages use.

import type { ComponentChildren } from "preact";
import { plain } from "./data";

export function Name({ children }: { children: string }) { return <bdi class="name">{plain(children)}</bdi>; }

export function NameLink({ name, about, onClick }: { name: string; about?: string | undefined; onClick(): void }) {
  return (
    <button type="button" class="link" onClick={onClick}><Name>{name}</Name>{about && <span class="about">{plain(about)}</span>}</button>
  );
}

export function Facts({ rows }: { rows: [string, ComponentChildren][] }) {
  const known = rows.filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return known.length ? <dl class="facts">{known.map(([word, value]) => <div><dt>{word}</dt><dd>{value}</dd></div>)}</dl> : null;
}

export function Section({ title, count, open = true, children }: {
  title: string; count?: number; open?: boolean; children: ComponentChildren;
}) {
  return (
    <details class="section" open={open}>
      <summary>{title}{count !== undefined && <span class="count">{count.toLocaleString("en")}</span>}</summary>
      {children}
    </details>
  );
}
