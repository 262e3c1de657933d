"""A run has no such state."""

from flows.media_ladder import Client, Inputs


async def main(client: Client) -> None:
    run = await client.submit(Inputs(source="https://x/y.mov", title="A"))
    async for event in run.watch():
        if event.state == "done":  # error: reportUnnecessaryComparison
            break
