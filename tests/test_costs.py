"""What a text costs grows with its length, not with its square: parsed characters and compared names are counted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from mapping_documents import dumps, json_documents, operations, yaml_documents

from adalint.cells import style_of
from adalint.embedded import embedded_in
from adalint.engine import check_source, fix_source, ignore_source
from adalint.findings import Safety
from adalint.fixes import ignore_edits, layout, mapping_steps
from adalint.fixes.mapping_edits import place
from adalint.fixes.operations import Operation, Remove, Set, Unplaceable
from adalint.notebook import in_file
from adalint.readers import mappings
from adalint.readers.errors import ReadError
from adalint.readers.mappings import read_sites, read_tree
from adalint.settings import Settings, stands_for
from adalint.source import Kind, Source, kind_of
from adalint.suppress import directives_of
from adalint.values import Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from adalint.cells import Style
    from adalint.embedded import Embedded
    from adalint.fixes.layout import Layout, Part
    from adalint.readers.tree import Alias, Mapping, Tree
    from adalint.site import Site
    from adalint.source import Edit
    from adalint.suppress import Directive


def source_of(path: str, text: str) -> Source:
    kind = kind_of(path)
    assert kind is not None
    return Source.decode(path, kind, text.encode())


def many(kind: str, count: int) -> Source:
    text = {
        "keys.yaml": "".join(f"a{i}:\n  peft_type: ADALORA\n  init_r: 4\n" for i in range(count)),
        "nested.yaml": "all:\n" + "".join(f"  a{i}:\n    peft_type: ADALORA\n    init_r: 4\n" for i in range(count)),
        "items.yaml": "- adalora: {init_r: 4, target_r: 8}\n" * count,
        "documents.yaml": "---\npeft_type: ADALORA\ninit_r: 4\n" * count,
        "merged.yaml": "base: &b {tinit: 3}\nruns:\n" + "- <<: *b\n  peft_type: ADALORA\n  init_r: 4\n" * count,
        "ended.yaml": "---\npeft_type: ADALORA\ninit_r: 4\n...\n" * count,
        "list.json": json.dumps([{"peft_type": "ADALORA", "init_r": 4}] * count),
    }[kind]
    return source_of(kind, text)


@pytest.mark.parametrize(
    "kind",
    ["keys.yaml", "nested.yaml", "items.yaml", "documents.yaml", "merged.yaml", "ended.yaml", "list.json"],
)
def test_what_is_parsed_again_to_place_fixes_grows_with_the_text(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = 0

    def counted(read: Callable[..., Tree]) -> Callable[..., Tree]:
        def read_and_count(source: Source, *aliases: tuple[Alias, ...]) -> Tree:
            nonlocal parsed
            parsed += len(source.content)
            return read(source, *aliases)

        return read_and_count

    for room in (mappings, mapping_steps):
        for name in ("read_json", "read_yaml"):
            monkeypatch.setattr(room, name, counted(getattr(room, name)))
    costs = []
    for count in (20, 80):
        parsed = 0
        source = many(kind, count)
        report = check_source(source, Settings())
        assert sum(any(fix.edits for fix in finding.fixes) for finding in report.findings) >= count
        costs.append(parsed / len(source.content))
    assert costs[1] < costs[0] * 1.2


def placed(site: Site, wanted: list[Operation]) -> tuple[Edit, ...] | str:
    try:
        return place(site, wanted)
    except Unplaceable as reason:
        return str(reason)


def placed_by_the_whole(site: Site, wanted: list[Operation]) -> tuple[Edit, ...] | str:
    """Place with everything read back."""

    def whole(self: Layout, _: Mapping) -> Part:
        return self.whole()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout.Layout, "part_around", whole)
        return placed(site, wanted)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_reading_back_a_part_and_the_whole_lead_to_the_same_edits(data: st.DataObject) -> None:
    document = data.draw(st.one_of(json_documents(), yaml_documents()))
    wanted, _, _ = data.draw(operations(document))
    for site in read_sites(document.source):
        edits = placed(site, wanted)
        event("placed" if isinstance(edits, tuple) else "refused")
        assert edits == placed_by_the_whole(site, wanted)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(st.data())
def test_in_any_yaml_a_part_and_the_whole_lead_to_the_same_edits(data: st.DataObject) -> None:
    text = data.draw(dumps())
    source = Source("a.yaml", Kind.YAML, text.encode())
    try:
        found = list(layout.Layout(source).mappings.values())
    except ReadError:
        assume(False)
    assume(found)
    mapping = data.draw(st.sampled_from(found))
    names = [name for name in mapping.fields if isinstance(name, str)]
    change = st.one_of(
        st.just(Set("new", "3", Literal(3))),
        *([st.sampled_from(names).map(lambda name: Set(name, "3", Literal(3)))] if names else []),
        *([st.sampled_from(names).map(Remove)] if names else []),
    )
    wanted = data.draw(st.lists(change, min_size=1, max_size=2))
    [base] = read_sites(source_of("b.yaml", "adalora: {init_r: 4, target_r: 2}\n"))
    site = type(base)(source, base.surface, mapping.span, mapping.span, {})
    assert placed(site, wanted) == placed_by_the_whole(site, wanted)


BLOCKS = ["a:\n  peft_type: ADALORA\n  init_r: 4\n", "b: 1\n", "c: &x\n  k: 1\n", "# remark\n", "t: |+\n  text\n\n\n"]
BLOCKS += ["d:\n- adalora: {init_r: 4}\n- adalora:\n    r: 8\n    init_r: 4\n", "---\n", "...\n", "e: [\n1, 2\n]\n"]
BLOCKS += ["f: *x\n", "g:\n  adalora:\n    <<: {init_r: 4}\n    r: 2\n", "h: &y\n  adalora:\n    init_r: 4\n", "i:\n"]


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(st.lists(st.sampled_from(BLOCKS), min_size=1, max_size=7), st.sampled_from(["init_r", "r", "new"]))
def test_beside_anything_a_part_and_the_whole_lead_to_the_same_edits(blocks: list[str], name: str) -> None:
    try:
        sites = read_sites(source_of("a.yaml", "".join(blocks)))
    except ReadError:
        assume(False)
    for site in sites:
        for wanted in (Set(name, "3", Literal(3)), Set(name, "[3]", Literal([3])), Remove(name)):
            assert placed(site, [wanted]) == placed_by_the_whole(site, [wanted])


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("b: 1\na:\n  init_r: 4\n# c\nd: 2\n", "a:\n  init_r: 4\n# c\n"),
        ("x:\n  - b: 1\n  - a: {init_r: 4}\n  - c\n", "  - a: {init_r: 4}\n"),
        ("b: 1\n---\ninit_r: 4\n---\nc: 1\n", "---\ninit_r: 4\n"),
        ("b: &b 1\na:\n  c: *b\n  init_r: 4\nd: 2\n", "a:\n  c: *b\n  init_r: 4\n"),
        ("b: 1\na:\n  c: &c 1\n  init_r: 4\nd: *c\n", "b: 1\na:\n  c: &c 1\n  init_r: 4\nd: *c\n"),
        ("b: &b 1\na:\n  init_r: 4\nd: *b\n", "a:\n  init_r: 4\n"),
        ("b: 1\n...\n---\ninit_r: 4\n", "---\ninit_r: 4\n"),
        ("---\ninit_r: 4\n...\n---\nb: 1\n", "---\ninit_r: 4\n"),
        ("%YAML 1.1\n---\nb: 1\n---\ninit_r: 4\n", "%YAML 1.1\n---\nb: 1\n---\ninit_r: 4\n"),
        ("? b\n: 1\n? a\n: {init_r: 4}\n", "? b\n: 1\n? a\n: {init_r: 4}\n"),
    ],
)
def test_a_part_is_the_smallest_that_can_be_read_alone(text: str, part: str) -> None:
    source = source_of("a.yaml", text)
    mapping = next(node for node in layout.Layout(source).mappings.values() if "init_r" in node.fields)
    found = layout.Layout(source).part_around(mapping)
    assert source.slice(found.span) == part
    assert read_tree(source_of("a.yaml", part), found.aliases).documents


def test_a_suppression_of_many_words_knows_where_each_stands() -> None:
    words = [f"é{number}" for number in range(3_000)]
    source = source_of("a.yaml", f"a: 1  # adalint: ignore[{','.join(words)}]\n")
    [directive] = directives_of(source)
    assert [source.slice(word.span) for word in directive.words] == words


def test_words_that_silence_nothing_are_looked_up_once_for_each_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0

    def counted(selector: str, code: str, name: str) -> bool:
        nonlocal asked
        asked += 1
        return stands_for(selector, code, name)

    monkeypatch.setattr("adalint.suppress.stands_for", counted)
    costs = []
    for count in (50, 200):
        asked = 0
        words = ",".join(f"bogus-{number}" for number in range(count))
        source = source_of("a.yaml", f"adalora:\n  init_r: 4  # adalint: ignore[{words}]\n")
        assert len(check_source(source, Settings()).findings) > count
        costs.append(asked / count)
    assert costs[1] <= costs[0] * 1.2


@pytest.mark.parametrize("gone", [(0,), (1,), (3,), (0, 1), (1, 2), (2, 3), (0, 3), (1, 3), (0, 2)])
def test_taking_words_out_of_a_suppression_leaves_the_others(gone: tuple[int, ...]) -> None:
    words = ["ADA201" if number in gone else "ADA102" for number in range(4)]
    source = source_of("a.yaml", f"adalora:\n  init_r: 4  # adalint: ignore[{','.join(words)}]\n")
    [finding] = [one for one in check_source(source, Settings()).findings if one.code == "ADA902"]
    [edit] = finding.fixes[0].edits
    [directive] = directives_of(source.apply([edit]))
    assert [word.text for word in directive.words] == [word for word in words if word == "ADA102"]


def test_a_fix_that_is_refused_among_many_costs_two_readings_for_each_doubling(monkeypatch: pytest.MonkeyPatch) -> None:
    """The objection is made up: no fix that ships earns one."""
    asked = 0

    def object_to_99(before: Source, after: Source, settings: Settings) -> str | None:
        nonlocal asked
        asked += 1
        return "no" if b"r=99 had" in after.content else None

    monkeypatch.setattr("adalint.engine._objection", object_to_99)
    costs = []
    for count in (16, 64):
        asked = 0
        calls = "AdaLoraConfig(r=16, total_step=9)\n" * (count - 1) + "AdaLoraConfig(r=99, total_step=9)\n"
        fixed = fix_source(source_of("a.py", f"from peft import AdaLoraConfig\n{calls}"), Settings(), Safety.SAFE)
        assert (len(fixed.applied), [one.reason for one in fixed.refused]) == (count - 1, ["no"])
        costs.append(asked)
    assert costs[1] <= costs[0] + 2 * 2


def test_the_texts_of_a_host_are_found_as_often_for_many_findings_as_for_few(monkeypatch: pytest.MonkeyPatch) -> None:
    found = 0

    def counted(source: Source) -> list[Embedded]:
        nonlocal found
        found += 1
        return embedded_in(source)

    monkeypatch.setattr("adalint.engine.embedded_in", counted)
    costs = []
    for count in (3, 12):
        found = 0
        text = "```yaml\nadalora:\n  init_r: 4\n```\n\n" * count
        assert len(ignore_source(source_of("a.md", text), Settings()).silenced) == count
        costs.append(found)
    assert costs[1] == costs[0]


def test_words_to_silence_findings_are_put_where_others_stand_without_a_search(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    can_grow = ignore_edits._can_grow

    def counted(directive: Directive, source: Source) -> bool:
        nonlocal asked
        asked += 1
        return can_grow(directive, source)

    monkeypatch.setattr(ignore_edits, "_can_grow", counted)
    costs = []
    for count in (5, 20):
        asked = 0
        text = "".join(f"a{i}:\n  adalora:\n    init_r: 4  # adalint: ignore[unused-r]\n" for i in range(count))
        assert len(ignore_source(source_of("a.yaml", text), Settings()).silenced) >= count
        costs.append(asked / count)
    assert costs[0] > 0
    assert costs[1] <= costs[0] * 1.2


def test_what_is_looked_at_to_write_edits_of_a_notebook_grows_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    read = 0

    def counted(text: str) -> Style | None:
        nonlocal read
        read += len(text)
        return style_of(text)

    monkeypatch.setattr("adalint.notebook.style_of", counted)
    costs = []
    for count in (5, 20):
        read = 0
        lines = ["from peft import AdaLoraConfig\n", "AdaLoraConfig(r=16, total_step=9)"]
        cells = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": lines}] * count
        notebook = source_of(
            "a.ipynb", json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
        )
        report = in_file(check_source(notebook, Settings()))
        assert sum(any(fix.edits for fix in finding.fixes) for finding in report.findings) >= count
        costs.append(read / len(report.source.content))
    assert costs[0] > 0
    assert costs[1] <= costs[0] * 1.2
