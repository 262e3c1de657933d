"""Calls that are right, in every way that inputs and outputs can be used."""

from flows import gate, greet, media_ladder, pop
from flows.media_ladder import Contact, Crop, Inputs, Node, Rung


async def ladder(url: str) -> str:
    async with media_ladder.Client(url) as client:
        await client.submit(Inputs(source="https://x/y.mov", title="least"))
        inputs = Inputs(
            source="https://x/y.mov",
            title="most",
            rungs=[Rung(height=720, type_="h264"), Rung(height=1080, type_="h265", bitrate=3_000_000)],
            mode="best",
            priority=3,
            labels={"team": "video"},
            token="secret",
            limit="none",
            notify=Contact(class_="ops", mail="ops@example.com"),
            budget=8_000_000,
            crop=Crop(left=0, top=10),
            max_wait="5m",
            tree=Node(name="a", all=[Node(name="b", all=[])], left=Node(name="c", all=[])),
            loud=True,
        )
        run: media_ladder.Run = await client.submit(inputs, idempotency_key="k", customer="acme")
        async for event in run.watch():
            name = event.operation.name if event.operation else None
            print(event.seq, event.state, event.percent, name, event.operation and event.operation.place)
        outputs: media_ladder.Outputs = await run.wait()
        contact = outputs.contact.class_ if outputs.contact else "nobody"
        heights = [rung.height for rung in outputs.rungs]
        return f"{outputs.first} {outputs.limit} {heights} {contact} {outputs.shout or ''}"


async def others(url: str) -> int:
    hello = await greet.Client(url).submit(greet.Inputs())
    outputs = await hello.wait()
    run = await gate.Client(url).submit(gate.Inputs(file="/tmp/x"))
    try:
        await run.wait()
    except pop.StaleClient as stale:
        print(stale.fields, stale.changes)
    except pop.Failed as failed:
        print(failed.failure.class_, failed.failure.place)
    except pop.Cancelled:
        await run.cancel()
    await run.rerun()
    await run.rerun("all")
    await run.rerun(["look"])
    return len(outputs.text) + outputs.count
