"""Both sides of a fix in tensors: where they part, what is too long or too large, and when a verdict is honest."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import pytest
from schedules import random_plans

from adalint.findings import Effect, Finding, Fix, Safety, Severity
from adalint.plan import RIGHT_LOOP, Loop, Plan
from adalint.report.sparkline import PLAIN, shows_blocks, sparkline
from adalint.schema import defaults
from adalint.source import Edit, Span
from adalint.values import Literal, Symbol
from adalint.verify import Bench, Engine, Proof, Verdict, prove, reference_bench
from adalint.verify.tensors import NotRun, run_both

SHORT = {"init_r": 6, "target_r": 3, "tinit": 5, "tfinal": 5, "deltaT": 2, "total_step": 30}
NEVER = Loop(allocates=False)


def plan_of(loop: Loop = RIGHT_LOOP, modules: int = 3, **fields: Any) -> Plan:
    values = defaults() | SHORT | fields
    exprs = {name: value if isinstance(value, Symbol) else Literal(value) for name, value in values.items()}
    return Plan(exprs, {**dict.fromkeys(SHORT, True), **dict.fromkeys(fields, True)}, loop, modules)


def proof_of(before: Plan, after: Plan, effect: Effect = Effect.CHANGES, **options: Any) -> Proof:
    edit = Edit(Span(0, 0), "")
    fix = Fix("a fix", effect, Safety.SAFE, (edit,), before=before, after=after)
    finding = Finding("ADA000", "a-rule", Severity.WARNING, "", Span(0, 0), fixes=(fix,))
    return prove(finding, fix, **{"bench": reference_bench(), **options})


def parts_at(proof: Proof) -> int | None:
    assert proof.evidence is not None
    assert proof.evidence.run
    return proof.evidence.first_difference


class TestWhereTheyPart:
    def test_another_scale_shows_in_the_second_loss_because_the_first_update_starts_from_zero(self):
        proof = proof_of(plan_of(), plan_of(lora_alpha=32))
        assert (proof.verdict, parts_at(proof)) == (Verdict.DIFFERS, 1)
        assert proof.evidence.largest_difference > 0

    def test_a_task_type_brings_the_penalty_into_the_first_loss(self):
        proof = proof_of(plan_of(), plan_of(task_type="CAUSAL_LM"))
        assert (proof.verdict, parts_at(proof)) == (Verdict.DIFFERS, 0)

    def test_the_penalty_of_a_run_without_task_type_changes_nothing(self):
        proof = proof_of(plan_of(), plan_of(orth_reg_weight=0.1))
        assert (proof.verdict, parts_at(proof)) == (Verdict.IDENTICAL, None)
        assert proof.certainty == "holds for all tried"
        assert proof.story == "identical in this run, although orth_reg_weight is not what PEFT reads today"

    def test_the_penalty_of_a_run_with_task_type_differs_from_the_start(self):
        typed = {"task_type": "CAUSAL_LM"}
        assert parts_at(proof_of(plan_of(**typed), plan_of(orth_reg_weight=0.1, **typed))) == 0

    def test_triplets_that_start_otherwise_differ_from_the_start(self):
        assert parts_at(proof_of(plan_of(), plan_of(init_lora_weights=False))) == 0

    def test_a_later_warm_up_changes_nothing_before_the_first_mask(self):
        # Masks come after step 5 at the earliest; at 6 the budget is still that of the start.
        assert parts_at(proof_of(plan_of(tinit=5), plan_of(tinit=15))) > 5

    @pytest.mark.parametrize("name", ["beta1", "beta2"])
    def test_averages_matter_only_where_masks_are_made(self, name):
        proof = proof_of(plan_of(), plan_of(**{name: 0.1}))
        assert parts_at(proof) is None or parts_at(proof) > 5

    def test_a_schedule_that_nobody_calls_changes_nothing(self):
        proof = proof_of(plan_of(NEVER), plan_of(NEVER, target_r=2))
        assert proof.verdict is Verdict.IDENTICAL

    def test_another_loop_is_seen(self):
        proof = proof_of(plan_of(NEVER), plan_of())
        assert proof.verdict is Verdict.DIFFERS
        assert proof.story.endswith("the training loop is not what PEFT reads today")

    def test_a_crash_that_is_mended_leaves_the_steps_before_it_as_they_are(self):
        proof = proof_of(plan_of(deltaT=0), plan_of(deltaT=2))
        assert proof.story == "crashes at step 6 (ZeroDivisionError), finishes now; the steps before it are the same"

    def test_tensors_know_better_than_the_trace_that_nothing_changed_before_the_crash(self):
        sides = plan_of(deltaT=0), plan_of(deltaT=2, orth_reg_weight=0.1)
        assert proof_of(*sides, bench=None).story.endswith("the steps before it differ")
        assert proof_of(*sides).story.endswith("the steps before it are the same")

    def test_what_is_left_shows_per_module_and_in_the_file(self):
        evidence = proof_of(plan_of(), plan_of(target_r=2)).evidence
        for side, target in ((evidence.before, 3), (evidence.after, 2)):
            assert sum(side.ranks) == sum(side.saved_ranks) == side.live == side.kept == 3 * target
            # One rank of a layer of 8 by 8 has 8 + 8 + 1 numbers.
            assert (side.parameters, side.saved_parameters) == (3 * 6 * 17, 3 * target * 17)
            assert side.scale == pytest.approx(8 / 6, rel=1e-5)
            assert side.budget[0] == (0, 18)
            assert side.budget[-1] == (29, 3 * target)


class TestHonesty:
    def test_what_depends_on_the_model_cannot_be_said(self):
        proof = proof_of(plan_of(bias="none"), plan_of(bias="all"))
        assert (proof.verdict, proof.contradicts) == (Verdict.CANNOT_SAY, False)
        assert proof.story == "cannot say: what bias does depends on the model"

    def test_one_task_type_for_another_cannot_be_said(self):
        proof = proof_of(plan_of(task_type="CAUSAL_LM"), plan_of(task_type="SEQ_CLS"))
        assert proof.verdict is Verdict.CANNOT_SAY

    def test_a_shorter_run_without_a_difference_proves_nothing(self):
        sides = [plan_of(NEVER, total_step=400, target_r=target) for target in (3, 2)]
        short, whole = proof_of(*sides), proof_of(*sides, bench=reference_bench(400))
        assert (short.verdict, short.evidence.divided_by) == (Verdict.CANNOT_SAY, 7)
        assert (whole.verdict, whole.evidence.divided_by) == (Verdict.IDENTICAL, 1)

    def test_both_sides_are_divided_by_the_same_factor(self):
        sides = plan_of(total_step=400, tinit=100), plan_of(total_step=3000, tinit=100)
        compared = run_both(*sides, reference_bench())
        assert compared.factor == 47
        assert [len(side.losses) for side in (compared.first, compared.second)] == [8, 63]

    @pytest.mark.parametrize(("rank", "runs"), [(64, True), (1000, False)])
    def test_a_large_adapter_is_traced_only(self, rank, runs):
        proof = proof_of(plan_of(init_r=rank), plan_of(init_r=rank, lora_alpha=1))
        assert bool(proof.evidence.run) is runs
        assert (proof.evidence.why_traced == "the adapter is too large to be run") is not runs
        assert proof.verdict is Verdict.DIFFERS

    def test_without_tensors_both_sides_are_still_told(self):
        evidence = proof_of(plan_of(), plan_of(target_r=2), bench=None).evidence
        assert (evidence.engine, evidence.run) == (Engine.TRACE, 0)
        assert (evidence.before.kept, evidence.after.kept) == (9, 6)
        assert (evidence.before.ranks, evidence.before.parameters) == ((), None)

    def test_of_many_combinations_the_first_and_the_last_are_run(self):
        seen = []
        bench = reference_bench()
        recording = replace(bench, run=lambda plan: seen.append(plan.values["total_step"].value) or bench.run(plan))
        sides = [plan_of(total_step=Symbol("T"), lora_alpha=alpha) for alpha in (8, 16)]
        proof = proof_of(*sides, bench=recording)
        assert (proof.evidence.trials, proof.evidence.run) == (3, 2)
        assert len(seen) == 4
        assert max(seen) <= 64

    def test_a_side_that_two_fixes_share_is_run_once(self):
        bench = reference_bench()
        ours = plan_of()
        assert bench.run(ours) is bench.run(plan_of())
        assert bench.run(ours) is not bench.run(plan_of(lora_alpha=1))

    def test_a_false_claim_is_found_out_by_running(self):
        proof = proof_of(plan_of(), plan_of(lora_alpha=32), Effect.PRESERVES)
        assert (proof.contradicts, proof.breaks_a_promise) == (True, True)

    def test_a_true_claim_that_the_trace_doubts_is_borne_out_by_running(self):
        sides = plan_of(), plan_of(orth_reg_weight=0.1)
        assert proof_of(*sides, Effect.PRESERVES, bench=None).breaks_a_promise
        assert not proof_of(*sides, Effect.PRESERVES).breaks_a_promise


class TestAgreement:
    """Every trial holds tensors against the trace."""

    def test_plans_of_every_kind_agree_and_equal_themselves(self):
        bench, compared = reference_bench(), 0
        for each in islice(random_plans(300, seed=5, longest=60), 120):
            plan = replace(each, values={name: Literal(value) for name, value in defaults().items()} | each.values)
            try:
                found = run_both(plan, plan, bench)
            except NotRun:
                continue
            compared += 1
            assert found.disagreement is None
            assert found.identical
        assert compared > 80

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"deltaT": 2}, "a run that finishes, where the trace sees crashes at step 6 (ZeroDivisionError)"),
            ({"tinit": 8}, "ZeroDivisionError at step 9, where the trace sees crashes at step 6 (ZeroDivisionError)"),
        ],
    )
    def test_an_adapter_that_ends_otherwise_than_traced_is_an_error(self, wrong, words):
        proof = proof_of(plan_of(deltaT=0), plan_of(), bench=self.mistaken(**wrong))
        assert proof.disagreement == words

    def test_so_is_one_that_keeps_other_ranks(self):
        proof = proof_of(plan_of(), plan_of(lora_alpha=32), bench=self.mistaken(target_r=2))
        assert proof.disagreement is not None

    def test_so_is_one_that_minds_what_peft_ignores(self):
        bench = reference_bench()

        def minding(plan: Plan):
            alpha = Literal(plan.values["r"].value)
            return bench.run(replace(plan, values={**plan.values, "lora_alpha": alpha}))

        proof = proof_of(plan_of(r=8), plan_of(r=16), bench=replace(bench, run=minding))
        assert proof.disagreement == "different runs, where the schema sees the same configuration"

    def test_a_fresh_adapter_masked_before_it_has_learnt_anything_is_no_error(self):
        # Called before the first optimizer step, all scores are zero, and the mask takes everything.
        from schedules import A, B, S, Z

        plan = plan_of(Loop(order=(B, A, S, Z), steps=1), tinit=-1, deltaT=1)
        found = run_both(plan, plan, reference_bench())
        assert (sum(found.first.kept), found.disagreement) == (0, None)

    def mistaken(self, **fields: Any) -> Bench:
        bench = reference_bench()
        wrong = {name: Literal(value) for name, value in fields.items()}
        return replace(bench, run=lambda plan: bench.run(replace(plan, values={**plan.values, **wrong})))


class TestSparkline:
    def test_the_ends_of_the_scale_have_the_lowest_and_the_highest_block(self):
        assert sparkline([0, 7, 3.5], 7) == "▁█▅"
        assert sparkline([0, 7], 7, plain=True) == PLAIN[0] + PLAIN[-1]

    def test_what_lies_outside_the_scale_is_cut(self):
        assert sparkline([-1, 99], 7) == sparkline([0, 7], 7)

    @pytest.mark.parametrize("top", [0, -1, float("inf"), float("nan")])
    def test_a_scale_has_an_end(self, top):
        with pytest.raises(ValueError, match="no scale"):
            sparkline([1], top)

    @pytest.mark.parametrize(
        ("encoding", "shows"),
        [("utf-8", True), ("ascii", False), ("latin-1", False), (None, False), ("gbk", True), ("nonsense", False)],
    )
    def test_an_encoding_has_the_blocks_or_not(self, encoding, shows):
        assert shows_blocks(encoding) is shows


def test_bits_are_compared_not_numbers():
    from adalint.verify.tensors import _same_tensors

    assert not _same_tensors({"a": np.array([0.0])}, {"a": np.array([-0.0])})
    assert _same_tensors({"a": np.array([np.nan])}, {"a": np.array([np.nan])})
