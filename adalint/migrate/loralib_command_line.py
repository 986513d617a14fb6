"""What a training takes on its command line: its flags by name, and where it reads them."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Final

RENAMED: Final = {
    "lora_r": "init_r",
    "target_rank": "target_r",
    "init_warmup": "tinit",
    "final_warmup": "tfinal",
    "mask_interval": "deltaT",
    "reg_orth_coef": "orth_reg_weight",
}
"""What loralib's flags are called in PEFT, where they are called otherwise."""

DECIDING: Final[dict[str, object]] = {
    "apply_lora": True,
    "apply_adalora": True,
    "apply_rankselector": True,
    "lora_type": "svd",
    "target_total_rank": None,
    "apply_adapter": False,
    "apply_bitfit": False,
}
"""Flags that ask for AdaLoRA, and for it alone: what they have to be."""

_SWITCHES: Final = frozenset({"store_true", "store_false", "count", "help", "version", "store_const", "append_const"})


@dataclass(frozen=True, slots=True)
class Flag:
    """One `add_argument`, or one field of a dataclass, and where the script reads or sets what it gives."""

    name: str
    """What the script reads it by."""
    made: ast.Call | ast.AnnAssign
    options: tuple[ast.Constant, ...]
    """As they are written; those of a field stand nowhere."""
    owner: ast.ClassDef | None = None
    """The dataclass of a field."""
    reads: list[ast.Attribute] = field(default_factory=list)

    @property
    def keywords(self) -> dict[str | None, ast.expr]:
        """The arguments that are given by name, `default` also where a field has nothing else."""
        value = self.made if isinstance(self.made, ast.Call) else self.made.value
        if isinstance(value, ast.Call):
            return {one.arg: one.value for one in value.keywords}
        return {} if value is None else {"default": value}

    @property
    def kind(self) -> str | None:
        """The name of its type, `str` where none is given; None where it is more than a name."""
        if isinstance(self.made, ast.AnnAssign):
            return _plain_type(self.made.annotation)
        given = self.keywords.get("type")
        return "str" if given is None else getattr(given, "id", None)

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
        if isinstance(self.made, ast.AnnAssign):
            return self.kind not in {"str", "int", "float"}
        return "nargs" in self.keywords


@dataclass(frozen=True, slots=True)
class CommandLine:
    """All that a script takes on its command line."""

    parser: ast.Call
    flags: dict[str, Flag]
    kept: frozenset[str] = frozenset()
    """The attributes of objects that hold what it gives."""
    of_dataclasses: bool = False
    """Whether it is made of dataclasses: those of other files may have more options, and a file may stand for all."""

    def options(self) -> dict[str, Flag]:
        """Give the flags by each of their options."""
        return {str(option.value): flag for flag in self.flags.values() for option in flag.options}


def _plain_type(annotation: ast.expr) -> str | None:
    """Name the type that an annotation stands for, without what allows None."""
    match annotation:
        case ast.Name(id=name):
            return name
        case ast.Constant(value=str(name)) if name.isidentifier():
            return name
        case ast.Subscript(value=ast.Name(id="Optional") | ast.Attribute(attr="Optional"), slice=inner):
            return _plain_type(inner)
        case ast.BinOp(left=inner, op=ast.BitOr(), right=ast.Constant(value=None)):
            return _plain_type(inner)
    return None
