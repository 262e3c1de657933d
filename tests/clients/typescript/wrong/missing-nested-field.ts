// A field of an item of a list is missing.
import { Client } from "../flows/media-ladder.js";

const client = new Client("http://127.0.0.1:7070");
await client.submit({
  source: "https://x/y.mov",
  title: "A",
  rungs: [{ height: 720 }], // error: TS2741
});
