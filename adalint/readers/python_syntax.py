"""Parsing Python for the map, whatever the grammar of the interpreter that adalint runs on.

A text that this interpreter's `ast` refuses may be written for a newer one. LibCST then reads it whole, and what is new
in it (type parameters, `type` statements, nested quotes in f-strings) is blanked byte for byte, so that `ast` can map
the rest with every position unchanged.
"""

from __future__ import annotations

import ast
import warnings
from typing import TYPE_CHECKING, Final

from adalint.readers.errors import ReadError
from adalint.source import Edit, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    import libcst

    from adalint.source import Source

MAX_NESTING: Final = 100
MAX_LINE: Final = 20_000
"""LibCST takes the process down on deep nesting and is slow on monster lines: beyond these it is not asked."""


def parse(source: Source) -> ast.Module:
    """Parse a Python source; positions are in bytes of its content.

    Raises:
        ReadError: it is no Python that adalint can read; the message says where and why.
    """
    try:
        return _parse_text(source.text)
    except SyntaxError as error:
        blanked = _without_newer_grammar(source)
        if blanked is not None:
            try:
                return _parse_text(blanked.text)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                pass
        row = min(error.lineno or 1, len(source.line_starts))
        raise ReadError(f"not valid Python: {error.msg}", source.line_starts[row - 1]) from None
    except (RecursionError, MemoryError):
        raise ReadError("nested too deeply to be read", 0) from None
    except ValueError as error:
        raise ReadError(f"not valid Python: {error}", 0) from None


def _parse_text(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def _without_newer_grammar(source: Source) -> Source | None:
    if _nesting(source.content) > MAX_NESTING or max(map(len, source.content.splitlines()), default=0) > MAX_LINE:
        return None
    import libcst
    from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper

    try:
        wrapper = MetadataWrapper(libcst.parse_module(source.text), unsafe_skip_copy=True)
        positions = wrapper.resolve(ByteSpanPositionProvider)
    except (libcst.ParserSyntaxError, RecursionError, UnicodeError):
        return None
    edits: list[Edit] = []
    for node, filler in _newer_nodes(wrapper.module):
        place = positions[node]
        span = Span(place.start, place.start + place.length)
        if not any(edit.span.contains(span) for edit in edits):
            edits.append(Edit(span, _blank(source.content[span.start : span.stop], filler)))
    return source.apply(edits) if edits else None


def _newer_nodes(module: libcst.Module) -> Iterator[tuple[libcst.CSTNode, str]]:
    """Give the nodes that an older grammar does not know, outermost first, each with what may stand in its place."""
    import libcst

    pending: list[libcst.CSTNode] = [module]
    while pending:
        node = pending.pop(0)
        match node:
            case libcst.TypeAlias():
                yield node, "0"
            case libcst.TypeParameters():
                yield node, ""
            case libcst.FormattedString():
                yield node, "0"
            case _:
                if type(node).__name__ == "TemplatedString":
                    yield node, "0"
                else:
                    pending.extend(node.children)


def _blank(text: bytes, filler: str) -> str:
    """Replace a text by a filler and spaces, newlines kept, every byte counted."""
    kept = bytes(byte if byte in b"\r\n" else ord(" ") for byte in text).decode()
    return filler + kept[len(filler) :]


def _nesting(content: bytes) -> int:
    """Bound how deeply brackets nest, counting those in strings too."""
    depth = deepest = 0
    for byte in content:
        if byte in b"([{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b")]}":
            depth = max(depth - 1, 0)
    return deepest
