"""One peer, in process: reads a file as its users do and makes what is submitted. Prints the best time in milliseconds.
What a program does once, such as importing the peer, is not counted."""

import sys
import time

RUNS = 5
SECONDS = 20


def miniwdl(path):
    import WDL

    return lambda: WDL.load(path)


def script(path, then):
    def run():
        names = {"__name__": "bench", "__file__": path}
        with open(path) as file:
            exec(compile(file.read(), path, "exec"), names)
        then(names)

    return run


def hera(path):
    import hera.workflows  # noqa: F401

    return script(path, lambda names: names["workflow"].to_yaml())


def kfp(path):
    from kfp import compiler

    return script(path, lambda names: compiler.Compiler().compile(names["bench"], path + ".yaml"))


if __name__ == "__main__":
    peer, path = sys.argv[1:]
    run = {"miniwdl": miniwdl, "hera": hera, "kfp": kfp}[peer](path)
    times = []
    while len(times) < RUNS and sum(times) < SECONDS:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    print(min(times) * 1000)
