"""In which form a file holds command lines, by its name."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adalint.source import Source


class Form(StrEnum):
    """What a text of kind shell is."""

    SCRIPT = "script"
    MAKEFILE = "makefile"
    DOCKERFILE = "dockerfile"


def form_of(source: Source) -> Form:
    """Tell the form of a text by the name of its file."""
    name = source.name.lower()
    if name.endswith((".mk", ".make")) or name in {"makefile", "gnumakefile"}:
        return Form.MAKEFILE
    if name.endswith(".dockerfile") or name.split(".", 1)[0] in {"dockerfile", "containerfile"}:
        return Form.DOCKERFILE
    return Form.SCRIPT
