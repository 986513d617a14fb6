"""What reading and mending promise of any notebook and any Markdown file."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from notebooks import code, lines, prose, sources, written

from adalint.embedded import embedded_in
from adalint.engine import check_source, fix_source, ignore_source
from adalint.findings import Finding, Safety
from adalint.notebook import Notebook
from adalint.settings import Settings
from adalint.source import Edit, Kind, Source, Span

PLAIN = Settings()
EXPENSIVE = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
QUICK = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])

FIELDS = ["r=16", "use_rslora=True", "init_r=8", "target_r=16", "deltaT=0", "nonsense=1", "revision='é#/<'", "alpha=R"]
SHAPES = [("(", ", ", ")"), ("(\n    ", ",\n    ", ",\n)"), ("(\n  ", ",  # why é\n  ", ")")]
MAGICS = [
    "%matplotlib inline",
    "!ls é (",
    "help?",
    "files = !ls",
    "%time x = 1",
    "# 😀",
    "x = '''\n%time\n'''",
    "é = 1",
]


@st.composite
def calls(draw: st.DrawFn) -> str:
    fields = [*draw(st.lists(st.sampled_from(FIELDS), unique=True, min_size=1, max_size=5)), "total_step=100"]
    opening, between, closing = draw(st.sampled_from(SHAPES))
    lead = draw(st.sampled_from(["config = ", "", "x = 1; y = "]))
    behind = draw(st.sampled_from(["", "  # é", "\nprint(1)", "\n", "\n# adalint: ignore[ADA101]"]))
    return f"{lead}AdaLoraConfig{opening}{between.join(fields)}{closing}{behind}"


@st.composite
def cells(draw: st.DrawFn) -> str:
    """Draw a cell of Python, magics among its lines."""
    pieces = [*draw(st.lists(st.sampled_from(MAGICS), max_size=2)), draw(calls())]
    newline = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    return "\n".join(draw(st.permutations(pieces))).replace("\n", newline)


FOREIGN = ["%%writefile x.py\nAdaLoraConfig(r=8)", "%%bash\nls", "broken = (", "", "\n\n"]


@st.composite
def notebooks(draw: st.DrawFn, *, foreign: bool = True) -> str:
    """Draw the JSON of a notebook: cells, outputs and prose, in the manners in which tools write them."""
    made: list[Any] = ["from peft import AdaLoraConfig\nR = 8"]
    kinds = st.sampled_from(["code", "code", "string", "prose", "shown", *(["foreign"] if foreign else [])])
    for kind in draw(st.lists(kinds, min_size=1, max_size=4)):
        match kind:
            case "code":
                made.append(code(lines(draw(cells()))))
            case "string":
                made.append(code(draw(cells())))
            case "prose":
                made.append(prose("AdaLoraConfig(r=8) é"))
            case "shown":
                output = {"output_type": "stream", "name": "stdout", "text": ["AdaLoraConfig(r=8)\n", "é"]}
                made.append(code(lines(draw(cells())), outputs=[output], metadata={"é": [1, {}]}))
            case _:
                made.append(draw(st.sampled_from(FOREIGN)))
    indent, ascii_ = draw(st.sampled_from([1, 4, "\t", None])), draw(st.booleans())
    text = written(*made, indent=indent, ensure_ascii=ascii_)
    text = text.replace("/", "\\/") if draw(st.booleans()) else text
    return text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


def read(text: str) -> Notebook:
    source = Source.decode("x.ipynb", Kind.NOTEBOOK, text.encode())
    assert isinstance(source, Notebook)
    return source


def said(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return sorted((one.code, one.message) for one in findings)


@EXPENSIVE
@given(notebooks(), st.sampled_from([Safety.SAFE, Safety.UNSAFE]))
def test_fixing_a_notebook_changes_sources_alone_and_only_once(text: str, allowed: Safety) -> None:
    before = read(text)
    done = fix_source(before, PLAIN, allowed)
    after = done.after.encode().decode()
    assert before.frame == read(after).frame
    assert len(sources(after)) == len(sources(text))
    for old, new in zip(before.cells, read(after).cells, strict=True):
        assert new.raw == old.raw or new.text != old.text
        if old.raw.startswith("[") and new.raw != old.raw:
            assert json.loads(new.raw) == lines(new.text)
    assert read(after).content == done.after.content
    again = fix_source(read(after), PLAIN, allowed)
    assert again.after.encode().decode() == after
    assert said(check_source(read(after), PLAIN).findings) == said(done.left)


@EXPENSIVE
@given(notebooks(foreign=False))
def test_a_notebook_says_what_its_cells_say_as_a_script(text: str) -> None:
    notebook = read(text)
    [embedded] = embedded_in(notebook)
    script = Source("x.py", Kind.PYTHON, embedded.content)
    report, same = check_source(notebook, PLAIN), check_source(script, PLAIN)
    assert (report.findings, report.suppressed) == (same.findings, same.suppressed)
    assert len(embedded.content) == len(notebook.content)


@EXPENSIVE
@given(notebooks())
def test_silencing_a_notebook_adds_lines_and_nothing_else(text: str) -> None:
    before = read(text)
    ignored = ignore_source(before, PLAIN)
    after = ignored.after.encode().decode()
    assert read(after).frame == before.frame
    for old, new in zip(sources(text), sources(after), strict=True):
        own = [line for line in new.splitlines() if "adalint: ignore[" not in line]
        assert own == [line for line in old.splitlines() if "adalint: ignore[" not in line]
    assert len(check_source(read(after), PLAIN).findings) == len(ignored.left)


@QUICK
@given(st.data())
def test_any_edit_of_a_cell_is_written_as_it_is_meant(data: st.DataObject) -> None:
    alphabet = 'ab\n\n"\\/é😀\t\0#'
    text = data.draw(st.text(alphabet, max_size=25))
    raw = written(code(lines(text) if data.draw(st.booleans()) else text), ensure_ascii=data.draw(st.booleans()))
    notebook = read(raw)
    places = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    edits, wanted, done = [], "", 0
    for start, stop in zip(places[::2], places[1::2], strict=False):
        new = data.draw(st.text(alphabet, max_size=5))
        edits.append(Edit(Span(len(text[:start].encode()), len(text[:stop].encode())), new))
        wanted += text[done:start] + new
        done = stop
    wanted += text[done:]
    if len({edit.span for edit in edits}) < len(edits):
        return  # two insertions at one place have no order
    after = notebook.apply(edits).encode().decode()
    assert sources(after) == [wanted]
    source = json.loads(after)["cells"][0]["source"]
    if isinstance(source, list) and wanted:
        assert source == lines(wanted)
    assert read(after).frame == notebook.frame
    assert (after == raw) == (wanted == text)


# Markdown

LEADS = ["", "  ", "> ", "> > ", ">   ", "    "]


@st.composite
def blocks(draw: st.DrawFn) -> tuple[str, str]:
    """Draw a fenced block of Python as it stands in a file, and its text."""
    body = f"from peft import AdaLoraConfig\nR = 8\n{draw(calls())}\n"
    mark = draw(st.sampled_from(["```", "~~~", "````", "~~~~~"]))
    lead = draw(st.sampled_from(LEADS))
    opening = {"  ": "- é\n\n", "    ": "- a\n  - b\n\n"}.get(lead, "é\n\n")
    fenced = "".join(lead + line for line in f"{mark}python\n{body}{mark}\n".splitlines(keepends=True))
    return opening + fenced + "\n", body


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, list[str]]:
    """Draw a Markdown file, and the texts of the blocks in it that are read."""
    pieces: list[str] = []
    bodies: list[str] = []
    for kind in draw(st.lists(st.sampled_from(["block", "block", "prose", "text", "comment"]), min_size=1, max_size=4)):
        if kind == "block":
            text, body = draw(blocks())
            pieces.append(text)
            bodies.append(body)
        else:
            pieces.append(
                {
                    "prose": "`AdaLoraConfig(r=8)` é\n\n",
                    "text": "````text\n```python\nfrom peft import AdaLoraConfig\nAdaLoraConfig(r=8)\n```\n````\n\n",
                    "comment": "<!--\n```python\nfrom peft import AdaLoraConfig\nAdaLoraConfig(r=8)\n```\n-->\n\n",
                }[kind]
            )
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    # A heading ends a list, so that the next block is none of its items.
    return "\n# é\n\n".join(pieces).replace("\n", newline), [body.replace("\n", newline) for body in bodies]


def markdown(text: str) -> Source:
    return Source.decode("x.md", Kind.MARKDOWN, text.encode())


@EXPENSIVE
@given(documents())
def test_a_block_says_what_it_says_as_a_file(drawn: tuple[str, list[str]]) -> None:
    text, bodies = drawn
    assert [one.text for one in embedded_in(markdown(text))] == bodies
    alone = [check_source(Source("x.py", Kind.PYTHON, body.encode()), PLAIN) for body in bodies]
    report = check_source(markdown(text), PLAIN)
    assert said(report.findings) == sorted(pair for one in alone for pair in said(one.findings))
    assert said(report.suppressed) == sorted(pair for one in alone for pair in said(one.suppressed))


@EXPENSIVE
@given(documents(), st.sampled_from([Safety.SAFE, Safety.UNSAFE]))
def test_a_block_is_mended_as_a_file_is_and_nothing_around_it(drawn: tuple[str, list[str]], allowed: Safety) -> None:
    text, bodies = drawn
    after = fix_source(markdown(text), PLAIN, allowed).after
    alone = [fix_source(Source("x.py", Kind.PYTHON, body.encode()), PLAIN, allowed).after.text for body in bodies]
    assert [one.text for one in embedded_in(after)] == alone
    assert _around(after) == _around(markdown(text))
    assert fix_source(after, PLAIN, allowed).after.content == after.content


@EXPENSIVE
@given(documents())
def test_a_block_is_silenced_as_a_file_is(drawn: tuple[str, list[str]]) -> None:
    text, bodies = drawn
    after = ignore_source(markdown(text), PLAIN).after
    alone = [ignore_source(Source("x.py", Kind.PYTHON, body.encode()), PLAIN).after.text for body in bodies]
    assert [one.text for one in embedded_in(after)] == alone
    assert _around(after) == _around(markdown(text))


def _around(source: Source) -> list[bytes]:
    """Give the bytes of a file outside its blocks."""
    pieces, done = [], 0
    for one in embedded_in(source):
        assert one.lines is not None
        first = source.line_starts[source.row_of(one.lines[0].start) - 1]
        pieces.append(source.content[done:first])
        done = one.lines[-1].stop
    return [*pieces, source.content[done:]]


@QUICK
@given(st.text("`~> -\n\t pythonyam<!-:é\r+|#", max_size=120))
def test_no_markdown_is_a_traceback(text: str) -> None:
    for source in (markdown(text + "\nadalora"), markdown("```python\n# adalora\n" + text)):
        check_source(source, PLAIN)
        fix_source(source, PLAIN, Safety.UNSAFE)


@QUICK
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["cells", "source", "cell_type", "metadata", "nbformat"]), inner, max_size=4
            )
        ),
        max_leaves=12,
    )
)
def test_no_json_is_a_traceback(value: Any) -> None:
    raw = json.dumps(
        {"cells": [{"cell_type": "code", "source": "AdaLoraConfig(r=8)"}, value], "nbformat": 4, "x": value}
    )
    for text in (raw, json.dumps(value), raw[: len(raw) // 2]):
        source = Source.decode("x.ipynb", Kind.NOTEBOOK, text.encode())
        check_source(source, PLAIN)
        assert source.encode() == text.encode()
