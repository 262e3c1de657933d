"""Submits the media ladder with its generated client, shows how far it is, and prints the outputs. Ctrl-C cancels it.

    python submit.py http://127.0.0.1:7070 clip.pgm published
"""

import asyncio
import sys
from pathlib import Path

from flows import pop
from flows.media_ladder import Client, Inputs, Run, Rung


async def main(server: str, source: str, target: str) -> int:
    inputs = Inputs(
        source=str(Path(source).absolute()),
        target=str(Path(target).absolute()),
        title="a wandering bar",
        ladder=[Rung(height=36, greys=64), Rung(height=24, greys=32), Rung(height=18, greys=16)],
    )
    async with Client(server) as client:
        run = await client.submit(inputs)
        print("submitted", run.id)
        try:
            await show(run)
        except asyncio.CancelledError:  # Ctrl-C
            await run.cancel()
        try:
            outputs = await run.wait()
        except pop.Cancelled:
            print("cancelled", file=sys.stderr)
            return 4
        except pop.Failed as failed:
            print(failed, file=sys.stderr)
            return 3
    print(outputs.frames, "pictures in", len(outputs.renditions), "sizes")
    print("published:", outputs.manifest or "nothing, for nothing moves")
    return 0


async def show(run: Run) -> None:
    """A line for everything that happens to an operation."""
    async for event in run.watch():
        if operation := event.operation:
            said = f"{operation.name}  {operation.state}  {operation.message or ''}"
            print(f"{event.percent:3.0f} %  {said}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("say URL SOURCE TARGET")
    sys.exit(asyncio.run(main(*sys.argv[1:])))
