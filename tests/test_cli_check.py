from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from commands import CLEAN, IGNORED_RANK, REVERSED, UNRELATED, run
from privileges import held_to_permissions

from adalint import engine


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(**texts: str) -> None:
    for name, text in texts.items():
        Path(name.replace("__", "/").replace("_", ".")).write_text(text, encoding="utf-8")


class TestExitCodes:
    @pytest.mark.parametrize(("text", "code"), [(CLEAN, 0), (UNRELATED, 0), ("", 0), (IGNORED_RANK, 1), (REVERSED, 1)])
    def test_it_is_1_when_something_is_found_and_0_when_not(self, text: str, code: int) -> None:
        put(x_py=text)
        assert run("check").exit_code == code

    def test_exit_zero_reports_and_exits_with_0(self) -> None:
        put(x_py=REVERSED)
        result = run("check", "--exit-zero")
        assert (result.exit_code, "ADA102" in result.stdout) == (0, True)

    @pytest.mark.parametrize(
        ("arguments", "line"),
        [
            (["nowhere.py"], "adalint: nowhere.py: no such file or directory\n"),
            (["x.py", "nowhere"], "adalint: nowhere: no such file or directory\n"),
            (["--select", "ADA999"], "adalint: --select: no rule is called 'ADA999'"),
            (["--ignore", "lora-rank-ignore"], "did you mean 'lora-rank-ignored'?\n"),
            (["--extend-select", "E501"], "adalint: --extend-select: 'E501' is no code, name, prefix or ALL\n"),
            (["--target-peft", "new"], "adalint: --target-peft: a release such as"),
            (["--config", "nowhere.toml"], "adalint: nowhere.toml: No such file or directory\n"),
            (["-", "x.py"], "adalint: `-` is standard input and stands alone\n"),
            (
                ["-", "--stdin-filename", "x.txt"],
                "adalint: --stdin-filename x.txt: adalint does not read files of this",
            ),
            (["--output-file", "nowhere/out.json"], "adalint: nowhere/out.json: cannot be written: No such file"),
        ],
        ids=" ".join,
    )
    def test_it_is_2_with_one_clear_line_when_the_run_cannot_be_made(self, arguments: list[str], line: str) -> None:
        put(x_py=REVERSED)
        result = run("check", *arguments)
        assert result.exit_code == 2
        assert result.stdout == ""
        assert line in result.stderr
        assert result.stderr.count("\n") == 1

    @pytest.mark.parametrize("text", ["selct = []", "select = ['ADA999']", "intent.r = 'x'", "exclude = ['a[b']", "["])
    @pytest.mark.parametrize("path", [".", "x.py"])
    def test_it_is_2_when_settings_cannot_be_used_even_without_a_hit(self, text: str, path: str) -> None:
        put(x_py=UNRELATED, adalint_toml=text)
        if "exclude" in text and path != ".":
            path = "./"
        result = run("check", path)
        assert (result.exit_code, result.stderr.count("\n")) == (2, 1)

    def test_isolated_runs_past_broken_settings(self) -> None:
        put(x_py=CLEAN, adalint_toml="[")
        assert run("check", "--isolated").exit_code == 0

    def test_a_mistake_of_adalints_own_is_2_and_the_other_files_are_still_reported(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(a_py=REVERSED, b_py=REVERSED)
        check_source = engine.check_source

        def check_or_fail(source: object, settings: object) -> object:
            if source.path == "a.py":  # type: ignore[attr-defined]
                raise RecursionError("too\ndeep")
            return check_source(source, settings)  # type: ignore[arg-type]

        monkeypatch.setattr(engine, "check_source", check_or_fail)
        result = run("check")
        assert result.exit_code == 2
        assert "b.py:3:" in result.stdout
        assert result.stderr.startswith("adalint: a.py: internal error (RecursionError: too deep). Sorry")
        assert "Traceback" not in result.output


class TestPaths:
    def test_the_default_is_here(self) -> None:
        put(x_py=REVERSED)
        assert run("check").stdout == run("check", ".").stdout != ""

    def test_findings_are_sorted_by_path_then_place(self) -> None:
        put(b_py=IGNORED_RANK + REVERSED, a_py=REVERSED)
        places = [line.split(" ")[0] for line in run("check", "b.py", "a.py").stdout.splitlines()]
        assert places == ["a.py:3:34:", "b.py:3:24:", "b.py:6:34:"]

    def test_a_file_that_is_named_twice_is_reported_once(self) -> None:
        put(x_py=REVERSED)
        assert run("check", "x.py", "./x.py", ".").stdout.count("ADA102") == 1

    def test_exclude_in_the_settings_leaves_files_out(self) -> None:
        put(x_py=REVERSED, adalint_toml="exclude = ['x.py']")
        assert run("check").exit_code == 0
        assert run("check", "x.py").exit_code == 1

    def test_a_named_file_of_another_kind_is_left_out_and_said(self) -> None:
        put(README_rst="AdaLoraConfig(r=8)")
        result = run("check", "README.rst")
        assert result.exit_code == 0
        assert "README.rst: left out" in result.stderr
        assert "Nothing to check" in result.stderr


class TestStdin:
    def test_a_text_is_python_without_a_name(self) -> None:
        result = run("check", "-", stdin=REVERSED)
        assert (result.exit_code, result.stdout.split(" ")[0]) == (1, "-:3:34:")

    def test_the_name_tells_the_kind_and_is_reported(self) -> None:
        put(sub_x_yaml="")
        text = '{"peft_type": "ADALORA", "init_r": 8, "target_r": 16, "total_step": 100}'
        result = run("check", "-", "--stdin-filename", "conf/x.json", stdin=text)
        assert result.stdout.startswith("conf/x.json:1:")

    def test_the_name_tells_the_settings(self) -> None:
        Path("sub").mkdir()
        put(sub__adalint_toml="ignore = ['ADA102']")
        assert run("check", "-", "--stdin-filename", "sub/x.py", stdin=REVERSED).exit_code == 0
        assert run("check", "-", "--stdin-filename", "x.py", stdin=REVERSED).exit_code == 1

    def test_a_text_that_cannot_be_decoded_is_reported(self) -> None:
        result = run("check", "-", stdin=b"AdaLora\xff")
        assert (result.exit_code, result.stdout.split(" ")[1]) == (1, "ADA904")


class TestSelection:
    @pytest.mark.parametrize(
        ("arguments", "codes"),
        [
            ([], ["ADA101", "ADA102"]),
            (["--select", "ADA102"], ["ADA102"]),
            (["--select", "lora-rank-ignored"], ["ADA101"]),
            (["--select", "ADA1"], ["ADA101", "ADA102"]),
            (["--select", "ADA101,ADA102"], ["ADA101", "ADA102"]),
            (["--select", "ADA101", "--select", "ADA102"], ["ADA101", "ADA102"]),
            (["--select", "ADA2"], []),
            (["--ignore", "ADA101"], ["ADA102"]),
            (["--select", "ADA2", "--extend-select", "ADA102"], ["ADA102"]),
        ],
    )
    def test_rules_are_chosen_by_code_name_and_prefix(self, arguments: list[str], codes: list[str]) -> None:
        put(x_py=IGNORED_RANK + REVERSED)
        assert [line.split(" ")[1] for line in run("check", *arguments).stdout.splitlines()] == codes

    def test_the_target_release_decides_what_is_found(self) -> None:
        put(x_py="from peft import AdaLoraConfig\n\nAdaLoraConfig()\nconfig.total_step = 100\n")
        old, new = (
            run("check", "--output-format", "json", "--target-peft", one).stdout for one in ("0.14.0", "0.15.0")
        )
        assert old != new


class TestOutput:
    def test_json_and_lsp_print_nothing_else_on_stdout(self) -> None:
        put(x_py=REVERSED)
        found = json.loads(run("check", "--output-format", "json").stdout)
        assert [(one["code"], one["filename"], one["location"]["row"]) for one in found] == [("ADA102", "x.py", 3)]
        published = json.loads(run("check", "--output-format", "lsp").stdout)
        assert published[0]["uri"] == Path("x.py").resolve().as_uri()

    @pytest.mark.parametrize("output_format", ["json", "lsp"])
    def test_nothing_found_is_an_empty_array(self, output_format: str) -> None:
        assert json.loads(run("check", "--output-format", output_format).stdout) == []

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            (CLEAN, "All clear: 1 file with AdaLoRA, nothing to report.\n"),
            (UNRELATED, "All clear: 1 file read, AdaLoRA is not in use.\n"),
            ("# no AdaLoRA here\n", "All clear: 1 file with the word AdaLoRA, and no configuration of it.\n"),
        ],
    )
    def test_a_kind_line_says_that_there_is_nothing(self, text: str, line: str) -> None:
        put(x_py=text)
        assert run("check").stderr == line

    def test_an_empty_folder_is_not_called_clear(self) -> None:
        assert (
            run("check").stderr == "Nothing to check: no Python, JSON, YAML, shell, notebook or Markdown file there.\n"
        )

    def test_the_summary_counts(self) -> None:
        put(x_py=REVERSED + IGNORED_RANK, y_py=REVERSED)
        assert run("check").stderr.startswith("Found: 2 errors, 1 warning in 2 files.")

    def test_quiet_prints_findings_only(self) -> None:
        put(x_py=REVERSED)
        result = run("check", "-q")
        assert (result.stdout.count("\n"), result.stderr) == (1, "")

    def test_verbose_says_what_a_file_is_judged_by(self) -> None:
        put(x_py=CLEAN, adalint_toml="target-peft = '0.15.2'")
        assert "adalint.toml; PEFT 0.15.2 (from adalint.toml)" in run("check", "-v").stderr

    def test_output_file_takes_the_findings(self) -> None:
        put(x_py=REVERSED)
        result = run("check", "--output-format", "json", "--output-file", "out.json")
        assert (result.exit_code, result.stdout) == (1, "")
        assert json.loads(Path("out.json").read_text())[0]["code"] == "ADA102"

    def test_no_cache_is_accepted(self) -> None:
        assert run("check", "--no-cache").exit_code == 0

    @pytest.mark.parametrize(
        ("environment", "coloured"),
        [({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)],
    )
    def test_colour_follows_the_environment(
        self, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], coloured: bool
    ) -> None:
        for name in ("FORCE_COLOR", "NO_COLOR"):
            monkeypatch.delenv(name, raising=False)
        put(x_py=REVERSED)
        assert ("\x1b[" in run("check", "--output-format", "full", **environment).stdout) is coloured

    def test_escapes_in_the_source_do_not_reach_the_terminal(self) -> None:
        put(x_py=REVERSED.rstrip() + "  # \x1b[2J\n")
        result = run("check", "--output-format", "full")
        assert "\x1b" not in result.stdout
        assert "\\x1b[2J" in result.stdout


class TestBadFiles:
    def test_a_named_fifo_is_reported_without_waiting(self) -> None:
        os.mkfifo("x.yaml")
        result = run("check", "x.yaml")
        assert (result.exit_code, result.stdout) == (
            1,
            "x.yaml:1:1: ADA904 unreadable-file it is a FIFO, not a regular file; adalint opens regular files only\n",
        )

    def test_a_file_that_may_not_be_read_is_said_and_the_rest_is_checked(self) -> None:
        put(closed_py=REVERSED, open_py=REVERSED)
        Path("closed.py").chmod(0)
        with held_to_permissions():
            result = run("check")
        assert result.stdout.splitlines()[0].startswith("open.py:3:")
        assert "closed.py: left out: permission denied" in result.stderr

    def test_a_file_that_may_not_be_read_is_a_finding_when_it_was_named(self) -> None:
        put(closed_py=UNRELATED)
        Path("closed.py").chmod(0)
        with held_to_permissions():
            result = run("check", "closed.py")
        assert (result.exit_code, result.stdout.split(" ")[1]) == (1, "ADA904")

    def test_a_text_in_a_wrong_encoding_is_a_finding_when_it_names_adalora(self) -> None:
        Path("a.yaml").write_bytes(b"peft_type: ADALORA # caf\xe9\n")
        Path("b.yaml").write_bytes(b"name: caf\xe9\n")
        result = run("check")
        assert (result.exit_code, result.stdout.split(" ")[:2]) == (1, ["a.yaml:1:1:", "ADA904"])
        assert "b.yaml" not in result.output

    def test_a_file_that_cannot_be_parsed_is_a_finding(self) -> None:
        put(x_py="import adalora\nprint 'two'\n")
        result = run("check")
        assert (result.exit_code, result.stdout.split(" ")[:2]) == (1, ["x.py:2:1:", "ADA901"])


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["check", "--help"], ["fix", "--help"], ["rules", "--help"]])
def test_help_is_printed(arguments: list[str]) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout.startswith("Usage: ")) == (0, True)


def test_every_command_that_help_names_is_there() -> None:
    listed = run("--help").stdout.partition("Commands:\n")[2].splitlines()
    names = [line.split()[0] for line in listed if line.startswith("  ") and line[2] != " "]
    assert {"check", "fix", "rule", "rules"} <= set(names)
    for name in names:
        assert run(name, "--help").exit_code == 0


@pytest.mark.parametrize("arguments", [["chekc"], ["check", "--selct", "x"]])
def test_a_misspelt_command_or_option_is_2(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


class TestUnparsable:
    @pytest.mark.parametrize(("argument", "severity"), [("x.py", "error"), (".", "warning")])
    def test_a_file_that_cannot_be_parsed_is_an_error_when_it_was_named(self, argument: str, severity: str) -> None:
        put(x_py="import adalora (")
        result = run("check", argument, "--output-format", "json")
        assert result.exit_code == 1
        assert [(one["code"], one["severity"]) for one in json.loads(result.stdout)] == [("ADA901", severity)]


class TestStdinKind:
    @pytest.mark.parametrize("text", ['{"adalora": {"r": 16, "init_r": 12}}', '\n  {"peft_type": "ADALORA", "r": 4}'])
    def test_json_without_a_name_is_read_as_json(self, text: str) -> None:
        assert "ADA101" in run("check", "-", stdin=text).stdout

    def test_any_other_text_without_a_name_is_python(self) -> None:
        assert "ADA101" in run("check", "-", stdin=IGNORED_RANK).stdout


class TestTargetRelease:
    def test_a_release_without_adalora_is_an_error(self) -> None:
        result = run("check", "--target-peft", "0.2.0")
        assert (result.exit_code, result.stderr) == (
            2,
            "adalint: --target-peft: PEFT has AdaLoRA since 0.3.0, not in 0.2.0\n",
        )

    def test_its_first_release_is_none(self) -> None:
        assert run("check", "--target-peft", "0.3.0").exit_code == 0
