"""Text is expected, a number is given."""

from flows.media_ladder import Client, Inputs


async def main(client: Client) -> None:
    await client.submit(
        Inputs(
            source="https://x/y.mov",
            title=5,  # error: reportArgumentType
        )
    )
