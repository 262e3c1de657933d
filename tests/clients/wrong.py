"""Compares what a checker found with what the wrong programs say that it finds.

A line of a wrong program that a checker must refuse ends with `error: CODE` in a comment. Every such line must be found
with that code, and nothing may be found on another line.

    tsc --pretty false … | wrong.py FOLDER tsc
    pyright --outputjson … | wrong.py FOLDER pyright
    rustc --error-format=json … | wrong.py FOLDER rustc
"""

import json
import re
import sys
from pathlib import Path

LEAST = 25


def tsc(text: str) -> set[tuple[str, int, str]]:
    found = re.findall(r"^(\S+)\((\d+),\d+\): error (\w+)", text, re.MULTILINE)
    return {(Path(file).name, int(line), code) for file, line, code in found}


def pyright(text: str) -> set[tuple[str, int, str]]:
    rows = json.loads(text)["generalDiagnostics"]
    return {(Path(r["file"]).name, r["range"]["start"]["line"] + 1, r.get("rule", "none")) for r in rows}


def rustc(text: str) -> set[tuple[str, int, str]]:
    rows = [json.loads(line) for line in text.splitlines()]
    return {
        (Path(span["file_name"]).name, span["line_start"], (row["code"] or {}).get("code", "none"))
        for row in rows
        if row["level"] == "error"
        for span in row["spans"]
        if span["is_primary"]
    }


def expected(folder: Path) -> dict[str, set[tuple[str, int, str]]]:
    files = {}
    for path in sorted(p for p in folder.iterdir() if p.suffix in (".ts", ".py", ".rs")):
        lines = enumerate(path.read_text().splitlines(), 1)
        marks = [(n, re.search(r"(?://|#) error: (\w+)$", line)) for n, line in lines]
        files[path.name] = {(path.name, n, mark[1]) for n, mark in marks if mark}
    return files


def main() -> int:
    folder, checker = Path(sys.argv[1]), sys.argv[2]
    found = {"tsc": tsc, "pyright": pyright, "rustc": rustc}[checker](sys.stdin.read())
    files = expected(folder)
    wanted = set().union(*files.values())
    faults = [f"{file}:{line}: {code} is not found" for file, line, code in sorted(wanted - found)]
    places = {(file, line) for file, line, _ in wanted}
    others = sorted(mark for mark in found if mark[:2] not in places)
    faults += [f"{file}:{line}: {code} is found, but not expected" for file, line, code in others]
    faults += [f"{file}: nothing is expected of it" for file, marks in files.items() if not marks]
    if len(files) < LEAST:
        faults.append(f"{folder} has {len(files)} programs; at least {LEAST} are wanted")
    for fault in faults:
        print(fault, file=sys.stderr)
    if not faults:
        print(f"{len(files)} wrong programs, each refused by {checker} where it is wrong")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
