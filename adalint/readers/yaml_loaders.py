"""Whether a YAML text may be read by OmegaConf (and so Hydra) or jsonargparse, to which `1e-4` is a number."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from adalint.embedded import Embedded
from adalint.readers.glances import MOST_FILES, holds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.source import Source

_UPWARD: Final = 4
"""So many folders, from the text's own up, may hold the script that reads it."""

_DOWNWARD: Final = 3
"""So many folders below the root of a project hold the scripts of it."""

_ROOT: Final = (".git", ".hg", "pyproject.toml", "setup.py", "setup.cfg")
_ENVIRONMENTS: Final = frozenset({"venv", "env", "node_modules", "site-packages", "build", "dist"})
_HYDRA: Final = re.compile(
    rb"^[ \t]*#[ \t]*@package\b|^defaults[ \t]*:[ \t]*(?:\[|(?:#[^\n]*)?(?:\r?\n[ \t]*(?:#[^\n]*)?)*-\s)", re.MULTILINE
)
"""What only Hydra's YAML has: the package that a file goes to, and a list of what it is made of."""

_PYTHON_SIGN: Final = re.compile(
    rb"^[ \t]*(?:import|from)[ \t]+(?:hydra|omegaconf|jsonargparse)\b|\bLightningCLI\b", re.MULTILINE
)


def may_read_exponents(source: Source) -> bool:
    """Tell whether a text, what holds it, or a file near it shows a loader that reads exponents as numbers."""
    if b"${" in source.content or _HYDRA.search(source.content):
        return True
    if isinstance(source, Embedded) and _PYTHON_SIGN.search(source.host.content):
        return True
    path = Path(source.path)
    try:
        return path.is_file() and any(_shows_it(one) for one in _near(path.resolve().parent))
    except (OSError, ValueError):
        return False


def _near(folder: Path) -> Iterator[Path]:
    """Give the YAML and Python in a folder and those around it, and the scripts of the project around them."""
    for around in [folder, *folder.parents][:_UPWARD]:
        names = _names_in(around)
        texts = [name for name in names if name.endswith((".yaml", ".yml", ".py"))]
        yield from (around / name for name in texts[:MOST_FILES])
        if any(name in names for name in _ROOT):
            yield from _scripts_below(around)
            return


def _names_in(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _scripts_below(root: Path) -> Iterator[Path]:
    left = MOST_FILES
    for place, folders, names in os.walk(root):
        depth = len(Path(place).relative_to(root).parts)
        inner = [one for one in folders if not one.startswith(".") and one not in _ENVIRONMENTS]
        folders[:] = sorted(inner) if depth < _DOWNWARD else []
        for name in sorted(names):
            if name.endswith(".py"):
                left -= 1
                if left < 0:
                    return
                yield Path(place, name)


def _shows_it(path: Path) -> bool:
    return holds(path, _PYTHON_SIGN if path.suffix == ".py" else _HYDRA)
