"""Some three hundred small programs, each run for real, beside what adalint reads of them without running anything.

PEFT's class is replaced by one that records with what it is constructed. No finding may be false of every construction
that the program makes, and a safe fix may change nothing that PEFT would read.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
import types
from pathlib import Path
from typing import Any

import pytest

import adalint

FOLDER = Path(__file__).parent / "programs"
DEFAULTS = {"init_r": 12, "target_r": 8, "tinit": 0, "tfinal": 0, "deltaT": 1, "total_step": None}
OUT_OF_SIGHT = {
    "b53": "an attribute made up by `__getattribute__`",
    "c40": "a class made by calling `type`",
    "c44": "a module that changes itself through `sys.modules`",
}
"""Programs of which no reader could tell, and which nobody writes around a configuration."""


def programs() -> list[Any]:
    found = []
    for path in sorted(FOLDER.glob("*.txt")):
        for part in re.split(r"^#### ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
            title, text = part.split("\n", 1)
            found.append(pytest.param(text, id=title.strip()))
    return found


PROGRAMS = programs()


class Recorder:
    """Runs programs in a world where `peft` only records."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch

    def run(self, text: str) -> tuple[list[dict[str, Any]], str]:
        """Give the keywords of every construction, and how the program ended."""
        made: list[dict[str, Any]] = []

        class AdaLoraConfig:
            def __init__(self, **given: Any) -> None:
                self.__dict__.update(DEFAULTS | given)
                made.append(dict(given))

        class LoraConfig:
            def __init__(self, **given: Any) -> None:
                self.__dict__.update(given)

        names = {"CAUSAL_LM": "CAUSAL_LM", "SEQ_CLS": "SEQ_CLS", "ADALORA": "ADALORA", "LORA": "LORA"}
        peft = types.ModuleType("peft")
        peft.__dict__.update(AdaLoraConfig=AdaLoraConfig, LoraConfig=LoraConfig, AdaLoraModel=object)
        peft.__dict__.update(TaskType=types.SimpleNamespace(**names), PeftType=types.SimpleNamespace(**names))
        peft.__dict__["get_peft_model"] = lambda model, _: model
        program = types.ModuleType("program")
        program.__dict__["__name__"] = "__main__"
        self.monkeypatch.setitem(sys.modules, "peft", peft)
        self.monkeypatch.setitem(sys.modules, "__main__", program)
        self.monkeypatch.setattr(sys, "argv", ["program"])
        ending = ""
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            try:
                exec(compile(text, "program", "exec"), program.__dict__)
            except BaseException as error:  # noqa: BLE001 a program may end as it likes
                ending = f"{type(error).__name__}: {error}"
        return made, ending


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    return Recorder(monkeypatch)


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def wrong_with(given: dict[str, Any]) -> set[str]:
    """Say what is wrong with keywords, in the words of the rule catalogue and without any of adalint's code."""
    effective = DEFAULTS | given
    init, target, total = effective["init_r"], effective["target_r"], effective["total_step"]
    tinit, tfinal, delta = effective["tinit"], effective["tfinal"], effective["deltaT"]
    both = is_number(init) and is_number(target)
    said = {
        "ADA101": "r" in given,
        "ADA102": both and target >= init,
        "ADA103": (is_number(init) and init < 1) or (is_number(target) and target < 0),
        "ADA104": target == 0,
        "ADA201": total is None,
        "ADA202": is_number(total) and total <= 0,
        "ADA203": all(map(is_number, (total, tinit, tfinal))) and tinit >= total - tfinal,
        "ADA204": delta == 0,
        "ADA207": any(is_number(phase) and phase < 0 for phase in (tinit, tfinal)),
        "ADA214": is_number(delta) and delta < 0,
        "ADA302": bool(given.get("use_rslora")) or isinstance(given.get("init_lora_weights"), str),
        "ADA303": bool(given.get("use_dora")),
    }
    return {code for code, wrong in said.items() if wrong}


JUDGED = wrong_with({}) | {f"ADA{number}" for number in (101, 102, 103, 104, 202, 203, 204, 207, 214, 302, 303)}


@pytest.mark.parametrize("text", PROGRAMS)
def test_no_finding_is_false_of_everything_that_the_program_constructs(text, recorder, request):
    made, _ = recorder.run(text)
    found = {finding.code for finding in adalint.check_text(text, filename="program.py").findings} & JUDGED
    told_truly = not made or found <= set().union(*map(wrong_with, made))
    assert told_truly is (request.node.callspec.id.split()[0] not in OUT_OF_SIGHT)


def read_by_peft(made: list[dict[str, Any]]) -> list[dict[str, Any]]:
    ignored = {"r", "use_rslora"}
    made = [given | {"deltaT": abs(given["deltaT"])} if is_number(given.get("deltaT")) else given for given in made]
    return [DEFAULTS | {name: value for name, value in given.items() if name not in ignored} for given in made]


@pytest.mark.parametrize("text", PROGRAMS)
def test_a_safe_fix_changes_nothing_that_peft_reads_and_no_way_that_the_program_ends(text, recorder):
    fixed = adalint.fix_text(text, filename="program.py")
    if fixed.after.text == text or any(one.finding.code == "ADA301" for one in fixed.applied):
        return
    before, after = recorder.run(text), recorder.run(fixed.after.text)
    assert read_by_peft(before[0]) == read_by_peft(after[0])
    assert before[1] == after[1]


def test_the_programs_are_many_and_most_construct_something(recorder):
    runs = [recorder.run(program.values[0])[0] for program in PROGRAMS]
    assert len(runs) >= 250
    assert sum(map(bool, runs)) >= 200
    assert len(OUT_OF_SIGHT) == 3
