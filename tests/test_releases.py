from __future__ import annotations

import subprocess
import sys

import peft
import pytest
from packaging.specifiers import InvalidSpecifier
from packaging.version import Version

from adalint.releases import KNOWN, NEWEST, in_range, is_known, newest_allowed


def test_the_newest_known_release_is_the_one_that_the_tests_run() -> None:
    assert peft.__version__ == NEWEST


def test_known_releases_are_in_order_and_distinct() -> None:
    assert list(KNOWN) == sorted(set(KNOWN), key=Version)
    assert len(KNOWN) == 34


@pytest.mark.parametrize(
    ("release", "spec", "expected"),
    [
        ("0.15.0", ">=0.15", True),
        ("0.14.0", ">=0.15", False),
        ("0.9.0", ">=0.10", False),
        ("0.13.2", ">=0.11,<0.14", True),
        ("0.14.0", ">=0.11,<0.14", False),
        ("0.16.0rc1", ">=0.15", True),
        ("0.3.0", "", True),
    ],
)
def test_a_release_lies_in_a_range(release: str, spec: str, *, expected: bool) -> None:
    assert in_range(release, spec) is expected


@pytest.mark.parametrize("release", ["0.99.0", "7", "main", "", "git+https://github.com/huggingface/peft"])
def test_a_release_that_is_newer_or_unreadable_is_judged_as_the_newest(release: str) -> None:
    assert not is_known(release)
    assert in_range(release, f"=={NEWEST}")


def test_a_malformed_range_is_an_error_of_ours() -> None:
    with pytest.raises(InvalidSpecifier):
        in_range(NEWEST, "from 0.15")


@pytest.mark.parametrize(
    ("pin", "expected"),
    [
        ("==0.14.0", "0.14.0"),
        ("<0.15", "0.14.0"),
        (">=0.11,<0.13", "0.12.0"),
        ("~=0.15.0", "0.15.2"),
        (">=0.5", NEWEST),
        ("", NEWEST),
        (">=1.0", None),
        ("==latest", None),
    ],
)
def test_a_pin_counts_as_its_newest_allowed_release(pin: str, expected: str | None) -> None:
    assert newest_allowed(pin) == expected


def test_importing_it_loads_no_other_package() -> None:
    code = "import sys, adalint.releases; print(sorted(m for m in sys.modules if m.split('.')[0] == 'packaging'))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
