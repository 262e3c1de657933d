"""There is no such output."""

from flows.media_ladder import Client, Inputs


async def main(client: Client) -> None:
    run = await client.submit(Inputs(source="https://x/y.mov", title="A"))
    outputs = await run.wait()
    print(outputs.manifest)  # error: reportAttributeAccessIssue
