"""An output is used as another type."""

from flows.media_ladder import Client, Inputs


async def main(client: Client) -> None:
    run = await client.submit(Inputs(source="https://x/y.mov", title="A"))
    outputs = await run.wait()
    title: int = outputs.title  # error: reportAssignmentType
    print(title)
