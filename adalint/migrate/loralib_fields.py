"""A parser of dataclasses: the fields that are its flags, and where the script reads them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from adalint.migrate.loralib_command_line import CommandLine, Flag
from adalint.migrate.loralib_names import Unmovable
from adalint.migrate.loralib_reading import Reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adalint.migrate.loralib_reading import Elsewhere
    from adalint.readers.python_bindings import Binding
    from adalint.readers.python_scopes import FileMap

_OBJECTS_OF: Final = frozenset({"parse_args_into_dataclasses", "parse_json_file", "parse_yaml_file"})
_MORE_OBJECTS: Final = frozenset({"return_remaining_strings", "args", "args_filename", "args_file_flag"})


class FieldReading(Reading):
    """Follows a parser of dataclasses to their fields, and each of its objects to where that is read."""

    def __init__(self, parser: ast.Call, file_map: FileMap, elsewhere: Elsewhere | None = None) -> None:
        super().__init__(parser, file_map, elsewhere)
        self._of: dict[int, ast.ClassDef | None] = {}

    def command_line(self) -> CommandLine:
        """Read all of it.

        Raises:
            Unmovable: what it defines, or where that is read, is not all to be seen.
        """
        owners = [self.file_map.class_named(one) for one in self._types()]
        for owner in owners:
            if owner is not None:
                self._fields(owner)
        self._parser_in(self.parser)
        if not self.results:
            raise Unmovable(self.parser, "the parser is asked elsewhere")
        for result in self.results:
            self._objects(result, owners)
        self._distribute()
        return CommandLine(self.parser, self.flags, frozenset(self.kept), of_dataclasses=True)

    def _types(self) -> list[ast.expr]:
        given = [one.value for one in self.parser.keywords if one.arg == "dataclass_types"] or self.parser.args[:1]
        if len(given) != 1 or len(self.parser.args) > 1:
            raise Unmovable(self.parser, "the parser takes more than its dataclasses tell")
        return list(given[0].elts) if isinstance(given[0], ast.Tuple | ast.List) else given

    def _fields(self, owner: ast.ClassDef) -> None:
        for statement in owner.body:
            match statement:
                case ast.AnnAssign(target=ast.Name(id=name)):
                    if name in self.flags:
                        raise Unmovable(statement, f"{name} is defined twice")
                    spelled = dict.fromkeys((f"--{name}", "--" + name.replace("_", "-")))
                    self.flags[name] = Flag(name, statement, tuple(map(ast.Constant, spelled)), owner)
        for node in ast.walk(owner):
            match node:
                case ast.Attribute(value=ast.Name(id="self")):
                    self.reads.append(node)
                    self._of[id(node)] = owner
        for use in self.file_map.uses(owner.name, owner):
            parent = self.file_map.parent(use)
            if isinstance(parent, ast.Call) and parent is not self.parser:
                raise Unmovable(use, f"{owner.name} is not made by the parser alone")

    def _parser_used(self, use: ast.Name) -> None:
        attribute = self.file_map.parent(use)
        call = None if attribute is None else self.file_map.parent(attribute)
        asked = isinstance(attribute, ast.Attribute) and attribute.attr in _OBJECTS_OF
        if not asked or not isinstance(call, ast.Call) or any(one.arg in _MORE_OBJECTS for one in call.keywords):
            raise Unmovable(use, "the parser is handed on, or asked for more than its objects")
        self.results.append(call)

    def _objects(self, result: ast.Call, owners: Sequence[ast.ClassDef | None]) -> None:
        match self.file_map.parent(result):
            case ast.Assign(targets=[ast.Tuple(elts=targets)]) if len(targets) == len(owners):
                pass
            case _:
                raise Unmovable(result, "what the parser gives is not parted into its objects")
        for target, owner in zip(targets, owners, strict=True):
            if owner is not None:
                if not isinstance(target, ast.Name):
                    raise Unmovable(target, f"{ast.unparse(target)} goes where its flags are not seen")
                self.owner = owner
                self.named(target.id, target)

    def _namespace(self, value: ast.expr) -> None:
        self._of.setdefault(id(value), self.owner)
        before = len(self.reads)
        super()._namespace(value)
        for read in self.reads[before:]:
            self._of.setdefault(id(read), self.owner)

    def _distribute(self) -> None:
        for read in self.reads:
            flag = self.flags.get(read.attr)
            if flag is not None and flag.owner is self._of[id(read)]:
                flag.reads.append(read)

    def _is_one(self, bindings: Sequence[Binding]) -> bool:
        values = [getattr(one.node, "value", None) for one in bindings]
        return len(bindings) == 1 or all(one in self.results for one in values)
