"""The way of docs/adopting.md, walked in a clone."""

from __future__ import annotations

import re
import shlex
import shutil
from typing import TYPE_CHECKING

import click
import pytest
from commands import CHECKOUT, CLEAN, REVERSED, run, run_apart
from repositories import commit, git, start

from adalint.cli import COMMANDS, adalint

if TYPE_CHECKING:
    from pathlib import Path

PAGE = (CHECKOUT / "docs" / "adopting.md").read_text(encoding="utf-8")
LINES = [
    line.partition("  #")[0].strip()
    for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of an old project."""
    origin = start(tmp_path / "origin")
    shutil.copytree(CHECKOUT / "fixtures" / "first-look", origin, dirs_exist_ok=True)
    commit("years of work", cwd=origin)
    git("clone", "-q", str(origin), str(tmp_path / "clone"), cwd=tmp_path)
    return tmp_path / "clone"


def test_each_of_its_lines_does_what_the_page_says(clone: Path) -> None:
    codes = {}
    for line in LINES:
        program, *arguments = shlex.split(line)
        if program == "git":
            git(*arguments, cwd=clone)
            continue
        if line == "adalint init":
            arguments.append("--defaults")
        codes[line] = run_apart(*arguments, cwd=clone).returncode
    assert codes == {
        "adalint init": 0,
        "adalint fix --diff": 1,
        "adalint fix": 1,
        "adalint baseline": 0,
        "adalint baseline --check": 0,
        "adalint baseline --add-new": 0,
        "adalint check --changed-since origin/main": 0,
    }
    assert run_apart("check", cwd=clone).returncode == 0
    assert run_apart("check", "--no-baseline", cwd=clone).returncode == 1


def test_afterwards_only_what_is_new_blocks_and_the_baseline_empties(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(clone)
    assert run("baseline").exit_code == 0
    commit("baseline")
    (clone / "new.py").write_text(REVERSED)
    blocked = run("check")
    assert (blocked.exit_code, blocked.stdout.split(":")[0]) == (1, "new.py")
    assert run("check", "--changed-since", "HEAD").exit_code == 1
    (clone / "new.py").write_text(CLEAN)
    assert run("check").exit_code == 0
    assert run("fix", "--no-baseline", "--unsafe-fixes").exit_code in {0, 1}
    assert run("baseline", "--check").exit_code == 1
    before = (clone / "adalint-baseline.json").read_bytes()
    run("baseline")
    after = (clone / "adalint-baseline.json").read_bytes()
    assert 0 <= after.count(b"rule") < before.count(b"rule")


def test_the_options_that_it_names_exist() -> None:
    context = click.Context(adalint)
    commands = [adalint.get_command(context, name) for name in COMMANDS]
    known = {name for command in commands if command for option in command.params for name in option.opts}
    of_git = {"--unshallow"}
    assert [one for one in re.findall(r"--[a-z][a-z-]+", PAGE) if one not in known | of_git] == []


def test_its_entry_is_an_entry(tmp_path: Path) -> None:
    from adalint.baseline import read, render

    [entry] = re.findall(r"^```json\n(.*?)\n```", PAGE, re.MULTILINE | re.DOTALL)
    place = tmp_path / "b.json"
    place.write_text(f'{{"version": 1, "findings": [{entry}]}}')
    assert entry in render(read(str(place))).decode()
