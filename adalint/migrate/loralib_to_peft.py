"""From the original loralib of AdaLoRA to PEFT: layers, allocator, penalty and saving in Python; flags are listed.

A file is moved whole or not at all. What it becomes is judged by the rules: a result in which adalint finds anything is
not kept, and what was found is told instead.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from adalint.embedded import Embedded, python_of
from adalint.engine import check_source, fix_source
from adalint.findings import Safety, Severity
from adalint.migrate.loralib_allocator import Allocator, allocator_of
from adalint.migrate.loralib_config import fields_of, task_of, total_of, wrapped, written
from adalint.migrate.loralib_flags import flags_in
from adalint.migrate.loralib_layers import layers_of, plain
from adalint.migrate.loralib_listing import uses_listed
from adalint.migrate.loralib_losses import penalty_of
from adalint.migrate.loralib_names import Unmovable, Uses, inside, uses_of
from adalint.migrate.loralib_place import wrapping_of
from adalint.migrate.loralib_saving import remarks, saved, told_of_saving
from adalint.migrate.loralib_texts import CALLBACK, Texts, linear_of
from adalint.migrate.texts import Migrated, Note
from adalint.readers.python_scopes import map_of
from adalint.settings import Settings
from adalint.source import Edit, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adalint.readers.python_scopes import FileMap
    from adalint.source import Source


@dataclass(frozen=True, slots=True)
class _Moved:
    """The edits of one Python text, and what is said of them."""

    edits: tuple[Edit, ...]
    done: tuple[tuple[ast.AST, str], ...]
    left: tuple[tuple[ast.AST, str], ...]
    counts: bool
    """Whether the length of the run is still to be told to the configuration."""


def to_peft(source: Source, settings: Settings) -> Migrated:
    """Move what a file has of loralib to PEFT, or list it.

    Raises:
        ReadError: the text is not what its kind says.
    """
    listed = tuple(Note(source.position(offset), text) for offset, text in flags_in(source))
    if source.kind not in {Kind.PYTHON, Kind.NOTEBOOK}:
        return Migrated(source, source, left=listed)
    text = python_of(source) if source.kind is Kind.NOTEBOOK else source
    file_map = map_of(text)
    uses = uses_of(file_map)
    start = uses.first or uses.starred
    if start is None:
        return Migrated(source, source, left=listed)

    def notes(told: Iterable[tuple[ast.AST, str]]) -> list[Note]:
        return [Note(text.position(_start(one, file_map, start)), said) for one, said in told]

    try:
        moved = _moved(text, uses, file_map)
        after = source.apply(text.edits_out(moved.edits) if isinstance(text, Embedded) else moved.edits)
    except Unmovable as error:
        told = [(error.node, f"not moved: {error.text}"), *uses_listed(uses, file_map)]
        return Migrated(source, source, left=(*notes(told), *listed))
    usual = replace(settings, select=Settings().select, ignore=(), extend_select=(), pedantic=False)
    done = list(moved.done)
    if moved.counts:
        counted = fix_source(after, replace(usual, select=("ADA201",)), Safety.UNSAFE)
        after = counted.after
        done += [(start, f"{one.finding.name}: {one.fix.title}") for one in counted.applied]
    worse = [one for one in check_source(after, usual).findings if one.severity is not Severity.INFO]
    if worse:
        found = sorted({f"not moved: {one.code} {one.name}: {one.message}" for one in worse})
        return Migrated(source, source, left=(*notes((start, one) for one in found), *listed))
    return Migrated(source, after, tuple(notes(done)), (*notes(moved.left), *listed))


def _start(node: ast.AST, file_map: FileMap, otherwise: ast.expr | ast.stmt) -> int:
    """Give the place of a node; parameters and expressions have one, what only groups them does not."""
    if isinstance(node, ast.arg):
        return file_map.source.offset_at(node.lineno, node.col_offset)
    return file_map.start(node if isinstance(node, ast.expr | ast.stmt | ast.keyword) else otherwise)


def _moved(text: Source, uses: Uses, file_map: FileMap) -> _Moved:
    """Write the edits of a text.

    Raises:
        Unmovable: something in it cannot be said to PEFT.
    """
    if uses.starred is not None:
        raise Unmovable(uses.starred, "what a star imports is not followed: name what is used")
    if uses.others:
        raise Unmovable(uses.others[0], f"{ast.unparse(uses.others[0])} has nothing of its kind in PEFT's AdaLoRA")
    allocator = allocator_of(uses, file_map)
    calls = uses.calls["SVDLinear"]
    if not calls:
        raise Unmovable(
            allocator.call,
            "no SVDLinear stands in this file, so that target_modules and lora_alpha are not known",
        )
    layers = layers_of(calls, file_map)
    wrapping = wrapping_of(uses, allocator, layers, file_map)
    task = task_of(allocator, file_map)
    penalties = uses.calls["compute_orth_regu"]
    own = task is not None and allocator.trainer is None
    penalty = penalty_of(penalties, wrapping.place, file_map, peft_adds=own)
    weight = _of_the_trainer(allocator) or penalty.weight
    model = ast.unparse(allocator.model)
    fields = fields_of(allocator, layers, wrapping.bias, weight, task)
    texts = Texts(text, file_map, uses.imports)
    texts.edits += [*allocator.edits, *penalty.edits]
    linear = linear_of(calls[0], file_map)
    for call in calls:
        texts.edits += plain(call, linear, file_map)
    indent = " " * wrapping.statement.col_offset
    texts.put(wrapping.statement, wrapped(model, fields, indent, file_map))
    for statement, its_model, step in allocator.updates:
        texts.put(statement, f"{inside(its_model, file_map)}.update_and_allocate({ast.unparse(step)})")
    marks = [file_map.statement_of(one) for one in uses.calls["mark_only_lora_as_trainable"]]
    gone = [*penalty.gone, *(statement for statement, _ in allocator.totals), allocator.statement, *marks]
    texts.drop([one for one in gone if one is not None and one is not wrapping.statement])
    texts.edits += saved(uses.calls["lora_state_dict"], allocator, file_map)
    if allocator.trainer is not None:
        texts.edits += texts.with_callback(allocator.trainer)
    edits = texts.finished(
        penalty=penalty.stays, linear=linear, callback=CALLBACK if allocator.trainer is not None else None
    )
    said = ", ".join(f"{name}={written(value)}" for name, value in fields.items())
    done: list[tuple[ast.AST, str]] = [
        (
            calls[0],
            f"SVDLinear becomes {linear}; every module of these names gets an adapter: {', '.join(layers.targets)}",
        ),
        (allocator.call, f"RankAllocator becomes AdaLoraConfig: {said}"),
    ]
    if penalties:
        stays = "stays in the loss: PEFT adds it to outputs.loss of a model with a task_type alone"
        goes = f"goes: PEFT adds it to outputs.loss, in evaluation, too (orth_reg_weight={weight})"
        done.append((penalties[0], f"compute_orth_regu {stays if penalty.stays else goes}"))
    cut = _last_cut(fields)
    if cut is not None:
        done.append((allocator.call, cut))
    done += told_of_saving(allocator, uses, file_map)
    if task in {"SEQ_CLS", "TOKEN_CLS"}:
        done.append((wrapping.statement, f"with task_type={task} PEFT trains and saves the head of the model, too"))
    return _Moved(edits, tuple(done), tuple(remarks(allocator, file_map)), counts=total_of(allocator) is None)


def _last_cut(fields: dict[str, ast.expr | str]) -> str | None:
    """Tell where PEFT's last cut falls, unless it is known to be where loralib's falls."""
    try:
        total, final, interval = (int(written(fields[name])) for name in ("total_step", "tfinal", "deltaT"))
    except (KeyError, ValueError):
        return "PEFT cuts to the last budget at total_step - tfinal; loralib one step later, unless deltaT divides it"
    if interval and (total - final) % interval == 0:
        return None
    return f"PEFT cuts to the last budget at step {total - final}, loralib one step later, by the same scores"


def _of_the_trainer(allocator: Allocator) -> str | None:
    """Tell the weight that the Trainer of loralib's transformers gives the penalty."""
    if allocator.trainer is None:
        return None
    settings = next((one.value for one in allocator.trainer.keywords if one.arg == "model_args"), None)
    return None if settings is None else f"{ast.unparse(settings)}.reg_orth_coef"
