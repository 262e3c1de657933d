"""A field of an item of a list is missing."""

from flows.media_ladder import Client, Inputs, Rung


async def main(client: Client) -> None:
    await client.submit(
        Inputs(
            source="https://x/y.mov",
            title="A",
            rungs=[Rung(height=720)],  # error: reportCallIssue
        )
    )
