"""The tables of a dialect record, each key with what it says; `docs/dialect-record.md` is made of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from adalint.rulebook.language import Condition, parse

Scalar = bool | int | float | str | None
Coercion = bool | Literal["fractions", "exponents"]
UnknownKey = Literal["error", "dropped", "kept"]


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


_TEXTS = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
Names = Annotated[tuple[str, ...], BeforeValidator(_listed), WithJsonSchema(_TEXTS)]


class Table(BaseModel):
    """A table of TOML that takes no key but its own; hyphens stand for the underscores here."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=lambda name: name.replace("_", "-"), populate_by_name=True
    )


class Target(Table):
    """What a key becomes. `"init_r"` alone is short for `{ to = "init_r" }`; a list says several things at once."""

    to: Names
    """The fields of PEFT that get the value, or what `value` makes of it."""
    value: str | None = None
    """An expression over `value` and PEFT's fields (`int(value * total_step)`); without it, the value as it is."""
    beside: str | None = None
    """A key that must be written, too; without it, none."""
    unless: str | None = None
    """A key that must not be written; without it, none."""

    @property
    def expression(self) -> Condition | None:
        """The expression over `value` and the other fields; None when the value is handed on as it is."""
        return None if self.value is None else parse(self.value)


def _targets(value: Any) -> Any:
    return [{"to": one} if isinstance(one, str) else one for one in (value if isinstance(value, list) else [value])]


Targets = Annotated[tuple[Target, ...], BeforeValidator(_targets)]


class Detect(Table):
    """Which mapping of which file speaks this dialect."""

    roots: Names = ("",)
    """Paths from the document to the mapping that holds the keys; `*` is any item. Without it, the document itself."""
    beside: Names = ()
    """Keys of the document, globs, one of which it must have; without it, `activate` alone decides."""
    files: Names = ()
    """Names of files, globs, that need no key of `beside`; the only files, where there is no `beside`."""
    never: Names = ()
    """Keys of the document, globs, that make it somebody else's."""


class Driver(Table):
    """Who calls `update_and_allocate`."""

    who: Literal["framework", "user", "nobody", "unknown"]
    """`framework`; `user`: their own loop; `nobody`: ADA601; `unknown`: nothing is said of the loop."""
    every: Literal["optimizer step", "micro batch"] = "optimizer step"
    """How often; where it is for each `micro batch`, nothing is said that rests on the loop."""
    first: int = 0
    """The first number that it is given: with 1, a `tfinal` of 0 still ends in a last mask."""
    note: str = ""
    """For readers of the record."""


class TotalStep(Table):
    """Where the length of the schedule comes from."""

    source: Literal["user", "framework", "constant", "missing", "unknown"]
    """`user`: a key of [keys]; `framework`: counted; `constant`: of [defaults]; `missing`: never set; `unknown`."""
    unit: Literal["optimizer steps", "micro batches", "samples"] = "optimizer steps"
    """What a framework counts, for `docs/frameworks.md`."""
    key: str | None = None
    """A key that tells what the framework counts (`max_steps`, `/trainer.max_steps`); without it, it is not known."""


class Loader(Table):
    """How values get from a file to PEFT. On a command line every text that is a number becomes one."""

    name: str
    """For readers of the record: the functions that read and convert."""
    coerces: Coercion
    """`true`: text becomes a number. `"fractions"`: but where a whole number belongs, it is refused. `"exponents"`:
    text stays text, and `1e-4` is a number, as in OmegaConf. `false`: text stays text, and so does `1e-4` in YAML."""
    unknown_key: UnknownKey
    """`error`: refused, and near misses of keys are told (ADA603); `dropped`, `kept`: without effect."""
    other_keys: tuple[str, ...] | None = None
    """All other keys that the mapping may have, globs. Without it, only keys that begin with `adalora_` are told."""


class Renaming(Table):
    """A key that has another name in later releases (ADA603); where an older release is pinned, it is read as that."""

    key: str
    """The old name."""
    to: str
    """The new one."""
    gone: str
    """The first release that does not know the old name."""
    unless: tuple[Any, ...] = ()
    """Values that went with it, so that only the user knows the new ones."""


class Removal(Table):
    """A key that documents name and the published code does not know (ADA605)."""

    key: str
    """That name."""
    to: str
    """The one that works."""
    gone: str
    """For readers of the record: where it is missing."""


class Refusal(Table):
    """What a framework without AdaLoRA does when it is asked for it (ADA602)."""

    does: str
    """The end of the sentence `… has no AdaLoRA: …`."""
    does_zh: str
    """The same in Chinese."""


class Drop(Table):
    """A key that the framework takes and does not hand to PEFT (ADA604)."""

    key: str
    """The key."""
    why: str
    """The reason, as the end of a sentence."""
    why_zh: str
    """The same in Chinese."""
    unless: tuple[Any, ...] = ()
    """Values that ask for nothing, and are not told."""


class Raising(Table):
    """A value on which the framework's own training raises although PEFT's would not."""

    field: str
    """The field of PEFT."""
    when: str
    """A condition over it."""
    stage: Literal["forward", "first mask", "step"]
    """Where it shows: in the first forward pass, where ranks are masked first, or in a later step."""
    exception: str
    """The name of the exception."""
    unless: Names = ()
    """Keys that make it train in another way, of which nothing is said."""


class Dump(Table):
    """Files that the framework writes itself: they ran, and say nothing of what a user meant."""

    files: Names
    """Their names, globs."""
    always: Names
    """The keys that always stand in them, and are not told."""


class Commands(Table):
    """How the dialect is spoken on a command line: flags are the keys behind `--`."""

    commands: Names
    """The words that start one: `swift sft`, `run_lora_clm.py`."""
    certain: bool = False
    """Nobody else has a command of that name, so that `[detect]` is not asked."""
    hyphens: bool = False
    """`-` and `_` within flags are the same, as HfArgumentParser has them; [keys] have `_`."""
    switches: Names = ()
    """Flags that take no value."""
    unknown_key: UnknownKey = "error"
    """What becomes of a flag that it does not know, as in [loader]."""


class DictOf(Table):
    """A parameter of a framework's class or function that takes the keys as a dict."""

    call: str
    """The name of the class or function."""
    parameter: str
    """The name of the parameter."""
    position: int
    """Its position, from 0."""


class Python(Table):
    """How the dialect is spoken in Python; `modules` says where the names are imported from."""

    keywords: Names = ()
    """Classes and functions that take the keys as keywords."""
    dicts: tuple[DictOf, ...] = ()
    """Parameters that take them as a dict."""
    named: Names = ()
    """Dicts that a module of settings puts under a root by these names."""
    coerces: Coercion | None = None
    """As in [loader]; without it, what [loader] says."""


class Claim(Table):
    """Where something in the record is known from."""

    what: str
    """What is known."""
    where: str
    """The file, function or lines."""
    release: str
    """The release that was looked at."""
    date: str = Field(pattern=r"^\d{4}-\d{2}(-\d{2})?$")
    """The day or month of that."""
    how: Literal["run", "read", "seen"]
    """`run`, `read` in its sources, or only `seen` in use."""
