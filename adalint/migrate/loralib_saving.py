"""Saving and loading, and what else PEFT does otherwise than loralib."""

from __future__ import annotations

import ast
import posixpath
from typing import TYPE_CHECKING, Final

from adalint.migrate.loralib_names import Unmovable, arguments, inside, same_model
from adalint.source import Edit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.migrate.loralib_allocator import Allocator
    from adalint.migrate.loralib_names import Uses
    from adalint.migrate.loralib_place import Wrapping
    from adalint.readers.python_scopes import FileMap

_FIELDS_OF_THE_FORK: Final = ("root_output_dir", "cls_dropout")
_ENDINGS: Final = (".pt", ".pth", ".bin", ".ckpt", ".pkl")


def saved(calls: list[ast.Call], allocator: Allocator, file_map: FileMap) -> list[Edit]:
    """Make `torch.save(lora_state_dict(model), path)` the saving of an adapter into a folder.

    Raises:
        Unmovable: the state goes elsewhere.
    """
    edits = []
    for call in calls:
        outer = file_map.parent(call)
        if (
            not isinstance(outer, ast.Call)
            or file_map.path_of(outer.func) != "torch.save"
            or outer.args[:1] != [call]
            or len(outer.args) != 2
            or isinstance(outer.args[1], ast.Starred)
            or outer.keywords
        ):
            raise Unmovable(
                call, "lora_state_dict is used otherwise than in torch.save(…, path); PEFT has save_pretrained"
            )
        model = arguments(call, ("model", "bias"), 1)["model"]
        if not same_model(model, allocator.model, file_map):
            raise Unmovable(call, f"{ast.unparse(model)} is not told to be the model that the allocator got")
        edits.append(
            Edit(file_map.span(outer), f"{inside(model, file_map)}.save_pretrained({_folder(outer.args[1], file_map)})")
        )
    return edits


def _folder(path: ast.expr, file_map: FileMap) -> str:
    """Write the name of a folder in place of a file's."""
    if isinstance(path, ast.Constant) and isinstance(path.value, str):
        stem, ending = posixpath.splitext(path.value)
        return repr(stem if ending in _ENDINGS else path.value).replace("'", '"')
    text = file_map.source.slice(file_map.span(path))
    for ending in _ENDINGS:
        for quote in ('"', "'"):
            text = text.replace(f"{ending}{quote}", quote)
    return text


def told_of_saving(allocator: Allocator, uses: Uses, file_map: FileMap) -> Iterator[tuple[ast.AST, str]]:
    """Tell what saving writes now."""
    for call in uses.calls["lora_state_dict"]:
        yield call, "what was a file is a folder with an adapter now: PeftModel.from_pretrained reads it"
    for attribute in file_map.attributes_named("save_pretrained"):
        if _is_the_model(attribute, allocator):
            yield attribute, "this saved the whole model, and saves the adapter now"


def remarks(allocator: Allocator, wrapping: Wrapping, file_map: FileMap) -> Iterator[tuple[ast.AST, str]]:
    """Tell what is moved and yet not the same, or stays and may not do what it did."""
    for name in ("tb_writter", "tb_writter_loginterval"):
        if name in allocator.given:
            yield allocator.given[name], "loralib wrote the ranks to TensorBoard; PEFT does not"
            break
    if allocator.trainer is not None:
        for name in _FIELDS_OF_THE_FORK:
            for attribute in file_map.attributes_named(name)[:1]:
                yield attribute, f"{name} is a field of TrainingArguments in loralib's copy of transformers alone"
    for attribute in file_map.attributes_named("load_state_dict"):
        call = file_map.parent(attribute)
        if isinstance(call, ast.Call) and any(
            one.arg == "strict" and isinstance(one.value, ast.Constant) and one.value.value is False
            for one in call.keywords
        ):
            yield (
                attribute,
                "tensors that loralib saved have other names in PEFT, and strict=False passes over them",
            )
    for attribute in (*file_map.attributes_named("requires_grad"), *file_map.attributes_named("requires_grad_")):
        later = attribute.lineno > (wrapping.statement.end_lineno or 0)
        if _unfreezes(attribute, file_map) and (later or not wrapping.trains_more):
            yield attribute, "what is trained beside the adapter is saved with it where modules_to_save names it alone"
    for attribute in file_map.attributes_named("state_dict"):
        call = file_map.parent(attribute)
        outer = None if call is None else file_map.parent(call)
        if (
            isinstance(outer, ast.Call)
            and file_map.path_of(outer.func) == "torch.save"
            and _is_the_model(attribute, allocator)
        ):
            yield attribute, "this saves the whole model under PEFT's names; save_pretrained saves the adapter"


def _is_the_model(attribute: ast.Attribute, allocator: Allocator) -> bool:
    return ast.unparse(attribute.value) == ast.unparse(allocator.model)


def _unfreezes(attribute: ast.Attribute, file_map: FileMap) -> bool:
    match file_map.parent(attribute):
        case ast.Assign(value=ast.Constant(value=True)):
            return True
        case ast.Call(args=[]) | ast.Call(args=[ast.Constant(value=True)]):
            return attribute.attr == "requires_grad_"
    return False
