"""The length that a file's own loops tell, where a configuration has none: only what its author could have written."""

from __future__ import annotations

import ast
import re

import pytest

from adalint.api import check_text
from adalint.settings import Settings

HEAD = """\
from peft import AdaLoraConfig, get_peft_model
from torch.utils.data import DataLoader

"""
CONFIG = 'model = get_peft_model(base, AdaLoraConfig(init_r=8, target_r=4, task_type="CAUSAL_LM"))\n'


def step(indent: int, *more: str) -> str:
    lines = [
        "loss = model(**batch).loss",
        "loss.backward()",
        "optimizer.step()",
        "model.update_and_allocate(step)",
        *more,
    ]
    return "".join(f"{' ' * indent}{line}\n" for line in lines)


def proposed(text: str) -> list[str]:
    """Give what the fix of ADA201 would write for `total_step`; nothing where it is only shown."""
    ast.parse(text)
    report = check_text(HEAD + text, filename="train.py", settings=Settings(select=("ADA201",)))
    [finding] = report.findings
    return [edit.text.strip(", ") for fix in finding.fixes for edit in fix.edits]


EPOCHS = "for epoch in range(epochs):\n    for step, batch in enumerate(loader):\n" + step(8)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("loader = DataLoader(rows)\nepochs = 3\n" + CONFIG + EPOCHS, "len(loader) * epochs"),
        (
            "train_loader = load()\n" + CONFIG + "for step, batch in enumerate(train_loader):\n" + step(4),
            "len(train_loader)",
        ),
        (
            "from tqdm import tqdm\nloader = DataLoader(rows)\n"
            + CONFIG
            + "for epoch in range(2):\n    for step, batch in enumerate(tqdm(loader, desc='x')):\n"
            + step(8),
            "len(loader) * 2",
        ),
        (
            "def main(args, base, train_loader, optimizer):\n    "
            + CONFIG
            + "    for epoch in range(args.epochs):\n        for step, batch in enumerate(train_loader):\n"
            + step(12),
            "len(train_loader) * args.epochs",
        ),
    ],
)
def test_loops_that_tell_it_give_the_length(text, length):
    assert proposed(text) == [f"total_step={length}"]


@pytest.mark.parametrize(
    "text",
    [
        CONFIG + "loader = DataLoader(rows)\nepochs = 3\n" + EPOCHS,
        "loader = DataLoader(rows)\nepochs = 3\n" + CONFIG + "epochs = 4\n" + EPOCHS,
        "epochs = 3\n"
        + CONFIG
        + "for epoch in range(epochs):\n    for step, batch in enumerate(stream()):\n"
        + step(8),
        "loader = DataLoader(rows)\nepochs = 3\n" + CONFIG + EPOCHS + "        if step > 9:\n            break\n",
        "loader = DataLoader(rows)\n" + CONFIG + "while True:\n    for step, batch in enumerate(loader):\n" + step(8),
        "loader = DataLoader(rows)\n"
        + CONFIG
        + "for step, batch in enumerate(loader):\n    loss = model(**batch).loss / 4\n    loss.backward()\n"
        + "    if (step + 1) % 4 == 0:\n        optimizer.step()\n        model.update_and_allocate(step // 4)\n",
        "loader, other = DataLoader(rows), DataLoader(more)\n"
        + CONFIG
        + "for step, batch in enumerate(loader):\n"
        + step(4)
        + "for step, batch in enumerate(other):\n"
        + step(4),
        CONFIG
        + "def train(loader, epochs):\n    for epoch in range(epochs):\n        for step, batch in enumerate(loader):\n"
        + step(12)
        + "train(DataLoader(rows), 3)\n",
        "import itertools\nloader = itertools.cycle(DataLoader(rows))\n"
        + CONFIG
        + "for step, batch in enumerate(loader):\n"
        + step(4),
        CONFIG + "for step in range(100):\n" + step(4),
    ],
)
def test_loops_that_do_not_tell_it_give_none(text):
    assert proposed(text) == []


TRAINERS = """\
import torch
from peft import AdaLoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, Trainer, TrainerCallback, TrainingArguments


class Allocate(TrainerCallback):
    def on_optimizer_step(self, args, state, control, model=None, **kwargs):
        model.update_and_allocate(state.global_step + 1)


def config():
    return AdaLoraConfig(task_type="CAUSAL_LM", init_r=12, target_r=8, tinit=5, tfinal=30, total_step=300)


def base():
    return AutoModelForCausalLM.from_pretrained("gpt2")
"""
BASELINE = """

def baseline(rows):
    model = AutoModelForCausalLM.from_pretrained("gpt2")
    Trainer(model, TrainingArguments("o", max_steps=50), train_dataset=rows).train()
"""
LOOP = """

def train(loader):
    model = get_peft_model(base(), config())
    optimizer = torch.optim.AdamW(model.parameters())
    for step, batch in zip(range(300), loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.update_and_allocate(step)
        optimizer.zero_grad()
"""


def compared(text: str) -> list[str]:
    """Give the lengths that ADA208 tells for the run."""
    ast.parse(text)
    report = check_text(text, filename="train.py", settings=Settings(select=("ADA208",)))
    return [finding.message.partition("the run has ")[2].partition(" steps")[0] for finding in report.findings]


@pytest.mark.parametrize(
    "text",
    [
        BASELINE + LOOP,
        LOOP + BASELINE,
        BASELINE + LOOP + "\n\ndef main(rows, loader):\n    baseline(rows)\n    train(loader)\n",
        BASELINE + "\n\ndef made():\n    return get_peft_model(base(), config())\n",
        LOOP + "\n\nTrainer(base(), TrainingArguments('o', max_steps=50)).train()\n",
        LOOP + "\n\nargs = TrainingArguments('o', max_steps=50)\nTrainer(model=base(), args=args).train()\n",
        LOOP
        + "\n\ndef plain(loader, model, optimizer, get_scheduler):\n    scheduler = get_scheduler(num_training_steps=50)\n"
        + "    for batch in loader:\n        model(**batch).loss.backward()\n        optimizer.step()\n        scheduler.step()\n",
        BASELINE
        + "\n\nmodel = get_peft_model(base(), config())\n"
        + "Trainer(model, TrainingArguments('o'), callbacks=[Allocate()]).train()\n",
    ],
)
def test_the_length_of_a_run_that_trains_something_else_is_none(text):
    assert compared(TRAINERS + text) == []


@pytest.mark.parametrize(
    "text",
    [
        "args = TrainingArguments('o', max_steps=50)\n",
        (
            "model = get_peft_model(base(), config())\nargs = TrainingArguments('o', max_steps=50)\n"
            "Trainer(model, args, callbacks=[Allocate()]).train()\n"
        ),
        (
            "def train(model, rows):\n    args = TrainingArguments('o', max_steps=50)\n"
            "    Trainer(model=model, args=args, callbacks=[Allocate()]).train()\n"
        ),
        (
            "def train(rows):\n    model = get_peft_model(base(), config())\n    args = TrainingArguments('o', max_steps=50)\n"
            "    Trainer(model=model, args=args, callbacks=[Allocate()]).train()\n\n\n"
            "def plain(rows):\n    Trainer(base(), TrainingArguments('o')).train()\n"
        ),
        LOOP.replace("    for", "    max_steps = 50\n    for") + BASELINE.replace(", max_steps=50", ""),
        (
            "def plain(rows):\n    model = AutoModelForCausalLM.from_pretrained('gpt2')\n    model.add_adapter(config())\n"
            "    Trainer(model, TrainingArguments('o', max_steps=50)).train()\n"
        ),
    ],
)
def test_the_length_of_its_own_run_is_compared(text):
    assert compared(TRAINERS + text) == ["50"]


MANUAL = re.sub(r"class Allocate(.|\n)*?\n\n\n", "", TRAINERS)
LONG_LOOP = LOOP.replace("zip(range(300), loader)", "range(2000)").replace("(**batch)", "(**next(loader))")
LONG_LOOP = LONG_LOOP.replace("step, batch in", "step in").replace("def train", "def main")


@pytest.mark.parametrize(
    "text",
    [
        LONG_LOOP,
        LONG_LOOP.replace("range(2000)", "tqdm(range(ROUNDS))").replace("def main", "ROUNDS = 2000\n\n\ndef main"),
        LOOP.replace("zip(range(300), loader)", "enumerate(loader)")
        .replace("    for", "    MAX_TRAIN_STEPS = 2000\n    for")
        .replace("        optimizer.z", "        if step == MAX_TRAIN_STEPS:\n            break\n        optimizer.z"),
    ],
)
def test_a_constant_and_a_literal_range_tell_the_length(text):
    assert compared("from tqdm import tqdm\n" + MANUAL + text) == ["2000"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("range(2000)", "range(300)"),
        ("range(2000)", "range(20)"),
        ("range(2000)", "range(start, 2000)"),
        ("range(2000)", "range(ROUNDS)"),
        ("def main", "def test_it"),
        ("        optimizer.zero", "        if step == 300:\n            break\n        optimizer.zero"),
        ("        optimizer.zero", "        if step == 300:\n            return\n        optimizer.zero"),
        ("        optimizer.step()", "        if step % 8 == 7:\n            optimizer.step()"),
        ("    optimizer = ", "    train_further(model)\n    optimizer = "),
        ("def main(loader):\n    model = get_peft_model(base(), config())\n", "def main(loader, model):\n"),
        ("    for step", "    for _ in loader:\n     for step"),
    ],
)
def test_a_range_that_is_not_all_of_the_run_is_no_length(old, new):
    assert old in LONG_LOOP
    assert compared(MANUAL + LONG_LOOP.replace(old, new)) == []


def test_a_range_in_a_file_of_tests_is_no_length():
    report = check_text(MANUAL + LONG_LOOP, filename="test_train.py", settings=Settings(select=("ADA208",)))
    assert report.findings == ()


def test_the_most_steps_of_an_episode_are_no_length():
    assert compared(MANUAL + "MAX_STEPS = 50\nmodel = get_peft_model(base(), config())\n") == []
