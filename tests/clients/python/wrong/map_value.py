"""The values of a map have a type, too."""

from flows.media_ladder import Client, Inputs


async def main(client: Client) -> None:
    await client.submit(
        Inputs(
            source="https://x/y.mov",
            title="A",
            labels={"team": 7},  # error: reportArgumentType
        )
    )
