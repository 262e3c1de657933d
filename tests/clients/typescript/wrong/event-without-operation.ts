// Not every event is about an operation.
import { Client } from "../flows/media-ladder.js";

const client = new Client("http://127.0.0.1:7070");
const run = await client.submit({ source: "https://x/y.mov", title: "A" });
for await (const event of run.watch()) {
  console.log(event.operation.name); // error: TS18048
}
