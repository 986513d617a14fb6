"""From a text and what it is to become to edits of the documents that hold it."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING, TypeAlias

from lsprotocol import types

from adalint.notebook import Notebook
from adalint.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from adalint.lsp.documents import Part
    from adalint.lsp.judging import Judged
    from adalint.source import Edit, Source

Changes: TypeAlias = "dict[str, list[types.TextEdit]]"
"""Edits by the document that they are made in."""


def of_edits(judged: Judged, edits: Iterable[Edit]) -> Changes:
    """Give edits in places of the snapshot as edits of its documents."""
    if not judged.snapshot.is_notebook or not isinstance(judged.source, Notebook):
        part = judged.snapshot.parts[0]
        return {part.uri: [_edit(part, edit.span, edit.text) for edit in sorted(edits)]}
    changes: Changes = {}
    for index, inside in judged.source.by_cell(edits).items():
        part = judged.snapshot.parts[index]
        text = part.text.content.decode()
        for start, stop, new in inside:
            first = part.start + len(text[:start].encode())
            span = Span(first, first + len(text[start:stop].encode()))
            changes.setdefault(part.uri, []).append(_edit(part, span, new))
    return changes


def of_result(judged: Judged, after: Source) -> Changes:
    """Give the edits that make the source of the documents another one."""
    before, parts = judged.source, judged.snapshot.parts
    if isinstance(before, Notebook) and isinstance(after, Notebook):
        if judged.snapshot.is_notebook:
            pairs = zip(parts, before.cells, after.cells, strict=True)
            found = {part.uri: _between(part, old.text.encode(), new.text.encode()) for part, old, new in pairs}
            return {uri: edits for uri, edits in found.items() if edits}
        before, after = before.file, after.file
    if before is None:
        return {}
    edits = _between(parts[0], before.content, after.content)
    return {parts[0].uri: edits} if edits else {}


def _edit(part: Part, span: Span, text: str) -> types.TextEdit:
    found = part.range(span)
    return types.TextEdit(
        range=types.Range(types.Position(**found["start"]), types.Position(**found["end"])), new_text=text
    )


def _between(part: Part, old: bytes, new: bytes) -> list[types.TextEdit]:
    """Give the edits that make one text of another, by lines, so that what stays is not touched."""
    if old == new:
        return []
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    starts = [part.start]
    for line in before:
        starts.append(starts[-1] + len(line))
    matcher = SequenceMatcher(None, before, after)
    return [
        _edit(part, Span(starts[first], starts[last]), b"".join(after[low:high]).decode())
        for tag, first, last, low, high in matcher.get_opcodes()
        if tag != "equal"
    ]


def workspace_edit(
    judged: Judged, changes: Mapping[str, list[types.TextEdit]], *, versioned: bool
) -> types.WorkspaceEdit:
    """Wrap edits, with the versions that they are made for where the editor can read that."""
    if not versioned:
        return types.WorkspaceEdit(changes=dict(changes))
    documents = []
    for uri, edits in changes.items():
        part = judged.snapshot.part_of(uri)
        identifier = types.OptionalVersionedTextDocumentIdentifier(uri=uri, version=part.version if part else None)
        documents.append(types.TextDocumentEdit(text_document=identifier, edits=list(edits)))
    return types.WorkspaceEdit(document_changes=documents)
