"""What the reference adapter would save, and what becomes of it, is what PEFT's own files show."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from reference_agreement import FREE, apart
from reference_oracle import PeftRun
from safetensors.numpy import load_file
from schedules import CALL_PATTERNS, plan

from adalint.plan import Counter, Loop
from adalint.reference import Task, run
from adalint.values import Literal

if TYPE_CHECKING:
    from pathlib import Path

    from adalint.plan import Plan

TASK = Task(width=4, batch=5)


def trained_for(made: Plan, **values: object) -> Plan:
    return replace(made, values=made.values | {name: Literal(value) for name, value in values.items()})


PLANS = {
    "right": plan(),
    "never called": plan(CALL_PATTERNS["never"]),
    "every second step": plan(CALL_PATTERNS["every second step"]),
    "before the optimizer step": plan(CALL_PATTERNS["before the optimizer step"]),
    "stops at T-F": plan(CALL_PATTERNS["stops early"]),
    "everything masked": plan(CALL_PATTERNS["after filling with zeros"]),
    "T never reached": plan(tfinal=0, deltaT=5, total_step=14),
    "alpha not positive": trained_for(plan(), lora_alpha=-8),
    "a pattern as LoRA has it, overwritten": trained_for(plan(), rank_pattern={"layers.0": 3}),
    "a pattern of the user's, never allocated": trained_for(
        plan(CALL_PATTERNS["never"]),
        rank_pattern={"layers.0.lora_E": [True, False, True, True], "layers.1.lora_E": [False, True, False, False]},
    ),
    "raises": plan(target_r=4),
}


@pytest.mark.parametrize("name", PLANS)
def test_files_and_what_is_loaded_from_them_are_those_of_peft(name: str, tmp_path: Path) -> None:
    ours, peft = run(PLANS[name], TASK), PeftRun(PLANS[name], TASK, penalised=False)
    peft.train()
    memory = peft.loss()
    peft.save(tmp_path)
    theirs = {
        key.removeprefix("base_model.model."): tensor
        for key, tensor in load_file(tmp_path / "adapter_model.safetensors").items()
    }
    assert ours.saved is not None
    assert ours.saved.tensors.keys() == theirs.keys()
    assert all(apart(ours.saved.tensors[key], theirs[key]) <= FREE for key in theirs)
    assert ours.saved.rank_pattern == peft.config.rank_pattern
    assert ours.final == pytest.approx(memory, rel=FREE)
    assert ours.reloaded == pytest.approx(peft.loss(tmp_path), rel=FREE)


def test_memory_and_file_differ_where_masks_are_not_made_again() -> None:
    ours = run(PLANS["T never reached"], TASK)
    assert ours.final != ours.reloaded
    assert ours.kept is not None
    assert sum(ours.live) > sum(ours.kept)


def test_a_pattern_as_lora_has_it_cannot_be_saved(tmp_path: Path) -> None:
    made = trained_for(PLANS["never called"], rank_pattern={"layers.0": 3})
    ours, peft = run(made, TASK), PeftRun(made, TASK)
    with pytest.raises(TypeError) as raised:
        peft.save(tmp_path)
    assert ours.unsaved is not None
    assert (ours.unsaved.exception, ours.unsaved.message) == ("TypeError", str(raised.value))


@pytest.mark.parametrize(
    ("target_r", "start"), [(3, 0), (2, 0), (1, 0), (3, 12), (3, 5)], ids=["3", "2", "1", "past T-F", "in the middle"]
)
def test_a_finished_adapter_goes_on_as_in_peft(target_r: int, start: int, tmp_path: Path) -> None:
    made = plan(target_r=target_r)
    first, peft_first = run(made, TASK), PeftRun(made, TASK, penalised=False)
    peft_first.train()
    peft_first.save(tmp_path)
    again = replace(made, loop=Loop(counter=Counter(start=start)))
    ours, peft = run(again, TASK, begin=first.saved), PeftRun(again, TASK, penalised=False, folder=tmp_path)
    peft.train()
    raised = None if peft.raised is None else (peft.raised.exception, peft.raised.message, peft.raised.step)
    assert (None if ours.raised is None else (ours.raised.exception, ours.raised.message, ours.raised.step)) == raised
    assert apart(ours.losses, peft.losses) <= FREE
    assert ours.saved is not None
    assert ours.saved.rank_pattern == {
        key.replace(".default", ""): stays for key, stays in peft.config.rank_pattern.items()
    }
    peft.save(tmp_path / "again")
    if raised is None:
        with pytest.raises(IndexError) as unloadable:
            peft.loss(tmp_path / "again")
        assert ours.unsaved is not None
        assert ours.unsaved.message == str(unloadable.value)
    else:
        assert ours.reloaded == pytest.approx(peft.loss(tmp_path / "again"), rel=FREE)


def test_a_run_resumed_before_the_first_mask_has_lost_its_scores_alone() -> None:
    made = plan(tinit=6, deltaT=1)
    before = run(replace(made, loop=Loop(steps=4)), TASK)
    assert before.checkpoint is not None
    whole, resumed = run(made, TASK), run(made, TASK, begin=before.checkpoint)
    assert resumed.losses[:3] == whole.losses[4:7]
    assert len(before.losses) + len(resumed.losses) == len(whole.losses)
    assert resumed.allocations[0].step == 4
    assert resumed.kept is not None
    assert sum(resumed.kept) == 4


def test_a_run_resumed_after_a_mask_does_not_load() -> None:
    before = run(replace(plan(), loop=Loop(steps=8)), TASK)
    assert before.checkpoint is not None
    resumed = run(plan(), TASK, begin=before.checkpoint)
    assert resumed.raised is not None
    assert resumed.raised.exception == "RuntimeError"
    assert "size mismatch" in resumed.raised.message
    assert resumed.losses == ()


def test_what_is_saved_is_a_copy() -> None:
    ours = run(plan(), TASK)
    assert ours.saved is not None
    assert not any(np.shares_memory(ours.saved.tensors[name], ours.tensors[name]) for name in ours.tensors)
