"""Inputs go by name: two texts in the wrong order would not be seen."""

from flows.media_ladder import Client, Inputs


async def main(client: Client) -> None:
    await client.submit(Inputs("https://x/y.mov", "A"))  # error: reportCallIssue
