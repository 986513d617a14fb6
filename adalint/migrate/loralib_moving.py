"""The edits that move one Python text of loralib's AdaLoRA to PEFT: the training with its allocator, and the layers."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adalint.migrate.loralib_allocator import Allocator, allocator_of
from adalint.migrate.loralib_config import fields_of, task_of, told_of_total, total_of, wrapped, written
from adalint.migrate.loralib_fork import MODULES_TEXT, TRAINED_TEXT, layers_by_keywords
from adalint.migrate.loralib_layers import layers_of, plain, refuse_namesakes
from adalint.migrate.loralib_losses import PENALTY_TEXT, penalty_of
from adalint.migrate.loralib_names import Unmovable, inside
from adalint.migrate.loralib_place import wrapping_of
from adalint.migrate.loralib_remains import refuse_remains
from adalint.migrate.loralib_saving import remarks, saved, told_of_saving
from adalint.migrate.loralib_texts import CALLBACK_TEXT, LENGTH_TEXT, Texts, linear_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.migrate.loralib_layers import Layers
    from adalint.migrate.loralib_losses import Penalty
    from adalint.migrate.loralib_names import Uses
    from adalint.migrate.loralib_place import Wrapping
    from adalint.readers.python_scopes import FileMap
    from adalint.source import Edit, Source


_NOT_REFUSED: Final = (
    "loralib refuses a run that is not longer than its first and last phase together; here nothing does"
)
_WEIGHT: Final = "orth_reg_weight"
_OF_THE_TRAINER: Final = (
    "rankallocator, model_args and tb_writter go: loralib's copy of transformers, whose Trainer takes them, gives "
    "way to transformers 4.42 or newer, which calls on_optimizer_step"
)


@dataclass(frozen=True, slots=True)
class Moved:
    """The edits of one Python text, and what is said of them."""

    edits: tuple[Edit, ...]
    done: tuple[tuple[ast.AST, str], ...]
    left: tuple[tuple[ast.AST, str], ...] = ()
    counts: bool = False
    """Whether the length of the run is still to be told to the configuration."""


def moved(
    text: Source, uses: Uses, file_map: FileMap, layers: Layers | None = None, *, told_by_trainer: bool = False
) -> Moved:
    """Write the edits of a text that has an allocator; `layers` are those of another file, where it has none.

    Where the length of the run is `told_by_trainer`, the Trainer's callback tells it to the configuration.

    Raises:
        Unmovable: something in it cannot be said to PEFT.
    """
    _refuse_others(uses)
    allocator = allocator_of(uses, file_map)
    calls = uses.calls["SVDLinear"]
    if layers is not None:
        refuse_namesakes(layers.targets, file_map)
    else:
        layers = layers_of(calls, file_map) if calls else _asked_for(allocator, file_map)
    wrapping = wrapping_of(uses, allocator, layers, file_map)
    refuse_remains(allocator, wrapping, layers, file_map)
    task = task_of(allocator, file_map)
    own = task is not None and allocator.trainer is None
    penalty = penalty_of(uses.calls["compute_orth_regu"], wrapping.place, file_map, peft_adds=own)
    weight = _of_the_trainer(allocator, file_map) or penalty.weight
    fields = fields_of(allocator, layers, wrapping, weight, task, provisional=wrapping.provisional or told_by_trainer)
    texts = Texts(text, file_map, uses.imports)
    texts.edits += [*allocator.edits, *penalty.edits]
    linear = linear_of(calls[0], file_map) if calls else None
    for call in calls:
        texts.edits += plain(call, linear or "", file_map)
    replaced = _put_adapter(texts, wrapping, allocator, fields)
    for statement, its_model, step in allocator.updates:
        texts.put(statement, f"{inside(its_model, file_map)}.update_and_allocate({ast.unparse(step)})")
    marks = [file_map.statement_of(one) for one in uses.calls["mark_only_lora_as_trainable"]]
    gone = [*penalty.gone, *(statement for statement, _ in allocator.totals), allocator.statement, *marks]
    texts.drop([one for one in gone if one is not None and one is not replaced])
    texts.edits += saved(uses.calls["lora_state_dict"], allocator, file_map)
    defined = [PENALTY_TEXT] * penalty.stays
    if allocator.trainer is not None:
        texts.edits += texts.with_callback(allocator.trainer)
        defined.append(CALLBACK_TEXT + LENGTH_TEXT * told_by_trainer)
    defined += [MODULES_TEXT] * (layers.slots is not None) + [TRAINED_TEXT] * wrapping.trains_more
    edits = texts.finished(defined, linear=linear, callback=allocator.trainer is not None)
    done: list[tuple[ast.AST, str]] = [(calls[0], _told_of_layers(linear, layers))] if linear else []
    done += _told_of_training(allocator, uses, fields, penalty, file_map)
    if task in {"SEQ_CLS", "TOKEN_CLS"}:
        done.append((wrapping.statement, f"with task_type={task} PEFT trains and saves the head of the model, too"))
    counts = total_of(allocator) is None and not told_by_trainer
    left = list(remarks(allocator, wrapping, file_map))
    if wrapping.provisional or told_by_trainer:
        left.insert(0, (wrapping.statement, _NOT_REFUSED))
    return Moved(edits, tuple(done), tuple(left), counts)


def _asked_for(allocator: Allocator, file_map: FileMap) -> Layers:
    """Tell the layers that no code of the project makes, and take out what asks for them.

    Raises:
        Unmovable: nothing asks for any.
    """
    asked = layers_by_keywords(file_map)
    if asked is None:
        raise Unmovable(
            allocator.call, "no SVDLinear stands in this file, so that target_modules and lora_alpha are not known"
        )
    layers, edits = asked
    allocator.edits += edits
    return layers


def _put_adapter(texts: Texts, wrapping: Wrapping, allocator: Allocator, fields: dict[str, ast.expr | str]) -> ast.stmt:
    """Write the wrapping of the model, and give the statement that something else stands in place of now."""
    file_map = texts.file_map
    indent = " " * wrapping.statement.col_offset
    adapter = wrapped(ast.unparse(allocator.model), fields, indent, file_map)
    if not wrapping.provisional:
        texts.put(wrapping.statement, adapter)
        return wrapping.statement
    texts.put_behind(wrapping.statement, adapter)
    statement, total = told_of_total(allocator)
    configuration = f'{inside(allocator.model, file_map)}.base_model.peft_config["default"]'
    texts.put(statement, f"{configuration}.total_step = {ast.unparse(total)}")
    return statement


def _told_of_training(
    allocator: Allocator,
    uses: Uses,
    fields: dict[str, ast.expr | str],
    penalty: Penalty,
    file_map: FileMap,
) -> Iterator[tuple[ast.AST, str]]:
    said = ", ".join(f"{name}={written(value)}" for name, value in fields.items())
    yield allocator.call, f"RankAllocator becomes AdaLoraConfig: {said}"
    if uses.calls["compute_orth_regu"]:
        stays = "stays in the loss: PEFT adds it to outputs.loss of a model with a task_type alone"
        goes = f"goes: PEFT adds it to outputs.loss, in evaluation, too (orth_reg_weight={penalty.weight})"
        yield uses.calls["compute_orth_regu"][0], f"compute_orth_regu {stays if penalty.stays else goes}"
    if allocator.trainer is not None:
        yield allocator.trainer, _OF_THE_TRAINER
    cut = _last_cut(fields)
    if cut is not None:
        yield allocator.call, cut
    yield from told_of_saving(allocator, uses, file_map)


def moved_layers(text: Source, uses: Uses, file_map: FileMap, layers: Layers) -> Moved:
    """Write the edits of a text that has the layers alone.

    Raises:
        Unmovable: something else in it is loralib's.
    """
    _refuse_others(uses)
    calls = uses.calls["SVDLinear"]
    more = [call for name, those in uses.calls.items() if name != "SVDLinear" for call in those]
    if more:
        raise Unmovable(
            more[0], f"{ast.unparse(more[0].func)} is called beside the layers, and not where the model is trained"
        )
    linear = linear_of(calls[0], file_map)
    texts = Texts(text, file_map, uses.imports)
    for call in calls:
        texts.edits += plain(call, linear, file_map)
    edits = texts.finished([], linear=linear, callback=False, peft=False)
    return Moved(edits, ((calls[0], _told_of_layers(linear, layers)),))


def _told_of_layers(linear: str, layers: Layers) -> str:
    return f"SVDLinear becomes {linear}; every module of these names gets an adapter: {', '.join(layers.targets)}"


def _refuse_others(uses: Uses) -> None:
    """Refuse what is not followed, or has nothing in PEFT that stands for it.

    Raises:
        Unmovable: there is such a thing.
    """
    if uses.starred is not None:
        raise Unmovable(uses.starred, "what a star imports is not followed: name what is used")
    if uses.others:
        raise Unmovable(uses.others[0], f"{ast.unparse(uses.others[0])} has nothing of its kind in PEFT's AdaLoRA")


def _last_cut(fields: dict[str, ast.expr | str]) -> str | None:
    """Tell where PEFT's last cut falls, unless it is known to be where loralib's falls."""
    try:
        total, final, interval = (int(written(fields[name])) for name in ("total_step", "tfinal", "deltaT"))
    except (KeyError, ValueError):
        return "PEFT cuts to the last budget at total_step - tfinal; loralib one step later, unless deltaT divides it"
    if interval and (total - final) % interval == 0:
        return None
    return f"PEFT cuts to the last budget at step {total - final}, loralib one step later, by the same scores"


def _of_the_trainer(allocator: Allocator, file_map: FileMap) -> str | None:
    """Tell the weight that the Trainer of loralib's transformers gives the penalty."""
    if allocator.trainer is None:
        return None
    settings = next((one.value for one in allocator.trainer.keywords if one.arg == "model_args"), None)
    fields = {getattr(one.target, "id", "") for one in file_map.nodes() if isinstance(one, ast.AnnAssign)}
    # The flags have got their names before.
    name = "reg_orth_coef" if _WEIGHT not in fields else _WEIGHT
    return None if settings is None else f"{ast.unparse(settings)}.{name}"
