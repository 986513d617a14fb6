"""What a training takes on its command line, handed to functions of other files."""

from __future__ import annotations

import ast
import os
from typing import TYPE_CHECKING

from adalint.migrate.loralib_names import Unmovable
from adalint.migrate.loralib_reading import Reading, parameter_of
from adalint.source import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from adalint.migrate.loralib_command_line import CommandLine
    from adalint.migrate.loralib_project import Project
    from adalint.migrate.loralib_to_peft import Script


class Handed:
    """Follows the flags of a training into the functions that it imports, and keeps where they are read there."""

    def __init__(self, script: Script, project: Project) -> None:
        self.script = script
        self.project = project
        self._reads: list[tuple[Script, ast.Attribute, ast.ClassDef | None]] = []

    def follow(self, value: ast.expr, call: ast.Call, keyword: str | None, owner: ast.ClassDef | None) -> bool:
        """Follow an argument of a call; False where the function is not seen, or does more than to read flags of it."""
        found = self.project.origin(call.func, self.script)
        if found is None:
            return False
        other, name = found
        functions = [
            one
            for one in other.file_map.tree.body
            if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and one.name == name
        ]
        if len(functions) != 1 or not self._is_ours_alone(other) or other.file_map.callers_of(functions[0]):
            return False
        parameter = parameter_of(value, call, functions[0], keyword, first=0)
        if parameter is None:
            return False
        reading = Reading(call, other.file_map)
        try:
            reading.named(parameter.arg, functions[0].body[0])
        except Unmovable:
            return False
        self._reads += [(other, one, owner) for one in reading.reads]
        return True

    def _is_ours_alone(self, other: Script) -> bool:
        """Tell whether a file is plain Python, has nothing of loralib, and is imported by the training alone."""
        importers = [one for one in self.project.scripts.values() if other in self.project.imported_by(one)]
        return other.source.kind is Kind.PYTHON and not other.uses.imports and importers == [self.script]

    def reads_of(self, line: CommandLine, changed: Mapping[str, object]) -> Iterator[tuple[Script, ast.Attribute]]:
        """Give the reads in other files of the flags that change.

        Raises:
            Unmovable: one is of a flag that does more than to get another name.
        """
        for other, read, owner in self._reads:
            flag = line.flags.get(read.attr)
            if flag is None or flag.owner is not owner or read.attr not in changed:
                continue
            if not isinstance(changed[read.attr], str):
                name = os.path.basename(other.source.path)
                raise Unmovable(flag.made, f"{name} reads {read.attr}, too, which would not only get another name")
            yield other, read
