"""`adalint check --adapter DIR`: the health card of a saved adapter."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import click

from adalint.cli.failure import Failure

if TYPE_CHECKING:
    from adalint.adapters.card import Card
    from adalint.cli.inputs import Input
    from adalint.cli.options import Request

CONFIG: Final = "adapter_config.json"
_FORMATS: Final = ("full", "concise", "json", "markdown")


def show_cards_of(request: Request, folders: tuple[str, ...], *, as_json: bool) -> None:
    """Print the card of each adapter; exit 1 when any has findings.

    Raises:
        Failure: a folder holds no AdaLoRA adapter, or cannot be read; or the options do not fit together.
    """
    if not folders:
        raise Failure("--json goes with --adapter DIR; findings are printed as JSON by --output-format json")
    if request.paths != (".",):
        raise Failure("--adapter DIR prints the cards of adapters: leave out the other paths")
    paths = tuple(map(config_in, folders))
    _show(replace(request, paths=paths, output_format="json" if as_json else request.output_format))


def _show(request: Request) -> None:
    from adalint.cli.inputs import Inputs
    from adalint.cli.outputs import emit
    from adalint.report import cards as report
    from adalint.report.sparkline import shows_blocks

    if request.output_format not in _FORMATS:
        raise Failure(f"--output-format {request.output_format}: a card is printed as text, json or markdown")
    for path in request.paths:
        if not os.path.isfile(path):
            raise Failure(f"{os.path.dirname(path) or '.'}: there is no {CONFIG}{_nearby(os.path.dirname(path))}")
    inputs = Inputs(request)
    cards: list[Card] = []
    for text in inputs.texts():
        inputs.guard(text.source.path, lambda text=text: cards.extend(_card(text)))  # type: ignore[misc]
    shown = {os.path.realpath(card.source.path) for card in cards}
    unread = {os.path.realpath(report.source.path): report for report in inputs.unreadable}
    for path in request.paths:
        if os.path.realpath(path) in unread:
            raise Failure(f"{path}: {unread[os.path.realpath(path)].findings[0].message}")
        if os.path.realpath(path) not in shown and not inputs.failed:
            raise Failure(f"{path}: {_why_not(path)}")
    asked = [os.path.realpath(path) for path in request.paths]
    cards.sort(key=lambda card: asked.index(os.path.realpath(card.source.path)))
    if request.output_format == "json":
        emit(request, report.render_json(cards))
    elif request.output_format == "markdown":
        emit(request, report.render_markdown(cards, request.language))
    else:
        plain = request.output_file is None and not shows_blocks(getattr(sys.stdout, "encoding", None))
        emit(request, report.render(cards, request.language, plain=plain))
    found = any(card.findings for card in cards) and not request.exit_zero
    click.get_current_context().exit(2 if inputs.failed else int(found))


def config_in(folder: str) -> str:
    """Give the configuration of an adapter by its folder, or by its own path."""
    return folder if os.path.basename(folder) == CONFIG else os.path.join(folder, CONFIG)


def _card(text: Input) -> list[Card]:
    from adalint.adapters.card import card_of
    from adalint.readers.errors import ReadError

    try:
        card = card_of(text.source, text.settings)
    except ReadError as error:
        raise Failure(f"{text.source.path}: cannot be read: {error}") from None
    return [] if card is None else [card]


def _nearby(folder: str) -> str:
    """Name folders inside that do hold an adapter."""
    try:
        inside = sorted(one.name for one in os.scandir(folder) if os.path.isfile(os.path.join(one.path, CONFIG)))
    except OSError:
        return ""
    return f"; these folders in it have one: {', '.join(inside[:5])}" if inside else ""


def _why_not(path: str) -> str:
    """Say what a file is that is no configuration of AdaLoRA."""
    import json

    from adalint.adapters.header import POINTER

    with open(path, "rb") as file:
        start = file.read(1_000_000)
    if start.startswith(POINTER):
        return "it is a git-lfs pointer: fetch the file with `git lfs pull`"
    try:
        kind = json.loads(start).get("peft_type")
    except (ValueError, AttributeError, RecursionError):
        return "it is not the configuration of an adapter"
    return f"its peft_type is {kind!r}, not ADALORA"
