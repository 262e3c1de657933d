"""Outputs come later."""

from flows.media_ladder import Client, Inputs


async def main(client: Client) -> None:
    run = await client.submit(Inputs(source="https://x/y.mov", title="A"))
    print(run.wait().title)  # error: reportAttributeAccessIssue
