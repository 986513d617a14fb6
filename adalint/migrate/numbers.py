"""Numbers of safetensors files as NumPy sees them: bytes to float64, and back with one rounding.

NumPy has no bfloat16, and ml_dtypes rounds float64 to it by way of float32, which is twice. It takes few lines to do it
once, so that NumPy alone suffices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

STORED: Final[Mapping[str, np.dtype[Any]]] = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype("<u2"),
}
"""How the bytes of each type are held; bfloat16 as the upper half of a float32."""

UNIT: Final[Mapping[str, float]] = {"F64": 2.0**-53, "F32": 2.0**-24, "F16": 2.0**-11, "BF16": 2.0**-8}
"""The relative error of one rounding, at most: half a unit in the last place."""


def widened(stored: NDArray[Any], dtype: str, out: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """Give numbers as float64, which loses nothing; in `out` when it is given."""
    if dtype == "BF16":
        stored = np.left_shift(stored, np.uint32(16), dtype=np.uint32).view(np.float32)
    if out is None:
        return stored.astype(np.float64)
    np.copyto(out, stored)
    return out


def narrowed(numbers: NDArray[np.float64], dtype: str, out: NDArray[Any] | None = None) -> NDArray[Any]:
    """Round float64 to a type, to the nearest and ties to even; what is too large becomes infinite."""
    if out is None:
        out = np.empty(numbers.shape, STORED[dtype])
    if dtype == "BF16":
        out[...] = _bfloat16(numbers)
    else:
        with np.errstate(over="ignore", under="ignore"):
            np.copyto(out, numbers, casting="same_kind")
    return out


def are_finite(stored: NDArray[Any], dtype: str) -> bool:
    """Tell whether none is infinite or no number."""
    if dtype == "BF16":
        return bool(((stored & 0x7F80) != 0x7F80).all())
    return bool(np.isfinite(stored).all())


def _bfloat16(numbers: NDArray[np.float64]) -> NDArray[Any]:
    """Round by way of float32 rounded to odd, which leaves the second rounding as the only one that counts.

    To odd: towards zero, and what was cut off is remembered in the last bit.
    """
    with np.errstate(over="ignore", under="ignore"):
        near = numbers.astype(np.float32)
    bits = near.view(np.uint32)
    lost = near - numbers  # exact where it is not 0, and infinite where near is
    is_away = (lost > 0) ^ np.signbit(near)
    inexact = lost != 0
    is_away &= inexact
    bits -= is_away
    bits |= inexact
    even = bits >> np.uint32(16)
    even &= np.uint32(1)
    bits += even
    bits += np.uint32(0x7FFF)
    bits >>= np.uint32(16)
    return bits
