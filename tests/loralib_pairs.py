"""Projects in which the layers of loralib stand in one file and the training in another, small enough to be run."""

from __future__ import annotations

from typing import Final

MODEL: Final = """\
import loralib as lora
import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.inner = lora.SVDLinear(8, 8, r=config.lora_r, lora_alpha=config.lora_alpha)

    def forward(self, x):
        return torch.relu(self.inner(x))


class Net(nn.Module):  # 模型
    def __init__(self, config):
        super().__init__()
        self.lower = Block(config)
        self.upper = Block(config)
        self.head = nn.Linear(8, 2)

    def forward(self, x):
        return self.head(self.upper(self.lower(x)))
"""

TRAINING: Final = """\
import argparse
from types import SimpleNamespace

import torch
from loralib import RankAllocator, compute_orth_regu, lora_state_dict, mark_only_lora_as_trainable
from model import Net
from torch.nn import functional as F

parser = argparse.ArgumentParser()
parser.add_argument("--lora_r", type=int, default=4)
parser.add_argument("--target_rank", type=int, default=2)
parser.add_argument("--steps", type=int, default=40)
args = parser.parse_args()
torch.manual_seed(0)
config = SimpleNamespace(lora_r=args.lora_r, lora_alpha=16)
model = Net(config)
mark_only_lora_as_trainable(model)
rankallocator = RankAllocator(
    model,
    lora_r=args.lora_r,
    target_rank=args.target_rank,
    init_warmup=5,
    final_warmup=10,
    mask_interval=2,
    beta1=0.85,
    beta2=0.85,
    total_step=args.steps,
)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
for step in range(args.steps):
    x, y = torch.randn(4, 8), torch.randint(0, 2, (4,))
    loss = F.cross_entropy(model(x), y)
    (loss + compute_orth_regu(model, regu_weight=0.1)).backward()
    optimizer.step()
    rankallocator.update_and_mask(model, step)
    optimizer.zero_grad()
torch.save(lora_state_dict(model), "out.pt")
"""

LAUNCHED: Final = """\
import argparse
from types import SimpleNamespace

import torch
from loralib import RankAllocator, compute_orth_regu, lora_state_dict, mark_only_lora_as_trainable
from model import Net
from torch.nn import functional as F


def parse_args():
    parser = argparse.ArgumentParser(description="AdaLoRA")
    parser.add_argument("--steps", type=int, default=40)
    group = parser.add_argument_group("AdaLoRA")
    group.add_argument("--apply_lora", action="store_true", help="use it")
    group.add_argument("--apply_adalora", action="store_true")
    group.add_argument(
        "--lora_type",
        type=str,
        default="frd",
    )
    group.add_argument("--lora_r", type=int, default=4, help='initial "rank"')
    group.add_argument('--target_rank', type=int, default=2)  # 目标
    group.add_argument("--init_warmup", type=int, default=5)
    group.add_argument("--final_warmup", type=int, default=10)
    group.add_argument("--mask_interval", type=int, default=4)
    group.add_argument("--reg_orth_coef", type=float, default=0.1)
    return parser.parse_args()


def train(args, model, rankallocator):
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for step in range(args.steps):
        x, y = torch.randn(4, 8), torch.randint(0, 2, (4,))
        loss = F.cross_entropy(model(x), y)
        if args.apply_adalora and args.lora_type == "svd":
            loss = loss + compute_orth_regu(model, regu_weight=args.reg_orth_coef)
        loss.backward()
        optimizer.step()
        if args.apply_adalora:
            # ranks
            rankallocator.update_and_mask(model, step)
        optimizer.zero_grad()


def main():
    args = parse_args()
    print(args)
    torch.manual_seed(0)
    model = Net(SimpleNamespace(lora_r=args.lora_r, lora_alpha=16, svd=args.lora_type))
    if args.apply_adalora:
        mark_only_lora_as_trainable(model)
        rankallocator = RankAllocator(
            model,
            lora_r=args.lora_r,
            target_rank=args.target_rank,
            init_warmup=args.init_warmup,
            final_warmup=args.final_warmup,
            mask_interval=args.mask_interval,
            beta1=0.85,
            beta2=0.85,
            total_step=args.steps,
        )
    else:
        rankallocator = None
    train(args, model, rankallocator)
    torch.save(lora_state_dict(model), "out.pt")


if __name__ == "__main__":
    main()
"""

RUN_SH: Final = """\
#!/bin/bash
# --lora_r 8 was too much
export OMP_NUM_THREADS=1
python train.py \\
    --apply_lora --apply_adalora --lora_type svd \\
    --target_rank 3 --lora_r=6 \\
    --init_warmup 5 --final_warmup "10" --mask_interval 2 \\
    --reg_orth_coef 0.2 --steps 40
"""

CHOOSING: Final = MODEL.replace(
    "        self.inner = lora.SVDLinear(8, 8, r=config.lora_r, lora_alpha=config.lora_alpha)\n",
    """\
        if config.apply_lora and "inner" in config.lora_module.split(","):
            if config.lora_type == "frd":
                self.inner = lora.Linear(8, 8, r=config.lora_r, lora_alpha=config.lora_alpha)
            elif config.lora_type == "svd":
                self.inner = lora.SVDLinear(8, 8, r=config.lora_r, lora_alpha=config.lora_alpha)
            else:
                raise ValueError(config.lora_type)
        else:
            self.inner = nn.Linear(8, 8)
""",
)
"""Layers that the flags choose, as in the models of loralib's own transformers."""

CHOSEN: Final = LAUNCHED.replace(
    "SimpleNamespace(lora_r=args.lora_r, lora_alpha=16, svd=args.lora_type)",
    "SimpleNamespace(\n"
    "        apply_lora=args.apply_lora, lora_type=args.lora_type, lora_module=args.lora_module, lora_r=args.lora_r, "
    "lora_alpha=16\n"
    "    )",
).replace(
    '    group.add_argument("--lora_r"',
    '    group.add_argument("--lora_module", type=str, default="query,value")\n    group.add_argument("--lora_r"',
)
