"""A field of a type that holds itself is missing."""

from flows.media_ladder import Client, Inputs, Node


async def main(client: Client) -> None:
    await client.submit(
        Inputs(
            source="https://x/y.mov",
            title="A",
            tree=Node(name="a", all=[], left=Node(name="b")),  # error: reportCallIssue
        )
    )
