"""What the pages of silent schedule and rank mistakes claim shows in PEFT: what is kept, in memory and on file."""

from __future__ import annotations

import pytest
import torch
from adapter_runs import MODULES, base, logits, reload, train

ORDINARY = {"init_r": 4, "target_r": 2, "total_step": 12, "tfinal": 3}
ROOMY = {**ORDINARY, "init_r": 16}
"""Enough ranks that each step of the curve shows."""
START, GOAL = 4 * len(MODULES), 2 * len(MODULES)
MASKS = {f"{name}.lora_E": [True, False, True, False] for name in MODULES}


def test_an_ordinary_run_prunes_little_by_little_and_saves_what_it_has():
    run = train(ORDINARY)
    ranks = [kept for kept in run.kept if kept is not None]
    assert ranks[-1] == run.live == GOAL
    assert len(set(ranks)) > 3


def test_ada104_a_target_of_zero_leaves_the_base_model(tmp_path):
    run = train({**ORDINARY, "target_r": 0})
    assert run.live == run.kept[-1] == 0
    assert torch.equal(logits(reload(run, tmp_path)), logits(base().eval()))


def test_ada107_ranks_are_ignored_in_training():
    written = train({**ORDINARY, "rank_pattern": {"q_proj": 3}})
    assert written.losses == train(ORDINARY).losses
    assert written.kept[-1] == GOAL


def test_ada107_masks_are_ignored_in_training_too():
    written = train({**ORDINARY, "rank_pattern": dict(MASKS)})
    assert written.losses == train(ORDINARY).losses


def test_ada107_ranks_fail_at_save_when_the_allocator_is_never_called(tmp_path):
    run = train({**ORDINARY, "rank_pattern": {"q_proj": 3}}, allocate=False)
    with pytest.raises(TypeError, match="'int' object is not iterable"):
        reload(run, tmp_path)


def test_ada107_masks_trim_what_is_saved_when_the_allocator_is_never_called(tmp_path):
    run = train({**ORDINARY, "rank_pattern": dict(MASKS)}, allocate=False)
    assert run.live == START
    saved = reload(run, tmp_path)
    assert {p.shape[0] for name, p in saved.named_parameters() if "lora_E" in name} == {2}
    assert not torch.allclose(logits(saved), logits(run.model), atol=1e-4)


@pytest.mark.parametrize("alpha", [0, -8])
def test_ada108_trains_with_scale_1_and_loads_with_the_kept_ranks_over_init_r(alpha, tmp_path):
    run, scale_1 = train({**ORDINARY, "lora_alpha": alpha}), train({**ORDINARY, "lora_alpha": 4})
    assert run.losses == scale_1.losses
    assert torch.equal(logits(run.model), logits(scale_1.model))
    loaded = reload(run, tmp_path / "bad")
    assert not torch.allclose(logits(loaded), logits(run.model), atol=1e-4)
    assert torch.allclose(logits(reload(scale_1, tmp_path / "good")), logits(scale_1.model), atol=1e-6)
    layers = [module for name, module in loaded.named_modules() if name.removeprefix("base_model.model.") in MODULES]
    kept = [layer.lora_E["default"].shape[0] for layer in layers]
    # PEFT divides this by init_r in the forward pass.
    assert [layer.scaling["default"] for layer in layers] == kept != [4] * len(MODULES)
    assert {int(layer.ranknum["default"]) for layer in layers} == {4}


@pytest.mark.parametrize("interval", [50, -50, 9])
def test_ada205_everything_falls_in_one_cut(interval):
    run = train({**ORDINARY, "deltaT": interval})
    assert run.kept == (None,) * 9 + (GOAL,) * 3


def test_ada205_an_interval_that_fits_once_prunes_before():
    assert train({**ROOMY, "deltaT": 5}).kept[5] not in {None, GOAL}


def test_ada205_with_no_final_phase_a_run_that_counts_from_0_prunes_nothing():
    run = train({**ORDINARY, "tfinal": 0, "deltaT": 50})
    assert (run.live, set(run.kept)) == (START, {None})


def test_ada207_a_negative_tinit_prunes_at_step_0():
    run = train({**ORDINARY, "tinit": -1})
    assert run.kept[0] is not None
    assert train(ORDINARY).kept[0] is None


def test_ada207_a_negative_tfinal_leaves_memory_and_file_apart():
    run = train({**ORDINARY, "tfinal": -12, "deltaT": 5})
    assert run.live > run.kept[-1] > GOAL


@pytest.mark.parametrize(("total", "ends"), [(48, "above"), (6, "early")])
def test_ada208_a_total_step_that_is_not_the_run(total, ends):
    run = train({**ORDINARY, "total_step": total})
    assert run.kept[-1] > GOAL if ends == "above" else run.kept[3] == GOAL


@pytest.mark.parametrize("fractional", [{"tfinal": 2.5}, {"total_step": 11.5}])
def test_ada213_the_final_cut_is_never_made(fractional):
    assert train({**ROOMY, "deltaT": 5, **fractional}).kept[-1] > GOAL
    assert train({**ROOMY, "deltaT": 5}).kept[-1] == GOAL


@pytest.mark.parametrize("tinit", [0.1, 0.9])
def test_ada213_a_share_of_a_step_puts_off_nothing(tinit):
    run = train({**ORDINARY, "tinit": tinit})
    assert [kept is None for kept in run.kept] == [kept is None for kept in train(ORDINARY).kept]


def test_ada213_where_nothing_was_pruned_before_the_next_call_fails():
    with pytest.raises(AttributeError, match="keys"):
        train({**ORDINARY, "tfinal": 2.5, "deltaT": 50})
