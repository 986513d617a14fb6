"""The positioned JSON reader agrees with `json.loads`, knows its bytes, and fails in words."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adalint.readers.errors import ReadError
from adalint.readers.json_reader import read_json
from adalint.readers.tree import MAX_DEPTH, Mapping, Scalar, Sequence, name_of, nodes
from adalint.source import Kind, Position, Source

BLANKS = st.text(" \t\r\n", max_size=3)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["ADALORA", "a,b]}", '"', "\\", "😀"])
)


def source_of(text: str) -> Source:
    return Source("config.json", Kind.JSON, text.encode())


@st.composite
def layouts(draw: st.DrawFn, depth: int = 3) -> str:
    """Draw JSON text with blanks anywhere, duplicate keys, and strings with and without escapes."""
    kinds = ["leaf"] if not depth else ["leaf", "list", "object"]
    match draw(st.sampled_from(kinds)):
        case "leaf":
            text = json.dumps(draw(LEAVES), ensure_ascii=draw(st.booleans()))
        case "list":
            items = draw(st.lists(layouts(depth - 1), max_size=3))
            text = "[" + ",".join(items) + draw(BLANKS) + "]"
        case _:
            keys = draw(st.lists(st.sampled_from(["r", "é", "\U0001f600", ""]) | st.text(max_size=3), max_size=3))
            pairs = [
                draw(BLANKS)
                + json.dumps(key, ensure_ascii=draw(st.booleans()))
                + draw(BLANKS)
                + ":"
                + draw(layouts(depth - 1))
                for key in keys
            ]
            text = "{" + ",".join(pairs) + draw(BLANKS) + "}"
    return draw(BLANKS) + text + draw(BLANKS)


def storable(text: str) -> bool:
    """Tell whether a text can stand in a file: lone surrogates cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


@given(layouts().filter(storable))
def test_values_equal_those_of_json_loads(text: str) -> None:
    assert repr(read_json(source_of(text)).documents[0].value) == repr(json.loads(text))


@given(layouts().filter(storable))
def test_every_span_slices_back_to_its_value(text: str) -> None:
    source = source_of(text)
    for node in nodes(read_json(source)):
        assert repr(json.loads(source.slice(node.span))) == repr(node.value)


def test_a_repeated_key_keeps_both_entries_and_the_last_counts() -> None:
    source = source_of('{"r": 1, "é": 2, "r": 3}')
    root = read_json(source).documents[0]
    assert isinstance(root, Mapping)
    assert [(name_of(entry), source.slice(entry.value.span)) for entry in root.entries] == [
        ("r", "1"),
        ("é", "2"),
        ("r", "3"),
    ]
    assert root.value == {"r": 3, "é": 2}
    assert source.slice(root.fields["r"].entry.key.span) == '"r"'


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999", "-0", "-0.0", "1E+2", "0.1e-3"])
def test_numbers_beyond_the_standard_are_read_as_python_reads_them(text: str) -> None:
    assert repr(read_json(source_of(text)).documents[0].value) == repr(json.loads(text))


@pytest.mark.parametrize(
    ("text", "row", "column", "words"),
    [
        ("", 1, 1, "the text ends here"),
        ('{"a": 1,\n "b": }', 2, 7, "expected a value"),
        ('{"é": 1,}', 1, 9, "trailing comma"),
        ("[1, 2,]", 1, 7, "trailing comma"),
        ('{"a" 1}', 1, 6, "expected `:`"),
        ("[1 2]", 1, 4, "expected `,` or `]`"),
        ('{"a": 1', 1, 8, "the text ends here"),
        ("{'a': 1}", 1, 2, "double quotes"),
        ("{a: 1}", 1, 2, "double quotes"),
        ('{"a": 1} // why', 1, 10, "no comments"),
        ('{\n  # why\n  "a": 1}', 2, 3, "no comments"),
        ('{"a": 1}\n{"a": 2}\n', 2, 1, "JSON Lines"),
        ('{"a": "b\nc"}', 1, 7, "string"),
        ('"\\x"', 1, 2, "escape"),
        ("[01]", 1, 3, "expected `,` or `]`"),
        ("[+1]", 1, 2, "expected a value"),
        ("[.5]", 1, 2, "expected a value"),
        ("[1.]", 1, 3, "expected `,` or `]`"),
        ("nul", 1, 1, "expected a value"),
        ("[}", 1, 2, "expected a value"),
        ("{]", 1, 2, "expected a key"),
        ("\ufeff{}", 1, 1, "byte-order mark"),
        ("[" + "9" * 5000 + "]", 1, 2, "5,000 digits"),
    ],
)
def test_bad_json_is_refused_at_its_place_in_words(text: str, row: int, column: int, words: str) -> None:
    source = source_of(text)
    with pytest.raises(ReadError, match=words) as caught:
        read_json(source)
    assert source.position(caught.value.offset) == Position(row, column)


@given(st.text('[]{}",:\\/#tn1e.-é \n', max_size=12))
def test_what_json_loads_refuses_is_refused_and_nothing_else(text: str) -> None:
    try:
        expected = json.loads(text)
    except ValueError:
        with pytest.raises(ReadError):
            read_json(source_of(text))
    else:
        assert repr(read_json(source_of(text)).documents[0].value) == repr(expected)


@pytest.mark.parametrize("text", ["[" * 60_000, '{"a":' * 60_000, "[" * 60_000 + "]" * 60_000])
def test_brackets_without_end_are_refused_as_too_deep(text: str) -> None:
    with pytest.raises(ReadError, match="levels deep"):
        read_json(source_of(text))


def test_nesting_up_to_the_limit_is_read() -> None:
    node = read_json(source_of("[" * MAX_DEPTH + "]" * MAX_DEPTH)).documents[0]
    depth = 0
    while isinstance(node, Sequence):
        depth += 1
        node = node.items[0] if node.items else Scalar(node.span, node.span, None)
    assert depth == MAX_DEPTH


def test_a_megabyte_is_read_whole() -> None:
    text = json.dumps(
        [{"peft_type": "ADALORA", "name": f"é{number}", "rank": [number, 0.5, None]} for number in range(14_000)]
    )
    assert len(text) > 1_000_000
    assert read_json(source_of(text)).documents[0].value == json.loads(text)


def test_a_lone_surrogate_escape_is_read() -> None:
    assert read_json(source_of('"\\ud800"')).documents[0].value == "\ud800"


def test_nan_is_no_number_that_equals_itself() -> None:
    assert math.isnan(read_json(source_of("[NaN]")).documents[0].value[0])
