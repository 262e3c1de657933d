// Reads outputs with the clients of random workflows: `values.js CASES MODULES`. What is read is what came, as it is, so
// nothing can be lost.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

interface Row {
  readonly module: { readonly typescript: string };
  readonly case: { readonly value: unknown; readonly reads: boolean; readonly unsure: readonly string[] };
}
interface Definition {
  readonly required: readonly string[];
  readonly template: string;
}
interface Values {
  isObject(value: unknown): value is { readonly [key: string]: unknown };
  misfits(outputs: { readonly [key: string]: unknown }, text: string, definition: Definition): string[];
}

const [cases = "", folder = ""] = process.argv.slice(2);
const load = (name: string): Promise<unknown> => import(pathToFileURL(resolve(folder, `${name}.js`)).href);
const { isObject, misfits } = (await load("_values")) as Values;
let wrong = 0;
let read = 0;
for (const line of readFileSync(cases, "utf8").trimEnd().split("\n")) {
  const { module, case: one } = JSON.parse(line) as Row;
  const { workflow } = (await load(module.typescript)) as { readonly workflow: Definition };
  const faults = isObject(one.value) ? misfits(one.value, line, workflow) : ["outputs should be an object"];
  if (faults.length === 0) read += 1;
  if ((faults.length === 0) !== one.reads && !one.unsure.includes("typescript")) {
    wrong += 1;
    console.error(`${module.typescript}: ${faults.join("; ") || "reads it"}: ${line}`);
  }
}
if (wrong > 0 || read === 0) {
  console.error(`typescript: ${wrong} outputs are read otherwise than they should be`);
  process.exit(1);
}
console.log(`typescript: ${read} random outputs read, the others refused`);
