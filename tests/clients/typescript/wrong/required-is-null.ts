// An input that must be given is null.
import { Client } from "../flows/media-ladder.js";

const client = new Client("http://127.0.0.1:7070");
await client.submit({
  source: "https://x/y.mov",
  title: null, // error: TS2322
});
