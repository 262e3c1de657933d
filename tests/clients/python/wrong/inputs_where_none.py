"""The workflow takes no inputs."""

from flows.greet import Client, Inputs


async def main(client: Client) -> None:
    await client.submit(Inputs(name="you"))  # error: reportCallIssue
