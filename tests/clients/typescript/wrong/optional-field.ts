// A field that may be missing is used as a number.
import { Client } from "../flows/media-ladder.js";

const client = new Client("http://127.0.0.1:7070");
const run = await client.submit({ source: "https://x/y.mov", title: "A" });
const outputs = await run.wait();
const bitrates: number[] = outputs.rungs.map((rung) => rung.bitrate); // error: TS2322
console.log(bitrates);
