"""A parser of argparse: the flags that are added to it, and where the script reads them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from adalint.migrate.loralib_command_line import DECIDING, RENAMED, CommandLine, Flag
from adalint.migrate.loralib_names import OF_THE_FORK, Unmovable, is_old_trainer
from adalint.readers.python_scopes import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from adalint.readers.python_bindings import Binding
    from adalint.readers.python_scopes import FileMap, FunctionNode

    Elsewhere = Callable[[ast.expr, ast.Call, str | None, ast.ClassDef | None], bool]

_GROUPS: Final = frozenset({"add_argument_group", "add_mutually_exclusive_group"})
_HARMLESS: Final = frozenset({"print_help", "print_usage", "format_help", "format_usage", "error", "exit"})
_SHOWING: Final = frozenset({"print", "debug", "info", "warning", "log"})
_LOGGING: Final = frozenset({*_SHOWING, "init_trackers", "init", "dump", "dumps", "log_hyperparams", "add_hparams"})
"""What takes a dictionary of all flags by whatever names they have."""


class Reading:
    """Follows the parser to its flags, and what it gives to where that is read."""

    def __init__(self, parser: ast.Call, file_map: FileMap, elsewhere: Elsewhere | None = None) -> None:
        self.parser = parser
        self.elsewhere = elsewhere
        self.owner: ast.ClassDef | None = None
        """The dataclass of what is followed at present."""
        self.kept: set[str] = set()
        """The attributes that objects of this file keep it by."""
        self.file_map = file_map
        self.flags: dict[str, Flag] = {}
        self.results: list[ast.Call] = []
        self._seen: set[int] = set()
        self.reads: list[ast.Attribute] = []

    def command_line(self) -> CommandLine:
        """Read all of it.

        Raises:
            Unmovable: what it defines, or where that is read, is not all to be seen.
        """
        self._parser_in(self.parser)
        for call in self.file_map.calls():
            # Flags that something else adds to a parser of this file.
            added = isinstance(call.func, ast.Attribute) and call.func.attr == "add_argument"
            if added and all(call is not one.made for one in self.flags.values()):
                raise Unmovable(call, "this add_argument is not told to be of the parser")
        if not self.results:
            raise Unmovable(self.parser, "the parser is asked elsewhere")
        for result in self.results:
            self._namespace(result)
        self._distribute()
        return CommandLine(self.parser, self.flags, frozenset(self.kept))

    def _distribute(self) -> None:
        for read in self.reads:
            if read.attr in self.flags:
                self.flags[read.attr].reads.append(read)

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
                self.reads.append(read)
            case ast.Assign(targets=[ast.Name() as target]) | ast.AnnAssign(target=ast.Name() as target):
                self.named(target.id, target)
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self")) as target]):
                self._kept(target)
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

    def named(self, name: str, at: ast.AST) -> None:
        """Follow what the parser gives by one of its names.

        Raises:
            Unmovable: it goes where this is not seen, or the name means other things, too.
        """
        if not self._is_one(self.file_map.bindings(name, at)):
            raise Unmovable(at, f"{name} is not always what the parser gives")
        for use in self.file_map.uses(name, at):
            if isinstance(use.ctx, ast.Load):
                self._namespace(use)
            elif not isinstance(use.ctx, ast.Store):
                raise Unmovable(use, f"{name} is not always what the parser gives")

    def _kept(self, target: ast.Attribute) -> None:
        """Follow what an object keeps as `self.args` through the methods of its class.

        Raises:
            Unmovable: others may read it as well.
        """
        owner = self.file_map.class_of(self.file_map.frame_of(target))
        based = owner is None or any(not (self.file_map.path_of(one) or "").startswith("torch.") for one in owner.bases)
        for use in self.file_map.attributes_named(target.attr):
            own = isinstance(use.value, ast.Name) and use.value.id == "self"
            inside = self.file_map.class_of(self.file_map.frame_of(use)) is owner
            if based or not own or not inside or (use is not target and not isinstance(use.ctx, ast.Load)):
                raise Unmovable(target, f"{ast.unparse(target)} may be read where this is not seen")
            if use is not target:
                self._namespace(use)
        self.kept.add(target.attr)

    def _is_one(self, bindings: Sequence[Binding]) -> bool:
        """Tell whether a name has one meaning alone."""
        return len(bindings) == 1

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
        called = _called(call)
        function = self.file_map.function_called(call) or self._constructor(call)
        if function is None and called in _SHOWING:
            return
        if function is None and called in {"vars", "asdict"} and call.args == [value]:
            self._shown_as_a_whole(call)
            return
        if keyword in OF_THE_FORK and is_old_trainer(call, self.file_map):
            return
        if function is None and self.elsewhere and self.elsewhere(value, call, keyword, self.owner):
            return
        first = 0 if function is None or not self.file_map.is_method(function) else 1
        parameter = None if function is None else parameter_of(value, call, function, keyword, first=first)
        if function is None or parameter is None or isinstance(function, ast.Lambda):
            raise Unmovable(
                value, f"{ast.unparse(value)} is handed to {called or 'a call'}, where its flags are not seen"
            )
        self.named(parameter.arg, function.body[0])

    def _constructor(self, call: ast.Call) -> FunctionNode | None:
        """Find the `__init__` of a class of this file that a call makes an object of."""
        owner = self.file_map.class_named(call.func)
        body = [] if owner is None else owner.body
        return next((one for one in body if isinstance(one, ast.FunctionDef) and one.name == "__init__"), None)

    def _shown_as_a_whole(self, call: ast.Call) -> None:
        """Follow a dictionary of all flags to what logs or writes it.

        Raises:
            Unmovable: it goes elsewhere, or a flag is asked of it by its name.
        """
        parent = self.file_map.parent(call)
        uses: list[ast.expr] = [call]
        if isinstance(parent, ast.Assign) and len(parent.targets) == 1 and isinstance(parent.targets[0], ast.Name):
            name = parent.targets[0]
            uses = [one for one in self.file_map.uses(name.id, name) if one is not name]
            if len(self.file_map.bindings(name.id, name)) > 1:
                uses = [call]
        for use in uses:
            match self.file_map.parent(use):
                case ast.Subscript(slice=ast.Constant(value=str(key))) if key not in {*RENAMED, *DECIDING}:
                    continue
                case ast.Call() as shown if use in shown.args and _called(shown) in _LOGGING:
                    continue
                case ast.keyword(arg=str()) as keyword if _called(self.file_map.parent(keyword)) in _LOGGING:
                    continue
            raise Unmovable(call, f"{ast.unparse(call)} goes where its flags are not seen")


def parameter_of(
    value: ast.expr, call: ast.Call, function: FunctionNode, keyword: str | None, *, first: int
) -> ast.arg | None:
    """Find the parameter that an argument is handed in for, by its keyword or place; `first` is that of the first."""
    if any(isinstance(one, ast.Starred) for one in call.args):
        return None
    listed = [*function.args.posonlyargs, *function.args.args]
    if keyword is not None:
        return next((one for one in [*listed, *function.args.kwonlyargs] if one.arg == keyword), None)
    index = call.args.index(value) + first
    return listed[index] if index < len(listed) else None


def _called(node: ast.AST | None) -> str:
    """Give the last name of what a call calls."""
    func = getattr(node, "func", None)
    return str(func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", ""))
