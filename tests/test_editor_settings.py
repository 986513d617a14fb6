"""What editors can set: the server, the page for users and the extension for VS Code name the same."""

from __future__ import annotations

import json
import re

import pytest
from commands import CHECKOUT

from adalint import __version__
from adalint.lsp.options import DEBOUNCE, KEYS, debounce_of, flags_of
from adalint.settings import LANGUAGES

EXTENSION = CHECKOUT / "editors" / "vscode"
OPTIONS = {*KEYS, "debounce"}
OWN = {"enable", "path", "trace.server"}
"""Settings that are about the extension itself."""

MANIFEST = json.loads((EXTENSION / "package.json").read_text(encoding="utf-8"))
SETTINGS = {
    name.removeprefix("adalint."): setting
    for name, setting in MANIFEST["contributes"]["configuration"]["properties"].items()
}
EXAMPLES = {"array": ["ADA102"], "boolean": True, "string": "0.15.2", "number": DEBOUNCE}


def named_in(text, heading):
    """Name what stands in the first column of the table under a heading, between backticks."""
    section = text.partition(heading)[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]*) \|", section, re.MULTILINE)
    return {name.removeprefix("adalint.") for row in rows for name in re.findall(r"`([^`]+)`", row)}


def test_the_page_names_each_option_of_the_server():
    page = (CHECKOUT / "docs" / "editors.md").read_text(encoding="utf-8")
    assert named_in(page, "\n## What an editor can set\n") == OPTIONS


def test_the_extension_has_each_option_of_the_server():
    assert set(SETTINGS) == OPTIONS | OWN


def test_the_readme_of_the_extension_names_each_setting():
    assert named_in((EXTENSION / "README.md").read_text(encoding="utf-8"), "\n## Settings\n") == OPTIONS | OWN


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_a_setting_that_nobody_sets_leaves_the_word_to_the_files(name):
    assert SETTINGS[name]["default"] is None


@pytest.mark.parametrize("name", sorted(KEYS))
def test_the_server_takes_values_of_the_type_that_the_extension_allows(name):
    [kind] = [one for one in SETTINGS[name]["type"] if one != "null"]
    value = SETTINGS[name].get("enum", [EXAMPLES[kind]])[0]
    flags, complaints = flags_of({name: value}, None)
    assert complaints == []
    assert flags != flags_of({}, None)[0]


def test_the_bounds_of_the_pause_are_the_server_s():
    least, most = SETTINGS["debounce"]["minimum"], SETTINGS["debounce"]["maximum"]
    assert [debounce_of({"debounce": one}) for one in (least, most)] == [least / 1000, most / 1000]
    assert debounce_of({"debounce": most + 1}) is None


def test_the_extension_offers_the_languages_of_messages():
    assert set(SETTINGS["lang"]["enum"]) == {*LANGUAGES, None}


def test_the_extension_has_the_release_and_the_licence_of_adalint():
    assert MANIFEST["version"] == __version__
    assert (EXTENSION / "LICENSE").read_bytes() == (CHECKOUT / "LICENSE").read_bytes()


def test_what_the_extension_is_built_with_comes_from_the_public_registry():
    lock = json.loads((EXTENSION / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages
    for name, package in packages.items():
        assert package["resolved"].startswith("https://registry.npmjs.org/"), name
        assert package["integrity"].startswith("sha512-"), name
