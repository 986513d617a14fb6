"""The JSON Schema of a dialect record, for editors and for `docs/dialect-record.md`: the model with its docstrings."""

from __future__ import annotations

import ast
import inspect
from typing import TYPE_CHECKING, Any, Final

from adalint.dialects import record, tables

if TYPE_CHECKING:
    from collections.abc import Mapping

_TARGET: Final = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/Target"}]}


def record_schema() -> dict[str, Any]:
    """Give the schema, each key with the sentences that stand below it in the model."""
    schema = record.Record.model_json_schema()
    # What the model accepts in short forms, which it does not tell itself.
    schema["properties"]["keys"]["additionalProperties"] = {
        "anyOf": [*_TARGET["anyOf"], {"type": "array", "items": _TARGET, "minItems": 1}]
    }
    for name, table in {**schema["$defs"], "Record": schema}.items():
        for key, said in _docstrings()[name].items():
            table["properties"][key] = {"description": said, **table["properties"][key]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Dialect record of adalint"}


def _docstrings() -> Mapping[str, Mapping[str, str]]:
    """Give what stands below each field of each class, by the names of TOML."""
    found: dict[str, dict[str, str]] = {}
    for module in (tables, record):
        for node in ast.parse(inspect.getsource(module)).body:
            if isinstance(node, ast.ClassDef):
                found[node.name] = dict(_pairs(node))
    return found


def _pairs(node: ast.ClassDef) -> list[tuple[str, str]]:
    pairs = []
    for field, below in zip(node.body, node.body[1:], strict=False):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                pairs.append((name.replace("_", "-"), " ".join(text.split())))
    return pairs
