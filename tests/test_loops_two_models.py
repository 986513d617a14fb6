"""Two optimizers in one loop: those of another model do not count, and where nobody can tell, nothing is moved.

The shapes that can be told are scripts of ``tests/loops``, which are run; here stand those that cannot.
"""

from __future__ import annotations

import pytest

from adalint.engine import check_source, fix_source
from adalint.findings import Safety
from adalint.settings import Settings
from adalint.source import Kind, Source

HEAD = """\
import torch
from peft import AdaLoraConfig, get_peft_model

"""
WRAP = (
    "gen = get_peft_model(gen, AdaLoraConfig(task_type='CAUSAL_LM', init_r=12, target_r=8,"
    " tinit=10, tfinal=100, total_step=1000))"
)
PLAIN = (WRAP, "opt_g = torch.optim.AdamW(gen.parameters())", "opt_d = torch.optim.AdamW(disc.parameters())")
CALL = "gen.update_and_allocate(step)"
OWN_TURN = ("gen(**b).loss.backward()", "opt_g.step()", "opt_g.zero_grad()")
OTHER_TURN = ("disc(**b).loss.backward()", "opt_d.step()")


def script(given: str, before: tuple[str, ...], *lines: str) -> Source:
    body = [
        *(f"    {line}" for line in before),
        "    for step, b in enumerate(loader):",
        *(f"        {x}" for x in lines),
    ]
    text = f"{HEAD}def train({given}):\n" + "\n".join(body) + "\n"
    return Source.decode("train.py", Kind.PYTHON, text.encode())


def findings(source: Source):
    return [one for one in check_source(source, Settings()).findings if one.code.startswith("ADA4")]


def codes(source: Source) -> list[str]:
    return [one.code for one in findings(source)]


def lines_after_fix(source: Source) -> list[str]:
    text = fix_source(source, Settings(), Safety.UNSAFE).after.text
    return [line.strip() for line in text.split("enumerate(loader):\n")[1].splitlines()]


PARAMETERS = {
    "named": "[p for n, p in disc.named_parameters() if 'bias' in n]",
    "filtered": "filter(lambda p: p.requires_grad, disc.parameters())",
    "grouped": "[{'params': disc.parameters(), 'lr': 1e-3}]",
    "listed": "list(disc.parameters())",
    "of a part": "disc.head.parameters()",
}


@pytest.mark.parametrize("given", PARAMETERS.values(), ids=PARAMETERS)
def test_an_optimizer_over_another_model_does_not_clear_this_one(given):
    before = (WRAP, "opt_g = torch.optim.AdamW(gen.parameters())", f"opt_d = torch.optim.AdamW({given})")
    assert codes(script("gen, disc, loader", before, *OWN_TURN, *OTHER_TURN, CALL, "opt_d.zero_grad()")) == ["ADA402"]
    innocent = ("gen(**b).loss.backward()", "opt_g.step()", *OTHER_TURN, "opt_d.zero_grad()", CALL, "opt_g.zero_grad()")
    assert codes(script("gen, disc, loader", before, *innocent)) == []


@pytest.mark.parametrize(
    "lines",
    [
        (*OWN_TURN, *OTHER_TURN, CALL, "opt_d.zero_grad()"),
        (*OTHER_TURN, "opt_d.zero_grad()", *OWN_TURN, CALL),
    ],
    ids=["own first", "other first"],
)
def test_the_call_is_moved_directly_below_the_own_step(lines):
    fixed = lines_after_fix(script("gen, disc, loader", PLAIN, *lines))
    assert fixed == _with_call_below_own_step([line for line in lines if line != CALL])


@pytest.mark.parametrize(
    "lines",
    [(*OWN_TURN, *OTHER_TURN, "opt_d.zero_grad()"), (*OTHER_TURN, "opt_d.zero_grad()", *OWN_TURN)],
    ids=["own first", "other first"],
)
def test_a_missing_call_is_put_directly_below_the_own_step(lines):
    assert lines_after_fix(script("gen, disc, loader", PLAIN, *lines)) == _with_call_below_own_step(list(lines))


def _with_call_below_own_step(lines: list[str]) -> list[str]:
    at = lines.index("opt_g.step()") + 1
    return [*lines[:at], CALL, *lines[at:]]


REACHING = {
    "added": ("loss = disc(**b).loss", "loss += gen(**b).loss", "loss.backward()"),
    "unpacked": ("made, aux = gen(**b)", "(disc(**b).loss + aux).backward()"),
    "collected": ("losses = []", "losses.append(gen(**b).loss)", "(disc(**b).loss + sum(losses)).backward()"),
    "through the other": ("disc(gen(**b).logits).loss.backward()",),
    "by somebody else": ("(disc(**b).loss + penalty(gen)).backward()",),
}


@pytest.mark.parametrize("loss", REACHING.values(), ids=REACHING)
def test_a_loss_of_the_other_model_that_may_reach_this_one_fills_its_gradients(loss):
    assert codes(script("gen, disc, loader", PLAIN, *OWN_TURN, *loss, "opt_d.step()", CALL, "opt_d.zero_grad()")) == []


DETACHED = {
    "made": ("made = gen(**b).logits.detach()", "(disc(**b).loss + made.mean()).backward()"),
    "handed on": ("made = gen(**b).logits", "disc(made.detach()).loss.backward()"),
}


@pytest.mark.parametrize("loss", DETACHED.values(), ids=DETACHED)
def test_a_detached_output_fills_no_gradients(loss):
    source = script("gen, disc, loader", PLAIN, *OWN_TURN, *loss, "opt_d.step()", CALL, "opt_d.zero_grad()")
    assert codes(source) == ["ADA402"]


UNKNOWN = {
    "handed in": ("gen, disc, loader, opt_g, opt_d", (WRAP,)),
    "over a wrapper": (
        "gen, loader",
        (WRAP, "disc = Ensemble(gen)", *PLAIN[1:]),
    ),
    "over the base model": (
        "disc, loader",
        (WRAP.replace("(gen,", "(disc,"), *PLAIN[1:]),
    ),
    "more weights": (
        "gen, disc, loader",
        (*PLAIN[:2], "opt_d = torch.optim.AdamW([*disc.parameters(), *more])"),
    ),
    "weights put in later": (
        "gen, disc, loader",
        (*PLAIN[:2], "held = list(disc.parameters())", "held.extend(more)", "opt_d = torch.optim.AdamW(held)"),
    ),
    "a group added": (
        "gen, disc, loader",
        (*PLAIN, "opt_d.add_param_group({'params': gen.parameters()})"),
    ),
}


@pytest.mark.parametrize(("given", "before"), UNKNOWN.values(), ids=UNKNOWN)
def test_a_clearing_of_nobody_knows_whose_gradients_is_no_finding(given, before):
    lines = (*OTHER_TURN, "gen(**b).loss.backward()", "opt_d.zero_grad()", "opt_g.step()", CALL, "opt_g.zero_grad()")
    assert codes(script(given, before, *lines)) == []


@pytest.mark.parametrize(("given", "before"), UNKNOWN.values(), ids=UNKNOWN)
def test_a_turn_of_nobody_knows_whose_optimizer_may_fill_the_gradients_again(given, before):
    assert codes(script(given, before, *OWN_TURN, *OTHER_TURN, CALL, "opt_d.zero_grad()")) == []


def test_a_call_below_all_clearings_is_a_finding_whosever_they_are_but_is_not_moved():
    steps = ("gen(**b).loss.backward()", "opt_g.step()", "opt_g.zero_grad()", "opt_d.step()", "opt_d.zero_grad()")
    source = script("gen, disc, loader, opt_g, opt_d", (WRAP,), *steps, CALL)
    assert codes(source) == ["ADA402"]
    assert [fix.edits for fix in findings(source)[0].fixes] == [()]


def test_a_missing_call_is_not_put_in_where_optimizers_of_unknown_owners_take_turns():
    source = script("gen, disc, loader, opt_g, opt_d", (WRAP,), *OWN_TURN, *OTHER_TURN, "opt_d.zero_grad()")
    assert codes(source) == ["ADA401"]
    assert [fix.edits for fix in findings(source)[0].fixes] == [()]


def test_two_optimizers_of_unknown_owners_that_step_together_leave_one_place_for_the_call():
    steps = ("gen(**b).loss.backward()", "opt_g.step()", "opt_d.step()")
    clearings = ("opt_g.zero_grad()", "opt_d.zero_grad()")
    source = script("gen, loader, opt_g, opt_d", (WRAP,), *steps, *clearings, CALL)
    assert codes(source) == ["ADA402"]
    assert lines_after_fix(source) == [*steps, CALL, *clearings]


@pytest.mark.parametrize("deep", ["f" + "()" * 2_400, "a" + ".b" * 2_400, "a" + " + a" * 2_400], ids=["()", ".", "+"])
def test_a_very_deep_model_is_read(deep):
    before = (*PLAIN[:2], f"disc = net({deep})", PLAIN[2])
    source = script("gen, loader", before, *OWN_TURN, "disc(b).backward()", "opt_d.step()", CALL)
    assert codes(source) == ["ADA402"]
