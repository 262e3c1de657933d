"""A field that may be missing is used as a number."""

from flows.media_ladder import Client, Inputs


async def main(client: Client) -> None:
    run = await client.submit(Inputs(source="https://x/y.mov", title="A"))
    outputs = await run.wait()
    bitrate: int = outputs.rungs[0].bitrate  # error: reportAssignmentType
    print(bitrate)
