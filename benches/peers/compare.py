"""Measures POP and its peers on the same graphs, and writes a table. See run.sh."""

import json
import os
import platform
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from textwrap import wrap

from graphs import ENDINGS, GRAPHS

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
WORK = Path("target/peers")
POPC = Path("target/release/popc")
LIMIT = 180  # seconds for one process
CARGO = os.environ.get("CARGO", "cargo").split()


def command(tool, path):
    """What a user types to check or to compile the file."""
    return {
        "pop": [POPC, "check", path],
        "miniwdl": [BIN / "miniwdl", "check", "--suppress", "CommandShellCheck", path],
        "hera": [BIN / "python", path],
        "kfp": [BIN / "kfp", "dsl", "compile", "--py", path, "--output", f"{path}.yaml"],
    }[tool]


class Failed(Exception):
    pass


def run(arguments):
    """Seconds and standard output."""
    start = time.perf_counter()
    try:
        ended = subprocess.run([str(a) for a in arguments], capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        raise Failed(f"over {LIMIT} s") from None
    taken = time.perf_counter() - start
    if ended.returncode != 0:
        lines = [line for line in ended.stderr.splitlines() if line.strip()] or [f"exit code {ended.returncode}"]
        raise Failed("fails: " + lines[-1].strip().replace("|", "/")[:80])
    return taken, ended.stdout


def as_process(tool, path):
    """The best of some runs: other programs only ever add to one."""
    times = []
    while len(times) < 10 and sum(times) < 15:
        times.append(run(command(tool, path))[0])
    return min(times) * 1000


def bench():
    """The program of the benchmark `compile`, which tells a time too."""
    build = [*CARGO, "build", "--quiet", "--release", "-p", "pop-compiler", "--bench", "compile"]
    made = subprocess.run([*build, "--message-format", "json"], capture_output=True, text=True, check=True)
    messages = [json.loads(line) for line in made.stdout.splitlines()]
    return next(m["executable"] for m in messages if m.get("executable") and m["target"]["name"] == "compile")


def in_process(tool, path, shape, n):
    if tool == "pop":
        return float(run([BENCH, "--time", shape, "toml", n])[1])
    return float(run([sys.executable, HERE / "inside.py", tool, path])[1].splitlines()[-1])


def shown(measure):
    try:
        taken = measure()
    except Failed as why:
        return str(why)
    return f"{taken:.1f} ms" if taken < 100 else f"{taken:,.0f} ms"


def machine():
    with open("/proc/cpuinfo") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    model = models[0] if models else platform.processor()
    return f"{os.cpu_count()} cores ({model}), {platform.system()}, Python {platform.python_version()}"


def rows(sizes):
    for shape in ["chain", "wide"]:
        for n in sizes:
            for tool in GRAPHS:
                path = WORK / f"{shape}_{n}_{tool}{ENDINGS[tool]}"
                path.write_text("".join(GRAPHS[tool](shape, n)))
                inside = shown(lambda: in_process(tool, path, shape, n))
                outside = shown(lambda: as_process(tool, path))
                print(f"{shape} {n} {tool}: {inside} in process, {outside} as a process", file=sys.stderr, flush=True)
                yield f"| {shape} | {n:,} | {tool} | {inside} | {outside} |"


def table(sizes):
    versions = ", ".join(f"{peer} {version(peer)}" for peer in ["miniwdl", "hera", "kfp"])
    popc = run([POPC, "--version"])[1].strip()
    floor = shown(lambda: min(run(["true"])[0] for _ in range(20)) * 1000)
    return "\n".join([
        "# The same graph in other workflow languages",
        "",
        "`benches/peers/run.sh` writes this file; `graphs.py` has the graphs. Each figure is the best of up to ten"
        " runs.",
        "",
        f"- Machine: {machine()}; other programs ran at the same time.",
        f"- Versions: {popc}, {versions}.",
        f"- Floor: starting a program that does nothing takes {floor}.",
        "",
        *wrap(
            "*In process* is the time from the text to the submitted document (miniwdl: to a checked document). It"
            " excludes the start of the program and the import of the library. *As a process* is `popc check`, `miniwdl"
            " check` without its check of shell commands, `python file.py` for hera and `kfp dsl compile`. The checks differ: POP and miniwdl check names"
            " and types of every reference, kfp checks the types of connected values, hera checks the shape of each"
            " object.",
            118,
        ),
        "",
        "| shape | operations | tool | in process | as a process |",
        "| --- | ---: | --- | ---: | ---: |",
        *rows(sizes),
        "",
    ])


if __name__ == "__main__":
    BENCH = bench()
    WORK.mkdir(parents=True, exist_ok=True)
    if "--quick" in sys.argv:
        print(table([10, 100]))
    else:
        (HERE / "RESULTS.md").write_text(table([10, 100, 1_000, 5_000]))
