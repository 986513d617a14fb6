"""Both hooks through the real pre-commit, in a repository of somebody else."""

from __future__ import annotations

import subprocess
import sys

import pytest
from commands import CHECKOUT, CLEAN, IGNORED_RANK, REVERSED, UNRELATED, succeed

pytestmark = pytest.mark.slow


def git(folder, *arguments):
    identity = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.invalid")
    return succeed("git", *identity, *arguments, cwd=folder)


def commit_all(folder):
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "all")


@pytest.fixture(scope="module")
def theirs(checkout, tmp_path_factory):
    """A repository with a good, a bad and a fixable file, that uses both hooks of this checkout."""
    hooks = tmp_path_factory.mktemp("hooks")
    for path in checkout.iterdir():
        subprocess.run(["cp", "-r", str(path), str(hooks)], check=True)
    commit_all(hooks)
    folder = tmp_path_factory.mktemp("theirs")
    revision = git(hooks, "rev-parse", "HEAD").strip()
    (folder / ".pre-commit-config.yaml").write_text(
        f"repos:\n- repo: {hooks}\n  rev: {revision}\n  hooks:\n  - id: adalint\n  - id: adalint-fix\n"
    )
    (folder / "good.py").write_text(CLEAN)
    (folder / "bad.py").write_text(REVERSED)
    (folder / "fixable.py").write_text(IGNORED_RANK)
    (folder / "other.py").write_text(UNRELATED)
    commit_all(folder)
    return folder


def hook(folder, name, *files):
    command = [sys.executable, "-m", "pre_commit", "run", name, "--files", *files]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_files_without_a_finding_pass(theirs):
    code, output = hook(theirs, "adalint", "good.py", "other.py")
    assert (code, "Passed" in output) == (0, True), output


def test_a_finding_blocks_the_commit_and_says_why(theirs):
    code, output = hook(theirs, "adalint", "good.py", "bad.py")
    assert code == 1
    assert "bad.py:3:34: ADA102 target-rank-not-below-initial" in output


def test_the_fixing_hook_mends_what_is_safe_and_then_passes(theirs):
    code, output = hook(theirs, "adalint-fix", "fixable.py")
    assert (code, "files were modified by this hook" in output) == (1, True), output
    assert "init_r=12" in (theirs / "fixable.py").read_text()
    assert hook(theirs, "adalint-fix", "fixable.py")[0] == 0
    assert hook(theirs, "adalint", "fixable.py")[0] == 0


def test_files_of_other_kinds_are_not_even_looked_at(theirs):
    (theirs / "notes.txt").write_text("AdaLoraConfig(r=16)")
    code, output = hook(theirs, "adalint", "notes.txt")
    assert (code, "Skipped" in output) == (0, True), output


def test_the_manifest_is_valid():
    succeed(sys.executable, "-m", "pre_commit", "validate-manifest", CHECKOUT / ".pre-commit-hooks.yaml")
