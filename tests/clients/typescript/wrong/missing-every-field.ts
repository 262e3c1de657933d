// All inputs are missing.
import { Client } from "../flows/media-ladder.js";

const client = new Client("http://127.0.0.1:7070");
await client.submit({}); // error: TS2739
