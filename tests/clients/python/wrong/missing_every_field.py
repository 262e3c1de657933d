"""All inputs are missing."""

from flows.media_ladder import Client, Inputs


async def main(client: Client) -> None:
    await client.submit(Inputs())  # error: reportCallIssue
