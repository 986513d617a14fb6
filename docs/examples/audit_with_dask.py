"""Audit very many AdaLoRA adapters with Dask, and print a table of what is wrong with them.

    pip install adalint 'dask[bag,distributed]'
    python audit_with_dask.py /models                              # a cluster of this machine
    python audit_with_dask.py /models --scheduler tcp://head:8786  # one that is there already

Each worker must see the files under the same paths. Only configurations and the headers of weights are read.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from typing import TYPE_CHECKING

import dask.bag
from distributed import Client

import adalint

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = {
    "never allocated": {"ADA501"},
    "cannot be loaded": {"ADA502", "ADA504", "ADA505"},
    "budget not reached": {"ADA503"},
    "emptied": {"ADA508"},
}


def adapters_under(root: str) -> Iterator[str]:
    """Give the path of every `adapter_config.json` below a folder, links into a cache included."""
    for folder, _, files in os.walk(root):
        if "adapter_config.json" in files:
            yield os.path.join(folder, "adapter_config.json")


def judge(path: str) -> list[str]:
    """Say of one configuration whether it is a trained AdaLoRA adapter, and what is wrong with it."""
    try:
        with open(path, "rb") as file:
            text = file.read()
    except OSError:
        return ["unreadable"]
    if b'"ADALORA"' not in text:
        return []
    codes = {finding.code for finding in adalint.check_text(text, filename=path).findings}
    kinds = [kind for kind, rules in KINDS.items() if codes & rules]
    return ["adapters", *(kinds or ["nothing found"])]


def audit(root: str, per_task: int = 500) -> Counter[str]:
    """Count what is wrong with all adapters below a folder, on the workers of the current client."""
    paths = list(adapters_under(root))
    bag = dask.bag.from_sequence(paths, partition_size=per_task)
    return Counter(dict(bag.map(judge).flatten().frequencies().compute()))


def table(counts: Counter[str]) -> str:
    """Write the counts with their share of all adapters."""
    total = counts["adapters"]
    lines = [f"{'AdaLoRA adapters':<20}{total:>10,}"]
    for kind in (*KINDS, "nothing found"):
        share = counts[kind] / total if total else 0.0
        lines.append(f"{kind:<20}{counts[kind]:>10,}{share:>8.1%}")
    if counts["unreadable"]:
        lines.append(f"{'unreadable':<20}{counts['unreadable']:>10,}")
    return "\n".join(lines)


def main() -> None:
    """Run the audit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root")
    parser.add_argument("--scheduler", help="the address of a cluster; by default one is started on this machine")
    arguments = parser.parse_args()
    with Client(arguments.scheduler) as client:
        print(table(audit(arguments.root)))
        print(f"{len(client.scheduler_info()['workers'])} workers")


if __name__ == "__main__":
    main()
