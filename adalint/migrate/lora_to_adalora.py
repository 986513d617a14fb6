"""From LoRA to AdaLoRA in Python: the configuration, the schedule by the length of the run, the allocator's call.

A file is moved whole or not at all. What it becomes is judged by the rules: a result in which adalint finds anything is
not kept, and what was found is told instead.
"""

from __future__ import annotations

import ast
from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING, Final

from adalint.embedded import Embedded
from adalint.engine import check_source, fix_source
from adalint.findings import Safety, Severity
from adalint.migrate.lora_schedule import carried, configurations, texts_of, why_left, with_late_schedules, with_phases
from adalint.migrate.texts import Migrated, Note
from adalint.readers.python_scopes import map_of
from adalint.settings import Settings
from adalint.source import Edit, Kind, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.readers.python_scopes import FileMap
    from adalint.source import Source

DEFAULT_RANK: Final = 8
"""`r` of LoraConfig where it is not given."""

_NEW, _OLD = "AdaLoraConfig", "LoraConfig"
_MENDED: Final = ("ADA201", "ADA302", "ADA303", "ADA304", "ADA310", "ADA311")
"""What is still missing, or too much, when a configuration has only got its new name and ranks."""

_TRAINED: Final = ("ADA401", "ADA417")
"""What the training lacks then: the allocator's call, and a weight of the penalty that is not multiplied."""

_LACKING: Final = frozenset({"ADA201", "ADA401"})
"""What is found of a configuration that has got no schedule, or nothing that calls its allocator."""

_ANOTHERS: Final = "an AdaLoraConfig of this file would be changed with it; `adalint fix` mends that one first"


def to_adalora(source: Source, settings: Settings) -> Migrated:
    """Move the LoRA configurations of a Python file or notebook, and the training with them, to AdaLoRA.

    `r` becomes the rank that is left on average (`target_r`), and training starts with one and a half times that. The
    phases are those of `adalint new`.

    Raises:
        ReadError: the text is not what its kind says.
    """
    if source.kind not in {Kind.PYTHON, Kind.NOTEBOOK}:
        return Migrated(source, source)
    calls = [(text, call) for text in texts_of(source) for call in _lora_calls(text)]
    if not calls:
        return Migrated(source, source)
    at = [source.position(_out(text, map_of(text).start(call))) for text, call in calls]
    against = [reason for text, call in calls if (reason := _reason_against(text, call)) is not None]
    if against:
        return Migrated(source, source, left=tuple(Note(*pair) for pair in zip(at, against, strict=False)))
    # What is AdaLoRA already is not this migration's affair.
    others = {site.source.slice(site.span) for site in configurations(source)}
    renamed = source.apply(edit for text in texts_of(source) for edit in carried(text, _renamed(text)))
    usual = replace(settings, select=Settings().select, ignore=(), extend_select=(), pedantic=False)
    # The call's number depends on whether there is a final phase, so it comes last but for the weight.
    capped, told_capped = with_late_schedules(renamed, others, capped=True)
    configured = fix_source(capped, replace(usual, select=_MENDED), Safety.UNSAFE)
    scheduled, told_late = with_late_schedules(with_phases(configured.after, others), others)
    allocated = fix_source(scheduled, replace(usual, select=_TRAINED), Safety.UNSAFE)
    after = allocated.after
    judged = check_source(after, usual)
    worse = [one for one in judged.findings if one.severity is not Severity.INFO]
    if not others <= {site.source.slice(site.span) for site in configurations(after)}:
        return Migrated(source, source, left=(Note(at[0], f"not moved: {_ANOTHERS}"),))
    lacking = [reason for site in configurations(after, others) if (reason := why_left(site)) is not None]
    if worse or lacking:
        # What PEFT would say of the half-done configuration is not what keeps it.
        told = {f"{one.code} {one.name}: {one.message}" for one in worse if not (lacking and one.code in _LACKING)}
        reasons = sorted({*lacking, *told})
        return Migrated(source, source, left=tuple(Note(at[0], f"not moved: {one}") for one in reasons))
    done = [
        Note(place_, f"{_OLD} becomes {_NEW}: {_ranks_of(call)}") for place_, (_, call) in zip(at, calls, strict=True)
    ]
    done += [Note(at[0], one) for one in (*told_capped, *told_late)]
    done += [Note(at[0], f"{one.finding.name}: {one.fix.title}") for one in (*configured.applied, *allocated.applied)]
    return Migrated(source, after, tuple(done))


def _out(text: Source, offset: int) -> int:
    return text.out(offset) if isinstance(text, Embedded) else offset


def _lora_calls(text: Source) -> list[ast.Call]:
    file_map = map_of(text)
    found = []
    for call in file_map.calls():
        path = file_map.path_of(call.func) or ""
        if path.startswith("peft.") and path.rpartition(".")[2] == _OLD:
            found.append(call)
    return found


def _reason_against(text: Source, call: ast.Call) -> str | None:
    """Say why a call cannot be rewritten by its words."""
    if call.args or any(one.arg is None for one in call.keywords):
        return "not moved: arguments are given that the call does not show by name"
    rank = _given(call, "r")
    worth = ast.literal_eval(rank) if isinstance(rank, ast.Constant) else None
    if rank is not None and isinstance(rank, ast.Constant) and (type(worth) is not int or worth < 1):
        return f"not moved: r={ast.unparse(rank)} is no rank"
    name = _imported_name(call, map_of(text))
    return None if name is not None else "not moved: the class comes here in a way that is not followed"


def _given(call: ast.Call, name: str) -> ast.expr | None:
    return next((one.value for one in call.keywords if one.arg == name), None)


def _ranks(rank: ast.expr | None) -> tuple[str, str]:
    """Write the initial and the final rank: one and a half times what LoRA has, and that."""
    if rank is None:
        return str(ceil(1.5 * DEFAULT_RANK)), str(DEFAULT_RANK)
    if isinstance(rank, ast.Constant) and isinstance(rank.value, int):
        return str(ceil(1.5 * rank.value)), str(rank.value)
    text = ast.unparse(rank)
    plain = text if isinstance(rank, ast.Name | ast.Attribute | ast.Subscript | ast.Call) else f"({text})"
    return f"(3 * {plain} + 1) // 2", text


def _ranks_of(call: ast.Call) -> str:
    first, last = _ranks(_given(call, "r"))
    scale = _given(call, "lora_alpha")
    alpha = "lora_alpha" if scale is None else f"lora_alpha={ast.unparse(scale)}"
    rooted = _given(call, "use_rslora")
    by_root = rooted is not None and not (isinstance(rooted, ast.Constant) and not rooted.value)
    was = "the root of r" if by_root else "r"
    return f"init_r={first}, target_r={last}; its scale, {alpha} over {was}, is over init_r now"


def _renamed(text: Source) -> list[Edit]:
    """Rename the class where it is called and imported, and give the ranks their two names."""
    file_map = map_of(text)
    calls = _lora_calls(text)
    edits: dict[Span, Edit] = {}

    def put(edit: Edit) -> None:
        edits[edit.span] = edit

    for call in calls:
        if isinstance(call.func, ast.Attribute):
            stop = file_map.span(call.func).stop
            put(Edit(Span(stop - len(call.func.attr), stop), _NEW))
        first, last = _ranks(_given(call, "r"))
        ranks = f"init_r={first}, target_r={last}"
        keyword = next((one for one in call.keywords if one.arg == "r"), None)
        if keyword is not None:
            put(Edit(file_map.span(keyword), ranks))
        else:
            start = file_map.span(call.func).stop + 1
            put(Edit(Span(start, start), f"{ranks}, " if call.keywords else ranks))
    for alias, statement in _aliases(calls, file_map):
        for edit in _imported(alias, statement, calls, file_map):
            put(edit)
    return sorted(edits.values(), key=lambda one: one.span)


def _aliases(calls: list[ast.Call], file_map: FileMap) -> Iterator[tuple[ast.alias, ast.ImportFrom]]:
    """Find the imports that the calls have their class from, each once."""
    seen: set[ast.alias] = set()
    for call in calls:
        if isinstance(call.func, ast.Name):
            for binding in file_map.bindings(call.func.id, call.func):
                if isinstance(binding.node, ast.ImportFrom):
                    for alias in binding.node.names:
                        if (alias.asname or alias.name) == call.func.id and alias not in seen:
                            seen.add(alias)
                            yield alias, binding.node


def _imported(alias: ast.alias, statement: ast.ImportFrom, calls: list[ast.Call], file_map: FileMap) -> Iterator[Edit]:
    name = alias.asname or alias.name
    start = file_map.source.offset_at(alias.lineno, alias.col_offset)
    called = {call.func for call in calls}
    only_called = all(use in called for use in file_map.uses(name, statement))
    has_it = any(one.name == _NEW and one.asname is None for one in statement.names)
    if only_called and alias.asname is not None:
        yield Edit(Span(start, start + len(_OLD)), _NEW)
        return
    if only_called and not has_it:
        yield Edit(Span(start, start + len(_OLD)), _NEW)
    elif not has_it:
        yield Edit(Span(start, start), f"{_NEW}, ")
    for call in calls:
        if isinstance(call.func, ast.Name) and call.func.id == name:
            yield Edit(file_map.span(call.func), _NEW)


def _imported_name(call: ast.Call, file_map: FileMap) -> str | None:
    """Name what a call is made by, where it is the class under its import's name."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr if call.func.attr == _OLD else None
    if not isinstance(call.func, ast.Name):
        return None
    binding = file_map.the_binding(call.func.id, call.func)
    return call.func.id if binding is not None and isinstance(binding.node, ast.ImportFrom) else None
