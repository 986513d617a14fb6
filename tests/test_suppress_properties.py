"""What `--add-ignore` and the deletion of useless suppressions promise of any Python or YAML file."""

from __future__ import annotations

import ast
import re
from collections import Counter

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_fix_properties import python_documents, yaml_documents

from adalint.engine import check_source, fix_source, ignore_source
from adalint.findings import Safety
from adalint.settings import Settings
from adalint.source import Kind, Source, kind_of

PLAIN = Settings()
OWN_COMMENT = re.compile(rb"[ \t]*# adalint: ignore\[[^\]\r\n]*\](?:\r\n|\n|\r)")
EXPENSIVE = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def findings(source: Source, settings: Settings = PLAIN) -> Counter[tuple[str, str]]:
    return Counter((one.code, one.message) for one in check_source(source, settings).findings)


def meaning(source: Source) -> object:
    if source.kind is Kind.PYTHON:
        return ast.dump(ast.parse(source.content))
    return list(yaml.safe_load_all(source.text))


@st.composite
def python_sources(draw: st.DrawFn) -> Source:
    """Draw calls in many positions, with comments of others above and behind."""
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    pieces = ["# ü", "from peft import AdaLoraConfig"]
    for number in range(draw(st.integers(1, 3))):
        keywords = draw(
            st.lists(
                st.sampled_from(
                    ["r=16", "use_rslora=True", "init_r=8", "target_r=16", "deltaT=0", "nonsense=1", "revision='# é'"]
                ),
                unique=True,
                min_size=1,
                max_size=5,
            )
        )
        keywords.append("total_step=100")
        shape = draw(
            st.sampled_from([("(", ", ", ")"), ("(\n    ", ",\n    ", ",\n)"), ("(\n  ", ",  # why\n  ", ")")])
        )
        opening, between, closing = shape
        call = "AdaLoraConfig" + opening + between.join(keywords) + closing
        wrapped = draw(
            st.sampled_from(["{}", "c = {}", "x = [1, {}]", "d = f(\n    'é',\n    {},\n)", "z = \\\n    {}"])
        )
        above = draw(
            st.sampled_from(["", "# noqa", "# pylint: disable-next=all", "# 中文, a\n# b", f"v = {number}; \\\nu = 2"])
        )
        behind = draw(st.sampled_from(["", "  # noqa: E501", "  # type: ignore[call-arg]", "; w = 1", "  "]))
        text = wrapped.format(call) + behind
        inside = draw(st.sampled_from(["", "def f():\n", "class A:\n", "if x:\n    pass\nelse:\n"]))
        if inside and "\\" not in text:
            text = "    " + text.replace("\n", "\n    ")
            above = "    " + above.replace("\n", "\n    ") if above else ""
        else:
            inside = ""
        pieces.append(inside + (above + "\n" if above else "") + text)
    return Source.decode("a.py", Kind.PYTHON, ("\n".join(pieces) + "\n").replace("\n", newline).encode())


@st.composite
def yaml_sources(draw: st.DrawFn) -> Source:
    """Draw configurations in blocks, lists and braces, with comments of others."""
    runs = []
    for number in range(draw(st.integers(1, 3))):
        fields = draw(
            st.lists(
                st.sampled_from(["r: 16", "use_rslora: true", "init_r: 8", "target_r: 16", "deltaT: 0", "delta_t: 5"]),
                unique=True,
                min_size=1,
                max_size=4,
            )
        )
        fields = ["peft_type: ADALORA", *fields, "total_step: 100"]
        style = draw(st.sampled_from(["block", "list", "braces", "braces in lines"]))
        remark = draw(st.sampled_from(["", "  # é", "  # yamllint disable-line"]))
        if style == "block":
            text = f"run{number}:\n  note: |\n    # text\n  " + f"{remark}\n  ".join(fields)
        elif style == "list":
            text = f"run{number}:\n- " + f"{remark}\n  ".join(fields) + "\n- other: 'a # b'"
        elif style == "braces":
            text = f"run{number}: {{" + ", ".join(fields) + "}" + remark
        else:
            text = f"run{number}: {{\n    " + ",\n    ".join(fields) + f"{remark}\n  }}"
        runs.append(draw(st.sampled_from(["", "# above\n"])) + text)
    head = draw(st.sampled_from(["", "# ü\n", "---\n", "%YAML 1.1\n---\n"]))
    return Source.decode("a.yaml", Kind.YAML, (head + "\n".join(runs) + "\n").encode())


ANY = st.one_of(
    python_sources(),
    yaml_sources(),
    python_documents().map(lambda document: document.source),
    yaml_documents().map(lambda document: document.source),
)


@EXPENSIVE
@given(ANY)
def test_adding_suppressions_silences_all_findings_and_changes_nothing_else(source: Source) -> None:
    before = findings(source)
    ignored = ignore_source(source, PLAIN)
    report = check_source(ignored.after, PLAIN)
    assert [reason for _, reason in ignored.left] == []
    assert report.findings == ()
    assert Counter((one.code, one.message) for one in report.suppressed) == before
    assert meaning(ignored.after) == meaning(source)
    assert OWN_COMMENT.sub(b"", ignored.after.content) == source.content


@EXPENSIVE
@given(ANY)
def test_adding_them_twice_equals_adding_them_once(source: Source) -> None:
    once = ignore_source(source, PLAIN).after
    assert ignore_source(once, PLAIN).after == once


@EXPENSIVE
@given(ANY, st.data())
def test_only_the_findings_of_the_selected_rules_are_silenced(source: Source, data: st.DataObject) -> None:
    before = findings(source)
    if not before:
        return
    code = data.draw(st.sampled_from(sorted({code for code, _ in before})))
    after = ignore_source(source, Settings(select=(code,))).after
    assert findings(after) == Counter({key: count for key, count in before.items() if key[0] != code})


@EXPENSIVE
@given(ANY, st.data())
def test_a_second_round_joins_the_suppressions_of_the_first(source: Source, data: st.DataObject) -> None:
    codes = sorted({code for code, _ in findings(source)})
    first = ignore_source(source, Settings(select=tuple(data.draw(st.lists(st.sampled_from(codes or ["ADA101"]))))))
    both = ignore_source(first.after, PLAIN)
    assert both.left == ()
    assert findings(both.after) == Counter()
    assert meaning(both.after) == meaning(source)


@EXPENSIVE
@given(ANY)
def test_silenced_findings_are_not_fixed(source: Source) -> None:
    silenced = ignore_source(source, PLAIN).after
    assert fix_source(silenced, PLAIN, Safety.UNSAFE).after == silenced


@EXPENSIVE
@given(st.one_of(python_sources(), yaml_sources()), st.data())
def test_deleting_useless_suppressions_gives_the_bytes_back(source: Source, data: st.DataObject) -> None:
    """A comment about a rule that does not fire there goes; every byte outside of it is as it was."""
    rows = [row for row in range(1, len(source.line_starts)) if source.content[source.line_span(row).start :].strip()]
    row = data.draw(st.sampled_from(rows))
    line = source.line_span(row)
    text = source.slice(line)
    if data.draw(st.booleans()):
        comment = f"{text[: len(text) - len(text.lstrip())]}# adalint: ignore[ADA103]{source.newline}".encode()
        at = line.start
    else:
        comment, at = b"  # adalint: ignore[ADA103]", line.start + len(text.rstrip().encode())
    with_comment = Source(source.path, source.kind, source.content[:at] + comment + source.content[at:])
    try:
        same = meaning(with_comment) == meaning(source)
    except (SyntaxError, yaml.YAMLError):
        return
    report = check_source(with_comment, Settings(select=("ADA902", "ADA103")))
    if not same or [one.code for one in report.findings] != ["ADA902"]:
        return  # the line stands in a string, or ends in a backslash
    assert fix_source(with_comment, Settings(select=("ADA902", "ADA103")), Safety.SAFE).after == source


@pytest.mark.parametrize(
    ("text", "after"),
    [
        (
            "c = AdaLoraConfig(r=16, use_rslora=True, total_step=9)  # adalint: ignore[ADA302]\n",
            "c = AdaLoraConfig(r=16, use_rslora=True, total_step=9)  # adalint: ignore[ADA302, ADA101]\n",
        ),
        (
            "# adalint: ignore[ignored-field]: so it is\nc = AdaLoraConfig(r=16, use_rslora=True, total_step=9)\n",
            (
                "# adalint: ignore[ignored-field, lora-rank-ignored]: so it is\n"
                "c = AdaLoraConfig(r=16, use_rslora=True, total_step=9)\n"
            ),
        ),
        (
            "c = AdaLoraConfig(r=16, total_step=9)  # adalint: ignore\n",
            "c = AdaLoraConfig(r=16, total_step=9)  # adalint: ignore[lora-rank-ignored]\n",
        ),
        (
            "c = AdaLoraConfig(r=16, total_step=9)  # adalint: ignore[]\n",
            "c = AdaLoraConfig(r=16, total_step=9)  # adalint: ignore[lora-rank-ignored]\n",
        ),
        (
            "c = AdaLoraConfig(\n    # pylint: disable-next=x\n    r=16, use_rslora=True, total_step=9)\n",
            (
                "c = AdaLoraConfig(\n    # adalint: ignore[lora-rank-ignored, ignored-field]\n    # pylint: disable-next=x\n"
                "    r=16, use_rslora=True, total_step=9)\n"
            ),
        ),
        (
            "c = \\\n    AdaLoraConfig(r=16, total_step=9)\n",
            "# adalint: ignore[lora-rank-ignored]\nc = \\\n    AdaLoraConfig(r=16, total_step=9)\n",
        ),
        (
            "def f():\n\tc = AdaLoraConfig(r=16, total_step=9)\n",
            "def f():\n\t# adalint: ignore[lora-rank-ignored]\n\tc = AdaLoraConfig(r=16, total_step=9)\n",
        ),
    ],
)
def test_a_suppression_is_joined_to_one_that_is_there_or_has_a_line_of_its_own(text: str, after: str) -> None:
    head = "from peft import AdaLoraConfig\n"
    ignored = ignore_source(Source("a.py", Kind.PYTHON, (head + text).encode()), PLAIN)
    assert ignored.after.text == head + after
    assert check_source(ignored.after, Settings(ignore=("ADA903",))).findings == ()


@pytest.mark.parametrize(
    ("path", "text", "reason"),
    [
        ("a.json", '{"peft_type": "ADALORA", "init_r": 8, "target_r": 16, "total_step": 9}', "JSON has no comments"),
        ("a.py", "adalora = (\n", "what cannot be read has no place for a comment"),
        ("a.yaml", "adalora: *nowhere\n", "what cannot be read has no place for a comment"),
        (
            "a.py",
            "# adalora\nx = 1  # adalint: ignore[ADA101]\n",
            "a suppression is mended, not silenced: `adalint fix`",
        ),
    ],
)
def test_what_no_comment_can_silence_is_told(path: str, text: str, reason: str) -> None:
    kind = kind_of(path)
    assert kind is not None
    source = Source(path, kind, text.encode())
    ignored = ignore_source(source, PLAIN)
    assert ignored.after == source
    assert {why for _, why in ignored.left} == {reason}
