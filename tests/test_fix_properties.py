"""What `fix` promises of any configuration, in each kind of file, however it is laid out."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adalint.engine import check_source, fix_source
from adalint.findings import Safety, Severity
from adalint.settings import INTENTS, Settings
from adalint.source import Kind, Source

FIELDS: dict[str, list[Any]] = {
    "r": [1, 2, 8, 16],
    "init_r": [-1, 0, 1, 2, 8, 12, 24],
    "target_r": [-1, 0, 1, 4, 8, 16],
    "tinit": [0, 3, 90],
    "tfinal": [0, 5, 20],
    "deltaT": [0, 1, 10],
    "total_step": [None, 30, 100],
    "total_steps": [50],
    "delta_t": [5],
    "delta_r": [2],
    "t_init": [2, 500],
    "target_rank": [4],
    "initial_r": [8],
    "rank": [8],
    "use_rslora": [True, False],
    "init_lora_weights": ["gaussian", True, "é中"],
    "alpha_pattern": [{}, {"q": 2}],
    "lora_alpha": [8, 32],
    "target_modules": [["q", "v"], "all-linear"],
    "bias": ["none"],
}
NEWLINES = ["\n", "\r\n", "\r"]


@dataclass(frozen=True)
class Document:
    """A generated file: its source, and the part of the text that stands outside of the configuration."""

    source: Source
    head: str
    tail: str


@st.composite
def fields(draw) -> dict[str, Any]:
    names = draw(st.lists(st.sampled_from(sorted(FIELDS)), unique=True, min_size=1, max_size=7))
    return {name: draw(st.sampled_from(FIELDS[name])) for name in names}


def comment(draw, marks: tuple[str, ...] = ("#",)) -> str:
    return draw(st.sampled_from(["", *(f"  {mark} {text}" for mark in marks for text in ("é", "中文, r=3", "😀 'x"))]))


@st.composite
def python_documents(draw, *, in_a_dict: bool = False) -> Document:
    """Draw a call of the class, or the dict that a registry of MMEngine makes one of."""
    newline = draw(st.sampled_from(NEWLINES))
    config = draw(fields())
    config.setdefault("task_type", "CAUSAL_LM")
    lines_of_their_own = draw(st.booleans())
    uses = ["import mmengine"] if in_a_dict else []
    head = newline.join(["# ü", *uses, "from peft import AdaLoraConfig", "s = 'é'", ""]) + draw(
        st.sampled_from(["c = ", "x = [1, "])
    )
    spaced = draw(st.sampled_from(["=", " = "]))
    pieces = []
    for index, (name, value) in enumerate(config.items()):
        last = index == len(config) - 1
        comma = "," if not last or draw(st.booleans()) else ""
        if lines_of_their_own:
            above = draw(st.sampled_from(["", f"    # about {name}{newline}"]))
            pieces.append(f"{above}    {name}{spaced}{value!r}{comma}{comment(draw)}{newline}")
        else:
            pieces.append(f"{name}{spaced}{value!r}{comma}{'' if last else ' '}")
    body = newline + "".join(pieces) if lines_of_their_own else "".join(pieces)
    tail = ("]" if "[" in head else "") + comment(draw) + newline + "y = 2" + newline
    mark = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    text = f"{head}dict(type=AdaLoraConfig, {body}){tail}" if in_a_dict else f"{head}AdaLoraConfig({body}){tail}"
    return Document(Source.decode("a.py", Kind.PYTHON, mark + text.encode()), head, tail)


@st.composite
def json_documents(draw) -> Document:
    newline = draw(st.sampled_from(NEWLINES[:2]))
    config = {"peft_type": "ADALORA", **draw(fields())}
    multi = draw(st.booleans())
    indent = draw(st.sampled_from(["  ", "\t", "      "]))
    colon = draw(st.sampled_from([":", ": ", " : "]))
    entries = [f"{json.dumps(key)}{colon}{json.dumps(value, ensure_ascii=False)}" for key, value in config.items()]
    gap = newline + indent if multi else draw(st.sampled_from(["", " "]))
    inside = gap + ("," + (gap if multi else " ")).join(entries) + (newline if multi else "")
    head = f'{{"é": ["中", 1.50], "run"{colon}'
    tail = f', "last": 1e-4 }}{newline}'
    return Document(Source.decode("a.json", Kind.JSON, f"{head}{{{inside}}}{tail}".encode()), head, tail)


@st.composite
def yaml_documents(draw) -> Document:
    newline = draw(st.sampled_from(NEWLINES[:2]))
    config = draw(fields())
    if len(config.keys() & {"init_r", "target_r", "tinit", "tfinal", "deltaT", "total_step"}) == 0:
        config["lora_dropout"] = 0.05
        config["tinit"] = 2
    head = f"# ü{newline}method: adalora{newline}names: ['é', \"中 # no comment\"]{newline}adalora:"
    tail = f"trainer:{newline}  lr: 1.0e-4  # 😀{newline}"
    if draw(st.booleans()):
        inside = ", ".join(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in config.items())
        return Document(_yaml(f"{head} {{{inside}}}{comment(draw)}{newline}{tail}"), head, tail)
    indent = draw(st.sampled_from(["  ", "      "]))
    lines = []
    for key, value in config.items():
        if draw(st.integers(0, 3)) == 0:
            lines.append(f"{indent}# about {key}")
        lines.append(f"{indent}{key}: {json.dumps(value, ensure_ascii=False)}{comment(draw)}")
    return Document(_yaml(f"{head}{comment(draw)}{newline}{newline.join(lines)}{newline}{tail}"), head, tail)


def _yaml(text: str) -> Source:
    return Source.decode("a.yaml", Kind.YAML, text.encode())


def loaded(source: Source) -> dict[str, Any]:
    """Read the configuration as the program would."""
    match source.kind:
        case Kind.JSON:
            return dict(json.loads(source.text)["run"])
        case Kind.YAML:
            return dict(yaml.safe_load(source.text)["adalora"] or {})
    calls = [node for node in ast.walk(ast.parse(source.text)) if isinstance(node, ast.Call)]
    [call] = [node for node in calls if isinstance(node.func, ast.Name) and node.func.id in {"AdaLoraConfig", "dict"}]
    return {one.arg or "**": ast.literal_eval(one.value) for one in call.keywords if one.arg != "type"}


def mistakes(source: Source) -> Counter[str]:
    report = check_source(source, Settings())
    return Counter(one.code for one in report.findings if one.severity is not Severity.INFO)


DOCUMENTS = {
    "python": python_documents(),
    "python dict": python_documents(in_a_dict=True),
    "json": json_documents(),
    "yaml": yaml_documents(),
}
TOUCHES = {
    "ADA101": {"r", "init_r", "target_r"},
    "ADA102": {"init_r", "target_r"},
    "ADA203": {"tinit", "tfinal"},
    "ADA204": {"deltaT"},
}
intents = st.fixed_dictionaries({}, optional={key: st.sampled_from(words) for key, words in INTENTS.items()})


@pytest.mark.parametrize("kind", sorted(DOCUMENTS))
@given(data=st.data(), intent=intents, allowed=st.sampled_from([Safety.SAFE, Safety.UNSAFE]))
@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_fixing_changes_what_it_names_and_keeps_every_promise(kind, data, intent, allowed):
    document = data.draw(DOCUMENTS[kind])
    decided = Settings(intent=intent)
    outcome = fix_source(document.source, decided, allowed)
    after = outcome.after

    before_data, after_data = loaded(document.source), loaded(after)
    touched: set[str] = set()
    for one in outcome.applied:
        touched |= TOUCHES.get(one.finding.code, set())
        if one.finding.code in {"ADA301", "ADA302"}:
            touched |= {name for name in FIELDS if name in re.findall(r"\w+", one.fix.title)}
    assert {key: value for key, value in before_data.items() if key not in touched} == {
        key: value for key, value in after_data.items() if key not in touched
    }
    kept = [key for key in before_data if key in after_data and key not in touched]
    assert kept == [key for key in after_data if key in before_data and key not in touched]

    assert after.text.startswith(document.head)
    noted = any("had no effect in AdaLoRA" in edit.text for one in outcome.applied for edit in one.fix.edits)
    assert after.text.endswith(document.tail) or noted
    assert after.encode().startswith(document.source.encoding.mark)
    lone_newlines = document.source.text.replace("\r\n", "")
    assert ("\r\n" in after.text, "\r" in after.text.replace("\r\n", "")) == (
        "\r\n" in document.source.text,
        "\r" in lone_newlines,
    )

    assert not mistakes(after) - mistakes(document.source)
    again = fix_source(after, decided, allowed)
    assert again.after.content == after.content


@pytest.mark.parametrize("kind", sorted(DOCUMENTS))
@given(data=st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_a_plain_fix_keeps_what_peft_reads(kind, data):
    """Safe fixes give ADA301 its field in Python, and change nothing else that PEFT honours."""
    document = data.draw(DOCUMENTS[kind])
    outcome = fix_source(document.source, Settings(), Safety.SAFE)
    before, after = loaded(document.source), loaded(outcome.after)
    renamed = any(one.finding.code == "ADA301" for one in outcome.applied)
    for name in ("init_r", "target_r", "tinit", "tfinal", "deltaT", "total_step", "lora_alpha"):
        default = {"init_r": 12, "target_r": 8, "deltaT": 1, "lora_alpha": 8, "total_step": None}.get(name, 0)
        assert after.get(name, default) == before.get(name, default) or renamed
