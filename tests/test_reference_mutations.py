"""Break the reference adapter, one way at a time: the comparison with PEFT, step by step, has to notice each."""

from __future__ import annotations

import sys
from itertools import chain
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from reference_agreement import ONE_STEP, cases, in_peft, step_by_step

import adalint.reference

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOM = Path(adalint.reference.__file__).parent
# In the order in which they import each other.
MODULES = ("adapter", "allocator", "events", "optimizers", "shorten", "task", "trajectory", "saving", "trainer")
SOURCES = {name: (ROOM / f"{name}.py").read_text(encoding="utf-8") for name in MODULES}
CASES = list(chain(cases(40, seed=3), cases(4, seed=4, longest=60)))

MUTATIONS = {
    "scores survive T-F": ("trainer", "                self.allocator.reset()\n", ""),
    "square for cube": ("allocator", "remaining**3", "remaining**2"),
    "a threshold for each layer": (
        "allocator",
        "return ~(importance <= kth_smallest(importance, self.initial - left))",
        """k = (self.initial - left) // len(adapter.ranks)
        return np.concatenate([~(part <= kth_smallest(part, k)) for part in adapter.split(importance)])""",
    ),
    "scaled by target_r": (
        "trainer",
        "scale = numerator(settings, settings.init_r) / (settings.init_r + 1e-5)",
        "scale = numerator(settings, settings.init_r) / (settings.target_r + 1e-5)",
    ),
    "scaled without the 1e-5": (
        "trainer",
        "scale = numerator(settings, settings.init_r) / (settings.init_r + 1e-5)",
        "scale = numerator(settings, settings.init_r) / settings.init_r",
    ),
    "no mask after T-F": ("trainer", "            stays = self._mask_again()", "            stays = None"),
    "scores go on at T-F": ("trainer", "            if not final:\n", "            if True:\n"),
    "no forced mask": ("trainer", "if due or final:", "if due:"),
    "uncertainty left out": (
        "allocator",
        "Triplets.over(self.scores.sensitivity * self.scores.uncertainty,",
        "Triplets.over(self.scores.sensitivity,",
    ),
    "uncertainty against the old average": (
        "allocator",
        "uncertainty = np.abs(sensitivity - scores.sensitivity)",
        "uncertainty = np.abs(sensitivity - (scores.sensitivity - (1 - beta1) * sensitivity) / beta1)",
    ),
    "betas swapped": (
        "allocator",
        "beta1, beta2 = self.settings.beta1, self.settings.beta2",
        "beta2, beta1 = self.settings.beta1, self.settings.beta2",
    ),
    "sums for means": ("allocator", "p.mean(axis=0) + q.mean(axis=1)", "p.sum(axis=0) + q.sum(axis=1)"),
    "what ties with the threshold stays": ("allocator", "~(importance <= ", "~(importance < "),
    "a k of 0 is possible": ("allocator", "if not 1 <= k <=", "if not 0 <= k <="),
    "norms squared, as in the paper": (
        "adapter",
        "norm = float(np.sqrt(flat @ flat))",
        "norm = float(flat @ flat)",
    ),
    "a penalty summed over modules": ("adapter", "factor = weight / (2 * len(self.ranks))", "factor = weight"),
    "the triplet left out of what flows back": (
        "adapter",
        "flow = flow @ self.weights[at] + (back if dropped is None else back * dropped[at])",
        "flow = flow @ self.weights[at]",
    ),
    "micro-batches summed": ("trainer", "share = 1 / self.task.accumulation", "share = 1.0"),
    "decay within the gradient": (
        "optimizers",
        "numbers *= 1 - self.lr * self.weight_decay",
        "gradients = gradients + self.weight_decay * numbers",
    ),
    "moments of Adam not corrected": ("optimizers", "divisor /= (1 - self.beta2**moments.steps) ** 0.5", "pass"),
    "momentum left out": ("optimizers", "self.momentum * moments.first + move", "moments.first + move"),
    "masked values not zero": ("allocator", "adapter.values[~stays] = 0.0", "adapter.values[~stays] *= 0.5"),
    "singular vectors masked too": (
        "allocator",
        "    adapter.values[~stays] = 0.0",
        """    adapter.values[~stays] = 0.0
    for q, part in zip(adapter.triplets.q, adapter.split(stays), strict=True):
        q[~part] = 0.0""",
    ),
}


@pytest.fixture
def broken(request: pytest.FixtureRequest) -> Iterator[SimpleNamespace]:
    module, old, new = request.param
    assert SOURCES[module].count(old) == 1
    made = {name: source.replace(old, new) if name == module else source for name, source in SOURCES.items()}
    names = ["broken_reference"]
    sys.modules["broken_reference"] = ModuleType("broken_reference")
    try:
        for name, source in made.items():
            copy = ModuleType(f"broken_reference.{name}")
            names.append(copy.__name__)
            sys.modules[copy.__name__] = copy
            code = compile(source.replace("adalint.reference", "broken_reference"), copy.__name__, "exec")
            exec(code, copy.__dict__)
        library = SimpleNamespace(
            Training=sys.modules["broken_reference.trainer"].Training,
            Scores=sys.modules["broken_reference.allocator"].Scores,
            AdamW=sys.modules["broken_reference.optimizers"].AdamW,
            SGD=sys.modules["broken_reference.optimizers"].SGD,
        )
        yield library
    finally:
        for name in names:
            sys.modules.pop(name, None)


def disagrees(library: SimpleNamespace) -> bool:
    return any(step_by_step(case, in_peft(case), library).worst > ONE_STEP for case in CASES)


@pytest.mark.parametrize("broken", [("trainer", "share = 1 /", "share = 1.0 /")], indirect=True)
def test_a_copy_that_is_not_broken_agrees_on_every_case(broken: SimpleNamespace) -> None:
    assert not disagrees(broken)


@pytest.mark.parametrize("broken", MUTATIONS.values(), ids=MUTATIONS.keys(), indirect=True)
def test_a_broken_reference_is_caught(broken: SimpleNamespace) -> None:
    assert disagrees(broken)
