"""Every framework's configuration, in force, not in force and broken, gets what the table beside the files says."""

from __future__ import annotations

import tomllib

import pytest
from commands import CHECKOUT

from adalint import dialects
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


# What a record says is seen in its files


def readings(folder):
    """Give what is read of a record's files: the values, and what is told of the keys."""
    return [
        (name, [(site.values, site.framework and site.framework.renamed) for site in read_sites(source_of(name))])
        for name in EXPECTED
        if name.startswith(f"{folder}/")
    ]


def source_of(name):
    path = FOLDER / name
    return Source.decode(str(path), kind_of(name), path.read_bytes())


def without_each(record):
    """Give a record without one of the things that only a file of the right kind shows, each with its name."""
    if record.cli is not None and record.cli.hyphens:
        yield "cli.hyphens", {"cli": record.cli.model_copy(update={"hyphens": False})}
    if record.total_step is not None and record.total_step.key and record.implementation == "peft":
        yield "total-step.key", {"total_step": record.total_step.model_copy(update={"key": None})}
    for key, targets in record.keys.items():
        for number, target in enumerate(targets):
            if target.value is not None:
                yield f"keys.{key}.{number}", {"keys": {**record.keys, key: targets[:number] + targets[number + 1 :]}}


CHANGED = [
    pytest.param(path, changed, id=f"{path.stem}:{name}")
    for path in sorted(RECORDS.glob("*.toml"))
    for name, changed in without_each(load(path))
]


@pytest.mark.parametrize(("path", "changed"), CHANGED)
def test_what_a_record_says_makes_a_difference_to_one_of_its_files(path, changed, monkeypatch):
    before = readings(path.stem)
    less = load(path).model_copy(update=changed)
    monkeypatch.setattr(dialects, "load", lambda other: less if other == path else load(other))
    is_seen = readings(path.stem) != before
    assert is_seen, f"no file of fixtures/dialects/{path.stem}/ shows it: add it to one that is in force"
