"""One AdaLoRA configuration, wherever it lives."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from adalint.plan import UNKNOWN_LOOP
from adalint.source import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adalint.dialects.framework import Framework
    from adalint.plan import Loop
    from adalint.source import Source, Span
    from adalint.spaces import Space
    from adalint.training import Training, Use
    from adalint.values import Symbol, Value

RUN_LENGTH_NAMES: Final = frozenset({"max_steps", "max_train_steps", "num_train_steps", "num_training_steps"})
"""Names under which people write the number of optimizer steps of a run."""


class Surface(StrEnum):
    """The form in which a configuration is written."""

    CALL = "call"
    """`AdaLoraConfig(...)` in Python."""
    ADAPTER_CONFIG = "adapter_config"
    """A file named `adapter_config.json`."""
    TARGET = "target"
    """A mapping that names the class by `_target_`, for Hydra."""
    CLASS_PATH = "class_path"
    """A mapping that names the class by `class_path`, for jsonargparse, which converts what it reads."""
    PEFT_TYPE = "peft_type"
    """A mapping with `peft_type: ADALORA` that the user's own code hands to PEFT."""
    BLOCK = "block"
    """PEFT's names under an `adalora` key, which the user's own code hands to PEFT."""
    CONTAINER = "container"
    """PEFT's names beside a word that chooses AdaLoRA; what the user's own code makes of them is not known."""
    FRAMEWORK = "framework"
    """A framework's own keys, which the framework hands to PEFT."""
    COMMAND = "command"
    """A framework's options on a command line."""
    SEARCH = "search"
    """A search space of JSON or YAML: what is not written may be given by the code that is searched for."""
    ELSEWHERE = "elsewhere"
    """A training whose configuration is not in this file, or one of several: nothing is known of its values."""


@dataclass(frozen=True, slots=True)
class Site:
    """A configuration: what is written, where, and what else may come from elsewhere.

    `span` covers the call or mapping; `head` is where a finding about an absent field points (the constructor's name,
    the first line of the mapping). `values` holds every written name in order, those that are no field of PEFT
    included. `open` says that fields may be given where the text does not show them (`**kwargs`), so that an absent
    one is unknown. `saved` marks the configuration of a trained adapter: an `adapter_config.json` with
    `inference_mode` true.
    """

    source: Source
    surface: Surface
    span: Span
    head: Span
    values: Mapping[str, Value]
    open: bool = False
    saved: bool = False
    loop: Loop = UNKNOWN_LOOP
    late_total_step: bool = False
    """The file sets `total_step` on the configuration after it was constructed."""
    run_length: Value | None = None
    """The number of optimizer steps of the run, where the same file tells it once."""
    run_length_file: str | None = None
    """The file beside this one that tells it instead, from the folder of this one; its place is none of this source."""
    wrapped: bool = False
    """The file gives the configuration to `get_peft_model` as it is, or hands it to PEFT whole: nothing adds to it."""
    repeated: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    """Of each key that a JSON or YAML mapping writes several times, all entries but the last, which counts."""
    others: tuple[Site, ...] = ()
    """The same place on other ways through the program; a rule reports only what holds on all of them."""
    read_back: frozenset[str] = frozenset()
    """Fields that the file reads from the configuration again, so that none of them may lose its value."""
    changed_later: frozenset[str] = frozenset()
    """Fields that the file changes once the configuration is made, so that what is written is not what counts."""
    accepts: frozenset[str] = frozenset()
    """Names that a subclass of PEFT's class adds to its fields."""
    trainings: tuple[Training, ...] = ()
    """How the file trains with this configuration; `loop` is the one that the trace runs."""
    uses: tuple[Use, ...] = ()
    """What else the file does with the configuration and its model."""
    spaces: Mapping[Symbol, Space] = field(default_factory=dict)
    """What a search may choose for symbols in the values; a finding that holds only for some choices says which."""
    framework: Framework | None = None
    """The framework in whose words it is written; `values` has PEFT's names all the same."""

    @property
    def where(self) -> str:
        """The column of the rule catalogue: P Python, J JSON, Y YAML, S command line, A saved adapter."""
        if self.saved:
            return "A"
        if self.surface is Surface.COMMAND:
            return "S"
        return {Kind.PYTHON: "P", Kind.JSON: "J", Kind.YAML: "Y", Kind.SHELL: "S"}[self.source.kind]

    @property
    def may_get_total_step(self) -> bool:
        """Whether the user's own code may still add `total_step` to this mapping before PEFT sees it."""
        return self.surface in {Surface.PEFT_TYPE, Surface.BLOCK, Surface.SEARCH}

    @property
    def can_be_mended(self) -> bool:
        """Whether a value can be written into the text as PEFT takes it: a search space has options and ranges."""
        return self.surface is not Surface.SEARCH

    def in_its_words(self, text: str) -> str:
        """Put the keys of the framework that the text is written for in the place of PEFT's names."""
        return text if self.framework is None else self.framework.spell(text)

    def key_of(self, name: str) -> str:
        """Give the key by which the text says a field, as its framework calls it where it is written for one."""
        return name if self.framework is None else self.framework.key_of(name)

    def can_set(self, name: str) -> bool:
        """Tell whether the text has a key for a field."""
        framework = self.framework
        return framework is None or (name in framework.spelling and name not in framework.elsewhere)
