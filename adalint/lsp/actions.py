"""What can be done about findings: their fixes, all safe fixes at once, a comment that silences one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types

from adalint.engine import fix_source, may_be_silenced, objection_to, silence
from adalint.findings import Safety
from adalint.lsp.edits import of_edits, of_result, workspace_edit
from adalint.report.words import said

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from adalint.findings import Finding, Fix
    from adalint.lsp.edits import Changes
    from adalint.lsp.judging import Judged
    from adalint.settings import Settings
    from adalint.source import Source, Span

FIX_ALL: Final = "source.fixAll.adalint"
QUICK_FIX: Final = "quickfix"


def wanted(kind: str, only: Sequence[str] | None) -> bool:
    """Tell whether an editor that asks for some kinds of actions wants this one."""
    return not only or any(kind == one or kind.startswith(f"{one}.") for one in only)


class Actions:
    """The actions for one range of a document."""

    def __init__(self, judged: Judged, context: types.CodeActionContext, client: Abilities) -> None:
        self.judged = judged
        self.context = context
        self.client = client
        only = context.only
        self.only = None if only is None else [str(getattr(one, "value", one)) for one in only]

    def within(self, span: Span) -> list[types.CodeAction]:
        """List what can be done about the findings that meet a span of the snapshot, best first."""
        judged = self.judged
        if judged.source is None or judged.settings is None:
            return []
        found: list[types.CodeAction] = []
        if wanted(QUICK_FIX, self.only):
            met = [one for one in judged.findings if one.span.start <= span.stop and span.start <= one.span.stop]
            for finding in met:
                found += self._fixes(finding)
            for finding in met:
                found += self._silencing(finding)
        if wanted(FIX_ALL, self.only):
            found += self._all()
        return found

    def _fixes(self, finding: Finding) -> Iterator[types.CodeAction]:
        own = self.judged.origin_of(finding)
        if own is None:
            return
        best = finding.fix_for(Safety.SAFE)
        for fix in finding.fixes:
            action = types.CodeAction(
                title=fix.title, kind=types.CodeActionKind.QuickFix, diagnostics=self._diagnostics(finding)
            )
            if fix.edits:
                action.is_preferred = fix is best
                yield from self._later(action, {"fix": [own.code, own.span.start, fix.title]})
            elif self.client.shows_disabled:
                action.disabled = types.CodeActionDisabled(reason=self._reason(fix))
                yield action

    def _reason(self, fix: Fix) -> str:
        return fix.why or said("this one is yours to make", self._language)

    def _silencing(self, finding: Finding) -> Iterator[types.CodeAction]:
        own = self.judged.origin_of(finding)
        if own is None or self.judged.source is None or not may_be_silenced(self.judged.source, own):
            return
        action = types.CodeAction(
            title=said("silence {name} here", self._language, name=finding.name),
            kind=types.CodeActionKind.QuickFix,
            diagnostics=self._diagnostics(finding),
            is_preferred=False,
        )
        yield from self._later(action, {"silence": [own.code, own.span.start]})

    def _all(self) -> Iterator[types.CodeAction]:
        judged = self.judged
        if judged.settings is None or not judged.report:
            return
        allowed = _allowed(judged)
        if any(finding.fix_for(allowed) for finding in judged.report.findings):
            action = types.CodeAction(title=said("apply all safe fixes of adalint", self._language), kind=_fix_all())
            yield from self._later(action, {"all": True})

    def _later(self, action: types.CodeAction, what: dict[str, Any]) -> Iterator[types.CodeAction]:
        """Give an action whose edits are made when they are wanted, or now where the editor cannot ask again."""
        if self.client.resolves:
            snapshot = self.judged.snapshot
            action.data = {"uri": snapshot.parts[0].uri, "number": snapshot.number, **what}
            yield action
            return
        changes = changes_of(self.judged, what)
        if isinstance(changes, dict):
            action.edit = workspace_edit(self.judged, changes, versioned=self.client.versions)
            yield action

    def _diagnostics(self, finding: Finding) -> list[types.Diagnostic] | None:
        """Give what the editor itself has sent of a finding."""
        place = self.judged.locate(finding.span)["range"]["start"]
        start = types.Position(**place)
        found = [one for one in self.context.diagnostics if one.code == finding.code and one.range.start == start]
        return found or None

    @property
    def _language(self) -> str:
        return self.judged.settings.language if self.judged.settings else "en"


class Abilities:
    """What an editor can do with actions."""

    def __init__(self, client: types.ClientCapabilities) -> None:
        actions = client.text_document.code_action if client.text_document else None
        resolve = actions.resolve_support if actions else None
        edits = client.workspace.workspace_edit if client.workspace else None
        self.resolves = bool(resolve and "edit" in resolve.properties and actions and actions.data_support)
        self.shows_disabled = bool(actions and actions.disabled_support)
        self.versions = bool(edits and edits.document_changes)


def changes_of(judged: Judged, what: dict[str, Any]) -> Changes | str:
    """Make the edits of an action that was offered without them, or say why that cannot be done."""
    source, settings = judged.source, judged.settings
    if source is None or settings is None or judged.report is None:
        return {}
    if "all" in what:
        return of_result(judged, fix_source(source, settings, _allowed(judged)).after)
    if "fix" in what:
        return _fixed(judged, source, settings, *what["fix"])
    code, start = what["silence"]
    finding = next((one for one in judged.report.findings if one.code == code and one.span.start == start), None)
    after = silence(source, finding, settings) if finding is not None else None
    if after is None:
        return said("no comment can silence {name} there", settings.language, name=code)
    return of_result(judged, after)


def _fixed(judged: Judged, source: Source, settings: Settings, code: str, start: int, title: str) -> Changes | str:
    """Make the edits of one fix, unless `adalint fix` would refuse it."""
    for own, shown in zip(judged.report.findings if judged.report else (), judged.shown, strict=True):
        if (own.code, own.span.start) == (code, start):
            for fix, fix_shown in zip(own.fixes, shown.fixes, strict=True):
                if fix.title == title:
                    reason = objection_to(fix, source, settings)
                    return of_edits(judged, fix_shown.edits) if reason is None else reason
    return {}


def _allowed(judged: Judged) -> Safety:
    """Tell what `adalint fix` would apply."""
    return Safety.UNSAFE if judged.settings is not None and judged.settings.unsafe_fixes else Safety.SAFE


def _fix_all() -> Any:
    return FIX_ALL
