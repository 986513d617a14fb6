"""A training with other flags, moved, and what becomes of the files that start it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from adalint.engine import check_source
from adalint.findings import Severity
from adalint.migrate.loralib_flags import flags_in, too_short_in
from adalint.migrate.loralib_project import Project
from adalint.migrate.loralib_to_peft import script_of
from adalint.migrate.texts import Migrated, Note
from adalint.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from adalint.migrate.loralib_program import Program
    from adalint.migrate.loralib_to_peft import Script
    from adalint.migrate.loralib_words import Rewritten
    from adalint.source import Source


def with_flags(
    program: Program, training: Script, project: Project, move: Callable[[Script, Project], list[Migrated]]
) -> list[Migrated]:
    """Move a training whose flags have PEFT's names now, told as of its text as it was."""
    staged = script_of(program.stages.last)
    if staged is None:
        return [Migrated(training.source, training.source)]
    stages = {training.source.path: program.stages}
    now = {training.source.path: staged}
    if program.layers is not None:
        layered, of_layers = program.layers
        folded = script_of(of_layers.last)
        if folded is not None:
            stages[layered.source.path] = of_layers
            now[layered.source.path] = folded
    found = move(staged, Project([now.get(one.source.path, one) for one in project.scripts.values()]))
    worse = [said for one in program.launches for said in _found_new(one)]
    if worse:
        return [training.stays(training.start or training.file_map.tree, said) for said in worse[:1]]
    notes = tuple(Note(training.source.position(offset), said) for offset, said in program.done)
    retold = []
    for one in found:
        told = stages[one.before.path].retold(one) if one.before.path in stages else one
        done = (*notes, *told.done) if one.changed and one.before.path == training.source.path else told.done
        retold.append(replace(told, done=done, after=one.after if one.changed else told.before))
    return retold


def _found_new(one: Rewritten) -> list[str]:
    """Tell what the rules find in launch lines as they become, and did not find before."""

    def found(source: Source) -> Counter[str]:
        findings = check_source(source, Settings()).findings
        return Counter(f"{it.code} {it.name}" for it in findings if it.severity is not Severity.INFO)

    return sorted(f"{one.source.name}: {said}" for said in found(one.source.apply(one.edits)) - found(one.source))


def launched(rewritten: Sequence[Rewritten]) -> dict[str, Migrated]:
    """Write what becomes of the files that start the trainings, by their paths."""
    files: dict[str, list[Rewritten]] = {}
    for one in rewritten:
        files.setdefault(one.source.path, []).append(one)
    return {path: _file_of(those) for path, those in files.items()}


def _file_of(those: Sequence[Rewritten]) -> Migrated:
    source = those[0].source
    spans = [span for one in those for span in one.spans]
    after = source.apply(sorted({edit for one in those for edit in one.edits}))
    left = [it for one in those for it in one.left]
    left += [it for it in flags_in(source) if not any(span.start <= it[0] < span.stop for span in spans)]
    left += [it for it in too_short_in(source) if any(span.start <= it[0] < span.stop for span in spans)]

    def notes(told: Sequence[tuple[int, str]]) -> tuple[Note, ...]:
        return tuple(Note(source.position(offset), said) for offset, said in sorted(set(told)))

    return Migrated(source, after, notes([it for one in those for it in one.told]), notes(left))
