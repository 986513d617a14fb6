"""An `adapter_config.json` to be trained, and the `training_params.json` that tells how long."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from adalint.api import check_text, fix_text

CONFIG = {"peft_type": "ADALORA", "init_r": 64, "target_r": 32, "tinit": 200, "tfinal": 500, "total_step": 5000}
HERE = "experiments/adalora/llama-rank32"
TOLD = f"{HERE}/training_params.json"
DEFAULTS = "default_training_params.json"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(HERE).mkdir(parents=True)


def write(path: str, told: object) -> None:
    Path(path).write_text(told if isinstance(told, str) else json.dumps(told, indent=2))


def found(config: dict[str, object] = CONFIG, name: str = f"{HERE}/adapter_config.json") -> list[tuple[str, str]]:
    write(name, config)
    report = check_text(Path(name).read_text(), filename=name)
    return [(one.code, one.message) for one in report.findings]


def codes(config: dict[str, object] = CONFIG) -> list[str]:
    return [code for code, _ in found(config)]


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        (1000, "it ends before step 4500, at which target_r would be reached"),
        (4800, "it ends before its schedule does"),
        (8000, "pruning is over at step 4500, sooner than planned"),
    ],
)
def test_a_length_of_its_own_is_held_against_total_step(steps: int, says: str) -> None:
    write(TOLD, {"max_steps": steps})
    said = f"total_step=5000, but the run has {steps} steps (max_steps in training_params.json): {says}"
    assert found() == [("ADA208", said)]


def test_the_finding_stands_at_total_step_of_the_configuration() -> None:
    write(TOLD, {"max_steps": 1000})
    text = json.dumps(CONFIG, indent=2)
    write(f"{HERE}/adapter_config.json", text)
    report = check_text(text, filename=f"{HERE}/adapter_config.json")
    (finding,) = report.findings
    assert text.encode()[finding.span.start : finding.span.stop] == b'"total_step"'


def test_the_fix_takes_the_length_of_the_run_and_nothing_is_left() -> None:
    write(TOLD, {"max_steps": 1000})
    text = json.dumps(CONFIG, indent=2)
    name = f"{HERE}/adapter_config.json"
    write(name, text)
    fixed = fix_text(text, filename=name, unsafe_fixes=True)
    assert fixed.after.text == text.replace("5000", "1000")
    assert fixed.left == ()


def test_the_defaults_count_where_the_experiment_says_nothing() -> None:
    write(DEFAULTS, {"max_steps": 4800})
    ((code, message),) = found()
    assert code == "ADA208"
    assert "4800 steps (max_steps in ../../../default_training_params.json)" in message
    write(TOLD, {"lr": 0.1})
    assert codes() == ["ADA208"]


def test_what_the_experiment_says_counts_before_the_defaults() -> None:
    write(DEFAULTS, {"max_steps": 1000})
    write(TOLD, {"max_steps": 5000})
    assert codes() == []


def test_a_missing_total_step_gets_the_length_of_the_run() -> None:
    write(DEFAULTS, {"max_steps": 5000})
    config = {name: value for name, value in CONFIG.items() if name != "total_step"}
    text = json.dumps(config, indent=2)
    name = f"{HERE}/adapter_config.json"
    write(name, text)
    assert codes(config) == ["ADA201"]
    assert json.loads(fix_text(text, filename=name, unsafe_fixes=True).after.text) == CONFIG


# What PEFT's repository holds of AdaLoRA: the configuration of each experiment, and how long it has run.
PEFT = [
    ({**CONFIG, "deltaT": 1, "lora_alpha": 8, "r": 8, "task_type": None}, 5000),
    ({**CONFIG, "init_r": 32, "target_r": 8, "tinit": 100, "tfinal": 200, "total_step": 750, "lora_alpha": 32}, 750),
]


@pytest.mark.parametrize(("config", "steps"), PEFT)
def test_the_experiments_of_peft_are_in_order(config: dict[str, object], steps: int) -> None:
    write(DEFAULTS, {"max_steps": steps, "prompts": "a"})
    assert codes(config) == []


@pytest.mark.parametrize(
    "told",
    [
        {}, {"max_steps": None}, {"max_steps": "1000"}, {"max_steps": 1000.0}, {"max_steps": True}, {"max_steps": 0},
        {"max_steps": -1}, {"train": {"max_steps": 1000}}, [1000], "", "{", '\ufeff{"max_steps": 1000}', "max_steps: 1000",
        "[" * 100_000, "\0",
    ],
)  # fmt: skip
def test_a_file_that_tells_no_length_is_silent(told: object) -> None:
    write(TOLD, told)
    assert codes() == []


@pytest.mark.parametrize("own", ["{", "[]", {"max_steps": "?"}])
def test_the_defaults_do_not_count_where_nobody_knows_what_the_experiment_says(own: object) -> None:
    write(DEFAULTS, {"max_steps": 1000})
    write(TOLD, own)
    assert codes() == []


@pytest.mark.parametrize("place", ["experiments", "experiments/adalora", HERE])
def test_defaults_in_another_place_are_not_those_of_the_experiment(place: str) -> None:
    write(f"{place}/{DEFAULTS}", {"max_steps": 1000})
    assert codes() == []


def test_defaults_count_for_experiments_alone() -> None:
    write(DEFAULTS, {"max_steps": 1000})
    Path("runs/adalora/one").mkdir(parents=True)
    assert found(name="runs/adalora/one/adapter_config.json") == []


def test_a_trained_adapter_is_not_held_against_a_run() -> None:
    write(TOLD, {"max_steps": 1000})
    assert "ADA208" not in codes({**CONFIG, "inference_mode": True})
    Path(f"{HERE}/adapter_model.safetensors").write_bytes(b"")
    assert "ADA208" not in codes()


def test_a_text_that_is_no_file_has_nothing_beside_it() -> None:
    write(TOLD, {"max_steps": 1000})
    report = check_text(json.dumps(CONFIG), filename=f"{HERE}/adapter_config.json")
    assert report.findings == ()


def test_a_fifo_is_not_waited_for() -> None:
    os.mkfifo(TOLD)
    assert codes() == []


def test_no_other_file_looks_beside_itself() -> None:
    write(TOLD, {"max_steps": 1000})
    assert found(name=f"{HERE}/config.json") == []


def test_a_file_without_a_length_beside_it_has_none(tmp_path: Path) -> None:
    from adalint.readers import read_sites
    from adalint.source import Kind, Source

    path = tmp_path / HERE / "adapter_config.json"
    write(str(path), CONFIG)
    (site,) = read_sites(Source.decode(str(path), Kind.JSON, path.read_bytes()))
    assert (site.run_length, site.run_length_file) == (None, None)
