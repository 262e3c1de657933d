"""Outputs are not to be changed."""

from flows.media_ladder import Client, Inputs


async def main(client: Client) -> None:
    run = await client.submit(Inputs(source="https://x/y.mov", title="A"))
    outputs = await run.wait()
    outputs.title = "B"  # error: reportAttributeAccessIssue
