// Starts the page that the data ask for.

import { render } from "preact";
import { App } from "./app";
import { unpack, type Payload } from "./data";
import { Diff, type DiffPayload } from "./diff";
import { Review } from "./review";
import { readReview, type ReviewPayload } from "./reviewdata";
import { ReviewMap } from "./reviewmap";
import { Model } from "./state";

async function start(): Promise<void> {
  const app = document.getElementById("app")!;
  try {
    const content = (await unpack(document.getElementById("data")!.textContent ?? "")) as { kind: string };
    performance.mark("read");
    app.textContent = "";
    if (content.kind === "review") {
      const map = new ReviewMap(readReview(content as ReviewPayload));
      Object.assign(window, { graphmap: map }); // for who scripts the page
      render(<Review map={map} />, app);
    } else if (content.kind === "diff") render(<Diff told={content as DiffPayload} />, app);
    else render(<App model={new Model(content as Payload)} />, app);
    performance.mark("shown");
    document.documentElement.dataset.ready = "1";
  } catch (error) {
    const text = document.createElement("p");
    text.className = "wait";
    text.textContent = typeof DecompressionStream === "undefined"
      ? "This browser is too old for this page (it lacks DecompressionStream, of 2023)."
      : `This page is damaged and cannot be shown: ${String(error)}`;
    app.replaceChildren(text);
    throw error;
  }
}

void start();
