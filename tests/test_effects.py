"""The effect that a rule page declares for a fix is what running both sides of its examples shows.

On the reference adapter, and on PEFT itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
from effect_runs import Shown, executed, literal
from effects import MODULES, NEVER, STEPS, Claim, Pair, claims, declared, refusal, scale
from releases_env import TESTS, releases_folder

from adalint.findings import Effect
from adalint.schema import Prediction, Stage, predict

if TYPE_CHECKING:
    from pathlib import Path

CLAIMS = list(claims())

SEEN_ON = {("ADA303", 2): "0.10.0"}
"""Fixes that only older releases are offered, with one of those."""
OLD_CLAIMS = [claim for key, release in SEEN_ON.items() for claim in claims(release) if claim.key == key]

OTHER_BEFORE_THE_CRASH = {("ADA102", 1): "it is not the same run until then"}
"""Completing fixes that change training from its first step, and the words in which their pages say so."""

BEYOND_THE_REFERENCE = {
    "ADA313-Bad-1-fix-1": "today it runs",
    "ADA313-Bad-2-fix-1": "afterwards it raises ValueError at forward",
}
"""What the reference adapter answers where it cannot judge: it loads no file, so it reads no `peft_type` there, and
trains what is meant to be used."""

ENDS_APART: dict[str, tuple[str | None, str | None]] = {"ADA107-Bad-2-fix-1": ("KeyError", None)}
"""What the reference adapter and PEFT raise where they differ: the masks of the example name modules of a real model."""

REAL_EFFECTS = (Effect.PRESERVES, Effect.COMPLETES, Effect.REPAIRS, Effect.CHANGES)


def refused(claim: Claim, effect: Effect, pairs: list[Pair]) -> str | None:
    return refusal(effect, pairs, same_until=claim.key not in OTHER_BEFORE_THE_CRASH)


def in_both(claim: Claim) -> list[list[Pair]]:
    runs = [claim.in_peft] if claim in CLAIMS else []
    return runs if str(claim) in BEYOND_THE_REFERENCE else [*runs, claim.in_reference]


# Every fix of every page


@pytest.mark.parametrize("claim", CLAIMS, ids=str)
def test_peft_shows_the_effect_that_a_page_declares(claim: Claim) -> None:
    assert refused(claim, claim.fix.effect, claim.in_peft) is None


@pytest.mark.parametrize("claim", [*CLAIMS, *OLD_CLAIMS], ids=str)
def test_the_reference_adapter_shows_it_too(claim: Claim) -> None:
    assert refused(claim, claim.fix.effect, claim.in_reference) == BEYOND_THE_REFERENCE.get(str(claim))


@pytest.mark.slow
@pytest.mark.parametrize("claim", OLD_CLAIMS, ids=str)
def test_an_older_peft_shows_the_effect_of_what_is_offered_for_it(claim: Claim, request: pytest.FixtureRequest) -> None:
    assert request.config.cache is not None
    root: Path = request.config.cache.mkdir("peft-releases")
    path = os.pathsep.join(map(str, (*releases_folder(root, claim.release), TESTS.parent)))
    command = [sys.executable, str(TESTS / "effects.py"), str(claim), claim.release]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1:] == ["shown"], done.stderr


def test_every_fix_of_every_page_is_shown_by_an_example() -> None:
    shown = {claim.key for claim in CLAIMS}
    assert declared().keys() - shown == SEEN_ON.keys() == {claim.key for claim in OLD_CLAIMS}
    assert shown <= declared().keys()


def test_what_the_reference_cannot_judge_is_among_the_claims() -> None:
    assert BEYOND_THE_REFERENCE.keys() <= {str(claim) for claim in CLAIMS}


@pytest.mark.parametrize("key", OTHER_BEFORE_THE_CRASH, ids=str)
def test_a_page_says_so_where_a_fix_changes_training_before_the_crash_too(key: tuple[str, int]) -> None:
    [rule] = {id(claim.example.rule): claim.example.rule for claim in CLAIMS if claim.key == key}.values()
    assert OTHER_BEFORE_THE_CRASH[key] in rule.body


@pytest.mark.parametrize("claim", [*CLAIMS, *OLD_CLAIMS], ids=str)
def test_what_a_finding_says_would_be_trained_is_what_the_texts_say(claim: Claim) -> None:
    before, after = (side.plan for side in claim.sides)
    if claim.fix.before is None:
        assert before == after
        return
    assert claim.fix.before == before
    assert claim.fix.after is not None
    assert (claim.fix.after.values, claim.fix.after.strangers) == (after.values, after.strangers)


@pytest.mark.parametrize("claim", [c for c in CLAIMS if str(c) not in BEYOND_THE_REFERENCE], ids=str)
def test_the_reference_adapter_ends_both_sides_as_peft_does(claim: Claim) -> None:
    apart = set()
    for ours, theirs in zip(claim.in_reference, claim.in_peft, strict=True):
        for one, other in ((ours.before, theirs.before), (ours.after, theirs.after)):
            assert (one.crashed_at, len(one.losses)) == (other.crashed_at, len(other.losses))
            if one.exception != other.exception:
                apart.add((one.exception, other.exception))
    wanted = ENDS_APART.get(str(claim))
    if claim.example.rule.code == "ADA304" and find_spec("scipy") is None:
        # PEFT misses SciPy before it looks at LoftQ; the page says so.
        wanted = ("ValueError", "ImportError")
    assert apart == ({wanted} if wanted else set())


COMPLETING = [claim for claim in CLAIMS if claim.fix.effect is Effect.COMPLETES]


@pytest.mark.parametrize("claim", COMPLETING, ids=str)
def test_a_run_to_complete_crashes_at_the_step_that_is_predicted(claim: Claim) -> None:
    plan = claim.plans[0]
    written = {name: literal(expr) for name, expr in plan.values.items() if plan.given.get(name) is True}
    told = predict(written, loop=claim.loops[0] if claim.loops else plan.loop, modules=MODULES)
    at = claim.in_peft[0].before.crashed_at
    assert at is not None
    assert isinstance(told, Prediction)
    assert 0 < at == told.step


# The checks can fail


@pytest.mark.parametrize(
    ("claim", "wrong"),
    [
        pytest.param(claim, effect, id=f"{claim}-{effect}")
        for claim in [*CLAIMS, *OLD_CLAIMS]
        for effect in REAL_EFFECTS
        if effect is not claim.fix.effect
    ],
)
def test_another_effect_than_the_declared_one_is_refused(claim: Claim, wrong: Effect) -> None:
    for pairs in in_both(claim):
        if wrong is Effect.CHANGES and not all(pair.before.finished for pair in pairs):
            # That a run which failed is not what it was is true, and says less than is declared.
            assert claim.fix.effect is not Effect.PRESERVES
        elif wrong is Effect.REPAIRS and claim.fix.effect is Effect.CHANGES and claim.key == ("ADA301", 3):
            # The name raises, but what it is renamed to counts something else, so that less is declared than is shown.
            assert pairs[0].before.raised_before_training
        else:
            assert refused(claim, wrong, pairs) is not None


FINISHED = Shown(
    losses=(3.0, 2.0, 1.0), tensors={"lora_A": b"1"}, saved={"lora_A": b"2"}, pattern='{"lora_E": [true, false]}'
)
CRASHED = Shown(Stage.STEP, "RuntimeError", (3.0, 2.0), {"lora_A": b"0"})
REJECTED = Shown(Stage.CONSTRUCTION, "TypeError")
SAME_TO_THE_CRASH = (Shown(losses=(3.0,), tensors={"lora_A": b"0"}),) * 2


@pytest.mark.parametrize(
    "after",
    [
        replace(FINISHED, losses=(3.0, 2.0, 1.0 + 2**-52)),
        replace(FINISHED, losses=(3.0, 2.0)),
        replace(FINISHED, tensors={"lora_A": b"2"}),
        replace(FINISHED, saved={"lora_A": b"1"}),
        replace(FINISHED, pattern='{"lora_E": [false, true]}'),
        CRASHED,
    ],
    ids=["a loss by one ulp", "a loss fewer", "a tensor", "a saved tensor", "the pattern", "it crashes"],
)
def test_what_differs_anywhere_is_not_preserved(after: Shown) -> None:
    assert refusal(Effect.PRESERVES, [Pair(FINISHED, FINISHED)]) is None
    assert refusal(Effect.PRESERVES, [Pair(FINISHED, FINISHED), Pair(FINISHED, after)]) is not None


def test_runs_without_any_training_preserve_nothing() -> None:
    assert refusal(Effect.PRESERVES, [Pair(Shown(), Shown())]) == "nothing was trained and saved"


@pytest.mark.parametrize(
    "pair",
    [
        Pair(CRASHED, replace(FINISHED, losses=(3.0, 2.5, 1.0)), SAME_TO_THE_CRASH),
        Pair(CRASHED, FINISHED, (SAME_TO_THE_CRASH[0], Shown(losses=(3.0,), tensors={"lora_A": b"9"}))),
        Pair(CRASHED, replace(FINISHED, losses=(3.0, 2.0)), SAME_TO_THE_CRASH),
        Pair(CRASHED, CRASHED, SAME_TO_THE_CRASH),
        Pair(REJECTED, FINISHED),
        Pair(FINISHED, FINISHED),
    ],
    ids=["another loss", "another tensor", "ends at the crash", "still crashes", "raised before", "never crashed"],
)
def test_what_is_not_the_same_up_to_the_crash_and_finished_after_it_is_not_completed(pair: Pair) -> None:
    assert refusal(Effect.COMPLETES, [Pair(CRASHED, FINISHED, SAME_TO_THE_CRASH)]) is None
    assert refusal(Effect.COMPLETES, [pair]) is not None


def test_a_completed_run_changes_nothing_in_a_loop_that_does_not_crash() -> None:
    completed = Pair(CRASHED, FINISHED, SAME_TO_THE_CRASH)
    assert refusal(Effect.COMPLETES, [completed, Pair(FINISHED, FINISHED)]) is None
    assert refusal(Effect.COMPLETES, [completed, Pair(FINISHED, replace(FINISHED, pattern="null"))]) is not None


def test_a_fix_that_a_page_says_to_change_the_steps_before_must_do_so() -> None:
    same = Pair(CRASHED, FINISHED, SAME_TO_THE_CRASH)
    other = Pair(CRASHED, replace(FINISHED, losses=(9.0, 2.0, 1.0)), SAME_TO_THE_CRASH)
    assert refusal(Effect.COMPLETES, [other], same_until=False) is None
    assert refusal(Effect.COMPLETES, [same], same_until=False) is not None


@pytest.mark.parametrize("before", [FINISHED, CRASHED, replace(REJECTED, stage=Stage.SAVE)], ids=str)
def test_what_raised_later_than_the_first_step_or_not_at_all_is_not_repaired(before: Shown) -> None:
    assert refusal(Effect.REPAIRS, [Pair(REJECTED, FINISHED)]) is None
    assert refusal(Effect.REPAIRS, [Pair(before, FINISHED)]) is not None


def test_what_differs_in_no_loop_is_not_changed() -> None:
    other = Pair(FINISHED, replace(FINISHED, losses=(0.0,)))
    assert refusal(Effect.CHANGES, [Pair(FINISHED, FINISHED), other]) is None
    assert refusal(Effect.CHANGES, [Pair(FINISHED, FINISHED)]) == "nothing differs"


@pytest.mark.parametrize("effect", REAL_EFFECTS)
def test_a_fix_after_which_anything_raises_has_no_effect_that_could_be_declared(effect: Effect) -> None:
    assert refusal(effect, [Pair(REJECTED, FINISHED), Pair(FINISHED, CRASHED)]) is not None


def test_a_fix_that_is_only_shown_has_no_effect_to_show() -> None:
    assert refusal(Effect.DISPLAY, [Pair(FINISHED, FINISHED)]) is not None


# How the sides are run


def test_runs_are_scaled_alike_and_no_phase_vanishes() -> None:
    assert [scale(length, 3000) for length in (3000, 1500, 0, 1, -3000)] == [STEPS, STEPS // 2, 0, 1, -STEPS]


def test_python_is_executed_with_its_functions() -> None:
    text = "import peft\n\ndef make(loader, epochs):\n    return peft.AdaLoraConfig(total_step=len(loader) * epochs)\n"
    assert executed(text) == {"total_step": 3000}


def test_a_text_without_a_loop_is_run_with_and_without_the_allocator() -> None:
    loops = {len(claim.loops) for claim in CLAIMS}
    assert loops == {0, 2}
    claim = next(claim for claim in CLAIMS if claim.loops and claim.fix.effect is Effect.PRESERVES)
    assert claim.loops[1] is NEVER
    called, never = (pair.before.pattern for pair in claim.in_peft)
    assert (called != "null", never) == (True, "null")
