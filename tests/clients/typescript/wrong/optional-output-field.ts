// A record that may be missing is used as if it were always there.
import { Client } from "../flows/media-ladder.js";

const client = new Client("http://127.0.0.1:7070");
const run = await client.submit({ source: "https://x/y.mov", title: "A" });
const outputs = await run.wait();
console.log(outputs.contact.class); // error: TS18049
