"""`adalint init`: ask what a project means where a configuration does not say it, and write the answers down."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from adalint.cli.failure import Failure
from adalint.cli.options import lang
from adalint.settings import INTENTS

if TYPE_CHECKING:
    from adalint.cli.inputs import Inputs
    from adalint.questions import Place
    from adalint.settings import Settings

OPEN = "open"
"""The word that leaves a question open."""

_SHOWN = 5


@click.command()
@click.argument("folder", type=click.Path(readable=False), default=".")
@click.option("--r", "r", type=click.Choice(INTENTS["r"]), help="What a lone `r` means.")
@click.option("--reversed-ranks", type=click.Choice(INTENTS["reversed-ranks"]), help="What reversed ranks mean.")
@click.option("-y", "--yes", "--defaults", "defaults", is_flag=True, help="Ask nothing; take cautious answers.")
@lang
def init(folder: str, r: str | None, reversed_ranks: str | None, defaults: bool, language: str) -> None:
    """Ask what is meant in FOLDER (default: here) where fixes wait for a decision, and write it into the settings.

    Only what occurs is asked, and nothing that is answered already. Answers go under `intent` of the nearest
    adalint.toml or pyproject.toml, whose other bytes stay as they are; where there is none, adalint.toml is made.
    """
    from adalint import questions
    from adalint.settings import SettingsError, resolver

    if not os.path.isdir(folder):
        raise Failure(f"{folder}: is no folder")
    told = {key: word for key, word in (("r", r), ("reversed-ranks", reversed_ranks)) if word is not None}
    try:
        settled = resolver()(folder)
        _refuse_to_overwrite(settled, told)
        inputs, found = _search(folder, settled)
    except SettingsError as error:
        raise Failure(str(error)) from None
    open_ = {key: places for key, places in found.items() if key not in settled.intent and key not in told}
    asks = bool(open_) and not defaults
    if asks and not sys.stdin.isatty() and not told:
        flags = " ".join(f"--{key} {'|'.join(INTENTS[key])}" for key in open_)
        raise Failure(f"there is no terminal to ask on; answer by {flags}, or take --defaults")
    answers = dict(told)
    for key, places in open_.items():
        if defaults:
            answers[key] = questions.CAUTIOUS[key]
        elif sys.stdin.isatty():
            word = _ask(key, places, language)
            answers |= {} if word == OPEN else {key: word}
    answers = {key: answers[key] for key in INTENTS if key in answers and key not in settled.intent}
    _close(folder, settled, answers, [key for key in open_ if key not in answers], language)
    click.get_current_context().exit(2 if inputs.failed else 0)


def _refuse_to_overwrite(settled: Settings, told: dict[str, str]) -> None:
    from adalint.settings import settings_error

    for key, word in told.items():
        given = settled.intent.get(key, word)
        if given != word:
            raise settings_error(
                settled, ("intent", key), given, f'"{given}" stands there; change it there, or leave the flag out'
            )


def _search(folder: str, settled: Settings) -> tuple[Inputs, dict[str, list[Place]]]:
    """Find what waits for an answer in the files that the settings of a folder are for."""
    from adalint import questions
    from adalint.cli.inputs import Inputs
    from adalint.cli.options import Request
    from adalint.settings import Flags, resolver

    inputs = Inputs(Request((folder,), flags=Flags(), resolve=resolver(), output_format="concise"))
    found: list[dict[str, list[Place]]] = []

    for text in inputs.texts():
        if text.settings.origin == settled.origin:
            inputs.guard(
                text.source.path,
                lambda text=text: found.append(questions.questions_in(text.source, text.settings)),  # type: ignore[misc]
            )
    return inputs, questions.together(found)


def _ask(key: str, places: list[Place], language: str) -> str:
    from adalint import questions
    from adalint.report.concise import at
    from adalint.report.words import counted, harmless, one_line, said

    files = counted(len({place.source.path for place in places}), "file", language)
    findings = counted(len(places), "finding", language)
    lines = [said(questions.QUESTIONS[key], language)]
    lines.append(said("{findings} in {files}:", language, findings=findings, files=files))
    for place in places[:_SHOWN]:
        where = at(place.source.path, place.source.position(place.finding.span.start))
        lines.append(f"  {where}: {one_line(place.finding.message)}")
    if len(places) > _SHOWN:
        lines.append(said("  … and {number} more", language, number=f"{len(places) - _SHOWN:,}"))
    words = [*INTENTS[key], OPEN]
    width = max(map(len, words))
    for word in words:
        meaning = "leave it open" if word == OPEN else questions.ANSWERS[key, word]
        lines.append(f"  {word:<{width}}  {said(meaning, language)}")
    click.echo("\n" + "\n".join(map(harmless, lines)))
    answer: str = click.prompt(f"{key}", type=click.Choice(words), default=OPEN, show_choices=False)
    return answer


def _close(folder: str, settled: Settings, answers: dict[str, str], left: list[str], language: str) -> None:
    """Write the answers, and say what was written, what is still open, and what to do next."""
    from adalint.report.words import harmless, said, shown_path

    if answers:
        place = _write(folder, settled, answers)
        what = ", ".join(f'{key} = "{word}"' for key, word in answers.items())
        told = said("{path}: wrote {what} under intent.", language, path=shown_path(place), what=what)
        click.echo(harmless(told))
    elif not left:
        click.echo(said("Nothing to ask: no fix waits for a decision.", language))
    if left:
        click.echo(said("Left open: {keys}.", language, keys=", ".join(left)))
    if answers:
        click.echo(said("Next: `adalint fix --diff`, and `adalint baseline` for what is to stay.", language))


def _write(folder: str, settled: Settings, answers: dict[str, str]) -> str:
    """Write the answers into the settings file of a folder; give its place."""
    import tomllib

    from adalint import files
    from adalint.fixes.intent_edits import with_intent
    from adalint.report.words import shown_path
    from adalint.settings import PYPROJECT_TABLE
    from adalint.source import SourceError

    place = settled.origin or _place_for(folder)
    table = PYPROJECT_TABLE if os.path.basename(place) == "pyproject.toml" else ()
    shown = shown_path(place)
    by_hand = "; ".join(f'{key} = "{word}"' for key, word in answers.items())
    try:
        before = files.read(place) if os.path.lexists(place) else None
        after = with_intent((before or b"").decode(), table, answers)
        if after is None:
            raise Failure(f"{shown}: its `intent` is written in a way that is not mended here; write there: {by_hand}")
        if before is None:
            files.put(place, after.encode())
        else:
            files.write_atomically(place, after.encode(), os.path.dirname(os.path.abspath(place)), before)
    except (SourceError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Failure(f"{shown}: {error}; nothing was written") from None
    return place


def _place_for(folder: str) -> str:
    """Choose the file for a folder without settings: the nearest pyproject.toml of its repository, else a new one."""
    from adalint import files

    root = files.repository_of(folder) or os.path.realpath(folder)
    here = os.path.realpath(folder)
    while True:
        project = os.path.join(here, "pyproject.toml")
        if os.path.isfile(project):
            return project
        if here in {root, os.path.dirname(here)}:
            return os.path.join(os.path.realpath(folder), "adalint.toml")
        here = os.path.dirname(here)
