"""Edits of JSON and YAML mappings: what is asked for happens, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from mapping_documents import Document, dumps, is_storable, json_documents, load, operations, yaml_documents

from adalint.fixes.mapping_edits import place
from adalint.fixes.operations import Note, Operation, Remove, Rename, Set, Swap, Unplaceable
from adalint.readers.mappings import read_sites, read_tree
from adalint.readers.tree import Mapping, Node, Sequence, Tree
from adalint.site import Site, Surface
from adalint.source import Source, kind_of
from adalint.values import UNKNOWN, Literal, Symbol

JSON = "adapter_config.json"
YAML = "config.yaml"


def source_of(path: str, text: str) -> Source:
    kind = kind_of(path)
    assert kind is not None
    return Source.decode(path, kind, text.encode())


def edited(path: str, text: str, *wanted: Operation) -> str:
    source = source_of(path, text)
    (site,) = read_sites(source)
    return source.apply(place(site, wanted)).text


def number(name: str, value: float, after: str | None = None) -> Set:
    return Set(name, repr(value), Literal(value), after)


def find_mapping(data: list[object]) -> object:
    """Give the configuration of a generated document: the root of JSON, the value of `adalora` in YAML."""
    stack = list(data)
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            if "adalora" in value:
                return value["adalora"]
            stack += value.values()
    return data[0]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_operations_lead_to_exactly_the_wanted_entries(data: st.DataObject) -> None:
    document: Document = data.draw(json_documents() | yaml_documents())
    wanted, expected, gone = data.draw(operations(document))
    (site,) = read_sites(document.source)
    edits = place(site, wanted)
    after = document.source.apply(edits)

    assert list(find_mapping(load(after)).items()) == expected
    assert after.content.startswith(document.before)
    assert after.content.endswith(document.after)
    for entry in document.entries:
        for comment in [*entry.above, *([entry.behind] if entry.behind else [])]:
            assert (comment in after.text) == (entry.key not in gone), comment
    named = {name for name, _ in expected}
    for operation in wanted:
        if isinstance(operation, Note) and operation.field in named:
            assert after.text.count(operation.text) == 1
    old, new = load(document.source), load(after)
    find_mapping(old).clear()
    find_mapping(new).clear()
    assert old == new


LINES = '{\n  "peft_type": "ADALORA",\n  "r": 16,\n  "target_modules": ["q"]\n}\n'


@pytest.mark.parametrize(
    ("text", "wanted", "expected"),
    [
        (LINES, [Remove("r")], LINES.replace('  "r": 16,\n', "")),
        (LINES, [Remove("target_modules")], LINES.replace(',\n  "target_modules": ["q"]', "")),
        (LINES, [Rename("r", "init_r")], LINES.replace('"r"', '"init_r"')),
        (LINES, [number("total_step", 9)], LINES.replace('["q"]', '["q"],\n  "total_step": 9')),
        (LINES, [number("init_r", 9, "r")], LINES.replace("16,", '16,\n  "init_r": 9,')),
        (LINES, [number("init_r", 12, "r"), Remove("r")], LINES.replace('"r": 16', '"init_r": 12')),
        ('{"peft_type":"ADALORA"}', [number("tinit", 0)], '{"peft_type":"ADALORA","tinit":0}'),
        ('{"peft_type": "ADALORA", "r": 8}', [Remove("r")], '{"peft_type": "ADALORA"}'),
        ('{"peft_type": "ADALORA", "r": 8}', [Remove("peft_type")], '{"r": 8}'),
        ('{"peft_type": "ADALORA"}', [Remove("peft_type")], "{}"),
        ('{"r": 1, "peft_type": "ADALORA", "r": 8}', [Remove("r")], '{"peft_type": "ADALORA"}'),
        ('{"r": 1, "peft_type": "ADALORA", "r": 8}', [number("r", 9)], '{"r": 1, "peft_type": "ADALORA", "r": 9}'),
    ],
)
def test_json_keeps_its_layout(text: str, wanted: list[Operation], expected: str) -> None:
    assert edited(JSON, text, *wanted) == expected


BLOCK = "adalora:\n  # why\n  r: 16  # big\n\n  init_r: 4 # small; \"x\n  'target_r': 8\nz: 1\n"


@pytest.mark.parametrize(
    ("text", "wanted", "expected"),
    [
        (BLOCK, [Remove("r")], BLOCK.replace("  # why\n  r: 16  # big\n", "")),
        (BLOCK, [Rename("target_r", "tinit")], BLOCK.replace("'target_r'", "'tinit'")),
        (BLOCK, [Swap("init_r", "target_r")], BLOCK.replace("4 #", "8 #").replace("': 8", "': 4")),
        (BLOCK, [Note("init_r", "# n")], BLOCK.replace('"x', '"x; n')),
        (BLOCK, [Note("target_r", "n")], BLOCK.replace("': 8", "': 8  # n")),
        (BLOCK, [number("tinit", 3, "r")], BLOCK.replace("# big\n", "# big\n  tinit: 3\n")),
        (BLOCK, [number("tinit", 3)], BLOCK.replace("': 8\n", "': 8\n  'tinit': 3\n")),
        ("adalora: {init_r: 8}", [Note("init_r", "n")], "adalora: {init_r: 8}  # n"),
        ("adalora: {\n  r: 8\n}\n", [Note("r", "n"), number("tinit", 0)], "adalora: {\n  r: 8,  # n\n  tinit: 0\n}\n"),
        ("adalora: {init_r: 8} # a", [number("tinit", 0)], "adalora: {init_r: 8, tinit: 0} # a"),
        ("adalora: {init_r: '#', r: 8}", [Note("r", "n")], "adalora: {init_r: '#', r: 8}  # n"),
        ("adalora:\n  init_r:\n  r: 3", [number("init_r", 8)], "adalora:\n  init_r: 8\n  r: 3"),
        ("x:\n- peft_type: ADALORA\n  r: 8\n", [Remove("peft_type")], "x:\n- r: 8\n"),
        ("x:\n- peft_type: ADALORA\n  r: 8\n", [number("tinit", 1)], "x:\n- peft_type: ADALORA\n  r: 8\n  tinit: 1\n"),
        ("adalora:\n  init_r: 8\nz: 1\n", [Remove("init_r")], "adalora:\n  {}\nz: 1\n"),
        ("adalora:\n  init_r: &n 8\n", [number("init_r", 9)], "adalora:\n  init_r: 9\n"),
        ("n: &n 8\nadalora:\n  init_r: *n\n", [number("init_r", 9)], "n: &n 8\nadalora:\n  init_r: 9\n"),
        (
            "# yaml-language-server: x\npeft_type: ADALORA\nr: 8\n",
            [Remove("peft_type")],
            "# yaml-language-server: x\nr: 8\n",
        ),
    ],
)
def test_yaml_keeps_its_layout(text: str, wanted: list[Operation], expected: str) -> None:
    assert edited(YAML, text, *wanted) == expected


MERGED = "base: &b {r: 16, init_r: 3}\nadalora:\n  <<: *b\n  target_r: 4\n"


def test_setting_a_merged_value_overrides_it_in_the_own_mapping() -> None:
    assert edited(YAML, MERGED, number("init_r", 12, "init_r")) == MERGED + "  init_r: 12\n"


@pytest.mark.parametrize(
    ("path", "text", "wanted", "reason"),
    [
        (YAML, MERGED, Remove("r"), "line 1"),
        (YAML, MERGED, Rename("r", "tinit"), "line 1"),
        (YAML, MERGED, Note("r", "n"), "line 1"),
        (YAML, MERGED, Swap("r", "target_r"), "line 1"),
        (YAML, MERGED, Rename("target_r", "init_r"), "written already"),
        (YAML, MERGED.replace("target_r", "init_r"), Remove("init_r"), "merges"),
        (YAML, "adalora: &a {init_r: 8}\nx: *a\n", number("init_r", 9), "anchor"),
        (YAML, "adalora: &a {init_r: 8}\nx: *a\n", number("tinit", 9), "anchor"),
        (YAML, "d: &a {init_r: 8}\nadalora: *a\n", number("init_r", 9), "alias"),
        (YAML, "adalora: {init_r: &n 8}\nx: *n\n", number("init_r", 9), "anchor"),
        (YAML, "adalora: {init_r: 8}\n", Set("tinit", "1e-4", Literal(0.0001)), "not how YAML"),
        (YAML, "adalora: {init_r: 8}\n", Set("tinit", "None", Literal(None)), "not how YAML"),
        (YAML, "adalora: {init_r: 8}\n", Set("tinit", "max(1, R)", UNKNOWN), "no expressions"),
        (YAML, "adalora: {init_r: 8}\n", Set("tinit", "R", Symbol("R")), "no expressions"),
        (YAML, "adalora: {init_r: 8}\n", Remove("r"), "not written"),
        (YAML, "adalora: {init_r: 8}\n", Note("init_r", "a\nb"), "one line"),
        (YAML, "adalora:\n  init_r: 8\n  bias: |\n    x\n", Note("bias", "n"), "scalar"),
        (YAML, "adalora: {init_r: 8, bias: 'a\n  b'}\n", Note("init_r", "n"), "scalar"),
        (YAML, "adalora: {init_r: 8, r: 1, r: 2}\n", Rename("r", "tinit"), "twice"),
        (YAML, "adalora:\n  init_r: 8\n  bias: |\n    x\n", Swap("bias", "init_r"), "several lines"),
        (YAML, "p: {class_path: peft.AdaLoraConfig}\n", number("init_r", 8), "init_args"),
        (JSON, LINES, Note("r", "n"), "JSON has no comments"),
        (JSON, LINES, Set("r", "None", Literal(None)), "not how JSON"),
        (JSON, LINES, Set("r", "8", Literal(True)), "not how JSON"),
    ],
)
def test_what_cannot_be_placed_exactly_says_why(path: str, text: str, wanted: Operation, reason: str) -> None:
    with pytest.raises(Unplaceable, match=reason):
        edited(path, text, wanted)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_added_lines_end_like_the_others(newline: str) -> None:
    text = newline.join(["adalora:", "  init_r: 8", "z: 1", ""])
    assert edited(YAML, text, number("tinit", 1)) == newline.join(["adalora:", "  init_r: 8", "  tinit: 1", "z: 1", ""])


def test_a_text_block_that_keeps_its_blank_lines_is_not_cut_short() -> None:
    text = "adalora:\n  init_r: 8\n  bias: |+\n    x\n\n\nz: 1\n"
    with pytest.raises(Unplaceable):
        edited(YAML, text, number("tinit", 1))


def test_a_comment_is_found_by_position_not_by_pattern() -> None:
    text = 'adalora:\n  task_type: "a # b"\n  init_r: 8\n'
    assert edited(YAML, text, Note("task_type", "n")) == text.replace('b"', 'b"  # n')


def mappings_of(tree: Tree) -> list[tuple[list[Any], Mapping]]:
    """List the mappings of a text with the way to each through the loaded documents."""
    found: list[tuple[list[Any], Mapping]] = []
    stack: list[tuple[list[Any], Node]] = [([number], node) for number, node in enumerate(tree.documents)]
    while stack:
        way, node = stack.pop()
        if isinstance(node, Mapping):
            found.append((way, node))
            stack += [([*way, key], field.entry.value) for key, field in node.fields.items()]
        elif isinstance(node, Sequence):
            stack += [([*way, number], item) for number, item in enumerate(node.items)]
    return found


def changed(entries: dict[Any, Any], operation: Operation) -> dict[Any, Any]:
    """Do to loaded data what an operation does to its text."""
    match operation:
        case Set(name, _, Literal(value)):
            return entries | {name: value}
        case Remove(name):
            return {key: value for key, value in entries.items() if key != name}
        case Rename(name, to):
            return {to if key == name else key: value for key, value in entries.items()}
    raise AssertionError(operation)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(st.data())
def test_in_any_yaml_an_operation_is_done_exactly_or_refused(data: st.DataObject) -> None:
    source = source_of(YAML, data.draw(dumps().filter(is_storable)))
    found = mappings_of(read_tree(source))
    assume(found)
    way, mapping = data.draw(st.sampled_from(found))
    names = [name for name in mapping.fields if isinstance(name, str)]
    operation = data.draw(
        st.sampled_from(
            [number("new_field", 8), *(op for n in names for op in (number(n, 8), Remove(n), Rename(n, "other")))]
        )
    )
    site = Site(source, Surface.BLOCK, mapping.span, mapping.span, {})
    try:
        after = source.apply(place(site, [operation]))
    except Unplaceable:
        event("refused")
        return
    event("done")
    expected = load(source)
    holder: Any = expected
    for step in way[:-1]:
        holder = holder[step]
    holder[way[-1]] = changed(holder[way[-1]], operation)
    assert repr(load(after)) == repr(expected)
