"""`adalint new`: what it writes runs on a tiny model offline, reaches its ranks, and has no findings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
import yaml
from commands import run
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

from adalint.api import check_text
from adalint.findings import Severity
from adalint.settings import Settings
from adalint.starters import SHORTEST, STYLES, TASKS, StarterError, schedule_for, starter

if TYPE_CHECKING:
    from adalint.findings import Finding

SCRIPTS = [style for style, file in STYLES.items() if file == "train.py"]
STEPS, TARGET = 24, 2


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Save a random model for each task, with a tokenizer that knows the words of the templates."""
    texts = "Replace this by your data. Each round is one optimizer step. The rows are gone through again and again."
    vocabulary = {word: number for number, word in enumerate(["[UNK]", "[PAD]", *sorted(set(texts.split()))])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]")
    torch.manual_seed(0)
    size = len(vocabulary)
    shape = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    made = {
        "CAUSAL_LM": LlamaForCausalLM(LlamaConfig(vocab_size=size, **shape)),
        "SEQ_2_SEQ_LM": T5ForConditionalGeneration(
            T5Config(vocab_size=size, d_model=16, d_kv=8, d_ff=16, num_layers=2, num_heads=2, decoder_start_token_id=1)
        ),
    }
    folders = {}
    for task, model in made.items():
        folder = tmp_path_factory.mktemp(task)
        model.save_pretrained(folder)
        fast.save_pretrained(folder)
        folders[task] = str(folder)
    return folders


@pytest.mark.parametrize("task", ["CAUSAL_LM", pytest.param("SEQ_2_SEQ_LM", marks=pytest.mark.slow)])
@pytest.mark.parametrize("style", SCRIPTS)
def test_a_script_trains_and_reaches_its_ranks(style: str, task: str, tiny: dict[str, str], tmp_path: Path) -> None:
    done = run("new", style, "--steps", str(STEPS), "--target-r", str(TARGET), "--task", task, "--model", tiny[task])
    assert done.exit_code == 0, done.output
    (tmp_path / "train.py").write_text(done.stdout)
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", "ACCELERATE_USE_CPU": "true"}
    ran = subprocess.run(
        [sys.executable, "train.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    config = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    masks = config["rank_pattern"]
    assert sum(map(sum, masks.values())) == TARGET * len(masks)
    card = run("check", "--isolated", "--adapter", str(tmp_path / "adapter"), "--json")
    assert card.exit_code == 0
    assert json.loads(card.stdout)[0]["budget_reached"] is True


def worse_than_info(text: str, name: str) -> list[Finding]:
    report = check_text(text, filename=name, settings=Settings(pedantic=True))
    return [one for one in report.findings if one.severity is not Severity.INFO]


@given(
    style=st.sampled_from(list(STYLES)),
    task=st.sampled_from(list(TASKS)),
    steps=st.integers(SHORTEST, 200_000),
    target_r=st.integers(1, 300),
    more=st.none() | st.integers(1, 300),
)
def test_nothing_is_found_in_what_is_written(
    style: str, task: str, steps: int, target_r: int, more: int | None
) -> None:
    schedule = schedule_for(steps, target_r, None if more is None else target_r + more)
    text = starter(style, schedule, task=task)
    assert check_text(text, filename=STYLES[style], settings=Settings(pedantic=True)).findings == ()
    assert 0 <= schedule.tinit < steps - schedule.tfinal
    assert schedule.tfinal >= 1
    if style == "yaml":
        assert yaml.safe_load(text)["total_step"] == steps
    if style == "json":
        assert json.loads(text)["init_r"] == schedule.init_r


@pytest.mark.parametrize("style", [style for style, file in STYLES.items() if file.endswith(".py")])
def test_python_is_written_as_ruff_would(style: str, tmp_path: Path) -> None:
    for task in TASKS:
        path = tmp_path / f"{style}_{task}.py"
        path.write_text(starter(style, schedule_for(3000, 8), task=task))
        for command in (["format", "--check"], ["check", "--select", "E,F,I,UP"]):
            done = subprocess.run(
                ["ruff", *command, "--isolated", "--line-length", "120", str(path)],
                capture_output=True,
                text=True,
                check=False,
                env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
            )
            assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("steps", "target", "init", "said"),
    [
        (SHORTEST - 1, 8, None, "--steps"),
        (0, 8, None, "--steps"),
        (100, 0, None, "--target-r"),
        (100, 8, 8, "--init-r"),
    ],
)
def test_what_makes_no_schedule_is_told(steps: int, target: int, init: int | None, said: str) -> None:
    with pytest.raises(StarterError, match=said):
        schedule_for(steps, target, init)


class TestCommand:
    def test_a_file_is_written_once(self, tmp_path: Path) -> None:
        path = tmp_path / "train.py"
        assert run("new", "--steps", "100", "-o", str(path)).exit_code == 0
        before = path.read_text()
        again = run("new", "--steps", "200", "-o", str(path))
        assert (again.exit_code, again.stdout, path.read_text()) == (2, "", before)

    @pytest.mark.parametrize(
        "arguments",
        [
            ("new",),
            ("new", "--steps", "3"),
            ("new", "--steps", "100", "--target-r", "0"),
            ("new", "--steps", "100", "--init-r", "2"),
            ("new", "--steps", "100", "--model", 'x"; import os; "'),
            ("new", "--steps", "100", "--model", "a\nb"),
            ("new", "--steps", "100", "-o", "missing/train.py"),
            ("new", "unknown", "--steps", "100"),
        ],
    )
    def test_what_cannot_be_is_refused(
        self, arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        done = run(*arguments)
        assert (done.exit_code, done.stdout) == (2, "")
        assert "Traceback" not in done.stderr

    def test_ranks_come_as_they_are_asked_for(self) -> None:
        done = run("new", "json", "--steps", "900", "--target-r", "4", "--init-r", "32")
        told = json.loads(done.stdout)
        assert (told["init_r"], told["target_r"], told["total_step"]) == (32, 4, 900)
