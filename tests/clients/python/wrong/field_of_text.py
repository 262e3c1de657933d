"""An output that is text has no fields."""

from flows.media_ladder import Client, Inputs


async def main(client: Client) -> None:
    run = await client.submit(Inputs(source="https://x/y.mov", title="A"))
    outputs = await run.wait()
    print(outputs.title.first)  # error: reportAttributeAccessIssue
