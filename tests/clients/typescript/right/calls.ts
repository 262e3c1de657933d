// Calls that are right, in every way that inputs and outputs can be used.
import { gate, greet, mediaLadder, pop } from "../flows/index.js";

export async function ladder(url: string): Promise<string> {
  const client = new mediaLadder.Client(url, { headers: { authorization: "Bearer x" } });
  await client.submit({ source: "https://x/y.mov", title: "least" });
  await client.submit({ source: "https://x/y.mov", title: "null is nothing", rungs: null });
  const inputs: mediaLadder.Inputs = {
    source: "https://x/y.mov",
    title: "most",
    rungs: [
      { height: 720, type: "h264" },
      { height: 1080, type: "h265", bitrate: 3_000_000 },
    ],
    mode: "best",
    priority: 3,
    labels: { team: "video" },
    token: "secret",
    limit: "none",
    notify: { class: "ops", mail: "ops@example.com" },
    budget: 8_000_000,
    crop: { left: 0, top: 10 },
    "max-wait": "5m",
    tree: { name: "a", all: [{ name: "b", all: [] }], left: { name: "c", all: [] } },
    loud: true,
  };
  const run: mediaLadder.Run = await client.submit(inputs, { idempotencyKey: "k", customer: "acme" });
  for await (const event of run.watch()) {
    const place: pop.Place | undefined = event.operation?.place;
    console.log(event.seq, event.state, event.percent, event.operation?.name, place?.line);
  }
  const outputs: mediaLadder.Outputs = await run.wait();
  const limit: number | "none" = outputs.limit;
  const heights: number[] = outputs.rungs.map((rung) => rung.height);
  return `${outputs.first} ${limit} ${heights} ${outputs.contact?.class ?? "nobody"} ${outputs.shout?.length ?? 0}`;
}

export async function others(url: string): Promise<number> {
  const hello = await new greet.Client(url).submit({});
  const { text, count } = await hello.wait();
  const run = await new gate.Client(url).submit({ file: "/tmp/x" });
  try {
    await run.wait();
  } catch (error) {
    if (error instanceof pop.StaleClient) console.log(error.fields, error.changes);
    else if (error instanceof pop.Failed) console.log(error.failure.class, error.failure.place?.file);
    else if (error instanceof pop.Cancelled) await run.cancel();
    else throw error;
  }
  for (const what of ["continue", "all", { operations: ["look"] }] as const) await run.rerun(what);
  return text.length + count;
}
