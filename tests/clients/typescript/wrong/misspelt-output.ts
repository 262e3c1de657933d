// The name of an output is misspelt.
import { Client } from "../flows/media-ladder.js";

const client = new Client("http://127.0.0.1:7070");
const run = await client.submit({ source: "https://x/y.mov", title: "A" });
const outputs = await run.wait();
console.log(outputs.plan); // error: TS2551
