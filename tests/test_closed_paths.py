"""What people are told of a path that they name and that is closed to them: where, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from commands import CLEAN, run_apart
from privileges import give_up_permissions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMANDS = ("check", "fix", "plan", "verify")


def said(folder: Path, *arguments: str, stdin: bytes = b"") -> tuple[int, str]:
    """Run in a folder, held to its permissions; give the exit code, and all that is printed."""
    done = run_apart(*arguments, cwd=folder, input=stdin, preexec_fn=give_up_permissions)
    return done.returncode, (done.stdout + done.stderr).decode()


@pytest.fixture
def closed_file(tmp_path: Path) -> Path:
    (tmp_path / "closed.py").write_text(CLEAN)
    (tmp_path / "closed.py").chmod(0)
    return tmp_path


@pytest.fixture
def closed_folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "closed" / "inner").mkdir(parents=True)
    (tmp_path / "closed" / "inner" / "a.py").write_text(CLEAN)
    (tmp_path / "closed").chmod(0)
    yield tmp_path
    (tmp_path / "closed").chmod(0o700)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_closed_file_is_named_with_the_remedy(closed_file: Path, command: str) -> None:
    code, text = said(closed_file, command, "closed.py")
    assert code != 0
    assert "closed.py" in text
    assert "permission denied; give yourself the right to read it (`chmod u+r`)" in text
    assert "Usage" not in text


@pytest.mark.parametrize("command", COMMANDS)
def test_an_open_file_beside_it_is_read(closed_file: Path, command: str) -> None:
    (closed_file / "open.py").write_text(CLEAN)
    assert "permission" not in said(closed_file, command, "open.py")[1]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_closed_folder_fails_the_run(closed_folder: Path, command: str) -> None:
    remedy = "give yourself the right to look into it (`chmod u+rx`)"
    assert said(closed_folder, command, "closed") == (2, f"adalint: closed: permission denied; {remedy}\n")


@pytest.mark.parametrize("path", ["closed/a.py", "closed/inner/a.py", "closed/inner"])
def test_a_path_below_a_closed_folder_is_not_called_missing(closed_folder: Path, path: str) -> None:
    remedy = "give yourself the right to enter the folder closed (`chmod u+x`)"
    assert said(closed_folder, "check", path) == (2, f"adalint: {path}: permission denied; {remedy}\n")


@pytest.mark.parametrize("path", ["open/missing.py", "missing/a.py", "missing.py"])
def test_a_path_that_is_not_there_is_called_missing(tmp_path: Path, path: str) -> None:
    (tmp_path / "open").mkdir()
    assert said(tmp_path, "check", path) == (2, f"adalint: {path}: no such file or directory\n")


def test_a_closed_folder_below_the_one_that_is_named_ends_no_run(closed_folder: Path) -> None:
    (closed_folder / "open.py").write_text(CLEAN)
    code, text = said(closed_folder, "check", ".")
    assert code == 0
    assert "closed: left out" in text


def test_a_closed_settings_file_is_named_with_the_remedy(closed_file: Path) -> None:
    (closed_file / "open.py").write_text(CLEAN)
    remedy = "give yourself the right to read it (`chmod u+r`)"
    expected = (2, f"adalint: closed.py: permission denied; {remedy}\n")
    assert said(closed_file, "check", "--config", "closed.py", "open.py") == expected


def test_what_standard_input_is_called_need_not_be_readable(closed_file: Path) -> None:
    code, text = said(closed_file, "check", "--stdin-filename", "closed.py", "-", stdin=CLEAN.encode())
    assert (code, "permission" in text) == (0, False)
