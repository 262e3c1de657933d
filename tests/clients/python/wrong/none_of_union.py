"""None of the types that are possible."""

from flows.media_ladder import Client, Inputs


async def main(client: Client) -> None:
    await client.submit(
        Inputs(
            source="https://x/y.mov",
            title="A",
            budget=1.5,  # error: reportArgumentType
        )
    )
