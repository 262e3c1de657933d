// The values of a map have a type, too.
import { Client } from "../flows/media-ladder.js";

const client = new Client("http://127.0.0.1:7070");
await client.submit({
  source: "https://x/y.mov",
  title: "A",
  labels: { team: 7 }, // error: TS2322
});
