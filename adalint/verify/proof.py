"""The words of `verify`: verdicts, what bears out a claim, and what was seen of both sides."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from adalint.findings import Effect, Safety

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from adalint.findings import Finding, Fix
    from adalint.plan import Plan
    from adalint.reference import Trajectory
    from adalint.values import Number


class Verdict(StrEnum):
    """What running both sides shows."""

    IDENTICAL = "identical"
    """The same training, to the last bit."""
    FINISHES = "finishes now"
    """It crashed at a step of the run, and finishes afterwards."""
    RUNS = "runs now"
    """It raised before the first step, and gets past that point afterwards."""
    DIFFERS = "differs"
    """Both run, and train something else."""
    STILL_FAILS = "still fails"
    """It raised before, and raises at the same stage or later afterwards."""
    BREAKS = "breaks"
    """It ran before, and raises afterwards."""
    CANNOT_SAY = "cannot say"


CLAIMS: Final[Mapping[Effect, frozenset[Verdict]]] = {
    Effect.PRESERVES: frozenset({Verdict.IDENTICAL}),
    Effect.COMPLETES: frozenset({Verdict.FINISHES}),
    Effect.REPAIRS: frozenset({Verdict.RUNS, Verdict.FINISHES}),
    Effect.CHANGES: frozenset({Verdict.DIFFERS, Verdict.FINISHES, Verdict.RUNS}),
}
"""The verdicts that bear out a fix's declared effect."""


class Engine(StrEnum):
    """What answers."""

    TRACE = "trace"
    REFERENCE = "reference"
    PEFT = "peft"


@dataclass(frozen=True, slots=True)
class Bench:
    """Where plans are run in tensors, and how much of it.

    `run` raises Undetermined for a plan that it cannot run. At most `steps` optimizer steps are run of each side, and
    at most `trials` stand-ins for what is unknown. `release` is that of PEFT, None on the reference adapter.
    """

    engine: Engine
    run: Callable[[Plan], Trajectory]
    steps: int
    trials: int
    release: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one side of a fix ends.

    `live` and `kept` are ranks in memory and in the saved adapter, over all modules; `ranks` and `saved_ranks` those of
    each module, empty unless it was run in tensors. `kept` is None while no mask was made. `parameters` and
    `saved_parameters` count what the modules of the run train, at the start and in the saved adapter. `scale` is
    lora_alpha / init_r. `budget` gives the ranks that the schedule leaves at some steps, evenly spread over the run.
    All are None or empty for a side that raises before training.
    """

    failure: str | None = None
    live: int | None = None
    kept: int | None = None
    ranks: tuple[int, ...] = ()
    saved_ranks: tuple[int, ...] = ()
    parameters: int | None = None
    saved_parameters: int | None = None
    scale: float | None = None
    budget: tuple[tuple[int, Number], ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was seen of both sides of a fix, for the first stand-ins that were tried.

    `engine` says what ran them, with every length of the plan divided by `divided_by`, for `steps` optimizer steps;
    `why_traced` why nothing but the trace did. `run` of `trials` stand-ins were run in tensors. `first_difference` is
    the first optimizer step, from 0, at which the sides differ, None when they do not as far as both go;
    `largest_difference` that between their losses.
    """

    engine: Engine
    before: Outcome
    after: Outcome
    trials: int = 0
    run: int = 0
    divided_by: int = 1
    steps: int = 0
    first_difference: int | None = None
    largest_difference: float | None = None
    why_traced: str | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """What is known of one fix of one finding.

    `story` says it in words; `certainty` is `proven`, `holds for all tried` or `cannot say`; `assumptions` lists what
    had to be supposed. `disagreement` says where trace and tensors contradict each other, which is adalint's mistake.
    """

    finding: Finding
    fix: Fix
    verdict: Verdict
    story: str
    certainty: str
    assumptions: tuple[str, ...] = ()
    evidence: Evidence | None = None
    disagreement: str | None = None

    @property
    def contradicts(self) -> bool:
        """Whether running shows something else than the fix claims."""
        if self.verdict is Verdict.IDENTICAL and self.fix.effect is Effect.CHANGES and self.certainty != "proven":
            # PEFT reads other values, of which nothing came in the runs that were tried.
            return False
        return self.verdict is not Verdict.CANNOT_SAY and self.verdict not in CLAIMS[self.fix.effect]

    @property
    def breaks_a_promise(self) -> bool:
        """Whether a fix that is applied without asking is not what it claims to be."""
        return self.contradicts and self.fix.safety is Safety.SAFE
