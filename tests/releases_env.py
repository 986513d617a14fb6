"""Other releases of PEFT beside the installed one, each in a folder of its own that only a subprocess looks into."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from config_oracle import Outcome

from adalint.schema import Stage

if TYPE_CHECKING:
    from collections.abc import Iterable

TESTS = Path(__file__).resolve().parent
RELEASES = ("0.13.2", "0.14.0", "0.15.2", "0.19.1")

COMPANY = ("transformers==4.57.6", "huggingface_hub==0.36.0", "tokenizers==0.22.1")
"""What these releases were made to work with; the rest is taken from the environment of the tests."""

REQUESTS = ("requests==2.32.5",)
"""What that hub needs and the newest does not, with all its dependencies."""


def releases_folder(root: Path, release: str) -> tuple[Path, Path]:
    """Give the folders that hold a release and its company under `root`, filled from PyPI when they are not there."""
    company = root / "transformers-4.57.6"
    _fill(company, [["--no-deps", *COMPANY], [*REQUESTS]])
    peft = root / f"peft-{release}"
    _fill(peft, [["--no-deps", f"peft=={release}"]])
    return peft, company


def observe_apart(root: Path, release: str, count: int) -> list[Outcome]:
    """Run the configurations that are drawn for a release through it, in a process of its own."""
    path = os.pathsep.join(map(str, (*releases_folder(root, release), TESTS.parent)))
    command = [sys.executable, str(TESTS / "config_oracle.py"), str(count), release]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [
        Outcome(stage and Stage(stage), exception, detail)
        for stage, exception, detail in json.loads(done.stdout.splitlines()[-1])
    ]


def _fill(folder: Path, requirements: Iterable[list[str]]) -> None:
    whole = folder / "is-whole"
    if whole.exists():
        return
    for arguments in requirements:
        command = [sys.executable, "-m", "pip", "install", "-q", "--upgrade", "--target", str(folder), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    whole.touch()
