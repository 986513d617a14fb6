"""Plans run on the installed PEFT by adalint itself, and `verify --with-peft`."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import islice
from pathlib import Path

import peft
import pytest
import torch
from commands import CHECKOUT, IGNORED_RANK, run
from examples import bad_of, section
from reference_agreement import FREE, apart, cases, in_peft
from test_verify_tensors import plan_of

from adalint import peft_run
from adalint.engine import check_source
from adalint.reference import Task
from adalint.reference import run as on_reference
from adalint.schema import Stage
from adalint.settings import Settings
from adalint.values import Literal
from adalint.verify import prove
from adalint.verify.tensors import NotRun, on_peft, run_both


def test_it_runs_as_the_tests_own_driver_does():
    compared = 0
    for case in islice(cases(60, seed=11), 25):
        fields = {"task_type": Literal("CAUSAL_LM")} if case.penalised else {}
        ours = peft_run.run(replace(case.plan, values=case.plan.values | fields), case.task)
        theirs = in_peft(case)
        theirs.train()
        assert ours.losses == tuple(theirs.losses)
        raised = ours.raised and (ours.raised.exception, ours.raised.step, ours.raised.call)
        assert raised == (theirs.raised and (theirs.raised.exception, theirs.raised.step, theirs.raised.call))
        compared += bool(ours.losses)
    assert compared > 15


def test_everything_but_rounding_is_as_on_the_reference_adapter():
    # With the penalty AdamW turns rounding into differences.
    plan, task = plan_of(), Task()
    ours, theirs = peft_run.run(plan, task), on_reference(plan, task)
    assert apart(ours.losses, theirs.losses) < FREE
    for fact in ("allocations", "live", "kept", "initial", "target", "parameters", "first_mask", "finalised"):
        assert getattr(ours, fact) == getattr(theirs, fact)
    assert ours.scale == pytest.approx(theirs.scale, rel=1e-6)
    assert {name: tensor.shape for name, tensor in ours.saved.tensors.items()} == {
        name: tensor.shape for name, tensor in theirs.saved.tensors.items()
    }


@pytest.mark.parametrize(
    ("fields", "stage", "exception"),
    [
        ({"total_step": None}, Stage.CONSTRUCTION, "ValueError"),
        ({"use_dora": True}, Stage.CONSTRUCTION, "ValueError"),
        ({"init_r": -1}, Stage.WRAP, "ValueError"),
        ({"inference_mode": True}, Stage.FORWARD, "ValueError"),
        ({"deltaT": 0}, None, "ZeroDivisionError"),
    ],
)
def test_what_peft_raises_is_told_with_its_stage(fields, stage, exception):
    raised = peft_run.run(plan_of(**fields)).raised
    assert (raised.stage, raised.exception) == (stage, exception)
    assert (raised.step is None) is (stage is not None)


def test_a_name_that_peft_does_not_know_is_given_to_it():
    raised = peft_run.run(replace(plan_of(), strangers=("total_steps",))).raised
    assert (raised.stage, raised.exception) == (Stage.CONSTRUCTION, "TypeError")
    assert "total_steps" in raised.message


def test_the_random_numbers_of_the_caller_stay_as_they_are():
    torch.manual_seed(5)
    wanted = torch.rand(1)
    torch.manual_seed(5)
    peft_run.run(plan_of(lora_dropout=0.5))
    assert torch.equal(torch.rand(1), wanted)


def test_dropout_is_the_same_on_both_sides():
    plan = plan_of(lora_dropout=0.5)
    assert peft_run.run(plan).losses == peft_run.run(plan).losses
    assert peft_run.run(plan).losses != peft_run.run(plan_of()).losses


def test_a_mistake_about_the_model_is_left_to_the_trace():
    plan = plan_of(modules_to_save=5)
    with pytest.raises(NotRun, match="modules_to_save is about the model"):
        run_both(plan, plan, on_peft())


@pytest.mark.parametrize("example", section("Fixed")[::4], ids=str)
def test_a_fix_on_a_rule_page_is_in_peft_what_it_is_on_the_reference_adapter(example):
    from adalint.verify import reference_bench

    [finding] = check_source(bad_of(example).source, Settings()).findings
    fix = finding.fixes[int(example.words["fix"]) - 1]
    ours, theirs = (prove(finding, fix, bench=bench) for bench in (reference_bench(), on_peft()))
    assert (ours.verdict, ours.certainty, theirs.disagreement) == (theirs.verdict, theirs.certainty, None)


class TestCommand:
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)

    def test_it_says_which_release_was_run(self):
        shown = run("verify", "--with-peft", "--output-format", "full", str(CHECKOUT / "fixtures" / "first-look"))
        assert shown.exit_code == 0
        assert f"    run on PEFT {peft.__version__}: 63 steps, every length divided by 47\n" in shown.stdout
        assert shown.stderr.endswith(f"fixes checked on PEFT {peft.__version__}.\n")

    def test_it_warns_when_the_target_is_another_release(self):
        Path("x.py").write_text(IGNORED_RANK)
        shown = run("verify", "--with-peft", "--target-peft", "0.14.0")
        warning = f"PEFT {peft.__version__} was run, but the target is PEFT 0.14.0"
        assert warning in shown.stderr
        assert warning not in run("verify", "--with-peft", "--target-peft", peft.__version__).stderr

    def test_the_verdict_is_that_of_the_release_that_was_run(self):
        # Only from 0.15 on PEFT refuses a schedule without a step to prune at.
        Path("x.py").write_text(
            "from peft import AdaLoraConfig\nAdaLoraConfig(tinit=60, tfinal=60, deltaT=2, total_step=100)\n"
        )
        options = ("verify", "--target-peft", "0.14.0", "--output-format", "full")
        assert "ValueError at construction" not in run(*options).stdout
        assert "ValueError at construction" in run(*options, "--with-peft").stdout

    def test_json_names_engine_and_release(self):
        Path("x.py").write_text(IGNORED_RANK)
        [entry] = json.loads(run("verify", "--with-peft", "--output-format", "json").stdout)
        assert (entry["evidence"]["engine"], entry["evidence"]["peft"]) == ("peft", peft.__version__)
