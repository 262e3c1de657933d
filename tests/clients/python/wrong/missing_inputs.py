"""The inputs themselves are missing."""

from flows.media_ladder import Client


async def main(client: Client) -> None:
    await client.submit()  # error: reportCallIssue
