"""From an AdaLoRA adapter to a plain LoRA adapter of the same outputs: what is made of which tensors.

PEFT's SVDLinear adds `x @ (A * E).T @ B.T * scaling / (ranknum + 1e-5)`, LoRA `x @ A.T @ B.T * lora_alpha / r`. So E
and the scale go into A, B stays as it is, and lora_alpha becomes r. When PEFT loads an adapter it sets ranknum to
init_r, and scaling to lora_alpha or, where that is not above 0, to the rank of the module
(peft/tuners/adalora/layer.py and model.py).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from math import prod
from typing import TYPE_CHECKING, Any, Final

from adalint.migrate import MigrationError
from adalint.migrate.adalora_config import lora_config, read_config
from adalint.migrate.companions import companions_in
from adalint.migrate.kernels import base_kernels, told_kernels
from adalint.migrate.pattern_keys import pattern_keys
from adalint.migrate.triplets import PREFIX, Triplet, triplets_in, weights_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from adalint.adapters.header import Tensor
    from adalint.adapters.weights import Weights
    from adalint.migrate.adalora_config import AdaLora
    from adalint.migrate.kernels import Kernel

EPSILON: Final = 1e-5
"""What PEFT adds to ranknum."""


class Layout(StrEnum):
    """How modules of several ranks become one LoRA adapter."""

    UNIFORM = "uniform"
    """All have the largest rank, filled up with zeros: any reader of LoRA takes it."""
    PATTERN = "pattern"
    """Each has its own, told by `rank_pattern` and `alpha_pattern`, which PEFT alone reads."""


class Scale(StrEnum):
    """Which scale counts where `lora_alpha` is not above 0; elsewhere both are the same."""

    LOADED = "loaded"
    """What PEFT computes with when it has loaded the adapter: the module's rank over init_r."""
    TRAINED = "trained"
    """What it was trained with: 1."""


@dataclass(frozen=True, slots=True)
class Module:
    """One adapted module: its triplet, the rank that it is given, the scale folded in, its kernel if it has one."""

    path: str
    triplet: Triplet
    given: int
    scale: float
    kernel: Kernel | None = None

    @property
    def rank(self) -> int:
        """The rank that was kept."""
        return self.triplet.rank

    @property
    def shape_a(self) -> tuple[int, ...]:
        """The shape of LoRA's A."""
        flat = self.triplet.a.shape[1]
        return (self.given, flat // prod(self.kernel), *self.kernel) if self.kernel else (self.given, flat)

    @property
    def shape_b(self) -> tuple[int, ...]:
        """The shape of LoRA's B."""
        return (self.triplet.b.shape[0], self.given, *((1, 1) if self.kernel else ()))

    def name(self, part: str) -> str:
        """Give the name of one of its tensors in AdaLoRA's file; LoRA's has `.weight` after it."""
        return f"{PREFIX}{self.path}.{part}"


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence of the catalogue that the reader should know of, and what is put in."""

    sentence: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Conversion:
    """What would be written: the modules, the tensors that are copied, the configuration, the files beside them."""

    folder: str
    layout: Layout
    source: AdaLora
    weights: Weights
    modules: tuple[Module, ...]
    copied: Mapping[str, Tensor]
    config: Mapping[str, Any]
    dropped: tuple[str, ...]
    """Fields of the source that the result does not have."""
    companions: tuple[str, ...]
    """Files that are copied with the adapter."""
    left: tuple[str, ...]
    """Files of the folder that are not."""
    notes: tuple[Remark, ...]


def plan_conversion(
    folder: str,
    *,
    layout: Layout = Layout.UNIFORM,
    scale: Scale = Scale.LOADED,
    kernels: Sequence[tuple[str, Kernel]] = (),
    base: str | None = None,
) -> Conversion:
    """Read the configuration and the headers in a folder, and say what LoRA adapter they become.

    `kernels` names convolutions and their kernels; `base` is the folder of the base model, whose headers tell them too.

    Raises:
        MigrationError: it is no AdaLoRA adapter, or one that PEFT could not load as it is.
    """
    source = read_config(folder)
    weights = weights_of(folder)
    triplets, copied = triplets_in(weights, source)
    known = (base_kernels(base, triplets) if base is not None else {}) | told_kernels(kernels, triplets)
    ranks = {path: max(1, triplet.rank) for path, triplet in triplets.items()}  # LoRA has no rank 0
    if layout is Layout.UNIFORM:
        ranks = dict.fromkeys(ranks, max(ranks.values()))
    modules = tuple(
        _checked(Module(path, triplet, ranks[path], _scale(source, path, triplet.rank, scale), known.get(path)))
        for path, triplet in triplets.items()
    )
    counts = Counter(ranks.values())
    r = max(counts, key=lambda rank: (counts[rank], rank))
    keys = pattern_keys(list(ranks)) if len(counts) > 1 else {}
    own = {keys[path]: rank for path, rank in ranks.items() if rank != r}
    config, dropped = lora_config(source, r=r, ranks=own, modules=list(ranks))
    companions, left = companions_in(folder, set(weights.files.values()))
    notes = _notes(source, modules, copied, known, scale)
    return Conversion(
        folder, layout, source, weights, modules, copied, config, tuple(dropped), companions, left, tuple(notes)
    )


def _scale(source: AdaLora, path: str, rank: int, scale: Scale) -> float:
    """Give what PEFT multiplies the product of a module's tensors with."""
    over = source.init_r + EPSILON
    if source.lora_alpha > 0:
        return source.lora_alpha / over
    is_resized = path in source.kept and scale is Scale.LOADED
    return (rank if is_resized else source.init_r) / over


def _checked(module: Module) -> Module:
    if module.kernel is not None:
        size, flat = prod(module.kernel), module.triplet.a.shape[1]
        if size == 0 or flat % size:
            height, width = module.kernel
            raise MigrationError(f"{module.path}: {flat} inputs cannot be those of a kernel of {height}x{width}")
    return module


def _notes(
    source: AdaLora,
    modules: Sequence[Module],
    copied: Mapping[str, Tensor],
    known: Mapping[str, Kernel],
    scale: Scale,
) -> list[Remark]:
    notes: list[Remark] = []
    if source.lora_alpha <= 0 and any(module.rank != source.init_r for module in modules):
        alpha = {"alpha": source.lora_alpha}
        if scale is Scale.LOADED:
            notes.append(
                Remark(
                    "lora_alpha is {alpha}: PEFT trained with scale 1 and loads with a smaller one, which was taken; "
                    "`--scale trained` takes 1.",
                    alpha,
                )
            )
        else:
            notes.append(
                Remark(
                    "lora_alpha is {alpha}: PEFT trained with scale 1, which was taken; it loads with a smaller one.",
                    alpha,
                )
            )
    if all(module.rank == 0 for module in modules):
        notes.append(Remark("No rank is left in any module: the adapter changes nothing."))
    named = [module.path for module in modules if "conv" in module.path.rpartition(".")[2] and module.path not in known]
    if named:
        notes.append(
            Remark(
                "{name} is taken for a linear layer; if it is a Conv2d, say so: `--kernel {name}=3x3` or `--base DIR`.",
                {"name": named[0]},
            )
        )
    if copied:
        notes.append(
            Remark(
                "Tensors that are no LoRA (bias, modules_to_save, tokens) are copied; few readers but PEFT use them."
            )
        )
    return notes
