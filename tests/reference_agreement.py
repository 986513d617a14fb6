"""The reference adapter beside PEFT: step by step from PEFT's own state, and each by itself."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from reference_oracle import PeftRun, nudged
from schedules import plan, random_loop

from adalint.plan import Event, Loop
from adalint.reference import SGD, AdamW, Task
from adalint.reference.allocator import Scores
from adalint.reference.trainer import Training, run
from adalint.values import Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.plan import Plan

ONE_STEP = 1e-12
STABLE = 1e-11
FREE = 1e-9


@dataclass(frozen=True, slots=True)
class Case:
    """A plan and the task that it is run on; `penalised` as PEFT is with a task type."""

    plan: Plan
    task: Task
    penalised: bool = True


def cases(count: int, seed: int, longest: int = 24) -> Iterator[Case]:
    """Draw plans with every kind of loop and every setting that training depends on."""
    dice = random.Random(seed)
    while count:
        total = dice.randint(4, longest)
        tfinal = dice.choice([0, 1, dice.randint(-2, total), total // 3])
        tinit = dice.choice([0, 1, dice.randint(-2, total), total // 4])
        if tinit >= total - tfinal:
            continue
        init_r = dice.randint(1, 6)
        made = plan(
            Loop() if dice.random() < 0.5 else random_loop(dice, total),
            dice.randint(1, 4),
            init_r=init_r,
            target_r=dice.choice([dice.randint(0, init_r), dice.randint(0, init_r), dice.randint(-1, 7), 1.5]),
            tinit=tinit,
            tfinal=tfinal,
            deltaT=dice.choice([1, 1, 2, 3, dice.randint(1, total), -2, 0, 2.5]),
            total_step=total,
        )
        others = {
            "lora_alpha": dice.choice([8, 16, 1, 0.5, 0, -4]),
            "orth_reg_weight": dice.choice([0.5, 0.5, 0.1, 0, 2.0]),
            "beta1": dice.choice([0.85, 0.5, 0.99]),
            "beta2": dice.choice([0.85, 0.3, 0.95]),
        }
        optimizer = dice.choice(
            [AdamW(), AdamW(lr=1e-3, weight_decay=0.1), SGD(lr=0.01), SGD(lr=0.003, momentum=0.9, weight_decay=1e-3)]
        )
        if isinstance(optimizer, AdamW):
            # Triplets of normal size make plain gradient descent diverge.
            others["init_lora_weights"] = dice.choice([True, False])
        made = replace(made, values=made.values | {name: Literal(value) for name, value in others.items()})
        task = Task(
            width=dice.choice([3, 4, 6]),
            batch=5,
            batches=3,
            accumulation=dice.choice([1, 1, 2]),
            optimizer=optimizer,
            seed=dice.randrange(1000),
            warm=dice.random() < 0.5,
        )
        count -= 1
        yield Case(made, task, penalised=dice.random() < 0.8)


def long_cases(steps: int = 500) -> Iterator[Case]:
    """List long runs of the right loop: with AdamW and the penalty, rounding decides how they end."""
    for optimizer in (AdamW(), SGD()):
        for weight in (0.5, 0):
            made = plan(
                init_r=6,
                target_r=3,
                tinit=steps // 10,
                tfinal=steps // 5,
                deltaT=10,
                total_step=steps,
            )
            made = replace(made, values=made.values | {"orth_reg_weight": Literal(weight)})
            yield Case(made, Task(optimizer=optimizer))


def apart(left: Any, right: Any) -> float:
    """Measure how far numbers are apart, relative to the largest of them; infinite when only one side has any."""
    if left is None or right is None:
        return 0.0 if left is right else float("inf")
    first, second = np.asarray(left, dtype=float), np.asarray(right, dtype=float)
    if first.shape != second.shape or not np.array_equal(np.isfinite(first), np.isfinite(second)):
        return float("inf")
    if not first.size:
        return 0.0
    finite = np.isfinite(first)
    scale = np.abs(second[finite]).max(initial=0.0)
    distance = np.abs(first[finite] - second[finite]).max(initial=0.0)
    return float(distance / scale) if distance else 0.0


@dataclass(slots=True)
class Agreement:
    """The largest relative distance of each kind over whole runs, and what is not a matter of degree."""

    steps: int
    furthest: dict[str, float]
    different: list[str]

    @property
    def worst(self) -> float:
        """Give the largest distance of any kind, infinite when anything differs outright."""
        return float("inf") if self.different else max(self.furthest.values(), default=0.0)


def step_by_step(case: Case, peft: PeftRun, library: Any = None) -> Agreement:
    """Run a plan in PEFT to its end, and put PEFT's own state into the reference before every optimizer step.

    Both are compared after everything that happens. `library` has another `Training`, `Scores`, `AdamW` and `SGD`.
    """
    training_class, scores_class = (library.Training, library.Scores) if library else (Training, Scores)
    found = Agreement(0, {}, [])
    with np.errstate(all="ignore"):
        task = case.task
        if library:
            optimizer = getattr(library, type(task.optimizer).__name__)
            task = replace(task, optimizer=optimizer(**asdict(task.optimizer)))
        training = training_class(peft.settings, task, case.plan.modules, penalised=case.penalised)
        adopted = None
        for happening in peft.happenings():
            if peft.optimizer_step != adopted:
                _adopt(training, peft, scores_class)
                adopted = peft.optimizer_step
            losses = len(peft.losses)
            training.losses.clear()
            peft.do(happening)
            raised = _do(training, happening)
            _compare(found, peft, training, raised, losses)
            found.steps += happening is Event.STEP
    return found


def _adopt(training: Any, peft: PeftRun, scores_class: Any) -> None:
    training.adapter.flat[...] = peft.flat()
    gradients = peft.gradients()
    training.gradients = None if gradients is None else gradients.copy()
    scores = peft.scores()
    training.allocator.scores = None if scores is None else scores_class(*(part.copy() for part in scores))
    steps, first, second = peft.moments()
    training.moments.steps, training.moments.first, training.moments.second = steps, first.copy(), second.copy()
    pattern = peft.config.rank_pattern
    training.rank_pattern = None if pattern is None else {_short(name): list(stays) for name, stays in pattern.items()}
    training.optimizer_step, training.micro_batches = peft.optimizer_step, peft.micro_batches


def _short(name: str) -> str:
    return name.removeprefix("base_model.model.").removeprefix("model.")


def _do(training: Any, happening: Event | int) -> str | None:
    if isinstance(happening, Event):
        training.undergo(happening)
        return None
    try:
        training.allocate(happening)
    except Exception as error:  # noqa: BLE001 - compared with PEFT's
        return type(error).__name__
    return None


def _compare(found: Agreement, peft: PeftRun, training: Any, raised: str | None, before: int) -> None:
    wanted = None if peft.raised is None else peft.raised.exception
    if raised != wanted:
        found.different.append(f"raised {raised}, PEFT {wanted}")
        return
    pattern = training.rank_pattern
    ours = None if pattern is None else [stays for part in pattern.values() for stays in part]
    if ours != peft.pattern():
        found.different.append(f"mask {ours}, PEFT {peft.pattern()}")
    if not np.array_equal(training.adapter.flat == 0, peft.flat() == 0):
        found.different.append("zeros")
    scores, theirs = training.allocator.scores, peft.scores()
    moments, their_moments = training.moments, peft.moments()
    pairs = {
        "loss": (training.losses, peft.losses[before:]),
        "gradients": (training.gradients, peft.gradients()),
        "tensors": (training.adapter.flat, peft.flat()),
        "sensitivity": (None if scores is None else scores.sensitivity, None if theirs is None else theirs[0]),
        "uncertainty": (None if scores is None else scores.uncertainty, None if theirs is None else theirs[1]),
        "first moment": (moments.first, their_moments[1]),
        "second moment": (moments.second, their_moments[2]),
    }
    for kind, (left, right) in pairs.items():
        distance = apart(left, right)
        found.furthest[kind] = max(found.furthest.get(kind, 0.0), distance)


@dataclass(frozen=True, slots=True)
class FreeRun:
    """How far PEFT departs from its own twin that was moved by 4 ulp, and the reference from PEFT, over a whole run."""

    twin: float
    reference: float
    final_loss: float
    exception: str | None
    masks: int

    @property
    def is_stable(self) -> bool:
        """Tell whether rounding alone does not decide the run."""
        return self.twin <= STABLE


def in_peft(case: Case) -> PeftRun:
    """Wrap the task of a case with PEFT."""
    return PeftRun(case.plan, case.task, penalised=case.penalised)


def freely(case: Case, peft: PeftRun) -> FreeRun:
    """Compare a finished run of PEFT with its twin, and with the reference adapter that runs by itself."""
    twin = in_peft(case)
    twin.set_flat(nudged(twin.flat()))
    twin.train()
    plan = case.plan
    if case.penalised:
        plan = replace(plan, values=plan.values | {"task_type": Literal("CAUSAL_LM")})
    ours = run(plan, case.task)
    flat = [ours.tensors[name].ravel() for kind in "AEB" for name in ours.tensors if name.endswith(kind)]
    raised = None if ours.raised is None else (ours.raised.exception, ours.raised.step, ours.raised.call)
    theirs = None if peft.raised is None else (peft.raised.exception, peft.raised.step, peft.raised.call)
    reference = max(apart(ours.losses, peft.losses), apart(np.concatenate(flat), peft.flat()))
    return FreeRun(
        twin=_distance(twin, peft),
        reference=reference if raised == theirs and _pattern(ours) == peft.pattern() else float("inf"),
        final_loss=peft.losses[-1] if peft.losses else 0.0,
        exception=None if peft.raised is None else peft.raised.exception,
        masks=sum(each.mask is not None for each in ours.allocations),
    )


def _pattern(ours: Any) -> list[bool] | None:
    if ours.saved is None or ours.saved.rank_pattern is None:
        return None
    return [stays for part in ours.saved.rank_pattern.values() for stays in part]


def _distance(left: PeftRun, right: PeftRun) -> float:
    if left.pattern() != right.pattern():
        return float("inf")
    return max(apart(left.losses, right.losses), apart(left.flat(), right.flat()))
