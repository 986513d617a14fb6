"""Several files at once: layers in one of them, their allocator in another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from adalint.migrate.loralib_pairs import pair_moved, partners_of
from adalint.migrate.loralib_project import Project
from adalint.migrate.loralib_to_peft import script_moved, script_of, to_peft
from adalint.readers.errors import ReadError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from adalint.migrate.loralib_to_peft import Script
    from adalint.migrate.texts import Migrated
    from adalint.settings import Settings
    from adalint.source import Source


def together(given: Sequence[tuple[Source, Settings]]) -> Callable[[Source, Settings], Migrated]:
    """Plan over all files of a run; what is given back tells what becomes of each.

    It raises ReadError for a text that is not what its kind says.
    """
    scripts: dict[str, Script] = {}
    settings: dict[str, Settings] = {}
    for source, settled in given:
        try:
            script = script_of(source)
        except ReadError:
            continue
        if script is not None:
            scripts[source.path] = script
            settings[source.path] = settled
    outcomes = scripts_moved(list(scripts.values()), settings)

    def outcome_of(source: Source, settled: Settings) -> Migrated:
        return outcomes[source.path] if source.path in outcomes else to_peft(source, settled)

    return outcome_of


def scripts_moved(scripts: Sequence[Script], settings: dict[str, Settings]) -> dict[str, Migrated]:
    """Tell what becomes of each Python text, by its path."""
    outcomes: dict[str, Migrated] = {}
    project = Project(scripts)
    for training in scripts:
        partners = partners_of(training, project)
        if len(partners) == 1:
            [layered] = partners
            pair = pair_moved(training, layered, project, settings[training.source.path])
            for one in bound_together(pair):
                if one.before.path not in outcomes or one.changed:
                    outcomes[one.before.path] = one
    for script in scripts:
        if script.source.path not in outcomes:
            outcomes[script.source.path] = script_moved(script, settings[script.source.path])
    return outcomes


def bound_together(some: Sequence[Migrated]) -> list[Migrated]:
    """Have texts written all or none."""
    changed = tuple(one.before.path for one in some if one.changed)
    return [replace(one, together=changed) if one.changed and len(changed) > 1 else one for one in some]
