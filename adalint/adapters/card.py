"""What one saved adapter is: how it was trained, what it kept, and what happens when it is used."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from adalint.adapters.ranks import is_mask, kept_by_pattern, kept_by_shape
from adalint.adapters.weights import State, Weights, weights_in
from adalint.engine import judge_sites
from adalint.findings import Severity
from adalint.plan import assemble
from adalint.rulebook.judge import fire
from adalint.rulebook.pages import load
from adalint.targets import release_for
from adalint.values import Literal, is_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from adalint.findings import Finding
    from adalint.settings import Settings
    from adalint.site import Site
    from adalint.source import Source

_EPSILON: Final = 1e-5
"""PEFT divides the scale by `ranknum + 1e-5`."""

_LOADING: Final = ("construction", "wrap", "load")
_LAYER: Final = re.compile(r"\.\d+\.")


class Trained(StrEnum):
    """How an adapter was trained."""

    ADAPTIVE = "adaptive"
    """Masks were made: it is AdaLoRA."""
    FIXED = "fixed"
    """No mask was ever made: every module has rank `init_r`."""
    UNKNOWN = "unknown"
    """`rank_pattern` cannot be read, or the configuration is none of a trained adapter."""


class Further(StrEnum):
    """What becomes of an adapter that is trained on with `update_and_allocate`, to the end of a schedule."""

    ANEW = "anew"
    """No mask was made yet, so the schedule begins as if it were new."""
    PRUNED = "pruned"
    """Ranks are taken away once more."""
    EMPTIED = "emptied"
    """No rank is left."""
    CRASHES = "crashes"
    """More ranks are to be taken away than there are: `kthvalue` raises RuntimeError, IndexError where none is left."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why PEFT does not load an adapter: the rule that says so, and the exception where one is known."""

    code: str
    exception: str | None


@dataclass(frozen=True, slots=True)
class Card:
    """A saved adapter in numbers; None where neither its configuration nor its weights tell.

    `ranks` are those of each module by its path. `scale` is what PEFT multiplies the adapter's output with, by module
    where it differs (`lora_alpha` not above 0). `parameters` counts the numbers in the files of the weights.
    """

    folder: str
    source: Source
    release: str
    peft_version: str | None
    base_model: str | None
    task_type: str | None
    saved: bool
    trained: Trained
    init_r: int | None
    target_r: int | None
    ranks: Mapping[str, int]
    scale: float | None
    scales: Mapping[str, float] = field(default_factory=dict)
    weights: Weights = field(default_factory=lambda: Weights(State.MISSING))
    failures: tuple[Failure, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def kept(self) -> int | None:
        """The ranks of all modules together."""
        return sum(self.ranks.values()) if self.ranks else None

    @property
    def budget(self) -> int | None:
        """The ranks that the schedule ends with: `target_r` for each module."""
        return None if self.target_r is None or not self.ranks else self.target_r * len(self.ranks)

    @property
    def reached(self) -> bool | None:
        """Whether the budget was reached; None where no mask was made."""
        if self.trained is not Trained.ADAPTIVE or self.kept is None or self.budget is None:
            return None
        return self.kept <= self.budget

    @property
    def parameters(self) -> int | None:
        """The numbers in the files of the weights."""
        if self.weights.state is not State.READ:
            return None
        counts = []
        for one in self.weights.tensors.values():
            count = 1
            for size in one.shape:
                count *= size
            counts.append(count)
        return sum(counts)

    @property
    def dtypes(self) -> tuple[str, ...]:
        """The types of the tensors, as safetensors writes them."""
        return tuple(sorted({one.dtype for one in self.weights.tensors.values()}))

    @property
    def raises_on_labels(self) -> bool:
        """Whether a model that is loaded for inference raises AttributeError when it is given labels."""
        return self.task_type is not None

    @property
    def trained_on(self) -> tuple[Further, int | None]:
        """What training on with the allocator ends with, and with how many ranks.

        The allocator starts from `init_r` ranks in each module, whatever is left of them, and takes away as many as
        separate these from the budget.
        """
        if self.trained is Trained.FIXED:
            return Further.ANEW, self.budget
        if self.trained is Trained.UNKNOWN or self.kept is None or self.budget is None or self.init_r is None:
            return Further.UNKNOWN, None
        left = self.kept - (self.init_r * len(self.ranks) - self.budget)
        if left < 0:
            return Further.CRASHES, None
        return (Further.PRUNED, left) if left else (Further.EMPTIED, 0)

    def rows(self) -> list[tuple[str, list[int]]]:
        """Give the ranks of modules of one kind together, layer by layer: `layers.*.self_attn.q_proj`."""
        rows: dict[str, list[int]] = {}
        for path, rank in sorted(self.ranks.items(), key=lambda item: _in_order(item[0])):
            rows.setdefault(_LAYER.sub(".*.", path), []).append(rank)
        return list(rows.items())


def card_of(source: Source, settings: Settings) -> Card | None:
    """Look at an `adapter_config.json` and the weights beside it; None when it is not one of AdaLoRA.

    Raises:
        ReadError: it is not JSON.
    """
    judged = judge_sites(source, settings)
    if not judged:
        return None
    site, findings = judged[0]
    release = release_for(site, settings)
    known = {name: expr.value for name, expr in assemble(site, release).values.items() if isinstance(expr, Literal)}
    folder = os.path.dirname(source.path) or "."
    weights = weights_in(folder)
    init_r, target_r = _whole(known.get("init_r")), _whole(known.get("target_r"))
    trained, ranks = _ranks(known.get("rank_pattern", ...), init_r, weights)
    scale, scales = _scale(known.get("lora_alpha"), init_r, ranks)
    return Card(
        folder=folder,
        source=source,
        release=release,
        peft_version=_text(_written(site, "peft_version")),
        base_model=_text(_written(site, "base_model_name_or_path")),
        task_type=_text(known.get("task_type")),
        saved=site.saved,
        trained=trained if site.saved else Trained.UNKNOWN,
        init_r=init_r,
        target_r=target_r,
        ranks=ranks,
        scale=scale,
        scales=scales,
        weights=weights,
        failures=tuple(_failures(site, release, settings)),
        findings=tuple(findings),
    )


def _ranks(pattern: Any, init_r: int | None, weights: Weights) -> tuple[Trained, dict[str, int]]:
    """Read the ranks from the masks, else from the tensors."""
    shapes = kept_by_shape(weights.tensors)
    if pattern is None or pattern == {}:
        return Trained.FIXED, shapes
    if isinstance(pattern, dict) and all(is_mask(mask, init_r) for mask in pattern.values()):
        return Trained.ADAPTIVE, kept_by_pattern(pattern)
    return Trained.UNKNOWN, shapes


def _scale(alpha: Any, init_r: int | None, ranks: Mapping[str, int]) -> tuple[float | None, dict[str, float]]:
    """Compute what PEFT multiplies with: `lora_alpha`, or a module's own rank, over `init_r`."""
    if not is_number(alpha) or init_r is None:
        return None, {}
    if alpha > 0:
        return alpha / (init_r + _EPSILON), {}
    return None, {path: rank / (init_r + _EPSILON) for path, rank in ranks.items()}


def _failures(site: Site, release: str, settings: Settings) -> Iterator[Failure]:
    for fired in fire(site, load(settings.rule_folders), release, settings.target_transformers):
        outcome = fired.outcome()
        if fired.severity is Severity.ERROR and outcome is not None and outcome.stage in _LOADING:
            yield Failure(fired.rule.code, outcome.exception)


def _written(site: Site, name: str) -> Any:
    value = site.values.get(name)
    return value.expr.value if value is not None and isinstance(value.expr, Literal) else None


def _whole(value: Any) -> int | None:
    return value if type(value) is int and value > 0 else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _in_order(path: str) -> list[tuple[bool, int, str]]:
    """Sort layers by their numbers, not by their digits."""
    return [(one.isdigit(), int(one) if one.isdigit() else 0, one) for one in path.split(".")]
