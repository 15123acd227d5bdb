// Builds page.html: one file with its script, its style and the policy that allows only these two.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";

const here = new URL(".", import.meta.url);
const read = (name) => readFileSync(new URL(name, here), "utf8");
const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

// What the asset was made from; a test compares it without Node.js.
const sources = ["build.mjs", "package-lock.json", "package.json", "template.html", "tsconfig.json",
  ...readdirSync(new URL("src/", here)).sort().map((name) => `src/${name}`)];
const digest = createHash("sha256");
for (const name of sources) digest.update(`${name}\n${read(name)}\n`);

const common = { bundle: true, minify: true, write: false, legalComments: "none", charset: "utf8",
  absWorkingDir: decodeURIComponent(here.pathname), target: "es2022" };
const js = await build({ ...common, entryPoints: ["src/main.tsx"], format: "iife",
  jsx: "automatic", jsxImportSource: "preact" });
const css = await build({ ...common, entryPoints: ["src/index.css"] });
const script = js.outputFiles[0].text.replaceAll("</script", "<\\/script").trim();
const style = css.outputFiles[0].text.trim();
const parts = { "@@STYLE@@": style, "@@SCRIPT@@": script, "@@SOURCES@@": digest.digest("hex"),
  "@@SCRIPT_HASH@@": hash(script), "@@STYLE_HASH@@": hash(style) };
let page = read("template.html");
for (const [mark, text] of Object.entries(parts)) page = page.replace(mark, () => text);
const out = process.argv[2] ?? new URL("../../graphmap/render/page/page.html", here);
writeFileSync(out, page);
console.log(`${page.length} bytes`);
