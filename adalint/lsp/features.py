"""What the editor may ask: actions, explanations, completions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from adalint.lsp.actions import FIX_ALL, Abilities, Actions, changes_of
from adalint.lsp.completion import completions
from adalint.lsp.drift import Drift
from adalint.lsp.edits import workspace_edit
from adalint.lsp.hover import hover
from adalint.source import Kind, Span

if TYPE_CHECKING:
    from adalint.lsp.documents import Part, Snapshot
    from adalint.lsp.judging import Judged
    from adalint.lsp.server import Server
    from adalint.settings import Settings
    from adalint.source import Source

ACTIONS = types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix, FIX_ALL], resolve_provider=True)
COMPLETIONS = types.CompletionOptions(trigger_characters=["(", ",", '"', "'"])


async def _actions(ls: Server, params: types.CodeActionParams) -> list[types.CodeAction] | None:
    uri = params.text_document.uri
    judged, part = await _judged(ls, uri)
    if judged is None or part is None:
        return None
    span = part.place(part.text.span(params.range))
    offered = Actions(judged, params.context, Abilities(ls.client_capabilities))
    found: list[types.CodeAction] = await ls.in_background(partial(offered.within, span))
    return found or None


async def _resolve(ls: Server, action: types.CodeAction) -> types.CodeAction:
    data = action.data if isinstance(action.data, dict) else {}
    judged, _ = await _judged(ls, str(data.get("uri")))
    if judged is None or judged.snapshot.number != data.get("number"):
        return action
    changes = await ls.in_background(partial(changes_of, judged, data))
    if isinstance(changes, str):
        ls.complain(changes)
    elif changes:
        action.edit = workspace_edit(judged, changes, versioned=Abilities(ls.client_capabilities).versions)
    return action


async def _explain(ls: Server, params: types.HoverParams) -> types.Hover | None:
    uri = params.text_document.uri
    judged, part = await _judged(ls, uri)
    document = ls.document_of(uri)
    if judged is None or part is None or document is None:
        return None
    at: int | None = part.text.at(params.position)
    drift = Drift()
    if not judged.parsed and document.last is not None:
        # What stood there before the text broke is still what it was.
        drift = document.drifts.get(uri, drift)
        judged, at = document.last, drift.back(at or 0)
        part = judged.snapshot.part_of(uri)
    if part is None or at is None or judged.source is None or judged.settings is None:
        return None
    if _is_raw_notebook(judged.snapshot):
        return None
    offset = part.place(Span(at, at)).start
    told = await ls.in_background(partial(hover, judged.source, judged.settings, offset))
    if told is None:
        return None
    text = types.MarkupContent(kind=types.MarkupKind.Markdown, value=told.markdown)
    return types.Hover(contents=text, range=_range(part, told.span) if not drift.hunks else None)


async def _complete(ls: Server, params: types.CompletionParams) -> types.CompletionList | None:
    found = await _source_at(ls, params)
    if found is None:
        return None
    source, settings, part, offset = found
    offers = await ls.in_background(partial(completions, source, settings, offset))
    if not offers:
        return None
    items = [
        types.CompletionItem(
            label=offer.name,
            kind=types.CompletionItemKind.Field,
            detail=offer.detail,
            documentation=types.MarkupContent(kind=types.MarkupKind.Markdown, value=offer.markdown),
            sort_text=f"{number:03}",
            filter_text=offer.name,
            tags=None if offer.useful else [types.CompletionItemTag.Deprecated],
            text_edit=types.TextEdit(range=_range(part, offer.span), new_text=offer.text),
        )
        for number, offer in enumerate(offers)
    ]
    return types.CompletionList(is_incomplete=False, items=items)


async def _judged(server: Server, uri: str) -> tuple[Judged | None, Part | None]:
    """Give what is found in a document as it is now."""
    document = server.document_of(uri)
    if document is None:
        return None, None
    judged = await server.judged(document)
    return judged, judged.snapshot.part_of(uri) if judged is not None else None


async def _source_at(server: Server, params: Any) -> tuple[Source, Settings, Part, int] | None:
    """Give the text at a position with its settings, and the offset there."""
    judged, part = await _judged(server, params.text_document.uri)
    if judged is None or part is None or judged.source is None or judged.settings is None:
        return None
    if _is_raw_notebook(judged.snapshot):
        return None
    return judged.source, judged.settings, part, part.place(Span(*[part.text.at(params.position)] * 2)).start


def _is_raw_notebook(snapshot: Snapshot) -> bool:
    """Tell whether a notebook is open as its JSON, whose places are none of its text."""
    return snapshot.kind is Kind.NOTEBOOK and not snapshot.is_notebook


def _range(part: Part, span: Span) -> types.Range:
    found = part.range(span)
    return types.Range(types.Position(**found["start"]), types.Position(**found["end"]))


def register(server: Server) -> None:
    """Register the requests of the protocol."""
    server.feature(types.TEXT_DOCUMENT_CODE_ACTION, ACTIONS)(_actions)
    server.feature(types.CODE_ACTION_RESOLVE)(_resolve)
    server.feature(types.TEXT_DOCUMENT_HOVER)(_explain)
    server.feature(types.TEXT_DOCUMENT_COMPLETION, COMPLETIONS)(_complete)
