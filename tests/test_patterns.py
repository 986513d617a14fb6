"""A pattern says of one path what the walker says of the whole tree."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adalint import files
from adalint.patterns import PatternError, compiled, matches


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("gen", "gen/a.py", True),
        ("gen", "src/gen/deep/a.py", True),
        ("gen", "gens/a.py", False),
        ("gen/", "gen/a.py", True),
        ("a.py/", "a.py", False),
        ("/a.py", "a.py", True),
        ("/a.py", "src/a.py", False),
        ("src/a.py", "src/a.py", True),
        ("src/a.py", "x/src/a.py", False),
        ("src/*", "src/a.py", True),
        ("src/*.py", "src/x/a.py", False),
        ("**/a.py", "a.py", True),
        ("src/**", "src/x/a.py", True),
        ("src/**/a.py", "src/a.py", True),
        ("src/**/a.py", "src/x/y/a.py", True),
        ("a?.py", "ab.py", True),
        ("a?.py", "a/.py", False),
        ("[ab].py", "b.py", True),
        ("[!ab].py", "b.py", False),
        ("[a-c]x.py", "bx.py", True),
        (r"\*.py", "*.py", True),
        (r"\*.py", "a.py", False),
        ("{a,b}.py", "b.py", True),
        ("{a,b}.py", "c.py", False),
        ("a.py", "a_py", False),
        ("*", "x/y.py", True),
    ],
)
def test_a_pattern_matches_as_gitignore_says(pattern: str, path: str, expected: bool) -> None:
    assert matches(pattern, f"/base/{path}", "/base") is expected


@pytest.mark.parametrize("pattern", ["a[b", "[", "a{b", "a}b", "[]"])
def test_a_pattern_that_cannot_be_read_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        compiled(pattern)


NAMES = st.sampled_from(["a", "b", "ab", "c-a", ".a"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(lambda parts: "/".join(parts) + ".py")
PIECES = st.sampled_from(["a", "b", "*", "?", "[ab]", "[!a]", "**", "ab", "a*", "*.py", "*a.py", ".a", "a.py", "{a,b}"])
PATTERNS = st.tuples(st.sampled_from(["", "/"]), st.lists(PIECES, min_size=1, max_size=3), st.sampled_from(["", "/"]))


@settings(max_examples=150, deadline=None)
@given(st.lists(PATHS, min_size=1, max_size=6, unique=True), PATTERNS)
def test_a_pattern_says_of_each_file_what_the_walker_does(
    paths: list[str], pattern: tuple[str, list[str], str]
) -> None:
    front, pieces, back = pattern
    text = front + "/".join(pieces) + back
    with tempfile.TemporaryDirectory() as folder:
        for path in paths:
            place = Path(folder, path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text("")
        walked = {os.path.relpath(target.path, folder) for target in files.walk([folder], lambda _: (folder, [text]))}
        assert {path for path in paths if not matches(text, os.path.join(folder, path), folder)} == walked
