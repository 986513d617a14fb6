"""Which calls are configurations of PEFT's AdaLoRA, and what is known of their arguments."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adalint.plan import RIGHT_LOOP, UNKNOWN_LOOP, Counter, Event
from adalint.readers import read_sites
from adalint.readers.errors import ReadError
from adalint.rulebook.templates import show
from adalint.source import Kind, Source
from adalint.values import UNKNOWN, Literal


def sites(text: str):
    return read_sites(Source.decode("a.py", Kind.PYTHON, text.encode()))


def expr(text: str, name: str = "init_r"):
    [site] = sites(text)
    return site.values[name].expr


@pytest.mark.parametrize(
    "text",
    [
        "from peft import AdaLoraConfig\nAdaLoraConfig(r=1)",
        "from peft import AdaLoraConfig as Cfg\nCfg(r=1)",
        "from peft import (\n    AdaLoraConfig as Cfg,\n    LoraConfig,\n)\nCfg(r=1)",
        "import peft\npeft.AdaLoraConfig(r=1)",
        "import peft as p\np.AdaLoraConfig(r=1)",
        "import peft.tuners.adalora\npeft.tuners.adalora.AdaLoraConfig(r=1)",
        "import peft.tuners.adalora.config as c\nc.AdaLoraConfig(r=1)",
        "from peft.tuners import AdaLoraConfig\nAdaLoraConfig(r=1)",
        "from peft.tuners.adalora.config import AdaLoraConfig\nAdaLoraConfig(r=1)",
        "from peft.tuners import adalora\nadalora.AdaLoraConfig(r=1)",
        "from peft import *\nAdaLoraConfig(r=1)",
        "def f():\n    from peft import AdaLoraConfig\n    return AdaLoraConfig(r=1)",
        "from peft import AdaLoraConfig\nConfig = AdaLoraConfig\nConfig(r=1)",
        "try:\n    from peft import AdaLoraConfig\nexcept ImportError:\n    AdaLoraConfig = None\nAdaLoraConfig(r=1)",
        "from peft import AdaLoraConfig\nclass A:\n    config = AdaLoraConfig(r=1)",
        "from peft import AdaLoraConfig\nf = lambda: AdaLoraConfig(r=1)",
        "from peft import AdaLoraConfig\nx = [AdaLoraConfig(r=1) for _ in range(2)]",
        "from peft import AdaLoraConfig\ntype Alias[T] = list[T]\ndef f[T](x: T) -> T:\n    return AdaLoraConfig(r=1)",
        "from peft import AdaLoraConfig\nx = f'{'nested'}'\nAdaLoraConfig(r=1)",
    ],
)
def test_a_call_of_pefts_class_is_a_site_however_it_was_imported(text):
    assert [list(site.values) for site in sites(text)] == [["r"]]


@pytest.mark.parametrize(
    "text",
    [
        "class AdaLoraConfig: ...\nAdaLoraConfig(r=1)",
        "from mylib import AdaLoraConfig\nAdaLoraConfig(r=1)",
        "from .config import AdaLoraConfig\nAdaLoraConfig(r=1)",
        "from peft import LoraConfig\nLoraConfig(r=1)  # not AdaLoRA",
        "from peft import AdaLoraModel\nAdaLoraModel(r=1)",
        "AdaLoraConfig(r=1)",
        "from peft import AdaLoraConfig\ndef f(AdaLoraConfig):\n    return AdaLoraConfig(r=1)",
        "from peft import AdaLoraConfig\nfrom mine import AdaLoraConfig\nAdaLoraConfig(r=1)",
        "from peft import AdaLoraConfig\n'AdaLoraConfig(r=1)'  # AdaLoraConfig(r=2)",
        "from peft import AdaLoraConfig\nimport pytest\nwith pytest.raises(ValueError):\n    AdaLoraConfig(r=1)",
        "from peft import AdaLoraConfig\nwith self.assertRaises(ValueError):\n    AdaLoraConfig(r=1)",
        "from peft import AdaLoraConfig\nself.assertRaises(ValueError, lambda: AdaLoraConfig(r=1))",
        "from peft import AdaLoraConfig\nwith pytest.warns(UserWarning, match='r'):\n    AdaLoraConfig(r=1)",
        "from typing import TYPE_CHECKING\nfrom peft import AdaLoraConfig\nif TYPE_CHECKING:\n    AdaLoraConfig(r=1)",
        "import peftx\npeftx.AdaLoraConfig(r=1)",
        "def f() -> 'AdaLoraConfig':\n    return other.AdaLoraConfig(r=1)",
    ],
)
def test_what_only_looks_like_it_or_is_meant_to_fail_is_no_site(text):
    assert sites(text) == []


HEAD = "import math\nfrom peft import AdaLoraConfig, TaskType\n"


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("AdaLoraConfig(init_r=12)", Literal(12)),
        ("AdaLoraConfig(init_r=-12)", Literal(-12)),
        ("AdaLoraConfig(init_r=3 * 4)", Literal(12)),
        ("AdaLoraConfig(init_r=2**3)", Literal(8)),
        ("R = 12\nAdaLoraConfig(init_r=R)", Literal(12)),
        ("R: int = 12\nAdaLoraConfig(init_r=R * 2)", Literal(24)),
        ("R, T = 12, 4\nAdaLoraConfig(init_r=R - T)", Literal(8)),
        ("R = 12\ndef f():\n    return AdaLoraConfig(init_r=R)", Literal(12)),
        ("def f():\n    R = 12\n    return AdaLoraConfig(init_r=round(1.5 * R))", Literal(18)),
        ("AdaLoraConfig(init_r=math.ceil(1.5 * 3))", Literal(5)),
        ("AdaLoraConfig(init_r=max(4, 12))", Literal(12)),
        ("AdaLoraConfig(init_r=TaskType.CAUSAL_LM)", Literal("CAUSAL_LM")),
        ("AdaLoraConfig(init_r=['q', 'v'])", Literal(["q", "v"])),
        ("AdaLoraConfig(init_r=None)", Literal(None)),
    ],
)
def test_literals_constants_and_simple_arithmetic_are_known(text, known):
    assert expr(HEAD + text) == known


def shown(value) -> str | None:
    return show(value)


@pytest.mark.parametrize(
    ("text", "symbolic"),
    [
        ("AdaLoraConfig(init_r=args.rank)", "args.rank"),
        ("AdaLoraConfig(init_r=cfg['rank'])", "cfg['rank']"),
        ("def f(rank):\n    return AdaLoraConfig(init_r=rank)", "rank"),
        ("AdaLoraConfig(init_r=len(loader) * 3)", "len(loader) * 3"),
        ("def f(n):\n    steps = n * 2\n    return AdaLoraConfig(init_r=steps)", "n * 2"),
        ("for R in ranks:\n    AdaLoraConfig(init_r=R)", "R"),
        ("def f(R=4):\n    return AdaLoraConfig(init_r=R)", "R"),
        ("R = 1\nfor _ in x:\n    R += 1\nAdaLoraConfig(init_r=R)", "R"),
        ("R = 1\nwhile True:\n    AdaLoraConfig(init_r=R)\n    R += 1", "R"),
        ("try:\n    R = 1\nexcept E:\n    R = 2\nAdaLoraConfig(init_r=R)", "R"),
        ("R = 1\ndef g():\n    global R\n    R = 2\nAdaLoraConfig(init_r=R)", "R"),
    ],
)
def test_a_name_without_a_single_value_is_symbolic(text, symbolic):
    assert shown(expr(HEAD + text)) == symbolic


def test_a_name_that_is_assigned_anew_is_another_symbol():
    [site] = sites(HEAD + "def f(n):\n    s = n\n    n = g()\n    return AdaLoraConfig(init_r=s, target_r=n)")
    assert site.values["init_r"].expr != site.values["target_r"].expr
    [site] = sites(HEAD + "def f(n):\n    s = n\n    return AdaLoraConfig(init_r=s, target_r=n)")
    assert site.values["init_r"].expr == site.values["target_r"].expr


@pytest.mark.parametrize(
    "text",
    [
        "AdaLoraConfig(init_r=read_rank())",
        "AdaLoraConfig(init_r=9**9**9)",
        "AdaLoraConfig(init_r='a' * 10**9)",
        "AdaLoraConfig(init_r=1 // 0)",
        "AdaLoraConfig(init_r=f'{x}')",
        "def rank(x):\n    log(x)\n    if x: return 1\n    return 2\nAdaLoraConfig(init_r=rank(3))",
        "@cached\ndef rank(): return 1\nAdaLoraConfig(init_r=rank())",
    ],
)
def test_what_may_differ_from_one_evaluation_to_the_next_is_unknown(text):
    assert expr(HEAD + text) is UNKNOWN


@pytest.mark.parametrize(
    ("call", "is_open"), [("r=1", False), ("r=1, **rest", True), ("*args, r=1", True), ("x, r=1", True)]
)
def test_a_splat_or_positional_argument_may_give_any_field(call, is_open):
    [site] = sites(HEAD + f"AdaLoraConfig({call})")
    assert site.open is is_open


def test_spans_are_bytes_of_the_text_also_behind_wide_characters_and_crlf():
    text = HEAD.replace("\n", "\r\n") + "x = 'é中😀'; c = AdaLoraConfig(\r\n    init_r=(12),\r\n)\r\n"
    [site] = sites(text)
    value = site.values["init_r"]
    assert site.source.slice(site.span) == "AdaLoraConfig(\r\n    init_r=(12),\r\n)"
    assert site.source.slice(site.head) == "AdaLoraConfig"
    assert (site.source.slice(value.key_span), site.source.slice(value.span)) == ("init_r", "12")


@pytest.mark.parametrize(
    "text",
    [
        "print 'AdaLoRA'",
        "def f(:\n",
        "x = (" + "(" * 60_000,
        "[" * 30_000,
        "a = " + "-" * 100_000 + "1",
        "x = '\ud800'".encode("utf-8", "surrogatepass").decode("utf-8", "replace") + "(",
    ],
)
def test_what_is_no_python_is_a_read_error_and_nothing_else(text):
    with pytest.raises(ReadError):
        sites(text)


SETUP = """
from peft import get_peft_model
model = get_peft_model(base, AdaLoraConfig(init_r=8, target_r=16, total_step=100))
"""
BODY = """\
model(**batch).loss.backward()
optimizer.step()
model.base_model.update_and_allocate(step)
optimizer.zero_grad()
"""


def indented(text: str, by: int) -> str:
    return "".join(f"{' ' * by}{line}\n" for line in text.splitlines())


def loop_of(text: str):
    [site] = sites(HEAD + SETUP + text)
    return site.loop


RECOGNISED = {
    "for step, batch in enumerate(loader):\n" + indented(BODY, 4): replace(RIGHT_LOOP),
    "for step in range(50):\n" + indented(BODY, 4): replace(RIGHT_LOOP, steps=50),
    "N = 50\nfor step in range(N):\n" + indented(BODY, 4): replace(RIGHT_LOOP, steps=50),
    "for step, batch in enumerate([1] * 50):\n" + indented(BODY, 4): replace(RIGHT_LOOP, steps=50),
    "step = 0\nfor epoch in range(3):\n    for batch in loader:\n" + indented(BODY + "step += 1", 8): replace(
        RIGHT_LOOP
    ),
    "step = 0\nfor epoch in range(3):\n    for i in range(5):\n" + indented("step += 1\n" + BODY, 8): replace(
        RIGHT_LOOP, counter=Counter(start=1), steps=15
    ),
    "for step, batch in enumerate(loader):\n" + indented(BODY.replace("(step)", "(0)"), 4): replace(
        RIGHT_LOOP, counter=Counter(stride=0)
    ),
}


@pytest.mark.parametrize("text", RECOGNISED)
def test_the_documented_loop_is_seen_to_allocate_with_its_counter_and_length(text):
    assert loop_of(text) == RECOGNISED[text]


class Anything:
    """A model, an optimizer and a loss that only count the calls of the allocator."""

    def __init__(self, counted: list[int]) -> None:
        self.counted = counted

    def __call__(self, *_: object, **__: object) -> Anything:
        return self

    def __getattr__(self, name: str) -> object:
        return self.counted.append if name == "update_and_allocate" else self


@pytest.mark.parametrize("text", RECOGNISED)
def test_a_recognised_loop_counts_in_python_as_its_plan_says(text):
    counted: list[int] = []
    exec(text.replace("**batch", ""), {"loader": range(5), "model": Anything(counted), "optimizer": Anything(counted)})
    plan = RECOGNISED[text]
    assert counted == [plan.counter.start + plan.counter.stride * i for i in range(len(counted))]
    assert len(counted) == (plan.steps or len(counted)) > 0


INNER = "for step, batch in enumerate(loader):\n"


@pytest.mark.parametrize(
    "text",
    [
        "for epoch in range(3):\n    " + INNER + indented(BODY, 8),
        "for epoch in range(3):\n    for batch in loader:\n" + indented(BODY.replace("(step)", "(epoch)"), 8),
        INNER + indented("if step % 100: continue\n" + BODY, 4),
        INNER + indented(BODY + "if step > 9: break", 4),
        INNER + indented("match kind:\n    case 1:\n" + indented(BODY, 8), 4),
        INNER + indented("if (step + 1) % 8 == 0:\n" + indented(BODY, 4), 4),
        INNER + indented(BODY.replace("model.base_model.update", "MyTuner().update"), 4),
        INNER + indented(BODY.replace("model.base_model.update", "other.update"), 4),
        INNER + indented(BODY.replace("model.base_model.up", "if flag: model.base_model.up"), 4),
        INNER + indented("try:\n" + indented(BODY, 4) + "except Exception: pass", 4),
        INNER + indented("with contextlib.suppress(TypeError):\n" + indented(BODY, 4), 4),
        INNER + indented(BODY + "model.base_model.update_and_allocate(step)", 4),
        "while True:\n" + indented(BODY, 4),
        "for step in range(9):\n    model.base_model.update_and_allocate(step)\n",
        "def hook(step):\n    model.base_model.update_and_allocate(step)\n",
        "step = 0\nfor epoch in range(3):\n    step = 0\n    for batch in loader:\n" + indented(BODY + "step += 1", 8),
        "step = 0\nfor batch in loader:\n" + indented(BODY + "step += 2", 4),
        "step = 0\nfor batch in loader:\n" + indented(BODY + "if x: step += 1", 4),
    ],
)
def test_what_may_skip_a_step_or_count_otherwise_is_unknown(text):
    assert {site.loop for site in sites(HEAD + SETUP + text)} == {UNKNOWN_LOOP}


def test_a_second_configuration_does_not_hide_whose_loop_it_is():
    text = INNER + indented(BODY, 4) + "other = AdaLoraConfig(total_step=5)\n"
    assert [site.loop for site in sites(HEAD + SETUP + text)] == [RIGHT_LOOP, UNKNOWN_LOOP]


def test_the_order_of_a_wrong_loop_is_read_as_it_stands():
    text = INNER + indented(BODY.replace("optimizer.step()", "optimizer.step()\noptimizer.zero_grad()"), 4)
    loop = loop_of(text)
    assert loop.order == (Event.BACKWARD, Event.STEP, Event.ZERO_GRAD, Event.ALLOCATE, Event.ZERO_GRAD)
