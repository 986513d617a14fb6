"""`adalint migrate adalora-to-lora` on adapters that PEFT has trained, loaded by PEFT again."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
import torch
from commands import run
from peft import PeftModel, get_peft_model_state_dict, load_peft_weights
from peft.tuners.lora import LoraLayer
from safetensors.torch import save_file
from saved_adapters import KINDS, QUICK

if TYPE_CHECKING:
    from pathlib import Path

    from saved_adapters import Kind

LAYOUTS = ("uniform", "pattern")


@dataclass(frozen=True)
class Saved:
    """An adapter on disk, what it says when PEFT has loaded it, and what it became in each layout."""

    kind: Kind
    folder: Path
    said: torch.Tensor
    lora: dict[str, Path]
    loaded: dict[str, Any]
    """The same, loaded by PEFT."""


def convert(kind: Kind, folder: Path, *options: str) -> Path:
    target = folder.parent / f"{folder.name} as lora {' '.join(options)}"
    done = run("migrate", "adalora-to-lora", str(folder), "-o", str(target), "--write", *kind.options, *options)
    assert done.exit_code == 0, done.output
    return target


@pytest.fixture(
    scope="module", params=[one if one in QUICK else pytest.param(one, marks=pytest.mark.slow) for one in KINDS]
)
def saved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Saved:
    kind = KINDS[request.param]
    folder = tmp_path_factory.mktemp("adapter") / "adalora"
    kind.save(folder)
    lora = {layout: convert(kind, folder, "--layout", layout) for layout in LAYOUTS}
    loaded = {layout: loaded_without_a_warning(kind, target) for layout, target in lora.items()}
    return Saved(kind, folder, kind.said(kind.loaded(folder)), lora, loaded)


def loaded_without_a_warning(kind: Kind, folder: Path) -> Any:
    base = kind.model()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated")
        return PeftModel.from_pretrained(base, folder).eval()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_lora_adapter_says_what_the_adalora_adapter_says(saved: Saved, layout: str) -> None:
    says = saved.kind.said(saved.loaded[layout])
    assert says.dtype == torch.float64
    assert (says - saved.said).abs().max() <= 1e-12


def test_the_adalora_adapter_says_something_of_its_own(saved: Saved) -> None:
    departure = (saved.said - saved.kind.said(saved.kind.model().eval())).abs().max()
    assert departure > 1e-2 or (saved.kind.emptied == ("",) and departure == 0)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_was_written_is_all_that_peft_would_save_of_it(saved: Saved, layout: str) -> None:
    written = load_peft_weights(str(saved.lora[layout]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        again = get_peft_model_state_dict(saved.loaded[layout])
    assert written.keys() == again.keys()
    assert all(torch.equal(one, again[name]) for name, one in written.items())


def test_the_uniform_layout_has_one_rank_and_no_pattern(saved: Saved) -> None:
    config = json.loads((saved.lora["uniform"] / "adapter_config.json").read_text())
    shapes = {name: one.shape for name, one in load_peft_weights(str(saved.lora["uniform"])).items()}
    assert config["lora_alpha"] == config["r"]
    assert {"rank_pattern", "alpha_pattern"} & set(config) == set()
    assert {shape[0] for name, shape in shapes.items() if ".lora_A." in name} == {config["r"]}
    assert {shape[1] for name, shape in shapes.items() if ".lora_B." in name} == {config["r"]}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_peft_gives_every_module_a_scale_of_one(saved: Saved, layout: str) -> None:
    scales = [one.scaling["default"] for one in saved.loaded[layout].modules() if isinstance(one, LoraLayer)]
    assert scales == [1.0] * len(scales) != []


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, pytest.param(torch.float16, marks=pytest.mark.slow)])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_type_of_the_numbers_is_kept(tmp_path: Path, dtype: torch.dtype, layout: str) -> None:
    kind = KINDS["rank 0"]
    kind.save(tmp_path / "wide")
    tensors = load_peft_weights(str(tmp_path / "wide"))
    retyped(tmp_path / "wide", tmp_path / "narrow", {name: one.to(dtype) for name, one in tensors.items()})
    target = convert(kind, tmp_path / "narrow", "--layout", layout)
    assert {one.dtype for one in load_peft_weights(str(target)).values()} == {dtype}
    before, after = kind.said(kind.loaded(tmp_path / "narrow")), kind.said(kind.loaded(target))
    assert 0 < (after - before).abs().max() <= 20 * torch.finfo(dtype).eps


@pytest.mark.parametrize(
    "name", ["Conv1D", "Conv2d", *(pytest.param(one, marks=pytest.mark.slow) for one in ("rank 0", "stopped early"))]
)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_in_float32_it_departs_no_more_than_twice_as_far_as_a_merge(tmp_path: Path, name: str, layout: str) -> None:
    kind = replace(KINDS[name], dtype=torch.float32)
    kind.save(tmp_path / "adalora")
    target = convert(kind, tmp_path / "adalora", "--layout", layout)
    said = kind.said(kind.loaded(tmp_path / "adalora"))
    merged = kind.said(kind.loaded(tmp_path / "adalora").merge_and_unload())
    assert (kind.said(loaded_without_a_warning(kind, target)) - said).norm() <= 2 * (merged - said).norm()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_lora_alpha_of_zero_can_keep_the_scale_of_the_training(tmp_path: Path, layout: str) -> None:
    kind = KINDS["lora_alpha 0"]
    model = kind.trained()
    said = kind.said(model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save_pretrained(tmp_path / "adalora")
    trained = convert(kind, tmp_path / "adalora", "--layout", layout, "--scale", "trained")
    loaded = convert(kind, tmp_path / "adalora", "--layout", layout)
    assert (kind.said(loaded_without_a_warning(kind, trained)) - said).abs().max() <= 1e-12
    assert (kind.said(loaded_without_a_warning(kind, loaded)) - said).abs().max() > 1e-3


def test_kernels_are_read_from_the_headers_of_the_base_model(tmp_path: Path) -> None:
    kind = KINDS["Conv2d"]
    kind.save(tmp_path / "adalora")
    (tmp_path / "base").mkdir()
    save_file({f"net.{name}": one for name, one in kind.model().state_dict().items()}, tmp_path / "base/m.safetensors")
    asked = replace(kind, options=("--base", str(tmp_path / "base")))
    read, told = convert(asked, tmp_path / "adalora"), convert(kind, tmp_path / "adalora", "--layout", "uniform")
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        assert (read / name).read_bytes() == (told / name).read_bytes()


def test_a_base_model_of_another_shape_is_refused(tmp_path: Path) -> None:
    KINDS["Conv2d"].save(tmp_path / "adalora")
    (tmp_path / "base").mkdir()
    save_file({"first.weight": torch.zeros(8, 3, 3, 3)}, tmp_path / "base/m.safetensors")
    done = run("migrate", "adalora-to-lora", str(tmp_path / "adalora"), "-o", "x", "--base", str(tmp_path / "base"))
    assert done.exit_code == 2
    assert "first has the shape [8, 3, 3, 3] there; the adapter is for another model" in done.stderr


def test_a_convolution_that_nobody_tells_of_is_spoken_of(tmp_path: Path) -> None:
    kind = replace(KINDS["Conv2d"], base=Named, options=(), values={"target_modules": ["conv"]})
    kind.save(tmp_path / "adalora")
    done = run("migrate", "adalora-to-lora", str(tmp_path / "adalora"), "-o", str(tmp_path / "lora"))
    assert "conv is taken for a linear layer; if it is a Conv2d, say so: `--kernel conv=3x3`" in done.output


class Named(torch.nn.Module):
    """One convolution that is called so."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x)


def retyped(source: Path, target: Path, tensors: dict[str, torch.Tensor]) -> None:
    target.mkdir()
    (target / "adapter_config.json").write_bytes((source / "adapter_config.json").read_bytes())
    save_file(tensors, target / "adapter_model.safetensors", metadata={"format": "pt"})
