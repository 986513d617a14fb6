"""Both hooks through the real pre-commit, in a repository of somebody else."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import yaml
from commands import CHECKOUT, CLEAN, IGNORED_RANK, REVERSED, UNRELATED, succeed

slow = pytest.mark.slow


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


@slow
def test_files_without_a_finding_pass(theirs):
    code, output = hook(theirs, "adalint", "good.py", "other.py")
    assert (code, "Passed" in output) == (0, True), output


@slow
def test_a_finding_blocks_the_commit_and_says_why(theirs):
    code, output = hook(theirs, "adalint", "good.py", "bad.py")
    assert code == 1
    assert "bad.py:3:34: ADA102 target-rank-not-below-initial" in output


@slow
def test_the_fixing_hook_mends_what_is_safe_and_then_passes(theirs):
    code, output = hook(theirs, "adalint-fix", "fixable.py")
    assert (code, "files were modified by this hook" in output) == (1, True), output
    assert "init_r=12" in (theirs / "fixable.py").read_text()
    assert hook(theirs, "adalint-fix", "fixable.py")[0] == 0
    assert hook(theirs, "adalint", "fixable.py")[0] == 0


@slow
def test_files_of_other_kinds_are_not_even_looked_at(theirs):
    (theirs / "notes.txt").write_text("AdaLoraConfig(r=16)")
    code, output = hook(theirs, "adalint", "notes.txt")
    assert (code, "Skipped" in output) == (0, True), output


@slow
def test_the_manifest_is_valid():
    succeed(sys.executable, "-m", "pre_commit", "validate-manifest", CHECKOUT / ".pre-commit-hooks.yaml")


CONFIG = ".pre-commit-config.yaml"
NAMES = ["a b.py", "配置.py", 'naïve \'n "quotes".py', "$(touch gone).py", "--exit-zero.py"]


@pytest.fixture
def mine(theirs, tmp_path):
    """A fresh repository with both hooks installed, so that `git commit` runs them."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / CONFIG).write_text((theirs / CONFIG).read_text())
    commit_all(folder)
    succeed(sys.executable, "-m", "pre_commit", "install", cwd=folder)
    return folder


def commit(folder, *arguments):
    identity = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.invalid", "-c", "core.quotePath=false")
    command = ["git", *identity, "commit", "-q", "-m", "one", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def notebook(*cells):
    made = [
        {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": text} for text in cells
    ]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n"


@slow
class TestCommits:
    def test_a_commit_without_a_finding_goes_through(self, mine):
        (mine / "good.py").write_text(CLEAN)
        git(mine, "add", "good.py")
        assert commit(mine)[0] == 0
        assert git(mine, "show", "HEAD:good.py") == CLEAN

    def test_a_finding_blocks_it(self, mine):
        (mine / "bad.py").write_text(REVERSED)
        git(mine, "add", "bad.py")
        code, output = commit(mine)
        assert (code, "bad.py:3:34: ADA102" in output) == (1, True), output
        assert git(mine, "ls-tree", "--name-only", "HEAD").split() == [CONFIG]

    def test_the_second_commit_is_green_after_the_fix(self, mine):
        (mine / "fixable.py").write_text(IGNORED_RANK)
        git(mine, "add", "fixable.py")
        code, output = commit(mine)
        assert (code, "files were modified by this hook" in output) == (1, True), output
        git(mine, "add", "fixable.py")
        assert commit(mine)[0] == 0
        assert "init_r=12" in git(mine, "show", "HEAD:fixable.py")

    def test_a_notebook_is_fixed_in_its_cell(self, mine):
        before = notebook("%pip install peft\n", IGNORED_RANK)
        (mine / "train.ipynb").write_text(before)
        git(mine, "add", "train.ipynb")
        code, output = commit(mine)
        assert (code, "train.ipynb:cell 2:3:" in output) == (1, True), output
        after = json.loads((mine / "train.ipynb").read_text())
        assert "init_r=12" in "".join(after["cells"][1]["source"])
        assert after["cells"][0] == json.loads(before)["cells"][0]
        git(mine, "add", "train.ipynb")
        assert commit(mine)[0] == 0

    def test_only_what_is_staged_is_judged_and_what_is_not_survives(self, mine):
        staged = CLEAN + "\n" * 20 + "print(config)\n"
        (mine / "half.py").write_text(staged)
        git(mine, "add", "half.py")
        unstaged = staged.replace("print(config)\n", REVERSED.partition("\n\n")[2])
        (mine / "half.py").write_text(unstaged)
        assert commit(mine)[0] == 0
        assert git(mine, "show", "HEAD:half.py") == staged
        assert (mine / "half.py").read_text() == unstaged

    def test_a_fix_beside_an_unstaged_change_keeps_the_change(self, mine):
        staged = IGNORED_RANK + "\n" * 20 + "print(config)\n"
        (mine / "half.py").write_text(staged)
        git(mine, "add", "half.py")
        unstaged = staged.replace("print(config)", "print('mine')")
        (mine / "half.py").write_text(unstaged)
        code, output = commit(mine)
        assert (code, "files were modified by this hook" in output) == (1, True), output
        left = (mine / "half.py").read_text()
        assert "init_r=12" in left
        assert left.endswith("print('mine')\n")

    def test_a_bad_line_that_is_staged_blocks_though_the_file_on_disk_is_good(self, mine):
        (mine / "half.py").write_text(REVERSED)
        git(mine, "add", "half.py")
        (mine / "half.py").write_text(CLEAN)
        code, output = commit(mine)
        assert (code, "ADA102" in output) == (1, True), output
        assert (mine / "half.py").read_text() == CLEAN

    def test_any_name_is_a_name(self, mine):
        for name in NAMES:
            (mine / name).write_text(REVERSED, encoding="utf-8")
        git(mine, "add", "-A")
        code, output = commit(mine)
        assert code == 1
        assert [name for name in NAMES if f"{name}:3:34: ADA102" not in output] == [], output
        assert not (mine / "gone").exists()

    def test_what_the_settings_exclude_is_left_out_although_it_is_named(self, mine):
        (mine / "adalint.toml").write_text('extend-exclude = ["old/"]\n')
        (mine / "old").mkdir()
        (mine / "old" / "bad.py").write_text(REVERSED)
        git(mine, "add", "-A")
        code, output = commit(mine)
        assert code == 0, output


HOOKS = {one["id"]: one for one in yaml.safe_load((CHECKOUT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))}
WATCH = """
import ast, json, sys
parsed = []
plain = ast.parse
ast.parse = lambda text, *rest, **more: (parsed.append(text), plain(text, *rest, **more))[1]
from adalint.__main__ import main
sys.argv = ["adalint", *sys.argv[1:]]
try:
    main()
except SystemExit as stop:
    code = stop.code
print(json.dumps({"code": code or 0, "parsed": len(parsed), "modules": sorted(sys.modules)}))
"""
HEAVY = {"libcst", "pydantic", "numpy", "torch", "matplotlib", "yaml", "markdown_it", "adalint.rulebook.judge"}


def watched(name, folder, *files):
    """Run a hook's own command line in a process that tells what it parsed and imported."""
    words = HOOKS[name]["entry"].split()[1:] + HOOKS[name]["args"]
    done = subprocess.run(
        [sys.executable, "-c", WATCH, *words, *files], cwd=folder, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", list(HOOKS))
class TestQuick:
    def test_a_commit_without_adalora_parses_and_imports_nothing(self, name, tmp_path):
        texts = {
            "a.py": UNRELATED,
            "b.yaml": "r: 16\n",
            "c.json": '{"r": 16}',
            "d.md": "# r\n",
            "e.ipynb": notebook("r"),
        }
        for file, text in texts.items():
            (tmp_path / file).write_text(text)
        told = watched(name, tmp_path, *texts)
        assert (told["code"], told["parsed"], HEAVY & set(told["modules"])) == (0, 0, set())

    def test_a_commit_with_adalora_is_parsed(self, name, tmp_path):
        (tmp_path / "a.py").write_text(CLEAN)
        told = watched(name, tmp_path, "a.py")
        assert told["code"] == 0
        assert told["parsed"] > 0


@pytest.mark.parametrize("name", list(HOOKS))
def test_a_hook_looks_at_every_kind_of_file_that_adalint_reads(name):
    import re

    from adalint.source import KIND_OF_SUFFIX, SHELL_SUFFIXES, kind_of

    pattern = HOOKS[name]["files"]
    endings = re.search(r"\\\.\(([^)]*)\)", pattern)[1].split("|")
    assert {f".{ending.lower()}" for ending in endings} == {*KIND_OF_SUFFIX, *SHELL_SUFFIXES}
    for path in (
        "Makefile",
        "a/makefile",
        "a/GNUmakefile",
        "Dockerfile",
        "docker/Dockerfile.gpu",
        "Containerfile",
        "a.sh",
    ):
        assert re.search(pattern, path), path
        assert kind_of(path) is not None, path
    for path in ("notes.txt", "a/MyMakefile", "run.zsh", "script"):
        assert not re.search(pattern, path), path
        assert kind_of(path) is None, path
