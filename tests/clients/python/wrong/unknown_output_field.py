"""An output has no such field."""

from flows.media_ladder import Client, Inputs


async def main(client: Client) -> None:
    run = await client.submit(Inputs(source="https://x/y.mov", title="A"))
    outputs = await run.wait()
    print(outputs.rungs[0].width)  # error: reportAttributeAccessIssue
