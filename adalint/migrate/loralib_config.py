"""The AdaLoraConfig that says what layers, allocator and penalty of loralib said."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from adalint.migrate.loralib_fork import MODULES, TRAINED
from adalint.migrate.loralib_names import Unmovable, wrapper_of
from adalint.source import Span

if TYPE_CHECKING:
    from adalint.migrate.loralib_allocator import Allocator
    from adalint.migrate.loralib_layers import Layers
    from adalint.migrate.loralib_place import Wrapping
    from adalint.readers.python_scopes import FileMap

_FIELDS: Final = {
    "init_warmup": "tinit",
    "final_warmup": "tfinal",
    "mask_interval": "deltaT",
    "beta1": "beta1",
    "beta2": "beta2",
}
_DEFAULT_ALPHA: Final = "1"
"""`lora_alpha` of SVDLinear where it is not given; PEFT's default is 8."""

_TASKS: Final = {
    "ForSequenceClassification": "SEQ_CLS",
    "ForTokenClassification": "TOKEN_CLS",
    "ForQuestionAnswering": "QUESTION_ANS",
    "ForCausalLM": "CAUSAL_LM",
    "LMHeadModel": "CAUSAL_LM",
    "AutoModelForSeq2SeqLM": "SEQ_2_SEQ_LM",
}


def total_of(allocator: Allocator) -> ast.expr | None:
    """Tell the length of the run; None where the Trainer of loralib's transformers tells the allocator.

    Raises:
        Unmovable: it is told twice, or nobody tells it.
    """
    given = allocator.given.get("total_step")
    if given is not None and isinstance(given, ast.Constant) and given.value is None:
        given = None
    told = [value for _, value in allocator.totals]
    if len(told) > 1:
        raise Unmovable(allocator.totals[1][0], "set_total_step is called more than once")
    if not told and given is None and allocator.trainer is None:
        raise Unmovable(allocator.call, "total_step is told nowhere in this file")
    return told[0] if told else given


def told_of_total(allocator: Allocator) -> tuple[ast.stmt, ast.expr]:
    """Give the statement that tells the allocator the length of the run, and that length."""
    return allocator.totals[0] if allocator.totals else (allocator.statement, allocator.given["total_step"])


def needed_of(allocator: Allocator, layers: Layers) -> list[ast.expr]:
    """Give all that the configuration needs to know where it stands, the length of the run aside."""
    given = allocator.given
    names = ("target_rank", *_FIELDS)
    wanted = (layers.rank, layers.alpha, layers.dropout, layers.slots, *(given[name] for name in names))
    return [one for one in wanted if one is not None]


def task_of(allocator: Allocator, file_map: FileMap) -> str | None:
    """Tell the task that PEFT knows a model of transformers by."""
    model = allocator.model
    if not isinstance(model, ast.Name):
        return None
    bindings = file_map.bindings(model.id, model)
    made = [one.value for one in bindings if wrapper_of(one, model.id) is None]
    if len(made) != 1 or not isinstance(made[0], ast.Call):
        return None
    func = made[0].func
    path = file_map.path_of(func.value if isinstance(func, ast.Attribute) and func.attr.startswith("from_") else func)
    if path is None or not path.startswith("transformers."):
        return None
    return next((task for name, task in _TASKS.items() if path.endswith(name)), None)


def fields_of(
    allocator: Allocator, layers: Layers, wrapping: Wrapping, weight: str, task: str | None, *, provisional: bool
) -> dict[str, ast.expr | str]:
    """Give the fields of the configuration, in the order in which they stand."""
    model = ast.unparse(allocator.model)
    fields: dict[str, ast.expr | str] = {} if task is None else {"task_type": f'"{task}"'}
    fields["init_r"] = layers.rank
    fields["target_r"] = allocator.given["target_rank"]
    fields["lora_alpha"] = layers.alpha or _DEFAULT_ALPHA
    if layers.dropout is not None:
        fields["lora_dropout"] = layers.dropout
    if wrapping.bias is not None:
        fields["bias"] = wrapping.bias
    fields["target_modules"] = "[" + ", ".join(f'"{name}"' for name in layers.targets) + "]"
    if layers.slots is not None:
        fields["target_modules"] = f'{MODULES}({model}, {ast.unparse(layers.slots)}.split(","))'
    if wrapping.trains_more:
        fields["modules_to_save"] = f"{TRAINED}({model})"
    fields |= {to: allocator.given[name] for name, to in _FIELDS.items()}
    fields["orth_reg_weight"] = weight
    total = total_of(allocator)
    if provisional:
        fields["total_step"] = " + ".join([*(_summand(fields[name]) for name in ("tinit", "tfinal")), "1"])
    elif total is not None:
        fields["total_step"] = total
    return fields


def _summand(value: ast.expr | str) -> str:
    plain = isinstance(value, str | ast.Constant | ast.Name | ast.Attribute | ast.Subscript | ast.Call)
    return written(value) if plain else f"({written(value)})"


def written(value: ast.expr | str) -> str:
    """Write a value of a field."""
    return value if isinstance(value, str) else ast.unparse(value)


def wrapped(model: str, fields: dict[str, ast.expr | str], indent: str, file_map: FileMap) -> str:
    """Write the statement that puts the adapter on; a comment that ends the line of an argument goes with it."""
    inner, deep = indent + "    ", indent + "        "
    lines = [
        f"{model} = get_peft_model(",
        f"{inner}{model},",
        f"{inner}AdaLoraConfig(",
        *(f"{deep}{name}={written(value)},{_comment_of(value, file_map)}" for name, value in fields.items()),
        f"{inner}),",
        f"{indent})",
    ]
    return file_map.source.newline.join(lines)


def _comment_of(value: ast.expr | str, file_map: FileMap) -> str:
    if isinstance(value, str) or not isinstance(file_map.parent(value), ast.Call | ast.keyword):
        return ""
    stop = file_map.span(value).stop
    line = file_map.source.line_span(file_map.source.row_of(stop))
    rest = re.fullmatch(r"\s*,?\s*(#.*?)\s*", file_map.source.slice(Span(stop, line.stop)))
    return "" if rest is None else f"  {rest[1]}"
