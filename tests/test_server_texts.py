"""The parts of the language server that need no process: frames, positions, and where edited texts have moved to."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from server_client import offset_in, position_in

from adalint.lsp.broken import _statement_around
from adalint.lsp.documents import _difference
from adalint.lsp.drift import Drift
from adalint.lsp.framing import MAX_BODY, MAX_HEADER, Framer
from adalint.lsp.options import debounce_of, flags_of, section
from adalint.lsp.positions import Text
from adalint.settings import Flags
from adalint.source import Kind, Span

TEXTS = st.text(alphabet="ab\n\r\x0b\x0c\x85\u2028é名𝒳🎉 ", max_size=30)
ENCODINGS = st.sampled_from(["utf-8", "utf-16", "utf-32"])


@given(TEXTS, ENCODINGS, st.data())
def test_a_place_is_the_one_that_an_editor_means(text, encoding, data):
    index = data.draw(st.integers(0, len(text)).filter(lambda at: text[at - 1 : at + 1] != "\r\n"))
    position = position_in(text, index, encoding)
    document = Text.of(text, encoding)
    offset = len(text[:index].encode())
    assert document.at(position) == offset
    assert document.position(offset) == {"line": position.line, "character": position.character}
    assert offset_in(text, position.line, position.character, encoding) == index


@given(TEXTS, ENCODINGS, st.integers(0, 12), st.integers(0, 40))
def test_any_position_is_a_place_between_two_characters_of_its_line(text, encoding, line, character):
    document = Text.of(text, encoding)
    offset = document.offset(line, character)
    assert document.content[:offset].decode() + document.content[offset:].decode() == text
    if line < len(document.line_starts):
        assert document.position(offset)["line"] == line
        assert not document.content[document.line_starts[line] : offset].endswith((b"\n", b"\r"))


def test_half_a_character_is_the_whole_one():
    assert Text.of("𝒳", "utf-16").offset(0, 1) == 0
    assert Text.of("𝒳", "utf-8").offset(0, 3) == 0


def test_half_a_surrogate_pair_is_no_text():
    assert Text.of("a\ud835b", "utf-16").content == b"a?b"


EDITS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 6), st.integers(0, 6)), max_size=12)


@given(EDITS)
def test_what_no_edit_touched_is_found_where_it_is_now(edits):
    """Each byte of the old text has a name; after all edits those that are left are looked for by it."""
    old = list(range(40))
    new, drift = list(old), Drift()
    touched: set[int] = set()
    for wanted, removed, added in edits:
        start = min(wanted, len(new))
        stop = min(len(new), start + removed)
        touched |= {one for one in new[start:stop] if one >= 0}
        drift.edit(Span(start, stop), added)
        new[start:stop] = [-1] * added
    for one in old:
        moved = drift.carry(Span(one, one + 1))
        if moved is not None:
            assert one not in touched
            assert new[moved.start : moved.stop] == [one]
            assert drift.back(moved.start) in {one, None}
    for hunk, after in zip(drift.hunks, drift.hunks[1:], strict=False):
        assert hunk.old.stop < after.old.start
        assert hunk.new.stop < after.new.start


def test_what_lies_apart_from_an_edit_is_still_known():
    drift = Drift()
    drift.edit(Span(10, 12), 5)
    assert drift.carry(Span(0, 9)) == Span(0, 9)
    assert drift.carry(Span(13, 20)) == Span(16, 23)
    assert drift.carry(Span(8, 10)) is None
    assert drift.carry(Span(12, 14)) is None


@given(st.binary(max_size=20), st.binary(max_size=20), st.binary(max_size=20), st.binary(max_size=20))
def test_the_difference_of_two_texts_makes_one_of_the_other(head, old, new, tail):
    before, after = head + old + tail, head + new + tail
    span, size = _difference(before, after)
    assert before[: span.start] + after[span.start : span.start + size] + before[span.stop :] == after
    assert span.stop - span.start <= len(old)


PYTHON = """\
import os
def f(a):
    x = (a,
         2)
    return x
y = [
    1,
]
z = 1
"""


@pytest.mark.parametrize(
    ("needle", "statement"),
    [
        ("import", "import os"),
        ("2)", "x = (a,\n         2)"),
        ("1,\n", "y = [\n    1,\n]"),
        ("z", "z = 1"),
        ("def", ast.get_source_segment(PYTHON, ast.parse(PYTHON).body[1])),
    ],
)
def test_an_edit_breaks_the_innermost_statement_around_it(needle, statement):
    at = PYTHON.index(needle)
    span = _statement_around(Span(at, at), PYTHON.encode(), Kind.PYTHON)
    assert PYTHON[span.start : span.stop] == statement


def framed(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=5), st.integers(1, 20))
def test_bodies_come_whole_however_the_stream_is_cut(bodies, size):
    stream = b"".join(map(framed, bodies))
    framer = Framer()
    found = [body for at in range(0, len(stream), size) for body in framer.feed(stream[at : at + size])]
    assert found == bodies


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\r\n\r\n",
        b"Content-Length: x\r\n\r\n",
        b"Content-Length: 0\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"x" * (2 * MAX_HEADER) + b"\r\n\r\n",
        b"Content-Length: %d\r\n\r\n" % (MAX_BODY + 1) + b"y" * (MAX_BODY + 1),
    ],
    ids=["nothing", "no number", "an empty body", "no header", "a long header", "a long body"],
)
def test_behind_nonsense_the_next_body_is_found(nonsense):
    framer = Framer()
    found = [body for at in range(0, len(nonsense), 1 << 20) for body in framer.feed(nonsense[at : at + (1 << 20)])]
    assert [*found, *framer.feed(framed(b"{}"))] == [b"{}"]


def test_headers_are_read_in_any_case_and_order():
    stream = b"Content-Type: x; charset=utf-8\r\ncontent-LENGTH:2\r\n\r\n{}"
    assert list(Framer().feed(stream)) == [b"{}"]


@pytest.mark.parametrize(
    "options", [{"select": ["ADA1"]}, {"adalint": {"select": ["ADA1"]}}, {"settings": {"select": ["ADA1"]}}]
)
def test_options_may_stand_alone_or_under_the_name(options):
    assert flags_of(section(options), None) == (Flags(select=("ADA1",)), [])


@pytest.mark.parametrize("options", [None, 5, [], "x"])
def test_options_that_are_no_object_say_nothing(options):
    assert section(options) == {}


@pytest.mark.parametrize(
    ("key", "value"),
    [("select", 5), ("select", [5]), ("pedantic", "yes"), ("targetPeft", "new"), ("lang", "de"), ("ignore", ["?"])],
)
def test_an_option_that_makes_no_sense_is_named_and_left_out(key, value):
    flags, [complaint] = flags_of({key: value, "targetTransformers": "4.50.0"}, None)
    assert flags == Flags(target_transformers="4.50.0")
    assert complaint.startswith(f"{key}: ")


@pytest.mark.parametrize(
    ("value", "seconds"), [(0, 0), (250, 0.25), (-1, None), ("1", None), (True, None), (1e9, None)]
)
def test_the_pause_is_in_milliseconds(value, seconds):
    assert debounce_of({"debounce": value}) == seconds
