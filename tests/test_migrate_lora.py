"""`adalint migrate lora-to-adalora`: the script trains, reaches its ranks and has no findings, or is left as it is."""

from __future__ import annotations

import difflib
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import nbformat
import pytest
from commands import run

from adalint.api import check_text
from adalint.migrate.lora_to_adalora import to_adalora
from adalint.settings import Settings
from adalint.source import Kind, Source

if TYPE_CHECKING:
    from pathlib import Path

    from adalint.migrate.texts import Migrated

HEAD = """\
import torch
from peft import LoraConfig, get_peft_model
from torch.utils.data import DataLoader
from transformers import LlamaConfig, LlamaForCausalLM

torch.manual_seed(0)
"""
MODEL = """\
model = LlamaForCausalLM(
    LlamaConfig(vocab_size=32, hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2)
)
"""

FLAT = (
    HEAD
    + "loader = DataLoader(torch.randint(0, 32, (16, 8)), batch_size=2)\nepochs = 3\n"
    + MODEL
    + """\
config = LoraConfig(
    task_type="CAUSAL_LM",
    r=2,  # small
    lora_alpha=16,
    target_modules=["q_proj", "v_proj"],
)
model = get_peft_model(model, config)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
step = 0
for epoch in range(epochs):
    for ids in loader:
        model(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        step += 1
model.save_pretrained("out")
"""
)

RANK_BY_NAME = """\
import argparse

import peft
import torch
from transformers import LlamaConfig, LlamaForCausalLM

parser = argparse.ArgumentParser()
parser.add_argument("--rank", type=int, default=2)
parser.add_argument("--max_steps", type=int, default=24)
args = parser.parse_args()


def main():
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(vocab_size=32, hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2)
    )
    max_steps = args.max_steps
    model = peft.get_peft_model(
        model, peft.LoraConfig(r=args.rank, use_rslora=True, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for step in range(max_steps):
        ids = torch.randint(0, 32, (2, 8))
        optimizer.zero_grad()
        model(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
    model.save_pretrained("out")


if __name__ == "__main__":
    main()
"""

TRAINER = (
    HEAD.replace("LlamaForCausalLM\n", "LlamaForCausalLM, Trainer, TrainingArguments\n", 1)
    + MODEL
    + """\
model = get_peft_model(model, LoraConfig(r=2, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"))
rows = [{"input_ids": ids, "labels": ids} for ids in torch.randint(0, 32, (24, 8)).tolist()]
args = TrainingArguments("run", max_steps=24, per_device_train_batch_size=2, save_strategy="no", report_to="none", use_cpu=True)
trainer = Trainer(model=model, args=args, train_dataset=rows)
trainer.train()
model.save_pretrained("out")
"""
)

ACCELERATE = (
    HEAD.replace("import torch\n", "import torch\nfrom accelerate import Accelerator\n", 1)
    + "accelerator = Accelerator(cpu=True)\nloader = DataLoader(torch.randint(0, 32, (48, 8)), batch_size=2)\n"
    + MODEL
    + """\
lora = LoraConfig(r=2, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
model = get_peft_model(model, lora)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
max_train_steps = 24
for step, ids in enumerate(loader):
    loss = model(input_ids=ids, labels=ids).loss
    accelerator.backward(loss)
    optimizer.step()
    optimizer.zero_grad()
accelerator.unwrap_model(model).save_pretrained("out")
"""
)
# Scripts of which nobody has told AdaLoRA how long they train: a Trainer by epochs, loops without a counter.
TRAINER_BY_EPOCHS = TRAINER.replace("max_steps=24, ", "num_train_epochs=2, ")
ACCUMULATING_TRAINER = TRAINER.replace("max_steps=24, ", "num_train_epochs=4, gradient_accumulation_steps=2, ")
LATE_LOADER = (
    HEAD
    + MODEL
    + """\
model = get_peft_model(model, LoraConfig(r=2, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"))
epochs = 3
loader = DataLoader(torch.randint(0, 32, (16, 8)), batch_size=2)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
# train
for epoch in range(epochs):
    model.train()
    for ids in loader:
        loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
model.save_pretrained("out")
"""
)
LATE_LOOP = LATE_LOADER[LATE_LOADER.index("epochs = 3") :]
ACCUMULATED = LATE_LOADER.replace(
    LATE_LOOP,
    """\
every = 3
loader = DataLoader(torch.randint(0, 32, (16, 8)), batch_size=2)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
for epoch in range(6):
    for i, ids in enumerate(loader):
        loss = model(input_ids=ids, labels=ids).loss / every
        loss.backward()
        if (i + 1) % every == 0 or i + 1 == len(loader):
            optimizer.step()
            optimizer.zero_grad()
model.save_pretrained("out")
""",
)
ROUNDED_DOWN = ACCUMULATED.replace(" or i + 1 == len(loader)", "").replace("range(6)", "range(9)")
ACCUMULATING_ACCELERATOR = LATE_LOADER.replace(
    LATE_LOOP,
    """\
accelerator = Accelerator(cpu=True, gradient_accumulation_steps=3)
loader = DataLoader(torch.randint(0, 32, (16, 8)), batch_size=2)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
for epoch in range(6):
    for ids in loader:
        with accelerator.accumulate(model):
            loss = model(input_ids=ids, labels=ids).loss
            accelerator.backward(loss)
            optimizer.step()
            optimizer.zero_grad()
accelerator.unwrap_model(model).save_pretrained("out")
""",
).replace("import torch\n", "import torch\nfrom accelerate import Accelerator\n", 1)
EPOCHS_IN_A_FUNCTION = (
    HEAD
    + """\


def train_one_epoch(model, batches, optimizer):
    for ids in batches:
        optimizer.zero_grad()
        model(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()


def main():
    model = LlamaForCausalLM(
        LlamaConfig(vocab_size=32, hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2)
    )
    model = get_peft_model(model, LoraConfig(r=2, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    loader = DataLoader(torch.randint(0, 32, (16, 8)), batch_size=2)
    for epoch in range(3):
        train_one_epoch(model, loader, optimizer)
        print(epoch)
    model.save_pretrained("out")


main()
"""
)
ENDED_BY_A_BREAK = ACCUMULATING_ACCELERATOR.replace(
    "for epoch in range(6):",
    "max_train_steps = -(-len(loader) // 3) * 6 - 1\ncompleted = 0\nfor epoch in range(6):",
).replace(
    "accelerator.unwrap_model(model).save",
    """\
        if accelerator.sync_gradients:
            completed += 1
        if completed >= max_train_steps:
            break
accelerator.unwrap_model(model).save""",
)
STEP_IN_A_FUNCTION = EPOCHS_IN_A_FUNCTION.replace(
    """\
def train_one_epoch(model, batches, optimizer):
    for ids in batches:
        optimizer.zero_grad()
        model(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
""",
    """\
def train_step(model, optimizer, ids):
    optimizer.zero_grad()
    loss = model(input_ids=ids, labels=ids).loss
    loss.backward()
    optimizer.step()
    return loss.item()
""",
).replace(
    "        train_one_epoch(model, loader, optimizer)\n",
    "        for ids in loader:\n            train_step(model, optimizer, ids)\n",
)
CAPPED = LATE_LOADER.replace("epochs = 3\n", "epochs = 3\nmax_steps = 1000\ndone = 0\n").replace(
    "        optimizer.zero_grad()\n",
    "        optimizer.zero_grad()\n        done += 1\n        if done >= max_steps:\n            break\n",
)
CLASS_OF_ITS_OWN = (
    HEAD
    + """\


class Tuning:
    def __init__(self, base, epochs=3):
        config = LoraConfig(r=2, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
        self.model = get_peft_model(base, config)
        self.epochs = epochs
        self.loader = DataLoader(torch.randint(0, 32, (16, 8)), batch_size=2)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-2)

    def train(self):
        for epoch in range(self.epochs):
            for ids in self.loader:
                self.optimizer.zero_grad()
                self.model(input_ids=ids, labels=ids).loss.backward()
                self.optimizer.step()


"""
    + MODEL
    + """\
tuning = Tuning(model)
tuning.train()
tuning.model.save_pretrained("out")
"""
)
CALLBACKS_OF_OTHERS = (
    TRAINER.replace("max_steps=24, ", "num_train_epochs=2, ")
    .replace("train_dataset=rows)", "train_dataset=rows, callbacks=[integrations.ProgressCallback()])")
    .replace("import torch\n", "import torch\nfrom transformers import trainer_callback as integrations\n", 1)
)
LIGHTNING = (
    HEAD.replace("import torch\n", "import lightning\nimport torch\n", 1)
    + """\


class Tuning(lightning.LightningModule):
    def __init__(self, base):
        super().__init__()
        lora = LoraConfig(r=2, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
        self.net = get_peft_model(base, lora)

    def training_step(self, batch, batch_idx):
        return self.net(input_ids=batch, labels=batch).loss

    def configure_optimizers(self):
        return torch.optim.AdamW(self.net.parameters(), lr=1e-2)


"""
    + MODEL
    + """\
module = Tuning(model)
trainer = lightning.Trainer(max_epochs=3, accumulate_grad_batches=2, accelerator="cpu", logger=False, enable_checkpointing=False)
trainer.fit(module, DataLoader(torch.randint(0, 32, (32, 8)), batch_size=2))
module.net.save_pretrained("out")
"""
)
HANDED_TO_LIGHTNING = (
    LIGHTNING.replace("base", "net")
    .replace('        lora = LoraConfig(r=2, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")\n', "")
    .replace("get_peft_model(net, lora)", "net")
    .replace(
        "module = Tuning(model)\n",
        'lora = LoraConfig(r=2, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")\n'
        "model = get_peft_model(model, lora)\nmodule = Tuning(net=model)\n",
    )
    .replace("max_epochs=3", "max_steps=24")
)
RUN = {
    "flat": FLAT,
    "rank by name": RANK_BY_NAME,
    "trainer": TRAINER,
    "accelerate": ACCELERATE,
    "trainer by epochs": TRAINER_BY_EPOCHS,
    "accumulating trainer": ACCUMULATING_TRAINER,
    "late loader": LATE_LOADER,
    "accumulated": ACCUMULATED,
    "rounded down": ROUNDED_DOWN,
    "accumulating accelerator": ACCUMULATING_ACCELERATOR,
    "epochs in a function": EPOCHS_IN_A_FUNCTION,
    "step in a function": STEP_IN_A_FUNCTION,
    "ended by a break": ENDED_BY_A_BREAK,
    "capped": CAPPED,
    "class of its own": CLASS_OF_ITS_OWN,
    "callbacks of others": CALLBACKS_OF_OTHERS,
    "lightning": LIGHTNING,
    "handed to lightning": HANDED_TO_LIGHTNING,
}


def migrated(text: str, name: str = "train.py") -> Migrated:
    return to_adalora(Source.decode(name, Kind.PYTHON, text.encode()), Settings())


def executed(text: str, folder: Path) -> dict[str, list[bool]]:
    """Run a script, and give the masks of the adapter that it saves."""
    (folder / "train.py").write_text(text)
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [sys.executable, "train.py"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    masks: dict[str, list[bool]] = json.loads((folder / "out" / "adapter_config.json").read_text())["rank_pattern"]
    return masks


@pytest.mark.parametrize("name", RUN)
def test_what_is_moved_runs_and_reaches_the_rank_that_lora_had(name: str, tmp_path: Path) -> None:
    outcome = migrated(RUN[name])
    assert (outcome.changed, outcome.left) == (True, ())
    masks = executed(outcome.after.text, tmp_path)
    assert sum(map(sum, masks.values())) == 2 * len(masks)
    assert {len(mask) for mask in masks.values()} == {3}


@pytest.mark.parametrize("name", RUN)
def test_nothing_is_found_in_it_and_moving_it_again_changes_nothing(name: str) -> None:
    after = migrated(RUN[name]).after
    assert check_text(after.text, filename="train.py").findings == ()
    assert not migrated(after.text).changed


_TOUCHED = ("LoraConfig", "r=2", "Trainer(", "train_one_epoch(", "train_step(")


@pytest.mark.parametrize("name", RUN)
def test_lines_that_are_none_of_its_affair_stay(name: str) -> None:
    before, after = RUN[name].splitlines(), migrated(RUN[name]).after.text.splitlines()
    lost = [line for line in difflib.ndiff(before, after) if line.startswith("- ")]
    assert [line for line in lost if not any(word in line for word in _TOUCHED)] == []


def test_a_notebook_is_moved_in_its_cells() -> None:
    cells = [nbformat.v4.new_code_cell(part) for part in FLAT.split("model = get_peft_model")[0].split("loader = ")]
    cells[1]["source"] = "loader = " + cells[1]["source"]
    cells.append(nbformat.v4.new_code_cell("model = get_peft_model" + FLAT.split("model = get_peft_model")[1]))
    raw = nbformat.writes(nbformat.v4.new_notebook(cells=cells)).encode()
    outcome = to_adalora(Source.decode("x.ipynb", Kind.NOTEBOOK, raw), Settings())
    assert (outcome.changed, outcome.left) == (True, ())
    after = nbformat.reads(outcome.after.encode().decode(), as_version=4)
    nbformat.validate(after)
    assert "AdaLoraConfig(" in after.cells[1].source
    assert "update_and_allocate(step)" in after.cells[2].source
    assert {note.position.cell for note in outcome.done} == {2}


LENGTHLESS = FLAT.replace("for epoch in range(epochs):", "for epoch in iter(int, 1):")
FREE = FLAT.replace("        step += 1\n", "").replace("step = 0\n", "").replace("in loader:", "in stream():")
ELSEWHERE = "from mine import fit\nmax_steps = 24\n" + FLAT[: FLAT.index("optimizer =")] + "fit(model, max_steps)\n"
CALLED_PER_EPOCH = """\
from peft import LoraConfig, get_peft_model


def train(model, loader, optimizer, total_steps):
    model = get_peft_model(model, LoraConfig(r=8, task_type="CAUSAL_LM"))
    for batch in loader:
        model(**batch).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LENGTHLESS, "does not tell its length"),
        (FREE, "does not tell its length"),
        (ELSEWHERE, "is not seen, or not followed"),
        (CALLED_PER_EPOCH, "one place below"),
        # what would crash, or be scheduled for another run than it is
        (TRAINER_BY_EPOCHS.replace("model = get_peft_model", "if x:\n    model = get_peft_model"), "under a condition"),
        (TRAINER.replace("model = get_peft_model", "if x:\n    model = get_peft_model"), "under a condition"),
        (
            TRAINER_BY_EPOCHS.replace("trainer = ", "for stage in 1, 2:\n    trainer = ").replace(
                "trainer.t", "    trainer.t"
            ),
            "again and again",
        ),
        (
            STEP_IN_A_FUNCTION.replace(
                "        for ids in loader:\n            train_step(model, optimizer, ids)\n",
                "        losses = [train_step(model, optimizer, ids) for ids in loader]\n",
            ),
            "one place",
        ),
        (
            EPOCHS_IN_A_FUNCTION.replace(
                "    for epoch in range(3):\n        train_one_epoch(model, loader, optimizer)\n        print(epoch)\n",
                "    [train_one_epoch(model, loader, optimizer) for _ in range(3)]\n",
            ),
            "one place",
        ),
        (
            LATE_LOADER.replace("    model.train()\n", "    if epoch == 1:\n        continue\n"),
            "does not tell its length",
        ),
        (
            LATE_LOADER.replace("DataLoader(torch.randint(0, 32, (16, 8))", "DataLoader(Stream()").replace(
                "epochs = 3", "class Stream(torch.utils.data.IterableDataset): ...\nepochs = 3"
            ),
            "does not tell its length",
        ),
        (LIGHTNING.replace("self.net = get", "if x:\n            self.net = get"), "under a condition"),
        (LIGHTNING.replace("max_epochs=3", "max_epochs=-1"), "what the Trainer is told"),
        # accelerate may wrap the model, which the function does not see
        (
            EPOCHS_IN_A_FUNCTION.replace("    for epoch", "    model = accelerator.prepare(model)\n    for epoch"),
            "is not seen, or not followed",
        ),
        (EPOCHS_IN_A_FUNCTION.replace("print(epoch)", "train_one_epoch(model, loader, optimizer)"), "is not seen"),
        (
            EPOCHS_IN_A_FUNCTION.replace("model, batches, optimizer):", "model, batches, optimizer, **more):"),
            "one place",
        ),
        (ENDED_BY_A_BREAK.replace(">= max_train_steps", ">= 7"), "does not tell its length"),
        (LIGHTNING.replace("def configure_optimizers", "def optimizer_step"), "what the Trainer is told"),
        (
            LIGHTNING.replace("self.net = ", "self.automatic_optimization = False\n        self.net = "),
            "is not seen, or not followed",
        ),
        (FLAT.replace("LoraConfig(\n", "LoraConfig(\n    **more,\n"), "by name"),
        (FLAT.replace("r=2", "r=0"), "no rank"),
        (
            FLAT.replace(
                "from peft import LoraConfig, get_peft_model",
                "from peft import get_peft_model\nfrom peft import LoraConfig\nif x:\n    from mine import LoraConfig",
            ),
            None,
        ),
        ("from peft import LoraConfig\nconfig = LoraConfig(r=8)\n", "is not seen, or not followed"),
        ("from peft import LoraConfig\nmax_steps = 100\nconfig = LoraConfig(r=8)\n", "is not seen, or not followed"),
    ],
)
def test_what_cannot_be_moved_whole_is_left_and_told(text: str, said: str | None) -> None:
    outcome = migrated(text)
    assert not outcome.changed
    assert outcome.after == outcome.before
    assert outcome.done == ()
    if said is not None:
        assert any(said in note.text for note in outcome.left)


BOTH = (
    TRAINER_BY_EPOCHS.replace("import LoraConfig", "import AdaLoraConfig, LoraConfig")
    + """\


def another(base):
    return get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, total_step=1000, task_type="CAUSAL_LM"))
"""
)


def test_a_configuration_that_is_adalora_already_stays_as_it_is() -> None:
    outcome = migrated(BOTH)
    assert outcome.changed
    assert BOTH[BOTH.index("def another") :] in outcome.after.text
    assert outcome.after.text.count("AdaLoraConfig(") == 2


def test_a_broken_one_beside_it_is_to_be_mended_first() -> None:
    outcome = migrated(BOTH.replace("target_r=8, ", "target_r=8, use_dora=True, "))
    assert not outcome.changed
    assert ["would be changed with it" in note.text for note in outcome.left] == [True]


@pytest.mark.parametrize(
    "text",
    [
        "from mine import LoraConfig\nconfig = LoraConfig(r=8)\n",
        "from peft import LoHaConfig, LoraConfig\nconfig = LoHaConfig(r=8)\n",
        '"""LoraConfig(r=8)"""\n',
        "class LoraConfig: ...\nconfig = LoraConfig()\n",
    ],
)
def test_what_is_no_lora_of_peft_is_none_of_its_affair(text: str) -> None:
    outcome = migrated(text)
    assert (outcome.changed, outcome.done, outcome.left) == (False, (), ())


@pytest.mark.parametrize(
    ("line", "use", "after"),
    [
        ("from peft import LoraConfig, get_peft_model", "LoraConfig", "from peft import AdaLoraConfig, get_peft_model"),
        (
            "from peft import get_peft_model, LoraConfig as LC",
            "LC",
            "from peft import get_peft_model, AdaLoraConfig as LC",
        ),
        ("from peft.tuners.lora import LoraConfig\nfrom peft import get_peft_model", "LoraConfig", None),
    ],
)
def test_the_import_is_the_one_that_is_needed(line: str, use: str, after: str | None) -> None:
    text = FLAT.replace("from peft import LoraConfig, get_peft_model", line).replace("LoraConfig(\n", f"{use}(\n")
    outcome = migrated(text)
    if after is not None:
        assert after in outcome.after.text
        assert f"config = {'LC' if use == 'LC' else 'AdaLoraConfig'}(" in outcome.after.text
    compile(outcome.after.text, "train.py", "exec")


def test_a_class_that_is_named_elsewhere_stays_imported() -> None:
    outcome = migrated(FLAT.replace("step = 0\n", "assert not isinstance(config, LoraConfig)\nstep = 0\n"))
    assert "from peft import AdaLoraConfig, LoraConfig, get_peft_model" in outcome.after.text
    assert "isinstance(config, LoraConfig)" in outcome.after.text


def test_lost_options_are_told() -> None:
    outcome = migrated(RANK_BY_NAME)
    assert any("use_rslora" in note.text for note in outcome.done)
    assert any("lora_alpha over the root of r, is over init_r now" in note.text for note in outcome.done)
    assert any("lora_alpha=16 over r, is over init_r now" in note.text for note in migrated(FLAT).done)


class TestCommand:
    def test_a_diff_is_printed_and_nothing_written(self, tmp_path: Path) -> None:
        path = tmp_path / "train.py"
        path.write_text(FLAT)
        done = run("migrate", "lora-to-adalora", "--isolated", str(path))
        assert (done.exit_code, path.read_text()) == (1, FLAT)
        assert "+    init_r=3, target_r=2" in done.stdout

    def test_write_writes_once(self, tmp_path: Path) -> None:
        path = tmp_path / "train.py"
        path.write_bytes(FLAT.replace("\n", "\r\n").encode())
        report = tmp_path / "migration.json"
        arguments = ("migrate", "lora-to-adalora", "--isolated", str(tmp_path), "--write", "--report", str(report))
        assert run(*arguments).exit_code == 0
        told = json.loads(report.read_text())
        assert [one["filename"].endswith("train.py") for one in told["files"]] == [True]
        once = path.read_bytes()
        assert b"AdaLoraConfig" in once
        assert b"\n" not in once.replace(b"\r\n", b"")
        assert run(*arguments).exit_code == 0
        assert path.read_bytes() == once
