"""The adapted network: frozen linear layers with a triplet (P, Λ, Q) on each, and gradients derived by hand."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

Array: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Triplets:
    """Views of one flat vector: for each module m of rank r what PEFT calls lora_A, lora_E and lora_B.

    `q` is (r, inputs), the right singular vectors; `e` is (r,), the diagonal of Λ; `p` is (outputs, r), the left
    singular vectors.
    """

    q: tuple[Array, ...]
    e: tuple[Array, ...]
    p: tuple[Array, ...]

    @classmethod
    def over(cls, flat: Array, ranks: Sequence[int], width: int) -> Triplets:
        """Cut a flat vector into all Q, then all Λ, then all P."""
        sizes = [rank * width for rank in ranks], list(ranks), [rank * width for rank in ranks]
        edges = list(accumulate((size for kind in sizes for size in kind), initial=0))
        parts = [flat[first:end] for first, end in pairwise(edges)]
        count = len(ranks)
        return cls(
            q=tuple(part.reshape(rank, width) for part, rank in zip(parts[:count], ranks, strict=True)),
            e=tuple(parts[count : 2 * count]),
            p=tuple(part.reshape(width, rank) for part, rank in zip(parts[2 * count :], ranks, strict=True)),
        )


class Adapter:
    """A stack of frozen linear layers W (width, width), and a triplet on each.

    A layer maps h (batch, width) to h Wᵀ + scale · ((h Qᵀ) ∘ e) Pᵀ (AdaLoRA equation 3 for rows). All trained numbers
    lie in `flat`, so that an optimizer and the averages of importance see one vector; `triplets` are views of it.
    """

    def __init__(self, weights: Sequence[Array], ranks: Sequence[int], scales: Sequence[float]) -> None:
        self.weights = tuple(weights)
        self.width = self.weights[0].shape[1]
        self.ranks = tuple(ranks)
        self.scales = tuple(scales)
        self.flat: Array = np.zeros(sum(ranks) * (2 * self.width + 1))
        self.triplets = Triplets.over(self.flat, self.ranks, self.width)
        first = sum(ranks) * self.width
        self.values: Array = self.flat[first : first + sum(ranks)]
        """All Λ one after the other, (sum of ranks,)."""
        self._edges = np.cumsum(self.ranks)[:-1]
        self._eyes = tuple(np.eye(rank) for rank in self.ranks)

    def forward(self, inputs: Array) -> Array:
        """Map (batch, width) to (batch, width)."""
        hidden = inputs
        for at, weight in enumerate(self.weights):
            q, e, p = self.triplets.q[at], self.triplets.e[at], self.triplets.p[at]
            hidden = hidden @ weight.T + (((hidden @ q.T) * e) @ p.T) * self.scales[at]
        return hidden

    def loss(self, inputs: Array, wanted: Array) -> float:
        """Compute the mean squared error, without penalty."""
        return float(np.square(self.forward(inputs) - wanted).mean())

    def backward(
        self,
        inputs: Array,
        wanted: Array,
        gradients: Array,
        *,
        penalty: float,
        share: float = 1.0,
        dropped: Sequence[Array] | None = None,
    ) -> float:
        """Add `share` times the gradient of loss + penalty to `gradients` (flat), and return that loss.

        With G (batch, width) the gradient at a layer's output, V = h Qᵀ (batch, r) and D = scale · G P (batch, r):
        dP = scale · Gᵀ (V ∘ e), de = Σ_batch D ∘ V, dQ = (D ∘ e)ᵀ h, dh = G W + (D ∘ e) Q. `dropped` are the factors of
        dropout for each layer's h, (batch, width), which touch the path of the adapter alone.
        """
        into = Triplets.over(gradients, self.ranks, self.width)
        seen, projected = [], []
        hidden = inputs
        for at, weight in enumerate(self.weights):
            q, e, p = self.triplets.q[at], self.triplets.e[at], self.triplets.p[at]
            adapted = hidden if dropped is None else hidden * dropped[at]
            inner = adapted @ q.T
            seen.append(adapted)
            projected.append(inner)
            hidden = hidden @ weight.T + ((inner * e) @ p.T) * self.scales[at]
        error = hidden - wanted
        loss = float(np.square(error).mean())
        flow = error * (2.0 * share / error.size)
        for at in reversed(range(len(self.weights))):
            q, e, p = self.triplets.q[at], self.triplets.e[at], self.triplets.p[at]
            adapted, inner = seen[at], projected[at]
            scaled = flow * self.scales[at]
            outer = scaled @ p
            into.p[at][...] += scaled.T @ (inner * e)
            into.e[at][...] += (outer * inner).sum(axis=0)
            outer *= e
            into.q[at][...] += outer.T @ adapted
            if at:
                back = outer @ q
                flow = flow @ self.weights[at] + (back if dropped is None else back * dropped[at])
        return loss + (self.penalise(into, penalty, share) if penalty else 0.0)

    def penalise(self, into: Triplets, weight: float, share: float = 1.0) -> float:
        """Return weight · mean(‖Q Qᵀ - I‖, ‖Pᵀ P - I‖) over all modules, adding `share` of its gradient.

        The paper squares the norms (its equation 4); PEFT's `AdaLoraModel.forward` does not and takes their mean. With
        C = Q Qᵀ - I the gradient of ‖C‖ is 2 C Q / ‖C‖, and with C = Pᵀ P - I it is 2 P C / ‖C‖; at ‖C‖ = 0 it is taken
        to be 0.
        """
        total = 0.0
        factor = weight / (2 * len(self.ranks))
        for eye, q, p, into_q, into_p in zip(self._eyes, self.triplets.q, self.triplets.p, into.q, into.p, strict=True):
            for columns, into_columns in ((q.T, into_q.T), (p, into_p)):
                away = columns.T @ columns - eye
                flat = away.ravel()
                norm = float(np.sqrt(flat @ flat))
                total += norm
                if norm:
                    into_columns[...] += (columns @ away) * (2.0 * share * factor / norm)
        return factor * total

    def split(self, per_triplet: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
        """Cut what is said of each triplet of all modules (sum of ranks,) into modules."""
        return np.split(per_triplet, self._edges)
