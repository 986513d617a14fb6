"""The model of a dialect record: what `adalint/dialects/*.toml` may say, checked by pydantic when one is needed."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Final, Literal, Self

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version
from pydantic import Field, model_validator

from adalint.dialects.tables import (
    Claim,
    Commands,
    Detect,
    Driver,
    Drop,
    Dump,
    Loader,
    Names,
    Python,
    Raising,
    Refusal,
    Removal,
    Renaming,
    Scalar,
    Table,
    Target,
    Targets,
    TotalStep,
)
from adalint.rulebook.language import parse
from adalint.schema import FIELDS

_SCHEDULE: Final = ("init_r", "target_r", "tinit", "tfinal", "deltaT", "beta1", "beta2", "orth_reg_weight")
_PATH: Final = re.compile(r"/?[^/.*]+(?:\.[^/.*]+)*")


class Record(Table):
    """One framework's way of writing AdaLoRA.

    In `activate`, `deactivate` and `key` of [total-step], a key that begins with `/` is a path from the document.
    """

    marks: tuple[str, ...] = Field(min_length=1)
    """Words, one of which a text must hold for anything else here to be read. Stands on the first line."""
    modules: tuple[str, ...] = ()
    """What a Python file imports, or names, that speaks it. Stands on the second line."""
    title: str
    """What adalint calls the framework."""
    url: str
    """Its address."""
    package: str | None = None
    """Its name on PyPI, whose pins say which release a project uses; without it, the newest is meant."""
    newest: str | None = None
    """The newest release that was looked at; the tests that ask the framework install it."""
    adalora: bool = True
    """Whether it has AdaLoRA; `false` goes with [refusal], and with no [keys]."""
    implementation: Literal["peft", "own"] = "peft"
    """Whose AdaLoRA it trains: `own` is not judged by what PEFT does, its keys are there for migrating."""
    surfaces: tuple[Literal["json", "yaml", "cli", "python"], ...] = Field(min_length=1)
    """Where it is spoken: in files, on command lines ([cli]), in code ([python])."""
    detect: Detect = Detect()
    """Which mapping is meant; without it, any document in which `activate` holds."""
    activate: tuple[dict[str, Scalar | tuple[Scalar, ...]], ...] = Field(min_length=1)
    """What turns AdaLoRA on: one of these tables must hold whole. `"*"` is any value, a list any of its own."""
    deactivate: dict[str, Scalar] = Field(default_factory=dict)
    """What turns it off again, whatever `activate` says."""
    keys: dict[str, Targets] = Field(default_factory=dict)
    """The framework's keys, each with the field of PEFT that it is, or what it becomes."""
    defaults: dict[str, Scalar] = Field(default_factory=dict)
    """What PEFT is given where nothing is written; without an entry, PEFT's own default."""
    computed: Names = ()
    """Fields whose value only the framework knows where no key gives it: nothing is said of them."""
    unreachable: Names = ()
    """Fields that it has no key for, and leaves at PEFT's default."""
    refuses: dict[str, str] = Field(default_factory=dict)
    """Conditions over a field that the framework refuses itself: nothing is said of such a value."""
    raises: tuple[Raising, ...] = ()
    """Values on which its own training raises although PEFT's would not."""
    only_written: bool = False
    """Nothing is known of what is not written, neither defaults nor which other options follow."""
    generic: bool = False
    """Many speak it, so that it is tried when no other record fits."""
    refusal: Refusal | None = None
    """What a framework without AdaLoRA does when it is asked for it."""
    driver: Driver | None = None
    """Who calls the allocator."""
    total_step: TotalStep | None = None
    """Where the length of the schedule comes from."""
    loader: Loader | None = None
    """How values get to PEFT."""
    renamed: tuple[Renaming, ...] = ()
    """Keys that have another name in later releases."""
    removed: tuple[Removal, ...] = ()
    """Keys that only documents name."""
    dropped: tuple[Drop, ...] = ()
    """Keys that are taken and lost."""
    dump: Dump | None = None
    """Files that it writes itself; without it, all files are a user's."""
    search: str | None = None
    """Where a document says what a search may choose, by the paths of its keys, in the words of Ray Tune."""
    cli: Commands | None = None
    """Its command lines; goes with "cli" among the surfaces."""
    python: Python | None = None
    """Its classes and functions; goes with "python" among the surfaces."""
    peft: str | None = None
    """The releases of PEFT that it is installed with; without it, the newest is meant."""
    peft_before: dict[str, str] = Field(default_factory=dict)
    """The same of its releases before one: `"3.0.0" = ">=0.11,<0.13"`."""
    source: tuple[Claim, ...] = Field(min_length=1)
    """Where all of this is known from."""

    @property
    def targets(self) -> tuple[Target, ...]:
        """What all keys become."""
        return tuple(target for targets in self.keys.values() for target in targets)

    @cached_property
    def names(self) -> frozenset[str]:
        """All keys that the record says something of."""
        told = [*self.keys, *self.deactivate, *(key for table in self.activate for key in table)]
        told += [one.key for some in (self.renamed, self.removed, self.dropped) for one in some]
        told += [key for target in self.targets for key in (target.beside, target.unless) if key]
        told += [self.total_step.key] if self.total_step and self.total_step.key else []
        return frozenset(key for key in told if not key.startswith("/"))

    def unknown_key(self, *, is_argv: bool) -> str:
        """Tell what becomes of a key that the framework does not know."""
        if is_argv and self.cli is not None:
            return self.cli.unknown_key
        return self.loader.unknown_key if self.loader is not None else "kept"

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
            strange = (target.expression.names() if target.expression else set()) - {"value", *FIELDS}
            if strange:
                raise ValueError(
                    f"{min(strange)!r} in {target.value!r} is neither `value` nor a field of AdaLoraConfig"
                )
        for condition in (*self.refuses.values(), *(one.when for one in self.raises)):
            parse(condition)
        if self.peft_before and not (self.package and self.peft):
            raise ValueError("`peft-before` goes with `package` and `peft`")
        for before, allowed in self.peft_before.items():
            _ = Version(before), SpecifierSet(allowed)
        return self

    @model_validator(mode="after")
    def _speaks_of_keys_that_can_be_found(self) -> Self:
        if self.package is not None and self.package != canonicalize_name(self.package):
            raise ValueError(f"package: write {canonicalize_name(self.package)!r}, as PyPI compares names")
        for one in self.renamed:
            if one.to not in self.names:
                raise ValueError(f"renamed: nothing says what {one.to!r} is: [keys], `activate` or another table must")
        if self.cli is not None and self.cli.hyphens:
            hyphened = sorted(name for name in self.names if "-" in name)
            if hyphened:
                raise ValueError(f"with `hyphens`, write {hyphened[0]!r} with underscores")
        length = self.total_step.key if self.total_step is not None else None
        if length is None or self.total_step is None:
            return self
        if self.total_step.source != "framework" and length not in self.keys:
            raise ValueError('total-step.key goes with source = "framework"; what users say is one of [keys]')
        if not _PATH.fullmatch(length):
            raise ValueError(
                f"total-step.key: {length!r} is neither a key nor `/` and a path of keys, as in `/run.steps`"
            )
        if "." in length and not length.startswith("/") and set(self.surfaces) != {"cli"}:
            raise ValueError(f'total-step.key: a path begins with "/": write "/{length}"')
        return self
