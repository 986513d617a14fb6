"""The model of a dialect record: what `adalint/dialects/*.toml` may say, checked by pydantic when one is needed."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from packaging.specifiers import SpecifierSet
from packaging.version import Version
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from adalint.rulebook.language import Condition, parse
from adalint.schema import FIELDS

Scalar = bool | int | float | str | None

_SCHEDULE: Final = ("init_r", "target_r", "tinit", "tfinal", "deltaT", "beta1", "beta2", "orth_reg_weight")


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class _Table(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=lambda name: name.replace("_", "-"), populate_by_name=True
    )


class Target(_Table):
    """What a key becomes: the fields of PEFT that get its value, or what `value` says of it (`value * total_step`).

    It becomes that only where the key `beside` is written, and `unless` is not.
    """

    to: Names
    value: str | None = None
    beside: str | None = None
    unless: str | None = None

    @property
    def expression(self) -> Condition | None:
        """The expression over `value` and the other fields; None when the value is handed on as it is."""
        return None if self.value is None else parse(self.value)


def _targets(value: Any) -> Any:
    if isinstance(value, str):
        return [{"to": value}]
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return [{"to": value}]
    return value if isinstance(value, list) else [value]


Targets = Annotated[tuple[Target, ...], BeforeValidator(_targets)]


class Detect(_Table):
    """Which mapping of which file speaks this dialect.

    `roots` are paths from the document (`adapter`, `input_features.*.encoder.adapter`; the empty one is the document
    itself, `*` any item of a list or key). `beside` are keys of the document, globs, of which it must have one;
    `files` are names of files that need no such key. A document with a key of `never` is somebody else's.
    """

    roots: Names = ("",)
    beside: Names = ()
    files: Names = ()
    never: Names = ()


class Driver(_Table):
    """Who calls `update_and_allocate`: how often, and with which number first."""

    who: Literal["framework", "user", "nobody", "unknown"]
    every: Literal["optimizer step", "micro batch"] = "optimizer step"
    first: int = 0
    note: str = ""


class TotalStep(_Table):
    """Where the length of the schedule comes from, counted in what, and the key that says it where there is one."""

    source: Literal["user", "framework", "constant", "missing", "unknown"]
    unit: Literal["optimizer steps", "micro batches", "samples"] = "optimizer steps"
    key: str | None = None


class Loader(_Table):
    """How values get from a file to PEFT: which texts become numbers, and what becomes of a key it does not know."""

    name: str
    coerces: bool | Literal["fractions"]
    """With `"fractions"`, text where a whole number belongs is refused."""
    unknown_key: Literal["error", "dropped", "kept"]


class Renaming(_Table):
    """A key that has another name from a release of the framework on; words of `unless` are not known there either."""

    key: str
    to: str
    gone: str
    unless: tuple[Any, ...] = ()


class Refusal(_Table):
    """What a framework without AdaLoRA does when it is asked for it."""

    does: str
    does_zh: str


class Drop(_Table):
    """A key that the framework takes and does not hand to PEFT; `unless` are the values that ask for nothing."""

    key: str
    why: str
    why_zh: str
    unless: tuple[Any, ...] = ()


class Raising(_Table):
    """A value on which the framework's own training raises although PEFT's would not.

    `when` is asked of the field. Keys of `unless` make it train in another way, of which nothing is said.
    """

    field: str
    when: str
    stage: Literal["forward", "first mask", "step"]
    exception: str
    unless: Names = ()


class Dump(_Table):
    """Files that the framework writes itself, and the keys that always stand in them."""

    files: Names
    always: Names


class Commands(_Table):
    """How the dialect is spoken on a command line.

    `commands` are the words that start one (`swift sft`, `run_lora_clm.py`). Flags are the keys behind `--`; with
    `hyphens`, `-` and `_` in them are the same.
    """

    commands: Names
    certain: bool = False
    """Nobody else has a command of that name, so that it needs no `beside`."""
    hyphens: bool = False
    switches: Names = ()
    """Flags that take no value."""


class DictOf(_Table):
    """A parameter of a framework's class or function that takes the keys as a dict; `position` counts from 0."""

    call: str
    parameter: str
    position: int


class Python(_Table):
    """How the dialect is spoken in Python: `keywords` are classes and functions that take the keys as keywords.

    `coerces` is that of the loader where it differs.
    """

    keywords: Names = ()
    dicts: tuple[DictOf, ...] = ()
    coerces: bool | Literal["fractions"] | None = None


class Claim(_Table):
    """Where something in the record is known from."""

    what: str
    where: str
    release: str
    date: str = Field(pattern=r"^\d{4}-\d{2}(-\d{2})?$")
    how: Literal["run", "read", "seen"]


class Record(_Table):
    """One framework's way of writing AdaLoRA.

    `marks` stands on the first line of the file and is all that is read of it until a text holds one of those words.
    `activate` says what turns AdaLoRA on: one of its tables must hold whole. A key with a leading `/` is a path from
    the document, and `"*"` any value. `keys` maps the framework's keys to PEFT's fields, `defaults` holds what PEFT is
    given where nothing is written and that differs from PEFT's own default, `computed` the fields whose value only the
    framework knows, and `unreachable` those that it has no key for and leaves at PEFT's default. What `refuses` says of
    a field's value is a mistake that the framework tells itself before PEFT sees it, and what `raises` says one that
    shows in training. `peft` are the releases of PEFT that it is installed with, and `peft_before` those of its earlier
    releases, by the first that changed them.
    """

    marks: tuple[str, ...] = Field(min_length=1)
    modules: tuple[str, ...] = ()
    """What a Python file imports that speaks it; stands on the second line."""
    title: str
    url: str
    package: str | None = None
    newest: str | None = None
    adalora: bool = True
    implementation: Literal["peft", "own"] = "peft"
    """Its own AdaLoRA is not judged by what PEFT does; the keys are there for migrating."""
    surfaces: tuple[Literal["json", "yaml", "cli", "python"], ...] = Field(min_length=1)
    detect: Detect = Detect()
    activate: tuple[dict[str, Scalar | tuple[Scalar, ...]], ...] = Field(min_length=1)
    deactivate: dict[str, Scalar] = {}
    """What turns it off again, whatever `activate` says."""
    keys: dict[str, Targets] = {}
    defaults: dict[str, Scalar] = {}
    computed: Names = ()
    unreachable: Names = ()
    refuses: dict[str, str] = {}
    raises: tuple[Raising, ...] = ()
    only_written: bool = False
    """Nothing is known of what is not written."""
    generic: bool = False
    """Many speak it, so that it is tried when no other record fits."""
    refusal: Refusal | None = None
    driver: Driver | None = None
    total_step: TotalStep | None = None
    loader: Loader | None = None
    renamed: tuple[Renaming, ...] = ()
    removed: tuple[Renaming, ...] = ()
    dropped: tuple[Drop, ...] = ()
    dump: Dump | None = None
    search: str | None = None
    """Where a document says what a search may choose, by the paths of its keys, in the words of Ray Tune."""
    cli: Commands | None = None
    python: Python | None = None
    peft: str | None = None
    peft_before: dict[str, str] = {}
    source: tuple[Claim, ...] = Field(min_length=1)

    @property
    def targets(self) -> tuple[Target, ...]:
        """What all keys become."""
        return tuple(target for targets in self.keys.values() for target in targets)

    @model_validator(mode="after")
    def _speaks_of_fields_that_exist(self) -> Self:
        named = [field for target in self.targets for field in target.to]
        raising = [one.field for one in self.raises]
        for field in (*named, *self.defaults, *self.computed, *self.unreachable, *self.refuses, *raising):
            if field not in FIELDS:
                raise ValueError(f"{field!r} is no field of AdaLoraConfig")
        if self.adalora and not (self.driver and self.total_step and self.loader):
            raise ValueError("a framework with AdaLoRA needs [driver], [total-step] and [loader]")
        if self.adalora == bool(self.refusal):
            raise ValueError("[refusal] goes with `adalora = false`")
        if not self.adalora and self.keys:
            raise ValueError("a framework without AdaLoRA has no [keys]")
        if ("cli" in self.surfaces) != (self.cli is not None):
            raise ValueError('[cli] goes with "cli" among the surfaces')
        if len({"python" in self.surfaces, self.python is not None, bool(self.modules)}) > 1:
            raise ValueError('[python] and `modules` go with "python" among the surfaces')
        told = {*named, *self.defaults, *self.computed, *self.unreachable, "total_step"}
        untold = [name for name in _SCHEDULE if name not in told]
        if self.adalora and not self.generic and untold:
            raise ValueError(f"nothing says how {untold[0]} is set: [keys], `computed` or `unreachable` must")
        for target in self.targets:
            _ = target.expression
        for condition in (*self.refuses.values(), *(one.when for one in self.raises)):
            parse(condition)
        if self.peft_before and not (self.package and self.peft):
            raise ValueError("`peft-before` goes with `package` and `peft`")
        for before, allowed in self.peft_before.items():
            _ = Version(before), SpecifierSet(allowed)
        return self
