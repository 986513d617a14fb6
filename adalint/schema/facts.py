"""The words in which the schema says what it knows of a field of AdaLoRA's configuration."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Values: TypeAlias = Mapping[str, Any]

EVERY_RELEASE = ">=0.3"


class Stage(StrEnum):
    """When a mistake shows, earliest first."""

    CONSTRUCTION = "construction"
    """`AdaLoraConfig(...)`."""
    WRAP = "wrap"
    """`get_peft_model(...)`."""
    FORWARD = "forward"
    """Between wrapping and the first allocation: the optimizer is made, the first batch goes through."""
    FIRST_MASK = "first mask"
    """The allocator decides on or applies a mask, and none has been applied before."""
    STEP = "step"
    """Any other call of `update_and_allocate`."""
    SAVE = "save"
    LOAD = "load"
    SILENT = "silent"
    """Never: nothing is raised, and nothing is done either."""


class Use(StrEnum):
    """What PEFT does with a field."""

    HONOURED = "honoured"
    IGNORED = "ignored"
    """Training is bit-identical without it."""
    REFUSED = "refused"
    """PEFT raises when it is set; AdaLoRA does not support it."""
    OUTPUT = "output"
    """Written by training."""
    METADATA = "metadata"
    """Kept in the saved configuration; training does not depend on it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One way in which PEFT raises because of a field.

    `when` is asked with the effective values of all fields. `order` is its place among the checks of the same stage in
    PEFT's own order, so that the first that holds is the one that shows. `message` is the reason in our words and
    `remedy` what to write instead. `peft` is the range of releases.
    """

    stage: Stage
    exception: str
    when: Callable[[Values], bool]
    message: str
    remedy: str
    order: int = 0
    peft: str = EVERY_RELEASE


@dataclass(frozen=True, slots=True)
class Bounds:
    """The numbers with which PEFT trains to the end: above `gt`, below `lt`, at least `ge`, at most `le`."""

    gt: float | None = None
    ge: float | None = None
    lt: float | None = None
    le: float | None = None

    def contain(self, number: float) -> bool:
        """Tell whether a number lies inside; NaN never does."""
        return (
            (self.gt is None or number > self.gt)
            and (self.ge is None or number >= self.ge)
            and (self.lt is None or number < self.lt)
            and (self.le is None or number <= self.le)
        )


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything known of one field, beside its type and default.

    `since` is the first release that has the field, `uses` what PEFT does with it in each range of releases.
    `ignored_when` tells the values that an honoured field treats like its default. `needs` names the option without
    which the field means nothing, `config_class` the class of PEFT that its value is an instance of. `judged_elsewhere`
    marks ignored fields that a rule of their own reports, not the general one. `aliases` are names that people write
    for it.
    """

    doc: str
    doc_zh: str
    since: str = "0.3.0"
    own: bool = False
    uses: tuple[tuple[str, Use], ...] = ((EVERY_RELEASE, Use.HONOURED),)
    bounds: Bounds | None = None
    failures: tuple[Failure, ...] = ()
    aliases: tuple[str, ...] = ()
    ignored_when: Callable[[Any], bool] | None = None
    needs: str | None = None
    config_class: str | None = None
    judged_elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class FieldFacts:
    """One field as callers see it: its facts, with the type and default that the model declares.

    `kinds` are names of Python types that PEFT means by the annotation (`int`, `float`, `bool`, `str`, `list`, `dict`),
    `choices` the only values of an enumerated one.
    """

    name: str
    kinds: frozenset[str]
    nullable: bool
    choices: tuple[Any, ...]
    default: Any
    facts: Facts

    @property
    def numeric(self) -> bool:
        """Tell whether the field wants a number."""
        return bool(self.kinds & {"int", "float"}) and "list" not in self.kinds


class Undecided(Exception):
    """What happens depends on something that the configuration does not tell."""
