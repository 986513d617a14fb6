"""Reading Markdown as far as its fenced blocks, by the rules of CommonMark, and the comments that silence findings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from adalint.source import Kind, Span
from adalint.suppress import MARK, Comment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

    from adalint.source import Source

_LANGUAGES: Final = {
    **dict.fromkeys(["python", "py", "python3", "py3", "ipython", "ipython3"], Kind.PYTHON),
    "json": Kind.JSON,
    **dict.fromkeys(["yaml", "yml"], Kind.YAML),
    **dict.fromkeys(["bash", "sh", "shell"], Kind.SHELL),
}
"""What an info string may begin with; a block of any other language is left in peace."""

_DIRECTIVE: Final = re.compile(r"\{(?:code-block|code-cell|code|sourcecode)\}\s*")
_LANGUAGE: Final = re.compile(r"\{?\s*\.?(\w+)(?=$|[\s,{}:])")
_NAME: Final = re.compile(r"""\b(?:file|filename|title)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'}]+))""")
_FRONT: Final = re.compile(r"(?:---|\+\+\+)[ \t]*")
_COMMENT: Final = re.compile(r"<!--.*?-->", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Fence:
    """A fenced block: its language, the file that its info string names, and its lines.

    `lines` are spans of the host with their newlines, without what stands before them: the indent of a list, the `>` of
    a quotation. `end` is where a line behind the last would start.
    """

    kind: Kind
    name: str | None
    lines: tuple[Span, ...]
    end: int


def fences_of(source: Source) -> list[Fence]:
    """Find the fenced blocks in a language that adalint reads, in order."""
    return [fence for token in _blocks(source) if token.type == "fence" and (fence := _fence(source, token))]


def comments_of(source: Source) -> Iterator[Comment]:
    """Give the HTML comments that can hold a suppression, in order; each covers a fenced block directly below."""
    for token, below in pairwise([*_blocks(source), None]):
        if token is None or token.type != "html_block" or MARK not in token.content.lower():
            continue
        first, last = _rows(token)
        start = source.line_starts[first]
        fence = _fence(source, below, any_language=True) if below is not None and below.type == "fence" else None
        covers = Span(fence.lines[0].start, fence.end) if fence and fence.lines else None
        text = source.slice(Span(start, _start_of(source, last)))
        for match in _COMMENT.finditer(text):
            before = start + len(text[: match.start()].encode())
            yield Comment(Span(before, before + len(match[0].encode())), own_line=True, covers=covers)


def _blocks(source: Source) -> list[Token]:
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark")
    reader.core.ruler.disable(["inline", "text_join"])
    return reader.parse(_without_front_matter(source))


def _without_front_matter(source: Source) -> str:
    """Empty the lines of a front matter between `---` or `+++`, so that all rows stay what they are."""
    opening = source.slice(source.line_span(1))
    if _FRONT.fullmatch(opening):
        for row in range(2, len(source.line_starts) + 1):
            if source.slice(source.line_span(row)).rstrip() == opening.rstrip():
                return "\n" * row + source.content[_start_of(source, row) :].decode()
    return source.text


def _fence(source: Source, token: Token, *, any_language: bool = False) -> Fence | None:
    """Find the lines of a block in the text; None when one cannot be found there as it is read."""
    info = _DIRECTIVE.sub("", token.info.strip())
    language = _LANGUAGE.match(info)
    kind = _LANGUAGES.get(language[1].lower()) if language else None
    if kind is None and not any_language:
        return None
    name = _NAME.search(info)
    first, last = _rows(token)
    contents = token.content.removesuffix("\n").split("\n") if token.content else []
    lines = []
    for row, content in enumerate(contents, start=first + 1):
        line = source.line_span(row + 1)
        if not source.content[line.start : line.stop].endswith(content.encode()):
            return None  # a tab of which a part is indent
        lines.append(Span(line.stop - len(content.encode()), _start_of(source, row + 1)))
    end = lines[-1].stop if lines else _start_of(source, min(first + 1, last))
    return Fence(kind or Kind.PYTHON, next(filter(None, name.groups()), None) if name else None, tuple(lines), end)


def _rows(token: Token) -> tuple[int, int]:
    """Give the rows of a block, from 0, the second behind its last."""
    first, last = token.map or (0, 0)
    return first, last


def _start_of(source: Source, row: int) -> int:
    """Give the byte at which a row starts, from 0; the end of the text behind the last."""
    return source.line_starts[row] if row < len(source.line_starts) else len(source.content)
