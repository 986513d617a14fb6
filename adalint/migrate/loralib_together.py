"""Several files at once: layers in one of them, their allocator in another, and the lines that launch it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from adalint.migrate.loralib_launched import launched, with_flags
from adalint.migrate.loralib_names import Unmovable
from adalint.migrate.loralib_pairs import pair_moved, partners_of
from adalint.migrate.loralib_program import program_of
from adalint.migrate.loralib_project import Project
from adalint.migrate.loralib_to_peft import script_moved, script_of, to_peft
from adalint.readers.errors import ReadError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from adalint.migrate.loralib_to_peft import Script
    from adalint.migrate.loralib_words import Rewritten
    from adalint.migrate.texts import Migrated
    from adalint.settings import Settings
    from adalint.source import Source


def together(given: Sequence[tuple[Source, Settings]]) -> Callable[[Source, Settings], Migrated]:
    """Plan over all files of a run; what is given back tells what becomes of each.

    It raises ReadError for a text that is not what its kind says.
    """
    scripts: dict[str, Script] = {}
    settings = {source.path: settled for source, settled in given}
    for source, _ in given:
        try:
            script = script_of(source)
        except ReadError:
            continue
        if script is not None:
            scripts[source.path] = script
    outcomes = all_moved(list(scripts.values()), settings, [source for source, _ in given])

    def outcome_of(source: Source, settled: Settings) -> Migrated:
        return outcomes[source.path] if source.path in outcomes else to_peft(source, settled)

    return outcome_of


def all_moved(
    scripts: Sequence[Script], settings: dict[str, Settings], sources: Sequence[Source]
) -> dict[str, Migrated]:
    """Tell what becomes of each Python text and of each text that launches one, by its path."""
    outcomes: dict[str, Migrated] = {}
    project = Project(scripts)
    rewritten: list[Rewritten] = []
    groups: list[set[str]] = []
    for training in scripts:
        if not training.uses.calls["RankAllocator"]:
            continue
        found = training_moved(training, project, settings)
        try:
            program = program_of(training, project, sources)
        except Unmovable as error:
            found = _told(found, training, f"the flags keep their names: {error.text}")
            program = None
        if program is not None:
            renewed = with_flags(program, training, project, lambda one, them: training_moved(one, them, settings))
            if all(one.changed for one in renewed):
                found = renewed
                rewritten += program.launches
                groups.append({one.path for one in (training.source, *(it.source for it in program.launches))})
            elif not any(one.changed for one in found):
                found = renewed
        groups.append({one.before.path for one in found if one.changed})
        for one in found:
            if one.before.path not in outcomes or one.changed:
                outcomes[one.before.path] = one
    for script in scripts:
        if script.source.path not in outcomes:
            outcomes[script.source.path] = script_moved(script, settings[script.source.path])
    outcomes |= launched(rewritten)
    return bound_together(outcomes, groups)


def training_moved(training: Script, project: Project, settings: dict[str, Settings]) -> list[Migrated]:
    """Move a training, with the file of its layers where it has one."""
    partners = partners_of(training, project)
    settled = settings[training.source.path]
    if len(partners) == 1:
        return list(pair_moved(training, partners[0], project, settled))
    return [script_moved(training, settled)]


def _told(found: Sequence[Migrated], training: Script, why: str) -> list[Migrated]:
    """Say why the flags of a training stay: of what was done where it is moved, of what is left where not."""
    notes = training.notes([(training.start or training.file_map.tree, why)])
    said = []
    for one in found:
        if one.before.path != training.source.path:
            said.append(one)
        elif one.changed:
            said.append(replace(one, done=(*one.done, *notes)))
        else:
            said.append(replace(one, left=(*one.left, *notes)))
    return said


def bound_together(outcomes: dict[str, Migrated], groups: Sequence[set[str]]) -> dict[str, Migrated]:
    """Have texts written all or none; groups that share a text are one."""
    bound: list[set[str]] = []
    for group in groups:
        mine = [one for one in bound if one & group]
        bound = [one for one in bound if not one & group]
        bound.append(group.union(*mine))
    found = dict(outcomes)
    for group in bound:
        changed = tuple(path for path in outcomes if path in group and outcomes[path].changed)
        if len(changed) > 1:
            found |= {path: replace(outcomes[path], together=changed) for path in changed}
    return found
