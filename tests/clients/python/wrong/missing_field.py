"""An input that must be given is missing."""

from flows.media_ladder import Client, Inputs


async def main(client: Client) -> None:
    await client.submit(Inputs(source="https://x/y.mov"))  # error: reportCallIssue
