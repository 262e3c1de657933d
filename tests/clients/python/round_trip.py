"""The Python clients against a real `pop dev`: POP_BIN names the program."""

import asyncio
import json
import os
import subprocess
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import cast

import httpx
from flows import count, gate, greet, media_ladder, pop
from flows.media_ladder import Contact, Inputs, Node, Rung


class Server:
    """A server that can be killed and started again at the same place."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.listen = "127.0.0.1:0"
        self.start()

    def start(self) -> None:
        database, work = self.folder / "pop.db", self.folder / "work"
        command = [os.environ["POP_BIN"], "dev", "--listen", self.listen]
        command += ["--database", str(database), "--work-dir", str(work)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout is not None
        words = self.process.stdout.readline().split()
        self.url = next(word for word in words if word.startswith("http://")).rstrip(",")
        self.listen = self.url.removeprefix("http://")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


async def outputs_are_typed(server: Server, folder: Path) -> None:
    async with media_ladder.Client(server.url) as client:
        inputs = Inputs(
            source="https://example.com/a.mov",
            title="Ladder",
            rungs=[Rung(height=720, type_="h264"), Rung(height=1080, type_="h265", bitrate=5)],
            limit=7,
            notify=Contact(class_="ops"),
            tree=Node(name="a", all=[Node(name="b", all=[])]),
            loud=True,
        )
        run = await client.submit(inputs, idempotency_key="key")
        again = await client.submit(inputs, idempotency_key="key")
        assert again.id == run.id
        outputs = await run.wait()
        assert outputs.plans == ["720p h264 fast", "1080p h265 fast"], outputs.plans
        assert outputs.title == "Ladder of https://example.com/a.mov"
        assert outputs.shout == "Ladder of https://example.com/a.mov!"
        assert (outputs.limit, outputs.priority, outputs.budget) == (7, 2, "8Gi")
        assert outputs.rungs == inputs.rungs
        assert outputs.contact == Contact(class_="ops")
        assert outputs.tree == inputs.tree
        quiet = await (await client.submit(Inputs(source="https://x/y", title="T"))).wait()
        assert (quiet.shout, quiet.limit, quiet.plans) == (None, "none", ["720p h264 fast"])
    hello = await (await greet.Client(server.url).submit(greet.Inputs())).wait()
    assert (hello.text, hello.count) == ("hello", 3)


async def a_watch_goes_through_a_restart(server: Server, folder: Path) -> None:
    file = folder / "there"
    file.write_text("found it")
    run = await gate.Client(server.url).submit(gate.Inputs(file=str(file), seconds=0.5))
    seqs: list[int] = []
    killed = False
    async for event in run.watch():
        seqs.append(event.seq)
        if not killed and event.operation and event.operation.state == "executing":
            server.kill()
            server.start()
            killed = True
    assert killed
    assert seqs == list(range(1, len(seqs) + 1)), seqs
    outputs = await run.wait()
    assert (outputs.found.strip(), outputs.waited) == ("found it", 0.5)


async def an_output_of_another_type_fails_where_it_comes_from(server: Server, folder: Path) -> None:
    file = folder / "number"
    file.write_text("42\n")
    client = count.Client(server.url)
    assert (await (await client.submit(count.Inputs(file=str(file)))).wait()).number == 42
    file.write_text("three\n")
    try:
        await (await client.submit(count.Inputs(file=str(file)))).wait()
        raise AssertionError("it should have failed")
    except pop.Failed as failed:
        failure = failed.failure
        assert (failure.operation, failure.class_, failure.code) == ("read", "user", "OutputInvalid"), failure
        assert failure.mismatch == pop.Mismatch(field="number", expected="int", found='"three"')
        assert "count.pop.toml:15:13" in str(failed), str(failed)


async def a_failure_says_where_and_a_rerun_goes_on_there(server: Server, folder: Path) -> None:
    file = folder / "later"
    run = await gate.Client(server.url).submit(gate.Inputs(file=str(file)))
    try:
        await run.wait()
        raise AssertionError("it should have failed")
    except pop.Failed as failed:
        failure = failed.failure
        assert (failure.operation, failure.class_, failure.code) == ("look", "user", "ExitCode"), failure
        assert failure.place == pop.Place("tests/clients/flows/gate.pop.toml", 20, 13)
        assert any("No such file" in line for line in failure.log_tail), failure.log_tail
        assert "gate.pop.toml:20:13" in str(failed)
    file.write_text("now")
    again = await run.rerun()
    events = [event async for event in again.watch()]
    assert events[0].seq == again.after + 1
    anew = events[0].again
    assert anew is not None and (anew.reset, anew.removed) == (["look"], []), anew
    started = {e.operation.name for e in events if e.operation and e.operation.state == "executing"}
    assert started == {"look"}, "what has succeeded does not run again"
    assert (await again.wait()).found.strip() == "now"
    every = await again.rerun("all")
    names = {e.operation.name async for e in every.watch() if e.operation}
    assert names == {"wait", "look"}
    assert (await (await every.rerun(["look"])).wait()).waited == 0.1
    try:
        await every.rerun()
        raise AssertionError("nothing is left to run")
    except pop.Refused as refused:
        assert refused.type == "/problems/nothing-to-run"


async def a_cancel_ends_it(server: Server, folder: Path) -> None:
    run = await gate.Client(server.url).submit(gate.Inputs(file="/nothing", seconds=600))
    async for event in run.watch():
        if event.operation and event.operation.state == "executing":
            await run.cancel()
    try:
        await run.wait()
        raise AssertionError("it should have been cancelled")
    except pop.Cancelled:
        pass


async def an_old_client_is_told(server: Server, folder: Path) -> None:
    template = json.loads(gate.WORKFLOW.template)
    async with httpx.AsyncClient() as http:
        url = f"{server.url}/v1/templates/gate"
        (await http.put(url, json=template)).raise_for_status()
        same = await gate.Client(server.url).submit(gate.Inputs(file="/nothing"))
        await same.cancel()
        schema = template["params"]["pop.inputs"]
        schema["properties"]["colour"] = {"type": "string"}
        schema["required"].append("colour")
        (await http.put(url, json=template)).raise_for_status()
        try:
            await gate.Client(server.url).submit(gate.Inputs(file="/nothing"))
            raise AssertionError("it should have been refused")
        except pop.StaleClient as stale:
            assert stale.fields == ["inputs/colour"], stale.changes
            assert stale.changes[0].verdict == "breaking" and stale.status == 409
            assert stale.server_digest != gate.WORKFLOW.digest
            assert "inputs/colour: added" in str(stale)
        (await http.delete(url)).raise_for_status()


async def findings_name_the_operation(server: Server, folder: Path) -> None:
    try:
        inputs = Inputs(source="https://x/y", title="T", rungs=[])
        await media_ladder.Client(server.url).submit(inputs)
        raise AssertionError("there is no first rung")
    except pop.Refused as refused:
        assert refused.type == "/problems/invalid-agenda"
        [first, *_] = refused.diagnostics
        assert first.operation == "sum" and first.place and first.place.file.endswith("ladder.pop.toml"), first


async def all_wrong_inputs_are_named(server: Server, folder: Path) -> None:
    wrong: dict[str, object] = {"source": 7, "rungs": [{"height": "tall", "type": "h264"}], "loud": 1, "colour": "red"}
    try:
        await media_ladder.Client(server.url).submit(cast(Inputs, wrong))
        raise AssertionError("it should have been refused")
    except pop.Refused as refused:
        pointers = {d.pointer for d in refused.diagnostics}
        assert pointers == {"", "/source", "/rungs/0/height", "/loud", "/colour"}, pointers
        assert "`title` is missing" in str(refused), refused
        assert all(f"(at {pointer})" in str(refused) for pointer in pointers if pointer), refused


async def outputs_that_do_not_fit_are_named(server: Server, folder: Path) -> None:
    good: dict[str, object] = {
        "budget": "8Gi", "first": "a", "limit": "none", "mode": "fast", "plans": ["a"], "priority": 2, "title": "t",
        "rungs": [{"height": 9007199254740993, "type": "h264"}],
    }
    rung = {"height": "tall", "type": "h264"}
    cases: list[tuple[dict[str, object], int, str | None]] = [
        ({}, 2, None),
        ({"rungs": [rung]}, 0, 'outputs.rungs[0].height should be a whole number, but is "tall"'),
        ({"rungs": [{"type": "h264"}]}, 0, "outputs.rungs[0].height is missing"),
        ({"rungs": {}}, 0, "outputs.rungs should be a list, but is {}"),
        ({"mode": "slow"}, 0, "outputs.mode should be one of 'fast', 'best', but is \"slow\""),
    ]
    for more, refused, message in cases:
        left = refused

        def answer(request: httpx.Request, outputs: object = {**good, **more}) -> httpx.Response:
            nonlocal left
            if request.url.path.endswith("/events"):
                return httpx.Response(200, text="event: end\ndata: {}\n\n")
            left -= 1
            if left >= 0:
                raise httpx.ConnectError("refused")
            return httpx.Response(200, json={"state": "succeeded", "outputs": outputs})

        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
            run = media_ladder.Client("http://pop", http).attach("ag_1")
            if message is None:
                assert (await run.wait()).rungs[0].height == 9007199254740993
                continue
            try:
                await run.wait()
                raise AssertionError("they should not fit")
            except pop.OutputsMismatch as mismatch:
                assert str(mismatch) == message, mismatch


async def nobody_is_there(server: Server, folder: Path) -> None:
    try:
        await gate.Client("http://127.0.0.1:1").submit(gate.Inputs(file="/nothing"))
        raise AssertionError("nobody is there")
    except pop.Unreachable:
        pass


TESTS: list[Callable[[Server, Path], Awaitable[None]]] = [
    outputs_are_typed,
    a_watch_goes_through_a_restart,
    an_output_of_another_type_fails_where_it_comes_from,
    a_failure_says_where_and_a_rerun_goes_on_there,
    a_cancel_ends_it,
    an_old_client_is_told,
    findings_name_the_operation,
    all_wrong_inputs_are_named,
    outputs_that_do_not_fit_are_named,
    nobody_is_there,
]


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        try:
            for test in TESTS:
                await asyncio.wait_for(test(server, Path(folder)), 60)
                print(f"python: {test.__name__} ok")
        finally:
            server.kill()


asyncio.run(main())
