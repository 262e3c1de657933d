// The workflow takes no inputs.
import { Client } from "../flows/greet.js";

const client = new Client("http://127.0.0.1:7070");
await client.submit({ name: "you" }); // error: TS2322
