// Outputs are not to be changed.
import { Client } from "../flows/media-ladder.js";

const client = new Client("http://127.0.0.1:7070");
const run = await client.submit({ source: "https://x/y.mov", title: "A" });
const outputs = await run.wait();
outputs.title = "B"; // error: TS2540
