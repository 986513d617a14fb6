"""The shipped fixtures get the reports that lie beside them, and README shows what really happens.

`python tests/test_fixtures.py` writes the expected reports anew.
"""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from commands import CHECKOUT

from adalint.rulebook.pages import load

PROJECTS = sorted(path.name.removesuffix(".expected.txt") for path in (CHECKOUT / "fixtures").glob("*.expected.txt"))
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")


def adalint(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "adalint", *arguments]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)


def report_of(project: str) -> str:
    done = adalint("check", "--output-format", "full", f"fixtures/{project}")
    return f"{done.stdout}{done.stderr}exit {done.returncode}\n"


def expected(project: str):
    return CHECKOUT / "fixtures" / f"{project}.expected.txt"


@pytest.mark.parametrize("project", PROJECTS)
def test_a_fixture_gets_its_expected_report(project):
    assert report_of(project) == expected(project).read_text(encoding="utf-8")


def test_the_innocent_fixtures_are_clean():
    assert adalint("check", "fixtures/innocent").returncode == 0


def test_readme_tells_how_much_there_is_to_find():
    [line] = [line for line in report_of("first-look").splitlines() if line.startswith("Found: ")]
    assert line.startswith("Found: 4 errors, 3 warnings in 4 files.")
    assert "4 errors and 3 warnings in four files" in README


def test_readme_shows_the_diffs_that_fix_makes():
    shown = re.findall(r"^```diff\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    made = adalint("fix", "--diff", "fixtures/first-look").stdout
    assert len(shown) == 2
    assert all(diff in made for diff in shown)


def test_readme_lists_every_rule_as_its_page_has_it():
    rows = re.findall(r"^\| (ADA\d+) \| ([\w-]+) \| (.+) \|$", README, re.MULTILINE)
    assert [(code, name, what.replace("`", "")) for code, name, what in rows] == [
        (rule.code, rule.name, rule.summary) for rule in load().rules.values()
    ]


def test_readme_names_no_command_that_does_not_work_and_misses_none():
    from adalint.cli import COMMANDS

    assert set(re.findall(r"^\| `adalint (\w+)", README, re.MULTILINE)) == set(COMMANDS)


if __name__ == "__main__":
    for name in PROJECTS:
        expected(name).write_text(report_of(name), encoding="utf-8")
