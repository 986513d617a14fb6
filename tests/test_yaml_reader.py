"""The positioned YAML reader agrees with PyYAML's SafeLoader, knows its bytes, and fails in words."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from mapping_documents import NUMBER_LIKE, WORDS, dumps, is_storable, yaml_documents

from adalint.readers.errors import ReadError, TemplateError
from adalint.readers.tree import MAX_WEIGHT, Alias, Mapping, Node, Scalar, Sequence, Tree, nodes
from adalint.readers.yaml_reader import read_yaml
from adalint.source import Kind, Position, Source
from adalint.values import UNKNOWN


def source_of(text: str) -> Source:
    return Source("config.yaml", Kind.YAML, text.encode())


def root_of(text: str) -> Node:
    return read_yaml(source_of(text)).documents[0]


def value_of(text: str) -> Any:
    return root_of(text).value


def check_against_pyyaml(text: str) -> Tree:
    """Compare all documents with SafeLoader's, by type, order and NaN too."""
    tree = read_yaml(source_of(text))
    assert repr([node.value for node in tree.documents]) == repr(list(yaml.safe_load_all(text)))
    return tree


@settings(deadline=None, max_examples=300)
@given(dumps().filter(is_storable))
def test_values_equal_those_of_safe_load(text: str) -> None:
    check_against_pyyaml(text)


@settings(deadline=None)
@given(yaml_documents())
def test_values_equal_those_of_safe_load_among_comments(document: Any) -> None:
    check_against_pyyaml(document.source.text)


@settings(deadline=None)
@given(NUMBER_LIKE | WORDS | st.text("0123456789_.:+-eExob", min_size=1, max_size=8))
def test_plain_scalars_resolve_as_in_yaml_1_1(scalar: str) -> None:
    text = f"k: {scalar}\n"
    try:
        expected = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        # SafeLoader itself gives up (a month 99, a lone `=`): what no loader knows must not become a number here.
        try:
            found = read_yaml(source_of(text)).documents[0]
        except ReadError:
            return
        assert found.value is UNKNOWN or found.value == {"k": "="}
    else:
        assert repr(value_of(text)) == repr(expected)


@settings(deadline=None, max_examples=200)
@given(dumps().filter(is_storable))
def test_the_span_of_a_scalar_slices_back_to_its_text(text: str) -> None:
    source = source_of(text)
    for node in nodes(read_yaml(source)):
        if isinstance(node, Scalar) and node.style not in {"|", ">"} and node.value is not UNKNOWN:
            written = source.slice(node.span)
            again = yaml.safe_load(written.replace("\r\n", "\n")) if written else None
            if node.outer == node.span or (isinstance(node.value, str) and node.style):
                assert repr(again) == repr(node.value)
        elif isinstance(node, Alias):
            assert source.slice(node.span) == f"*{node.name}"
        elif isinstance(node, Sequence | Mapping) and node.flow:
            assert source.slice(node.span)[0] + source.slice(node.span)[-1] in {"[]", "{}"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1e-4", "1e-4"),
        ("1.0e4", "1.0e4"),
        ("1.e-4", 0.0001),
        (".5", 0.5),
        ("010", 8),
        ("0o10", "0o10"),
        ("5_000", 5000),
        ("yes", True),
        ("off", False),
        ("1:30", 90),
        ("None", "None"),
        ("~", None),
        ("null", None),
        ("", None),
        ("2001-02-03", datetime.date(2001, 2, 3)),
        ("'8'", "8"),
        ("!!str 8", "8"),
        ("!!float 1e4", 10000.0),
        ("! 8", 8),
        ("<r>", "<r>"),
    ],
)
def test_a_scalar_of_yaml_1_1(text: str, expected: object) -> None:
    assert value_of(f"k: {text}\n") == {"k": expected}
    assert yaml.safe_load(f"k: {text}\n") == {"k": expected}


@pytest.mark.parametrize(
    "text",
    [
        "!ENV ${R}",
        "!!python/name:os.system",
        "!!python/object/apply:os.system [ls]",
        "!custom {a: 1}",
        "!!int x",
        "!!bool 7",
    ],
)
def test_what_a_foreign_tag_makes_of_a_value_is_unknown(text: str) -> None:
    root = root_of(f"k: {text}\nr: 8\n")
    assert isinstance(root, Mapping)
    assert root.fields["k"].entry.value.value is UNKNOWN
    assert root.fields["r"].entry.value.value == 8


@pytest.mark.parametrize(
    "head",
    ["", "# é 😀 数\n", "\ufeff# é\n", "a: '😀'\r\n", "a: é\u0085", "a: é\u2028", "a: b\r", "---\né: |\n  😀\n---\n"],
)
def test_bytes_are_found_behind_any_characters(head: str) -> None:
    source = source_of(head + 'key: &x !!int "12" # é\n')
    found = {source.slice(node.span): source.slice(node.outer) for node in nodes(read_yaml(source))}
    assert found["key"] == "key"
    assert found['"12"'] == '&x !!int "12"'


def test_a_file_that_starts_with_two_byte_order_marks_keeps_its_places() -> None:
    source = Source.decode("a.yaml", Kind.YAML, b"\xef\xbb\xbf\xef\xbb\xbfkey: 12\n")
    assert {source.slice(node.span) for node in nodes(read_yaml(source))} == {"key: 12", "key", "12"}


def test_block_nodes_end_where_their_text_does() -> None:
    source = source_of("a:\n  b: |\n    text\n\n\n# comment\nc:\n  - x\n\nd:\n")
    root = read_yaml(source).documents[0]
    assert isinstance(root, Mapping)
    written = [source.slice(root.fields[name].entry.value.span) for name in "acd"]
    assert written == ["b: |\n    text", "- x", ""]


@pytest.mark.parametrize("text", ["é:\n\n# why\nb: 1\n", "é:   # why\nb: 1\n", "é:", "{é: , b: 1}"])
def test_an_absent_value_stands_right_behind_its_colon(text: str) -> None:
    source = source_of(text)
    root = read_yaml(source).documents[0]
    assert isinstance(root, Mapping)
    value = root.fields["é"].entry.value
    assert value.value is None
    assert source.content[: value.span.start].endswith("é:".encode())
    assert value.span.start == value.span.stop


MERGES = [
    "b: &b {r: 1, t: 2}\nk: {<<: *b, t: 3}\n",
    "b: &b {r: 1}\nc: &c {r: 2, s: 3}\nk:\n  x: 0\n  <<: [*b, *c]\n",
    "b: &b {r: 1}\nc: &c {<<: *b, s: 3}\nk: {<<: *c, r: 9, r: 10}\n",
    "k:\n  <<: {r: 1}\n  r: 2\n",
    "k: {<<: {r: 1}, <<: {r: 2}}\n",
    'k: {"<<": 1}\n',
    "b: &b [1]\nk: {<<: []}\n",
]


@pytest.mark.parametrize("text", MERGES)
def test_merges_are_flattened_as_safe_load_does(text: str) -> None:
    check_against_pyyaml(text)


def test_a_merged_field_is_not_the_mappings_own() -> None:
    root = root_of("b: &b {r: 1, t: 2}\nk: {<<: *b, t: 3}\n")
    assert isinstance(root, Mapping)
    inner = root.fields["k"].entry.value
    assert isinstance(inner, Mapping)
    assert {name: field.own for name, field in inner.fields.items()} == {"r": False, "t": True}


def test_a_repeated_key_keeps_both_entries_and_the_last_counts() -> None:
    root = root_of("r: 1\nt: 2\nr: 3\n")
    assert isinstance(root, Mapping)
    assert len(root.entries) == 3
    assert root.value == {"r": 3, "t": 2}


def test_an_alias_bomb_is_unknown() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    root = root_of("\n".join(lines))
    assert isinstance(root, Mapping)
    assert root.fields["a1"].entry.value.weight < MAX_WEIGHT
    assert root.fields["a29"].entry.value.value is UNKNOWN


def test_a_merge_bomb_is_refused() -> None:
    keys = ", ".join(f"k{number}: 1" for number in range(3000))
    with pytest.raises(ReadError, match="merges"):
        read_yaml(source_of(f"b: &b {{{keys}}}\nk: {{<<: [{', '.join(['*b'] * 3000)}]}}\n"))


def test_an_anchor_that_holds_itself_is_read() -> None:
    root = root_of("a: &a [1, *a]\nb: &b {<<: *b, r: 1}\n")
    assert isinstance(root, Mapping)
    assert root.value is UNKNOWN


@pytest.mark.parametrize(
    "text", ["[" * 60_000, "{a: " * 60_000, "- " * 60_000 + "a", "\n".join(" " * n + "a:" for n in range(1500))]
)
def test_nesting_without_end_is_refused(text: str) -> None:
    with pytest.raises(ReadError, match="levels deep"):
        read_yaml(source_of(text))


@pytest.mark.parametrize(
    ("text", "row", "column", "words"),
    [
        ("é: [1, 2\n", 2, 1, "did not find expected"),
        ("a:\n\tb: 1\n", 2, 1, "no tab"),
        ("a: 'open\n", 2, 1, "quoted scalar"),
        ("é: *none\n", 1, 4, "no anchor"),
        ("a: b: c\n", 1, 5, "mapping values"),
        ("a: 1\n b: 2\n", 2, 3, "mapping values"),
        ("é: \x01\n", 1, 4, "control characters"),
        ("a: " + "9" * 5000 + "\n", 1, 4, "5,000 digits"),
    ],
)
def test_bad_yaml_is_refused_at_its_place_in_words(text: str, row: int, column: int, words: str) -> None:
    source = source_of(text)
    with pytest.raises(ReadError, match=words) as caught:
        read_yaml(source)
    assert source.position(caught.value.offset) == Position(row, column)


@settings(deadline=None)
@given(st.text("[]{}:,-?&*!|>'\"%@#ab \n\t{<", max_size=20))
def test_no_text_ends_in_another_exception(text: str) -> None:
    try:
        read_yaml(source_of(text))
    except ReadError as error:
        assert 0 <= error.offset <= len(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "r: {{ r }}\n",
        "{% if big %}\nr: 16\n{% endif %}\n",
        "name: x-{{ r }}\n",
        "{{- if .Values.x }}\nr: 1\n{{- end }}\n",
        "on: push\nenv: ${{ matrix.r }}\n",
    ],
)
def test_a_template_is_told_apart(text: str) -> None:
    with pytest.raises(TemplateError):
        read_yaml(source_of(text))


@pytest.mark.parametrize(
    "text",
    [
        "# {{ r }}\nr: 1\n",
        "r: 1 # {% if %}\n",
        'chat_template: "{% for message in messages %}{{ message }}{% endfor %}"\nr: 1\n',
        "t: |\n  {{ x }}\nr: 1\n",
        "r: {a: {b: 1}}\n",
    ],
)
def test_braces_in_comments_and_quotes_are_no_template(text: str) -> None:
    root = root_of(text)
    assert isinstance(root, Mapping)
    assert "r" in root.fields


def test_broken_yaml_with_braces_only_in_a_comment_is_no_template() -> None:
    with pytest.raises(ReadError) as caught:
        read_yaml(source_of("# {{ x }}\na: [\n"))
    assert not isinstance(caught.value, TemplateError)


@pytest.mark.parametrize("text", [*MERGES, "# é 😀\na: &x [1, {b: *x}]\n", "a: |\n  é\n\nb:\n- c\n"])
def test_without_libyaml_all_is_the_same(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = source_of(text)
    fast = [(source.slice(node.outer), repr(node.value)) for node in nodes(read_yaml(source))]
    monkeypatch.delattr(yaml, "CSafeLoader")
    assert [(source.slice(node.outer), repr(node.value)) for node in nodes(read_yaml(source))] == fast


def test_without_libyaml_control_characters_are_found_behind_wide_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(yaml, "CSafeLoader")
    source = source_of("é: \x01\n")
    with pytest.raises(ReadError) as caught:
        read_yaml(source)
    assert source.position(caught.value.offset) == Position(1, 4)
