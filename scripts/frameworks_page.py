"""Write the table of `docs/frameworks.md` anew from `adalint/dialects/`: `python scripts/frameworks_page.py`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from adalint.dialects import records

if TYPE_CHECKING:
    from adalint.dialects.record import Record

PAGE = Path(__file__).resolve().parent.parent / "docs" / "frameworks.md"
TABLE = re.compile(r"(?<=<!-- table -->\n).*?(?=<!-- end -->)", re.DOTALL)
LENGTH = {
    "user": "you",
    "framework": "the framework",
    "constant": "a constant",
    "missing": "nobody",
    "unknown": "not known",
}


def row_of(record: Record) -> str:
    """Give the row of one framework."""
    where = ", ".join(
        {"yaml": "YAML", "json": "JSON", "cli": "command line", "python": "Python"}[one] for one in record.surfaces
    )
    if not record.adalora or record.driver is None or record.total_step is None:
        return f"| [{record.title}]({record.url}) | {where} | has no AdaLoRA: ADA602 | |"
    driver = {"nobody": "nobody: ADA601", "user": "your script", "unknown": "not known"}.get(record.driver.who)
    called = driver or f"the framework, per {record.driver.every}, from {record.driver.first}"
    own = " (an implementation of its own)" if record.implementation == "own" else ""
    length = record.total_step
    unit = f", in {length.unit}" if length.source == "framework" else ""
    key = f", `{length.key}`" if length.key and length.source == "framework" else ""
    return f"| [{record.title}]({record.url}){own} | {where} | {called} | {LENGTH[length.source]}{key}{unit} |"


def table() -> str:
    """Give the whole table."""
    head = "| framework | read in | who calls `update_and_allocate` | who gives `total_step` |\n|---|---|---|---|\n"
    rows = {row_of(record) for record in records() if not record.generic}
    return head + "".join(f"{row}\n" for row in sorted(rows, key=str.lower))


def page(text: str) -> str:
    """Give the page with the table in it."""
    return TABLE.sub(lambda _: table(), text)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
