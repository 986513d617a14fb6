"""Branches that a flag decided: what stays does what it did, and nothing else changes."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adalint.migrate.loralib_branches import branch_edits
from adalint.migrate.loralib_deciding import fold
from adalint.migrate.loralib_stages import Stages
from adalint.readers.python_scopes import FileMap
from adalint.readers.python_syntax import parse
from adalint.source import Kind, Source

HEAD = """\
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--on", action="store_true")
parser.add_argument("--kind", default="frd")
args = parser.parse_args()
"""
DECIDED = {"on": True, "kind": "svd"}


def folded(body: str) -> str:
    stages = Stages(Source.decode("x.py", Kind.PYTHON, (HEAD + body).encode()))
    fold(stages, DECIDED)
    assert stages.last.text.startswith(HEAD)
    return stages.last.text[len(HEAD) :]


class TestFolded:
    @pytest.mark.parametrize(
        ("body", "after"),
        [
            ("if args.on:\n    a()\nb()\n", "a()\nb()\n"),
            ("if not args.on:\n    a()\nb()\n", "b()\n"),
            ("if args.on:\n    a()  # why\nelse:\n    b()\n", "a()  # why\n"),
            ("if args.on: a()\nelse: b()\n", "a()\n"),
            ("if args.kind == 'frd':\n    a()\nelif args.kind == 'svd':\n    b()\nelse:\n    c()\n", "b()\n"),
            (
                "if x:\n    a()\nelif args.on:\n    b()\nelse:\n    c()\n",
                "if x:\n    a()\nelse:\n    b()\n",
            ),
            ("if x:\n    a()\nelif not args.on:\n    b()\nelse:\n    c()\n", "if x:\n    a()\nelse:\n    c()\n"),
            ("for _ in y:\n    if not args.on:\n        a()\n", "for _ in y:\n    pass\n"),
            ("if args.on and x:\n    a()\n", "if x:\n    a()\n"),
            ("if (x and\n        y) and args.on:\n    a()\n", "if (x and\n        y):\n    a()\n"),
            ("if args.on or f():\n    a()\n", "a()\n"),
            ("y = (a +\n     b) if args.on else c\n", "y = (a +\n     b)\n"),
            ("if args.on:\n    '''one\n  two'''\n    a()\n", "'''one\n  two'''\na()\n"),
            ("on = args.kind == 'svd'\nif on:\n    a()\n", "on = args.kind == 'svd'\na()\n"),
            ("def f(on):\n    if on:\n        a()\n\nf(args.on)\n", "def f(on):\n    a()\n\nf(args.on)\n"),
        ],
    )
    def test_the_branch_that_is_taken_stays(self, body: str, after: str) -> None:
        assert folded(body) == after

    @pytest.mark.parametrize(
        "body",
        [
            "if f() or args.on:\n    a()\n",
            "if DEBUG:\n    a()\n",
            "if 0:\n    a()\n",
            "def f(on):\n    if on:\n        a()\n\nf(args.on)\nf(False)\n",
            "if other.on:\n    a()\n",
            "while args.on:\n    a()\n",
        ],
    )
    def test_what_is_not_decided_stays(self, body: str) -> None:
        assert folded("DEBUG = False\n" + body) == "DEBUG = False\n" + body


TESTS = st.sampled_from(
    [
        "on",
        "not on",
        "x",
        "on and x",
        "x or on",
        "not on or x",
        "x and y",
        "(x or y) and on",
        "on == 1",
        "x if on else y",
    ]
)


@st.composite
def blocks(draw: st.DrawFn, depth: int = 3) -> list[str]:
    lines: list[str] = []
    for _ in range(draw(st.integers(1, 3))):
        if depth == 0 or draw(st.booleans()):
            number = draw(st.integers(0, 99))
            lines.append(draw(st.sampled_from([f"say({number})", f"say('''a\n  b{number}''')", f"say({number})  # é"])))
            continue
        lines.append(f"if {draw(TESTS)}:" + draw(st.sampled_from(["", "  # why"])))
        lines += indented(draw(blocks(depth - 1)))
        for _ in range(draw(st.integers(0, 2))):
            lines.append(f"elif {draw(TESTS)}:")
            lines += indented(draw(blocks(depth - 1)))
        if draw(st.booleans()):
            lines.append("else:")
            lines += indented(draw(blocks(depth - 1)))
    return lines


def indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def said(text: str, *, x: bool, y: bool) -> list[object]:
    found: list[object] = []
    exec(text, {"on": True, "x": x, "y": y, "say": found.append})
    return found


@given(blocks())
@settings(max_examples=150, deadline=None)
def test_a_folded_text_does_what_it_did(lines: list[str]) -> None:
    before = "\n".join(lines) + "\n"
    text = Source.decode("x.py", Kind.PYTHON, before.encode())
    stages = Stages(text)
    while True:
        file_map = FileMap(stages.last, parse(stages.last))
        known: dict[int, object] = {
            id(node): True for node in file_map.nodes() if isinstance(node, ast.Name) and node.id == "on"
        }
        edits = branch_edits(file_map, known)
        if not edits:
            break
        stages.apply(edits)
    after = stages.last.text
    for x in (False, True):
        for y in (False, True):
            assert said(after, x=x, y=y) == said(before, x=x, y=y)
    if " on" not in before:
        assert after == before
