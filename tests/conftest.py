"""What several test files stand on."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from commands import CHECKOUT, succeed
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

# The same cases at every run, so that a red run is about the change that it runs on; `--hypothesis-profile=search`
# draws new ones.
settings.register_profile("repeat", derandomize=True)
settings.register_profile("search", derandomize=False)
settings.load_profile("repeat")

LEFT_OUT = (
    "*.egg-info",
    "__pycache__",
    "node_modules",
    ".*_cache",
    ".hypothesis",
    ".venv",
    ".ci-venv",
    "dist",
    "build",
    ".git",
)


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what git tracks or would track, or of an unpacked sdist, so that a build leaves nothing in this one."""
    copy = tmp_path_factory.mktemp("checkout") / "adalint"
    if not (CHECKOUT / ".git").exists():
        return Path(shutil.copytree(CHECKOUT, copy, ignore=shutil.ignore_patterns(*LEFT_OUT)))
    listed = succeed("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=CHECKOUT)
    for name in filter(None, listed.split("\0")):
        if (CHECKOUT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, copy / name)
    return copy


@pytest.fixture(scope="session")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """An editor that has a language server running, for tests with documents of their own."""
    from server_session import Editor

    started = Editor(tmp_path_factory.mktemp("workspace"))
    yield started
    started.close()
