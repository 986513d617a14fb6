"""A text that is changed several times: what no edit touched is found again where it stood."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from adalint.migrate.loralib_stages import Stages
from adalint.source import Edit, Kind, Source, Span

LETTERS = "".join(map(chr, range(ord("a"), ord("z") + 1)))


@st.composite
def changes(draw: st.DrawFn, size: int) -> list[Edit]:
    bounds = sorted(draw(st.sets(st.integers(0, size), max_size=6)))
    pairs = list(zip(bounds[::2], bounds[1::2], strict=False))
    return [Edit(Span(start, stop), "-" * draw(st.integers(0, 5))) for start, stop in pairs]


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_each_letter_that_is_left_is_found_where_it_stood(data: st.DataObject) -> None:
    stages = Stages(Source.decode("x.py", Kind.PYTHON, LETTERS.encode()))
    for _ in range(data.draw(st.integers(0, 4))):
        stages.apply(data.draw(changes(len(stages.last.content))))
    for offset, letter in enumerate(stages.last.text):
        back = stages.back(offset)
        assert 0 <= back <= len(LETTERS)
        if letter != "-":
            assert LETTERS[back] == letter
