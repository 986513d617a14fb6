"""Scripts of a thousand lines: a Trainer, a loop, a config alone, amid functions that have nothing to do with it.

Each has one mistake, so that a check that found nothing would not pass for a quick one.
"""

from __future__ import annotations

from dataclasses import dataclass

LINES = 1_000


@dataclass(frozen=True, slots=True)
class Script:
    """A text of `LINES` lines, and the code of what is wrong with it."""

    text: str
    code: str


HEAD = '''"""Fine-tune a language model with AdaLoRA."""

from __future__ import annotations

import argparse
import json
import logging
import math
import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from peft import AdaLoraConfig, PeftModel, get_peft_model
from torch.utils.data import DataLoader, Dataset
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    get_linear_schedule_with_warmup,
    set_seed,
)

logger = logging.getLogger(__name__)
PROMPT = "### Instruction:\\n{instruction}\\n\\n### Response:\\n"
IGNORED = -100


@dataclass
class ModelArguments:
    """What is trained."""

    base: str = "model"
    init_r: int = 12
    target_r: int = 4
    alpha: int = 32
    dropout: float = 0.05
    modules: list[str] = field(default_factory=lambda: ["q_proj", "v_proj"])


@dataclass
class DataArguments:
    """What it is trained on."""

    train: str = "train.jsonl"
    test: str = "test.jsonl"
    longest: int = 512
    share: float = 1.0


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--base", default="model", help="folder or name of the base model")
    parser.add_argument("--output", type=Path, default=Path("out"))
    parser.add_argument("--train", default="train.jsonl")
    parser.add_argument("--test", default="test.jsonl")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--accumulate", type=int, default=1)
    parser.add_argument("--lr", type=float, default=2e-4)
    parser.add_argument("--longest", type=int, default=512)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--log-every", type=int, default=10)
    return parser.parse_args()
'''
AROUND = (
    '''

class Rows_NUMBER(Dataset):
    """Rows of a file, tokenized when they are asked for."""

    def __init__(self, path, tokenizer, longest=512):
        self.path, self.tokenizer, self.longest = Path(path), tokenizer, longest
        self.rows = [json.loads(line) for line in self.path.read_text().splitlines() if line.strip()]
        self.cache = {}

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        if index not in self.cache:
            row = self.rows[index]
            prompt = self.tokenizer(PROMPT.format(instruction=row["instruction"]))["input_ids"]
            answer = self.tokenizer(row["output"], add_special_tokens=False)["input_ids"]
            ids = (prompt + answer + [self.tokenizer.eos_token_id])[: self.longest]
            labels = ([IGNORED] * len(prompt) + ids[len(prompt) :])[: self.longest]
            self.cache[index] = {"input_ids": ids, "labels": labels}
        return self.cache[index]
''',
    '''

def collate_NUMBER(batch, pad=0, multiple=8):
    """Pad every row of a batch to the longest one."""
    width = max(len(row["input_ids"]) for row in batch)
    width = math.ceil(width / multiple) * multiple
    ids = torch.full((len(batch), width), pad)
    labels = torch.full((len(batch), width), IGNORED)
    mask = torch.zeros((len(batch), width), dtype=torch.long)
    for number, row in enumerate(batch):
        length = len(row["input_ids"])
        ids[number, :length] = torch.tensor(row["input_ids"])
        labels[number, :length] = torch.tensor(row["labels"])
        mask[number, :length] = 1
    return {"input_ids": ids, "labels": labels, "attention_mask": mask}
''',
    '''

def overlap_NUMBER(predicted, wanted):
    """Count the words that two texts share, as precision, recall and F1."""
    first, second = Counter(predicted.lower().split()), Counter(wanted.lower().split())
    shared = sum((first & second).values())
    if not shared:
        return {"precision": 0.0, "recall": 0.0, "f1": 0.0}
    precision, recall = shared / sum(first.values()), shared / sum(second.values())
    return {"precision": precision, "recall": recall, "f1": 2 * precision * recall / (precision + recall)}
''',
    '''

def report_NUMBER(rows, path, *, digits=3, worst=5):
    """Write the mean of each figure by group, and the worst rows."""
    groups = defaultdict(list)
    for row in rows:
        groups[row.get("group", "all")].append(row)
    table = {}
    for name, members in sorted(groups.items()):
        table[name] = {
            key: round(float(np.mean([member[key] for member in members])), digits)
            for key in ("precision", "recall", "f1")
        }
        logger.info("%s: %d rows, f1 %.3f", name, len(members), table[name]["f1"])
    last = sorted(rows, key=lambda row: row["f1"])[:worst]
    try:
        Path(path).write_text(json.dumps({"table": table, "worst": last}, indent=2))
    except OSError as error:
        logger.warning("no report in %s: %s", path, error)
    return table
''',
    '''

@torch.no_grad()
def perplexity_NUMBER(model, loader, device="cpu"):
    """Give the perplexity of the held-out rows."""
    model.eval()
    total, tokens = 0.0, 0
    for batch in loader:
        batch = {name: tensor.to(device) for name, tensor in batch.items()}
        loss = model(**batch).loss
        count = int((batch["labels"] != IGNORED).sum())
        total += loss.item() * count
        tokens += count
    model.train()
    return math.exp(min(total / max(tokens, 1), 20))
''',
    '''

def sample_NUMBER(model, tokenizer, prompts, *, longest=64, temperature=0.7):
    """Let the model answer a few prompts."""
    answers = []
    for prompt in prompts:
        inputs = tokenizer(PROMPT.format(instruction=prompt), return_tensors="pt")
        with torch.inference_mode():
            ids = model.generate(**inputs, max_new_tokens=longest, do_sample=True, temperature=temperature)
        text = tokenizer.decode(ids[0], skip_special_tokens=True)
        answers.append(text.split("### Response:")[-1].strip())
    return answers
''',
    '''

def split_NUMBER(rows, share=0.9, seed=0):
    """Part rows into two lists, the same way each time."""
    order = list(range(len(rows)))
    random.Random(seed).shuffle(order)
    border = int(len(rows) * share)
    while border < len(rows) and rows[order[border]].get("group") == rows[order[border - 1]].get("group"):
        border += 1
    first = [rows[index] for index in order[:border]]
    second = [rows[index] for index in order[border:]]
    if not first or not second:
        raise ValueError(f"{len(rows)} rows cannot be parted at {share:.0%}")
    return first, second
''',
)
"""What stands around the training in such scripts; NUMBER makes the names differ."""

CONFIGURATION = """
    set_seed(args.seed)
    tokenizer = AutoTokenizer.from_pretrained(args.base)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    train_rows = Rows_0(args.train, tokenizer, args.longest)
    test_rows = Rows_0(args.test, tokenizer, args.longest)
    logger.info("%d rows to train on, %d to test on", len(train_rows), len(test_rows))
    model = AutoModelForCausalLM.from_pretrained(args.base, torch_dtype=torch.float32)
    model.config.use_cache = False
    steps = args.epochs * math.ceil(len(train_rows) / (args.batch_size * args.accumulate))
    config = AdaLoraConfig(
        task_type="CAUSAL_LM",
        init_r=12,
        target_r=4,
        tinit=steps // 10,
        tfinal=steps // 5,
        deltaT=10,
        lora_alpha=32,
        lora_dropout=0.05,
        total_step=steps,
        target_modules=["q_proj", "v_proj"],
    )
    model = get_peft_model(model, config)
    model.print_trainable_parameters()
"""
TRAINER = f'''

class AllocateCallback(TrainerCallback):
    """Let AdaLoRA spend its budget after every step."""

    def on_step_end(self, args, state, control, model=None, **kwargs):
        model.update_and_allocate(state.global_step)


class LogCallback(TrainerCallback):
    """Write what the trainer logs into a file of its own."""

    def __init__(self, path):
        self.path, self.rows = path, []

    def on_log(self, args, state, control, logs=None, **kwargs):
        self.rows.append({{"step": state.global_step, **(logs or {{}})}})
        self.path.write_text(json.dumps(self.rows))


def main():
    args = parse_arguments()
    logging.basicConfig(level=logging.INFO)
    args.output.mkdir(parents=True, exist_ok=True){CONFIGURATION}
    arguments = TrainingArguments(
        str(args.output),
        num_train_epochs=args.epochs,
        per_device_train_batch_size=args.batch_size,
        gradient_accumulation_steps=args.accumulate,
        learning_rate=args.lr,
        logging_steps=args.log_every,
        save_strategy="no",
        report_to="none",
    )
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=train_rows,
        eval_dataset=test_rows,
        data_collator=collate_0,
        callbacks=[AllocateCallback(), LogCallback(args.output / "log.json")],
    )
    trainer.train()
    loader = DataLoader(test_rows, batch_size=args.batch_size, collate_fn=collate_0)
    logger.info("perplexity %.2f", perplexity_0(model, loader))
    model.save_pretrained(args.output)


if __name__ == "__main__":
    main()
'''
LOOP = f'''

def train_epoch(model, loader, optimizer, scheduler, step, args):
    """Go through the rows once; give the number of the next step."""
    losses = []
    for batch in loader:
        loss = model(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        optimizer.zero_grad()
        model.base_model.update_and_allocate(step)
        losses.append(loss.item())
        if step % args.log_every == 0:
            logger.info("step %d, loss %.3f", step, sum(losses[-args.log_every :]) / args.log_every)
        step += 1
    return step


def main():
    args = parse_arguments()
    logging.basicConfig(level=logging.INFO)
    args.output.mkdir(parents=True, exist_ok=True){CONFIGURATION}
    train_loader = DataLoader(train_rows, batch_size=args.batch_size, shuffle=True, collate_fn=collate_0)
    test_loader = DataLoader(test_rows, batch_size=args.batch_size, collate_fn=collate_0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr)
    scheduler = get_linear_schedule_with_warmup(optimizer, steps // 20, steps)
    step, best = 0, math.inf
    for epoch in range(args.epochs):
        step = train_epoch(model, train_loader, optimizer, scheduler, step, args)
        found = perplexity_0(model, test_loader)
        logger.info("epoch %d: perplexity %.2f", epoch, found)
        if found < best:
            best = found
            model.save_pretrained(args.output / "best")
    for answer in sample_0(model, tokenizer, ["Name three rivers.", "What is a rank?"]):
        logger.info("%s", answer)


if __name__ == "__main__":
    main()
'''
NO_LOOP = '''

def build_config(args: ModelArguments, steps: int) -> AdaLoraConfig:
    """Say how the adapter is shaped; whoever calls this trains it."""
    return AdaLoraConfig(
        task_type="CAUSAL_LM",
        r=8,
        init_r=args.init_r,
        target_r=args.target_r,
        tinit=steps // 10,
        tfinal=steps // 5,
        lora_alpha=args.alpha,
        lora_dropout=args.dropout,
        total_step=steps,
        target_modules=args.modules,
    )


def load_trained(base: str, folder: str) -> PeftModel:
    """Load a trained adapter for generation."""
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), folder)
    return model.eval()
'''


def scripts() -> dict[str, Script]:
    """Give the scripts by what they do."""
    return {
        "a Trainer and a callback": Script(_long(TRAINER), "ADA405"),
        "a loop of its own": Script(_long(LOOP), "ADA402"),
        "no training at all": Script(_long(NO_LOOP), "ADA101"),
    }


def _long(training: str) -> str:
    """Put so many functions before the training that the whole has `LINES` lines."""
    missing = LINES - HEAD.count("\n") - training.count("\n")
    around: list[str] = []
    while (one := AROUND[len(around) % len(AROUND)]).count("\n") <= missing:
        around.append(one.replace("NUMBER", str(len(around) // len(AROUND))))
        missing -= one.count("\n")
    return HEAD + "".join(around) + "\n" * missing + training
