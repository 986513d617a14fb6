"""Layers in one file and their allocator in another: moved together or not at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from types import ModuleType
from typing import TYPE_CHECKING

import loralib_oracle
import pytest
from commands import run
from loralib_pairs import MODEL, TRAINING
from loralib_runs import executed, probed

from adalint.api import check_text

if TYPE_CHECKING:
    from pathlib import Path

KIND = ("migrate", "loralib-to-peft", "--isolated")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "model.py").write_text(MODEL)
    (tmp_path / "train.py").write_text(TRAINING)
    return tmp_path


def reasons(folder: Path) -> dict[str, list[str]]:
    """Ask what is left of each file, where nothing may change."""
    report = run(*KIND, "--report", "-", str(folder)).stdout
    files = json.loads(report)["files"]
    assert [one["filename"] for one in files if one["changed"]] == []
    return {os.path.basename(one["filename"]): [note["text"] for note in one["left"]] for one in files}


class TestMoved:
    def test_both_are_written_run_and_keep_as_many_ranks_as_the_target(self, project: Path) -> None:
        done = run(*KIND, "--write", str(project))
        assert done.exit_code == 0, done.stderr
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
        command = [sys.executable, "train.py", "--init_r", "6", "--target_r", "3"]
        ran = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr[-3000:]
        config = json.loads((project / "out" / "adapter_config.json").read_text())
        assert (config["init_r"], config["target_r"], config["lora_alpha"]) == (6, 3, 16)
        assert sum(map(sum, config["rank_pattern"].values())) == 2 * 3

    def test_budgets_and_masks_are_those_of_the_original_at_every_step(
        self, project: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "argv", ["train.py"])
        records = []
        (project / "train.py").write_text(probed(TRAINING))
        for _ in range(2):
            model = ModuleType("model")
            monkeypatch.setitem(sys.modules, "loralib", loralib_oracle)
            exec(compile((project / "model.py").read_text(), "model.py", "exec"), vars(model))
            monkeypatch.setitem(sys.modules, "model", model)
            records.append(executed((project / "train.py").read_text(), project, monkeypatch))
            run(*KIND, "--write", str(project))
        before, after = records
        assert (before.budgets[0], before.budgets[-1], len(before.budgets)) == (8, 4, 40)
        assert before.budgets == after.budgets
        assert before.masks() == after.masks()

    def test_nothing_is_found_in_them_and_a_second_run_changes_nothing(self, project: Path) -> None:
        run(*KIND, "--write", str(project))
        once = {path.name: path.read_bytes() for path in project.iterdir()}
        for name, raw in once.items():
            assert check_text(raw.decode(), filename=name).findings == ()
        assert run(*KIND, "--write", str(project)).exit_code == 0
        assert {path.name: path.read_bytes() for path in project.iterdir()} == once

    def test_lines_of_the_model_that_are_none_of_its_affair_stay(self, project: Path) -> None:
        run(*KIND, "--write", str(project))
        lines = [line for line in MODEL.splitlines() if "lora" not in line]
        after = (project / "model.py").read_text().splitlines()
        assert [line for line in after if "nn.Linear(8, 8)" not in line] == lines

    def test_both_files_may_be_named(self, project: Path) -> None:
        done = run(*KIND, str(project / "train.py"), str(project / "model.py"))
        assert "2 files to write, 0 left" in done.stderr

    @pytest.mark.parametrize(
        ("made", "parameters", "rank"),
        [
            ("Net(args.lora_r)", "self, r", "args.init_r"),
            ("Net(r=6)", "self, r", "6"),
            ("Net()", "self, r=5", "5"),
        ],
    )
    def test_a_rank_is_said_as_the_training_says_it(self, made: str, parameters: str, rank: str, project: Path) -> None:
        head, _, net = MODEL.replace("lora_alpha=config.lora_alpha", "lora_alpha=16").partition("class Net")
        head = head.replace("self, config", "self, r").replace("config.lora_r", "r")
        net = net.replace("self, config", parameters).replace("Block(config)", "Block(r)")
        (project / "model.py").write_text(f"{head}class Net{net}")
        (project / "train.py").write_text(TRAINING.replace("Net(config)", made))
        assert f"+        init_r={rank},\n" in run(*KIND, str(project)).stdout

    def test_a_dirty_tree_is_refused(self, project: Path) -> None:
        for command in (["init", "-q"], ["add", "."]):
            subprocess.run(["git", "-C", str(project), *command], check=True)
        done = run(*KIND, "--write", str(project))
        assert (done.exit_code, (project / "model.py").read_text()) == (2, MODEL)
        assert run(*KIND, "--write", "--allow-dirty", str(project)).exit_code == 0


class TestLeft:
    def test_a_training_without_the_file_of_its_layers(self, project: Path) -> None:
        assert "no SVDLinear stands in this file" in reasons(project / "train.py")["train.py"][0]

    def test_layers_without_an_allocator(self, project: Path) -> None:
        assert "no RankAllocator is made" in reasons(project / "model.py")["model.py"][0]

    @pytest.mark.parametrize(
        ("other", "said"),
        [
            ("from model import Net\n", "are used by other.py, too"),
            (TRAINING, "are used by other.py, too"),
        ],
    )
    def test_layers_that_another_file_builds_on(self, other: str, said: str, project: Path) -> None:
        (project / "other.py").write_text(other)
        left = reasons(project)
        assert said in left["train.py"][0]
        assert "stays" in left["model.py"][0]

    @pytest.mark.parametrize(
        ("model", "training", "place", "said"),
        [
            (
                MODEL,
                TRAINING.replace("model = Net(config)", "model = load(Net)"),
                "train.py",
                "is not told to have its layers from model.py",
            ),
            (
                MODEL,
                TRAINING.replace("model = Net(config)", "teacher = Net(config)\nmodel = Net(config)"),
                "train.py",
                "a second model with the layers of model.py",
            ),
            (
                MODEL.replace("self.head = nn.Linear(8, 2)", "self.inner = nn.Linear(8, 2)"),
                TRAINING,
                "model.py",
                "inner is a plain layer here",
            ),
            (
                MODEL.replace("self.inner = ", "self.layers['inner'] = "),
                TRAINING,
                "model.py",
                "target_modules cannot be written",
            ),
            (
                MODEL.replace("r=config.lora_r", "r=config.lora_r * 2"),
                TRAINING,
                "model.py",
                "is not known in train.py",
            ),
            (
                MODEL.replace("self.head = nn.Linear", "self.head = lora.MergedLinear"),
                TRAINING,
                "model.py",
                "MergedLinear has nothing of its kind",
            ),
            (
                MODEL,
                TRAINING.replace("rankallocator.update_and_mask(model, step)", "keep(rankallocator)"),
                "train.py",
                "handed to something that this file does not show",
            ),
        ],
    )
    def test_neither_is_moved_where_one_cannot_be(
        self, model: str, training: str, place: str, said: str, project: Path
    ) -> None:
        (project / "model.py").write_text(model)
        (project / "train.py").write_text(training)
        left = reasons(project)
        [other] = {"model.py", "train.py"} - {place}
        assert said in left[place][0]
        assert "not moved" in left[other][0]

    def test_layers_of_another_package(self, project: Path) -> None:
        (project / "model.py").write_text(MODEL.replace("import loralib as lora", "import decomposed as lora"))
        left = reasons(project)
        assert set(left) == {"train.py"}

    def test_the_first_is_written_back_where_the_second_cannot_be_written(
        self, project: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from adalint import files
        from adalint.source import SourceError

        real = files.write_atomically

        def full(path: str, *rest: object) -> None:
            if path.endswith("train.py"):
                raise SourceError("no space left on device")
            real(path, *rest)  # type: ignore[arg-type]

        monkeypatch.setattr(files, "write_atomically", full)
        done = run(*KIND, "--write", str(project))
        assert done.exit_code == 2
        assert (project / "model.py").read_text() == MODEL
