"""Fixes on values that are read from names: a name goes on giving the field that it names."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from adalint.engine import check_source, fix_source
from adalint.findings import Effect, Finding, Safety
from adalint.settings import Settings
from adalint.source import Kind, Source

PLAIN = Settings()
HEAD = "import argparse\nfrom dataclasses import dataclass, field\nfrom peft import AdaLoraConfig, get_peft_model\n"
OPTIONS = """p = argparse.ArgumentParser()
p.add_argument("--init_r", type=int, default=8)
p.add_argument("--target_r", type=int, default=16)
args = p.parse_args()
"""
FROM_OPTIONS = "config = AdaLoraConfig(init_r=args.init_r, target_r=args.target_r, total_step=3000)\n"
FROM_CONSTANTS = "config = AdaLoraConfig(init_r=INIT_R, target_r=TARGET_R, total_step=3000)\n"
TRAINING = """
def train(model, loader, optimizer):
    model = get_peft_model(model, config)
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
"""


def source(text: str) -> Source:
    return Source.decode("a.py", Kind.PYTHON, (HEAD + text).encode())


def fixed(text: str, settings: Settings = PLAIN, allowed: Safety = Safety.UNSAFE) -> str:
    return fix_source(source(text), settings, allowed).after.text.removeprefix(HEAD)


def finding(text: str, code: str = "ADA102") -> Finding:
    [found] = [one for one in check_source(source(text), PLAIN).findings if one.code == code]
    return found


def exchanged(text: str) -> str:
    """Exchange the one 8 and the one 16 of a text."""
    assert (text.count("=8") + text.count("= 8"), text.count("16")) == (1, 1)
    return text.replace("16", "X").replace("=8", "=16").replace("= 8", "= 16").replace("X", "8")


WRITTEN_ONCE = {
    "options": OPTIONS + FROM_OPTIONS,
    "options with a dest": OPTIONS.replace('"--init_r"', '"-i", "--start", dest="init_r"') + FROM_OPTIONS,
    "fields of a dataclass": """@dataclass
class Ada:
    target_r: int = 16
    init_r: int = field(default=8)

    def build(self):
        return AdaLoraConfig(init_r=self.init_r, target_r=self.target_r, total_step=3000)
""",
    "attributes of a class": """class CFG:
    init_r = 8
    target_r = 16
config = AdaLoraConfig(init_r=CFG.init_r, target_r=CFG.target_r, total_step=3000)
""",
    "constants": "INIT_R = 8\nTARGET_R = 16\n" + FROM_CONSTANTS,
    "a constant and a number": "R = 8\nconfig = AdaLoraConfig(init_r=R, target_r=16, total_step=3000)\n",
    "variables of a function": """def build():
    init_r = 8
    target_r = 16
    return AdaLoraConfig(init_r=init_r, target_r=target_r, total_step=3000)
""",
}


@pytest.mark.parametrize("text", WRITTEN_ONCE.values(), ids=WRITTEN_ONCE)
def test_a_swap_exchanges_numbers_where_their_names_get_them(text):
    assert fixed(text) == exchanged(text)
    assert fixed(exchanged(text)) == exchanged(text)


@pytest.mark.parametrize("name", ["options", "fields of a dataclass", "attributes of a class"])
def test_a_swap_of_defaults_is_never_safe_since_somebody_may_set_one_of_them(name):
    text = WRITTEN_ONCE[name] + TRAINING.replace(
        "config)", "Ada().build())" if "Ada" in WRITTEN_ONCE[name] else "config)"
    )
    assert fixed(text, allowed=Safety.SAFE) == text
    swap = finding(text).fixes[0]
    assert (swap.effect, swap.safety) == (Effect.CHANGES, Safety.UNSAFE)


def test_a_declared_swap_of_defaults_is_safe():
    text = OPTIONS + FROM_OPTIONS
    assert fixed(text, Settings(intent={"reversed-ranks": "swap"}), Safety.SAFE) == exchanged(text)


def test_a_swap_of_constants_is_as_safe_as_one_of_numbers():
    text = "INIT_R = 8\nTARGET_R = 16\n" + FROM_CONSTANTS + TRAINING
    assert fixed(text, allowed=Safety.SAFE) == exchanged(text)


@pytest.mark.parametrize(
    ("command_line", "expected"), [([], (16, 8)), (["--init_r", "12", "--target_r", "4"], (12, 4))]
)
def test_options_give_peft_what_they_are_called_after_the_fix(monkeypatch, command_line, expected):
    monkeypatch.setattr(sys, "argv", ["a.py", *command_line])
    namespace: dict[str, Any] = {}
    exec(HEAD + fixed(OPTIONS + FROM_OPTIONS), namespace)
    assert (namespace["config"].init_r, namespace["config"].target_r) == expected


ELSEWHERE = {
    "an option that is read again": OPTIONS + FROM_OPTIONS + "print(args.init_r)\n",
    "a default that is a constant": "R = 8\n" + OPTIONS.replace("default=8", "default=R") + FROM_OPTIONS,
    "a default that is a string": OPTIONS.replace("default=8", 'default="8"') + FROM_OPTIONS,
    "a default that is set later": OPTIONS.replace("args =", "p.set_defaults(init_r=7)\nargs =") + FROM_OPTIONS,
    "an item of a dict": """CFG = {"init_r": 8, "target_r": 16}
config = AdaLoraConfig(init_r=CFG["init_r"], target_r=CFG["target_r"], total_step=3000)
""",
    "an item with a default": """CFG = {"init_r": 8, "target_r": 16}
config = AdaLoraConfig(init_r=CFG.get("init_r", 1), target_r=CFG.get("target_r", 1), total_step=3000)
""",
    "parameters": """def make(init_r=8, target_r=16):
    return AdaLoraConfig(init_r=init_r, target_r=target_r, total_step=3000)
make()
""",
    "a constant that feeds something else": "INIT_R = 8\nTARGET_R = 16\nprint(INIT_R)\n" + FROM_CONSTANTS,
    "a constant by another name": "A = 8\nINIT_R = A\nTARGET_R = 16\n" + FROM_CONSTANTS,
    "a number with two names": "INIT_R = X = 8\nTARGET_R = 16\n" + FROM_CONSTANTS,
    "a product": "INIT_R = 8\nTARGET_R = 16\n" + FROM_CONSTANTS.replace("=TARGET_R", "=TARGET_R * 2"),
}


@pytest.mark.parametrize("text", ELSEWHERE.values(), ids=ELSEWHERE)
def test_names_are_never_crossed_and_what_feeds_other_places_is_left(text):
    swap = finding(text).fixes[0]
    assert swap.title.startswith("swap them")
    assert swap.edits == ()
    assert swap.why is not None
    assert fixed(text) == text


def test_options_of_two_configurations_are_left():
    text = OPTIONS + FROM_OPTIONS + FROM_OPTIONS
    assert len(check_source(source(text), PLAIN).findings) == 2
    assert fixed(text) == text


@pytest.mark.parametrize("intent", ["raise-init", "lower-target"])
@pytest.mark.parametrize("text", [OPTIONS + FROM_OPTIONS, WRITTEN_ONCE["constants"]], ids=["options", "constants"])
def test_a_chosen_rank_takes_no_name_its_effect(text, intent):
    assert fixed(text, Settings(intent={"reversed-ranks": intent}), Safety.SAFE) == text


def test_why_a_name_keeps_its_field_is_said():
    raised = finding(OPTIONS + FROM_OPTIONS).fixes[1]
    assert raised.why == "args.init_r would no longer give init_r"


@pytest.mark.parametrize(
    ("intent", "before", "after"),
    [
        (
            "raise-init",
            "init_r=8, target_r=args.target_r",
            "init_r=(3 * args.target_r + 1) // 2, target_r=args.target_r",
        ),
        ("raise-init", "target_r=args.target_r", "target_r=args.target_r, init_r=(3 * args.target_r + 1) // 2"),
        ("lower-target", "init_r=args.init_r", "init_r=args.init_r, target_r=max(1, args.init_r * 2 // 3)"),
        (
            "raise-init",
            "init_r=args.init_r, target_r=args.init_r",
            "init_r=(3 * args.init_r + 1) // 2, target_r=args.init_r",
        ),
    ],
)
def test_a_number_may_be_worked_out_of_an_option_that_goes_on_giving_its_field(intent, before, after):
    text = f"{OPTIONS}AdaLoraConfig({before}, total_step=3000)\n"
    settings = Settings(intent={"reversed-ranks": intent})
    assert fixed(text, settings, Safety.SAFE) == text.replace(before, after)
    assert fixed(text.replace(before, after), settings) == text.replace(before, after)


@pytest.mark.parametrize(
    ("code", "default", "field"),
    [("ADA204", "0", "deltaT"), ("ADA214", "-10", "deltaT"), ("ADA203", "2900", "tinit")],
)
def test_an_option_is_neither_overwritten_nor_made_to_mean_something_else(code, default, field):
    rest = "tfinal=200, total_step=3000"
    option = (
        f'p = argparse.ArgumentParser()\np.add_argument("--x", type=int, default={default})\nargs = p.parse_args()\n'
    )
    text = f"{option}AdaLoraConfig({field}=args.x, {rest})\n"
    assert [fix.edits for fix in finding(text, code).fixes] == [()]
    assert fixed(text) == text
    literal = f"AdaLoraConfig({field}={default}, {rest})\n"
    assert fixed(literal) != literal


def test_an_option_that_may_give_the_length_of_the_run_is_not_overwritten():
    text = """p = argparse.ArgumentParser()
p.add_argument("--steps", type=int, default=None)
args = p.parse_args()
AdaLoraConfig(total_step=args.steps)
run(max_steps=300)
"""
    assert [fix.edits for fix in finding(text, "ADA201").fixes] == [()]
    assert fixed(text.replace("args.steps", "None")) == text.replace("args.steps", "300")


def test_whole_numbers_in_a_fix_are_worked_out():
    text = "STEPS = 2000\nAdaLoraConfig(tinit=200, tfinal=1_900, total_step=STEPS)\n"
    assert fixed(text) == (
        "STEPS = 2000\nAdaLoraConfig(tinit=STEPS * 200 // 4200, tfinal=STEPS * 1_900 // 4200, total_step=STEPS)\n"
    )
