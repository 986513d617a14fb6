"""Adapters that other releases of PEFT have saved, converted, and given back to those releases."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from typing import TYPE_CHECKING

import pytest
import torch
from adapter_runs import base, logits
from commands import run
from peft import PeftModel
from releases_env import TESTS, releases_folder
from safetensors.torch import load_file, save_file

if TYPE_CHECKING:
    from pathlib import Path

RELEASES = ("0.6.2", "0.9.0", "0.12.0", "0.13.2", "0.15.2", "0.19.1")
LAYOUTS = ("uniform", "pattern")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def path(request: pytest.FixtureRequest, release: str) -> str:
    assert request.config.cache is not None
    root = request.config.cache.mkdir("peft-releases")
    return os.pathsep.join(map(str, (*releases_folder(root, release), TESTS.parent)))


@pytest.fixture(scope="module")
def adapter(path: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adapter") / "adalora"
    in_release(path, "train", folder)
    for layout in LAYOUTS:
        convert(folder, folder.parent / layout, layout)
    return folder


def in_release(path: str, *arguments: str | Path) -> str:
    command = [sys.executable, str(TESTS / "release_adapters.py"), *map(str, arguments)]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def convert(source: Path, target: Path, layout: str) -> None:
    done = run("migrate", "adalora-to-lora", str(source), "-o", str(target), "--layout", layout, "--write")
    assert done.exit_code == 0, done.output


def test_the_release_gets_the_same_answers_from_both_layouts(release: str, path: str, adapter: Path) -> None:
    folders = [adapter, *(adapter.parent / layout for layout in LAYOUTS)]
    ran, answers = json.loads(in_release(path, "ask", *folders).splitlines()[-1])
    said, *converted = map(torch.tensor, answers)
    departures = [(one - said).abs().max().item() for one in converted]
    assert ran == release
    assert (said - logits(base().eval())).abs().max() > 1e-2
    assert max(departures) < 1e-5


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_newest_release_gets_the_same_answers_to_the_last_digits(
    adapter: Path, layout: str, tmp_path: Path
) -> None:
    wide = tmp_path / "wide"
    wide.mkdir()
    (wide / "adapter_config.json").write_bytes((adapter / "adapter_config.json").read_bytes())
    tensors = load_file(adapter / "adapter_model.safetensors")
    save_file({name: one.double() for name, one in tensors.items()}, wide / "adapter_model.safetensors")
    convert(wide, tmp_path / "lora", layout)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before, after = (deltas(PeftModel.from_pretrained(base().double(), one)) for one in (wide, tmp_path / "lora"))
    assert before.keys() == after.keys() != set()
    assert max((after[name] - before[name]).abs().max().item() for name in before) < 1e-12


def deltas(model: PeftModel) -> dict[str, torch.Tensor]:
    found = ((name, one) for name, one in model.named_modules() if hasattr(one, "get_delta_weight"))
    return {name: one.get_delta_weight("default").detach() for name, one in found}
