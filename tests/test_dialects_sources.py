"""What records claim of frameworks that are too heavy to run is looked up in the sources that PyPI has."""

from __future__ import annotations

import ast
import subprocess
import sys
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from adalint.dialects import records

if TYPE_CHECKING:
    from pathlib import Path

RECORDS = {record.title: record for record in records()}
SOURCES = {
    "ms-swift": "ms-swift==4.6.0",
    "Ludwig": "ludwig==0.11.0",
    "optimum-habana": "optimum-habana==1.21.2",
    "textgen": "textgen==1.1.1",
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


def defaults_in(text: str, name: str) -> dict[str, object]:
    """Read the defaults of a dataclass, `key: type = default` and `field(default=…)`."""
    [found] = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ClassDef) and node.name == name]
    values = {}
    for node in found.body:
        if not isinstance(node, ast.AnnAssign) or node.value is None:
            continue
        value = node.value
        if isinstance(value, ast.Call):
            value = next((one.value for one in value.keywords if one.arg == "default"), None)
        if isinstance(value, ast.Constant):
            values[node.target.id] = value.value
    return values


@pytest.mark.slow
@pytest.mark.parametrize("title", ["ms-swift", "Ludwig", "optimum-habana", "textgen"])
def test_who_calls_the_allocator_is_who_the_record_says(folder, title):
    calls = [name for name, text in texts_of(folder, SOURCES[title]).items() if CALL in text]
    assert bool(calls) == (RECORDS[title].driver.who == "framework")


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


@pytest.mark.slow
def test_the_defaults_of_textgen_are_those_of_the_record(folder):
    [text] = [
        text for name, text in texts_of(folder, SOURCES["textgen"]).items() if name.endswith("config/model_args.py")
    ]
    record = RECORDS["textgen"]
    classes = [node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ClassDef)]
    [defaults] = [found for name in classes if "adalora_init_r" in (found := defaults_in(text, name))]
    told = {target.to[0]: defaults[key] for key, [target] in record.keys.items() if key in defaults}
    assert {**told, "task_type": "CAUSAL_LM"}.items() >= record.defaults.items()


def test_trl_makes_a_lora_config_of_its_command_line():
    import inspect

    from trl import ModelConfig, get_peft_config

    config = get_peft_config(ModelConfig(use_peft=True))
    assert type(config).__name__ == "LoraConfig"
    assert not [name for name in inspect.signature(ModelConfig).parameters if "adalora" in name or name == "peft_type"]
