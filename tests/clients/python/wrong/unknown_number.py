"""Not one of the numbers that are possible."""

from flows.media_ladder import Client, Inputs


async def main(client: Client) -> None:
    await client.submit(
        Inputs(
            source="https://x/y.mov",
            title="A",
            priority=4,  # error: reportArgumentType
        )
    )
