"""How far two names are from each other."""

from __future__ import annotations


def edit_distance(left: str, right: str, limit: int) -> int:
    """Count insertions, deletions, substitutions and swaps of neighbours (restricted Damerau-Levenshtein distance).

    Gives `limit + 1` as soon as the distance is known to be greater than `limit`.
    """
    if abs(len(left) - len(right)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        older, before, row = before, row, [i]
        for j, b in enumerate(right, 1):
            distance = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and b == left[i - 2]:
                distance = min(distance, older[j - 2] + 1)
            row.append(distance)
        # A swap reaches two rows back, so one far row alone proves nothing.
        if min(row) > limit and min(before) > limit:
            return limit + 1
    return min(row[-1], limit + 1)
