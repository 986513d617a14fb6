"""`adalint migrate ms-swift`: what was renamed is renamed in place, what is a record or pinned is left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from commands import run

OLD = "model: Qwen/Qwen2.5-7B\ntrain_type: adalora  # adaptive\nlora_dropout_p: 0.1\nadalora_init_r: 12\nadalora_target_r: 8\n"
LINE = "swift sft --model x --train_type adalora --adalora_init_r 12 --adalora_target_r 8\n"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def migrate(*arguments: str) -> Any:
    return run("migrate", "ms-swift", "--to", "4", "--isolated", *arguments)


def test_options_are_renamed_and_comments_stay() -> None:
    Path("a.yaml").write_text(OLD)
    Path("run.sh").write_text(LINE)
    told = migrate(".")
    assert (told.exit_code, Path("a.yaml").read_text()) == (1, OLD)
    assert "+tuner_type: adalora  # adaptive" in told.stdout
    assert migrate(".", "--write").exit_code == 0
    assert Path("a.yaml").read_text() == OLD.replace("train_type", "tuner_type").replace(
        "lora_dropout_p", "lora_dropout"
    )
    assert Path("run.sh").read_text() == LINE.replace("--train_type", "--tuner_type")
    again = migrate(".", "--write")
    assert (again.exit_code, again.stdout) == (0, "")


def test_flags_with_hyphens_keep_them() -> None:
    line = LINE.replace("_", "-")
    Path("run.sh").write_text(line)
    assert migrate(".", "--write").exit_code == 0
    assert Path("run.sh").read_text() == line.replace("--train-type", "--tuner-type")


def test_a_record_of_ms_swift_is_left_alone() -> None:
    text = json.dumps({"model": "x", "train_type": "adalora", "lora_rank": 8, "adalora_init_r": 12})
    Path("args.json").write_text(text)
    assert migrate(".", "--write").exit_code == 0
    assert Path("args.json").read_text() == text


def test_an_older_pin_keeps_the_options() -> None:
    Path("a.yaml").write_text(OLD)
    Path("requirements.txt").write_text("ms-swift==3.5.0\n")
    done = migrate(".", "--write")
    assert (done.exit_code, Path("a.yaml").read_text()) == (1, OLD)
    assert "raise the pin first" in done.stderr


def test_a_value_that_changed_with_its_name_is_left_for_a_person() -> None:
    Path("a.yaml").write_text(OLD + "lora_target_modules: [ALL]\n")
    done = migrate(".", "--write")
    assert done.exit_code == 1
    assert yaml.safe_load(Path("a.yaml").read_text())["lora_target_modules"] == ["ALL"]
    assert "lora_target_modules" in done.stderr


@pytest.mark.parametrize(
    "text",
    [
        OLD.replace("train_type: adalora", "train_type: lora\nnote: not adalora"),
        OLD.replace("train_type", "tuner_type").replace("lora_dropout_p", "lora_dropout"),
        "adapter:\n  type: adalora\n",
    ],
)
def test_what_is_none_of_its_affair_is_left_alone(text: str) -> None:
    Path("a.yaml").write_text(text)
    assert migrate(".", "--write").exit_code == 0
    assert Path("a.yaml").read_text() == text


def test_another_release_is_refused() -> None:
    assert run("migrate", "ms-swift", "--to", "5", ".").exit_code == 2
