"""Write `docs/dialect-record.md` anew from the model of a record: `python scripts/dialect_record_page.py`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from adalint.dialects.record_schema import record_schema

PAGE = Path(__file__).resolve().parent.parent / "docs" / "dialect-record.md"
HEAD = """# Records of dialects

What a file of `adalint/dialects/` may say; [CONTRIBUTING.md](../CONTRIBUTING.md) takes you through one. `adalint schema
dialect` prints the same as a JSON Schema, by which an editor completes and checks a record. Conditions and expressions
are those of rule pages. Where no default is shown, what is not written says nothing.

This page is made of `adalint/dialects/record.py` and `tables.py` by `python scripts/dialect_record_page.py`.
"""


def page() -> str:
    """Give the whole page: the keys of the record, then its tables in their order."""
    schema = record_schema()
    tables = schema["$defs"]
    sections = [_section("A record", schema)]
    for key, field in schema["properties"].items():
        name = _table_of(field)
        if name == "Target":
            sections.append(_section("A value of `[keys]`", tables[name]))
        elif name is not None:
            many = field.get("type") == "array"
            sections.append(_section(f"`[[{key}]]`" if many else f"`[{key}]`", tables[name]))
        if name == "Python":
            sections.append(_section("An item of `dicts` in `[python]`", tables["DictOf"]))
    return HEAD + "".join(sections)


def _section(title: str, table: dict[str, Any]) -> str:
    needed = table.get("required", ())
    rows = [
        f"| `{key}` | {_kind(field)} | {'must be written' if key in needed else _default(field)} | {_said(field)} |\n"
        for key, field in table["properties"].items()
    ]
    said = " ".join(table["description"].split())
    return f"\n## {title}\n\n{said}\n\n| key | value | default | meaning |\n|---|---|---|---|\n{''.join(rows)}"


def _said(field: dict[str, Any]) -> str:
    return str(field["description"]).replace("|", "\\|")


def _kind(field: dict[str, Any]) -> str:
    if "enum" in field:
        return ", ".join(f"`{json.dumps(one)}`" for one in field["enum"])
    if "anyOf" in field:
        kinds = [_kind(one) for one in field["anyOf"] if one.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "$ref" in field:
        return "a table"
    match field.get("type"):
        case "array":
            tables = "tables" if _table_of(field) or field["items"].get("type") == "object" else "a list"
            return tables if "enum" not in field["items"] else f"a list of {_kind(field['items'])}"
        case "object":
            return "a table"
        case "boolean":
            return "`true`, `false`"
        case "integer":
            return "a number"
    return "text"


def _default(field: dict[str, Any]) -> str:
    default = field.get("default")
    return "" if default in (None, [], "", [""]) or isinstance(default, dict) else f"`{json.dumps(default)}`"


def _table_of(field: dict[str, Any]) -> str | None:
    """Name the class that a field holds, if it is one."""
    inner = [field, *field.get("anyOf", ()), *(field[one] for one in ("items", "additionalProperties") if one in field)]
    inner += [one for part in inner[1:] for one in part.get("anyOf", ())]
    return next((one["$ref"].rpartition("/")[2] for one in inner if "$ref" in one), None)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
