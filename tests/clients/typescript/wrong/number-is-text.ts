// A number is expected, text is given.
import { Client } from "../flows/media-ladder.js";

const client = new Client("http://127.0.0.1:7070");
await client.submit({
  source: "https://x/y.mov",
  title: "A",
  rungs: [{ height: "720", type: "h264" }], // error: TS2322
});
