"""Placing operations in a Python call: what is named changes, and not one byte besides."""

from __future__ import annotations

import ast
import tokenize
from dataclasses import dataclass
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adalint.fixes.operations import Note, Remove, Rename, Set, Swap, Unplaceable
from adalint.fixes.python_edits import place
from adalint.readers import read_sites
from adalint.source import Kind, Source
from adalint.values import Literal

HEAD = "from peft import AdaLoraConfig\n"


def placed(call: str, *operations) -> str:
    source = Source.decode("a.py", Kind.PYTHON, (HEAD + call).encode())
    [site] = read_sites(source)
    return source.apply(place(site, operations)).text.removeprefix(HEAD)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("AdaLoraConfig(r=1)", "AdaLoraConfig()"),
        ("AdaLoraConfig(r=1,)", "AdaLoraConfig()"),
        ("AdaLoraConfig(r=1, a=2)", "AdaLoraConfig(a=2)"),
        ("AdaLoraConfig(a=2, r=1)", "AdaLoraConfig(a=2)"),
        ("AdaLoraConfig(a=2, r=1,)", "AdaLoraConfig(a=2,)"),
        ("AdaLoraConfig(a=2, r=1, b=3)", "AdaLoraConfig(a=2, b=3)"),
        ("AdaLoraConfig(\n    a=2,\n    r=1,\n)", "AdaLoraConfig(\n    a=2,\n)"),
        ("AdaLoraConfig(\n    a=2,\n    r=1\n)", "AdaLoraConfig(\n    a=2,\n)"),
        ("AdaLoraConfig(\n    r=1,  # the rank\n    a=2,  # mine\n)", "AdaLoraConfig(\n    a=2,  # mine\n)"),
        ("AdaLoraConfig(\n    a=2,  # mine\n    # the rank\n    r=1,\n)", "AdaLoraConfig(\n    a=2,  # mine\n)"),
        (
            "AdaLoraConfig(\n    # a section\n\n    # the rank\n    r=1,\n    a=2,\n)",
            "AdaLoraConfig(\n    # a section\n\n    a=2,\n)",
        ),
        ("AdaLoraConfig(\n    a=2,  # mine\n    r=1)", "AdaLoraConfig(\n    a=2,  # mine\n    )"),
        ("AdaLoraConfig(a=2,\n              r=1)", "AdaLoraConfig(a=2)"),
        ("AdaLoraConfig(r=1,\n              a=2)", "AdaLoraConfig(a=2)"),
        ("AdaLoraConfig(r=1,  # the rank\n              a=2)", "AdaLoraConfig(\n              a=2)"),
        ("AdaLoraConfig(\n    a=2, r=1,  # both\n    b=3,\n)", "AdaLoraConfig(\n    a=2,  # both\n    b=3,\n)"),
        ("AdaLoraConfig(\n    r=(\n        1\n    ),\n    b=3,\n)", "AdaLoraConfig(\n    b=3,\n)"),
        ("AdaLoraConfig(a=f(1, 2), r=(1), b=')')", "AdaLoraConfig(a=f(1, 2), b=')')"),
        ("AdaLoraConfig(r=1, **rest)", "AdaLoraConfig(**rest)"),
    ],
)
def test_remove_takes_the_argument_its_comma_and_its_own_comments(before, after):
    assert placed(before, Remove("r")) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("AdaLoraConfig()", "AdaLoraConfig(t=5)"),
        ("AdaLoraConfig(a=2)", "AdaLoraConfig(a=2, t=5)"),
        ("AdaLoraConfig(a=2, b=3)", "AdaLoraConfig(a=2, t=5, b=3)"),
        ("AdaLoraConfig(\n    a=2,\n    b=3,\n)", "AdaLoraConfig(\n    a=2,\n    t=5,\n    b=3,\n)"),
        ("AdaLoraConfig(\n    b=3,\n    a=2\n)", "AdaLoraConfig(\n    b=3,\n    a=2,\n    t=5\n)"),
        ("AdaLoraConfig(\n\ta=2,  # mine\n\tb=3,\n)", "AdaLoraConfig(\n\ta=2,  # mine\n\tt=5,\n\tb=3,\n)"),
        ("AdaLoraConfig(\r\n    a=2,\r\n)", "AdaLoraConfig(\r\n    a=2,\r\n    t=5,\r\n)"),
        ("AdaLoraConfig(a=2,\n              b=3)", "AdaLoraConfig(a=2, t=5,\n              b=3)"),
        ("AdaLoraConfig(t=4, a=2)", "AdaLoraConfig(t=5, a=2)"),
        ("AdaLoraConfig(t=(1 +\n 2), a=2)", "AdaLoraConfig(t=5, a=2)"),
        ("AdaLoraConfig(a=2, **rest)", "AdaLoraConfig(a=2, t=5, **rest)"),
    ],
)
def test_set_replaces_the_value_or_adds_the_argument_in_the_calls_own_layout(before, after):
    assert placed(before, Set("t", "5", Literal(5), after="a")) == after


def test_set_is_not_placed_where_a_comment_stands_in_the_place_of_the_comma():
    with pytest.raises(Unplaceable, match="comment"):
        placed("AdaLoraConfig(\n    a=2  # last\n)", Set("t", "5", Literal(5), after="a"))


def test_swap_exchanges_the_values_as_they_are_written():
    assert placed("AdaLoraConfig(a=(1 + 1), b= 0x10)", Swap("a", "b")) == "AdaLoraConfig(a=0x10, b= (1 + 1))"


def test_rename_and_set_work_together_on_one_argument():
    result = placed("AdaLoraConfig(r = 16)", Rename("r", "init_r"), Set("init_r", "12", Literal(12)))
    assert result == "AdaLoraConfig(init_r = 12)"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("c = AdaLoraConfig(r=1)", "c = AdaLoraConfig(r=1)  # gone"),
        ("c = AdaLoraConfig(r=1)\n", "c = AdaLoraConfig(r=1)  # gone\n"),
        ("AdaLoraConfig(r=1)  # noqa: E501\n", "AdaLoraConfig(r=1)  # noqa: E501  # gone\n"),
        ("AdaLoraConfig(\n    r=1,\n    a='#',\n)", "AdaLoraConfig(\n    r=1,  # gone\n    a='#',\n)"),
        ("AdaLoraConfig(r=1, a='# not a comment')", "AdaLoraConfig(r=1, a='# not a comment')  # gone"),
        ("AdaLoraConfig(\r\n    r=1,\r\n)\r\n", "AdaLoraConfig(\r\n    r=1,  # gone\r\n)\r\n"),
        ("c = [AdaLoraConfig(r=1),\r     2]\r", "c = [AdaLoraConfig(r=1),  # gone\r     2]\r"),
    ],
)
def test_note_puts_a_comment_at_the_end_of_the_arguments_line(before, after):
    assert placed(before, Note("r", "gone")) == after


@pytest.mark.parametrize("call", ["AdaLoraConfig(r=1, a='''x\ny''')", "c = AdaLoraConfig(r=1) + \\\n    2"])
def test_note_is_not_placed_where_no_comment_can_stand(call):
    with pytest.raises(Unplaceable, match="no comment can stand"):
        placed(call, Note("r", "gone"))


NAMES = ["init_r", "target_r", "deltaT", "lora_alpha", "bias", "r"]
VALUES = ["16", "(8)", "-1", "R * 2", "max(1, R)", "'é,#)'", '"中 # 😀"', "[1,\n  2]", "{'a': (1, 2)}", "f(\n1)"]


@dataclass(frozen=True)
class Written:
    """A generated call: its text, and which argument owns which comment."""

    text: str
    names: list[str]
    values: dict[str, str]
    owners: dict[str, str | None]


@st.composite
def calls(draw) -> Written:
    """Draw a call in any layout: one line or many, comments above and behind, with and without a last comma."""
    newline = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1, max_size=5))
    values = {name: draw(st.sampled_from(VALUES)).replace("\n", newline) for name in names}
    indent = draw(st.sampled_from(["    ", "\t", " "]))
    owners: dict[str, str | None] = {}
    pieces = [draw(st.sampled_from(["", "# é" + newline])), "c = AdaLoraConfig("]
    on_new_line = draw(st.booleans())
    if on_new_line:
        pieces.append(newline)
    for index, name in enumerate(names):
        if on_new_line:
            if draw(st.integers(0, 3)) == 0:
                comment = f"# above {index} 中"
                owners[comment] = name
                pieces.append(f"{indent}{comment}{newline}")
            pieces.append(indent)
        elif index:
            pieces.append(draw(st.sampled_from([" ", ""])))
        last = index == len(names) - 1
        comma = "," if not last or draw(st.booleans()) else ""
        pieces.append(f"{name}{draw(st.sampled_from(['=', ' = ']))}{values[name]}{comma}")
        on_new_line = draw(st.booleans())
        if on_new_line:
            if draw(st.integers(0, 2)) == 0:
                comment = f"# behind {index} ü"
                owners[comment] = name
                pieces.append(f"  {comment}")
            pieces.append(newline)
    pieces.append(")" + draw(st.sampled_from(["", "  # after", "; x = 'é'"])) + newline)
    return Written("".join(pieces), names, values, owners)


def arguments(text: str) -> dict[str, str]:
    call = next(node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call) and node.keywords)
    return {keyword.arg or "**": ast.dump(keyword.value) for keyword in call.keywords}


def comments(text: str) -> list[str]:
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    return [
        token.string for token in tokenize.generate_tokens(StringIO(unified).readline) if token.type == tokenize.COMMENT
    ]


def apply(written: Written, *operations) -> str:
    source = Source.decode("a.py", Kind.PYTHON, (HEAD + written.text).encode())
    [site] = read_sites(source)
    edits = place(site, operations)
    outside = [edit for edit in edits if not site.span.contains(edit.span)]
    assert all(edit.text.startswith("  # ") and edit.span.start == edit.span.stop for edit in outside)
    assert source.apply(outside).content[: site.span.start] == source.content[: site.span.start]
    return source.apply(edits).text.removeprefix(HEAD)


@given(calls(), st.data())
def test_removing_an_argument_leaves_all_others_and_their_comments(written, data):
    victim = data.draw(st.sampled_from(written.names))
    after = apply(written, Remove(victim))
    expected = arguments(written.text)
    del expected[victim]
    if expected:
        assert arguments(after) == expected
        assert list(arguments(after)) == list(expected)
    else:
        ast.parse(after)
    kept = [comment for comment in comments(written.text) if written.owners.get(comment) != victim]
    assert [comment for comment in comments(after) if written.owners.get(comment) != victim] == kept


@given(calls(), st.sampled_from(["7", "max(1, R * 2 // 3)"]), st.data())
def test_setting_a_field_changes_that_field_and_no_comment(written, text, data):
    name = data.draw(st.sampled_from(NAMES))
    after_name = data.draw(st.sampled_from([*written.names, None]))
    try:
        after = apply(written, Set(name, text, Literal(7), after=after_name))
    except Unplaceable:
        assert name not in written.names
        return
    expected = arguments(written.text)
    expected[name] = ast.dump(ast.parse(text, mode="eval").body)
    assert arguments(after) == expected
    assert comments(after) == comments(written.text)


@given(calls(), st.data())
def test_swapping_two_fields_exchanges_their_values_only(written, data):
    if len(written.names) < 2:
        return
    first, second = data.draw(st.permutations(written.names))[:2]
    after = apply(written, Swap(first, second))
    expected = arguments(written.text)
    expected[first], expected[second] = expected[second], expected[first]
    assert arguments(after) == expected
    assert comments(after) == comments(written.text)
    assert sorted(after) == sorted(written.text)


@given(calls(), st.data())
def test_renaming_with_a_new_value_and_a_note_changes_one_argument_and_adds_one_comment(written, data):
    victim = data.draw(st.sampled_from(written.names))
    operations = (Rename(victim, "tinit"), Set("tinit", "12", Literal(12)), Note("tinit", f"{victim}=old"))
    try:
        after = apply(written, *operations)
    except Unplaceable:
        return
    expected = {("tinit" if name == victim else name): value for name, value in arguments(written.text).items()}
    expected["tinit"] = ast.dump(ast.Constant(12))
    assert arguments(after) == expected
    joined = "\n".join(comments(after))
    assert joined.count(f"# {victim}=old") == 1
    assert joined.replace(f"  # {victim}=old", "").replace(f"# {victim}=old\n", "").count("#") >= len(
        comments(written.text)
    )
