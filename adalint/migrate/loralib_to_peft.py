"""From the original loralib of AdaLoRA to PEFT: layers, allocator, penalty and saving in Python; flags are listed.

A file is moved whole or not at all. What it becomes is judged by the rules: a result in which adalint finds anything is
not kept, and what was found is told instead.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from adalint.embedded import Embedded, python_of
from adalint.engine import check_source, fix_source
from adalint.findings import Safety, Severity
from adalint.migrate.loralib_flags import flags_in
from adalint.migrate.loralib_listing import uses_listed
from adalint.migrate.loralib_moving import moved
from adalint.migrate.loralib_names import Unmovable, Uses, uses_of
from adalint.migrate.texts import Migrated, Note
from adalint.readers.python_scopes import FileMap
from adalint.readers.python_syntax import parse
from adalint.settings import Settings
from adalint.source import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adalint.migrate.loralib_layers import Layers
    from adalint.migrate.loralib_moving import Moved
    from adalint.source import Source


@dataclass(frozen=True, slots=True)
class Script:
    """A Python text, or the cells of a notebook, with what it uses of loralib."""

    source: Source
    text: Source
    file_map: FileMap
    uses: Uses

    @property
    def start(self) -> ast.expr | ast.stmt | None:
        """What is AdaLoRA's own first; None where nothing is."""
        return self.uses.first or self.uses.starred

    def notes(self, told: Iterable[tuple[ast.AST, str]]) -> list[Note]:
        """Place what is told in the text."""
        return [Note(self.text.position(self._offset(one)), said) for one, said in told]

    def _offset(self, node: ast.AST) -> int:
        """Give the place of a node; parameters and expressions have one, what only groups them does not."""
        if isinstance(node, ast.arg):
            return self.text.offset_at(node.lineno, node.col_offset)
        placed = node if isinstance(node, ast.expr | ast.stmt | ast.keyword) else self.start
        return 0 if placed is None else self.file_map.start(placed)

    def stays(self, node: ast.AST, why: str) -> Migrated:
        """Leave the text as it is, tell why, and list all that it uses."""
        told = [(node, f"not moved: {why}"), *uses_listed(self.uses, self.file_map)]
        return Migrated(self.source, self.source, left=tuple(self.notes(told)))


def script_of(source: Source) -> Script | None:
    """Read a text; None where it holds no Python.

    Raises:
        ReadError: the text is not what its kind says.
    """
    if source.kind not in {Kind.PYTHON, Kind.NOTEBOOK}:
        return None
    text = python_of(source) if source.kind is Kind.NOTEBOOK else source
    file_map = FileMap(text, parse(text))
    return Script(source, text, file_map, uses_of(file_map))


def to_peft(source: Source, settings: Settings) -> Migrated:
    """Move what a file has of loralib to PEFT, or list it.

    Raises:
        ReadError: the text is not what its kind says.
    """
    script = script_of(source)
    if script is None:
        listed = tuple(Note(source.position(offset), text) for offset, text in flags_in(source))
        return Migrated(source, source, left=listed)
    return script_moved(script, settings)


def script_moved(script: Script, settings: Settings) -> Migrated:
    """Move one script by itself, or list what it uses."""
    if script.start is None:
        return Migrated(script.source, script.source)
    try:
        return training_judged(script, None, settings)
    except Unmovable as error:
        return script.stays(error.node, error.text)


def training_judged(script: Script, layers: Layers | None, settings: Settings) -> Migrated:
    """Move a training; where its length cannot be written for the Trainer, let the Trainer tell it as it starts.

    Raises:
        Unmovable: something in it cannot be said to PEFT.
    """
    moving = moved(script.text, script.uses, script.file_map, layers)
    outcome = judged(script, moving, settings)
    if outcome.changed or not moving.counts:
        return outcome
    late = judged(script, moved(script.text, script.uses, script.file_map, layers, told_by_trainer=True), settings)
    return late if late.changed else outcome


def judged(script: Script, moving: Moved, settings: Settings) -> Migrated:
    """Make the edits, and keep what comes out where the rules find nothing in it."""
    source, text = script.source, script.text
    after = source.apply(text.edits_out(moving.edits) if isinstance(text, Embedded) else moving.edits)
    usual = replace(settings, select=Settings().select, ignore=(), extend_select=(), pedantic=False)
    start = script.start or script.file_map.tree
    done = list(moving.done)
    if moving.counts:
        counted = fix_source(after, replace(usual, select=("ADA201",)), Safety.UNSAFE)
        after = counted.after
        done += [(start, f"{one.finding.name}: {one.fix.title}") for one in counted.applied]
    worse = [one for one in check_source(after, usual).findings if one.severity is not Severity.INFO]
    if worse:
        found = sorted({f"not moved: {one.code} {one.name}: {one.message}" for one in worse})
        return Migrated(source, source, left=tuple(script.notes((start, one) for one in found)))
    return Migrated(source, after, tuple(script.notes(done)), tuple(script.notes(moving.left)))
