"""Not every event is about an operation."""

from flows.media_ladder import Client, Inputs


async def main(client: Client) -> None:
    run = await client.submit(Inputs(source="https://x/y.mov", title="A"))
    async for event in run.watch():
        print(event.operation.name)  # error: reportOptionalMemberAccess
