// Submits the media ladder with its generated client, shows how far it is, and prints the outputs. Ctrl-C cancels it.
//
//     node build/submit.js http://127.0.0.1:7070 clip.pgm published
import { resolve } from "node:path";
import { Client, type Inputs, type Run } from "./flows/media-ladder.js";
import { Cancelled, Failed } from "./flows/pop.js";

async function main(server: string, source: string, target: string): Promise<number> {
  const inputs: Inputs = {
    source: resolve(source),
    target: resolve(target),
    title: "a wandering bar",
    ladder: [
      { height: 36, greys: 64 },
      { height: 24, greys: 32 },
      { height: 18, greys: 16 },
    ],
  };
  const run = await new Client(server).submit(inputs);
  console.log("submitted", run.id);
  process.once("SIGINT", () => void run.cancel());
  try {
    await show(run);
    const outputs = await run.wait();
    console.log(`${outputs.frames} pictures in ${outputs.renditions.length} sizes`);
    console.log("published:", outputs.manifest ?? "nothing, for nothing moves");
    return 0;
  } catch (error) {
    if (error instanceof Cancelled) {
      console.error("cancelled");
      return 4;
    }
    if (error instanceof Failed) {
      console.error(error.message);
      return 3;
    }
    throw error;
  }
}

/** A line for everything that happens to an operation. */
async function show(run: Run): Promise<void> {
  for await (const { percent, operation } of run.watch()) {
    if (operation === undefined) continue;
    const { name, state, message } = operation;
    console.log(`${percent.toFixed(0).padStart(3)} %  ${name}  ${state}  ${message ?? ""}`);
  }
}

const [server, source, target] = process.argv.slice(2);
if (server === undefined || source === undefined || target === undefined) {
  console.error("say URL SOURCE TARGET");
  process.exitCode = 1;
} else {
  process.exitCode = await main(server, source, target);
}
