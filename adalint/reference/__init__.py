"""AdaLoRA in NumPy: runs a Plan on a small task and tells what PEFT would have made of it.

Written from the paper (Zhang et al., 2023, "AdaLoRA: Adaptive Budget Allocation for Parameter-Efficient Fine-Tuning")
and from what PEFT was seen to do. Needs the extra `verify`.
"""

from __future__ import annotations

try:
    import numpy  # noqa: F401, ICN001
except ImportError as missing:
    raise ImportError("the reference adapter needs NumPy: pip install 'adalint[verify]'") from missing

from adalint.reference.adapter import Adapter, Array
from adalint.reference.allocator import Allocator
from adalint.reference.optimizers import SGD, AdamW
from adalint.reference.saving import reload
from adalint.reference.shorten import shorten
from adalint.reference.task import Task
from adalint.reference.trainer import Training, run
from adalint.reference.trajectory import Allocation, Checkpoint, Raised, Saved, Source, Trajectory

__all__ = [
    "SGD",
    "AdamW",
    "Adapter",
    "Allocation",
    "Allocator",
    "Array",
    "Checkpoint",
    "Raised",
    "Saved",
    "Source",
    "Task",
    "Training",
    "Trajectory",
    "reload",
    "run",
    "shorten",
]
