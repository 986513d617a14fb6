"""Scripts as people write them with the loralib of AdaLoRA, small enough to be run."""

from __future__ import annotations

from textwrap import indent
from typing import Final

SCHEDULE: Final = """\
    lora_r=4,
    target_rank=2,
    init_warmup=5,
    final_warmup=10,
    mask_interval=2,
    total_step=40,
    beta1=0.85,
    beta2=0.7,
"""

NET: Final = """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = lora.SVDLinear(8, 16, r=4, lora_alpha=16)
        self.second = lora.SVDLinear(16, 16, r=4, lora_alpha=16, bias=False)
        self.head = nn.Linear(16, 2)

    def forward(self, x):
        return self.head(torch.relu(self.second(torch.relu(self.first(x)))))


"""

PLAIN: Final = (
    """\
import loralib as lora
import torch
from loralib import RankAllocator, compute_orth_regu
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)


"""
    + NET
    + """\
model = Net()
lora.mark_only_lora_as_trainable(model)
rankallocator = RankAllocator(
    model,
"""
    + SCHEDULE
    + """\
)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
global_step = 0
for epoch in range(2):
    for _ in range(20):
        x, y = torch.randn(4, 8), torch.randint(0, 2, (4,))
        loss = F.cross_entropy(model(x), y)
        (loss + compute_orth_regu(model, regu_weight=0.1)).backward()
        optimizer.step()
        rankallocator.update_and_mask(model, global_step)
        optimizer.zero_grad()
        global_step += 1
torch.save(lora.lora_state_dict(model), "out/adalora.pt")
"""
)

LLAMA: Final = """\
model = LlamaForCausalLM(
    LlamaConfig(vocab_size=32, hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2)
)
"""

REPLACED: Final = (
    """\
import os

import torch
from loralib import RankAllocator, SVDLinear, compute_orth_regu, lora_state_dict, mark_only_lora_as_trainable
from torch.utils.data import DataLoader
from transformers import LlamaConfig, LlamaForCausalLM, get_linear_schedule_with_warmup

torch.manual_seed(0)
loader = DataLoader(torch.randint(0, 32, (40, 8)), batch_size=2)
epochs = 2
"""
    + LLAMA
    + """\
for layer in model.model.layers:
    for name in ("q_proj", "v_proj"):
        old = getattr(layer.self_attn, name)
        new = SVDLinear(old.in_features, old.out_features, r=4, lora_alpha=8, lora_dropout=0.0, bias=False)
        new.weight.data.copy_(old.weight.data)
        setattr(layer.self_attn, name, new)
mark_only_lora_as_trainable(model)
total = len(loader) * epochs
optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
scheduler = get_linear_schedule_with_warmup(optimizer, 4, total)
allocator = RankAllocator(
    model, lora_r=4, target_rank=2, init_warmup=4, final_warmup=10, mask_interval=3, beta1=0.85, beta2=0.85, total_step=40
)  # as in the paper
step = 0
for epoch in range(epochs):
    model.train()
    for ids in loader:
        loss = model(input_ids=ids, labels=ids).loss
        loss = loss + compute_orth_regu(model, regu_weight=0.3)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        _, _ = allocator.update_and_mask(model, step)
        optimizer.zero_grad()
        step += 1
torch.save(lora_state_dict(model), os.path.join("out", "lora.bin"))
"""
)

WRAPPER: Final = (
    """\
import argparse

import loralib as lora
import torch
import torch.nn as nn
import torch.nn.functional as F

parser = argparse.ArgumentParser()
parser.add_argument("--lora_r", type=int, default=4)
parser.add_argument("--steps", type=int, default=40)
args = parser.parse_args()


"""
    + NET
    + """\
class Experiment:
    def __init__(self, steps):
        torch.manual_seed(0)
        self.model = Net()
        self.global_step = 0
        self.steps = steps
        lora.mark_only_lora_as_trainable(self.model)
        self.rankallocator = lora.RankAllocator(
            self.model, args.lora_r, 2, 5, 10, 2, 0.85, 0.85, total_step=args.steps
        )
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-2)

    def fit(self):
        for _ in range(self.steps):
            loss = self.step(torch.randn(4, 8), torch.randint(0, 2, (4,)))
        return loss

    def step(self, x, y):
        loss = F.cross_entropy(self.model(x), y)
        loss += lora.compute_orth_regu(self.model, regu_weight=0.5)
        loss.backward()
        self.optimizer.step()
        self.rankallocator.update_and_mask(self.model, self.global_step)
        self.optimizer.zero_grad()
        self.global_step += 1
        return loss.item()


experiment = Experiment(args.steps)
experiment.fit()
torch.save(lora.lora_state_dict(experiment.model), "out.pt")
"""
)

FUNCTIONS: Final = (
    """\
import loralib as lora
import torch
from loralib.adalora import RankAllocator, compute_orth_regu
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset


"""
    + NET
    + """\
def train_epoch(model, loader, optimizer, rankallocator, step):
    for x, y in loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        orth = compute_orth_regu(model)
        (loss + orth).backward()
        optimizer.step()
        rankallocator.update_and_mask(model, step)
        step += 1
    return step


def main():
    torch.manual_seed(0)
    loader = DataLoader(TensorDataset(torch.randn(80, 8), torch.randint(0, 2, (80,))), batch_size=4)
    model = Net()
    lora.mark_only_lora_as_trainable(model)
    rankallocator = RankAllocator(
        model, lora_r=4, target_rank=2, init_warmup=5, final_warmup=10, mask_interval=2, beta1=0.85, beta2=0.85
    )
    epochs = 2
    rankallocator.set_total_step(len(loader) * epochs)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    step = 0
    for epoch in range(epochs):
        step = train_epoch(model, loader, optimizer, rankallocator, step)
    torch.save(lora.lora_state_dict(model), "out.pt")


if __name__ == "__main__":
    main()
"""
)

ACCUMULATED: Final = (
    PLAIN.replace("for _ in range(20)", "for i in range(80)").replace(
        "(loss + compute_orth_regu(model, regu_weight=0.1)).backward()",
        "(loss / 4 + compute_orth_regu(model, regu_weight=0.1) / 4).backward()",
    )
).replace(
    """\
        optimizer.step()
        rankallocator.update_and_mask(model, global_step)
        optimizer.zero_grad()
        global_step += 1
""",
    indent(
        """\
if (i + 1) % 4 == 0:
    optimizer.step()
    rankallocator.update_and_mask(model, global_step)
    optimizer.zero_grad()
    global_step += 1
""",
        " " * 8,
    ),
)

CHILDREN: Final = (
    """\
import torch
import torch.nn as nn
from loralib import RankAllocator, SVDLinear, compute_orth_regu, mark_only_lora_as_trainable
from transformers import LlamaConfig, LlamaForCausalLM

TARGETS = ["q_proj", "k_proj", "down_proj"]


def replace_linear(module):
    for name, child in module.named_children():
        if isinstance(child, nn.Linear) and name in TARGETS:
            layer = SVDLinear(child.in_features, child.out_features, r=3, lora_alpha=6, bias=child.bias is not None)
            layer.weight.data = child.weight.data
            setattr(module, name, layer)
        else:
            replace_linear(child)


torch.manual_seed(0)
"""
    + LLAMA
    + """\
replace_linear(model)
mark_only_lora_as_trainable(model)
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
rankallocator = RankAllocator(
    model, lora_r=3, target_rank=1, init_warmup=4, final_warmup=9, mask_interval=2, beta1=0.85, beta2=0.85, total_step=30
)
for step in range(30):
    ids = torch.randint(0, 32, (2, 8))
    outputs = model(input_ids=ids, labels=ids)
    (outputs.loss + compute_orth_regu(model, regu_weight=0.1)).backward()
    optimizer.step()
    rankallocator.update_and_mask(model, step)
    optimizer.zero_grad()
model.save_pretrained("out")
"""
)

TRAINER: Final = (
    """\
from dataclasses import dataclass

import torch
import loralib as lora
from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainingArguments


@dataclass
class ModelArguments:
    lora_r: int = 4
    target_rank: int = 2
    init_warmup: int = 4
    final_warmup: int = 8
    mask_interval: int = 2
    beta1: float = 0.85
    beta2: float = 0.85
    reg_orth_coef: float = 0.1


model_args = ModelArguments()
torch.manual_seed(0)
"""
    + LLAMA
    + """\
for block in model.model.layers:
    block.self_attn.q_proj = lora.SVDLinear(16, 16, r=model_args.lora_r, lora_alpha=16, bias=False)
    block.self_attn.v_proj = lora.SVDLinear(16, 16, r=model_args.lora_r, lora_alpha=16, bias=False)
lora.mark_only_lora_as_trainable(model)
rankallocator = lora.RankAllocator(
    model,
    lora_r=model_args.lora_r,
    target_rank=model_args.target_rank,
    init_warmup=model_args.init_warmup,
    final_warmup=model_args.final_warmup,
    mask_interval=model_args.mask_interval,
    beta1=model_args.beta1,
    beta2=model_args.beta2,
)
rows = [{"input_ids": ids, "labels": ids} for ids in torch.randint(0, 32, (60, 8)).tolist()]
training_args = TrainingArguments(
    "run", max_steps=30, per_device_train_batch_size=2, save_strategy="no", report_to="none", use_cpu=True
)
trainer = Trainer(
    model=model,
    args=training_args,
    train_dataset=rows,
    rankallocator=rankallocator,
    model_args=model_args,
)
trainer.train()
model.save_pretrained("out")
"""
)

ACCELERATE: Final = (
    REPLACED.replace("import torch\n", "import torch\nfrom accelerate import Accelerator\n", 1)
    .replace("torch.manual_seed(0)\n", "torch.manual_seed(0)\naccelerator = Accelerator(cpu=True)\n", 1)
    .replace("loss.backward()", "accelerator.backward(loss)")
    .replace("        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n", "")
    .replace(
        "scheduler = get_linear",
        "model, optimizer, loader = accelerator.prepare(model, optimizer, loader)\nscheduler = get_linear",
    )
)

RUN: Final = {
    "plain": PLAIN,
    "replaced layers": REPLACED,
    "class around it": WRAPPER,
    "functions": FUNCTIONS,
    "accumulated": ACCUMULATED,
    "named children": CHILDREN,
    "trainer": TRAINER,
    "accelerate": ACCELERATE,
}
