"""`adalint init`: it asks what occurs and is not answered, and writes answers without touching another byte."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from commands import CLEAN, IGNORED_RANK, REVERSED, UNRELATED, run, run_apart
from hypothesis import given, settings
from hypothesis import strategies as st
from repositories import start

from adalint.fixes.intent_edits import with_intent
from adalint.questions import ANSWERS, CAUTIOUS, QUESTIONS
from adalint.rulebook.pages import load
from adalint.settings import INTENTS


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def answer(*lines: str, arguments: tuple[str, ...] = ()) -> tuple[int, str]:
    """Run `init` on a terminal and type these lines; give the exit code and all that the terminal shows."""
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "adalint", "init", *arguments],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env={**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8"},
        close_fds=True,
    )
    os.close(terminal)
    os.write(controller, "".join(f"{line}\n" for line in lines).encode())
    told = b""
    while True:
        try:
            chunk = os.read(controller, 65536)
        except OSError:
            break
        if not chunk:
            break
        told += chunk
    os.close(controller)
    return process.wait(), told.decode()


class TestWithoutATerminal:
    def test_it_refuses_and_names_the_flags(self) -> None:
        Path("a.py").write_text(IGNORED_RANK)
        done = run_apart("init", stdin=subprocess.DEVNULL)
        assert (done.returncode, done.stdout) == (2, b"")
        assert done.stderr.decode() == (
            "adalint: there is no terminal to ask on; answer by --r init_r|final|keep-today, or take --defaults\n"
        )
        assert os.listdir() == ["a.py"]

    @pytest.mark.parametrize("text", [CLEAN, UNRELATED, ""])
    def test_where_nothing_waits_nothing_is_asked(self, text: str) -> None:
        Path("a.py").write_text(text)
        done = run_apart("init", stdin=subprocess.DEVNULL)
        assert (done.returncode, done.stdout) == (0, b"Nothing to ask: no fix waits for a decision.\n")
        assert os.listdir() == ["a.py"]

    @pytest.mark.parametrize(("key", "word"), [(key, word) for key, words in INTENTS.items() for word in words])
    def test_each_answer_can_be_given_by_a_flag(self, key: str, word: str) -> None:
        Path("a.py").write_text(IGNORED_RANK + REVERSED)
        done = run_apart("init", f"--{key}", word, stdin=subprocess.DEVNULL)
        assert done.returncode == 0
        assert tomllib.loads(Path("adalint.toml").read_text()) == {"intent": {key: word}}
        left = next(other for other in INTENTS if other != key)
        assert f"Left open: {left}." in done.stdout.decode()

    @pytest.mark.parametrize("flag", ["--defaults", "--yes", "-y"])
    def test_the_cautious_answers_can_be_taken(self, flag: str) -> None:
        Path("a.py").write_text(IGNORED_RANK + REVERSED)
        assert run("init", flag).exit_code == 0
        assert tomllib.loads(Path("adalint.toml").read_text()) == {"intent": dict(CAUTIOUS)}

    def test_defaults_answer_only_what_occurs(self) -> None:
        Path("a.py").write_text(REVERSED)
        assert run("init", "--defaults").exit_code == 0
        assert tomllib.loads(Path("adalint.toml").read_text()) == {"intent": {"reversed-ranks": "swap"}}

    def test_a_rank_beside_the_one_that_counts_is_no_question(self) -> None:
        Path("a.py").write_text(IGNORED_RANK.replace("r=16", "r=16, init_r=12"))
        assert run("init", "--defaults").stdout.startswith("Nothing to ask")

    def test_what_is_answered_makes_the_fix_safe(self) -> None:
        Path("a.py").write_text(IGNORED_RANK)
        assert run("init", "--r", "init_r").exit_code == 0
        assert run("fix").exit_code == 0
        assert "AdaLoraConfig(init_r=16," in Path("a.py").read_text()
        assert run("init").stdout.startswith("Nothing to ask")

    def test_a_word_that_is_none_is_2(self) -> None:
        assert run("init", "--r", "start").exit_code == 2

    def test_what_is_no_folder_is_2(self) -> None:
        Path("a.py").write_text(IGNORED_RANK)
        done = run("init", "a.py")
        assert (done.exit_code, done.stderr) == (2, "adalint: a.py: is no folder\n")


class TestWhatIsAnsweredAlready:
    def test_it_is_not_overwritten(self) -> None:
        Path("a.py").write_text(IGNORED_RANK + REVERSED)
        before = '# ours\n[intent]\nr = "final"\n'
        Path("adalint.toml").write_text(before)
        done = run("init", "--r", "init_r")
        assert (done.exit_code, done.stdout) == (2, "")
        assert (
            done.stderr
            == 'adalint: adalint.toml:3: intent.r: "final" stands there; change it there, or leave the flag out\n'
        )
        assert Path("adalint.toml").read_text() == before
        assert run("init", "--defaults").exit_code == 0
        assert Path("adalint.toml").read_text() == '# ours\n[intent]\nreversed-ranks = "swap"\nr = "final"\n'

    def test_the_same_answer_again_changes_nothing(self) -> None:
        Path("a.py").write_text(IGNORED_RANK)
        run("init", "--r", "final")
        before = Path("adalint.toml").read_bytes()
        assert run("init", "--r", "final").exit_code == 0
        assert Path("adalint.toml").read_bytes() == before

    def test_settings_that_cannot_be_read_are_2(self) -> None:
        Path("a.py").write_text(IGNORED_RANK)
        Path("adalint.toml").write_text("intent = 3\n")
        done = run("init", "--defaults")
        assert (done.exit_code, Path("adalint.toml").read_text()) == (2, "intent = 3\n")


class TestOnATerminal:
    def test_it_shows_what_it_found_and_writes_what_is_chosen(self) -> None:
        for number in range(8):
            Path(f"a{number}.py").write_text(IGNORED_RANK)
        Path("b.py").write_text(REVERSED)
        code, told = answer("final", "swap")
        assert code == 0
        assert "8 findings in 8 files:" in told
        assert "a0.py:3:24: r=16 has no effect in AdaLoRA" in told
        assert "… and 3 more" in told
        assert "1 finding in 1 file:" in told
        assert tomllib.loads(Path("adalint.toml").read_text()) == {"intent": {"r": "final", "reversed-ranks": "swap"}}

    def test_enter_leaves_a_question_open(self) -> None:
        Path("a.py").write_text(IGNORED_RANK + REVERSED)
        code, told = answer("", "raise-init")
        assert (code, "Left open: r." in told) == (0, True)
        assert tomllib.loads(Path("adalint.toml").read_text()) == {"intent": {"reversed-ranks": "raise-init"}}

    def test_all_left_open_writes_nothing(self) -> None:
        Path("a.py").write_text(IGNORED_RANK)
        assert answer("open")[0] == 0
        assert os.listdir() == ["a.py"]

    def test_a_word_that_is_none_is_asked_again(self) -> None:
        Path("a.py").write_text(IGNORED_RANK)
        assert answer("bogus", "keep-today")[0] == 0
        assert tomllib.loads(Path("adalint.toml").read_text()) == {"intent": {"r": "keep-today"}}

    def test_an_end_before_the_last_answer_writes_nothing(self) -> None:
        Path("a.py").write_text(IGNORED_RANK + REVERSED)
        code, told = answer("final", "\x04")
        assert code != 0
        assert "Traceback" not in told
        assert os.listdir() == ["a.py"]

    def test_it_speaks_chinese_when_asked(self) -> None:
        Path("a.py").write_text(IGNORED_RANK)
        told = answer("final", arguments=("--lang", "zh"))[1]
        assert "AdaLoRA 从不读取 `r`" in told
        assert 'intent 中写入 r = "final"' in told


class TestWhereItWrites:
    def test_the_settings_that_hold_for_the_folder(self, folder: Path) -> None:
        Path("adalint.toml").write_text('lang = "en"')
        Path("sub").mkdir()
        Path("sub/a.py").write_text(IGNORED_RANK)
        assert run("init", "sub", "--defaults").exit_code == 0
        assert Path("adalint.toml").read_text() == 'lang = "en"\n\n[intent]\nr = "keep-today"\n'

    def test_the_pyproject_of_the_repository(self, folder: Path) -> None:
        start(folder)
        Path("pyproject.toml").write_text('[project]\nname = "x"\n')
        Path("sub").mkdir()
        Path("sub/a.py").write_text(IGNORED_RANK)
        assert run("init", "sub", "--defaults").exit_code == 0
        assert Path("pyproject.toml").read_text() == (
            '[project]\nname = "x"\n\n[tool.adalint.intent]\nr = "keep-today"\n'
        )
        assert run("check", "sub").exit_code == 1
        assert run("fix", "sub").exit_code == 0

    def test_a_pyproject_outside_the_repository_is_somebody_elses(self, folder: Path) -> None:
        Path("pyproject.toml").write_text('[project]\nname = "x"\n')
        inner = start(folder / "inner")
        (inner / "a.py").write_text(IGNORED_RANK)
        assert run("init", "inner", "--defaults").exit_code == 0
        assert (inner / "adalint.toml").is_file()
        assert Path("pyproject.toml").read_text() == '[project]\nname = "x"\n'

    def test_files_with_settings_of_their_own_are_not_asked_about(self) -> None:
        Path("sub").mkdir()
        Path("sub/adalint.toml").touch()
        Path("sub/a.py").write_text(IGNORED_RANK)
        assert run("init", "--defaults").stdout.startswith("Nothing to ask")

    def test_a_file_that_is_read_only_is_2(self) -> None:
        Path("a.py").write_text(IGNORED_RANK)
        Path("adalint.toml").write_text("")
        os.chmod("adalint.toml", 0o444)
        done = run("init", "--defaults")
        assert (done.exit_code, "read-only" in done.stderr) == (2, True)
        assert Path("adalint.toml").read_text() == ""

    def test_a_file_of_another_encoding_than_utf_8_is_2(self) -> None:
        Path("a.py").write_text(IGNORED_RANK)
        Path("pyproject.toml").write_bytes(b"# caf\xe9\n")
        done = run("init", "--defaults")
        assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
        assert Path("pyproject.toml").read_bytes() == b"# caf\xe9\n"


TABLE = ("tool", "adalint")
TEXTS = {
    "empty": "",
    "no newline at the end": '[project]\nname = "x"',
    "windows": '[project]\r\nname = "x"\r\n',
    "a table": '[tool.adalint]\nlang = "en"\n\n[tool.ruff]\nline-length = 9\n',
    "an intent": '[tool.adalint.intent] # ours\n# why\nreversed-ranks = "swap"\n\n[tool.ruff]\n',
    "quoted": '[tool."adalint".\'intent\']\nreversed-ranks = "swap"\n',
    "inline": '[tool.adalint]\nintent = { reversed-ranks = "swap" } # { x\n',
    "inline empty": "[tool.adalint]\nintent = {}\n",
    "dotted": '[tool.adalint]\nintent.reversed-ranks = "swap"\nlang = "en"\n',
    "dotted from above": '[tool]\nadalint.intent.reversed-ranks = "swap"\n',
    "a header in a text": '[project]\ndescription = """\n[tool.adalint.intent]\n"""\n',
    "tables after": '[tool.adalint.per-file-ignores]\n"a" = ["ADA1"]\n\n[[tool.x]]\na = 1\n',
    "the last line a header": "[tool.adalint.intent]",
}


class TestEdits:
    @pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
    def test_only_answers_come_in(self, text: str) -> None:
        after = with_intent(text, TABLE, {"r": "final"})
        assert after is not None
        told = tomllib.loads(after)
        assert told["tool"]["adalint"]["intent"].pop("r") == "final"
        before = tomllib.loads(text)
        before.setdefault("tool", {}).setdefault("adalint", {}).setdefault("intent", {})
        assert told == before
        left = iter(after)
        assert all(one in left for one in text), "every byte stays, in its order"
        assert ("\r\n" in text) == ("\r\n" in after)
        assert "\n" not in after.replace("\r\n", "") or "\r\n" not in text

    def test_a_way_of_writing_that_it_does_not_know_is_left_to_people(self) -> None:
        assert with_intent('tool = { adalint = { lang = "en" } }\n', TABLE, {"r": "final"}) is None
        Path("a.py").write_text(IGNORED_RANK)
        Path("pyproject.toml").write_text('tool = { adalint = { lang = "en" } }\n')
        done = run("init", "--defaults")
        assert done.exit_code == 2
        assert 'write there: r = "keep-today"' in done.stderr
        assert Path("pyproject.toml").read_text() == 'tool = { adalint = { lang = "en" } }\n'

    @settings(max_examples=200, deadline=None)
    @given(
        st.lists(
            st.sampled_from(['[tool.adalint]\nlang = "en"\n', "[x]\na = 1\n", '[y]\nb = """\n[z]"""\n', "\n", "# c\n"])
        ),
        st.sampled_from(["\n", "\r\n"]),
        st.booleans(),
    )
    def test_it_is_an_insertion_whatever_stands_there(self, parts: list[str], newline: str, cut: bool) -> None:
        text = "".join(dict.fromkeys(parts)).replace("\n", newline)
        text = text.rstrip() if cut else text
        after = with_intent(text, TABLE, {"r": "final", "reversed-ranks": "swap"})
        assert after is not None
        assert after.startswith(text)
        assert tomllib.loads(after)["tool"]["adalint"]["intent"] == {"r": "final", "reversed-ranks": "swap"}


def test_every_intent_of_a_rule_has_its_question_and_its_answers() -> None:
    declared = {recipe.intent for rule in load().rules.values() for recipe in rule.fixes if recipe.intent is not None}
    assert declared == set(ANSWERS) == {(key, word) for key, words in INTENTS.items() for word in words}
    assert set(QUESTIONS) == set(INTENTS) == set(CAUTIOUS)
    assert set(CAUTIOUS.items()) <= declared
