// The TypeScript clients against a real `pop dev`: POP_BIN names the program.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { count, gate, greet, mediaLadder, pop } from "./flows/index.js";

/** A server that can be killed and started again at the same place. */
class Server {
  url = "";
  #listen = "127.0.0.1:0";
  #process: ChildProcess | undefined;

  constructor(readonly folder: string) {}

  async start(): Promise<void> {
    const place = ["--database", join(this.folder, "pop.db"), "--work-dir", join(this.folder, "work")];
    const options = ["dev", "--listen", this.#listen, ...place];
    const child = spawn(process.env["POP_BIN"] ?? "pop", options, { stdio: ["ignore", "pipe", "ignore"] });
    this.#process = child;
    for await (const line of createInterface({ input: child.stdout })) {
      this.url = /http:\/\/[^\s,]+/.exec(line)?.[0] ?? "";
      this.#listen = this.url.replace("http://", "");
      break;
    }
  }

  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  }
}

async function outputsAreTyped(server: Server): Promise<void> {
  const client = new mediaLadder.Client(server.url);
  const inputs: mediaLadder.Inputs = {
    source: "https://example.com/a.mov",
    title: "Ladder",
    rungs: [
      { height: 720, type: "h264" },
      { height: 1080, type: "h265", bitrate: 5 },
    ],
    limit: 7,
    notify: { class: "ops" },
    tree: { name: "a", all: [{ name: "b", all: [] }] },
    loud: true,
  };
  const run = await client.submit(inputs, { idempotencyKey: "key" });
  assert.equal((await client.submit(inputs, { idempotencyKey: "key" })).id, run.id);
  const outputs = await run.wait();
  assert.deepEqual(outputs.plans, ["720p h264 fast", "1080p h265 fast"]);
  assert.equal(outputs.title, "Ladder of https://example.com/a.mov");
  assert.equal(outputs.shout, "Ladder of https://example.com/a.mov!");
  assert.deepEqual([outputs.limit, outputs.priority, outputs.budget], [7, 2, "8Gi"]);
  assert.deepEqual(outputs.rungs, inputs.rungs);
  assert.deepEqual(outputs.contact, inputs.notify);
  assert.deepEqual(outputs.tree, inputs.tree);
  const quiet = await (await client.submit({ source: "https://x/y", title: "T" })).wait();
  assert.deepEqual([quiet.shout, quiet.limit, quiet.plans], [null, "none", ["720p h264 fast"]]);
  const hello = await (await new greet.Client(server.url).submit({})).wait();
  assert.deepEqual(hello, { text: "hello", count: 3 });
}

async function aWatchGoesThroughARestart(server: Server): Promise<void> {
  const file = join(server.folder, "there");
  writeFileSync(file, "found it");
  const run = await new gate.Client(server.url).submit({ file, seconds: 0.5 });
  const seqs: number[] = [];
  let killed = false;
  for await (const event of run.watch()) {
    seqs.push(event.seq);
    if (!killed && event.operation?.state === "executing") {
      await server.kill();
      await server.start();
      killed = true;
    }
  }
  assert.ok(killed);
  assert.deepEqual(seqs, Array.from(seqs, (_, i) => i + 1));
  const outputs = await run.wait();
  assert.deepEqual([outputs.found.trim(), outputs.waited], ["found it", 0.5]);
}

async function anOutputOfAnotherTypeFailsWhereItComesFrom(server: Server): Promise<void> {
  const file = join(server.folder, "number");
  const client = new count.Client(server.url);
  writeFileSync(file, "42\n");
  assert.equal((await (await client.submit({ file })).wait()).number, 42);
  writeFileSync(file, "three\n");
  await assert.rejects((await client.submit({ file })).wait(), (error) => {
    assert.ok(error instanceof pop.Failed);
    const { operation, code, mismatch } = error.failure;
    assert.deepEqual([operation, error.failure.class, code], ["read", "user", "OutputInvalid"]);
    assert.deepEqual(mismatch, { field: "number", expected: "int", found: '"three"' });
    return error.message.includes("count.pop.toml:15:13");
  });
}

async function aFailureSaysWhereAndARerunGoesOnThere(server: Server): Promise<void> {
  const file = join(server.folder, "later");
  const run = await new gate.Client(server.url).submit({ file });
  await assert.rejects(run.wait(), (error) => {
    assert.ok(error instanceof pop.Failed);
    const { operation, code, place, logTail } = error.failure;
    assert.deepEqual([operation, error.failure.class, code], ["look", "user", "ExitCode"]);
    assert.deepEqual(place, { file: "tests/clients/flows/gate.pop.toml", line: 20, column: 13 });
    assert.ok(logTail.some((line) => line.includes("No such file")), String(logTail));
    return error.message.includes("gate.pop.toml:20:13");
  });
  writeFileSync(file, "now");
  const again = await run.rerun();
  const events: pop.Event[] = [];
  for await (const event of again.watch()) events.push(event);
  assert.equal(events[0]?.seq, again.after + 1);
  assert.deepEqual(events[0]?.again, { reset: ["look"], removed: [] });
  const started = events.filter((e) => e.operation?.state === "executing").map((e) => e.operation?.name);
  assert.deepEqual(started, ["look"], "what has succeeded does not run again");
  assert.equal((await again.wait()).found.trim(), "now");
  const every = await again.rerun("all");
  const names = new Set<string>();
  for await (const event of every.watch()) if (event.operation) names.add(event.operation.name);
  assert.deepEqual(names, new Set(["look", "wait"]));
  assert.equal((await (await every.rerun({ operations: ["look"] })).wait()).waited, 0.1);
  await assert.rejects(every.rerun(), (error) => {
    assert.ok(error instanceof pop.Refused);
    return error.type === "/problems/nothing-to-run";
  });
}

async function aCancelEndsIt(server: Server): Promise<void> {
  const run = await new gate.Client(server.url).submit({ file: "/nothing", seconds: 600 });
  for await (const event of run.watch()) {
    if (event.operation?.state === "executing") await run.cancel();
  }
  await assert.rejects(run.wait(), pop.Cancelled);
}

async function anOldClientIsTold(server: Server): Promise<void> {
  const url = `${server.url}/v1/templates/gate`;
  const put = async (body: string): Promise<void> => {
    const answer = await fetch(url, { method: "PUT", headers: { "content-type": "application/json" }, body });
    assert.ok(answer.ok, await answer.text());
  };
  await put(gate.workflow.template);
  await (await new gate.Client(server.url).submit({ file: "/nothing" })).cancel();
  const template = JSON.parse(gate.workflow.template);
  const schema = template.params["pop.inputs"];
  schema.properties.colour = { type: "string" };
  schema.required.push("colour");
  await put(JSON.stringify(template));
  await assert.rejects(new gate.Client(server.url).submit({ file: "/nothing" }), (error) => {
    assert.ok(error instanceof pop.StaleClient);
    assert.deepEqual(error.fields, ["inputs/colour"]);
    assert.deepEqual([error.changes[0]?.verdict, error.status], ["breaking", 409]);
    assert.notEqual(error.serverDigest, gate.workflow.digest);
    return error.message.includes("inputs/colour: added");
  });
  assert.ok((await fetch(url, { method: "DELETE" })).ok);
}

async function findingsNameTheOperation(server: Server): Promise<void> {
  const client = new mediaLadder.Client(server.url);
  await assert.rejects(client.submit({ source: "https://x/y", title: "T", rungs: [] }), (error) => {
    assert.ok(error instanceof pop.Refused);
    assert.equal(error.type, "/problems/invalid-agenda");
    const [first] = error.diagnostics;
    assert.ok(first?.place?.file.endsWith("ladder.pop.toml"));
    return first?.operation === "sum";
  });
}

async function allWrongInputsAreNamed(server: Server): Promise<void> {
  const inputs = { source: 7, rungs: [{ height: "tall", type: "h264" }], loud: 1, colour: "red" };
  await assert.rejects(new mediaLadder.Client(server.url).submit(inputs as unknown as mediaLadder.Inputs), (error) => {
    assert.ok(error instanceof pop.Refused);
    assert.deepEqual(
      new Set(error.diagnostics.map((d) => d.pointer)),
      new Set(["", "/source", "/rungs/0/height", "/loud", "/colour"]),
    );
    assert.ok(error.message.includes("`title` is missing"), error.message);
    for (const { pointer } of error.diagnostics) {
      assert.ok(!pointer || error.message.includes(`(at ${pointer})`), error.message);
    }
    return true;
  });
}

/** A server that only says how a run ended, in this text. The connection is refused as often as it is told. */
function ended(text: string, refused = 0): pop.ClientOptions {
  let left = refused;
  const fetch = async (url: string | URL | Request): Promise<Response> => {
    if (String(url).endsWith("/events")) return new Response("event: end\ndata: {}\n\n");
    if (left-- > 0) throw new TypeError("fetch failed");
    return new Response(text, { status: 200 });
  };
  return { fetch };
}

async function outputsThatDoNotFitAreNamed(): Promise<void> {
  const good = {
    budget: "8Gi", first: "a", limit: "none", mode: "fast", plans: ["a"], priority: 2, title: "t",
    rungs: [{ height: 720, type: "h264" }, { height: 1080, type: "h265", bitrate: null }],
    tree: { name: "a", all: [{ name: "b", all: [] }] },
  };
  const wait = (outputs: string, refused = 0): Promise<mediaLadder.Outputs> => {
    const options = ended(`{"state":"succeeded","outputs":${outputs}}`, refused);
    return new mediaLadder.Client("http://pop", options).attach("ag_1").wait();
  };
  assert.deepEqual(await wait(JSON.stringify(good)), good);
  assert.deepEqual(await wait(JSON.stringify(good), 2), good, "a server that restarts is asked again");
  const numbers = "beyond 2^53, which a number cannot hold exactly: 9007199254740992";
  for (const [outputs, message] of [
    [{ ...good, rungs: [good.rungs[0], { height: "tall", type: "h264" }] }, 'outputs.rungs[1].height should be a whole number, but is "tall"'],
    [{ ...good, rungs: [{ height: 1.5, type: "av1" }] }, 'outputs.rungs[0].height should be a whole number, but is 1.5; outputs.rungs[0].type should be "h264" or "h265", but is "av1"'],
    [{ ...good, rungs: [{ type: "h264" }] }, "outputs.rungs[0].height is missing"],
    [{ ...good, rungs: {} }, "outputs.rungs should be a list, but is {}"],
    [{ ...good, limit: "some" }, 'outputs.limit should be a whole number or "none", but is "some"'],
    [{ ...good, shout: 3 }, "outputs.shout should be text or null, but is 3"],
    [{ ...good, tree: { name: "a", all: [{ name: "b" }] } }, "outputs.tree.all[0].all is missing"],
    [{ ...good, title: undefined, first: null }, "outputs.first is missing; outputs.title is missing"],
    [{ ...good, limit: 9007199254740993n }, `outputs.limit is a whole number ${numbers}`],
    [{ ...good, rungs: [{ height: 9007199254740993n, type: "h264" }] }, `outputs.rungs[0].height is a whole number ${numbers}`],
  ] as const) {
    const text = JSON.stringify(outputs, (_, v: unknown) => (typeof v === "bigint" ? `#${v}#` : v));
    await assert.rejects(wait(text.replace(/"#(\d+)#"/g, "$1")), (error) => {
      assert.ok(error instanceof pop.OutputsMismatch);
      assert.equal(error.message, message);
      return true;
    });
  }
}

async function inputsThatWouldBeRoundedAreNamed(): Promise<void> {
  const client = new mediaLadder.Client("http://127.0.0.1:1");
  const inputs = { source: "https://x/y", title: "T" };
  for (const [more, message] of [
    [{ rungs: [{ height: 2 ** 53, type: "h264" }] }, "inputs.rungs[0].height is a whole number beyond 2^53, which a number cannot hold exactly: 9007199254740992"],
    [{ limit: -(2 ** 54) }, "inputs.limit is a whole number beyond 2^53, which a number cannot hold exactly: -18014398509481984"],
    [{ crop: { left: NaN, top: 1 } }, "inputs.crop.left is NaN, which JSON cannot represent"],
    [{ limit: 3n as unknown as number }, "inputs.limit is the bigint 3, which JSON cannot represent"],
  ] as const) {
    await assert.rejects(client.submit({ ...inputs, ...more }), (error) => {
      assert.ok(error instanceof pop.InputsMismatch);
      assert.equal(error.message, message);
      return true;
    });
  }
}

async function nobodyIsThere(): Promise<void> {
  await assert.rejects(new gate.Client("http://127.0.0.1:1").submit({ file: "/nothing" }), pop.Unreachable);
}

const folder = mkdtempSync(join(tmpdir(), "pop-"));
const server = new Server(folder);
try {
  await server.start();
  for (const test of [
    outputsAreTyped,
    aWatchGoesThroughARestart,
    anOutputOfAnotherTypeFailsWhereItComesFrom,
    aFailureSaysWhereAndARerunGoesOnThere,
    aCancelEndsIt,
    anOldClientIsTold,
    findingsNameTheOperation,
    allWrongInputsAreNamed,
    outputsThatDoNotFitAreNamed,
    inputsThatWouldBeRoundedAreNamed,
    nobodyIsThere,
  ]) {
    const late = new Promise((_, reject) => setTimeout(reject, 60_000, new Error(`${test.name} hangs`)).unref());
    await Promise.race([test(server), late]);
    console.log(`typescript: ${test.name} ok`);
  }
} finally {
  await server.kill();
  rmSync(folder, { recursive: true, force: true });
}
