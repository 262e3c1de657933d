"""Not one of the words that are possible, inside a list."""

from flows.media_ladder import Client, Inputs, Rung


async def main(client: Client) -> None:
    await client.submit(
        Inputs(
            source="https://x/y.mov",
            title="A",
            rungs=[Rung(height=720, type_="vp9")],  # error: reportArgumentType
        )
    )
