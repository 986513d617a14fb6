"""Scripts in YAML: `run:` of GitHub workflows, `script:` of GitLab, `command:` of containers and CircleCI."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from adalint.readers.errors import ReadError
from adalint.readers.shell_text import Chunk, ShellText
from adalint.readers.shell_words import Command, Piece, Quoting, Word
from adalint.readers.tree import Mapping, Scalar, Sequence, nodes
from adalint.readers.yaml_reader import read_yaml
from adalint.source import Span
from adalint.values import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.readers.tree import Node
    from adalint.source import Source

_SCRIPTS: Final = frozenset({"run", "script", "before_script", "after_script", "cmd", "bash"})
"""Keys of scripts, or of lists of them."""
_OF_CONTAINERS: Final = (("entrypoint", "command"), ("command", "args"))
"""Keys of the words of one command, in order: of Compose, of Kubernetes."""
_SHELLS: Final = re.compile(r"(?:/bin/)?(?:ba|da)?sh\b.*")
_INSERTED: Final = re.compile(rb"\$?\{\{.{0,400}?\}\}|\$\{\w[\w\[\]]{0,99}\.[^}\s]{0,99}\}", re.DOTALL)
"""What another program fills in: GitHub, a template, DVC."""
_OPERATOR: Final = re.compile(rb"[|&;<>()`#*?~\[\]{}\n]")
"""What means something to a shell alone."""
_QUOTED: Final = re.compile(rb"""'[^']*'|"(?:\\.|[^"\\])*\"""", re.DOTALL)
_INTERPOLATED: Final = re.compile(rb"\$+(?:\{[^}]{0,400}\}|\([^)]{0,400}\)|\w+)?")
"""What Compose or Kubernetes may fill in, in words that no shell reads."""
_UNIT: Final = re.compile(rb"\\x..|\\u....|\\U........|\\.|[^\\]+", re.DOTALL)
_BARRED: Final = {"": "#:,[]{}\n", "'": "'\n", '"': '"\\\n', "|": "\n", ">": "\n"}
"""By the style of a scalar: what does not stand for itself in it."""


def scripts_and_commands(source: Source) -> list[ShellText | Command]:
    """Give the scripts and command lists of a YAML text, in order; none when it cannot be read."""
    # What a workflow fills in is, to the shell, a variable that nobody knows.
    content = _INSERTED.sub(_nobody_knows, source.content)
    source = replace(source, content=content)
    try:
        tree = read_yaml(source)
    except ReadError:
        return []
    mappings = [node for node in nodes(tree) if isinstance(node, Mapping)]
    services = {id(one) for mapping in mappings for one in _services(mapping)}
    return [one for mapping in mappings for one in _of_mapping(source, mapping, is_service=id(mapping) in services)]


def _services(mapping: Mapping) -> Iterator[Node]:
    """Give the services of a Compose file."""
    field = mapping.fields.get("services")
    if field is not None and isinstance(field.entry.value, Mapping):
        yield from (entry.value for entry in field.entry.value.entries)


def _of_mapping(source: Source, mapping: Mapping, *, is_service: bool) -> Iterator[ShellText | Command]:
    shell = _plain(mapping, "shell")
    if shell is not None and not (isinstance(shell, str) and _SHELLS.fullmatch(shell)):
        return
    for entry in mapping.entries:
        key = entry.key.value
        is_script = key in _SCRIPTS or (key == "command" and not is_service and isinstance(entry.value, Scalar))
        if is_script and (text := _script(source, entry.value)) is not None:
            yield text
    first, second = _OF_CONTAINERS[0 if is_service else 1]
    own = [mapping.fields[key].entry.value for key in (first, second) if key in mapping.fields]
    merged = any(not mapping.fields[key].own for key in (first, second) if key in mapping.fields)
    if own and not merged and (is_service or all(isinstance(one, Sequence) for one in own)):
        command = _command(source, own)
        if command is not None:
            yield command


def _plain(mapping: Mapping, key: str) -> Any:
    field = mapping.fields.get(key)
    return None if field is None else field.entry.value.value


def _script(source: Source, node: Node) -> ShellText | None:
    """Join the lines of a list into one script: one shell runs them."""
    items = node.items if isinstance(node, Sequence) else (node,)
    chunks: list[Chunk] = []
    barred = ""
    for item in items:
        own = scalar_chunks(source, item) if isinstance(item, Scalar) else None
        if own is None:
            return None
        end = item.span.stop
        chunks += [*own, Chunk(b"\n", Span(end, end), plain=False)]
        barred += _BARRED[item.style] if isinstance(item, Scalar) else ""
    return ShellText.joined(chunks, barred) if chunks else None


def _command(source: Source, parts: list[Node]) -> Command | None:
    """Join the words of several keys: a list of them, or a text in which blanks part them, as in a shell."""
    words: list[Word] = []
    for node in parts:
        more = _listed(source, node) if isinstance(node, Sequence) else _parted(source, node)
        if more is None:
            return None
        words += more
    spans = [word.span for word in words]
    return Command(tuple(words), Span(min(spans).start, max(spans).stop)) if words else None


def _listed(source: Source, items: Sequence) -> list[Word] | None:
    words: list[Word] = []
    for item in items.items:
        chunks = scalar_chunks(source, item) if isinstance(item, Scalar) else None
        if chunks is None or not isinstance(item, Scalar):
            return None
        words.append(_word(item, chunks))
    return words


def _parted(source: Source, node: Node) -> list[Word] | None:
    """Read the words of a text that no shell gets, where it means the same to a shell."""
    from adalint.readers.shell_flow import run
    from adalint.readers.shell_syntax import parse

    chunks = scalar_chunks(source, node) if isinstance(node, Scalar) else None
    if chunks is None or not isinstance(node, Scalar):
        return None
    chunks = [replace(one, text=_INTERPOLATED.sub(_nobody_knows, one.text)) for one in chunks]
    text = ShellText.joined(chunks, _BARRED[node.style] + "$", is_bash=False)
    if _OPERATOR.search(_QUOTED.sub(b"", text.content.strip())):
        return None
    commands = run(parse(text.content), text, {})
    return list(commands[0].words) if len(commands) == 1 and not commands[0].environment else None


def _nobody_knows(match: re.Match[bytes]) -> bytes:
    return b"$" + b"_" * (len(match[0]) - 1)


def _word(item: Scalar, chunks: list[Chunk]) -> Word:
    barred = _BARRED[item.style] + "$"
    pieces = [piece for chunk in chunks for piece in _pieces(chunk, barred)]
    start = item.span.start + len(item.style)
    return Word(tuple(pieces) or (Piece("", Span(start, start), Quoting.STRING, barred=barred),), item.span)


def _pieces(chunk: Chunk, barred: str) -> Iterator[Piece]:
    at = 0
    for match in [*_INTERPOLATED.finditer(chunk.text), None]:
        start, stop = match.span() if match else (len(chunk.text), len(chunk.text))
        for begin, end, known in ((at, start, True), (start, stop, False)):
            if begin < end:
                whole = not chunk.plain
                span = chunk.span if whole else Span(chunk.span.start + begin, chunk.span.start + end)
                text = chunk.text[begin:end].decode() if known else UNKNOWN
                partial = whole and end - begin < len(chunk.text)
                yield Piece(text, span, Quoting.STRING, escaped=whole, fixed=partial or not known, barred=barred)
        at = stop


def scalar_chunks(source: Source, scalar: Scalar) -> list[Chunk] | None:
    """Tell where each byte of a scalar's text is written; None where it is written in a way that is not followed."""
    written = source.content[scalar.span.start : scalar.span.stop]
    start = scalar.span.start
    if scalar.style in {"|", ">"}:
        chunks = list(_block(written, start, folded=scalar.style == ">"))
    elif scalar.style == "'":
        chunks = list(_single(written[1:-1], start + 1))
    elif scalar.style == '"':
        chunks = list(_double(written[1:-1], start + 1))
    else:
        chunks = [Chunk(written, scalar.span)]
    said = b"".join(chunk.text for chunk in chunks)
    value = scalar.value if isinstance(scalar.value, str) else said.decode()
    same = said.strip() == value.encode().strip() and (isinstance(scalar.value, str) or not scalar.style)
    return chunks if same else None


def _single(written: bytes, at: int) -> Iterator[Chunk]:
    for index, part in enumerate(written.split(b"''")):
        if index:
            yield Chunk(b"'", Span(at, at + 2), plain=False)
            at += 2
        yield Chunk(part, Span(at, at + len(part)))
        at += len(part)


def _double(written: bytes, at: int) -> Iterator[Chunk]:
    for match in _UNIT.finditer(written):
        span = Span(at, at + len(match[0]))
        at = span.stop
        if match[0][:1] != b"\\":
            yield Chunk(match[0], span)
            continue
        try:
            text = json.loads(b'"' + match[0].replace(b"\\x", b"\\u00") + b'"').encode()
        except (ValueError, UnicodeEncodeError):
            text = b"\0"  # no text of this scalar: it is not followed
        yield Chunk(text, span, plain=False)


def _block(written: bytes, at: int, *, folded: bool) -> Iterator[Chunk]:
    lines = written.splitlines(keepends=True)
    body = lines[1:]
    at += len(lines[0])
    indent = min((len(line) - len(line.lstrip(b" ")) for line in body if line.strip()), default=0)
    if re.match(rb"[|>][+-]?[1-9]", lines[0]):
        return  # an indent that is told, counted from a parent that is not known here
    for index, line in enumerate(body):
        kept = line[indent:] if line.strip() else line.lstrip(b" \r")
        start = at + len(line) - len(kept)
        at += len(line)
        end = kept.rstrip(b"\r\n")
        last = index + 1 == len(body)
        blank_next = not last and not body[index + 1].strip()
        if folded and end and not last and not blank_next:
            yield Chunk(end, Span(start, start + len(end)))
            yield Chunk(b" ", Span(start + len(end), at), plain=False)
        else:
            newline = kept[len(end) :]
            yield Chunk(end, Span(start, start + len(end)))
            if newline and not (folded and not end and not last):
                yield Chunk(b"\n", Span(start + len(end), at), plain=newline == b"\n")
