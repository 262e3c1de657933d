// true or false is expected, text is given.
import { Client } from "../flows/media-ladder.js";

const client = new Client("http://127.0.0.1:7070");
await client.submit({
  source: "https://x/y.mov",
  title: "A",
  loud: "yes", // error: TS2322
});
