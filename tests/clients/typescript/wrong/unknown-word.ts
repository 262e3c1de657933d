// Not one of the words that are possible.
import { Client } from "../flows/media-ladder.js";

const client = new Client("http://127.0.0.1:7070");
await client.submit({
  source: "https://x/y.mov",
  title: "A",
  mode: "fastest", // error: TS2322
});
