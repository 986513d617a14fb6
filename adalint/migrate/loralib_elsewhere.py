"""Files beside a training that know its flags and are not rewritten with it."""

from __future__ import annotations

import ast
import os
import re
from typing import TYPE_CHECKING, Final

from adalint.migrate.loralib_command_line import RENAMED
from adalint.migrate.loralib_launches import Unlaunchable
from adalint.migrate.loralib_words import Rewritten
from adalint.source import Kind, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from adalint.migrate.loralib_command_line import CommandLine
    from adalint.migrate.loralib_project import Project
    from adalint.migrate.loralib_to_peft import Script
    from adalint.readers.python_scopes import FileMap
    from adalint.source import Source

_BESIDE: Final = 1_000_000
"""Files beside a script that are larger than this are no launch lines."""


def refuse_elsewhere(
    script: Script, line: CommandLine, touched: frozenset[str], project: Project, sources: Sequence[Source]
) -> None:
    """Refuse flags that files know which are not rewritten.

    Raises:
        Unlaunchable: one does.
    """
    words = re.compile("|".join(rf"(?<![\w-]){re.escape(one)}(?![\w-])" for one in sorted(touched)))
    own = {id(one) for flag in line.flags.values() for one in flag.options}
    here = os.path.basename(script.source.path)
    imported = {id(one) for one in project.imported_by(script)}
    seen = {os.path.abspath(one.path) for one in sources}
    for other in project.scripts.values():
        if other is not script and script in project.imported_by(other):
            raise Unlaunchable(f"{os.path.basename(other.source.path)} imports from {here}")
        for node in other.file_map.nodes():
            if other is not script and _reads_kept(node, line):
                name = os.path.basename(other.source.path)
                raise Unlaunchable(f"{name} reads {ast.unparse(node)}, which may be of {here}")
            if not isinstance(node, ast.Constant) or id(node) in own or not isinstance(node.value, str):
                continue
            match = words.search(node.value)
            if match is None or isinstance(other.file_map.parent(node), ast.Expr):
                continue
            if id(other) in imported or other is script or not _is_added(node, other.file_map):
                raise Unlaunchable(f"{os.path.basename(other.source.path)} has {match[0]}, too")
    names = re.compile("|".join(sorted(RENAMED)))
    for source in sources:
        data = source.kind in {Kind.JSON, Kind.NOTEBOOK}
        if data or (source.kind is Kind.YAML and here in source.text):
            match = words.search(source.text) or (names.search(source.text) if here in source.text else None)
            if match is not None and (data or not match[0].startswith("-")):
                raise Unlaunchable(f"{source.name} has {match[0]}, too")
        if line.of_dataclasses and source.kind in {Kind.JSON, Kind.YAML}:
            key = re.search(rf"""(?<![\w-])["']?({names.pattern})["']?[ \t]*:""", source.text)
            if key is not None:
                raise Unlaunchable(f"{source.name} has {key[1]}, too")
    for name in _beside(script.source.path, seen, words):
        raise Unlaunchable(f"{name} may start it, and is not among the files that are read")


def _reads_kept(node: ast.AST, line: CommandLine) -> bool:
    """Tell whether a flag is read of what an object keeps."""
    return (
        isinstance(node, ast.Attribute)
        and node.attr in line.flags
        and isinstance(node.value, ast.Attribute)
        and node.value.attr in line.kept
    )


def _is_added(node: ast.Constant, file_map: FileMap) -> bool:
    """Tell whether a text is a flag of another parser."""
    call = file_map.parent(node)
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "add_argument"


def _beside(path: str, seen: set[str], words: re.Pattern[str]) -> Iterator[str]:
    """Find files beside or above a script that may start it and are not given; of no known kind, with flags of it."""
    named = _named(path)
    for place in _places(os.path.dirname(os.path.abspath(path)), seen):
        kind = kind_of(place)
        if kind in {Kind.PYTHON, Kind.MARKDOWN} or place in seen:
            continue
        try:
            if not os.path.isfile(place) or os.path.getsize(place) > _BESIDE:
                continue
            with open(place, "rb") as file:
                text = file.read().decode(errors="replace")
        except OSError:
            continue
        if named.search(text) and (kind in {Kind.SHELL, Kind.YAML} or words.search(text)):
            yield os.path.basename(place)


def _places(folder: str, seen: set[str]) -> Iterator[str]:
    """Give the files of a folder, and of those above it up to the one that holds all that is given."""
    try:
        top = os.path.commonpath([folder, *map(os.path.dirname, seen)])
    except ValueError:  # on several drives
        top = folder
    while True:
        try:
            yield from (os.path.join(folder, name) for name in sorted(os.listdir(folder)))
        except OSError:
            return
        if folder == top or os.path.dirname(folder) == folder:
            return
        folder = os.path.dirname(folder)


def _named(path: str) -> re.Pattern[str]:
    """Match the name of a script, as a file or as a module."""
    stem = re.escape(os.path.basename(path).removesuffix(".py"))
    return re.compile(rf"(?<![\w.-]){stem}\.py\b|-m[ \t]+(?:[\w.]+\.)?{stem}(?![\w.])")


def documents_of(script: Script, options: Mapping[str, str], sources: Sequence[Source]) -> list[Rewritten]:
    """List the flags in documents that show how the script is started; they are not rewritten."""
    named = _named(script.source.path)
    words = re.compile("|".join(rf"(?<![\w-]){re.escape(one)}(?![\w-])" for one in sorted(options)))
    found: list[Rewritten] = []
    for source in sources:
        if source.kind is Kind.MARKDOWN and options and named.search(source.text):
            told = [
                (
                    len(source.text[: match.start()].encode()),
                    f"{match[0]} is " + (options[match[0]] or "no flag") + " now",
                )
                for match in words.finditer(source.text)
            ]
            found += [Rewritten(source, left=told)] if told else []
    return found
