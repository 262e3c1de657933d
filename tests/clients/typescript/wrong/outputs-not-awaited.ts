// Outputs come later.
import { Client } from "../flows/media-ladder.js";

const client = new Client("http://127.0.0.1:7070");
const run = await client.submit({ source: "https://x/y.mov", title: "A" });
console.log(run.wait().title); // error: TS2339
