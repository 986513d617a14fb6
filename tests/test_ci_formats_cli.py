"""The formats for CI from the command line: whole runs, files that cannot be judged, `fix`, files for the output."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import ci_documents
import pytest
from ci_documents import READERS, SEVERITIES
from commands import CHECKOUT, CLEAN, IGNORED_RANK, REVERSED, UNRELATED, run, run_apart, succeed
from notebooks import written

from adalint.report import FORMATS

if TYPE_CHECKING:
    from collections.abc import Sequence

BROKEN = "from peft import AdaLoraConfig\nconfig = AdaLoraConfig(\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for variable in ("GITHUB_WORKSPACE", "CI_PROJECT_DIR"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


def tree() -> None:
    """Write a file of each kind that a run may meet."""
    Path("sub dir").mkdir()
    Path("sub dir/秩.py").write_text(REVERSED)
    Path("broken.py").write_text(BROKEN)
    Path("clean.py").write_text(CLEAN)
    Path("latin.py").write_bytes(b"# caf\xe9\n" + REVERSED.encode())
    Path("lone.py").write_bytes(IGNORED_RANK.replace("\n", "\r\n").encode())
    Path("nb.ipynb").write_text(written("x = 1\n", REVERSED))
    Path("broken.ipynb").write_text('{"cells": [AdaLoraConfig')
    Path("other.py").write_text(UNRELATED)


FOUND = ["ADA102", "ADA901", "ADA901", "ADA904", "ADA101", "ADA102"]


def codes(output_format: str, text: str) -> list[str]:
    return sorted(said.code for said in READERS[output_format](text))


@pytest.mark.parametrize("output_format", READERS)
class TestRuns:
    def test_a_run_over_everything_is_one_document(self, output_format: str) -> None:
        tree()
        result = run("check", "--output-format", output_format)
        assert (result.exit_code, codes(output_format, result.stdout)) == (1, sorted(FOUND))

    @pytest.mark.parametrize("text", ["", UNRELATED, CLEAN])
    def test_a_run_without_findings_is_a_valid_document(self, output_format: str, text: str) -> None:
        Path("x.py").write_text(text)
        result = run("check", "--output-format", output_format)
        assert (result.exit_code, READERS[output_format](result.stdout)) == (0, [])

    def test_an_empty_folder_is_a_valid_document(self, output_format: str) -> None:
        assert READERS[output_format](run("check", "--output-format", output_format).stdout) == []

    def test_standard_input_is_named_as_told(self, output_format: str) -> None:
        arguments = ("check", "-", "--stdin-filename", "sub/x.py", "--output-format", output_format)
        [said] = READERS[output_format](run(*arguments, stdin=REVERSED).stdout)
        assert (said.code, said.path.removesuffix(":3:34")) == ("ADA102", "sub/x.py")

    @pytest.mark.parametrize("raw", [b"# AdaLora \xe9\n", b"AdaLoraConfig(\0)", BROKEN.encode()])
    def test_standard_input_that_cannot_be_judged_is_told(self, output_format: str, raw: bytes) -> None:
        result = run("check", "-", "--output-format", output_format, stdin=raw)
        [said] = READERS[output_format](result.stdout)
        assert (result.exit_code, said.code) == (1, "ADA901" if raw == BROKEN.encode() else "ADA904")

    def test_fix_of_standard_input_keeps_the_text_and_the_document_apart(self, output_format: str) -> None:
        result = run("fix", "-", "-q", "--output-format", output_format, "--output-file", "out.txt", stdin=REVERSED)
        assert result.stdout == REVERSED
        assert codes(output_format, Path("out.txt").read_text(encoding="utf-8")) == ["ADA102"]

    def test_the_output_file_holds_the_document(self, output_format: str) -> None:
        tree()
        shown = run("check", "--output-format", output_format).stdout
        result = run("check", "--output-format", output_format, "--output-file", "../out.txt")
        assert (result.exit_code, result.stdout) == (1, "")
        assert Path("../out.txt").read_text(encoding="utf-8") == shown

    def test_fix_tells_what_is_left(self, output_format: str) -> None:
        Path("x.py").write_text(REVERSED)
        Path("y.py").write_text(IGNORED_RANK)
        result = run("fix", "--output-format", output_format)
        assert codes(output_format, result.stdout) == ["ADA102"]
        assert "fixed ADA101" in result.stderr

    def test_fix_as_a_diff_keeps_the_document_apart(self, output_format: str) -> None:
        Path("x.py").write_text(REVERSED)
        Path("y.py").write_text(IGNORED_RANK)
        result = run("fix", "--diff", "-q", "--output-format", output_format, "--output-file", "out.txt")
        assert result.stdout.startswith("--- y.py")
        assert codes(output_format, Path("out.txt").read_text(encoding="utf-8")) == ["ADA102"]

    def test_statistics_are_the_array_of_all_formats_for_programs(self, output_format: str) -> None:
        Path("x.py").write_text(REVERSED)
        [row] = json.loads(run("check", "--statistics", "--output-format", output_format).stdout)
        assert (row["code"], row["count"]) == ("ADA102", 1)

    def test_settings_may_choose_it(self, output_format: str) -> None:
        Path("x.py").write_text(REVERSED)
        Path("pyproject.toml").write_text(f'[tool.adalint]\noutput-format = "{output_format}"\n')
        assert codes(output_format, run("check").stdout) == ["ADA102"]

    def test_a_name_that_is_no_unicode_can_be_printed(self, output_format: str, folder: Path) -> None:
        with open(f"{folder}/".encode() + b"caf\xe9.py", "wb") as file:
            file.write(REVERSED.encode())
        done = run_apart("check", ".", "--output-format", output_format, cwd=folder)
        assert done.returncode == 1, done.stderr
        assert codes(output_format, done.stdout.decode()) == ["ADA102"]

    def test_it_is_the_same_every_time(self, output_format: str) -> None:
        tree()
        first, second = (run("check", "--output-format", output_format).stdout for _ in range(2))
        assert first == second


def test_a_part_that_failed_is_told_in_sarif(monkeypatch: pytest.MonkeyPatch) -> None:
    from adalint import engine

    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    Path("x.py").write_text(REVERSED)
    assert _invocation(run("check", "--output-format", "sarif").stdout) == {"executionSuccessful": True}
    monkeypatch.setattr(engine, "check_source", broken)
    result = run("check", "--output-format", "sarif")
    assert (result.exit_code, _invocation(result.stdout)) == (2, {"executionSuccessful": False})


def _invocation(text: str) -> object:
    return ci_documents.sarif(text)["invocations"][0]


def test_verify_and_plan_say_that_these_formats_are_not_theirs() -> None:
    Path("x.py").write_text(REVERSED)
    for command in ("verify", "plan"):
        result = run(command, "--output-format", "sarif", "x.py")
        assert (result.exit_code, result.stdout) == (2, "")


PAGE = (CHECKOUT / "docs" / "output-formats.md").read_text(encoding="utf-8")


def test_the_page_has_every_format() -> None:
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| `", PAGE, re.MULTILINE)
    assert sorted(rows) == sorted(FORMATS)


def test_the_page_tells_the_words_for_severities() -> None:
    head, _, *rows = (line.strip("| ").split(" | ") for line in PAGE.split("## Severities\n\n")[1].splitlines()[:5])
    told = {name: tuple(row[at].strip("`") for row in rows) for at, name in enumerate(head) if at}
    assert told.pop("junit") == ("failure",) * 3
    assert told == {name: SEVERITIES[name] for name in told}


@pytest.mark.parametrize("command", re.findall(r"\| `adalint ([^`|\\>]+)", PAGE))
def test_the_examples_of_the_page_are_commands(command: str) -> None:
    Path("train.py").write_text(REVERSED)
    result = run(*shlex.split(command))
    assert result.exit_code == 1, result.output


@pytest.mark.parametrize("output_format", READERS)
def test_a_format_loads_nothing_that_it_does_not_need(output_format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))
    Path("x.py").write_text(UNRELATED)
    script = (
        "import sys\nfrom adalint.__main__ import main\n"
        "try:\n    main()\nfinally:\n    print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)\n"
    )
    told = modules_after(script, "check", "x.py", "--output-format", output_format)
    assert "adalint" in told
    assert not told & {"numpy", "torch", "pydantic", "libcst", "matplotlib", "markdown_it", "yaml"}


def modules_after(script: str, *arguments: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    return set(done.stderr.splitlines()[-1].split())


NPM = ("@microsoft/sarif-multitool@5.7.0", "@umbrelladocs/rdformat-validator@1.0.1")


@pytest.fixture(scope="session")
def validators(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the validators of the formats from npm; give the folder of their programs."""
    place = tmp_path_factory.mktemp("npm")
    succeed("npm", "install", "--no-audit", "--no-fund", "--prefix", place, *NPM)
    return place / "node_modules" / ".bin"


@pytest.mark.slow
class TestValidators:
    """What the makers of the formats run themselves."""

    RUNS = ((), ("--select", "ADA102"), ("--isolated", "clean.py"))

    @pytest.mark.parametrize("arguments", RUNS)
    def test_the_sarif_multitool_finds_nothing_wrong(self, validators: Path, arguments: Sequence[str]) -> None:
        tree()
        run("check", "--output-format", "sarif", "--output-file", "out.sarif", *arguments)
        report = self._multitool(validators, Path("out.sarif"))
        found = report["runs"][0].get("results", [])
        assert [one for one in found if one.get("level", "warning") in {"error", "warning"}] == []

    def test_the_sarif_multitool_is_not_pleased_by_everything(self, validators: Path) -> None:
        tree()
        log = json.loads(run("check", "--output-format", "sarif").stdout)
        log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["endLine"] = 1
        log["runs"][0]["results"][0]["ruleIndex"] = 77
        Path("bad.sarif").write_text(json.dumps(log))
        report = self._multitool(validators, Path("bad.sarif"))
        assert [one for one in report["runs"][0]["results"] if one.get("level") == "error"]

    def _multitool(self, validators: Path, log: Path) -> dict[str, list[dict[str, list[dict[str, str]]]]]:
        command = [
            validators / "sarif-multitool",
            "validate",
            log,
            "--output",
            "report.sarif",
            "--log",
            "ForceOverwrite",
        ]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
        assert Path("report.sarif").exists(), done.stdout + done.stderr
        read: dict[str, list[dict[str, list[dict[str, str]]]]] = json.loads(Path("report.sarif").read_text("utf-8-sig"))
        return read

    @pytest.mark.parametrize("arguments", RUNS)
    def test_the_rdformat_validator_accepts_rdjson(self, validators: Path, arguments: Sequence[str]) -> None:
        tree()
        run("check", "--output-format", "rdjson", "--output-file", "out.json", *arguments)
        succeed(validators / "rdformat-validator", "out.json")

    def test_the_rdformat_validator_does_not_accept_everything(self, validators: Path) -> None:
        Path("bad.json").write_text('{"diagnostics": [{"message": "x"}]}')
        command = [str(validators / "rdformat-validator"), "bad.json"]
        assert subprocess.run(command, capture_output=True, check=False).returncode != 0
