"""An output that may be missing is used as if it were always there."""

from flows.media_ladder import Client, Inputs


async def main(client: Client) -> None:
    run = await client.submit(Inputs(source="https://x/y.mov", title="A"))
    outputs = await run.wait()
    print(outputs.shout.upper())  # error: reportOptionalMemberAccess
