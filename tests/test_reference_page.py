"""The page that derives the reference adapter: its formulas are run, and what it names exists."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import AdaLoraConfig, get_peft_model
from peft.tuners.adalora import RankAllocator
from reference_agreement import ONE_STEP, apart
from reference_oracle import Network
from schedules import plan
from test_reference_mutations import MUTATIONS

import adalint.reference
from adalint.reference import SGD, AdamW, Adapter, Allocator
from adalint.reference.optimizers import Moments
from adalint.schema import AdaLoraSettings
from adalint.trace import budget

TESTS = Path(__file__).resolve().parent
PAGE = (TESTS.parent / "docs" / "reference-adapter.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
FORMULAS: dict[str, Any] = {}
for block in BLOCKS:
    exec(block, FORMULAS)

ROWS, INPUTS, OUTPUTS, RANK, SCALE = 5, 4, 3, 2, 0.7
DICE = np.random.default_rng(3)


def numbers() -> dict[str, Any]:
    dice = np.random.default_rng(1)
    shapes = {"x": (ROWS, INPUTS), "w": (OUTPUTS, INPUTS), "q": (RANK, INPUTS), "e": (RANK,), "p": (OUTPUTS, RANK)}
    return {name: dice.normal(size=shape) for name, shape in shapes.items()}


def in_torch(made: dict[str, Any]) -> dict[str, torch.Tensor]:
    return {name: torch.tensor(value, requires_grad=name != "w") for name, value in made.items()}


# One layer, by PyTorch's own derivatives


def test_the_gradients_of_the_task_are_those_of_autograd_in_their_shapes() -> None:
    made = numbers()
    t = in_torch(made)
    y = t["x"] @ (t["w"] + SCALE * t["p"] @ torch.diag(t["e"]) @ t["q"]).T
    loss: Any = y.square().sin().sum()
    [g] = torch.autograd.grad(loss, y, retain_graph=True)
    loss.backward()
    assert apart(FORMULAS["forward"](**made, scale=SCALE), y.detach().numpy()) <= ONE_STEP
    found = FORMULAS["task_gradients"](**made, scale=SCALE, g=g.numpy())
    for name in ("p", "e", "q", "x"):
        assert found[name].shape == made[name].shape
        assert apart(found[name], t[name].grad) <= ONE_STEP


def test_the_gradients_of_the_penalty_are_those_of_autograd_in_their_shapes() -> None:
    made, other = numbers(), numbers()
    t = in_torch(made)
    modules = [(t["q"], t["p"]), (torch.tensor(other["q"] * 2), torch.tensor(other["p"] * 2))]
    eye = torch.eye(RANK, dtype=torch.float64)
    norms = [torch.linalg.norm(c) for q, p in modules for c in (q @ q.T - eye, p.T @ p - eye)]
    loss: Any = 0.5 * torch.stack(norms).mean()
    loss.backward()
    plain = [(q.detach().numpy(), p.detach().numpy()) for q, p in modules]
    assert FORMULAS["penalty"](plain, 0.5) == pytest.approx(loss.item(), rel=ONE_STEP)
    found = FORMULAS["penalty_gradients"](made["q"], made["p"], 0.5, 2)
    for name in ("q", "p"):
        assert found[name].shape == made[name].shape
        assert apart(found[name], t[name].grad) <= ONE_STEP


def test_a_triplet_with_no_value_gets_a_gradient_of_the_task_in_that_value_alone() -> None:
    made = numbers()
    made["e"][1] = 0.0
    found = FORMULAS["task_gradients"](**made, scale=SCALE, g=DICE.normal(size=(ROWS, OUTPUTS)))
    assert not found["p"][:, 1].any()
    assert not found["q"][1].any()
    assert found["e"][1] != 0
    assert found["p"][:, 0].all()


# The same in the reference adapter


def test_the_reference_computes_the_page() -> None:
    dice = np.random.default_rng(2)
    made = Adapter([dice.normal(size=(4, 4)) for _ in range(2)], [3, 3], [0.5, 1.5])
    made.flat[...] = dice.normal(size=made.flat.shape)
    x, wanted = dice.normal(size=(6, 4)), dice.normal(size=(6, 4))
    layers = [
        dict(zip("wqep", (made.weights[at], *parts), strict=True)) | {"scale": made.scales[at]}
        for at, parts in enumerate(zip(made.triplets.q, made.triplets.e, made.triplets.p, strict=True))
    ]
    hidden = FORMULAS["forward"](x, **layers[0])
    outcome = FORMULAS["forward"](hidden, **layers[1])
    penalty = FORMULAS["penalty"]([(layer["q"], layer["p"]) for layer in layers], 0.5)
    g = 2 * (outcome - wanted) / wanted.size
    last = FORMULAS["task_gradients"](hidden, **layers[1], g=g)
    first = FORMULAS["task_gradients"](x, **layers[0], g=last["x"])

    gradients = np.zeros_like(made.flat)
    loss = made.backward(x, wanted, gradients, penalty=0.5)
    assert loss == pytest.approx(np.square(outcome - wanted).mean() + penalty, rel=ONE_STEP)
    into = type(made.triplets).over(gradients, made.ranks, made.width)
    for at, task in enumerate((first, last)):
        orthogonal = FORMULAS["penalty_gradients"](layers[at]["q"], layers[at]["p"], 0.5, 2)
        assert apart(into.q[at], task["q"] + orthogonal["q"]) <= ONE_STEP
        assert apart(into.p[at], task["p"] + orthogonal["p"]) <= ONE_STEP
        assert apart(into.e[at], task["e"]) <= ONE_STEP


def test_the_averages_and_scores_are_those_of_the_reference_and_of_peft() -> None:
    settings = AdaLoraSettings(init_r=3, target_r=1, total_step=9, beta1=0.7, beta2=0.4)
    made = Adapter([np.eye(4)], [3], [1.0])
    allocator = Allocator(settings, 1)
    config = AdaLoraConfig(init_r=3, target_r=1, total_step=9, beta1=0.7, beta2=0.4, target_modules=["layers.0"])
    network: Any = Network((np.eye(4),))
    model: Any = get_peft_model(network, config).base_model
    theirs: Any = model.rankallocator
    parts = {kind: part for name, part in model.model.named_parameters() for kind in "AEB" if f"lora_{kind}" in name}
    for part in parts.values():
        part.data = part.data.double()
    average = spread = np.zeros_like(made.flat)
    dice = np.random.default_rng(4)
    for _ in range(3):
        made.flat[...] = dice.normal(size=made.flat.shape)
        gradients = dice.normal(size=made.flat.shape)
        average, spread = FORMULAS["averages"](made.flat, gradients, average, spread, 0.7, 0.4)
        allocator.update(made, gradients)
        flow = type(made.triplets).over(gradients, made.ranks, made.width)
        for kind, value, grad in (
            ("A", made.triplets.q[0], flow.q[0]),
            ("E", made.triplets.e[0][:, None], flow.e[0][:, None]),
            ("B", made.triplets.p[0], flow.p[0]),
        ):
            parts[kind].data = torch.tensor(value)
            parts[kind].grad = torch.tensor(grad)
        theirs.update_ipt(model.model)
    assert allocator.scores is not None
    assert apart(allocator.scores.sensitivity, average) <= ONE_STEP
    assert apart(allocator.scores.uncertainty, spread) <= ONE_STEP
    each = type(made.triplets).over(average * spread, made.ranks, made.width)
    scores = FORMULAS["triplet_scores"](each.q[0], each.e[0], each.p[0])
    assert apart(allocator.importance(made), scores) <= ONE_STEP
    [pattern] = theirs.mask_to_budget(model.model, 2).values()
    assert pattern == FORMULAS["stays"](scores, 2).tolist() == allocator.choose(made, 2).tolist()
    assert sum(pattern) == 2


def test_scores_that_tie_with_the_threshold_go() -> None:
    assert FORMULAS["stays"](np.array([1.0, 2.0, 2.0, 3.0]), 2).tolist() == [False, False, False, True]


def test_the_budget_is_that_of_peft_the_reference_and_the_trace_at_every_step() -> None:
    fields: dict[str, Any] = {"tinit": 3, "tfinal": 5, "total_step": 40}
    made = plan(modules=7, init_r=6, target_r=2, **fields)
    theirs: Any = object.__new__(RankAllocator)
    theirs.init_bgt, theirs.target_bgt = 42, 14
    theirs.peft_config = AdaLoraConfig(init_r=6, target_r=2, **fields)
    allocator = Allocator(AdaLoraSettings(init_r=6, target_r=2, **fields), 7)
    for t in range(45):
        left = FORMULAS["budget"](t, 42, 14, **fields)
        assert left == theirs.budget_schedule(t)[0] == allocator.budget(t)[0] == budget(made, t)


@pytest.mark.parametrize("steps", [1, 4])
def test_the_optimizers_are_those_of_the_reference_and_of_torch(steps: int) -> None:
    for ours, theirs in (
        (AdamW(weight_decay=0.1), torch.optim.AdamW),
        (SGD(momentum=0.9, weight_decay=0.1), torch.optim.SGD),
    ):
        dice = np.random.default_rng(6)
        w = dice.normal(size=8)
        reference, moments, parameter = w.copy(), Moments(), torch.nn.Parameter(torch.tensor(w))
        options: dict[str, Any] = {"lr": ours.lr, "weight_decay": 0.1}
        options |= {"momentum": 0.9} if isinstance(ours, SGD) else {}
        optimizer = theirs([parameter], **options)
        m = v = np.zeros(8)
        for k in range(1, steps + 1):
            g = dice.normal(size=8)
            if isinstance(ours, AdamW):
                w, m, v = FORMULAS["adamw"](w, g, m, v, k, ours.lr, ours.beta1, ours.beta2, ours.eps, 0.1)
            else:
                w, m = FORMULAS["sgd"](w, g, m, k, ours.lr, 0.9, 0.1)
            ours.step(reference, g, moments)
            parameter.grad = torch.tensor(g)
            optimizer.step()
        assert apart(reference, w) <= ONE_STEP
        assert apart(parameter.detach(), w) <= ONE_STEP


# What the page names


def names_of_tests() -> set[str]:
    texts = (path.read_text(encoding="utf-8") for path in TESTS.glob("test_*.py"))
    return {name for text in texts for name in re.findall(r"^def (test_\w+)", text, re.MULTILINE)}


def test_every_test_that_the_page_names_exists() -> None:
    named = re.findall(r"`(test_\w+)(?:\[([^\]`]+)\])?`", PAGE)
    assert len(named) > 20
    assert {name for name, _ in named} <= names_of_tests()
    assert {case for _, case in named if case} <= MUTATIONS.keys()
    assert {name for name, case in named if case} == {"test_a_broken_reference_is_caught"}


def test_every_module_that_the_page_names_exists_and_every_room_is_named() -> None:
    named = set(re.findall(r"`adalint\.reference\.(\w+)`", PAGE))
    for name in named:
        importlib.import_module(f"adalint.reference.{name}")
    rooms = {path.stem for path in Path(adalint.reference.__file__).parent.glob("*.py")}
    assert rooms - {"__init__", "trajectory"} == named
    assert all((TESTS.parent / path).exists() for path in re.findall(r"`(tests/\w+\.py)`", PAGE))


def test_every_function_of_the_page_is_compared() -> None:
    defined = {name for block in BLOCKS for name in re.findall(r"^def (\w+)", block, re.MULTILINE)}
    used = set(re.findall(r'FORMULAS\["(\w+)"\]', Path(__file__).read_text(encoding="utf-8")))
    assert defined == used


def test_every_row_of_the_departures_names_its_test() -> None:
    table = PAGE.split("## Where PEFT departs from the paper")[1].split("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("|")][2:]
    assert len(rows) > 15
    assert all(re.search(r"`test_\w+", row.rsplit("|", 2)[1]) for row in rows)


def test_the_mathematics_is_closed() -> None:
    prose = re.sub(r"^```.*?^```$", "", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert len(re.findall(r"^\$\$$", prose, re.MULTILINE)) % 2 == 0
    inline = re.sub(r"^\$\$\n.*?^\$\$$", "", prose, flags=re.MULTILINE | re.DOTALL)
    assert "$$" not in inline
    for paragraph in inline.split("\n\n"):
        assert paragraph.count("$") % 2 == 0
