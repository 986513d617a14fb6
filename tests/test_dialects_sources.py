"""What records claim of frameworks that are too heavy to run is looked up in the sources that PyPI has."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest
from packaging.specifiers import SpecifierSet

from adalint.dialects import records

if TYPE_CHECKING:
    from pathlib import Path

RECORDS = {record.title: record for record in records()}
SOURCES = {
    "ms-swift": "ms-swift==4.6.0",
    "Ludwig": "ludwig==0.11.0",
    "optimum-habana": "optimum-habana==1.21.2",
    "textgen": "textgen==1.1.1",
    "deep_training": "deep-training==0.3.0",
    "LLaMA-Factory": "llamafactory==0.9.5",
}
CALL = "update_and_allocate"
LADDER = {"3.0": ("2.6.1", "3.0.0"), "4.1": ("4.0.4", "4.1.0")}
"""The last release before options of ms-swift went, and the first without them."""

RUNGS = [(one, release) for one in RECORDS["ms-swift"].renamed for release in LADDER[one.gone]]


@pytest.fixture(scope="module")
def folder(request):
    return request.config.cache.mkdir("framework-sources")


def texts_of(folder: Path, requirement: str) -> dict[str, str]:
    """Give the Python files of a release, fetched from PyPI when they are not there."""
    place = folder / requirement
    if not place.is_dir():
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(place), requirement]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    [archive] = place.iterdir()
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as opened:
            return {name: opened.read(name).decode() for name in opened.namelist() if name.endswith(".py")}
    with tarfile.open(archive) as opened:
        members = [one for one in opened.getmembers() if one.name.endswith(".py") and "/tests/" not in one.name]
        return {one.name: opened.extractfile(one).read().decode() for one in members}


@pytest.mark.slow
@pytest.mark.parametrize("title", ["ms-swift", "Ludwig", "optimum-habana", "textgen"])
def test_who_calls_the_allocator_is_who_the_record_says(folder, title):
    calls = [name for name, text in texts_of(folder, SOURCES[title]).items() if CALL in text]
    assert bool(calls) == (RECORDS[title].driver.who == "framework")


@pytest.mark.slow
def test_the_method_that_allocates_in_deep_training_is_called_by_itself_alone(folder):
    trees = [ast.parse(text) for text in texts_of(folder, SOURCES["deep_training"]).values() if CALL in text]
    callers = {
        around.name
        for tree in trees
        for around in ast.walk(tree)
        if isinstance(around, ast.FunctionDef)
        for node in ast.walk(around)
        if isinstance(node, ast.Attribute) and node.attr == CALL
    }
    assert callers == {CALL}
    assert RECORDS["deep_training"].driver.who == "nobody"


def names_asked_of_peft(text: str) -> set[str]:
    nodes = [node for node in ast.parse(text).body if isinstance(node, ast.ImportFrom) and node.module == "peft"]
    return {alias.name for node in nodes for alias in node.names}


@pytest.mark.slow
@pytest.mark.parametrize(("release", "works"), [("0.9.0", True), ("0.10.0", False)])
def test_textgen_can_be_imported_with_no_newer_peft_than_its_record_says(folder, release, works):
    [asking] = [
        text for name, text in texts_of(folder, SOURCES["textgen"]).items() if name.endswith("gpt/gpt_model.py")
    ]
    exported = texts_of(folder, f"peft=={release}")["peft/__init__.py"]
    given = {node.name for node in ast.walk(ast.parse(exported)) if isinstance(node, ast.alias)}
    assert (names_asked_of_peft(asking) <= given) == works
    assert (release in SpecifierSet(RECORDS["textgen"].peft)) == works


CLAIMS = [
    pytest.param(title, claim, id=f"{title}: {claim.what[:40]}")
    for title, requirement in SOURCES.items()
    for claim in RECORDS[title].source
    if claim.release.partition(",")[0] == requirement.partition("==")[2] and ".py" in claim.where
]


@pytest.mark.slow
@pytest.mark.parametrize(("title", "claim"), CLAIMS)
def test_what_a_record_points_at_is_in_the_release_that_it_names(folder, title, claim):
    texts = texts_of(folder, SOURCES[title])
    for place in claim.where.split(";"):
        for path in re.findall(r"[\w/]+\.py", place.replace("src/", "")):
            [text] = [text for name, text in texts.items() if f"/{name}".endswith(f"/{path}")]
            for first, last in re.findall(r"(\d+)-(\d+)", place):
                assert "adalora" in "\n".join(text.splitlines()[int(first) - 1 : int(last)]).lower()
            for name in re.findall(r"\b[A-Z]\w+(?=[,. ]|$)", place.partition(".py")[2]):
                assert name in text


@pytest.mark.slow
def test_llama_factory_has_no_adalora_and_refuses_what_it_does_not_know(folder):
    texts = texts_of(folder, SOURCES["LLaMA-Factory"])
    [arguments] = [text for name, text in texts.items() if name.endswith("hparams/finetuning_args.py")]
    assert 'finetuning_type: Literal["lora", "oft", "freeze", "full"]' in arguments
    assert not [name for name, text in texts.items() if "adalora" in text.lower()]
    [parser] = [text for name, text in texts.items() if name.endswith("hparams/parser.py")]
    assert "unknown_args" in parser
    assert "raise ValueError" in parser


def options_in(texts: dict[str, str]) -> set[str]:
    """Name what the dataclasses of training arguments take; Megatron and the web interface have their own."""
    trees = [
        ast.parse(text)
        for name, text in texts.items()
        if "/llm/" in name or "/arguments/" in name or "argument" in name
    ]
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    arguments = [one for one in classes if one.name.endswith("Arguments") and "Megatron" not in one.name]
    return {node.target.id for one in arguments for node in one.body if isinstance(node, ast.AnnAssign)}


@pytest.mark.slow
@pytest.mark.parametrize(("renaming", "release"), RUNGS, ids=lambda one: getattr(one, "key", one))
def test_an_option_of_ms_swift_is_there_until_the_release_in_which_it_is_gone(folder, renaming, release):
    before, _ = LADDER[renaming.gone]
    options = options_in(texts_of(folder, f"ms-swift=={release}"))
    assert (renaming.key in options) == (release == before)
    assert renaming.to in options or release == before


@pytest.mark.slow
def test_megatron_swift_takes_no_adalora(folder):
    [text] = [
        text
        for name, text in texts_of(folder, SOURCES["ms-swift"]).items()
        if name.endswith("swift/megatron/arguments/megatron_args.py")
    ]
    assert "tuner_type: Literal['lora', 'full', 'lora_llm']" in text


def test_trl_makes_a_lora_config_of_its_command_line():
    import inspect

    from trl import ModelConfig, get_peft_config

    config = get_peft_config(ModelConfig(use_peft=True))
    assert type(config).__name__ == "LoraConfig"
    assert not [name for name in inspect.signature(ModelConfig).parameters if "adalora" in name or name == "peft_type"]
