"""2,000 configurations in the real PEFT: the earliest stage that the schema and the trace predict is the one it shows."""

from __future__ import annotations

import warnings
from collections import Counter
from typing import TYPE_CHECKING, TypeAlias

import pytest
import torch
from config_oracle import EXCLUDED, UNUSUAL, Case, Outcome, adapted_modules, generate, is_excluded, observe
from pydantic import ValidationError

from adalint.releases import NEWEST, in_range
from adalint.schema import FIELDS, UNDECIDABLE, AdaLoraSettings, Prediction, Stage, predict

if TYPE_CHECKING:
    from collections.abc import Iterator

Observed: TypeAlias = "list[tuple[Case, Outcome]]"

COUNT = 2000


@pytest.fixture(scope="module")
def observed() -> Iterator[Observed]:
    threads = torch.get_num_threads()
    # Tensors of a few numbers only wait for each other.
    torch.set_num_threads(1)
    yield [(case, observe(case)) for case in generate(COUNT)]
    torch.set_num_threads(threads)


def predicted(case: Case) -> Outcome | str:
    prediction = predict(case.values, loop=case.loop, modules=adapted_modules(case.values))
    if prediction is None:
        return Outcome(None, None)
    if isinstance(prediction, Prediction):
        return Outcome(prediction.stage, prediction.exception)
    return "cannot say"


def test_peft_shows_the_stage_and_exception_that_are_predicted(observed: Observed) -> None:
    wrong = [(case, predicted(case), outcome) for case, outcome in observed if predicted(case) != outcome]
    assert wrong == []


@pytest.mark.parametrize(
    ("stage", "exception", "at_least"),
    [
        (None, None, 500),
        (Stage.CONSTRUCTION, "TypeError", 200),
        (Stage.CONSTRUCTION, "ValueError", 150),
        (Stage.WRAP, "TypeError", 100),
        (Stage.WRAP, "ValueError", 30),
        (Stage.WRAP, "AssertionError", 25),
        (Stage.WRAP, "NotImplementedError", 10),
        (Stage.FORWARD, "TypeError", 5),
        (Stage.FORWARD, "ValueError", 50),
        (Stage.FIRST_MASK, "RuntimeError", 30),
        (Stage.FIRST_MASK, "IndexError", 5),
        (Stage.FIRST_MASK, "ZeroDivisionError", 10),
        (Stage.FIRST_MASK, "TypeError", 10),
        (Stage.STEP, "RuntimeError", 10),
        (Stage.STEP, "AttributeError", 1),
        (Stage.SAVE, "TypeError", 5),
        (Stage.SAVE, "AttributeError", 5),
    ],
)
def test_every_stage_is_reached_often_enough(
    observed: Observed, stage: Stage | None, exception: str | None, at_least: int
) -> None:
    reached = Counter((outcome.stage, outcome.exception) for _, outcome in observed)
    assert reached[stage, exception] >= at_least


def test_every_field_is_drawn_with_an_unusual_value(observed: Observed) -> None:
    drawn = {name for case, _ in observed for name in case.values}
    assert set(FIELDS) | {"delta_t", "rank"} <= drawn == drawn & set(UNUSUAL)


def test_what_the_reference_configuration_accepts_peft_trains_and_saves(observed: Observed) -> None:
    accepted = [(case, outcome) for case, outcome in observed if is_accepted(case)]
    broken = [(case, outcome) for case, outcome in accepted if outcome.stage not in (None, Stage.SAVE)]
    assert broken == []
    assert len(accepted) >= 150


def is_accepted(case: Case) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            AdaLoraSettings(**case.values)
        except ValidationError:
            return False
    # The reference waits for the length of the run; PEFT does not.
    return case.values["total_step"] is not None


def test_what_is_not_drawn_is_undecidable_and_little() -> None:
    assert {reason for reason, _, _ in EXCLUDED} <= set(UNDECIDABLE)
    assert [case for case in generate(COUNT) if is_excluded(case.values)] == []
    assert sum(in_range(NEWEST, peft) for _, peft, _ in EXCLUDED) <= 3
