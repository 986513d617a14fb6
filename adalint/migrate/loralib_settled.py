"""What the flags of a training are on all lines that launch it, and what it asks of them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from adalint.migrate.loralib_branches import UNKNOWN
from adalint.migrate.loralib_command_line import DECIDING
from adalint.migrate.loralib_launches import DEAD

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from adalint.migrate.loralib_command_line import CommandLine, Flag
    from adalint.migrate.loralib_launches import Launch
    from adalint.readers.python_scopes import FileMap

_TRUTHS: Final = {"true": True, "t": True, "yes": True, "1": True, "false": False, "f": False, "no": False, "0": False}
"""What HfArgumentParser takes for a truth."""


def decided_by(line: CommandLine, launches: Sequence[Launch], *, of_fork: bool) -> dict[str, object]:
    """Give the flags that every launch line sets to what asks for AdaLoRA, with their values.

    Other methods are only known to be off where loralib's copy of transformers has them, `of_fork`.
    """
    if not launches:
        return {}
    found: dict[str, object] = {}
    for name, value in DECIDING.items():
        flag = line.flags.get(name)
        if (
            flag is None
            or (value is False and not of_fork)
            or any(not isinstance(read.ctx, ast.Load) for read in flag.reads)
        ):
            continue
        if all(_value_on(launch, flag) == value for launch in launches):
            found[name] = value
    return found


def slots_of(line: CommandLine, launches: Sequence[Launch]) -> dict[str, object]:
    """Give the list of slots that have layers, where all launch lines say the same."""
    flag = line.flags.get("lora_module")
    if flag is None or flag.switch or any(not isinstance(read.ctx, ast.Load) for read in flag.reads):
        return {}
    values = {_value_on(launch, flag) for launch in launches}
    return {"lora_module": values.pop()} if len(values) == 1 and all(isinstance(one, str) for one in values) else {}


def _value_on(launch: Launch, flag: Flag) -> object:
    """Tell the value of a flag on a launch line; UNKNOWN where it is not told."""
    options = {str(one.value) for one in flag.options} | ({DEAD} if flag.name == "apply_adalora" else set())
    given = [one for one in launch.given if one.option in options]
    action, default = flag.keywords.get("action"), flag.keywords.get("default")
    if flag.switch:
        switched = isinstance(action, ast.Constant) and action.value == "store_true"
        switched = switched and (default is None or (isinstance(default, ast.Constant) and default.value is False))
        return bool(given) if switched else UNKNOWN
    if not given and action is None and (flag.owner is not None or not flag.many):
        value = None if default is None else default.value if isinstance(default, ast.Constant) else UNKNOWN
        return UNKNOWN if isinstance(value, str) and flag.kind != "str" else value
    if action is not None or not given:
        return UNKNOWN
    last = given[-1]
    written = last.inline if last.inline is not None else last.values[0].value if last.values else True
    if isinstance(last.word.value, str) and flag.kind == "bool" and flag.owner is not None:
        return True if written is True else _TRUTHS.get(str(written).lower(), UNKNOWN)
    if flag.many or flag.kind != "str" or not isinstance(last.word.value, str):
        return UNKNOWN
    return written if isinstance(written, str) else UNKNOWN


def is_gate(name: str, line: CommandLine, file_map: FileMap) -> bool:
    """Tell whether the penalty's flag only switches it, as in the script for summaries: it is no weight then."""
    if name != "reg_orth_coef":
        return False
    return any(
        isinstance(one, ast.If | ast.IfExp | ast.Compare | ast.BoolOp)
        for read in line.flags[name].reads
        for one in _within(read, file_map)
    )


def _within(node: ast.AST, file_map: FileMap) -> Iterator[ast.AST]:
    """Give what an expression is part of, a test included, and no statement that it merely stands in."""
    child = node
    for parent in file_map.parents(node):
        if isinstance(parent, ast.If):
            if child is parent.test:
                yield parent
            return
        if isinstance(parent, ast.stmt):
            return
        yield parent
        child = parent
