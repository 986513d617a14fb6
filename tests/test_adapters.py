"""Rules 5xx on adapters that PEFT trained and saved: exactly the right findings, and repairs that load identically."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from peft import PeftModel
from releases_env import TESTS, releases_folder
from safetensors.numpy import load_file, save_file
from train_adapter import KINDS, SCHEDULE, WORDS, base, save

from adalint.api import check_text
from adalint.engine import check_source, fix_source
from adalint.findings import Safety
from adalint.settings import Settings
from adalint.source import Kind, Source

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

EXPECTED = {
    "allocated": [],
    "never allocated": ["ADA501"],
    "stopped early": ["ADA503"],
    "emptied": ["ADA508"],
    "rank-0 modules": [],
}
"""What is wrong with each kind, by RULES.md."""

MODULES = 4
CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
EVERYTHING = Settings(pedantic=True, ignore=("ADA507",))
OLD = ("0.6.2", "0.9.0", "0.13.2", "0.15.2", "0.18.1")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adapters")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for kind in KINDS:
            save(kind, str(folder / kind))
    return folder


@pytest.fixture
def adapter(trained: Path, tmp_path: Path) -> Path:
    """Give a copy of a fully trained adapter, to be spoilt."""
    return shutil.copytree(trained / "allocated", tmp_path / "adapter")


def source_of(folder: Path) -> Source:
    path = folder / CONFIG
    return Source.decode(str(path), Kind.JSON, path.read_bytes())


def codes(folder: Path, settings: Settings = EVERYTHING) -> list[str]:
    return [finding.code for finding in check_source(source_of(folder), settings).findings]


def messages(folder: Path) -> str:
    return "\n".join(finding.message for finding in check_source(source_of(folder), EVERYTHING).findings)


def load(folder: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return PeftModel.from_pretrained(base(), folder).eval()


def logits(folder: Path) -> torch.Tensor:
    with torch.no_grad():
        said: torch.Tensor = load(folder)(input_ids=WORDS).logits
        return said


def edit(folder: Path, **fields: Any) -> None:
    """Change fields of the configuration; `...` deletes one."""
    path = folder / CONFIG
    config = {**json.loads(path.read_text()), **fields}
    path.write_text(json.dumps({name: value for name, value in config.items() if value is not ...}, indent=2))


def config_of(folder: Path) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((folder / CONFIG).read_text())
    return config


def kept(folder: Path) -> list[int]:
    return [sum(mask) for mask in (config_of(folder)["rank_pattern"] or {}).values()]


# ── what PEFT trained ────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_kinds_are_what_they_are_called(trained: Path) -> None:
    budget = SCHEDULE["target_r"] * MODULES
    assert sum(kept(trained / "allocated")) == budget
    assert kept(trained / "never allocated") == []
    assert sum(kept(trained / "stopped early")) > budget
    assert sum(kept(trained / "emptied")) == 0
    assert 0 in kept(trained / "rank-0 modules")
    assert sum(kept(trained / "rank-0 modules")) == MODULES


@pytest.mark.parametrize("kind", KINDS)
def test_a_trained_adapter_gets_exactly_what_is_wrong_with_it(trained: Path, kind: str) -> None:
    assert codes(trained / kind) == EXPECTED[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_every_adapter_is_told_to_be_not_servable_where_that_is_asked_for(trained: Path, kind: str) -> None:
    found = check_source(source_of(trained / kind), Settings(select=("ADA507",))).findings
    assert [(one.code, [fix.edits for fix in one.fixes]) for one in found] == [("ADA507", [()])]


@pytest.mark.parametrize(
    ("release", "told"), [("0.7.1", []), ("0.8.2", ["ADA506"]), ("0.9.0", ["ADA506"]), ("0.10.0", [])]
)
def test_a_module_without_ranks_is_a_matter_of_two_releases(trained: Path, release: str, told: list[str]) -> None:
    settings = Settings(select=("ADA506",), target_peft=release)
    assert codes(trained / "rank-0 modules", settings) == told
    assert codes(trained / "allocated", settings) == []


# ── ADA502: repaired, and loaded ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "spoilt",
    [
        {"total_step": None},
        {"total_step": ...},
        {"total_step": 0},
        {"total_step": -3},
        {"total_step": 5},
        {"total_step": 4},
        {"total_step": None, "tinit": 0, "tfinal": 0},
        {"total_step": None, "tinit": -4},
        {"total_step": 3, "tinit": 6, "tfinal": -3},
    ],
)
def test_a_schedule_that_is_refused_is_repaired_and_loads_identically(adapter: Path, spoilt: dict[str, Any]) -> None:
    before = logits(adapter)
    edit(adapter, **spoilt)
    with pytest.raises(ValueError, match=r"total_step|schedule"):
        load(adapter)
    run = {name: value for name, value in config_of(adapter).items() if name != "total_step"}
    fixed = fix_source(source_of(adapter), EVERYTHING, Safety.SAFE)
    assert [applied.finding.code for applied in fixed.applied] == ["ADA502"]
    (adapter / CONFIG).write_bytes(fixed.after.encode())
    assert torch.equal(logits(adapter), before)
    assert {name: value for name, value in config_of(adapter).items() if name != "total_step"} == run
    assert codes(adapter) == []


@pytest.mark.parametrize(
    "innocent", [{"total_step": 6}, {"total_step": 1, "tinit": 0, "tfinal": 0}, {"tinit": -4, "total_step": 2}]
)
def test_a_schedule_that_is_accepted_is_left_alone(adapter: Path, innocent: dict[str, Any]) -> None:
    edit(adapter, **innocent)
    load(adapter)
    assert codes(adapter) == []


def test_releases_before_the_check_load_it(adapter: Path) -> None:
    edit(adapter, total_step=None)
    assert codes(adapter, Settings(select=("ADA502",), target_peft="0.14.0")) == []


# ── ADA504 and ADA505 ────────────────────────────────────────────────────────────────────────────────────────────────


def first_mask(folder: Path) -> tuple[str, list[bool]]:
    return next(iter(config_of(folder)["rank_pattern"].items()))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda mask: [int(one) for one in mask],
        lambda mask: [float(one) for one in mask],
        lambda mask: [str(one) for one in mask],
        lambda mask: mask[:-1],
        lambda mask: [*mask, False],
        lambda mask: None,
        lambda mask: 2,
        lambda mask: {},
        lambda mask: "true",
    ],
)
def test_a_mask_that_cannot_be_applied_is_told_and_does_not_load(
    adapter: Path, spoil: Callable[[list[bool]], Any]
) -> None:
    key, mask = first_mask(adapter)
    edit(adapter, rank_pattern={**config_of(adapter)["rank_pattern"], key: spoil(mask)})
    with pytest.raises((RuntimeError, TypeError, IndexError)):
        load(adapter)
    assert codes(adapter) == ["ADA504"]


@pytest.mark.parametrize("spoilt", [{"init_r": 8}, {"init_r": ...}, {"rank_pattern": [True]}, {"rank_pattern": "x"}])
def test_an_edited_rank_is_told_and_does_not_load(adapter: Path, spoilt: dict[str, Any]) -> None:
    edit(adapter, **spoilt)
    with pytest.raises((IndexError, AttributeError)):
        load(adapter)
    assert codes(adapter) == ["ADA504"]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda pattern, key: {name: mask for name, mask in pattern.items() if name != key}, ["ADA505"]),
        (lambda pattern, key: None, ["ADA501", "ADA505"]),
        (lambda pattern, key: {}, ["ADA501", "ADA505"]),
    ],
)
def test_masks_of_another_adapter_are_told_and_do_not_load(
    adapter: Path, spoil: Callable[[dict[str, Any], str], Any], told: list[str]
) -> None:
    key, _ = first_mask(adapter)
    edit(adapter, rank_pattern=spoil(config_of(adapter)["rank_pattern"], key))
    with pytest.raises(RuntimeError, match="size mismatch"):
        load(adapter)
    assert codes(adapter) == told


def test_weights_of_another_adapter_are_told_and_do_not_load(adapter: Path, trained: Path) -> None:
    shutil.copy(trained / "never allocated" / WEIGHTS, adapter / WEIGHTS)
    with pytest.raises(RuntimeError, match="size mismatch"):
        load(adapter)
    assert codes(adapter) == ["ADA505"]
    assert WEIGHTS in messages(adapter)


def test_shards_are_read(adapter: Path, trained: Path) -> None:
    tensors = load_file(trained / "never allocated" / WEIGHTS)
    names = sorted(tensors)
    (adapter / WEIGHTS).unlink()
    places = {}
    for number, part in enumerate((names[::2], names[1::2]), start=1):
        shard = f"adapter_model-0000{number}-of-00002.safetensors"
        save_file({name: tensors[name] for name in part}, adapter / shard)
        places |= dict.fromkeys(part, shard)
    index = adapter / f"{WEIGHTS}.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": places}))
    assert codes(adapter) == ["ADA505"]
    assert "-of-00002" in messages(adapter)
    index.write_text(json.dumps({"weight_map": {"x": "../../elsewhere.safetensors"}}))
    assert codes(adapter) == []


def test_a_snapshot_in_a_cache_is_read_through_its_links(adapter: Path, trained: Path, tmp_path: Path) -> None:
    cache = tmp_path / "models--x--y"
    snapshot = cache / "snapshots" / "0a1b"
    snapshot.mkdir(parents=True)
    (cache / "blobs").mkdir()
    for name, origin in ((CONFIG, adapter), (WEIGHTS, trained / "never allocated")):
        shutil.copy(origin / name, cache / "blobs" / f"blob-{name}")
        (snapshot / name).symlink_to(os.path.join("..", "..", "blobs", f"blob-{name}"))
    assert codes(snapshot) == ["ADA505"]
    (cache / "blobs" / f"blob-{WEIGHTS}").unlink()
    assert codes(snapshot) == []


# ── weights that say nothing ─────────────────────────────────────────────────────────────────────────────────────────


def _pointer(path: Path) -> None:
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n")


def _oversized(path: Path) -> None:
    path.write_bytes((100_000_001).to_bytes(8, "little") + b"{}")


def _longer_than_the_file(path: Path) -> None:
    path.write_bytes((5_000).to_bytes(8, "little") + b"{}")


def _no_json(path: Path) -> None:
    path.write_bytes((4).to_bytes(8, "little") + b"\xff\xfe{}")


def _cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def _fifo(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("spoil", [_pointer, _oversized, _longer_than_the_file, _no_json, _cut_short, _fifo, os.unlink])
def test_weights_that_cannot_be_read_say_nothing(adapter: Path, trained: Path, spoil: Callable[[Path], None]) -> None:
    shutil.copy(trained / "never allocated" / WEIGHTS, adapter / WEIGHTS)
    assert codes(adapter) == ["ADA505"]
    spoil(adapter / WEIGHTS)
    assert codes(adapter) == []


class _Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, ("exploded",))


def test_a_pickle_is_never_opened(adapter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(adapter)
    (adapter / WEIGHTS).unlink()
    torch.save(_Bomb(), adapter / "adapter_model.bin")
    assert codes(adapter) == []
    assert not (adapter / "exploded").exists()


def test_a_text_without_a_file_looks_at_no_weights(adapter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (adapter / CONFIG).read_text()
    save_file({"base_model.model.x.lora_E": np.ones((9, 1))}, adapter / WEIGHTS)
    assert codes(adapter) == ["ADA505"]
    (adapter / CONFIG).unlink()
    monkeypatch.chdir(adapter)
    report = check_text(text, filename=CONFIG, settings=EVERYTHING)
    assert report.findings == ()


def test_a_config_that_is_a_git_lfs_pointer_is_in_peace(adapter: Path) -> None:
    _pointer(adapter / CONFIG)
    assert codes(adapter) == []


# ── older releases ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
@pytest.mark.parametrize("release", OLD)
def test_adapters_of_older_releases_get_exactly_what_is_wrong_with_them(
    release: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    assert request.config.cache is not None
    root = request.config.cache.mkdir("peft-releases")
    path = os.pathsep.join(map(str, (*releases_folder(root, release), TESTS)))
    command = [sys.executable, str(TESTS / "train_adapter.py"), str(tmp_path)]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for number, kind in enumerate(KINDS):
        folder = tmp_path / str(number)
        assert codes(folder) == EXPECTED[kind], (release, kind)
        loaded = logits(folder)
        edit(folder, total_step=None)
        with pytest.raises(ValueError, match="total_step"):
            load(folder)
        fixed = fix_source(source_of(folder), EVERYTHING, Safety.SAFE)
        (folder / CONFIG).write_bytes(fixed.after.encode())
        assert torch.equal(logits(folder), loaded)
