"""The parser of a training script, whichever kind it is of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adalint.migrate.loralib_fields import FieldReading
from adalint.migrate.loralib_names import Unmovable
from adalint.migrate.loralib_reading import Reading

if TYPE_CHECKING:
    from adalint.migrate.loralib_command_line import CommandLine
    from adalint.migrate.loralib_reading import Elsewhere
    from adalint.readers.python_scopes import FileMap

_PARSER: Final = "argparse.ArgumentParser"
_OF_DATACLASSES: Final = frozenset({"transformers.HfArgumentParser", "transformers.hf_argparser.HfArgumentParser"})


def command_line_again(file_map: FileMap) -> CommandLine | None:
    """Read the parser of a script that has been read before: where else its flags go has been seen then."""
    return command_line_of(file_map, lambda *_: True)


def command_line_of(file_map: FileMap, elsewhere: Elsewhere | None = None) -> CommandLine | None:
    """Read the parser of a script; None where it has none. `elsewhere` follows what it gives into other files.

    Raises:
        Unmovable: what it defines, or where that is read, is not all to be seen.
    """
    made = [one for one in file_map.calls() if file_map.path_of(one.func) in {_PARSER, *_OF_DATACLASSES}]
    if not made:
        return None
    if len(made) > 1:
        raise Unmovable(made[1], "a second parser")
    [parser] = made
    if file_map.path_of(parser.func) != _PARSER:
        return FieldReading(parser, file_map, elsewhere).command_line()
    for keyword in parser.keywords:
        if keyword.arg in {None, "parents", "fromfile_prefix_chars", "prefix_chars", "argument_default"}:
            raise Unmovable(keyword.value, "the parser takes more than its add_argument tell")
    return Reading(parser, file_map, elsewhere).command_line()
