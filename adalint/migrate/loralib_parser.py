"""The command line of a training script: the flags that its parser defines, and where the script reads them."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from adalint.migrate.loralib_names import Unmovable
from adalint.readers.python_scopes import FUNCTIONS

if TYPE_CHECKING:
    from adalint.readers.python_scopes import FileMap, FunctionNode

RENAMED: Final = {
    "lora_r": "init_r",
    "target_rank": "target_r",
    "init_warmup": "tinit",
    "final_warmup": "tfinal",
    "mask_interval": "deltaT",
    "reg_orth_coef": "orth_reg_weight",
}
"""What loralib's flags are called in PEFT, where they are called otherwise."""

DECIDING: Final = {"apply_lora": True, "apply_adalora": True, "apply_rankselector": True, "lora_type": "svd"}
"""Flags that ask for AdaLoRA, and what they have to be."""

_GROUPS: Final = frozenset({"add_argument_group", "add_mutually_exclusive_group"})
_HARMLESS: Final = frozenset({"print_help", "print_usage", "format_help", "format_usage", "error", "exit"})
_SHOWING: Final = frozenset({"print", "debug", "info", "warning", "log"})
_SWITCHES: Final = frozenset({"store_true", "store_false", "count", "help", "version", "store_const", "append_const"})


@dataclass(frozen=True, slots=True)
class Flag:
    """One `add_argument`: its options as they are written, and where the script reads or sets what it gives."""

    name: str
    """What the script reads it by."""
    call: ast.Call
    options: tuple[ast.Constant, ...]
    reads: list[ast.Attribute] = field(default_factory=list)

    @property
    def keywords(self) -> dict[str | None, ast.expr]:
        """The arguments that are given by name."""
        return {one.arg: one.value for one in self.call.keywords}

    @property
    def long(self) -> list[ast.Constant]:
        """The options with two hyphens."""
        return [one for one in self.options if str(one.value).startswith("--")]

    @property
    def switch(self) -> bool:
        """Whether it takes no value."""
        action = self.keywords.get("action")
        return isinstance(action, ast.Constant) and action.value in _SWITCHES

    @property
    def many(self) -> bool:
        """Whether it may take another number of values than one."""
        return "nargs" in self.keywords


@dataclass(frozen=True, slots=True)
class CommandLine:
    """All that a script takes on its command line."""

    parser: ast.Call
    flags: dict[str, Flag]

    def options(self) -> dict[str, Flag]:
        """Give the flags by each of their options."""
        return {str(option.value): flag for flag in self.flags.values() for option in flag.options}


def command_line_of(file_map: FileMap) -> CommandLine | None:
    """Read the parser of a script; None where it has none.

    Raises:
        Unmovable: what it defines, or where that is read, is not all to be seen.
    """
    made = [one for one in file_map.calls() if file_map.path_of(one.func) == "argparse.ArgumentParser"]
    if not made:
        return None
    if len(made) > 1:
        raise Unmovable(made[1], "a second parser")
    [parser] = made
    for keyword in parser.keywords:
        if keyword.arg in {None, "parents", "fromfile_prefix_chars", "prefix_chars", "argument_default"}:
            raise Unmovable(keyword.value, "the parser takes more than its add_argument tell")
    return _Reading(parser, file_map).command_line()


class _Reading:
    """Follows the parser to its flags, and what it gives to where that is read."""

    def __init__(self, parser: ast.Call, file_map: FileMap) -> None:
        self.parser = parser
        self.file_map = file_map
        self.flags: dict[str, Flag] = {}
        self.results: list[ast.Call] = []
        self._seen: set[int] = set()
        self._reads: list[ast.Attribute] = []

    def command_line(self) -> CommandLine:
        self._parser_in(self.parser)
        for call in self.file_map.calls():
            # Flags that something else adds to a parser of this file.
            added = isinstance(call.func, ast.Attribute) and call.func.attr == "add_argument"
            if added and all(call is not one.call for one in self.flags.values()):
                raise Unmovable(call, "this add_argument is not told to be of the parser")
        if not self.results:
            raise Unmovable(self.parser, "the parser is asked elsewhere")
        for result in self.results:
            self._namespace(result)
        for read in self._reads:
            if read.attr in self.flags:
                self.flags[read.attr].reads.append(read)
        return CommandLine(self.parser, self.flags)

    def _parser_in(self, value: ast.expr) -> None:
        statement = self.file_map.parent(value)
        match statement:
            case ast.Assign(targets=[ast.Name(id=name) as target]):
                pass
            case _:
                raise Unmovable(value, "the parser has no name")
        if len(self.file_map.bindings(name, target)) > 1:
            raise Unmovable(value, f"{name} is not always the parser")
        for use in self.file_map.uses(name, target):
            if isinstance(use.ctx, ast.Load):
                self._parser_used(use)

    def _parser_used(self, use: ast.Name) -> None:
        attribute = self.file_map.parent(use)
        call = None if attribute is None else self.file_map.parent(attribute)
        if not isinstance(attribute, ast.Attribute) or not isinstance(call, ast.Call) or call.func is not attribute:
            raise Unmovable(use, "the parser is handed on")
        if attribute.attr == "add_argument":
            self._flag(call)
        elif attribute.attr == "parse_args":
            self.results.append(call)
        elif attribute.attr in _GROUPS:
            self._parser_in(call)
        elif attribute.attr not in _HARMLESS:
            raise Unmovable(call, f"the parser is used by {attribute.attr}, too")

    def _flag(self, call: ast.Call) -> None:
        options = [one for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        if len(options) < len(call.args) or any(one.arg is None for one in call.keywords):
            raise Unmovable(call, "this add_argument does not show what it adds")
        keywords = {one.arg: one.value for one in call.keywords}
        dest = keywords.get("dest")
        if dest is None:
            texts = [str(one.value) for one in options]
            long = [one for one in texts if one.startswith("--")]
            name = (long or texts or [""])[0].lstrip("-").replace("-", "_")
        elif isinstance(dest, ast.Constant) and isinstance(dest.value, str):
            name = dest.value
        else:
            raise Unmovable(call, "this add_argument does not show what it adds")
        if name in self.flags:
            raise Unmovable(call, f"{name} is defined twice")
        self.flags[name] = Flag(name, call, tuple(options))

    def _namespace(self, value: ast.expr) -> None:
        """Follow what the parser gives, by its names, to each attribute that is read of it.

        Raises:
            Unmovable: it goes where this is not seen.
        """
        if id(value) in self._seen:
            return
        self._seen.add(id(value))
        match self.file_map.parent(value):
            case ast.Attribute() as read if not read.attr.startswith("_"):
                self._reads.append(read)
            case ast.Assign(targets=[ast.Name() as target]) | ast.AnnAssign(target=ast.Name() as target):
                self._named(target.id, target)
            case ast.Return() as statement:
                self._returned(statement, value)
            case ast.keyword(arg=str(name)) as keyword:
                self._handed(value, self.file_map.parent(keyword), name)
            case ast.Call() as call if value in call.args:
                self._handed(value, call, None)
            case ast.FormattedValue() | ast.Expr():
                pass
            case _:
                raise Unmovable(value, f"{ast.unparse(value)} goes where its flags are not seen")

    def _named(self, name: str, at: ast.AST) -> None:
        if len(self.file_map.bindings(name, at)) != 1:
            raise Unmovable(at, f"{name} is not always what the parser gives")
        for use in self.file_map.uses(name, at):
            if isinstance(use.ctx, ast.Load):
                self._namespace(use)
            elif not isinstance(use.ctx, ast.Store):
                raise Unmovable(use, f"{name} is not always what the parser gives")

    def _returned(self, statement: ast.Return, value: ast.expr) -> None:
        function = self.file_map.frame_of(statement)
        callers = self.file_map.callers_of(function) if isinstance(function, FUNCTIONS) else []
        if not callers:
            raise Unmovable(value, "what the parser gives is returned to callers that are not seen")
        for call in callers:
            self._namespace(call)

    def _handed(self, value: ast.expr, call: ast.AST | None, keyword: str | None) -> None:
        if not isinstance(call, ast.Call):
            raise Unmovable(value, f"{ast.unparse(value)} goes where its flags are not seen")
        called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        function = self.file_map.function_called(call)
        if function is None and called in _SHOWING:
            return
        parameter = None if function is None else self._parameter(value, call, function, keyword)
        if function is None or parameter is None or isinstance(function, ast.Lambda):
            raise Unmovable(
                value, f"{ast.unparse(value)} is handed to {called or 'a call'}, where its flags are not seen"
            )
        self._named(parameter.arg, function.body[0])

    def _parameter(
        self, value: ast.expr, call: ast.Call, function: FunctionNode, keyword: str | None
    ) -> ast.arg | None:
        if any(isinstance(one, ast.Starred) for one in call.args):
            return None
        listed = [*function.args.posonlyargs, *function.args.args]
        if keyword is not None:
            return next((one for one in [*listed, *function.args.kwonlyargs] if one.arg == keyword), None)
        index = call.args.index(value) + (1 if self.file_map.is_method(function) else 0)
        return listed[index] if index < len(listed) else None
