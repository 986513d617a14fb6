"""What the flags of a training decide: in it, and in the file of its layers."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from adalint.migrate.loralib_allocator import allocator_of
from adalint.migrate.loralib_branches import UNKNOWN, branch_edits, value_of
from adalint.migrate.loralib_names import Unmovable
from adalint.migrate.loralib_pairs import Words, maker_of
from adalint.migrate.loralib_parser import command_line_again
from adalint.migrate.loralib_project import Project
from adalint.migrate.loralib_stages import Stages
from adalint.migrate.loralib_to_peft import script_of
from adalint.migrate.loralib_values import handed_in
from adalint.readers.errors import ReadError
from adalint.readers.python_scopes import FileMap
from adalint.readers.python_syntax import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from adalint.migrate.loralib_to_peft import Script
    from adalint.source import Source

_MOST_STAGES: Final = 50
_KEEPS_KEYWORDS: Final = frozenset({"SimpleNamespace", "Namespace", "from_pretrained", "from_dict"})
"""What gives its keyword arguments as attributes."""


def fold(stages: Stages, decided: Mapping[str, object]) -> None:
    """Fold the branches of a training that its flags decide, until there are none."""
    if decided:
        _folded(stages, lambda file_map: known_in(file_map, decided))


def stage_map(stages: Stages) -> FileMap:
    """Read the last stage of a text.

    Raises:
        Unmovable: what it became is no Python.
    """
    try:
        return FileMap(stages.last, parse(stages.last))
    except ReadError as error:
        raise Unmovable(ast.Module([], []), f"its branches cannot be folded: {error}") from None


def _folded(stages: Stages, known: Callable[[FileMap], Mapping[int, object]]) -> None:
    for _ in range(_MOST_STAGES):
        file_map = stage_map(stages)
        edits = branch_edits(file_map, known(file_map))
        if not edits:
            return
        try:
            stages.apply(edits)
        except ValueError:
            raise Unmovable(file_map.tree, "its branches cannot be folded one by one") from None


def known_in(file_map: FileMap, decided: Mapping[str, object]) -> dict[int, object]:
    """Give the values of all expressions that are known by decided flags: reads of them, and names for those."""
    line = command_line_again(file_map)
    flags = {} if line is None else line.flags
    known = {id(read): value for name, value in decided.items() if name in flags for read in flags[name].reads}
    found = dict(known)
    for node in _tested(file_map):
        if id(node) not in found:
            value = _behind(handed_in(node, file_map), file_map, known)
            if value is not UNKNOWN:
                found[id(node)] = value
    return found


def layers_folded(
    training: Source, layered: Script, script: Script, project: Project, decided: Mapping[str, object]
) -> Stages | None:
    """Fold the branches in the file of the layers; None where it is not told what the training hands to it."""
    staged = script_of(training)
    if staged is None or layered.source is not layered.text:
        return None
    known = known_in(staged.file_map, decided)
    stages = Stages(layered.text)

    def known_there(file_map: FileMap) -> dict[int, object]:
        now = script_of(stages.last)
        if now is None:
            return {}
        them = {id(script): staged, id(layered): now}
        sight = Project([them.get(id(one), one) for one in project.scripts.values()])
        allocator = allocator_of(staged.uses, staged.file_map)
        words = Words(staged, now, sight, allocator, maker_of(allocator, staged, now, sight))
        found: dict[int, object] = {}
        # The map that is asked is not the one of `now`: its nodes come in the same order.
        for node, twin in zip(_tested(file_map), _tested(now.file_map), strict=True):
            try:
                said = words.said(twin)
            except Unmovable:
                continue
            value = _behind(said, staged.file_map, known)
            if value is not UNKNOWN and not (isinstance(node, ast.Attribute) and file_map.attribute_stores(node.attr)):
                found[id(node)] = value
        return found

    try:
        _folded(stages, known_there)
    except Unmovable:
        return None
    return stages


def _tested(file_map: FileMap) -> Iterator[ast.Name | ast.Attribute]:
    """Give the names and attributes that branches ask for."""
    for node in file_map.nodes():
        if isinstance(node, ast.If | ast.IfExp):
            yield from (one for one in ast.walk(node.test) if isinstance(one, ast.Name | ast.Attribute))


def _behind(expr: ast.expr, file_map: FileMap, known: Mapping[int, object]) -> object:
    """Tell what stands behind a name, or behind an attribute of an object that is made of keyword arguments.

    For an allocator it is the call that makes it: no None, and true.
    """
    if id(expr) in known:
        return known[id(expr)]
    match expr:
        case ast.Name(id=name) if file_map.parent(expr) is not None:
            binding = file_map.the_binding(name, expr)
            value = None if binding is None else binding.value
            if isinstance(value, ast.Call) and _makes_allocator(value, file_map):
                return value
            if value is not None and any(id(one) in known for one in ast.walk(value)):
                return value_of(value, known)
        case ast.Attribute(value=ast.Name(id=name) as inner, attr=attr) if file_map.parent(inner) is not None:
            binding = file_map.the_binding(name, inner)
            made = None if binding is None else binding.value
            if isinstance(made, ast.Call) and _keeps_keywords(made) and not file_map.attribute_stores(attr):
                given = [one.value for one in made.keywords if one.arg == attr]
                return known.get(id(given[0]), UNKNOWN) if len(given) == 1 else UNKNOWN
    return UNKNOWN


def _makes_allocator(call: ast.Call, file_map: FileMap) -> bool:
    path = (file_map.path_of(call.func) or "").split(".")
    return "loralib" in path and path[-1] == "RankAllocator"


def _keeps_keywords(call: ast.Call) -> bool:
    called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return called in _KEEPS_KEYWORDS or called.endswith("Config")
