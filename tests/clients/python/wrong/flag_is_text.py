"""True or False is expected, text is given."""

from flows.media_ladder import Client, Inputs


async def main(client: Client) -> None:
    await client.submit(
        Inputs(
            source="https://x/y.mov",
            title="A",
            loud="yes",  # error: reportArgumentType
        )
    )
