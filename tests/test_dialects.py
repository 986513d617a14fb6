"""Every framework's configuration, in force, not in force and broken, gets what the table beside the files says."""

from __future__ import annotations

import tomllib

import pytest
from commands import CHECKOUT

from adalint.dialects import FOLDER as RECORDS
from adalint.dialects import load
from adalint.engine import check_source
from adalint.readers import read_sites
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
    kinds = {".yaml", ".json", ".sh", ".py"}
    files = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.suffix in kinds}
    assert files == set(EXPECTED)


@pytest.mark.parametrize("path", sorted(RECORDS.glob("*.toml")), ids=lambda path: path.stem)
def test_each_dialect_has_a_file_in_force_one_that_is_not_and_a_broken_one(path):
    record = load(path)
    spoken = {}
    for name in EXPECTED:
        if name.startswith(f"{path.stem}/"):
            sites = read_sites(Source.decode(name, kind_of(name), (FOLDER / name).read_bytes()))
            spoken[name] = any(site.framework and site.framework.title == record.title for site in sites)
    assert any(spoken.values())
    assert any(not site and EXPECTED[name] == [] for name, site in spoken.items())
    if record.implementation == "peft":  # another's own AdaLoRA is not judged
        assert any(site and EXPECTED[name] for name, site in spoken.items())
