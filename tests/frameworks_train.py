"""Real frameworks that train a tiny model: what their allocator is called with, and what their forward pass raises."""

from __future__ import annotations

import importlib.util
import json
import sys
import tempfile
from pathlib import Path
from types import ModuleType, SimpleNamespace


def enter(package: str) -> None:
    """Let modules of a package be imported by themselves, without all else that its `__init__` imports."""
    if package not in sys.modules:
        found = importlib.util.find_spec(package)
        sys.modules[package] = ModuleType(package)
        sys.modules[package].__path__ = list(found.submodule_search_locations)


def tiny_network():
    """Give a model of one layer, `first`, that answers as those of transformers do."""
    import torch

    class Tiny(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.first = torch.nn.Linear(6, 6)

        def forward(self, x, labels=None):
            out = self.first(x)
            return {"loss": ((out - labels) ** 2).mean(), "logits": out}

    return Tiny()


def tiny_data():
    import torch

    return [{"x": torch.ones(6), "labels": torch.zeros(6)} for _ in range(32)]


SILENT = {"report_to": [], "disable_tqdm": True, "save_strategy": "no", "logging_strategy": "no", "use_cpu": True}
MICRO_BATCHES = {"per_device_train_batch_size": 2, "gradient_accumulation_steps": 2, "max_steps": 5}


def watched(model) -> list[int]:
    """Give the list that will hold what the allocator is called with."""
    seen = []
    allocate = model.base_model.update_and_allocate
    model.base_model.update_and_allocate = lambda step: (seen.append(step), allocate(step))
    return seen


def tiny_language_model(folder: str) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel({"<unk>": 0, "</s>": 1, "a": 2, "b": 3}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    special = {"unk_token": "<unk>", "eos_token": "</s>", "pad_token": "<unk>"}
    PreTrainedTokenizerFast(tokenizer_object=words, **special).save_pretrained(folder)
    sizes = {"vocab_size": 8, "hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1}
    LlamaForCausalLM(LlamaConfig(**sizes, num_attention_heads=2, num_key_value_heads=2)).save_pretrained(folder)


def conversations(folder: str) -> str:
    path = Path(folder, "conversations.jsonl")
    said = {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}
    path.write_text(f"{json.dumps(said)}\n" * 8, encoding="utf-8")
    return str(path)


def calls_of_ms_swift() -> dict[str, object]:
    """Train five optimizer steps of two micro-batches with the callback that ms-swift gives its Trainer."""
    from peft import AdaLoraConfig, get_peft_model
    from swift.callbacks.adalora import AdaloraCallback
    from transformers import Trainer, TrainingArguments

    model = get_peft_model(tiny_network(), AdaLoraConfig(target_modules=["first"], init_r=4, target_r=2, total_step=99))
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(folder, **MICRO_BATCHES, **SILENT)
        arguments.max_epochs = None  # ms-swift's own arguments have it, and it patches the Trainer to ask for it
        trainer = Trainer(model, arguments, train_dataset=tiny_data())
        trainer.add_callback(AdaloraCallback(arguments, trainer))
        seen = watched(model)
        trainer.train()
    return {"calls": seen, "total_step": model.peft_config["default"].total_step, "max_steps": 5}


def calls_of_optimum_habana() -> dict[str, object]:
    """Train as long with its Trainer, which can do without an accelerator: with final phases, and micro-batches."""
    enter("optimum.habana")
    from optimum.habana.transformers import GaudiConfig, GaudiTrainer, GaudiTrainingArguments
    from peft import AdaLoraConfig, get_peft_model

    class Trainer(GaudiTrainer):
        def log(self, *arguments):
            """Say nothing: it would read the accelerator's memory."""

    shown = {}
    for tfinal, micro_batches in ((3, 1), (100, 1), (100, 2), (3, 2)):
        config = AdaLoraConfig(target_modules=["first"], init_r=4, target_r=2, tfinal=tfinal)
        model = get_peft_model(tiny_network(), config)
        raised = None
        with tempfile.TemporaryDirectory() as folder:
            sizes = {**MICRO_BATCHES, "gradient_accumulation_steps": micro_batches}
            arguments = GaudiTrainingArguments(folder, use_lazy_mode=False, **sizes, **SILENT)
            trainer = Trainer(model=model, gaudi_config=GaudiConfig(), args=arguments, train_dataset=tiny_data())
            seen = watched(model)
            try:
                trainer.train()
            except Exception as error:  # noqa: BLE001 - whatever it raises is the answer
                raised = type(error).__name__
        told = {"calls": seen, "total_step": config.total_step, "tfinal": config.tfinal, "raised": raised}
        asked = {"written": tfinal, "micro_batches": micro_batches, "max_steps": 5}
        shown[f"tfinal={tfinal}, micro_batches={micro_batches}"] = {**asked, **told}
    return shown


def forward_of_ms_swift() -> dict[str, object]:
    """Tell what the forward pass that ms-swift puts in the place of PEFT's raises, by weight, and without a loss."""
    import swift.tuners  # noqa: F401 - puts it there
    import torch
    from peft import AdaLoraConfig, get_peft_model

    class Tiny(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.first = torch.nn.Linear(6, 6)

        def forward(self, x, labels=None):
            out = self.first(x)
            return SimpleNamespace(logits=out, loss=None if labels is None else ((out - labels) ** 2).mean())

    shown = {}
    for weight in (0.5, 0, 0.0):
        for labels in (torch.zeros(1, 6), None):
            config = AdaLoraConfig(
                target_modules=["first"], init_r=4, target_r=2, total_step=99, orth_reg_weight=weight
            )
            key = f"{weight}" if labels is not None else f"{weight}, no loss"
            try:
                get_peft_model(Tiny(), config).base_model(torch.ones(1, 6), labels=labels)
                shown[key] = None
            except Exception as error:  # noqa: BLE001 - whatever it raises is the answer
                shown[key] = type(error).__name__
    return shown


SHOW = {
    "allocator": {"ms-swift": calls_of_ms_swift, "optimum-habana": calls_of_optimum_habana},
    "forward": {"ms-swift": forward_of_ms_swift},
}
