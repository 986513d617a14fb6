"""Random configurations, and what the real PEFT does with each: the stage and class of the first exception.

A configuration is constructed, wrapped around a tiny model, trained for its whole schedule with the allocator called
after every optimizer step, and saved.

Run as a program, it does that with whatever release of PEFT comes first on its path, and prints the outcomes as JSON.
"""

from __future__ import annotations

import io
import json
import random
import re
import sys
import tempfile
import traceback
import warnings
from contextlib import redirect_stderr
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import peft
import torch
from peft import AdaLoraConfig, get_peft_model
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM

from adalint.plan import Counter, Loop
from adalint.releases import NEWEST, in_range
from adalint.schema import Stage, fields_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

LAYERS = 2
MODULES = ("q_proj", "v_proj")
WIDTH = 8
WORDS = 12
LONGEST = 12
"""Optimizer steps that are trained at most; schedules are drawn to end before, or at it."""

NAN, INF = float("nan"), float("inf")


@dataclass(frozen=True, slots=True)
class Case:
    """One configuration, and the counter with which its run calls the allocator."""

    values: Mapping[str, Any]
    start: int = 0

    @property
    def steps(self) -> int:
        """Count the optimizer steps of the run."""
        total = self.values.get("total_step")
        if isinstance(total, int | float) and 0 < total <= LONGEST:
            return int(total)
        return LONGEST

    @property
    def loop(self) -> Loop:
        """Describe the run to the trace."""
        return Loop(counter=Counter(start=self.start), steps=self.steps)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The stage at which PEFT raised, and what; None and None when the run finished and was saved.

    `losses` are those of every step, `tensors` the adapter's at the end of a run that was asked to keep them.
    """

    stage: Stage | None
    exception: str | None
    detail: str = field(default="", compare=False)
    losses: tuple[float, ...] = field(default=(), compare=False)
    tensors: Mapping[str, torch.Tensor] = field(default_factory=dict, compare=False)


ORDINARY: Mapping[str, tuple[Any, ...]] = {
    "init_r": (2, 3, 4, 6),
    "target_r": (1,),
    "total_step": (4, 6, 8, 12),
    "target_modules": (["q_proj", "v_proj"], ["q_proj"], ("q_proj", "v_proj"), {"v_proj"}),
}
"""What every configuration starts from."""

UNUSUAL: Mapping[str, tuple[Any, ...]] = {
    "init_r": (12, 1, 0, -1, True, 4.0, None, "4", NAN, [4]),
    "target_r": (8, 2, 3, 4, 0, -1, -3, 2.5, 0.5, True, None, "2", NAN, INF, [2], {"q_proj": 2}),
    "tinit": (0, 1, 3, 6, -1, -5, 1.5, True, None, "1", NAN, INF, -INF, [1]),
    "tfinal": (0, 1, 3, 6, -1, -5, 1.5, True, None, "1", NAN, INF, -INF, [1]),
    "deltaT": (1, 2, 3, 5, 100, 0, -2, 2.5, 0.0, True, False, None, "2", NAN, INF, [1]),
    "beta1": (0.5, 0.99, 0, 1, -1, 1.5, 0.0, 1.0, True, None, "0.85", NAN, INF, [0.5]),
    "beta2": (0.5, 0.99, 0, 1, -1, 1.5, 0.0, 1.0, True, None, "0.85", NAN, INF, [0.5]),
    "orth_reg_weight": (0, 0.1, 5, -1, -0.1, True, None, "0.5", NAN, INF, [1]),
    "total_step": (1, 2, 3, 5, 100, 0, -5, 6.5, 6.0, True, False, None, "6", NAN, INF, [6]),
    "rank_pattern": ({}, {"q_proj": 4}, {"nope": 4}, [], 5, ["a"], "q_proj", {"(": 1}, None, 0),
    "r": (8, 16, 0, -1, None, "16", 2.5, [8]),
    "lora_alpha": (16, 0.5, 0, -8, True, None, "16", NAN, [16]),
    "lora_dropout": (0.1, 1, 0, -0.5, 1.5, 2, True, None, "0.1", NAN, INF, [0.1]),
    "target_modules": (
        r".*\.q_proj",
        "all-linear",
        ["embed_tokens"],
        ["q_proj", "model.embed_tokens"],
        "(",
        ["q_proj", 1],
        [["q_proj"]],
        5,
        True,
        0.5,
    ),
    "exclude_modules": (["v_proj"], [], r".*\.v_proj", ["nope"], "(", [["v_proj"]], [1], 5, 0, False),
    "fan_in_fan_out": (True, False, None, "yes", 1),
    "bias": ("none", "all", "lora_only", "boft_only", "some", "None", "", None, True, False, 0, ["all"]),
    "use_rslora": (True, False, None, "yes", 1),
    "modules_to_save": (["norm"], ["nope"], [], [1], [0.5], 5, 0, False, True, 0.5, ("norm",)),
    "init_lora_weights": (True, False, None, "gaussian", "pissa", "olora", "eva", "corda", "typo", "", 0, 1, ["x"]),
    "layers_to_transform": ([0], 0, [0, 1], [], [1], 1),
    "layers_pattern": ("layers", ["layers"], "", [], 5, True),
    "alpha_pattern": ({"q_proj": 4}, {"nope": 4}, {}, None, 5, ["q_proj"], {"(": 1}, 0, True),
    "megatron_config": ({}, {"a": 1}, 5, None),
    "megatron_core": ("other", None, 5),
    "trainable_token_indices": ([0, 1], {"embed_tokens": [2]}, None),
    "loftq_config": ({"loftq_bits": 4}, {}, None, 5, "x"),
    "eva_config": ({}, {"rho": 2.0}, True, "x", 5, [1], False),
    "corda_config": ({}, True, "x", 5, [1]),
    "lora_ga_config": ({}, True, "x", 5, [1]),
    "use_dora": (True, False, None, "no", 0),
    "velora_config": ({}, True, "x", 5, [1]),
    "alora_invocation_tokens": ([1, 2], None),
    "use_qalora": (True, False, "yes"),
    "qalora_group_size": (8, 0, None, "x"),
    "monteclora_config": ({}, None, 5, "x"),
    "layer_replication": ([], None, 5, True, 0.5),
    "runtime_config": ({"ephemeral_gpu_offload": True}, None, 5),
    "lora_bias": (True, False, None, 1),
    "target_parameters": (["embed_tokens.weight"], [], "embed_tokens.weight", 5, True, 0),
    "use_bdlora": ({}, True, "x", 5, False),
    "arrow_config": ({}, True, "x", 5),
    "kasa_config": ({}, True, "x", 5),
    "ensure_weight_tying": (True, False, "yes"),
    "task_type": ("CAUSAL_LM", "causal_lm", "CAUSAL", "", 5, ["CAUSAL_LM"], None),
    "peft_type": ("ADALORA", "LORA", "adalora", 5),
    "auto_mapping": ({"a": "b"}, 5),
    "peft_version": ("0.1.0", "x", 5),
    "base_model_name_or_path": ("gpt2", 5),
    "revision": ("main", 5),
    "inference_mode": (True, False, None, "false", 1),
    "delta_t": (2,),
    "rank": (4,),
    "lora_config": (None,),
}
"""Valid, edge and wrong values of every field, and three names that are none."""

TOGETHER: tuple[Mapping[str, tuple[Any, ...]], ...] = (
    {"task_type": ("CAUSAL_LM",), "alora_invocation_tokens": ([1, 2], [])},
    {"task_type": ("CAUSAL_LM",), "orth_reg_weight": (0, 0.1, INF), "deltaT": (1, 2)},
    {"task_type": ("CAUSAL_LM", None), "inference_mode": (True, 1)},
    {"rank_pattern": ({"q_proj": 4}, {"nope": 4}, ["a"], "q_proj", {}), "deltaT": (100,), "total_step": (5, 6.5)},
    {"rank_pattern": ({"q_proj": 4}, ["a"]), "inference_mode": (True,)},
    {
        "target_modules": (r".*\.q_proj", "all-linear"),
        "layers_to_transform": ([0], 0, []),
        "layers_pattern": ("layers",),
    },
    {"layers_to_transform": ([0], 1, []), "layers_pattern": ("layers", ["layers"], 5, "")},
    {"lora_bias": (True, 1), "init_lora_weights": (True, False, None, 1, "olora", "typo")},
    {"init_r": (0, -1, 1), "target_r": (0, 1, -1), "deltaT": (0, 1, 5)},
    {"target_r": (-1, -2, -3), "tinit": (0, 1), "deltaT": (1, 2, 3)},
    {"tinit": (-5, -1, 0, 2, 4), "tfinal": (-2, 0, 2, 4), "total_step": (1, 4, 6, 9, 12), "deltaT": (1, 2, 3, 7)},
    {"tinit": (0.5, 1.5, NAN), "tfinal": (0.5, 1.5, NAN, INF), "total_step": (6.5, INF, NAN), "deltaT": (2.5, 7, NAN)},
    {"beta1": (0, 1.5, None), "target_r": (None, "2", 8), "bias": ("some", None)},
)
"""Fields that only show their ways in company."""

EXCLUDED: tuple[tuple[str, str, Callable[[Mapping[str, Any]], bool]], ...] = (
    (
        "exclude_modules",
        "",
        lambda v: v["target_modules"] == {"v_proj"} and v.get("exclude_modules") in (["v_proj"], r".*\.v_proj"),
    ),
    ("inference_mode", "", lambda v: bool(v.get("inference_mode")) and v.get("bias", "none") != "none"),
    ("schedule", "", lambda v: v.get("deltaT") in (NAN, INF) and _is_negative(v.get("tinit", 0))),
    ("target_modules", "<0.19", lambda v: v["target_modules"] == ["q_proj", 1]),
    (
        "target_modules",
        "<0.15",
        lambda v: v["target_modules"] == "all-linear" and v.get("task_type") != "CAUSAL_LM",
    ),
    ("modules_to_save", "<0.14", lambda v: v.get("modules_to_save") == [1]),
)
"""What is not drawn: the entry of `adalint.schema.UNDECIDABLE` that says why, the releases, the configurations meant.

Other undecidable things do not occur, since the values above are drawn with the tiny models in mind.
"""


def is_excluded(values: Mapping[str, Any], release: str = NEWEST) -> bool:
    """Tell whether nobody can know from the configuration alone what the release does with it."""
    return any(in_range(release, peft) and excluded(values) for _, peft, excluded in EXCLUDED)


def _is_negative(value: object) -> bool:
    return isinstance(value, int | float) and value < 0


LIKELY = ("init_r", "target_r", "tinit", "tfinal", "deltaT", "total_step", "rank_pattern", "task_type")


NO_FIELDS = ("delta_t", "rank", "lora_config")
SEED = 20_2102


def generate(count: int, release: str = NEWEST, seed: int = SEED) -> list[Case]:
    """Draw configurations with one to four unusual fields each; every unusual value is drawn alone, too.

    Of a field that the release does not have, only the first unusual value is drawn, and alone.
    """
    rng = random.Random(seed)
    drawn = {*fields_of(release), *NO_FIELDS}
    alone = (
        {name: value} for name, unusual in UNUSUAL.items() for value in (unusual if name in drawn else unusual[:1])
    )
    cases: list[Case] = []
    while len(cases) < count:
        unusual = next(alone, None) or _draw_unusual(rng, drawn)
        ordinary = {name: rng.choice(values) for name, values in ORDINARY.items()}
        case = Case({**ordinary, **unusual}, start=rng.choice((0, 1)))
        if not is_excluded(case.values, release):
            cases.append(case)
    return cases


def _draw_unusual(rng: random.Random, drawn: Collection[str]) -> dict[str, Any]:
    names = tuple(name for name in UNUSUAL if name in drawn)
    if rng.random() < 0.4:
        together = {name: values for name, values in rng.choice(TOGETHER).items() if name in drawn}
        others = rng.sample(names, rng.choice((0, 0, 1)))
        return {name: rng.choice(together.get(name, UNUSUAL[name])) for name in (*together, *others)}
    likely = rng.sample(LIKELY, rng.choice((0, 1, 2)))
    return {name: rng.choice(UNUSUAL[name]) for name in (*likely, *rng.sample(names, 1))}


class _Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.q_proj = nn.Linear(WIDTH, WIDTH)
        self.v_proj = nn.Linear(WIDTH, WIDTH)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        change: torch.Tensor = self.v_proj(torch.tanh(self.q_proj(hidden)))
        return hidden + change


class _Body(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(WORDS, WIDTH)
        self.layers = nn.ModuleList(_Block() for _ in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH)

    def forward(self, words: torch.Tensor) -> torch.Tensor:
        hidden: torch.Tensor = self.embed_tokens(words)
        for layer in self.layers:
            hidden = layer(hidden)
        normal: torch.Tensor = self.norm(hidden)
        return normal


class _Plain(nn.Module):
    """A model of bare torch, with module names as in Llama."""

    def __init__(self) -> None:
        super().__init__()
        self.model = _Body()

    def forward(self, input_ids: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        loss: torch.Tensor = (self.model(input_ids).sum(dim=-1) - labels).pow(2).mean()
        return loss


@cache
def _weights(kind: str) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return _build(kind).state_dict()


def _build(kind: str) -> nn.Module:
    if kind == "plain":
        return _Plain()
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=WORDS,
            hidden_size=WIDTH,
            intermediate_size=WIDTH,
            num_hidden_layers=LAYERS,
            num_attention_heads=2,
            max_position_embeddings=16,
        )
    )


def observe(case: Case, *, keep: bool = False) -> Outcome:
    """Run a case through PEFT, from the constructor to `save_pretrained`; `keep` the tensors that come of it."""
    losses: list[float] = []
    tensors: dict[str, torch.Tensor] = {}
    kind = "llama" if case.values.get("task_type") == "CAUSAL_LM" else "plain"
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder, redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        stage = Stage.CONSTRUCTION
        try:
            config = AdaLoraConfig(**_copied(case.values))
            stage = Stage.WRAP
            base = _build(kind)
            base.load_state_dict(_weights(kind))
            torch.manual_seed(0)
            model: Any = get_peft_model(base, config)
            stage = Stage.FORWARD
            optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
            words = torch.randint(WORDS, (2, 4), generator=torch.Generator().manual_seed(0))
            masked = False
            for index in range(case.steps):
                stage = Stage.FORWARD
                output = model(input_ids=words, labels=words)
                loss = output if isinstance(output, torch.Tensor) else output.loss
                losses.append(loss.item())
                loss.backward()
                optimizer.step()
                stage = Stage.STEP if masked else Stage.FIRST_MASK
                given = config.rank_pattern
                model.base_model.update_and_allocate(case.start + index)
                # Training puts a new object there; the user's own stays the same one.
                masked = masked or config.rank_pattern is not given
                optimizer.zero_grad()
            if keep:
                tensors = {name: p.detach().clone() for name, p in model.named_parameters() if "lora_" in name}
            stage = Stage.SAVE
            # PEFT adds to a card that is there; to make a new one costs more than the training.
            (Path(folder) / "README.md").write_text("---\nlicense: mit\n---\n")
            model.save_pretrained(folder)
        except Exception as raised:  # noqa: BLE001 - whatever PEFT raises is the answer
            if stage is Stage.FIRST_MASK and not _came_through(raised, "budget_schedule", "mask_to_budget"):
                stage = Stage.STEP
            return Outcome(stage, _name(raised), str(raised)[:120], tuple(losses), tensors)
    return Outcome(None, None, "", tuple(losses), tensors)


def _came_through(raised: BaseException, *functions: str) -> bool:
    return any(frame.name in functions for frame in traceback.extract_tb(raised.__traceback__))


def _name(raised: BaseException) -> str:
    return "re.error" if isinstance(raised, re.error) else type(raised).__name__


def _copied(values: Mapping[str, Any]) -> dict[str, Any]:
    """Copy containers, which PEFT may change in place."""
    return {
        name: type(value)(value) if isinstance(value, list | dict | set) else value for name, value in values.items()
    }


def adapted_modules(values: Mapping[str, Any]) -> int:
    """Count the modules that a configuration adapts in the tiny models, which all have both projections per layer."""
    targets = values["target_modules"]
    names = [name for name in MODULES if not isinstance(targets, list | tuple | set) or name in targets]
    if targets == r".*\.q_proj":
        names = ["q_proj"]
    if values.get("exclude_modules") in (["v_proj"], r".*\.v_proj"):
        names = [name for name in names if name != "v_proj"]
    chosen = values.get("layers_to_transform")
    layers = LAYERS if chosen in (None, [], [0, 1]) else 1
    return max(1, len(names) * layers)


def _observe_all(count: int, release: str) -> list[tuple[str | None, str | None, str]]:
    """Run the configurations that are drawn for a release through it; the release must be the one that is imported."""
    if peft.__version__ != release:
        raise SystemExit(f"this is PEFT {peft.__version__}, not {release}")
    # Tensors of a few numbers only wait for each other.
    torch.set_num_threads(1)
    outcomes = [observe(case) for case in generate(count, release)]
    return [(outcome.stage, outcome.exception, outcome.detail) for outcome in outcomes]


if __name__ == "__main__":
    print(json.dumps(_observe_all(int(sys.argv[1]), sys.argv[2])))
