"""One script twice in this process: as it was, with the oracle for loralib, and as it was migrated, with PEFT."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING
from zlib import crc32

import loralib_oracle
import torch

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


@dataclass
class Record:
    """What a run did at each step: its budget, and the singular values of each module."""

    budgets: list[int] = field(default_factory=list)
    values: list[dict[str, torch.Tensor]] = field(default_factory=list)
    spreads: list[dict[str, torch.Tensor]] = field(default_factory=list)
    """The averaged uncertainty of each tensor, which `beta2` alone decides on top of the sensitivity."""

    def masks(self) -> list[dict[str, list[bool]]]:
        """Tell which triplets live after each step."""
        return [{name: (one != 0).tolist() for name, one in step.items()} for step in self.values]


def probed(text: str) -> str:
    """Let a script start from known weights, and have each of its steps recorded."""
    text = re.sub(r"^( *)(optimizer = )", r"\1probe.start(model)\n\1\2", text, count=1, flags=re.MULTILINE)
    return "import probe\n" + re.sub(
        r"^( *)(rankallocator\.update_and_mask\(model, (\w+)\))",
        r"\1\2\n\1probe.record(model, \3)",
        text,
        flags=re.MULTILINE,
    )


def executed(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Record:
    """Run a script in float64, in a folder."""
    (folder / "out").mkdir(exist_ok=True)
    monkeypatch.chdir(folder)
    record = Record()
    probe = ModuleType("probe")
    probe.start = _start  # type: ignore[attr-defined]
    probe.record = lambda model, step: _record(record, model, step)  # type: ignore[attr-defined]
    loralib_oracle.ALL.clear()
    for name, module in (("probe", probe), ("loralib", loralib_oracle), ("loralib.adalora", loralib_oracle)):
        monkeypatch.setitem(sys.modules, name, module)
    usual = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        exec(compile(text, "train.py", "exec", dont_inherit=True), {"__name__": "__main__"})
    finally:
        torch.set_default_dtype(usual)
    if loralib_oracle.ALL:
        [allocator] = loralib_oracle.ALL
        record.budgets = allocator.budgets
    return record


def _start(model: torch.nn.Module) -> None:
    """Give each tensor the values that its name in the model without PEFT stands for; seed what comes then."""
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            if "ranknum" not in name:
                numbers = torch.Generator().manual_seed(crc32(_plain(name).encode()))
                tensor.copy_(torch.randn(tensor.shape, generator=numbers) * 0.3)
    torch.manual_seed(1)


def _record(record: Record, model: torch.nn.Module, step: int) -> None:
    if loralib_oracle.ALL:
        spreads = loralib_oracle.ALL[0].spreads
    else:
        spreads = model.base_model.rankallocator.exp_avg_unc
        record.budgets.append(model.base_model.rankallocator.budget_schedule(step)[0])
    record.values.append(
        {_plain(name): one.detach().flatten().clone() for name, one in model.named_parameters() if "lora_E" in name}
    )
    record.spreads.append({_plain(name): one.clone() for name, one in spreads.items()})


def _plain(name: str) -> str:
    for part in ("base_model.model.", ".base_layer", ".modules_to_save", ".original_module", ".default"):
        name = name.replace(part, "")
    return name
