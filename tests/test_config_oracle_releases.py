"""The oracle of configurations, on older releases: what is predicted for a release is what that release shows."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeAlias

import pytest
from config_oracle import EXCLUDED, UNUSUAL, Case, Outcome, adapted_modules, generate, is_excluded
from releases_env import RELEASES, observe_apart

from adalint.schema import UNDECIDABLE, Prediction, fields_of, predict

if TYPE_CHECKING:
    from pathlib import Path

Observed: TypeAlias = "tuple[str, list[tuple[Case, Outcome]]]"

COUNT = 1000

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def root(request: pytest.FixtureRequest) -> Path:
    assert request.config.cache is not None
    return request.config.cache.mkdir("peft-releases")


@pytest.fixture(scope="module", params=RELEASES)
def observed(request: pytest.FixtureRequest, root: Path) -> Observed:
    release: str = request.param
    outcomes = observe_apart(root, release, COUNT)
    return release, list(zip(generate(COUNT, release), outcomes, strict=True))


def predicted(case: Case, release: str) -> Outcome | str:
    prediction = predict(case.values, release, loop=case.loop, modules=adapted_modules(case.values))
    if prediction is None:
        return Outcome(None, None)
    if isinstance(prediction, Prediction):
        return Outcome(prediction.stage, prediction.exception)
    return "cannot say"


def test_a_release_shows_the_stage_and_exception_that_are_predicted_for_it(observed: Observed) -> None:
    release, outcomes = observed
    wrong = [(case, predicted(case, release), found) for case, found in outcomes if predicted(case, release) != found]
    assert wrong == []


def test_every_field_of_the_release_is_drawn_with_an_unusual_value(observed: Observed) -> None:
    release, outcomes = observed
    drawn = {name for case, _ in outcomes for name in case.values}
    assert fields_of(release) <= drawn == set(UNUSUAL)


def test_many_configurations_finish_and_many_fail_at_each_stage(observed: Observed) -> None:
    _, outcomes = observed
    reached = Counter(outcome.stage for _, outcome in outcomes)
    assert reached[None] >= 300
    assert all(reached[stage] >= 5 for stage in ("construction", "wrap", "forward", "first mask", "step", "save"))


def test_a_field_that_a_release_does_not_have_is_refused_by_its_constructor(observed: Observed) -> None:
    release, outcomes = observed
    unknown = [found for case, found in outcomes if set(case.values) - fields_of(release)]
    assert {(found.stage, found.exception) for found in unknown} == {("construction", "TypeError")}
    assert len(unknown) >= len(set(UNUSUAL) - fields_of(release))


@pytest.mark.parametrize("release", RELEASES)
def test_what_is_not_drawn_is_undecidable_and_little(release: str) -> None:
    assert [case for case in generate(COUNT, release) if is_excluded(case.values, release)] == []
    assert {reason for reason, _, _ in EXCLUDED} <= set(UNDECIDABLE)
    assert len(EXCLUDED) <= 6
