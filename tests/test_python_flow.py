"""What is known where values travel: dicts, branches, loops, callers, defaults, tables, subclasses."""

from __future__ import annotations

import pytest

from adalint.engine import check_source, fix_source
from adalint.findings import Safety
from adalint.readers import read_sites
from adalint.rulebook.templates import show
from adalint.settings import Settings
from adalint.source import Kind, Source

HEAD = """\
import argparse
from dataclasses import asdict, dataclass, field
from functools import partial
from types import SimpleNamespace
from peft import AdaLoraConfig, LoraConfig, PeftType, get_peft_config
"""
SETTINGS = Settings(select=("ADA101", "ADA102", "ADA201", "ADA204", "ADA301"))


def source(text: str) -> Source:
    return Source.decode("a.py", Kind.PYTHON, (HEAD + text).encode())


def readings(text: str) -> list[dict[str, str | None]]:
    """Give what each reading of the only Site knows of its fields."""
    [site] = read_sites(source(text))
    return [{name: show(value.expr) for name, value in one.values.items()} for one in (site, *site.others)]


def codes(text: str) -> list[str]:
    return [finding.code for finding in check_source(source(text), SETTINGS).findings]


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("cfg = {'r': 8, 'init_r': 4}\nAdaLoraConfig(**cfg)", {"r": "8", "init_r": "4"}),
        ("cfg = dict(r=8)\nAdaLoraConfig(**cfg, init_r=4)", {"r": "8", "init_r": "4"}),
        ("cfg = {}\ncfg['r'] = 8\ncfg.update(init_r=4)\nAdaLoraConfig(**cfg)", {"r": "8", "init_r": "4"}),
        ("cfg = {'r': 8}\ncfg.update({'r': 9})\nAdaLoraConfig(**cfg)", {"r": "9"}),
        ("cfg = {'r': 8}\ncfg |= {'init_r': 4}\nAdaLoraConfig(**cfg)", {"r": "8", "init_r": "4"}),
        ("base = {'r': 8}\nAdaLoraConfig(**base | {'init_r': 4})", {"r": "8", "init_r": "4"}),
        ("base = {'r': 8}\nAdaLoraConfig(**{**base, 'r': 9})", {"r": "9"}),
        ("base = {'r': 8}\ncfg = dict(base, init_r=4)\nAdaLoraConfig(**cfg)", {"r": "8", "init_r": "4"}),
        ("cfg = {'r': 8, 'init_r': 4}\ndel cfg['r']\nAdaLoraConfig(**cfg)", {"init_r": "4"}),
        ("cfg = {'r': 8, 'init_r': 4}\ncfg.pop('r', None)\nAdaLoraConfig(**cfg)", {"init_r": "4"}),
        ("cfg = {'init_r': 4}\ncfg.setdefault('init_r', 9)\ncfg.setdefault('r', 2)\nAdaLoraConfig(**cfg)", {"init_r": "4", "r": "2"}),
        ("ALL = {'adalora': {'r': 8}}\nAdaLoraConfig(**ALL['adalora'])", {"r": "8"}),
        ("cfg = {'r': 8}\nprint(cfg)\nAdaLoraConfig(**cfg.copy())", {"r": "8"}),
        ("cfg = {'rank': 8}\nAdaLoraConfig(init_r=cfg['rank'], r=cfg.get('alpha', 2))", {"init_r": "8", "r": "2"}),
        ("class C:\n    rank = 8\nAdaLoraConfig(init_r=C.rank)", {"init_r": "8"}),
        ("@dataclass\nclass C:\n    rank: int = 8\n    t: int = field(default=3)\nc = C(t=4)\nAdaLoraConfig(init_r=c.rank, r=c.t)", {"init_r": "8", "r": "4"}),
        ("@dataclass\nclass C:\n    init_r: int = 8\nAdaLoraConfig(**asdict(C()))", {"init_r": "8"}),
        ("c = SimpleNamespace(rank=8)\nAdaLoraConfig(init_r=c.rank)", {"init_r": "8"}),
        ("p = argparse.ArgumentParser()\np.add_argument('--rank', type=int, default=8)\na = p.parse_args()\nAdaLoraConfig(init_r=a.rank)", {"init_r": "8"}),
        ("p = argparse.ArgumentParser()\np.add_argument('--lora-rank', '-r', type=int, default='8')\na, _ = p.parse_known_args()\nAdaLoraConfig(init_r=a.lora_rank)", {"init_r": "8"}),
        ("AdaLoraConfig(init_r=getattr(cfg, 'rank', 8))", {"init_r": "8"}),
        ("def make(rank, **kw):\n    return AdaLoraConfig(init_r=rank, **kw)\nmake(8, r=2)", {"init_r": "8", "r": "2"}),
        ("make = lambda rank, r=2: AdaLoraConfig(init_r=rank, r=r)\nmake(8)", {"init_r": "8", "r": "2"}),
        ("def main(args):\n    AdaLoraConfig(init_r=args.rank)\nmain(SimpleNamespace(rank=8))", {"init_r": "8"}),
        ("class T:\n    rank = 8\n    def make(self):\n        return AdaLoraConfig(init_r=self.rank)", {"init_r": "8"}),
        ("class T:\n    def __init__(self, rank):\n        self.rank = rank\n    def make(self):\n        return AdaLoraConfig(init_r=self.rank)\nT(8)", {"init_r": "8"}),
        ("C = partial(AdaLoraConfig, r=2)\nC(init_r=8)", {"r": "2", "init_r": "8"}),
        ("class Mine(AdaLoraConfig):\n    init_r: int = 8\nMine(r=2)", {"init_r": "8", "r": "2"}),
        ("R = {'lora': LoraConfig, 'adalora': AdaLoraConfig}\nR['adalora'](init_r=8)", {"init_r": "8"}),
        ("get_peft_config({'peft_type': 'ADALORA', 'init_r': 8})", {"peft_type": "'ADALORA'", "init_r": "8"}),
        ("get_peft_config({'peft_type': PeftType.ADALORA, 'init_r': 8})", {"peft_type": "'ADALORA'", "init_r": "8"}),
        ("for cls, kw in [(LoraConfig, {}), (AdaLoraConfig, {'init_r': 8})]:\n    cls(**kw)", {"init_r": "8"}),
        ("if big:\n    r = 64\nelse:\n    r = 8\nif not big:\n    AdaLoraConfig(init_r=r)", {"init_r": "8"}),
        ("AdaLoraConfig(init_r=(R := 8), r=R)", {"init_r": "8", "r": "8"}),
        ("AdaLoraConfig(init_r=None or 8)", {"init_r": "8"}),
        ("import math\nAdaLoraConfig(init_r=math.inf, r=float('nan'))", {"init_r": "inf", "r": "nan"}),
    ],
)  # fmt: skip
def test_a_value_is_followed_to_where_it_is_written(text, known):
    assert readings(text) == [known]


@pytest.mark.parametrize(
    ("text", "worlds"),
    [
        ("if big:\n    r, t = 8, 16\nelse:\n    r, t = 4, 8\nAdaLoraConfig(init_r=r, target_r=t)", [("8", "16"), ("4", "8")]),
        ("r, t = 2, 1\nif big:\n    r, t = 8, 16\nAdaLoraConfig(init_r=r, target_r=t)", [("8", "16"), ("2", "1")]),
        ("r = 8 if big else 4\nt = 16 if big else 2\nAdaLoraConfig(init_r=r, target_r=t)", [("8", "16"), ("4", "2")]),
        ("r = 8 if big else 4\nt = 2 if not big else 16\nAdaLoraConfig(init_r=r, target_r=t)", [("8", "16"), ("4", "2")]),
        ("match size:\n    case 'big':\n        r, t = 8, 16\n    case _:\n        r, t = 4, 2\nAdaLoraConfig(init_r=r, target_r=t)", [("8", "16"), ("4", "2")]),
        ("for r, t in [(8, 16), (4, 2)]:\n    AdaLoraConfig(init_r=r, target_r=t)", [("8", "16"), ("4", "2")]),
        ("def f(r, t):\n    return AdaLoraConfig(init_r=r, target_r=t)\nf(8, 16)\nf(r=4, t=2)", [("8", "16"), ("4", "2")]),
        ("c = {'init_r': 8, 'target_r': 16}\nif small:\n    c.update(init_r=4, target_r=2)\nAdaLoraConfig(**c)", [("4", "2"), ("8", "16")]),
        ("if big:\n    r, t = 8, 16\nelse:\n    raise SystemExit\nAdaLoraConfig(init_r=r, target_r=t)", [("8", "16")]),
        ("if DEBUG:\n    r, t = 8, 16\nelif fast:\n    r, t = 6, 3\nelse:\n    r, t = 4, 2\nAdaLoraConfig(init_r=r, target_r=t)", [("8", "16"), ("6", "3"), ("4", "2")]),
    ],
)  # fmt: skip
def test_what_is_assigned_together_stays_together(text, worlds):
    assert [(one["init_r"], one["target_r"]) for one in readings(text)] == worlds


def test_a_rule_reports_only_what_holds_in_every_world():
    both = "if big:\n    t = 16\nelse:\n    t = 9\nAdaLoraConfig(init_r=8, target_r=t, total_step=9)"
    one = "if big:\n    t = 16\nelse:\n    t = 4\nAdaLoraConfig(init_r=8, target_r=t, total_step=9)"
    assert (codes(both), codes(one)) == (["ADA102"], [])


def test_too_many_worlds_leave_everything_that_branches_symbolic():
    text = "".join(f"a{n} = {n} if x{n} else 0\n" for n in range(8))
    text += "AdaLoraConfig(init_r=a0 + a1 + a2 + a3 + a4 + a5 + a6 + a7, total_step=9)"
    [only] = readings(text)
    assert only == {"init_r": "((((((a0 + a1) + a2) + a3) + a4) + a5) + a6) + a7", "total_step": "9"}


@pytest.mark.parametrize(
    "text",
    [
        "cfg = {'r': 8, 'total_step': 9}\nprepare(cfg)\nAdaLoraConfig(**cfg)",
        "cfg = {'r': 8}\nfor k in keys:\n    cfg[k] = 1\nAdaLoraConfig(**cfg)",
        "cfg = load()\nAdaLoraConfig(**cfg)",
        "AdaLoraConfig(**{k: v for k, v in x.items()})",
        "def f(**kw):\n    return AdaLoraConfig(**kw)",
        "cfg = {key: 8, 'total_step': 9}\nAdaLoraConfig(**cfg)",
        "cfg = {'r': 8}\nother = cfg\nother['total_step'] = 3\nAdaLoraConfig(**cfg)",
        "class Mine(AdaLoraConfig):\n    def __init__(self, rank):\n        super().__init__(init_r=rank)\nMine(rank=3)",
        "class Mine(Base, AdaLoraConfig): ...\nMine(r=3)",
        "CLASSES = [LoraConfig, AdaLoraConfig]\nCLASSES[i](r=8)",
        "class A(B):\n    t = 8\nclass B(A):\n    def f(self):\n        AdaLoraConfig(init_r=self.u, total_step=9)",
        "class T:\n    t = 16\n    def f(self):\n        AdaLoraConfig(init_r=8, target_r=self.t, total_step=9)\nclass U(T): ...\nclass V(U):\n    t = 4",
        "from settings import *\nR = 8\nfrom settings import *\nAdaLoraConfig(init_r=R, total_step=9)",
        "R = 8\nexec(open('x').read())\nAdaLoraConfig(init_r=R, total_step=9)",
        "R = 8\nglobals()['R'] = 16\nAdaLoraConfig(init_r=R, total_step=9)",
        "R = 8\nmatch x:\n    case [R, *_]:\n        pass\nAdaLoraConfig(init_r=R, total_step=9)",
        "D = {'init_r': 8, 'total_step': 9}\nAdaLoraConfig(**{**D, **load()})",
        "p = argparse.ArgumentParser()\np.add_argument('--t', type=int, default=16)\na = p.parse_args()\nfor k, v in x.items():\n    setattr(a, k, v)\nAdaLoraConfig(init_r=8, target_r=a.t, total_step=9)",
        "p = argparse.ArgumentParser()\np.add_argument('--t', type=int, default=16)\na = p.parse_args(['--t', '4'])\nAdaLoraConfig(init_r=8, target_r=a.t, total_step=9)",
        "C = {'ada': {'t': 16}}\nC['ada']['t'] = 4\nAdaLoraConfig(init_r=8, target_r=C['ada']['t'], total_step=9)",
        "R = {'lora': LoraConfig, 'adalora': AdaLoraConfig}\nR[name](r=8)",
        "R = {'lora': LoraConfig, 'adalora': AdaLoraConfig}\nR['lora'](r=8)",
        "T = [(LoraConfig, {'r': 8}), (AdaLoraConfig, {'r': 8})]",
        "get_peft_config({'peft_type': 'LORA', 'r': 8})",
        "get_peft_config({'peft_type': kind, 'r': 8})",
        "C = partial(LoraConfig, r=8)\nC()",
        "cls = AdaLoraConfig if ada else LoraConfig\ncls(r=8)",
        "p = argparse.ArgumentParser()\np.add_argument('--t', type=int)\na = p.parse_args()\nAdaLoraConfig(total_step=a.t)",
        "p = argparse.ArgumentParser()\np.add_argument('--t', default=None)\na = p.parse_args()\na.t = a.t or steps()\nAdaLoraConfig(total_step=a.t)",
        "class T:\n    total = None\n    def fit(self):\n        self.total = 3\n        AdaLoraConfig(total_step=self.total)",
        "def make(total=None):\n    return AdaLoraConfig(total_step=total)",
        "def make(total=None):\n    return AdaLoraConfig(total_step=total)\nregister(make)\nmake()",
        "total = None\nif resume:\n    total = 9\nAdaLoraConfig(total_step=total)",
        "deltaT = 0\nfor deltaT in values:\n    AdaLoraConfig(deltaT=deltaT, total_step=9)",
        "deltaT = 0\ndef f():\n    global deltaT\n    deltaT = 4\nf()\nAdaLoraConfig(deltaT=deltaT, total_step=9)",
    ],
)  # fmt: skip
def test_where_the_text_does_not_tell_every_rule_is_silent(text):
    assert codes(text) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("cfg = {\n    'r': 16,\n    'total_step': 9,\n}\nAdaLoraConfig(**cfg)\n", "cfg = {\n    'init_r': 12,  # r=16 had no effect in AdaLoRA\n    'total_step': 9,\n}\nAdaLoraConfig(**cfg)\n"),
        ("cfg = dict(r=16, init_r=12, total_step=9)\nAdaLoraConfig(**cfg)\n", "cfg = dict(init_r=12, total_step=9)\nAdaLoraConfig(**cfg)\n"),
        ('AdaLoraConfig(**{"total_steps": 9, "r": 16, "init_r": 12})\n', 'AdaLoraConfig(**{"total_step": 9, "init_r": 12})\n'),
        ("get_peft_config({'peft_type': 'ADALORA', 'total_steps': 9})\n", "get_peft_config({'peft_type': 'ADALORA', 'total_step': 9})\n"),
    ],
)  # fmt: skip
def test_a_fix_edits_the_dict_in_which_the_field_is_written(before, after):
    assert fix_source(source(before), Settings(), Safety.SAFE).after.text == HEAD + after


@pytest.mark.parametrize(
    "text",
    [
        "cfg = {'r': 16, 'total_step': 9}\nAdaLoraConfig(**cfg)\nLoraConfig(**cfg)\n",
        "C = partial(AdaLoraConfig, r=16, total_step=9)\nC()\n",
        "class Mine(AdaLoraConfig):\n    r: int = 16\nMine(total_step=9)\n",
    ],
)
def test_what_feeds_other_places_too_is_reported_and_not_edited(text):
    fixed = fix_source(source(text), Settings(), Safety.UNSAFE)
    assert fixed.after.text == HEAD + text
    assert [finding.code for finding in fixed.left] == ["ADA101"]
    assert all(fix.why and "line" in fix.why for fix in fixed.left[0].fixes)


def test_a_dict_that_feeds_two_configurations_is_wrong_once():
    assert codes("cfg = {'r': 16, 'total_step': 9}\nAdaLoraConfig(**cfg)\nAdaLoraConfig(**cfg)") == ["ADA101"]


def test_fields_that_a_subclass_adds_are_no_unknown_fields():
    assert codes("class Mine(AdaLoraConfig):\n    extra: int = 1\nMine(extra=2, total_step=9)") == []
    assert codes("class Mine(AdaLoraConfig):\n    extra: int = 1\nMine(other=2, total_step=9)") == ["ADA301"]
