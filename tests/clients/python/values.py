"""Reads outputs with the clients of random workflows, and writes them again: nothing is refused or lost that is one.

values.py CASES, in the folder of the package `chance`.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any


def holds(written: Any, value: Any) -> bool:
    """Whether these are the same; what is null and what is not there are."""
    if isinstance(written, dict) and isinstance(value, dict):
        return all(holds(written.get(key), value.get(key)) for key in {*written, *value})
    if isinstance(written, list) and isinstance(value, list):
        return len(written) == len(value) and all(map(holds, written, value))
    return bool(written == value) and isinstance(written, bool) == isinstance(value, bool)


sys.path.insert(0, ".")
wrong = read_at_all = 0
for line in open(sys.argv[1], encoding="utf-8"):
    row = json.loads(line)
    case = row["case"]
    client = importlib.import_module(f"chance.{row['module']['python']}")
    shared = importlib.import_module("chance.pop")
    to_json = importlib.import_module("chance._json").to_json
    try:
        outputs = client.WORKFLOW.outputs(case["value"], "outputs")
        told = "reads it"
    except shared.OutputsMismatch as error:
        outputs, told = None, str(error)
    reads = outputs is not None
    read_at_all += reads
    lost = case["strict"] and reads and not holds(to_json(outputs), case["value"])
    if reads != case["reads"] or lost:
        wrong += 1
        print(f"{row['module']['python']}: {'loses something' if lost else told}: {line.strip()}")
if wrong or not read_at_all:
    sys.exit(f"python: {wrong} outputs are read otherwise than they should be")
print(f"python: {read_at_all} random outputs read, the others refused")
