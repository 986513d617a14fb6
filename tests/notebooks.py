"""Making notebooks as people and tools write them."""

from __future__ import annotations

import json
import re
from typing import Any

import nbformat

from adalint.source import Kind, Source

PYTHON = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}


def code(source: str | list[str], **more: Any) -> dict[str, Any]:
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source, **more}


def prose(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def lines(text: str) -> list[str]:
    """Give a text as Jupyter lists it: a string for each line, with its end."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def document(*cells: dict[str, Any] | str, metadata: dict[str, Any] = PYTHON) -> dict[str, Any]:
    made = [code(lines(cell)) if isinstance(cell, str) else cell for cell in cells]
    return {"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 4}


def written(*cells: dict[str, Any] | str, metadata: dict[str, Any] = PYTHON, **style: Any) -> str:
    style = {"indent": 1, "ensure_ascii": False, **style}
    return json.dumps(document(*cells, metadata=metadata), **style) + "\n"


def notebook(*cells: dict[str, Any] | str, **options: Any) -> Source:
    return Source.decode("x.ipynb", Kind.NOTEBOOK, written(*cells, **options).encode())


def sources(raw: bytes | str) -> list[str]:
    """Give the sources of all cells as nbformat reads them, which must find the notebook valid."""
    text = raw.decode("utf-8-sig") if isinstance(raw, bytes) else raw
    nbformat.validate(json.loads(text))
    return [cell.source for cell in nbformat.reads(text, as_version=4).cells]
