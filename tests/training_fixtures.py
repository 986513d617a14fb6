"""The whole training scripts of ``fixtures/training``: read, repaired and run as people run them.

A finding is marked on its line, ``# expect: ADA402``; marks are taken away before adalint reads the text. A notebook is run cell
by cell without its magics and shell lines, a tutorial fence by fence; a project's ``train.py`` finds its modules beside it.
"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from commands import CHECKOUT
from loop_runs import MARK, Ran, _kept, _live, run
from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

FOLDER = CHECKOUT / "fixtures" / "training"
NAMES = sorted(path.name for path in (FOLDER / "fixed").iterdir())
START = "train.py"
"""The script of a project that is run."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended: the exception, if any, and ranks over all modules."""

    error: str = ""
    live: int = 0
    saved: int = 0
    budget: int = 0

    @property
    def how(self) -> str:
        """Say it in words: `reaches its budget` is what was meant."""
        if self.error:
            return f"raises {self.error}"
        if not self.saved:
            return "never prunes"
        if self.saved != self.budget:
            return "misses its budget"
        return "reaches its budget" if self.live == self.saved else "saves another model than the one in memory"


def files(name: str, side: str) -> list[Path]:
    """Give the files of one fixture, `side` being `broken` or `fixed`."""
    place = FOLDER / side / name
    return sorted(place.glob("*.py")) if place.is_dir() else [place]


def unmarked(name: str, side: str, into: Path) -> Path:
    """Copy a fixture without its marks into a new folder, and give that."""
    into.mkdir()
    for path in files(name, side):
        text = path.read_text(encoding="utf-8")
        (into / path.name).write_text(MARK.sub("", text), encoding="utf-8")
    return into


def marks(name: str) -> list[tuple[str, str, int]]:
    """List the findings that the marks of a broken fixture ask for: file, code, line."""
    return sorted(
        (path.name, code, row)
        for path in files(name, "broken")
        for row, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (match := MARK.search(line))
        for code in match[1].split()
    )


def ending(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Ending:
    """Run what lies in a folder, and look at the model in memory and at the adapter that it saved."""
    work = folder.with_name(f"{folder.name}-run")
    shutil.copytree(folder, work)
    monkeypatch.chdir(work)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "path", [str(work), *sys.path])
        modules = {path.stem for path in work.glob("*.py")}
        for module in modules:
            patch.delitem(sys.modules, module, raising=False)
        ran = run(_program(work))
        for module in modules:
            sys.modules.pop(module, None)
    return _seen(ran, work)


def _seen(ran: Ran, work: Path) -> Ending:
    if ran.error is not None:
        return Ending(type(ran.error).__name__)
    [tuner] = ran.tuners
    kept = _kept(tuner)
    [saved] = work.rglob("adapter_config.json")
    config = json.loads(saved.read_text(encoding="utf-8"))
    pattern = config["rank_pattern"] or {}
    in_memory = 0 if kept == "none" else int(kept)
    assert sum(map(sum, pattern.values())) == in_memory
    return Ending("", int(_live(tuner)), in_memory, config["target_r"] * len(pattern))


def _program(work: Path) -> str:
    [path] = [work / START] if (work / START).exists() else list(work.iterdir())
    text = path.read_text(encoding="utf-8")
    match path.suffix:
        case ".ipynb":
            return _of_cells(json.loads(text)["cells"])
        case ".md":
            fences = (token for token in MarkdownIt().parse(text) if token.type == "fence" and token.info == "python")
            return "\n".join(token.content for token in fences)
        case _:
            return text


def _of_cells(cells: list[dict[str, Any]]) -> str:
    lines = (line for cell in cells if cell["cell_type"] == "code" for line in "".join(cell["source"]).splitlines())
    return "\n".join(line for line in lines if not line.startswith(("%", "!"))) + "\n"
