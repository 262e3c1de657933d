"""An input that must be given is None."""

from flows.media_ladder import Client, Inputs


async def main(client: Client) -> None:
    await client.submit(
        Inputs(
            source="https://x/y.mov",
            title=None,  # error: reportArgumentType
        )
    )
