"""The length that a file's own loops tell, where a configuration has none: only what its author could have written."""

from __future__ import annotations

import ast

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
