from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from typing import TYPE_CHECKING

import pytest
from peft import AdaLoraConfig
from schedules import CALL_PATTERNS, INITIAL_RANKS, LAST_STEPS, TARGET_RANKS, disagreements, grid, random_plans, windows

from adalint.trace import trace

if TYPE_CHECKING:
    from collections.abc import Callable

WORKERS = 2

pytestmark = pytest.mark.slow


def grid_share(worker: int) -> tuple[int, list[str]]:
    return disagreements(islice(grid(), worker, None, WORKERS))


def random_share(worker: int) -> tuple[int, list[str]]:
    return disagreements(random_plans(10_000 // WORKERS, seed=100 + worker))


def in_parallel(share: Callable[[int], tuple[int, list[str]]]) -> tuple[int, list[str]]:
    with ProcessPoolExecutor(WORKERS, get_context("spawn")) as pool:
        compared, differing = zip(*pool.map(share, range(WORKERS)), strict=True)
    return sum(compared), [each for found in differing for each in found]


def expected_windows() -> int:
    """Count the windows by asking AdaLoraConfig for every combination that the edges allow."""
    count = 0
    for total in LAST_STEPS:
        for tfinal in {*range(-1, 3), total - 1, total}:
            end = total - tfinal
            for tinit in {*range(-2, 3), end - 2, end - 1}:
                try:
                    AdaLoraConfig(total_step=total, tfinal=tfinal, tinit=tinit)
                except ValueError:
                    continue
                count += len({*range(-2, 4), end - tinit, end - tinit + 1, total + 1})
    return count


def test_every_small_schedule_in_every_loop_ends_in_peft_as_traced() -> None:
    expected = expected_windows() * len(INITIAL_RANKS) * len(TARGET_RANKS) * len(CALL_PATTERNS)
    start = time.perf_counter()
    compared, differing = in_parallel(grid_share)
    print(f"{compared} plans in {time.perf_counter() - start:.0f} s")
    assert differing[:5] == []
    assert compared == expected
    assert compared > 400_000


def test_ten_thousand_long_runs_end_in_peft_as_traced() -> None:
    start = time.perf_counter()
    compared, differing = in_parallel(random_share)
    print(f"{compared} plans in {time.perf_counter() - start:.0f} s")
    assert differing[:5] == []
    assert compared == 10_000


def test_the_grid_holds_every_ending() -> None:
    start = time.perf_counter()
    endings: Counter[str | None] = Counter()
    for plan in grid():
        endings[trace(plan).exception] += 1
    print(f"{1e6 * (time.perf_counter() - start) / endings.total():.1f} µs per plan and trace; {dict(endings)}")
    few = {None, "RuntimeError", "ZeroDivisionError", "TypeError", "KeyError", "AttributeError"}
    assert set(endings) == few
    assert min(endings.values()) > 500


def test_every_window_of_the_grid_is_constructible() -> None:
    for window in set(windows()):
        AdaLoraConfig(total_step=window.total_step, tfinal=window.tfinal, tinit=window.tinit, deltaT=window.deltaT)
