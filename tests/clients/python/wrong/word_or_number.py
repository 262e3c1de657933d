"""A number or one word; not another word."""

from flows.media_ladder import Client, Inputs


async def main(client: Client) -> None:
    await client.submit(
        Inputs(
            source="https://x/y.mov",
            title="A",
            limit="all",  # error: reportArgumentType
        )
    )
