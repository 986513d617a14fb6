"""What is said of a run of Lightning's Trainer that a file shows whole, and of the same run with something unseen in it.

``tests/loops`` has the scripts that are run; here are the neighbours whose other half stands elsewhere.
"""

from __future__ import annotations

import pytest

from adalint.api import check_text

NEVER = """\
import lightning as L
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from peft import AdaLoraConfig, get_peft_model


class Module(L.LightningModule):
    def __init__(self, base):
        super().__init__()
        config = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
        self.model = get_peft_model(base, config)

    def training_step(self, batch, batch_idx):
        return self.model(**batch).loss

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=1e-4)


def main(base, loader):
    trainer = L.Trainer(max_steps=3000, callbacks=[ModelCheckpoint(save_last=True)])
    trainer.fit(Module(base), loader)
"""
BATCH_END = """\
    def on_train_batch_end(self, outputs, batch, batch_idx):
        self.model.update_and_allocate(self.global_step)

    def configure_optimizers(self):
"""
HOOKED = NEVER.replace("    def configure_optimizers(self):\n", BATCH_END)


def codes(text: str) -> set[str]:
    return {finding.code for finding in check_text(text, filename="train.py").findings}


def changed(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1
    return text.replace(old, new)


def test_a_run_that_is_shown_whole_and_never_allocates_is_told():
    report = check_text(NEVER, filename="train.py")
    assert [(one.code, report.start(one).row) for one in report.findings] == [("ADA401", 22)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("callbacks=[ModelCheckpoint(save_last=True)]", "callbacks=[Ours()]"),
        ("callbacks=[ModelCheckpoint(save_last=True)]", "callbacks=callbacks"),
        ("callbacks=[ModelCheckpoint(save_last=True)]", "**settings"),
        ("torch.optim.AdamW(self.parameters(), lr=1e-4)", "Ours(self.parameters())"),
        ("torch.optim.AdamW(self.parameters(), lr=1e-4)", "build(self)"),
        ("class Module(L.LightningModule):", "class Module(Ours):"),
        ("class Module(L.LightningModule):", "class Module(Ours, L.LightningModule):"),
        ("        super().__init__()\n", "        super().__init__()\n        self.automatic_optimization = False\n"),
        ("def main(base, loader):", "def test_it_trains(base, loader):"),
        ("trainer.fit(Module(base), loader)", "trainer.fit(wrapped(Module(base)), loader)"),
        ("trainer.fit(Module(base), loader)", "trainer.validate(Module(base), loader)"),
    ],
)
def test_what_may_allocate_unseen_keeps_it_silent(old, new):
    text = "from ours import Ours, build, wrapped\n" + changed(NEVER, old, new)
    assert "ADA401" not in codes(text)


def test_a_method_that_allocates_is_right():
    assert codes(HOOKED) == set()


def test_a_gate_on_the_index_of_a_batch_is_told_where_each_batch_makes_a_step():
    gated = changed(
        HOOKED,
        "        self.model.update_and_allocate(self.global_step)\n",
        "        if (batch_idx + 1) % 4 == 0:\n            self.model.update_and_allocate(self.global_step)\n",
    )
    assert codes(gated) == {"ADA407"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("max_steps=3000,", "max_steps=3000, accumulate_grad_batches=4,"),
        ("max_steps=3000,", "max_steps=3000, accumulate_grad_batches=several,"),
        (
            "    trainer = L.Trainer(max_steps=3000, callbacks=[ModelCheckpoint(save_last=True)])\n",
            "    trainer = make()\n",
        ),
    ],
)
def test_it_may_be_the_end_of_an_accumulation(old, new):
    gated = changed(
        HOOKED,
        "        self.model.update_and_allocate(self.global_step)\n",
        "        if (batch_idx + 1) % 4 == 0:\n            self.model.update_and_allocate(self.global_step)\n",
    )
    assert codes(changed(gated, old, new)) == set()


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ("max_epochs=3", {"ADA409"}),
        ("max_epochs=1", set()),
        ("max_epochs=epochs", set()),
        ("max_steps=3000", set()),
        ("max_epochs=3, max_steps=3000", set()),
    ],
)
def test_the_index_of_a_batch_starts_anew_where_there_are_several_epochs(arguments, found):
    text = changed(HOOKED, "update_and_allocate(self.global_step)", "update_and_allocate(batch_idx)")
    assert codes(changed(text, "max_steps=3000", arguments)) == found


@pytest.mark.parametrize("condition", ["self.global_step > 0", "batch_idx > 0", "self.ready"])
def test_a_condition_may_hold_off_the_first_call_of_a_method_before_the_backward_pass(condition):
    text = changed(
        HOOKED,
        "def on_train_batch_end(self, outputs, batch, batch_idx):",
        "def on_train_batch_start(self, batch, batch_idx):",
    )
    assert codes(text) == {"ADA403"}
    call = "        self.model.update_and_allocate(self.global_step)\n"
    assert codes(changed(text, call, f"        if {condition}:\n    {call}")) == set()


def test_a_module_that_makes_its_steps_itself_calls_its_methods_when_it_likes():
    text = changed(
        HOOKED, "def on_train_batch_end(self, outputs, batch, batch_idx):", "def on_before_zero_grad(self, optimizer):"
    )
    assert codes(text) == {"ADA403"}
    by_hand = changed(text, "super().__init__()\n", "super().__init__()\n        self.automatic_optimization = False\n")
    assert codes(by_hand) == set()
