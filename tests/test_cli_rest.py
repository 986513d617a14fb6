"""What `check` shows besides findings, progress on a terminal, and completion in shells."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from commands import CHECKOUT, CLEAN, IGNORED_RANK, REVERSED, UNRELATED, run, run_apart
from terminal import run_on_terminal

ERASE = "\r\x1b[K"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


class TestStatistics:
    @pytest.fixture(autouse=True)
    def files(self) -> None:
        Path("a.py").write_text(IGNORED_RANK + "other = AdaLoraConfig(r=8, init_r=9, total_step=9)\n")
        Path("b.py").write_text(REVERSED)

    def test_it_counts_what_each_rule_finds_most_often_first(self) -> None:
        told = run("check", "--statistics")
        assert told.stdout.splitlines() == [
            "2  [2 fixable]  ADA101  lora-rank-ignored",
            "1  [0 fixable]  ADA102  target-rank-not-below-initial",
        ]
        assert told.exit_code == 1

    def test_it_is_an_array_for_machines(self) -> None:
        rows = json.loads(run("check", "--statistics", "--output-format", "json").stdout)
        assert [(row["code"], row["count"], row["fixable"], row["files"]) for row in rows] == [
            ("ADA101", 2, 2, 1),
            ("ADA102", 1, 0, 1),
        ]
        assert rows[0]["name"] == "lora-rank-ignored"
        assert rows[1]["severity"] == "error"

    def test_it_is_empty_where_nothing_is_found(self) -> None:
        Path("c.py").write_text(CLEAN)
        assert run("check", "--statistics", "c.py").stdout == ""
        assert run("check", "--statistics", "--output-format", "json", "c.py").stdout == "[]\n"

    def test_it_goes_into_a_file(self) -> None:
        assert run("check", "--statistics", "--output-file", "out.txt").stdout == ""
        assert Path("out.txt").read_text().startswith("2  [2 fixable]  ADA101")


class TestShowFiles:
    def test_it_names_what_a_run_would_read_and_checks_nothing(self) -> None:
        for name in ("b.py", "a.yaml", "c.txt", "venv/x.py", "old/y.json"):
            Path(name).parent.mkdir(exist_ok=True)
            Path(name).write_text(REVERSED)
        Path("adalint.toml").write_text("extend-exclude = ['old/']")
        told = run("check", "--show-files")
        assert (told.exit_code, told.stdout.splitlines()) == (0, ["a.yaml", "b.py"])
        assert json.loads(run("check", "--show-files", "--output-format", "json").stdout) == ["a.yaml", "b.py"]

    def test_a_path_that_does_not_exist_is_2(self) -> None:
        assert run("check", "--show-files", "nowhere").exit_code == 2


def test_any_number_of_jobs_gives_the_same_output() -> None:
    for name in "cab":
        Path(f"{name}.py").write_text(REVERSED)
    assert run("check", "-j", "4").output == run("check", "--jobs", "1").output == run("check").output
    assert run("check", "-j", "0").exit_code == 2


class TestProgress:
    """A long run is one that has taken longer than PATIENCE, which these runs set to nothing."""

    IMPATIENT = "import adalint.cli.progress as progress\nprogress.PATIENCE = progress._INTERVAL = 0"

    @pytest.fixture(autouse=True)
    def files(self) -> None:
        for number in range(30):
            Path(f"x{number:02}.py").write_text(UNRELATED)
        Path("y.py").write_text(IGNORED_RANK)

    def test_a_long_run_tells_how_far_it_is_and_leaves_no_trace(self) -> None:
        told = run_on_terminal("check", before=self.IMPATIENT, LANG="C", LC_ALL="C")
        assert f"{ERASE}0/31 x00.py{ERASE}1/31 x01.py" in told
        *_, last = told.split(ERASE)
        assert "warning[ADA101]" in last
        assert "/31" not in last

    def test_a_line_never_wraps(self) -> None:
        told = run_on_terminal("check", before=self.IMPATIENT, columns=8, LANG="C", LC_ALL="C")
        lines = [line for line in told.split(ERASE) if "/31" in line]
        assert len(lines) > 5
        assert all(len(line) <= 7 for line in lines)

    def test_it_is_gone_before_a_deed_is_told(self) -> None:
        told = run_on_terminal("fix", before=self.IMPATIENT, LANG="C", LC_ALL="C")
        assert f"30/31 y.py{ERASE}y.py:3:24: fixed ADA101" in told

    @pytest.mark.parametrize("arguments", [["-q"], []])
    @pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {}])
    def test_there_is_none_of_it_when_quiet_on_a_dumb_terminal_or_in_a_short_run(
        self, arguments: list[str], environment: dict[str, str]
    ) -> None:
        before = self.IMPATIENT if arguments or environment else "import adalint.cli.progress as p; p.PATIENCE = 60"
        assert "/31" not in run_on_terminal("check", *arguments, before=before, **environment)

    def test_there_is_none_of_it_away_from_a_terminal(self) -> None:
        script = f"{self.IMPATIENT}\nfrom adalint.__main__ import main\nmain()"
        done = subprocess.run([sys.executable, "-c", script, "check"], capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert "/31" not in done.stdout + done.stderr


class TestCompletion:
    @pytest.fixture(autouse=True)
    def command(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        tools = folder / "bin"
        tools.mkdir()
        script = tools / "adalint"
        script.write_text(f'#!/bin/sh\nPYTHONPATH="{CHECKOUT}" exec "{sys.executable}" -m adalint "$@"\n')
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")

    def in_bash(self, *words: str) -> list[str]:
        listed = " ".join(f"'{word}'" for word in words)
        script = (
            'eval "$(adalint completion bash)"; '
            f"COMP_WORDS=({listed}); COMP_CWORD={len(words) - 1}; "
            '_adalint_completion adalint; printf "%s\\n" "${COMPREPLY[@]}"; complete -p adalint'
        )
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
        *found, registered = done.stdout.splitlines()
        assert "_adalint_completion" in registered
        assert done.stderr == ""
        return found

    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            (("adalint", "ch"), ["check"]),
            (("adalint", "rule"), ["rule", "rules"]),
            (("adalint", "check", "--output-f"), ["--output-format", "--output-file"]),
            (("adalint", "check", "--output-format", "js"), ["json", "jsonl"]),
            (("adalint", "rule", "lora-rank-i"), ["lora-rank-ignored"]),
            (("adalint", "rule", "ADA102"), ["ADA102"]),
            (("adalint", "check", "--select", "ADA101,ADA102"), ["ADA101,ADA102"]),
            (("adalint", "schema", "a"), ["adapter"]),
            (("adalint", "nonsense", "x"), []),
        ],
    )
    def test_bash_completes_commands_options_values_and_rules(
        self, words: tuple[str, ...], expected: list[str]
    ) -> None:
        assert [found for found in self.in_bash(*words) if found] == expected

    @pytest.mark.parametrize(
        ("shell", "mark"), [("bash", "complete"), ("zsh", "#compdef adalint"), ("fish", "complete")]
    )
    def test_each_shell_gets_a_script_that_asks_adalint(self, shell: str, mark: str) -> None:
        told = run("completion", shell).stdout
        assert mark in told
        assert f"_ADALINT_COMPLETE={shell}_complete" in told

    @pytest.mark.parametrize("shell", ["zsh", "fish"])
    def test_the_other_shells_are_answered_in_their_own_form(self, shell: str) -> None:
        asked = {"COMP_WORDS": "adalint ru", "COMP_CWORD": "1" if shell == "zsh" else "ru"}
        done = run_apart(
            env={**os.environ, "_ADALINT_COMPLETE": f"{shell}_complete", **asked, "PYTHONPATH": str(CHECKOUT)}
        )
        assert re.findall(rb"\brules?\b", done.stdout)[:1] == [b"rule"]
        assert b"check" not in done.stdout

    def test_a_command_is_completed_without_loading_the_rest(self) -> None:
        code = (
            "import sys\nfrom adalint.__main__ import main\n"
            "try:\n    main()\nfinally:\n    print('adalint.engine' in sys.modules, file=sys.stderr)\n"
        )
        environment = {"_ADALINT_COMPLETE": "bash_complete", "COMP_WORDS": "adalint ch", "COMP_CWORD": "1"}
        done = subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True, check=True
        )
        assert (done.stdout, done.stderr) == ("plain,check\n", "False\n")
