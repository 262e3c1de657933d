"""The name of an option is misspelt."""

from flows.media_ladder import Client, Inputs


async def main(client: Client) -> None:
    await client.submit(Inputs(source="https://x/y.mov", title="A"), idempotencykey="k")  # error: reportCallIssue
