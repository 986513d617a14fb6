"""Whether another text calls the allocator, so that this one need not: of the same package, of the same tutorial."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from adalint.embedded import Embedded
from adalint.readers.glances import MOST_FILES, holds
from adalint.readers.python_syntax import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.source import Source

_SIGN: Final = b"update_and_allocate"
_NAMED: Final = re.compile(_SIGN)
_CLASS: Final = b"AdaLoraConfig("


def allocates_nearby(source: Source) -> bool:
    """Tell whether a file of the package, or one that is imported from the same folder, names the allocator.

    In Markdown another block may show it; not one with a configuration of its own, which is another example.
    """
    if isinstance(source, Embedded) and any(_SIGN in text and _CLASS not in text for text in source.beside):
        return True
    path = Path(source.path)
    if not path.parent.is_dir():
        return False
    if (path.parent / "__init__.py").is_file():
        return any(holds(other, _NAMED) for other in _package(path.parent) if other != path)
    return any(holds(other, _NAMED) for other in _imported(source, path.parent) if other != path)


def _package(folder: Path) -> Iterator[Path]:
    """Give the modules of the outermost package around a folder."""
    while (folder.parent / "__init__.py").is_file():
        folder = folder.parent
    for number, path in enumerate(sorted(folder.rglob("*.py"))):
        if number >= MOST_FILES:
            return
        yield path


def _imported(source: Source, folder: Path) -> Iterator[Path]:
    """Give the modules beside a script that it imports."""
    for node in ast.walk(parse(source)):
        match node:
            case ast.Import(names=names):
                modules = [one.name for one in names]
            case ast.ImportFrom(module=str(module)):
                modules = [module]
            case _:
                continue
        for module in modules:
            here = folder.joinpath(*module.split("."))
            yield from (path for path in (here.with_suffix(".py"), here / "__init__.py") if path.is_file())
            if here.is_dir():
                yield from sorted(here.glob("*.py"))
