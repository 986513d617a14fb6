"""`--changed-since REV`: only files that this branch has changed, asked of a real git."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from commands import CHECKOUT, IGNORED_RANK, REVERSED, UNRELATED, run, run_apart
from repositories import ENVIRONMENT, commit, git, start


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with two files, both wrong, in one commit on `main`."""
    folder = start(tmp_path / "project")
    monkeypatch.chdir(folder)
    (folder / "old.py").write_text(IGNORED_RANK)
    (folder / "sub").mkdir()
    (folder / "sub" / "other.py").write_text(IGNORED_RANK)
    commit("start")
    return folder


def touched(*arguments: str, since: str = "main", cwd: Path | None = None) -> list[str]:
    """Name the files with findings."""
    done = run_apart("check", "--changed-since", since, "--output-format", "json", *arguments, cwd=cwd)
    assert done.returncode in {0, 1}, done.stderr
    return [one["filename"] for one in json.loads(done.stdout)]


def test_what_has_not_changed_is_not_read() -> None:
    done = run("check", "--changed-since", "HEAD")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "Nothing to check: no file has changed since HEAD.\n"


def test_saved_staged_committed_and_untracked_files_have_changed(repository: Path) -> None:
    git("switch", "-qc", "work")
    Path("committed.py").write_text(REVERSED)
    commit()
    Path("staged.py").write_text(REVERSED)
    git("add", "staged.py")
    Path("untracked.py").write_text(REVERSED)
    Path("old.py").write_text(IGNORED_RANK + "\n")
    assert touched() == ["committed.py", "old.py", "staged.py", "untracked.py"]


def test_what_git_ignores_is_not_read() -> None:
    Path(".gitignore").write_text("scratch.py\n")
    Path("scratch.py").write_text(REVERSED)
    assert touched("scratch.py") == []


def test_a_file_with_a_new_name_has_changed_and_one_that_is_gone_is_nothing() -> None:
    git("mv", "old.py", "new.py")
    git("rm", "-q", "sub/other.py")
    assert touched() == ["new.py"]


def test_what_the_other_branch_did_meanwhile_is_not_ours() -> None:
    git("switch", "-qc", "work")
    Path("mine.py").write_text(REVERSED)
    commit()
    git("switch", "-q", "main")
    Path("old.py").write_text(IGNORED_RANK + "# theirs\n")
    commit()
    git("switch", "-q", "work")
    assert touched() == ["mine.py"]


def test_a_change_that_was_taken_back_is_none() -> None:
    git("switch", "-qc", "work")
    Path("old.py").write_text(UNRELATED)
    commit()
    Path("old.py").write_text(IGNORED_RANK)
    assert touched() == []


def test_only_files_that_were_asked_for_are_read(repository: Path) -> None:
    Path("old.py").write_text(REVERSED)
    Path("sub/other.py").write_text(REVERSED)
    assert touched("sub") == ["sub/other.py"]
    assert touched("old.py") == ["old.py"]


def test_it_is_the_same_from_a_folder_below(repository: Path) -> None:
    Path("old.py").write_text(REVERSED)
    Path("sub/other.py").write_text(REVERSED)
    Path("sub/fresh.py").write_text(REVERSED)
    assert touched(cwd=repository / "sub") == ["fresh.py", "other.py"]
    assert touched("..", cwd=repository / "sub") == ["../old.py", "fresh.py", "other.py"]


def test_settings_of_git_that_make_names_relative_do_not_hide_files(repository: Path) -> None:
    git("config", "diff.relative", "true")
    git("config", "core.quotePath", "true")
    Path("秩 %s.py").write_text(REVERSED)
    git("add", "-A")
    assert touched("..", cwd=repository / "sub") == ["../秩 %s.py"]


@pytest.mark.parametrize("name", ["a\nb.py", "-n.py", "a b,'\".py", "秩.py", ":(top).py", os.fsdecode(b"caf\xe9.py")])
@pytest.mark.parametrize("tracked", [True, False])
def test_odd_names_are_names(name: str, tracked: bool) -> None:
    Path(name).write_text(REVERSED)
    if tracked:
        git("add", "-A")
    done = run_apart("check", "--changed-since", "main", "--show-files", "--output-format", "json")
    assert [one.encode(errors="surrogateescape") for one in json.loads(done.stdout)] == [os.fsencode(name)]


def test_a_worktree_is_asked_about_its_own_branch(tmp_path: Path) -> None:
    git("worktree", "add", "-q", "-b", "beside", str(tmp_path / "beside"))
    (tmp_path / "beside" / "there.py").write_text(REVERSED)
    Path("here.py").write_text(REVERSED)
    assert touched(cwd=tmp_path / "beside") == ["there.py"]


@pytest.mark.parametrize("linked", [False, True])
def test_a_hook_of_git_asks_about_its_own_repository(repository: Path, tmp_path: Path, linked: bool) -> None:
    hook = repository / ".git" / "hooks" / "pre-commit"
    command = shlex.join([sys.executable, "-m", "adalint", "check", "--changed-since", "HEAD", "sub/other.py"])
    hook.write_text(f"#!/bin/sh\nexport GIT_DIR=$(git rev-parse --git-dir)\nexec {command}\n")
    hook.chmod(0o755)
    tree = repository
    if linked:
        tree = tmp_path / "beside"
        git("worktree", "add", "-q", "-b", "beside", str(tree))
    (tree / "sub" / "other.py").write_text(REVERSED)
    environment = {**ENVIRONMENT, "PYTHONPATH": str(CHECKOUT)}
    done = subprocess.run(
        ["git", "commit", "-qam", "x"], cwd=tree, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert [line.split(":")[0] for line in (done.stdout + done.stderr).splitlines() if "ADA" in line] == [
        "sub/other.py"
    ]


def test_a_working_tree_whose_name_ends_in_a_newline_is_found(tmp_path: Path) -> None:
    odd = start(tmp_path / "odd\n")
    commit(cwd=odd)
    (odd / "x.py").write_text(REVERSED)
    assert touched(cwd=odd) == ["x.py"]


def test_a_repository_within_is_one_name_to_the_one_around_it(repository: Path) -> None:
    inner = start(Path("inner"))
    (inner / "x.py").write_text(REVERSED)
    commit(cwd=inner)
    assert touched(since="HEAD") == ["inner/x.py"]
    git("-c", "advice.addEmbeddedRepo=false", "add", "inner")
    git("commit", "-qm", "inner")
    assert touched(since="HEAD") == []
    (inner / "x.py").write_text(IGNORED_RANK)
    (inner / "y.py").write_text(REVERSED)
    assert touched(since="HEAD") == ["inner/x.py", "inner/y.py"]
    commit(cwd=inner)
    (inner / "y.py").write_text(IGNORED_RANK)
    assert touched("inner/x.py", "inner/y.py", since="HEAD") == ["inner/y.py"]


def test_files_of_several_repositories_are_each_asked_about_by_their_own(repository: Path, tmp_path: Path) -> None:
    second = start(tmp_path / "second")
    (second / "x.py").write_text(REVERSED)
    commit(cwd=second)
    (repository / "old.py").write_text(REVERSED)
    assert touched("project/old.py", "second/x.py", since="HEAD", cwd=tmp_path) == ["project/old.py"]


def test_a_link_has_changed_when_its_target_has() -> None:
    os.symlink("old.py", "link.py")
    commit()
    Path("old.py").write_text(REVERSED)
    assert touched("link.py", since="HEAD") == ["link.py"]


def test_fix_leaves_unchanged_files_alone() -> None:
    Path("new.py").write_text(IGNORED_RANK)
    before = Path("old.py").read_bytes()
    assert run("fix", "--changed-since", "main").exit_code == 0
    assert Path("old.py").read_bytes() == before
    assert "init_r=12" in Path("new.py").read_text()


def test_a_shallow_clone_says_what_to_fetch(repository: Path, tmp_path: Path) -> None:
    git("switch", "-qc", "work")
    Path("mine.py").write_text(REVERSED)
    commit()
    git("switch", "-q", "main")
    Path("theirs.py").write_text(REVERSED)
    commit()
    address = repository.as_uri()
    clone = tmp_path / "clone"
    git("clone", "-q", "--depth", "1", "--branch", "work", address, str(clone), cwd=tmp_path)
    git("fetch", "-q", "--depth", "1", "origin", "main:refs/remotes/origin/main", cwd=clone)
    done = run_apart("check", "--changed-since", "origin/main", cwd=clone)
    assert done.returncode == 2
    assert b"git fetch --unshallow" in done.stderr
    git("fetch", "-q", "--unshallow", "origin", "main", "work", cwd=clone)
    assert touched(since="origin/main", cwd=clone) == ["mine.py"]


@pytest.mark.parametrize("revision", ["nowhere", "0" * 40, "main:old.py", "main..work", "a b", "$(touch x)"])
def test_a_revision_that_is_not_there_is_2(revision: str) -> None:
    done = run_apart("check", "--changed-since", revision)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().startswith(f"adalint: --changed-since {revision}: git knows no such commit in ")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("revision", ["", "--output=x", "-h"])
def test_a_revision_that_reads_like_an_option_is_2(revision: str) -> None:
    done = run_apart("check", f"--changed-since={revision}")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"a branch, tag or commit is wanted" in done.stderr
    assert not Path("x").exists()


def test_two_histories_without_a_common_commit_are_2() -> None:
    git("switch", "-q", "--orphan", "alone")
    commit()
    Path("x.py").write_text(REVERSED)
    done = run_apart("check", "--changed-since", "main")
    assert done.returncode == 2
    assert b"no commit in common with HEAD; name a revision that this branch comes from" in done.stderr


def test_no_repository_is_2(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "x.py").write_text(REVERSED)
    done = run_apart("check", "--changed-since", "main", cwd=plain)
    assert done.returncode == 2
    assert b"is in no working tree of git" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_missing_git_is_2(tmp_path: Path) -> None:
    done = run_apart("check", "--changed-since", "main", env={**os.environ, "PATH": str(tmp_path)})
    assert done.returncode == 2
    assert b"git cannot be run (No such file or directory); install it" in done.stderr


def test_standard_input_has_not_changed_since_anything() -> None:
    done = run("check", "-", "--changed-since", "main", stdin=REVERSED)
    assert (done.exit_code, done.stderr) == (2, "adalint: --changed-since chooses among files, and `-` is none\n")


def test_a_program_that_the_repository_names_as_its_monitor_is_not_run(repository: Path) -> None:
    monitor = repository / ".git" / "monitor"
    monitor.write_text(f"#!/bin/sh\ntouch {repository}/ran\n")
    monitor.chmod(0o755)
    git("config", "core.fsmonitor", str(monitor))
    (repository / "old.py").write_text(REVERSED)
    assert touched() == ["old.py"]
    assert not (repository / "ran").exists()
