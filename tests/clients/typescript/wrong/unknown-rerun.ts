// There is no such way to run again.
import { Client } from "../flows/media-ladder.js";

const client = new Client("http://127.0.0.1:7070");
const run = await client.submit({ source: "https://x/y.mov", title: "A" });
await run.rerun("everything"); // error: TS2345
