"""The baseline: it hides what an old project lives with, nothing else, and only shrinks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from commands import CLEAN, IGNORED_RANK, REVERSED, UNRELATED, run, run_apart
from hypothesis import given, settings
from hypothesis import strategies as st
from notebooks import written
from repositories import commit, git, start

from adalint import check_text, fix_text
from adalint.baseline import NAME, Entry, compare, entries_of, read, render, shown, squeezed
from adalint.settings import Settings, SettingsError

IGNORED = "config = AdaLoraConfig(r=16, total_step=100)"
SECOND = "again = AdaLoraConfig(r=16, total_step=200)"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(*arguments: str) -> list[tuple[str, int, str]]:
    """Give what `check` reports, as (file, row, code)."""
    told = json.loads(run("check", "--output-format", "json", *arguments).stdout)
    return [(one["filename"], one["location"]["row"], one["code"]) for one in told]


def entries(place: str = NAME) -> list[tuple[str, str, str, int]]:
    return [(one.path, one.rule, one.line, one.count) for one in read(os.path.abspath(place))]


class TestTheFirstOne:
    def test_it_holds_all_that_is_found_and_check_is_green(self) -> None:
        Path("a.py").write_text(IGNORED_RANK)
        Path("b.py").write_text(REVERSED)
        made = run("baseline")
        assert (made.exit_code, made.stdout, made.stderr) == (0, "", "adalint-baseline.json holds 2 findings\n")
        assert [(path, rule) for path, rule, _, _ in entries()] == [("a.py", "ADA101"), ("b.py", "ADA102")]
        checked = run("check")
        assert (checked.exit_code, checked.stdout) == (0, "")
        assert checked.stderr == "All clear: 2 files with AdaLoRA, nothing to report. 2 known to the baseline.\n"

    def test_a_clean_project_gets_none(self) -> None:
        Path("a.py").write_text(CLEAN)
        made = run("baseline")
        assert (made.exit_code, made.stderr) == (0, "Nothing found, so that there is no need of a baseline.\n")
        assert not Path(NAME).exists()

    def test_it_stands_in_the_repository_and_not_in_the_folder_that_is_checked(self, folder: Path) -> None:
        start(folder)
        Path("src").mkdir()
        Path("src/a.py").write_text(IGNORED_RANK)
        assert run_apart("baseline", cwd=folder / "src").returncode == 0
        assert entries() == [("src/a.py", "ADA101", IGNORED, 1)]
        assert run_apart("check", "a.py", cwd=folder / "src").returncode == 0
        assert run_apart("check", str(folder / "src"), cwd="/").returncode == 0

    def test_it_stands_beside_the_settings(self, folder: Path) -> None:
        start(folder)
        Path("one").mkdir()
        Path("one/adalint.toml").touch()
        Path("one/a.py").write_text(IGNORED_RANK)
        Path("b.py").write_text(IGNORED_RANK)
        assert run("baseline").exit_code == 0
        assert entries(f"one/{NAME}") == [("a.py", "ADA101", IGNORED, 1)]
        assert entries() == [("b.py", "ADA101", IGNORED, 1)]
        assert found() == []

    def test_the_settings_may_name_it(self) -> None:
        Path("lint").mkdir()
        Path("adalint.toml").write_text('baseline = "lint/known.json"\n')
        Path("a.py").write_text(IGNORED_RANK)
        assert run("baseline").exit_code == 0
        assert entries("lint/known.json") == [("../a.py", "ADA101", IGNORED, 1)]
        assert found() == []
        assert found("--no-baseline") == [("a.py", 3, "ADA101")]

    def test_the_command_line_may_name_it(self) -> None:
        Path("a.py").write_text(IGNORED_RANK)
        assert run("baseline", "--baseline", "mine.json").exit_code == 0
        assert found() == [("a.py", 3, "ADA101")]
        assert found("--baseline", "mine.json") == []
        assert found("--isolated", "--baseline", "mine.json") == []

    def test_an_isolated_run_knows_of_none(self) -> None:
        Path("a.py").write_text(IGNORED_RANK)
        run("baseline")
        assert found("--isolated") == [("a.py", 3, "ADA101")]

    def test_it_is_itself_no_file_to_check(self) -> None:
        Path("a.py").write_text(IGNORED_RANK)
        run("baseline")
        assert run("check", "--show-files", "a.py", NAME).stdout == "a.py\n"
        assert run("check").stderr.startswith("All clear: 1 file with AdaLoRA")

    def test_what_comments_silence_is_not_in_it(self) -> None:
        Path("a.py").write_text(IGNORED_RANK.rstrip() + "  # adalint: ignore[ADA101]\n")
        run("baseline")
        assert not Path(NAME).exists()


class TestWhatItHides:
    @pytest.fixture(autouse=True)
    def known(self, folder: Path) -> None:
        Path("a.py").write_text(IGNORED_RANK)
        run("baseline")

    @pytest.mark.parametrize(
        "text",
        [
            f"import os\n\n\n{IGNORED_RANK}\nprint(config)\n",
            IGNORED_RANK.replace("r=16, total_step=100", "r = 16,  total_step = 100"),
            f"from peft import AdaLoraConfig\ndef make():\n    {IGNORED}\n",
            IGNORED_RANK.replace("\n", "\r\n"),
            IGNORED_RANK.rstrip(),
        ],
        ids=["moved", "spaces", "indented", "windows", "no newline"],
    )
    def test_it_still_does_when_the_line_says_the_same(self, text: str) -> None:
        Path("a.py").write_bytes(text.encode())
        assert found() == []

    @pytest.mark.parametrize("text", [IGNORED_RANK.replace("16", "17"), IGNORED_RANK.replace("config =", "other =")])
    def test_it_does_not_when_the_line_was_touched(self, text: str) -> None:
        Path("a.py").write_text(text)
        assert found() == [("a.py", 3, "ADA101")]

    def test_another_equal_finding_is_one_too_many(self) -> None:
        Path("a.py").write_text(f"{IGNORED_RANK}{IGNORED}\n")
        assert found() == [("a.py", 4, "ADA101")]

    def test_an_equal_line_in_another_file_is_new(self) -> None:
        Path("b.py").write_text(IGNORED_RANK)
        assert found() == [("b.py", 3, "ADA101")]

    def test_another_rule_on_the_same_line_is_new(self) -> None:
        Path("a.py").write_text(IGNORED_RANK)
        Path(NAME).write_text(Path(NAME).read_text().replace("ADA101", "ADA102"))
        assert found() == [("a.py", 3, "ADA101")]

    def test_standard_input_under_its_name_is_the_file(self) -> None:
        done = run("check", "-", "--stdin-filename", "a.py", stdin=IGNORED_RANK)
        assert (done.exit_code, done.stdout) == (0, "")
        assert run("check", "-", "--stdin-filename", "b.py", stdin=IGNORED_RANK).exit_code == 1

    def test_formats_for_programs_do_not_speak_of_it(self) -> None:
        assert "baseline" not in run("check", "--output-format", "json").stderr
        assert "baseline" not in run("check", "-q").stderr

    def test_a_fix_leaves_it_alone_until_it_is_asked_for(self) -> None:
        Path("a.py").write_text(f"{IGNORED_RANK}{SECOND}\n")
        assert run("fix").exit_code == 0
        assert IGNORED in Path("a.py").read_text()
        assert SECOND not in Path("a.py").read_text()
        assert run("fix", "--no-baseline").exit_code == 0
        assert "init_r=12" in Path("a.py").read_text().splitlines()[2]
        assert "1 gone" in run("check").stderr

    def test_a_comment_that_silences_a_new_finding_on_the_line_does_not_wake_it(self) -> None:
        both = "config = AdaLoraConfig(r=16, total_step=100, lora_alpha=-1)"
        Path("a.py").write_text(f"from peft import AdaLoraConfig\n{both}\n")
        Path(NAME).unlink()
        run("baseline", "--select", "ADA101")
        assert [code for _, _, code in found()] == ["ADA108"]
        Path("a.py").write_text(f"from peft import AdaLoraConfig\n{both}  # adalint: ignore[ADA108]\n")
        assert found() == []


def test_silencing_all_that_is_reported_leaves_what_is_known() -> None:
    Path("a.py").write_text(IGNORED_RANK)
    run("baseline")
    Path("a.py").write_text(f"{IGNORED_RANK}{SECOND}\n")
    assert run("check", "--add-ignore").exit_code == 0
    assert Path("a.py").read_text().count("adalint: ignore[") == 1
    assert found() == []
    assert [row for _, row, _ in found("--no-baseline")] == [3]


def test_the_line_of_a_notebook_is_that_of_its_cell() -> None:
    cells = ["from peft import AdaLoraConfig\n", f"{IGNORED}\n", "print(1)\n"]
    Path("n.ipynb").write_text(written(*cells))
    run("baseline")
    assert entries() == [("n.ipynb", "ADA101", IGNORED, 1)]
    Path("n.ipynb").write_text(written(cells[0], "%pip list\n", f"x = 1\n{IGNORED}\n", f"{SECOND}\n"))
    told = json.loads(run("check", "--output-format", "json").stdout)
    assert [(one["cell"], one["location"]["row"]) for one in told] == [(4, 1)]


def test_an_entry_written_by_hand_does_not_hide_that_a_cell_cannot_be_read() -> None:
    Path("n.ipynb").write_text(written("from peft import AdaLoraConfig\n", "AdaLoraConfig(r=16,\n"))
    [(_, row, code)] = found()
    assert (row, code) == (1, "ADA901")
    Path(NAME).write_bytes(render([Entry("n.ipynb", "ADA901", "AdaLoraConfig(r=16,")]))
    assert [code for _, _, code in found()] == ["ADA901"]


def test_markdown_counts_all_of_its_blocks_together() -> None:
    block = f"```python\n{IGNORED_RANK}```\n"
    Path("a.md").write_text(f"{block}\ntext\n\n{block}")
    run("baseline")
    assert entries() == [("a.md", "ADA101", IGNORED, 2)]
    Path("a.md").write_text(f"{block}\n{block}\n{block}")
    assert found() == [("a.md", 16, "ADA101")]


def test_a_comma_that_a_further_key_needs_does_not_wake_a_finding() -> None:
    Path("a.json").write_text('{\n  "peft_type": "ADALORA",\n  "total_step": 100,\n  "r": 16\n}\n')
    run("baseline")
    assert [(rule, line) for _, rule, line, _ in entries()] == [("ADA101", '"r": 16')]
    Path("a.json").write_text('{\n  "peft_type": "ADALORA",\n  "total_step": 100,\n  "r": 16,\n  "lora_alpha": 8\n}\n')
    assert found() == []


def test_a_long_line_is_kept_as_its_digest() -> None:
    line = '{"peft_type": "ADALORA", "total_step": 100, "r": 16, "base": "%s"}' % ("x" * 5000)
    Path("a.json").write_text(line)
    run("baseline")
    assert len(Path(NAME).read_bytes()) < 400
    assert found() == []
    Path("a.json").write_text(line.replace("xx}", "xy}").replace("16", "17"))
    assert found() == [("a.json", 1, "ADA101")]


@pytest.mark.parametrize(
    "name", ["a b.py", "100%.py", "a\nb.py", "a,b.py", "秩.py", 'q".py', os.fsdecode(b"caf\xe9.py"), "-x.py"]
)
def test_odd_names_are_names(name: str) -> None:
    Path(name).write_text(IGNORED_RANK)
    assert run_apart("baseline").returncode == 0
    text = Path(NAME).read_bytes().decode()
    assert len(text.splitlines()) == 6
    assert [path.encode(errors="surrogateescape") for path, *_ in entries()] == [os.fsencode(name)]
    assert run("check").exit_code == 0
    assert ("秩" in text) == ("秩" in name)


class TestShrinking:
    @pytest.fixture(autouse=True)
    def known(self, folder: Path) -> None:
        Path("a.py").write_text(f"{IGNORED_RANK}{SECOND}\n")
        Path("b.py").write_text(REVERSED)
        run("baseline")

    def test_check_says_what_is_gone_and_is_green(self) -> None:
        Path("b.py").write_text(CLEAN)
        done = run("check")
        assert done.exit_code == 0
        assert done.stderr.splitlines()[-1] == (
            "adalint-baseline.json: 1 gone: `adalint baseline` takes out what no longer occurs."
        )

    @pytest.mark.parametrize("after", [CLEAN, UNRELATED, None], ids=["mended", "without AdaLoRA", "deleted"])
    def test_what_is_gone_is_taken_out(self, after: str | None) -> None:
        Path("b.py").unlink() if after is None else Path("b.py").write_text(after)
        checked = run("baseline", "--check")
        assert (checked.exit_code, checked.stdout.split(" ×")[0]) == (1, "b.py: ADA102")
        assert len(entries()) == 3
        done = run("baseline")
        assert done.exit_code == 0
        assert done.stderr == "adalint-baseline.json holds 2 findings, 1 taken out, which no longer occur\n"
        assert {path for path, *_ in entries()} == {"a.py"}
        assert run("baseline", "--check").exit_code == 0

    def test_the_count_shrinks(self) -> None:
        Path("c.py").write_text(f"{IGNORED_RANK}{IGNORED}\n{IGNORED}\n")
        run("baseline", "--add-new")
        Path("c.py").write_text(f"{IGNORED_RANK}{IGNORED}\n")
        run("baseline")
        assert ("c.py", "ADA101", IGNORED, 2) in entries()

    def test_what_is_new_is_refused_and_listed(self) -> None:
        before = Path(NAME).read_bytes()
        Path("c.py").write_text(IGNORED_RANK)
        done = run("baseline")
        assert done.exit_code == 1
        assert done.stdout.startswith("c.py:3:24: ADA101 lora-rank-ignored ")
        assert done.stdout.count("\n") == 1
        assert "`adalint baseline --add-new`" in done.stderr
        assert Path(NAME).read_bytes() == before

    def test_what_is_new_is_taken_in_when_asked(self) -> None:
        Path("b.py").write_text(CLEAN)
        Path("c.py").write_text(IGNORED_RANK)
        done = run("baseline", "--add-new")
        assert (done.exit_code, done.stdout) == (0, "")
        assert done.stderr == "adalint-baseline.json holds 3 findings, 1 new, 1 taken out, which no longer occur\n"
        assert [path for path, *_ in entries()] == ["a.py", "a.py", "c.py"]
        assert found() == []

    def test_the_last_entry_leaves_an_empty_list(self) -> None:
        for name in ("a.py", "b.py"):
            Path(name).write_text(CLEAN)
        run("baseline")
        assert json.loads(Path(NAME).read_text()) == {"version": 1, "findings": []}
        assert run("check").exit_code == 0
        Path("a.py").write_text(IGNORED_RANK)
        assert run("baseline").exit_code == 1

    def test_what_was_not_looked_at_stays(self) -> None:
        Path("b.py").unlink()
        assert run("baseline", "a.py").exit_code == 0
        assert len(entries()) == 3
        assert "gone" not in run("check", "a.py").stderr

    def test_rules_that_are_off_keep_their_entries(self) -> None:
        Path("b.py").write_text(CLEAN)
        assert run("baseline", "--ignore", "ADA102").exit_code == 0
        assert len(entries()) == 3
        assert "gone" not in run("check", "--select", "ADA101").stderr
        assert "gone" in run("check").stderr

    def test_entries_of_a_rule_that_adalint_no_longer_has_are_gone(self) -> None:
        Path(NAME).write_text(Path(NAME).read_text().replace("ADA102", "ADA199"))
        assert run("baseline").exit_code == 1
        assert {rule for _, rule, *_ in entries()} == {"ADA101"}

    def test_a_file_that_cannot_be_parsed_keeps_its_entries_and_is_reported(self) -> None:
        Path("b.py").write_text(REVERSED + "(\n")
        done = run("baseline")
        assert (done.exit_code, done.stdout.split()[1]) == (1, "ADA901")
        assert "which no baseline hides" in done.stderr
        assert len(entries()) == 3
        run("baseline", "--add-new")
        assert len(entries()) == 3
        assert [code for _, _, code in found()] == ["ADA901"]
        assert run("baseline", "--check").exit_code == 0

    @pytest.mark.parametrize("after", [REVERSED.encode() + b"(\n", REVERSED.encode() + b"# \xff\n"])
    def test_so_it_does_when_nobody_wants_to_hear_of_it(self, after: bytes) -> None:
        Path("b.py").write_bytes(after)
        done = run("baseline", "--ignore", "ADA9")
        assert (done.exit_code, done.stdout, len(entries())) == (0, "", 3)

    def test_a_file_that_is_no_text_keeps_its_entries_and_is_reported(self) -> None:
        Path("b.py").write_bytes(REVERSED.encode() + b"# \xff\n")
        done = run("baseline")
        assert (done.exit_code, done.stdout.split()[1]) == (1, "ADA904")
        assert len(entries()) == 3

    def test_nothing_to_do_writes_nothing(self) -> None:
        os.chmod(NAME, 0o444)
        before = os.stat(NAME)
        assert run("baseline").exit_code == 0
        assert os.stat(NAME).st_ino == before.st_ino
        assert os.stat(NAME).st_mtime_ns == before.st_mtime_ns

    def test_a_program_is_given_what_is_new_in_its_format(self) -> None:
        Path("c.py").write_text(IGNORED_RANK)
        done = run("baseline", "--output-format", "json")
        assert [one["filename"] for one in json.loads(done.stdout)] == ["c.py"]

    def test_exit_zero_is_0(self) -> None:
        Path("b.py").write_text(IGNORED_RANK)
        assert run("baseline", "--check", "--exit-zero").exit_code == 0
        assert run("baseline", "--exit-zero").exit_code == 0


class TestBadOnes:
    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("", ":1: not JSON"),
            ('{"version": 1,\n"findings": [\n<<<<<<< ours\n', ":3: not JSON"),
            ("[]", ": no baseline:"),
            ('{"version": 1}', ": no baseline:"),
            ('{"version": 2, "findings": []}', ": version 2 of the format is not known here"),
            ('{"version": true, "findings": []}', ": version True of the format"),
            ('{"version": 1, "findings": [1]}', ": findings[0]: an object of path, rule, line, count is wanted"),
            (
                '{"version": 1, "findings": [{"path": "a", "rule": "ADA101", "line": "x", "count": "1"}]}',
                ": findings[0]: `count` cannot be '1'",
            ),
            (
                '{"version": 1, "findings": [{"path": "a", "rule": "ADA101", "line": "x", "count": 0}]}',
                ": findings[0]: `count` cannot be 0",
            ),
            (
                '{"version": 1, "findings": [{"path": "a", "rule": "ADA101", "line": "x", "count": 1%s}]}'
                % ("0" * 4000),
                ": findings[0]: `count` cannot be 1",
            ),
            ('{"version": 1, "findings": [{"path": "a", "rule": 1, "line": "x", "count": 1}]}', "`rule` cannot be 1"),
            ("[" * 100_000, ": not JSON"),
            ("9" * 10_000, ": not JSON"),
            (b"\xff\xfe", ": not JSON"),
        ],
    )
    def test_it_is_2_with_the_place_and_the_remedy(self, text: str | bytes, told: str) -> None:
        Path("a.py").write_text(IGNORED_RANK)
        Path(NAME).write_bytes(text if isinstance(text, bytes) else text.encode())
        done = run("fix")
        assert (done.exit_code, done.stdout) == (2, "")
        assert done.stderr.startswith(f"adalint: {NAME}")
        assert done.stderr.count("\n") == 1
        assert told in done.stderr
        assert "anew" in done.stderr
        assert Path("a.py").read_text() == IGNORED_RANK

    @pytest.mark.parametrize("command", ["check", "baseline"])
    def test_it_is_2_for_all_commands_before_anything_is_written(self, command: str) -> None:
        Path("a.py").write_text(IGNORED_RANK)
        Path(NAME).write_text("?")
        done = run(command)
        assert (done.exit_code, done.stdout, Path(NAME).read_text()) == (2, "", "?")

    def test_one_that_is_no_file_is_2(self) -> None:
        Path("a.py").write_text(IGNORED_RANK)
        Path(NAME).mkdir()
        assert (run("check").exit_code, run("baseline").exit_code) == (2, 2)

    def test_one_that_was_asked_for_and_is_missing_is_2(self) -> None:
        Path("a.py").write_text(CLEAN)
        done = run("check", "--baseline", "none.json")
        assert (done.exit_code, done.stderr) == (
            2,
            "adalint: none.json: there is no such baseline; `adalint baseline` writes it\n",
        )
        Path("adalint.toml").write_text('baseline = "none.json"\n')
        assert run("check").exit_code == 2
        assert run("baseline", "--check").exit_code == 2

    def test_a_key_of_another_type_is_2(self) -> None:
        Path("adalint.toml").write_text("\nbaseline = 1\n")
        done = run("check")
        assert (done.exit_code, done.stderr) == (
            2,
            "adalint: adalint.toml:2: baseline: the path of a file is wanted, not 1\n",
        )

    def test_a_folder_that_is_not_there_is_2(self) -> None:
        Path("a.py").write_text(IGNORED_RANK)
        done = run("baseline", "--baseline", "none/b.json")
        assert (done.exit_code, "make it first" in done.stderr) == (2, True)

    def test_standard_input_has_none_written(self) -> None:
        assert run("baseline", "-", stdin=IGNORED_RANK).exit_code == 2

    def test_contradictions_are_2(self) -> None:
        assert run("baseline", "--check", "--add-new").exit_code == 2
        assert run("check", "--baseline", "b.json", "--no-baseline").exit_code == 2


def test_two_branches_that_each_mend_something_merge(folder: Path) -> None:
    start(folder)
    for number in range(9):
        Path(f"a{number}.py").write_text(IGNORED_RANK)
    run("baseline")
    commit()
    for branch, number in (("one", 1), ("two", 7)):
        git("switch", "-qc", branch, "main")
        Path(f"a{number}.py").write_text(CLEAN)
        run("baseline")
        commit()
    git("merge", "-q", "--no-edit", "one")
    assert run("baseline", "--check").exit_code == 0
    assert [path for path, *_ in entries()] == [f"a{number}.py" for number in (0, 2, 3, 4, 5, 6, 8)]


def test_many_findings_are_written_the_same_each_time() -> None:
    Path("a.py").write_text("from peft import AdaLoraConfig\n" + f"{IGNORED}\n" * 80 + f"{SECOND}\n" * 40)
    run("baseline")
    first = Path(NAME).read_bytes()
    Path(NAME).unlink()
    run("baseline")
    assert Path(NAME).read_bytes() == first
    assert entries() == [("a.py", "ADA101", SECOND, 40), ("a.py", "ADA101", IGNORED, 80)]
    made = [Entry(f"{number % 97}.py", "ADA101", f"r={number}", 1 + number % 3) for number in range(5_000)]
    assert render(made) == render(reversed(made))
    compared = compare(made, made[::2])
    assert sum(one.count for one in (*compared.kept, *compared.stale)) == sum(one.count for one in made)


class TestThePureParts:
    def test_the_python_api_sees_what_the_command_line_sees(self) -> None:
        import adalint

        Path("a.py").write_text(IGNORED_RANK)
        run("baseline")
        assert [report.findings for report in adalint.check_paths(["a.py"])] == [()]
        settled = adalint.settings_for("a.py")
        report = adalint.check_text(IGNORED_RANK, filename="a.py", settings=settled)
        assert (report.findings, [finding.code for finding in report.hidden]) == ((), ["ADA101"])

    def test_a_bad_one_is_a_settings_error_to_the_python_api(self) -> None:
        import adalint

        Path(NAME).write_text("?")
        with pytest.raises(SettingsError, match="not JSON"):
            adalint.settings_for("a.py")

    @given(st.text())
    def test_squeezing_the_shown_line_is_squeezing_the_line(self, line: str) -> None:
        assert squeezed(shown(line)) == squeezed(line)

    @given(
        st.lists(
            st.builds(
                Entry,
                st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
                st.sampled_from(["ADA101", "ADA102"]),
                st.text().map(shown),
                st.integers(1, 5),
            )
        )
    )
    def test_what_is_written_is_read(self, made: list[Entry]) -> None:
        place = Path("written.json")
        place.write_bytes(render(made))
        back = read(str(place.absolute()))
        assert compare(back, made).stale == compare(made, back).stale == ()
        assert compare(back, made).new == compare(made, back).new == ()
        assert render(reversed(back)) == place.read_bytes()


KNOWN = ["a = AdaLoraConfig(r=16, total_step=100)", "b = AdaLoraConfig(init_r=8, target_r=16, total_step=100)"]
OTHER = ["import os", "", "x = 1", "# r=16", "def f(): pass", "c = AdaLoraConfig(init_r=12, target_r=8, total_step=9)"]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(KNOWN), min_size=1, max_size=4), st.data())
def test_work_elsewhere_wakes_nothing_and_hides_nothing(known: list[str], data: st.DataObject) -> None:
    """Lines are moved, others come and go between them, and their white space changes."""
    head = "from peft import AdaLoraConfig\n"
    first = check_text(head + "\n".join(known), filename="a.py")
    hidden = {}
    for entry in entries_of(first, os.getcwd()):
        hidden[entry.rule, entry.key[2]] = hidden.get((entry.rule, entry.key[2]), 0) + 1
    settled = Settings(known_here=hidden)
    lines = data.draw(st.permutations([*known, *data.draw(st.lists(st.sampled_from(OTHER), max_size=6))]))
    lines = [line.replace(", ", data.draw(st.sampled_from([",", ",  ", ", "]))) for line in lines]
    again = check_text(head + "\n".join(lines) + "\n", filename="a.py", settings=settled)
    assert again.findings == ()
    assert len(again.hidden) == len(first.findings)
    extra = data.draw(st.sampled_from(KNOWN))
    more = check_text(head + "\n".join([*lines, extra]), filename="a.py", settings=settled)
    assert len(more.findings) == 1
    fixed = fix_text(head + "\n".join([*lines, extra]), filename="a.py", settings=settled)
    assert fixed.after.text.startswith(head + "\n".join(lines))


def test_an_interrupted_write_leaves_the_old_one() -> None:
    Path("a.py").write_text(IGNORED_RANK)
    run("baseline")
    before = Path(NAME).read_bytes()
    Path("b.py").write_text(IGNORED_RANK)
    script = (
        "import os\nfrom adalint.__main__ import main\n"
        "def replace(*_):\n    raise OSError(28, 'No space left on device')\n"
        "os.replace = replace\nmain()\n"
    )
    command = [sys.executable, "-c", script, "baseline", "--add-new"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, "cannot be written (No space left on device)" in done.stderr) == (2, True)
    assert Path(NAME).read_bytes() == before
    assert sorted(os.listdir()) == ["a.py", NAME, "b.py"]
