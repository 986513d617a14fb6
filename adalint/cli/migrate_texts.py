"""What all migrations of texts share: the options, the walk, the diff, the writing, the report."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import click

from adalint.cli.failure import Failure, say
from adalint.cli.options import locale
from adalint.settings import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from adalint.migrate.texts import Migrated
    from adalint.settings import Settings
    from adalint.source import Source

VERSION: Final = 1
_OPTIONS: Final = (
    click.argument("paths", nargs=-1, required=True, metavar="PATH…"),
    click.option("--write", is_flag=True, help="Write the files; without it, a diff is printed."),
    click.option("--allow-dirty", is_flag=True, help="Write files of a git repository that has uncommitted changes."),
    click.option("--report", metavar="FILE", help="Write what was done, and what is left, as JSON; `-` prints it."),
    click.option("-q", "--quiet", is_flag=True, help="Print no diff and no notes."),
    click.option("--isolated", is_flag=True, help="Read no settings file."),
    click.option("--lang", type=click.Choice(LANGUAGES), help="Speak this language: English or Chinese."),
)


def for_texts(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that `run` takes."""

    @functools.wraps(command)
    def call(**options: Any) -> None:
        command(**options)

    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(_OPTIONS), call)


def run(
    kind: str,
    paths: Sequence[str],
    migrate: Callable[[Source, Settings], Migrated],
    concerns: Callable[[bytes], bool],
    *,
    write: bool,
    allow_dirty: bool,
    report: str | None,
    quiet: bool,
    isolated: bool,
    lang: str | None,
    together: Callable[[Sequence[tuple[Source, Settings]]], Callable[[Source, Settings], Migrated]] | None = None,
) -> int:
    """Migrate the files below some paths; give the exit code.

    `together` sees all of them first, and gives what stands for `migrate` then. `concerns` tells by the bytes of a file
    whether it is looked at. 0: all is as it should be, or was written and nothing is left; 1: something would be
    written, or is left for a person; 2: a file could not be read or written.

    Raises:
        Failure: a path does not exist, or a file that is to be written lies in a repository with other changes.
    """
    from adalint.readers.errors import ReadError
    from adalint.settings import Flags, resolver
    from adalint.source import SourceError

    outcomes: list[Migrated] = []
    roots: dict[str, str] = {}
    failed = False
    resolve = resolver(Flags(isolated=isolated, language=lang))
    language = _language(resolve, paths[0], for_programs=report is not None)
    given = _sources(paths, concerns, resolve, language)
    if together is not None:
        given = list(given)
        migrate = together([(source, settings) for source, settings, _ in given])
    for source, settings, root in given:
        try:
            outcome = _retold(migrate(source, settings), language)
        except (ReadError, SourceError) as error:
            say(f"{source.path}: cannot be migrated: {error}")
            failed = True
            continue
        if outcome.changed or outcome.done or outcome.left:
            outcomes.append(outcome)
            roots[source.path] = root
        if outcome.changed and not write and not quiet and report != "-":
            _show_diff(outcome)
    changed = [one for one in outcomes if one.changed]
    if write and changed:
        if not allow_dirty:
            _refuse_dirty([one.before.path for one in changed])
        kept = _all_written(changed, roots)
        failed |= len(kept) < len(changed)
        outcomes = [one for one in outcomes if not one.changed or one in kept]
    if report is not None:
        _put_report(report, kind, outcomes, written=write)
    if not quiet and report != "-":
        _tell(outcomes, language, written=write)
    return 2 if failed else int((bool(changed) and not write) or any(one.left for one in outcomes))


def _language(resolve: Callable[[str], Settings], path: str, *, for_programs: bool) -> str:
    """Tell the language of the run: that of the flag or the settings of the first path, else the reader's."""
    from adalint.settings import SettingsError

    try:
        settled = resolve(path)
    except SettingsError as error:
        raise Failure(str(error)) from None
    if settled.language_source:
        return settled.language
    return locale() if sys.stdout.isatty() and not for_programs else "en"


def _retold(outcome: Migrated, language: str) -> Migrated:
    """Say the notes in a language; what they have from the rules is in it already."""
    from adalint.report.words import retold

    done, left = (
        tuple(replace(one, text=retold(one.text, language)) for one in notes) for notes in (outcome.done, outcome.left)
    )
    return replace(outcome, done=done, left=left)


def _sources(
    paths: Sequence[str], concerns: Callable[[bytes], bool], resolve: Callable[[str], Settings], language: str
) -> Iterable[tuple[Source, Settings, str]]:
    """Give the texts below the paths, each with its settings, in the language of the run."""
    from adalint import files
    from adalint.settings import SettingsError
    from adalint.source import Source, SourceError, kind_of

    def exclude(folder: str) -> tuple[str, tuple[str, ...]]:
        settled = resolve(folder)
        base = os.path.dirname(settled.origin) if settled.origin else folder
        return base, (*settled.exclude, *settled.extend_exclude)

    try:
        targets = list(files.walk(paths, exclude, lambda path, reason: say(f"{path}: left out: {reason}")))
    except FileNotFoundError as error:
        raise Failure(f"{error.filename}: no such file or directory") from None
    except (SourceError, SettingsError) as error:
        raise Failure(str(error)) from None
    for target in targets:
        kind = kind_of(target.path)
        try:
            raw = files.read(target.path)
            if kind is not None and concerns(raw):
                settings = replace(resolve(target.path), language=language)
                yield Source.decode(target.path, kind, raw), settings, target.root
        except SourceError as error:
            say(f"{target.path}: left out: {error}")
        except SettingsError as error:
            raise Failure(str(error)) from None


def _all_written(outcomes: Sequence[Migrated], roots: Mapping[str, str]) -> list[Migrated]:
    """Write the texts, and give those that are written now.

    Where one of several that go together cannot be written, the others are what they were.
    """
    done: list[Migrated] = []
    broken: set[str] = set()
    for one in outcomes:
        if one.before.path in broken:
            say(f"{one.before.path}: not written: it goes together with a file that was not")
        elif _written(one.before.path, one.before.encode(), one.after.encode(), roots[one.before.path]):
            done.append(one)
        else:
            broken.update(one.together)
    for one in tuple(done):
        path = one.before.path
        if path in broken and _written(path, one.after.encode(), one.before.encode(), roots[path]):
            say(f"{path}: not written: it goes together with a file that was not")
            done.remove(one)
    return done


def _written(path: str, before: bytes, after: bytes, root: str) -> bool:
    from adalint.files import write_atomically
    from adalint.source import SourceError

    try:
        write_atomically(path, after, root, before)
    except SourceError as error:
        say(f"{path}: not written: {error}")
        return False
    return True


def _refuse_dirty(paths: Sequence[str]) -> None:
    """Refuse to write into a git work tree that has changes, so that the diff of the migration stands alone.

    Raises:
        Failure: there are changes; the message names the first files.
    """
    from adalint.files import repository_of

    for repository in sorted({root for path in paths if (root := repository_of(path)) is not None}):
        command = ["git", "-C", repository, "status", "--porcelain", "-z", "--untracked-files=no"]
        try:
            done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - git, of our own words
        except OSError as error:
            raise Failure(
                f"{repository}: git cannot be asked for uncommitted changes ({error.strerror}): give --allow-dirty"
            ) from None
        changed = [one[3:].decode(errors="replace") for one in done.stdout.split(b"\0") if one]
        if done.returncode == 0 and changed:
            more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
            named = ", ".join(changed[:3])
            raise Failure(f"{repository}: uncommitted changes ({named}{more}): commit them, or give --allow-dirty")


def _show_diff(outcome: Migrated) -> None:
    from adalint.report import diff

    click.echo(diff.render(outcome.before, outcome.after), nl=False)


def _tell(outcomes: Sequence[Migrated], language: str, *, written: bool) -> None:
    from adalint.report.concise import at
    from adalint.report.words import counted, one_line, said

    for outcome in outcomes:
        for note in outcome.done:
            words = {"place": at(outcome.before.path, note.position), "note": one_line(note.text)}
            deed = said("{place}: done: {note}" if written else "{place}: would be done: {note}", language, **words)
            click.echo(deed, err=True)
        for note in outcome.left:
            words = {"place": at(outcome.before.path, note.position), "note": one_line(note.text)}
            click.echo(said("{place}: left: {note}", language, **words), err=True)
    files = counted(sum(one.changed for one in outcomes), "file", language)
    number = f"{sum(len(one.left) for one in outcomes):,}"
    click.echo(
        said(
            "{files} written, {number} left for you." if written else "{files} to write, {number} left for you.",
            language,
            files=files,
            number=number,
        ),
        err=True,
    )


def _put_report(path: str, kind: str, outcomes: Sequence[Migrated], *, written: bool) -> None:
    from adalint import files
    from adalint.report.words import shown_path
    from adalint.source import SourceError

    def notes(found: Iterable[Any]) -> list[dict[str, Any]]:
        return [
            {"cell": one.position.cell, "row": one.position.row, "column": one.position.column, "text": one.text}
            for one in found
        ]

    document = {
        "version": VERSION,
        "migration": kind,
        "written": written,
        "files": [
            {
                "filename": shown_path(one.before.path),
                "changed": one.changed,
                "done": notes(one.done),
                "left": notes(one.left),
            }
            for one in outcomes
        ],
    }
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if path == "-":
        click.echo(text, nl=False)
        return
    try:
        files.put(path, text.encode())
    except SourceError as error:
        raise Failure(f"--report {path}: {error}") from None
