#!/usr/bin/env python3
"""Compares the objects of two files of manifests, so that the kustomize overlays and the Helm chart cannot drift.

    deploy/same.py KUSTOMIZE HELM NAMESPACE

Every field counts, except what each tool adds by itself: Helm's labels, the checksum of settings, the suffix of names
that kustomize generates, the content of Secrets, and the namespace that a Helm release is installed into.
"""

import difflib
import re
import sys

import yaml

GENERATED = re.compile(r"^(pop-(?:pool|report-tls)[a-z-]*)-[a-z0-9]{10}$")
LABELS = {"helm.sh/chart", "app.kubernetes.io/managed-by"}


def plain(value):
    """The value without suffixes of generated names."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, str):
        return GENERATED.sub(r"\1", value)
    return value


def essence(document):
    document = plain(document)
    metadata = document["metadata"]
    metadata["labels"] = {k: v for k, v in metadata.get("labels", {}).items() if k not in LABELS}
    template = document.get("spec", {}).get("template", {}).get("metadata", {})
    template.get("annotations", {}).pop("checksum/settings", None)
    if template.get("annotations") == {}:
        del template["annotations"]
    if document["kind"] == "Secret":
        document["data"] = sorted(document["data"])
    return document


def objects(path, namespace):
    found = {}
    with open(path) as file:
        for document in filter(None, yaml.safe_load_all(file)):
            document = essence(document)
            key = (document["kind"], document["metadata"].get("namespace", ""), document["metadata"]["name"])
            if key in found:
                sys.exit(f"{path}: {key} stands there twice")
            if key != ("Namespace", "", namespace):
                found[key] = yaml.safe_dump(document, sort_keys=True)
    return found


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    left, right = objects(sys.argv[1], sys.argv[3]), objects(sys.argv[2], sys.argv[3])
    same = True
    for key in sorted(left.keys() | right.keys()):
        a, b = left.get(key, ""), right.get(key, "")
        if a != b:
            same = False
            print("\n".join(difflib.unified_diff(
                a.splitlines(), b.splitlines(), f"{'/'.join(key)} of kustomize", f"{'/'.join(key)} of Helm", lineterm="")))
    if not same or not left:
        sys.exit("error: kustomize and Helm make different objects. Change both")
    print(f"{len(left)} objects are the same")


main()
