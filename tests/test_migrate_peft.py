"""`adalint migrate peft`: what raises in a release is mended, and adapters load there with the same outputs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import warnings
from typing import TYPE_CHECKING, Any

import pytest
import torch
from commands import CLEAN, REVERSED, UNRELATED, run, succeed
from peft import PeftModel
from releases_env import TESTS, releases_folder
from train_adapter import WORDS, base, save

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = "adapter_config.json"
OLD = ("0.6.2", "0.9.0", "0.13.2", "0.14.0")

LOGITS = """
import json, sys, torch, warnings
warnings.simplefilter("ignore")
from peft import PeftModel
from train_adapter import WORDS, base
model = PeftModel.from_pretrained(base(), sys.argv[1]).eval()
with torch.no_grad():
    print(json.dumps(model(input_ids=WORDS).logits.double().tolist()))
"""
"""Loads an adapter in whatever PEFT is on the path, and prints what it says."""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adapters") / "adapter"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        save("allocated", str(folder))
    return folder


@pytest.fixture
def adapter(trained: Path, tmp_path: Path) -> Path:
    return shutil.copytree(trained, tmp_path / "adapter")


def logits(folder: Path) -> torch.Tensor:
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        said: torch.Tensor = PeftModel.from_pretrained(base(), folder).eval()(input_ids=WORDS).logits
        return said


def edit(folder: Path, **fields: Any) -> None:
    path = folder / CONFIG
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}, indent=2))


def migrate(release: str, *arguments: str) -> Any:
    return run("migrate", "peft", "--to", release, "--isolated", *arguments)


def test_a_schedule_that_is_refused_is_mended_and_loads_identically(adapter: Path) -> None:
    before = logits(adapter)
    edit(adapter, total_step=None)
    text = (adapter / CONFIG).read_text()
    told = migrate("0.21", str(adapter))
    assert told.exit_code == 1
    assert '+  "total_step": 6' in told.stdout
    assert (adapter / CONFIG).read_text() == text
    assert migrate("0.21", str(adapter), "--write").exit_code == 0
    assert torch.equal(logits(adapter), before)
    assert (adapter / CONFIG).read_text() == text.replace('"total_step": null', '"total_step": 6')
    again = migrate("0.21", str(adapter), "--write")
    assert (again.exit_code, again.stdout) == (0, "")


def test_an_adapter_of_this_release_is_left_alone(adapter: Path) -> None:
    assert (migrate("0.21", str(adapter)).exit_code, migrate("0.21", str(adapter)).stdout) == (0, "")


def test_a_key_that_asks_for_something_stays_and_is_told(adapter: Path) -> None:
    edit(adapter, exclude_modules=["lm_head"])
    done = migrate("0.13.2", str(adapter), "--report", "-")
    told = json.loads(done.stdout)["files"][0]
    assert done.exit_code == 1
    assert ["exclude_modules" in one["text"] for one in told["left"]] == [True]
    assert all("exclude_modules" not in one["text"] for one in told["done"])


def test_notes_stand_where_the_keys_stood(adapter: Path) -> None:
    rows = (adapter / CONFIG).read_text().splitlines()
    told = json.loads(migrate("0.13.2", str(adapter), "--report", "-").stdout)["files"][0]
    assert len(told["done"]) > 5
    for note in told["done"]:
        assert rows[note["row"] - 1].startswith(f'  "{note["text"].split()[0]}"')


def test_code_that_raises_is_mended_and_the_rest_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(REVERSED)
    (tmp_path / "b.py").write_text("from peft import AdaLoraConfig\n\nconfig = AdaLoraConfig(init_r=12, target_r=8)\n")
    (tmp_path / "c.py").write_text(CLEAN)
    (tmp_path / "d.py").write_text(UNRELATED)
    done = migrate("0.21", str(tmp_path), "--write")
    assert done.exit_code == 1
    assert "init_r=16, target_r=8" in (tmp_path / "a.py").read_text()
    assert "ADA201" in done.stderr
    assert (tmp_path / "c.py").read_text() == CLEAN
    assert migrate("0.14", str(tmp_path / "b.py")).exit_code == 1, "there it raises at the first allocation"


def test_a_warning_is_none_of_its_affair(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("from peft import AdaLoraConfig\n\nconfig = AdaLoraConfig(r=16, total_step=900)\n")
    assert migrate("0.21", str(path)).exit_code == 0


class TestGit:
    @pytest.fixture
    def repository(self, tmp_path: Path) -> Path:
        folder = tmp_path / "repo"
        folder.mkdir()
        (folder / "train.py").write_text(REVERSED)
        (folder / "other.txt").write_text("x")
        succeed("git", "init", "-q", cwd=folder)
        succeed("git", "add", "-A", cwd=folder)
        succeed("git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x", cwd=folder)
        return folder

    def test_a_clean_tree_is_written(self, repository: Path) -> None:
        assert migrate("0.21", str(repository), "--write").exit_code == 0
        assert (repository / "train.py").read_text() != REVERSED

    def test_a_dirty_tree_is_refused_and_left(self, repository: Path) -> None:
        (repository / "other.txt").write_text("y")
        done = migrate("0.21", str(repository), "--write")
        assert done.exit_code == 2
        assert "other.txt" in done.stderr
        assert (repository / "train.py").read_text() == REVERSED
        assert migrate("0.21", str(repository)).exit_code == 1
        assert migrate("0.21", str(repository), "--write", "--allow-dirty").exit_code == 0

    def test_without_git_nobody_knows_and_nothing_is_written(
        self, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "empty").mkdir()
        monkeypatch.setenv("PATH", str(tmp_path / "empty"))
        done = migrate("0.21", str(repository), "--write")
        assert (done.exit_code, "--allow-dirty" in done.stderr) == (2, True)
        assert (repository / "train.py").read_text() == REVERSED
        assert migrate("0.21", str(repository), "--write", "--allow-dirty").exit_code == 0

    def test_a_file_that_git_does_not_know_makes_nothing_dirty(self, repository: Path) -> None:
        (repository / "new.txt").write_text("y")
        assert migrate("0.21", str(repository), "--write").exit_code == 0


class TestBadInput:
    def test_what_is_missing_is_named(self, tmp_path: Path) -> None:
        done = migrate("0.21", str(tmp_path / "missing"))
        assert (done.exit_code, "missing" in done.stderr) == (2, True)

    @pytest.mark.parametrize("release", ["x", "", "0.21; rm"])
    def test_a_release_that_is_none_is_named(self, release: str, tmp_path: Path) -> None:
        done = migrate(release, str(tmp_path))
        assert (done.exit_code, done.stdout) == (2, "")
        assert "--to" in done.stderr

    def test_what_cannot_be_parsed_is_left_and_the_rest_goes_on(self, tmp_path: Path, adapter: Path) -> None:
        (tmp_path / "a.py").write_text("from peft import AdaLoraConfig\nAdaLoraConfig(\n")
        edit(adapter, total_step=None)
        done = migrate("0.21", str(tmp_path), "--write")
        assert done.exit_code == 1
        assert "a.py:2" in done.stderr
        assert json.loads((adapter / CONFIG).read_text())["total_step"] == 6

    def test_what_is_read_only_is_not_called_done(self, tmp_path: Path) -> None:
        for name in ("fixed.py", "free.py"):
            (tmp_path / name).write_text(REVERSED)
        (tmp_path / "fixed.py").chmod(0o444)
        done = migrate("0.21", str(tmp_path), "--write", "--report", str(tmp_path / "report.json"))
        assert done.exit_code == 2
        assert "fixed.py: not written: it is read-only" in done.stderr
        assert "free.py:" in done.stderr
        assert "fixed.py:8" not in done.stderr
        assert done.stderr.endswith("1 file written, 0 left for you.\n")
        assert (tmp_path / "fixed.py").read_text() == REVERSED
        told = json.loads((tmp_path / "report.json").read_text())["files"]
        assert [one["filename"].endswith("free.py") for one in told] == [True]

    def test_a_report_that_cannot_be_written_is_told(self, adapter: Path, tmp_path: Path) -> None:
        done = migrate("0.21", str(adapter), "--report", str(tmp_path / "no" / "x.json"))
        assert (done.exit_code, "--report" in done.stderr) == (2, True)


@pytest.mark.slow
@pytest.mark.parametrize("release", OLD)
def test_an_adapter_loads_in_an_older_release_with_the_same_outputs(
    release: str, adapter: Path, request: pytest.FixtureRequest
) -> None:
    assert request.config.cache is not None
    path = os.pathsep.join(map(str, (*releases_folder(request.config.cache.mkdir("peft-releases"), release), TESTS)))
    wanted = logits(adapter).double()

    def load() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", LOGITS, str(adapter)],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )

    refused = load()
    assert (refused.returncode != 0) == (release != "0.14.0"), refused.stderr
    assert migrate(release, str(adapter), "--write").exit_code == 0
    done = load()
    assert done.returncode == 0, done.stderr
    assert torch.allclose(
        torch.tensor(json.loads(done.stdout.splitlines()[-1]), dtype=torch.float64), wanted, atol=1e-6
    )
