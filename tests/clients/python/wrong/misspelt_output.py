"""The name of an output is misspelt."""

from flows.media_ladder import Client, Inputs


async def main(client: Client) -> None:
    run = await client.submit(Inputs(source="https://x/y.mov", title="A"))
    outputs = await run.wait()
    print(outputs.plan)  # error: reportAttributeAccessIssue
