"""Trainings of the shape of those that were published with AdaLoRA: their layers come of another copy of transformers.

That copy makes them where a configuration is given `lora_r` and `lora_module`; `with_layers` stands in for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import loralib_oracle
import torch
from torch import nn
from transformers import Trainer, TrainerCallback

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SUMMARIZING: Final = '''\
"""Train on pairs of texts, with a loop of its own."""
import argparse
import math
import os

import torch
from accelerate import Accelerator
from torch.utils.data import DataLoader
from transformers import CONFIG_MAPPING, AutoConfig, AutoModelForSeq2SeqLM, get_scheduler
from loralib import RankAllocator

try:
    from torch.utils.tensorboard import SummaryWriter
except ImportError:
    SummaryWriter = None


def parse_args():
    parser = argparse.ArgumentParser(description="Train on pairs of texts")
    parser.add_argument("--config_name", type=str, default=None)
    parser.add_argument("--model_name_or_path", type=str, required=False)
    parser.add_argument("--model_type", type=str, default=None)
    parser.add_argument("--learning_rate", type=float, default=5e-5)
    parser.add_argument("--num_train_epochs", type=int, default=3)
    parser.add_argument("--max_train_steps", type=int, default=None)
    parser.add_argument("--gradient_accumulation_steps", type=int, default=1)
    parser.add_argument("--output_dir", type=str, default="./log")
    parser.add_argument("--with_tracking", action="store_true")
    parser.add_argument(
        "--apply_lora",
        action="store_true",
        help="Whether to apply lora.",
    )
    parser.add_argument("--lora_type", type=str, default="frd", help="frd or svd")
    parser.add_argument("--lora_module", type=str, default="q_proj,v_proj")
    parser.add_argument("--lora_alpha", type=int, default=32)
    parser.add_argument("--lora_r", type=int, default=8)
    parser.add_argument("--lora_path", type=str, default=None)
    parser.add_argument("--reg_orth_coef", type=float, default=0.0)
    parser.add_argument("--apply_adalora", action="store_true")
    parser.add_argument("--target_rank", type=int, default=8)
    parser.add_argument("--target_total_rank", type=int, default=None, help="in all layers together")
    parser.add_argument("--init_warmup", type=int, default=5000)
    parser.add_argument("--final_warmup", type=int, default=15000)
    parser.add_argument("--mask_interval", type=int, default=10)
    parser.add_argument("--beta1", type=float, default=0.85)
    parser.add_argument("--beta2", type=float, default=0.85)
    parser.add_argument("--tb_writter_loginterval", type=int, default=500)
    args = parser.parse_args()
    if args.model_name_or_path is None:
        raise ValueError("which model?")
    return args


def svd_penalty(model):
    norms = []
    for name, one in model.named_parameters():
        if "lora_A" in name or "lora_B" in name:
            gram = one @ one.T if "lora_A" in name else one.T @ one
            norms.append(torch.norm(gram - torch.eye(len(gram)), p="fro"))
    return sum(norms) / len(norms)


def main():
    args = parse_args()
    args.output_dir = os.path.abspath(args.output_dir)
    accelerator = Accelerator(log_with="tensorboard", project_dir=".") if args.with_tracking else Accelerator()
    if accelerator.is_main_process and args.with_tracking:
        tb_writter = SummaryWriter(log_dir=args.output_dir)
    else:
        tb_writter = None
    if args.config_name:
        config = AutoConfig.from_pretrained(
            args.config_name,
            apply_lora=args.apply_lora,
            lora_type=args.lora_type,
            lora_module=args.lora_module,
            lora_alpha=args.lora_alpha,
            lora_r=args.lora_r,
        )
    elif args.model_name_or_path:
        config = AutoConfig.from_pretrained(
            args.model_name_or_path,
            apply_lora=args.apply_lora,
            lora_type=args.lora_type,
            lora_module=args.lora_module,
            lora_alpha=args.lora_alpha,
            lora_r=args.lora_r,
        )
    else:
        config = CONFIG_MAPPING[args.model_type]()
    if args.model_name_or_path:
        model = AutoModelForSeq2SeqLM.from_pretrained(args.model_name_or_path, config=config)
    else:
        model = AutoModelForSeq2SeqLM.from_config(config)

    trainable_params = []
    if args.apply_lora:
        if args.lora_path is not None:
            model.load_state_dict(torch.load(args.lora_path), strict=False)
        trainable_params.append('lora')

    num_param = 0
    if len(trainable_params) > 0:
        for name, param in model.named_parameters():
            if name.startswith('model'):
                param.requires_grad = False
                for trainable_param in trainable_params:
                    if trainable_param in name:
                        param.requires_grad = True
                        num_param += param.numel()
                        break
            else:
                param.requires_grad = True
    else:
        for name, param in model.named_parameters():
            num_param += param.numel()

    generator = torch.Generator().manual_seed(0)
    texts = torch.randint(3, 60, (20, 6), generator=generator)
    train_dataloader = DataLoader([{"input_ids": one, "labels": one} for one in texts], batch_size=2)
    no_decay = ["bias", "layer_norm.weight"]
    optimizer_grouped_parameters = [
        {
            "params": [p for n, p in model.named_parameters() if not any(nd in n for nd in no_decay)],
            "weight_decay": 0.01,
        },
        {
            "params": [p for n, p in model.named_parameters() if any(nd in n for nd in no_decay)],
            "weight_decay": 0.0,
        },
    ]
    optimizer = torch.optim.AdamW(optimizer_grouped_parameters, lr=args.learning_rate)
    overrode_max_train_steps = False
    num_update_steps_per_epoch = math.ceil(len(train_dataloader) / args.gradient_accumulation_steps)
    if args.max_train_steps is None:
        args.max_train_steps = args.num_train_epochs * num_update_steps_per_epoch
        overrode_max_train_steps = True
    lr_scheduler = get_scheduler("linear", optimizer, num_warmup_steps=0, num_training_steps=args.max_train_steps)
    model, optimizer, train_dataloader, lr_scheduler = accelerator.prepare(
        model, optimizer, train_dataloader, lr_scheduler
    )
    # the ranks
    if args.lora_type == "svd" and args.apply_adalora:
        rankallocator = RankAllocator(
            model,
            lora_r=args.lora_r,
            target_rank=args.target_rank,
            init_warmup=args.init_warmup,
            final_warmup=args.final_warmup,
            mask_interval=args.mask_interval,
            beta1=args.beta1,
            beta2=args.beta2,
            target_total_rank=args.target_total_rank,
            tb_writter=tb_writter,
            tb_writter_loginterval=args.tb_writter_loginterval,
        )
    else:
        rankallocator = None

    num_update_steps_per_epoch = math.ceil(len(train_dataloader) / args.gradient_accumulation_steps)
    if overrode_max_train_steps:
        args.max_train_steps = args.num_train_epochs * num_update_steps_per_epoch
    args.num_train_epochs = math.ceil(args.max_train_steps / num_update_steps_per_epoch)

    if rankallocator is not None:
        rankallocator.set_total_step(args.max_train_steps)

    if args.with_tracking:
        experiment_config = vars(args)
        experiment_config["model_type"] = str(experiment_config["model_type"])
        accelerator.init_trackers("pairs", experiment_config)

    completed_steps = 0
    for epoch in range(args.num_train_epochs):
        model.train()
        for step, batch in enumerate(train_dataloader):
            outputs = model(**batch)
            loss = outputs.loss
            loss = loss / args.gradient_accumulation_steps

            if args.apply_lora and args.reg_orth_coef>0:
                if args.lora_type=="frd":
                    regu_loss = 0.1 * svd_penalty(model)
                elif args.lora_type=="svd":
                    regu_loss = svd_penalty(model)
                else:
                    raise ValueError("Unknown type: %s"%args.lora_type)
            else:
                regu_loss = 0.0

            accelerator.backward(loss+regu_loss)

            if step % args.gradient_accumulation_steps == 0 or step == len(train_dataloader) - 1:
                optimizer.step()
                if rankallocator is not None:
                    curr_rank, mask_threshold = rankallocator.update_and_mask(model, completed_steps)
                lr_scheduler.step()
                optimizer.zero_grad()
                completed_steps += 1

            if completed_steps >= args.max_train_steps:
                break

    if args.output_dir is not None:
        accelerator.wait_for_everyone()
        unwrapped_model = accelerator.unwrap_model(model)
        unwrapped_model.save_pretrained(
            args.output_dir, is_main_process=accelerator.is_main_process, save_function=accelerator.save
        )


if __name__ == "__main__":
    main()
'''

SUMMARIZING_SH: Final = """\
accelerate launch --num_processes=1 --num_machines=1 --mixed_precision="no" --dynamo_backend=no --cpu \\
examples/summarization/run_pairs.py \\
--model_name_or_path ./tiny \\
--apply_lora --apply_adalora \\
--lora_type svd --target_rank 3 --lora_r 6 \\
--lora_alpha 16 \\
--reg_orth_coef 0.1 \\
--init_warmup 5 --final_warmup 12 --mask_interval 4 \\
--beta1 0.85 --beta2 0.85 \\
--lora_module q_proj,v_proj,fc1 \\
--learning_rate 5e-3 \\
--num_train_epochs 4 \\
--output_dir ./out
"""

GLUING: Final = '''\
"""Train a classifier with the Trainer."""
import os
import sys
from dataclasses import dataclass, field
from typing import Optional

import torch
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    HfArgumentParser,
    Trainer,
    TrainingArguments,
    default_data_collator,
    set_seed,
)
from loralib import RankAllocator


@dataclass
class DataTrainingArguments:
    task_name: Optional[str] = field(default=None, metadata={"help": "The name of the task"})
    mask_interval_of_tokens: int = field(default=128)


@dataclass
class ModelArguments:
    """Which model, and how it is tuned."""

    model_name_or_path: str = field(metadata={"help": "A folder"})
    apply_lora: Optional[bool] = field(
        default=False,
        metadata={"help": "Whether to apply LoRA or not."},
    )
    lora_type: Optional[str] = field(default="frd", metadata={"help": "frd or svd"})
    lora_module: Optional[str] = field(default="query,value")
    lora_alpha: Optional[int] = field(default=None)
    lora_r: Optional[int] = field(
        default=None,
        metadata={"help": "LoRA r"},
    )
    apply_adapter: Optional[bool] = field(default=False)
    apply_bitfit: Optional[bool] = field(default=False)
    reg_orth_coef: Optional[float] = field(default=0.0)
    apply_adalora: Optional[bool] = field(default=False)
    target_rank: Optional[int] = field(default=16, metadata={"help": "Average target_rank."})
    target_total_rank: Optional[int] = field(default=None)
    init_warmup: Optional[int] = field(default=4500)
    final_warmup: Optional[int] = field(default=12000)
    mask_interval: Optional[int] = field(default=10)
    beta1: Optional[float] = field(default=0.85)
    beta2: Optional[float] = field(default=0.85)
    tb_writter_loginterval: Optional[int] = field(default=500)


def main():
    parser = HfArgumentParser((ModelArguments, DataTrainingArguments, TrainingArguments))
    if len(sys.argv) == 2 and sys.argv[1].endswith(".json"):
        model_args, data_args, training_args = parser.parse_json_file(json_file=os.path.abspath(sys.argv[1]))
    else:
        model_args, data_args, training_args = parser.parse_args_into_dataclasses()
    tb_writter = None
    set_seed(training_args.seed)
    config = AutoConfig.from_pretrained(
        model_args.model_name_or_path,
        num_labels=2,
        finetuning_task=data_args.task_name,
        apply_lora=model_args.apply_lora,
        lora_type=model_args.lora_type,
        lora_module=model_args.lora_module,
        lora_alpha=model_args.lora_alpha,
        lora_r=model_args.lora_r,
        apply_adapter=model_args.apply_adapter,
    )
    model = AutoModelForSequenceClassification.from_pretrained(model_args.model_name_or_path, config=config)

    trainable_params = []
    if model_args.apply_lora:
        trainable_params.append("lora")

    if model_args.apply_adapter:
        trainable_params.append("adapter")

    if model_args.apply_bitfit:
        trainable_params.append("bias")

    if len(trainable_params) > 0:
        for name, param in model.named_parameters():
            if name.startswith("deberta") or name.startswith("roberta"):
                param.requires_grad = False
                for trainable_param in trainable_params:
                    if trainable_param in name:
                        param.requires_grad = True
                        break
            else:
                param.requires_grad = True

    generator = torch.Generator().manual_seed(0)
    texts = torch.randint(3, 60, (20, 6), generator=generator)
    train_dataset = [{"input_ids": one, "label": index % 2} for index, one in enumerate(texts)]

    # Initialize the rankallocator
    if model_args.lora_type == "svd" and model_args.apply_adalora:
        rankallocator = RankAllocator(
            model,
            lora_r=model_args.lora_r,
            target_rank=model_args.target_rank,
            init_warmup=model_args.init_warmup,
            final_warmup=model_args.final_warmup,
            mask_interval=model_args.mask_interval,
            beta1=model_args.beta1,
            beta2=model_args.beta2,
            target_total_rank=model_args.target_total_rank,
            tb_writter=tb_writter,
            tb_writter_loginterval=model_args.tb_writter_loginterval,
        )
    else:
        rankallocator = None

    trainer = Trainer(
        model=model,
        args=training_args,
        train_dataset=train_dataset if training_args.do_train else None,
        data_collator=default_data_collator,
        rankallocator=rankallocator,
        model_args=model_args,
        tb_writter=tb_writter,
    )
    if training_args.do_train:
        trainer.train()
        trainer.save_model()


if __name__ == "__main__":
    main()
'''

GLUING_SH: Final = """\
python -m torch.distributed.run --nproc_per_node=1 \\
examples/text-classification/run_classes.py \\
--model_name_or_path ./tiny \\
--task_name cola \\
--apply_lora --apply_adalora --lora_type svd \\
--target_rank 2   --lora_r 4   \\
--reg_orth_coef 0.1 \\
--init_warmup 4 --final_warmup 10 --mask_interval 4 \\
--beta1 0.8 --beta2 0.85 \\
--lora_module query,key,value,intermediate,layer.output,attention.output \\
--lora_alpha 16 \\
--do_train --per_device_train_batch_size 4 --learning_rate 8e-3 \\
--max_steps 30 --logging_steps 10 --save_strategy no --report_to none \\
--use_cpu --disable_tqdm true --seed 6 \\
--output_dir ./out
"""


def tiny_deberta(folder: Path, dtype: torch.dtype = torch.float32) -> None:
    """Save a DeBERTa that is small enough to be trained in a second."""
    from transformers import DebertaV2Config, DebertaV2ForSequenceClassification

    torch.manual_seed(0)
    config = DebertaV2Config(
        vocab_size=64,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=24,
        max_position_embeddings=32,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        pooler_dropout=0.0,
        type_vocab_size=0,
    )
    model = DebertaV2ForSequenceClassification(config)
    nn.Module.to(model, dtype)
    model.save_pretrained(folder)


class OldTrainer(Trainer):
    """The Trainer of the other copy of transformers, as far as its allocator goes."""

    def __init__(self, *args: Any, rankallocator: Any, model_args: Any, tb_writter: Any, **more: Any) -> None:
        allocator = _Allocating(rankallocator)
        super().__init__(*args, **{**more, "callbacks": [allocator, *more.get("callbacks", [])]})
        self.weight = model_args.reg_orth_coef

    def compute_loss(self, model: nn.Module, *args: Any, **more: Any) -> Any:
        """Add the penalty."""
        loss: Any = super().compute_loss(model, *args, **more)
        return loss + loralib_oracle.compute_orth_regu(model, self.weight)


class _Allocating(TrainerCallback):
    def __init__(self, allocator: loralib_oracle.RankAllocator) -> None:
        self.allocator = allocator

    def on_train_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        self.allocator.set_total_step(state.max_steps)

    def on_optimizer_step(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        self.allocator.update_and_mask(more["model"], state.global_step)


def tiny_bart(folder: Path, dtype: torch.dtype = torch.float32) -> None:
    """Save a BART that is small enough to be trained in a second."""
    from transformers import BartConfig, BartForConditionalGeneration

    torch.manual_seed(0)
    config = BartConfig(
        vocab_size=64,
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=24,
        decoder_ffn_dim=24,
        max_position_embeddings=32,
        dropout=0.0,
        attention_dropout=0.0,
        activation_dropout=0.0,
    )
    model = BartForConditionalGeneration(config)
    nn.Module.to(model, dtype)
    model.save_pretrained(folder)


def with_layers(model: nn.Module, names: Iterable[str], rank: int, alpha: int) -> None:
    """Give the linear layers whose names end so the triplets that the other copy of transformers would."""
    for name, layer in list(model.named_modules()):
        if isinstance(layer, nn.Linear) and name.endswith(tuple(f".{one}" for one in names)):
            made = loralib_oracle.SVDLinear(layer.in_features, layer.out_features, r=rank, lora_alpha=alpha)
            made.load_state_dict(layer.state_dict(), strict=False)
            model.set_submodule(name, made)
