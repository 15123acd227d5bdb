// Keys, and light or dark.

import { useEffect, useRef } from "preact/hooks";

const KEYS: [string, string][] = [
  ["/", "search; arrows and Enter choose"], ["g", "go to the drawing"], ["arrows", "next box in that direction"],
  ["Enter", "choose; open or close a group"], ["Space", "choose"], ["Backspace", "close the group around"],
  ["t", "trace to inputs and outputs"], ["n", "neighbourhood of a node"], ["u", "one level up"], ["m", "back to the model"],
  ["f", "fit the whole picture"], ["+ −", "zoom"], ["Esc", "end trace, then selection"], ["?", "this list"],
];

const NOTE = "The address in the address bar always leads back to what you see.";

export function Help({ onClose, keys = KEYS, note = NOTE }: { onClose(): void; keys?: [string, string][]; note?: string }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => { dialog.current?.showModal(); }, []);
  return (
    <dialog ref={dialog} class="help" aria-label="Keys" onClose={onClose} onCancel={onClose}>
      <h2>Keys</h2>
      <dl class="keys">{keys.map(([key, what]) => <div><dt><kbd>{key}</kbd></dt><dd>{what}</dd></div>)}</dl>
      <p class="hint">{note}</p>
      <button type="button" onClick={onClose}>Close</button>
    </dialog>
  );
}

export function ThemeButton({ theme, onChange }: { theme: string; onChange(theme: string): void }) {
  useEffect(() => {
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
  }, [theme]);
  const isDark = theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  return <button type="button" aria-label={isDark ? "Light colours" : "Dark colours"} onClick={() => onChange(isDark ? "light" : "dark")}>{isDark ? "☀" : "☾"}</button>;
}
