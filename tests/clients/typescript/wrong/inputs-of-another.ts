// The inputs of another workflow.
import type { Inputs } from "../flows/gate.js";
import { Client } from "../flows/media-ladder.js";

const client = new Client("http://127.0.0.1:7070");
const inputs: Inputs = { file: "/tmp/x" };
await client.submit(inputs); // error: TS2739
