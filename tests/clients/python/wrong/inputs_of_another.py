"""The inputs of another workflow."""

from flows.gate import Inputs
from flows.media_ladder import Client


async def main(client: Client) -> None:
    await client.submit(Inputs(file="/tmp/x"))  # error: reportArgumentType
