// A run has no such state.
import { Client } from "../flows/media-ladder.js";

const client = new Client("http://127.0.0.1:7070");
const run = await client.submit({ source: "https://x/y.mov", title: "A" });
for await (const event of run.watch()) {
  if (event.state === "done") break; // error: TS2367
}
