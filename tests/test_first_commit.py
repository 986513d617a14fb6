"""A new user's walk: the commands of docs/first-commit.md, run as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from typing import TYPE_CHECKING

import pytest
from commands import CHECKOUT, succeed

from adalint.settings import Place, parse

if TYPE_CHECKING:
    from pathlib import Path

PAGE = (CHECKOUT / "docs" / "first-commit.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)(?: exit=(\d))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
IDENTITY = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "nobody"), ("EMAIL", "nobody@example.invalid"))
}


@pytest.mark.slow
def test_the_walk_goes_as_the_page_says(checkout: Path, tmp_path: Path) -> None:
    hosted = tmp_path / "hosted adalint"
    succeed("cp", "-r", checkout, hosted)
    folder = tmp_path / "home"
    folder.mkdir()
    environment = {**os.environ, **IDENTITY, "ADALINT": str(hosted), "PRE_COMMIT_HOME": str(tmp_path / "cache")}
    environment.pop("VIRTUAL_ENV", None)
    for command in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "all")):
        subprocess.run(["git", *command], cwd=hosted, env=environment, check=True)
    said, commands = "", 0
    for language, code, text in BLOCK.findall(PAGE):
        if language == "sh":
            done = subprocess.run(
                ["bash", "-e", "-c", text], cwd=folder, env=environment, capture_output=True, text=True, check=False
            )
            said = done.stdout + done.stderr
            commands += 1
            assert done.returncode == int(code or 0), f"{text}\n{said}"
        elif language == "text":
            missing = [line for line in text.splitlines() if line not in said]
            assert missing == [], said
    assert commands == 6


def test_its_settings_are_settings() -> None:
    [table] = [text for language, _, text in BLOCK.findall(PAGE) if language == "toml"]
    assert dict(parse(tomllib.loads(table)["tool"]["adalint"], Place("pyproject.toml")).intent) == {
        "reversed-ranks": "swap"
    }
