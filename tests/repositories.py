"""Real git repositories for tests."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

WHO = {f"GIT_{role}_{what}": "tester@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
ENVIRONMENT = {**os.environ, **WHO, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}


def git(*arguments: str | bytes, cwd: Path | str = ".") -> str:
    """Run git to its end, untouched by settings of whoever runs the tests; it must succeed."""
    done = subprocess.run(["git", *arguments], cwd=cwd, env=ENVIRONMENT, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return os.fsdecode(done.stdout).strip()


def commit(message: str = "work", cwd: Path | str = ".") -> str:
    """Commit all that is in a working tree; give the commit."""
    git("add", "-A", cwd=cwd)
    git("commit", "-q", "--allow-empty", "-m", message, cwd=cwd)
    return git("rev-parse", "HEAD", cwd=cwd)


def start(folder: Path) -> Path:
    """Make a repository on the branch `main`."""
    folder.mkdir(parents=True, exist_ok=True)
    git("init", "-q", "-b", "main", cwd=folder)
    return folder
