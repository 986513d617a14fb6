"""The Chinese README shows what really happens, as the English one does."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from commands import CHECKOUT, IGNORED_RANK

from adalint.cli import COMMANDS
from adalint.rulebook.pages import load

if TYPE_CHECKING:
    from pathlib import Path

ENGLISH = (CHECKOUT / "README.md").read_text(encoding="utf-8")
CHINESE = (CHECKOUT / "README.zh-CN.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("language", ["sh", "diff"])
def test_its_commands_and_diffs_are_those_of_the_english_one(language: str) -> None:
    assert len(blocks(CHINESE, language)) > 1
    assert blocks(CHINESE, language) == blocks(ENGLISH, language)


def test_it_lists_every_rule_as_its_page_has_it() -> None:
    rows = re.findall(r"^\| (ADA\d+) \| ([\w-]+) \| (.+) \|$", CHINESE, re.MULTILINE)
    assert [(code, name, what.replace("`", "")) for code, name, what in rows] == [
        (rule.code, rule.name, rule.summary_zh) for rule in load().rules.values()
    ]


def test_it_names_every_command_and_no_other() -> None:
    assert set(re.findall(r"^\| `adalint (\w+)", CHINESE, re.MULTILINE)) == set(COMMANDS)


def test_it_counts_what_there_is_to_find() -> None:
    command = [sys.executable, "-m", "adalint", "check", "fixtures/first-look"]
    told = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False).stderr
    assert told.startswith("Found: 4 errors, 3 warnings in 4 files.")
    assert "四个文件里有 4 个错误、3 个警告" in CHINESE


@pytest.mark.parametrize("text", [ENGLISH, CHINESE], ids=["english", "chinese"])
class TestBoth:
    def test_the_files_that_it_links_to_are_there(self, text: str) -> None:
        links = re.findall(r"\]\((?!https?://)([^)]+)\)", text)
        assert len(links) >= 3
        assert [link for link in links if not (CHECKOUT / link).is_file()] == []

    def test_its_settings_are_settings(self, text: str) -> None:
        import tomllib

        from adalint.settings import Place, parse

        tables = [tomllib.loads(block) for block in blocks(text, "toml")]
        assert len(tables) == 2
        for table in tables:
            parse(table.get("tool", {}).get("adalint", table), Place("README"))

    def test_its_python_runs(self, text: str, tmp_path: Path) -> None:
        [code] = [block for block in blocks(text, "python") if "import adalint" in block]
        (tmp_path / "train.py").write_text(IGNORED_RANK)
        told = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (told.stdout.split()[:2], told.stderr) == (["3", "ADA101"], "")

    def test_its_options_exist(self, text: str) -> None:
        import click

        from adalint.cli import adalint

        context = click.Context(adalint)
        commands = [adalint.get_command(context, name) for name in COMMANDS]
        groups = [command for command in commands if isinstance(command, click.Group)]
        commands += [group.get_command(context, name) for group in groups for name in group.list_commands(context)]
        known = {name for command in commands if command for option in command.params for name in option.opts}
        assert [one for one in re.findall(r"--[a-z][a-z-]+", text) if one not in known] == []
