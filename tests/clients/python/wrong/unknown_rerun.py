"""There is no such way to run again."""

from flows.media_ladder import Client, Inputs


async def main(client: Client) -> None:
    run = await client.submit(Inputs(source="https://x/y.mov", title="A"))
    await run.rerun("everything")  # error: reportArgumentType
