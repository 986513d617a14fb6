"""What the real frameworks hand to PEFT: run in a process of its own, with the frameworks on its path.

`python tests/frameworks_ask.py < texts.json` answers a list of `[framework, file name, text]` with a list of
`{"fields": …}`, `{"unknown": [words]}` or `{"refused": exception}`, and says what the allocator is called with, and
what a forward pass of the framework's own raises.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

FIELDS = ("target_r", "init_r", "tinit", "tfinal", "deltaT", "beta1", "beta2", "orth_reg_weight", "total_step")
LORA = ("r", "lora_alpha", "lora_dropout", "bias", "use_rslora")


def answers(config) -> dict[str, object]:
    return {"fields": {name: getattr(config, name) for name in (*FIELDS, *LORA)}}


def ask_ms_swift(name: str, text: str) -> dict[str, object]:
    """Go the way of `swift sft FILE`: the file's words, its parser, and the function that builds the configuration."""
    from swift.arguments import SftArguments
    from swift.cli.main import parse_yaml_args
    from swift.pipelines.train import tuner
    from swift.tuners import Swift
    from transformers import HfArgumentParser

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_text(text, encoding="utf-8")
        words = [str(path)]
        parse_yaml_args(words)
    read, rest = HfArgumentParser([SftArguments]).parse_known_args(words)
    if rest:
        return {"unknown": rest}
    built = []
    # There is no model: what would look for its modules, and what would wrap it, gets nothing to do.
    tuner.get_target_modules = lambda args, model: args.target_modules
    tuner.get_modules_to_save = lambda args, model, task: args.modules_to_save
    Swift.prepare_model = staticmethod(lambda model, config: built.append(config))
    # The rest of the arguments, which would fetch the model, is not built: these stand for what it fills in.
    usual = {"per_device_train_batch_size": 1, "gradient_accumulation_steps": 1, "num_train_epochs": 3.0}
    read.training_args = SimpleNamespace(**{**usual, **{k: v for k, v in vars(read).items() if v is not None}})
    read.task_type = read.task_type or "causal_lm"
    tuner.prepare_adapter(read, SimpleNamespace(), train_dataset=range(6400))
    return answers(built[0])


def ask_ludwig(name: str, text: str) -> dict[str, object]:
    """Read the adapter of a file by Ludwig's schema, and let that build the configuration."""
    import yaml
    from ludwig.schema.llms.peft import AdaloraConfig

    adapter = yaml.safe_load(text)["adapter"]
    return answers(AdaloraConfig.from_dict(adapter).to_config())


def calls_of_ms_swift() -> dict[str, object]:
    """Train five optimizer steps of two micro-batches with the callback that ms-swift gives its Trainer."""
    import torch
    from peft import AdaLoraConfig, get_peft_model
    from swift.callbacks.adalora import AdaloraCallback
    from transformers import Trainer, TrainingArguments

    class Tiny(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.first = torch.nn.Linear(6, 6)

        def forward(self, x, labels=None):
            out = self.first(x)
            return {"loss": ((out - labels) ** 2).mean(), "logits": out}

    seen = []
    model = get_peft_model(Tiny(), AdaLoraConfig(target_modules=["first"], init_r=4, target_r=2, total_step=99))
    allocate = model.update_and_allocate
    model.update_and_allocate = lambda step: (seen.append(step), allocate(step))
    data = [{"x": torch.ones(6), "labels": torch.zeros(6)} for _ in range(32)]
    silent = {"report_to": [], "disable_tqdm": True, "save_strategy": "no", "logging_strategy": "no", "use_cpu": True}
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder, max_steps=5, per_device_train_batch_size=2, gradient_accumulation_steps=2, **silent
        )
        arguments.max_epochs = None  # ms-swift's own arguments have it, and it patches the Trainer to ask for it
        trainer = Trainer(model, arguments, train_dataset=data)
        trainer.add_callback(AdaloraCallback(arguments, trainer))
        trainer.train()
    return {"calls": seen, "total_step": model.peft_config["default"].total_step, "max_steps": 5}


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


ASK = {"ms-swift": ask_ms_swift, "Ludwig": ask_ludwig}


def ask(framework: str, name: str, text: str) -> dict[str, object]:
    try:
        return ASK[framework](name, text)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it refuses with is the answer
        return {"refused": type(error).__name__}


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    with contextlib.redirect_stdout(sys.stderr):
        given = {
            "answers": [ask(*one) for one in asked],
            "allocator": {"ms-swift": calls_of_ms_swift()},
            "forward": {"ms-swift": forward_of_ms_swift()},
        }
    json.dump(given, sys.stdout)
