"""There is no such input."""

from flows.media_ladder import Client, Inputs


async def main(client: Client) -> None:
    await client.submit(
        Inputs(
            source="https://x/y.mov",
            title="A",
            colour="red",  # error: reportCallIssue
        )
    )
