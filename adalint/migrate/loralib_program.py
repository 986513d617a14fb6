"""A training script together with the lines that launch it: its flags get PEFT's names on both sides at once."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from adalint.migrate.loralib_branches import statement_gone
from adalint.migrate.loralib_command_line import DECIDING, RENAMED
from adalint.migrate.loralib_deciding import fold, layers_folded, stage_map
from adalint.migrate.loralib_elsewhere import documents_of, refuse_elsewhere
from adalint.migrate.loralib_fork import asks_for_layers
from adalint.migrate.loralib_handed import Handed
from adalint.migrate.loralib_launches import DEAD, Unlaunchable, launches_of
from adalint.migrate.loralib_names import Unmovable
from adalint.migrate.loralib_pairs import partners_of
from adalint.migrate.loralib_parser import command_line_again, command_line_of
from adalint.migrate.loralib_settled import decided_by, is_gate, slots_of
from adalint.migrate.loralib_stages import Stages
from adalint.migrate.loralib_words import Rewritten, rewritten
from adalint.source import Edit, Kind, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from adalint.migrate.loralib_command_line import CommandLine
    from adalint.migrate.loralib_launches import Launch
    from adalint.migrate.loralib_project import Project
    from adalint.migrate.loralib_to_peft import Script
    from adalint.readers.python_scopes import FileMap
    from adalint.source import Source

_LEFT: Final = {
    "lora_module": "names slots of loralib's models; target_modules of PEFT lists the names that the modules have in "
    "your model",
}


@dataclass(slots=True)
class Program:
    """A script with other flags, and what becomes of the files that start it."""

    stages: Stages
    layers: tuple[Script, Stages] | None = None
    """The file of its layers, whose branches the flags decide as well."""
    done: list[tuple[int, str]] = field(default_factory=list)
    launches: list[Rewritten] = field(default_factory=list)


def program_of(script: Script, project: Project, sources: Sequence[Source]) -> Program | None:
    """Rename and take out the flags of a script and of its launch lines; None where it has none of loralib's.

    Raises:
        Unmovable: some of it is not seen, so that all flags keep their names.
    """
    if script.source.kind is not Kind.PYTHON:
        return None
    handed = Handed(script, project)
    line = command_line_of(script.file_map, handed.follow)
    if line is None:
        return None
    renamed = {name: to for name, to in _renamed(line).items() if not is_gate(name, line, script.file_map)}
    deciding = {name for name in DECIDING if name in line.flags}
    if not renamed and not deciding:
        return None
    options = {
        **{str(one.value): _to(str(one.value), to) for name, to in renamed.items() for one in line.flags[name].long},
    }
    asked = {str(one.value) for name in deciding for one in line.flags[name].options}
    touched = frozenset({*options, *asked, DEAD, *(f"--{name}" for name in DECIDING)})
    others = [one.source.path for one in project.scripts.values() if one is not script]
    try:
        launches = launches_of(script.source.path, line, touched, sources, others)
        refuse_elsewhere(script, line, touched, project, sources)
        decided = decided_by(line, launches, of_fork=asks_for_layers(script.file_map))
        _refuse_new_names(line, options, renamed, script.file_map)
        gone = {str(one.value) for name in decided for one in line.flags[name].options} | {DEAD} - set(line.options())
        changed = rewritten(launches, options, gone)
    except Unlaunchable as error:
        raise Unmovable(line.parser, str(error)) from None
    # With no file of layers, target_modules is told by the slots.
    for one in changed if script.uses.calls["SVDLinear"] or partners_of(script, project) else []:
        one.left += _left(launches, one.source)
    changed += _renamed_elsewhere(handed, line, renamed, decided)
    changed += documents_of(script, {**options, **dict.fromkeys(gone, "")}, sources)
    program = Program(Stages(script.text), launches=changed)
    fixed = {**decided, **slots_of(line, launches)} if decided else {}
    fold(program.stages, fixed)
    partners = partners_of(script, project)
    if len(partners) == 1 and fixed:
        folded = layers_folded(program.stages.last, partners[0], script, project, fixed)
        program.layers = None if folded is None else (partners[0], folded)
    folded_here = program.stages.last != script.text
    _rename(program.stages, renamed, decided)
    if folded_here:
        said = "branches that the flags decide are written as the launch lines decide them"
        program.done.append((script.file_map.start(line.parser), said))
    for name in sorted(decided):
        flag = line.flags[name]
        why = "PEFT's model is always of AdaLoRA" if decided[name] else "no launch line gives it"
        program.done.append((script.file_map.start(flag.made), f"--{name} goes: {why}"))
    if "reg_orth_coef" in line.flags and "reg_orth_coef" not in renamed:
        said = "--reg_orth_coef keeps its name: what the script asks of it is whether it is given, and no weight alone"
        program.done.append((script.file_map.start(line.flags["reg_orth_coef"].made), said))
    for name in renamed:
        old = str(line.flags[name].long[0].value)
        said = f"{old} becomes {options[old]}"
        where = "" if launches else ": so it has to on launch lines elsewhere"
        program.done.append((script.file_map.start(line.flags[name].made), said + where))
    return program


def _renamed_elsewhere(
    handed: Handed, line: CommandLine, renamed: Mapping[str, str], decided: Mapping[str, object]
) -> list[Rewritten]:
    """Rename the reads of flags in functions of other files.

    Raises:
        Unmovable: one is of a flag that goes, or is not written in one piece.
    """
    names = {**dict.fromkeys(decided), **renamed}
    files: dict[str, Rewritten] = {}
    for other, read in handed.reads_of(line, names):
        name, to = read.attr, renamed[read.attr]
        one = files.setdefault(other.source.path, Rewritten(other.source))
        for place in _places([read], other.file_map):
            one.edits.append(Edit(Span(place.stop - len(name), place.stop), to))
            one.told.append((place.start, f"{name} is read as {to}: the flag is called so now"))
    return list(files.values())


def _renamed(line: CommandLine) -> dict[str, str]:
    """Give the flags that get another name, where the name is the flag's own.

    Raises:
        Unmovable: one has two names.
    """
    found: dict[str, str] = {}
    for name, to in RENAMED.items():
        flag = line.flags.get(name)
        if flag is None or "dest" in flag.keywords or not flag.long:
            continue
        if len(flag.long) > 1 and flag.owner is None:
            raise Unmovable(flag.made, f"{name} has two names")
        found[name] = to
    return found


def _to(option: str, to: str) -> str:
    return "--" + (to.replace("_", "-") if "-" in option[2:] else to)


def _refuse_new_names(
    line: CommandLine, options: Mapping[str, str], renamed: Mapping[str, str], file_map: FileMap
) -> None:
    """Refuse new names that mean something already.

    Raises:
        Unmovable: one does.
    """
    known = line.options()
    for name, to in renamed.items():
        if to in line.flags or file_map.attributes_named(to):
            raise Unmovable(line.flags[name].made, f"{to} is a name already")
    for option, to in options.items():
        if to in known:
            raise Unmovable(line.parser, f"{to} is a name already")
        if known[option].owner is not None:
            continue
        [literal] = known[option].long
        if file_map.source.slice(file_map.span(literal)) not in {f'"{option}"', f"'{option}'"}:
            raise Unmovable(literal, f"{option} is not written in one piece")


def _left(launches: Iterable[Launch], source: Source) -> Iterator[tuple[int, str]]:
    for launch in launches:
        if launch.source is source:
            for given in launch.given:
                said = _LEFT.get(given.option.lstrip("-").replace("-", "_"))
                if said is not None:
                    yield given.word.span.start, f"{given.option} {said}"


def _rename(stages: Stages, renamed: Mapping[str, str], decided: Mapping[str, object]) -> None:
    """Give the flags their names, write what is decided in place of its reads, and take those flags out."""
    file_map = stage_map(stages)
    line = command_line_again(file_map)
    if line is None:
        return
    edits: list[Edit] = []
    for name, to in renamed.items():
        flag = line.flags[name]
        if isinstance(flag.made, ast.AnnAssign):
            edits.append(Edit(file_map.span(flag.made.target), to))
        else:
            [literal] = flag.long
            span = file_map.span(literal)
            edits.append(Edit(Span(span.start + 1, span.stop - 1), _to(str(literal.value), to)))
        edits += [Edit(Span(one.stop - len(name), one.stop), to) for one in _places(flag.reads, file_map)]
    for name, value in decided.items():
        flag = line.flags[name]
        edits += [
            Edit(one, _quoted(value, one, file_map) if isinstance(value, str) else str(value))
            for one in _places(flag.reads, file_map)
        ]
        statement = flag.made if isinstance(flag.made, ast.AnnAssign) else file_map.parent(flag.made)
        if not isinstance(statement, ast.Expr | ast.AnnAssign):
            raise Unmovable(flag.made, "what this add_argument gives is used")
        edits.append(statement_gone(statement, file_map))
    try:
        stages.apply(edits)
    except ValueError:
        raise Unmovable(line.parser, "two changes fall on the same words") from None
    stage_map(stages)


def _places(reads: Sequence[ast.Attribute], file_map: FileMap) -> Iterator[Span]:
    """Give the places of reads; those in f-strings are looked for, as ast does not tell them before Python 3.12.

    Raises:
        Unmovable: one is not found.
    """
    strings: dict[int, tuple[ast.JoinedStr, list[str]]] = {}
    for read in reads:
        text = ast.unparse(read)
        above = [one for one in file_map.parents(read) if isinstance(one, ast.JoinedStr)]
        if above:
            strings.setdefault(id(above[-1]), (above[-1], []))[1].append(text)
            continue
        span = file_map.span(read)
        if "".join(file_map.source.slice(span).split()) != text:
            raise Unmovable(read, f"{text} is not written in one piece")
        yield span
    for string, texts in strings.values():
        whole = file_map.span(string)
        for text in sorted(set(texts)):
            pattern = re.compile(rb"(?<![\w.])" + re.escape(text.encode()) + rb"(?!\w)")
            found = [
                Span(*match.span()) for match in pattern.finditer(file_map.source.content, whole.start, whole.stop)
            ]
            if len(found) != texts.count(text):
                raise Unmovable(string, f"{text} stands in an f-string, and not only as a value")
            yield from found


def _quoted(value: str, place: Span, file_map: FileMap) -> str:
    """Write a text, in an f-string with the other quotes than those around."""
    line = file_map.source.line_span(file_map.source.row_of(place.start))
    before = file_map.source.slice(Span(line.start, place.start))
    quote = "'" if before.count('"') % 2 else '"'
    return f"{quote}{value}{quote}"
