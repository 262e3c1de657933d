"""A record is expected, a dictionary is given."""

from flows.media_ladder import Client, Inputs


async def main(client: Client) -> None:
    await client.submit(
        Inputs(
            source="https://x/y.mov",
            title="A",
            notify={"class": "ops"},  # error: reportArgumentType
        )
    )
