"""Flags of a training: renamed in its parser and on the lines that launch it, all or none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from commands import run
from loralib_pairs import LAUNCHED, MODEL, RUN_SH

from adalint.api import check_text

if TYPE_CHECKING:
    from pathlib import Path

KIND = ("migrate", "loralib-to-peft", "--isolated")

RUN_SH_AFTER = """\
#!/bin/bash
# --lora_r 8 was too much
export OMP_NUM_THREADS=1
python train.py \\
    --target_r 3 --init_r=6 \\
    --tinit 5 --tfinal "10" --deltaT 2 \\
    --orth_reg_weight 0.2 --steps 40
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "model.py").write_text(MODEL)
    (folder / "train.py").write_text(LAUNCHED)
    (folder / "run.sh").write_text(RUN_SH)
    return folder


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


def told(folder: Path, *paths: Path) -> str:
    """Ask what is said of the files."""
    report = run(*KIND, "--report", "-", *map(str, paths or (folder,))).stdout
    return "\n".join(note["text"] for one in json.loads(report)["files"] for note in (*one["done"], *one["left"]))


class TestMoved:
    def test_the_launch_line_starts_the_training_and_it_keeps_as_many_ranks_as_the_target(self, project: Path) -> None:
        done = run(*KIND, "--write", str(project))
        assert done.exit_code == 0, done.stderr
        path = os.pathsep.join((os.path.dirname(sys.executable), os.environ["PATH"]))
        environment = {**os.environ, "PATH": path, "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
        ran = subprocess.run(
            ["bash", "run.sh"], cwd=project, env=environment, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr[-3000:]
        config = json.loads((project / "out" / "adapter_config.json").read_text())
        fields = ("init_r", "target_r", "tinit", "tfinal", "deltaT", "total_step")
        assert [config[name] for name in fields] == [6, 3, 5, 10, 2, 40]
        assert sum(map(sum, config["rank_pattern"].values())) == 2 * 3

    def test_the_words_meant_change_and_no_others(self, project: Path) -> None:
        run(*KIND, "--write", str(project))
        assert (project / "run.sh").read_text() == RUN_SH_AFTER

    def test_the_parser_has_the_new_names_and_the_rest_of_it_stays(self, project: Path) -> None:
        run(*KIND, "--write", str(project))
        text = (project / "train.py").read_text()
        assert (
            '    group = parser.add_argument_group("AdaLoRA")\n'
            '    group.add_argument("--init_r", type=int, default=4, help=\'initial "rank"\')\n'
            "    group.add_argument('--target_r', type=int, default=2)  # 目标\n"
        ) in text
        assert 'SimpleNamespace(lora_r=args.init_r, lora_alpha=16, svd="svd")' in text

    def test_nothing_is_found_and_a_second_run_changes_nothing(self, project: Path) -> None:
        run(*KIND, "--write", str(project))
        once = contents(project)
        for name, text in once.items():
            assert check_text(text, filename=name).findings == ()
        assert run(*KIND, "--write", str(project)).exit_code == 0
        assert contents(project) == once
