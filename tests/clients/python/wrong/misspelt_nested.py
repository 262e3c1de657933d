"""The name of a field inside a list is misspelt."""

from flows.media_ladder import Client, Inputs, Rung


async def main(client: Client) -> None:
    await client.submit(
        Inputs(
            source="https://x/y.mov",
            title="A",
            rungs=[Rung(height=720, type_="h264", bitrat=1)],  # error: reportCallIssue
        )
    )
