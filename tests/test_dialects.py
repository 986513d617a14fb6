"""Every framework's configuration, in force, not in force and broken, gets what the table beside the files says."""

from __future__ import annotations

import tomllib

import pytest
from commands import CHECKOUT

from adalint.engine import check_source
from adalint.settings import Settings
from adalint.source import Source, kind_of

FOLDER = CHECKOUT / "fixtures" / "dialects"
EXPECTED = tomllib.loads((FOLDER / "expected.toml").read_text(encoding="utf-8"))


def report_of(name):
    path = FOLDER / name
    return check_source(Source.decode(str(path), kind_of(name), path.read_bytes()), Settings())


@pytest.mark.parametrize("name", EXPECTED)
def test_a_file_gets_what_the_table_says(name):
    report = report_of(name)
    found = [f"{one.code}@{report.source.row_of(one.span.start)}" for one in report.findings]
    assert sorted(found) == sorted(EXPECTED[name])


def test_the_table_has_every_file():
    files = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.suffix in {".yaml", ".json"}}
    assert files == set(EXPECTED)
