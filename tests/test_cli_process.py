"""What shows only in a process of its own: what is imported, pipes, signals, the hooks."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from commands import CHECKOUT, CLEAN, IGNORED_RANK, REVERSED, UNRELATED, run_apart

from adalint import __version__

HEAVY = {
    "pydantic",
    "libcst",
    "yaml",
    "numpy",
    "matplotlib",
    "torch",
    "peft",
    "pygls",
    "packaging",
    "tomllib",
    "json",
}
HOOKS = yaml.safe_load((CHECKOUT / ".pre-commit-hooks.yaml").read_text())


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))
    return tmp_path


def imported(*arguments: str) -> set[str]:
    script = (
        "import sys\nfrom adalint.__main__ import main\n"
        "try:\n    main()\n"
        "finally:\n    print('|'.join({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    return set(done.stderr.splitlines()[-1].split("|"))


def test_the_version_is_printed_without_loading_anything_heavy() -> None:
    assert run_apart("--version").stdout.decode() == f"adalint {__version__}\n"
    assert imported("--version") & (HEAVY | {"ignore"}) == set()


@pytest.mark.parametrize(
    "arguments", [["check", "."], ["check", "x.py"], ["fix", "."], ["check", "-q", "x.py", "y.yaml"]]
)
def test_a_run_without_a_hit_loads_nothing_heavy(arguments: list[str]) -> None:
    Path("x.py").write_text(UNRELATED)
    Path("y.yaml").write_text("a: 1\n")
    assert imported(*arguments) & HEAVY == set()


def test_named_files_are_checked_without_loading_the_walker() -> None:
    Path("x.py").write_text(UNRELATED)
    assert "ignore" not in imported("check", "x.py")


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    for number in range(300):
        Path(f"x{number}.py").write_text(REVERSED)
    with subprocess.Popen(
        [sys.executable, "-m", "adalint", "check", "--output-format", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        told = process.stderr.read()
    assert b"Traceback" not in told
    assert b"BrokenPipe" not in told
    assert process.returncode in {1, 2}


@pytest.mark.parametrize("arguments", [["check"], ["fix", "--diff"], ["rules"], ["--help"]])
def test_an_output_that_is_full_is_2_with_a_line(arguments: list[str]) -> None:
    Path("x.py").write_text(IGNORED_RANK)
    command = [sys.executable, "-m", "adalint", *arguments]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "adalint: cannot go on: No space left on device\n"


def test_an_interrupt_is_130_without_a_traceback() -> None:
    script = """
import os, signal, sys, types
from adalint.__main__ import main

signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background is started deaf to it

def read():
    os.kill(os.getpid(), signal.SIGINT)
    return b""

sys.stdin = types.SimpleNamespace(buffer=types.SimpleNamespace(read=read), isatty=bool, closed=False)
main()
"""
    done = subprocess.run([sys.executable, "-c", script, "check", "-"], capture_output=True, check=False)
    assert (done.returncode, done.stdout, b"Traceback" in done.stderr) == (130, b"", False)


@pytest.mark.parametrize(("encoding", "name"), [("ascii", "秩.py"), ("utf-8", "秩.py"), ("latin-1", r"\u79e9.py")])
def test_what_the_terminal_cannot_spell_is_no_traceback(encoding: str, name: str) -> None:
    Path("秩.py").write_text(REVERSED.rstrip() + "  # 秩\n", encoding="utf-8")
    done = run_apart("check", "--output-format", "full", env={**os.environ, "PYTHONIOENCODING": encoding})
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    # click takes a stream that claims ASCII for a misconfigured one, and writes UTF-8.
    assert name in done.stdout.decode("utf-8" if encoding == "ascii" else encoding)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", ">&- 2>&-"])
def test_a_stream_that_the_caller_closed_is_no_failure(closed: str) -> None:
    Path("x.py").write_text(REVERSED)
    command = shlex.join([sys.executable, "-m", "adalint", "check"])
    done = subprocess.run(["sh", "-c", f"{command} {closed}"], capture_output=True, check=False)
    assert (done.returncode, b"internal error" in done.stderr) == (1, False)


def test_an_empty_standard_input_is_no_finding() -> None:
    command = shlex.join([sys.executable, "-m", "adalint", "check", "-"])
    assert subprocess.run(["sh", "-c", f"{command} <&-"], capture_output=True, check=False).returncode == 0


def test_a_file_name_that_is_no_unicode_is_no_traceback() -> None:
    Path(os.fsdecode(b"caf\xe9.py")).write_text(REVERSED)
    for output_format in ("full", "concise", "json", "lsp"):
        done = run_apart("check", "--output-format", output_format)
        assert (done.returncode, b"Traceback" in done.stderr) == (1, False)


class TestHooks:
    @pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: str(hook["id"]))
    def test_its_pattern_takes_what_adalint_reads_and_nothing_else(self, hook: dict[str, str]) -> None:
        from adalint.source import KIND_OF_SUFFIX

        pattern = re.compile(hook["files"])
        assert all(pattern.search(f"sub/x{suffix}") for suffix in KIND_OF_SUFFIX)
        assert not any(pattern.search(name) for name in ("x.txt", "x.pyc", "x.rst", "py", "x.py.bak", "x.jsonl"))

    @pytest.mark.parametrize(
        ("hook", "text", "code"),
        [
            ("adalint", CLEAN, 0),
            ("adalint", IGNORED_RANK, 1),
            ("adalint", REVERSED, 1),
            ("adalint-fix", CLEAN, 0),
            ("adalint-fix", IGNORED_RANK, 0),
            ("adalint-fix", REVERSED, 1),
        ],
    )
    def test_its_entry_exits_as_it_should(self, hook: str, text: str, code: int) -> None:
        Path("x.py").write_text(text)
        Path("y.json").write_text("{}")
        [entry] = [one["entry"] for one in HOOKS if one["id"] == hook]
        command, *arguments = shlex.split(entry)
        assert command == "adalint"
        assert run_apart(*arguments, "x.py", "y.json").returncode == code
