// A number or one word; not another word.
import { Client } from "../flows/media-ladder.js";

const client = new Client("http://127.0.0.1:7070");
await client.submit({
  source: "https://x/y.mov",
  title: "A",
  limit: "all", // error: TS2322
});
