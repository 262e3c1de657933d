// A field of a type that holds itself is missing.
import { Client } from "../flows/media-ladder.js";

const client = new Client("http://127.0.0.1:7070");
await client.submit({
  source: "https://x/y.mov",
  title: "A",
  tree: {
    name: "a",
    all: [],
    left: { name: "b" }, // error: TS2741
  },
});
