"""`adalint migrate loralib-to-peft`: the same budgets and masks in PEFT, or the file is left as it is, and told why."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

import nbformat
import pytest
import torch
from commands import run
from loralib_runs import Record, executed, probed
from loralib_scripts import ACCUMULATED, CHILDREN, FUNCTIONS, PLAIN, REPLACED, RUN, TRAINER, WRAPPER

from adalint.api import check_text
from adalint.migrate.loralib_to_peft import to_peft
from adalint.settings import Settings
from adalint.source import Kind, Source

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from adalint.migrate.texts import Migrated

RANKS = {
    "plain": (4, 2),
    "class around it": (4, 2),
    "functions": (4, 2),
    "accumulated": (4, 2),
    "named children": (6, 6),
}
"""What is left of all ranks, and in how many modules; eight in four for the others."""

QUICK = {"trainer"}


@cache
def migrated(text: str, name: str = "train.py") -> Migrated:
    return to_peft(Source.decode(name, Kind.PYTHON, text.encode()), Settings())


def reasons(text: str) -> str:
    outcome = migrated(text)
    assert not outcome.changed
    assert outcome.after == outcome.before
    assert outcome.done == ()
    return "\n".join(note.text for note in outcome.left)


class TestScripts:
    @pytest.mark.parametrize(
        "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in RUN]
    )
    def test_a_migrated_script_runs_and_keeps_as_many_ranks_as_it_asks_for(self, name: str, tmp_path: Path) -> None:
        outcome = migrated(RUN[name])
        assert (outcome.changed, outcome.left) == (True, ())
        (tmp_path / "train.py").write_text(outcome.after.text)
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
        command = [sys.executable, "train.py"]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        [config] = tmp_path.rglob("adapter_config.json")
        masks = json.loads(config.read_text())["rank_pattern"]
        assert (sum(map(sum, masks.values())), len(masks)) == RANKS.get(name, (8, 4))

    @pytest.mark.parametrize("name", RUN)
    def test_nothing_is_found_in_it_and_moving_it_again_changes_nothing(self, name: str) -> None:
        after = migrated(RUN[name]).after
        assert check_text(after.text, filename="train.py").findings == ()
        assert "loralib" not in after.text.replace("as loralib's", "")
        again = migrated(after.text)
        assert (again.changed, again.done, again.left) == (False, (), ())

    @pytest.mark.parametrize("name", RUN)
    def test_lines_that_are_none_of_its_affair_stay(self, name: str) -> None:
        words = ("lora", "SVDLinear", "Allocator", "allocator", "compute_orth_regu", "orth_coef", "update_and_mask")
        arguments = (
            "target_rank=",
            "_warmup=",
            "mask_interval=",
            "beta1=",
            "beta2=",
            "total_step=",
            "model_args=",
            "=args.",
        )
        lost = Counter(RUN[name].splitlines()) - Counter(migrated(RUN[name]).after.text.splitlines())
        assert [
            line
            for line in lost
            if line.partition("#")[0].strip() not in {"model,", ")"}
            and not any(word in line for word in (*words, *arguments))
        ] == []


def with_schedule(text: str, init_warmup: int, final_warmup: int, mask_interval: int) -> str:
    for name, number in (("init", init_warmup), ("final", final_warmup)):
        was = next(line for line in text.replace(", ", ",\n").splitlines() if f"{name}_warmup=" in line).strip()
        text = text.replace(was.rstrip(","), f"{name}_warmup={number}", 1)
    was = next(line for line in text.replace(", ", ",\n").splitlines() if "mask_interval=" in line).strip()
    return text.replace(was.rstrip(","), f"mask_interval={mask_interval}", 1)


def of_schedules(*schedules: tuple[int, int, int]) -> pytest.MarkDecorator:
    """Run the first schedule always, the others in the slow stage."""
    first, *others = schedules
    return pytest.mark.parametrize(
        "schedule", [first, *(pytest.param(one, marks=pytest.mark.slow) for one in others)], ids=str
    )


of_even_ones = of_schedules((5, 10, 2), (0, 10, 1), (7, 1, 3), (13, 20, 4))
"""The final phase begins at a step that is a multiple of the interval."""
of_uneven_ones = of_schedules((5, 10, 4), (0, 9, 2), (7, 3, 8))


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")  # PEFT asks transformers for it
@pytest.mark.filterwarnings("ignore:Adapter 'default'")  # saved modules of rank 0, of which PEFT warns
class TestAgainstTheOriginal:
    @pytest.fixture
    def both(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], tuple[Record, Record]]:
        """Run a script as it was and as it becomes, from the same weights, with the same batches."""

        def run_both(text: str) -> tuple[Record, Record]:
            text = probed(text)
            outcome = migrated(text)
            assert outcome.changed, outcome.left
            before = executed(text, tmp_path, monkeypatch)
            after = executed(outcome.after.text, tmp_path, monkeypatch)
            assert before.budgets[0] > before.budgets[-1]
            assert before.budgets == after.budgets
            assert len(before.values) == len(after.values) == len(before.budgets)
            return before, after

        return run_both

    @of_even_ones
    def test_masks_and_values_are_equal_at_every_step_where_the_freeze_falls_on_a_cut(
        self, schedule: tuple[int, int, int], both: Callable[[str], tuple[Record, Record]]
    ) -> None:
        before, after = both(with_schedule(PLAIN, *schedule))
        assert (before.budgets[0], before.budgets[-1], len(before.budgets)) == (8, 4, 40)
        assert before.masks() == after.masks()
        assert_equal(before.values, after.values)
        freeze = 40 - schedule[1]
        assert_equal(before.spreads[:freeze], after.spreads[:freeze])

    @of_uneven_ones
    def test_elsewhere_peft_cuts_one_step_earlier_and_by_the_same_scores(
        self, schedule: tuple[int, int, int], both: Callable[[str], tuple[Record, Record]]
    ) -> None:
        records = both(with_schedule(PLAIN, *schedule))
        before, after = (one.masks() for one in records)
        freeze = 40 - schedule[1]
        assert_equal(records[0].values[:freeze], records[1].values[:freeze])
        assert [step for step in range(40) if before[step] != after[step]] == [freeze]
        assert sum(map(sum, after[freeze].values())) == 4 < sum(map(sum, before[freeze].values()))
        assert after[freeze] == before[freeze + 1]

    @pytest.mark.parametrize(
        ("text", "freeze"),
        [
            pytest.param(CHILDREN, 21, id="own loss"),
            pytest.param(FUNCTIONS, 30, id="functions", marks=pytest.mark.slow),
            pytest.param(ACCUMULATED, 30, id="accumulated", marks=pytest.mark.slow),
        ],
    )
    def test_other_shapes_of_scripts_do_the_same(
        self, text: str, freeze: int, both: Callable[[str], tuple[Record, Record]]
    ) -> None:
        before, after = both(text)
        assert before.masks()[:freeze] == after.masks()[:freeze]
        assert before.masks()[freeze + 1 :] == after.masks()[freeze + 1 :]
        assert_equal(before.values[:freeze], after.values[:freeze])


def assert_equal(some: list[dict[str, torch.Tensor]], others: list[dict[str, torch.Tensor]]) -> None:
    for one, other in zip(some, others, strict=True):
        assert one.keys() == other.keys()
        for name in one:
            torch.testing.assert_close(one[name], other[name], rtol=1e-7, atol=1e-10)


MEDICAL = """\
import torch
import models.sam.image_encoder
from models.common import loralib as lora
from torch import optim


def train_sam(args, net, optimizer, train_loader, epoch):
    for pack in train_loader:
        if args.mod == "sam_adalora":
            rankallocator = lora.RankAllocator(
                net, lora_r=4, target_rank=8, init_warmup=500, final_warmup=1500, mask_interval=10,
                total_step=3000, beta1=0.85, beta2=0.85,
            )
        loss = net(pack["image"]).mean()
        (loss + lora.compute_orth_regu(net, regu_weight=0.1)).backward()
        optimizer.step()
        rankallocator.update_and_mask(net, epoch)
        optimizer.zero_grad()
"""

RUN_GLUE = """\
import sys

from loralib import RankAllocator
from transformers import AutoConfig, AutoModelForSequenceClassification, HfArgumentParser, Trainer, TrainingArguments
from arguments import DataTrainingArguments, ModelArguments

parser = HfArgumentParser((ModelArguments, DataTrainingArguments, TrainingArguments))
model_args, data_args, training_args = parser.parse_args_into_dataclasses()
config = AutoConfig.from_pretrained(
    model_args.model_name_or_path,
    apply_lora=model_args.apply_lora,
    lora_type=model_args.lora_type,
    lora_module=model_args.lora_module,
    lora_r=model_args.lora_r,
)
model = AutoModelForSequenceClassification.from_pretrained(model_args.model_name_or_path, config=config)
if model_args.apply_adalora:
    rankallocator = RankAllocator(
        model,
        lora_r=model_args.lora_r,
        target_rank=model_args.target_rank,
        init_warmup=model_args.init_warmup,
        final_warmup=model_args.final_warmup,
        mask_interval=model_args.mask_interval,
        beta1=model_args.beta1,
        beta2=model_args.beta2,
    )
trainer = Trainer(model=model, args=training_args, rankallocator=rankallocator, model_args=model_args)
trainer.train()
"""

PLAIN_CALL = "rankallocator.update_and_mask(model, global_step)"


class TestLeft:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (MEDICAL, "made anew in a loop"),
            (RUN_GLUE, "init_r=model_args.lora_r, target_r=model_args.target_rank, tinit=model_args.init_warmup"),
            (PLAIN[: PLAIN.index("lora.mark_only")], "no RankAllocator is made in this file"),
            (PLAIN.replace("nn.Linear(16, 2)", "lora.Linear(16, 2, r=4)"), "lora.Linear has nothing of its kind"),
            (PLAIN.replace("head = nn.Linear", "second = nn.Linear"), "second is a plain layer here"),
            (PLAIN.replace("16, r=4, lora_alpha=16, bias", "16, r=8, lora_alpha=16, bias"), "differ in r (4, 8)"),
            (PLAIN.replace("lora_alpha=16, bias", "lora_alpha=16, fan_in_fan_out=True, bias"), "fan_in_fan_out"),
            (PLAIN.replace("r=4, lora_alpha=16)", "**lora_arguments)"), "does not show by name"),
            (PLAIN.replace("self.first = ", "self.layers['first'] = "), "target_modules cannot be written"),
            (PLAIN.replace("    target_rank=2,\n", "    target_rank=2,\n    target_total_rank=5,\n"), "is a sum"),
            (PLAIN.replace("    target_rank=2,\n", "    target_rank=2,\n    k=2,\n"), "loralib knows no k"),
            (PLAIN.replace("    mask_interval=2,\n", ""), "without mask_interval raises TypeError"),
            (PLAIN.replace("    total_step=40,\n", ""), "total_step is told nowhere"),
            (PLAIN.replace(PLAIN_CALL, f"rank, _ = {PLAIN_CALL}\n        print(rank)"), "returns nothing"),
            (PLAIN.replace("torch.save(", "print(rankallocator.get_rank_pattern())\ntorch.save("), "get_rank_pattern"),
            (PLAIN.replace("torch.save(lora", "keep(lora"), "lora_state_dict is used otherwise"),
            (PLAIN.replace('"out/adalora.pt")', "*path)"), "lora_state_dict is used otherwise"),
            (
                PLAIN.replace("compute_orth_regu(model, regu", "compute_orth_regu(regu"),
                "without model raises TypeError",
            ),
            (PLAIN.replace("global_step = 0", "hand_on(rankallocator)"), "does not show"),
            (PLAIN.replace("global_step = 0", "rankallocator = None"), "rankallocator is not always the allocator"),
            (PLAIN.replace(PLAIN_CALL, "other.update_and_mask(model, global_step)"), "does not lead to the allocator"),
            (PLAIN.replace("lora.mark_only_lora_as_trainable(model)", ""), "freezes the rest of the model"),
            (
                PLAIN.replace("lora.mark_only", "early = torch.optim.SGD(model.parameters(), lr=1)\nlora.mark_only"),
                "the parameters are taken, or changed, before",
            ),
            (PLAIN.replace(PLAIN_CALL, "pass"), "update_and_mask is not called"),
            (PLAIN.replace(PLAIN_CALL, "rankallocator.update_and_mask(other, global_step)"), "other is not told to be"),
            (
                PLAIN.replace("for epoch in", "lora.mark_only_lora_as_trainable(model)\nfor epoch in"),
                "a second mark_only",
            ),
            (
                PLAIN.replace(
                    "lora.mark_only_lora_as_trainable(model)", "lora.mark_only_lora_as_trainable(model.first)"
                ),
                "another model",
            ),
            (
                PLAIN.replace("from loralib import RankAllocator, compute_orth_regu", "from loralib import *"),
                "what a star imports",
            ),
            (PLAIN.replace("    target_rank=2,", "    target_rank=4,"), "ADA102"),
            (PLAIN.replace("    final_warmup=10,", "    final_warmup=38,"), "ADA203"),
            (
                PLAIN.replace("        optimizer.zero_grad()\n", "").replace(
                    "        optimizer.step()\n", "        optimizer.step()\n        optimizer.zero_grad()\n"
                ),
                "ADA402",
            ),
            (PLAIN.replace("    for _ in range(20):", "    global_step = 0\n    for _ in range(20):"), "ADA409"),
            (
                "if True:\n    import loralib as lora\n"
                + PLAIN.replace("import loralib as lora\n", "")
                .replace("from loralib import RankAllocator, compute_orth_regu\n", "")
                .replace("RankAllocator", "lora.RankAllocator")
                .replace(" compute_orth", " lora.compute_orth"),
                "within a function or a condition",
            ),
        ],
    )
    def test_what_cannot_be_moved_whole_is_left_and_told(self, text: str, said: str) -> None:
        assert text not in RUN.values()
        assert said in reasons(text)

    def test_a_length_that_is_known_after_the_optimizer_has_its_parameters(self) -> None:
        text = PLAIN.replace("    total_step=40,\n", "    total_step=total,\n").replace(
            "lora.mark_only_lora_as_trainable(model)\n",
            "lora.mark_only_lora_as_trainable(model)\nearly = torch.optim.SGD(model.parameters(), lr=1e-2)\ntotal = 40\n",
        )
        assert "the parameters are taken, or changed, before" in reasons(text)

    def test_a_model_that_a_function_wraps_for_its_caller(self) -> None:
        text = (
            PLAIN.replace("model = Net()\nlora", "model = Net()\n\n\ndef prepare(model):\n    lora")
            .replace("rankallocator = RankAllocator(", "    allocator = RankAllocator(")
            .replace(
                "    beta2=0.7,\n)\n",
                "    beta2=0.7,\n    )\n    return allocator\n\n\nrankallocator = prepare(model)\n",
            )
        )
        compile(text, "train.py", "exec")
        assert reasons(text)

    @pytest.mark.parametrize(
        "text",
        [
            "import loralib as lora\n\nlayer = lora.Linear(8, 8, r=4)\nlora.mark_only_lora_as_trainable(layer)\n",
            "from nflows.transforms.svd import SVDLinear\n\nlayer = SVDLinear(8, num_householder=4)\n",
            '"""RankAllocator and SVDLinear of loralib."""\n',
            "class RankAllocator: ...\n\n\nallocator = RankAllocator()\n",
        ],
    )
    def test_what_is_no_adalora_of_loralib_is_none_of_its_affair(self, text: str) -> None:
        outcome = migrated(text)
        assert (outcome.changed, outcome.done, outcome.left) == (False, (), ())

    def test_places_are_those_of_what_keeps_the_file(self) -> None:
        note, *_ = migrated(PLAIN.replace("self.first = ", "self.layers['first'] = ")).left
        row = PLAIN.splitlines().index("        self.first = lora.SVDLinear(8, 16, r=4, lora_alpha=16)") + 1
        assert note.position.row == row

    def test_every_use_in_a_file_that_stays_is_listed_with_what_stands_for_it(self) -> None:
        _, *notes = migrated(PLAIN.replace("global_step = 0", "hand_on(rankallocator)")).left
        rows = PLAIN.splitlines()
        assert [(rows[note.position.row - 1].strip(), note.text.partition(" is ")[2]) for note in notes] == [
            (
                "self.first = lora.SVDLinear(8, 16, r=4, lora_alpha=16)",
                'nn.Linear and "first" in target_modules of PEFT\'s configuration',
            ),
            (
                "self.second = lora.SVDLinear(16, 16, r=4, lora_alpha=16, bias=False)",
                'nn.Linear and "second" in target_modules of PEFT\'s configuration',
            ),
            (
                "lora.mark_only_lora_as_trainable(model)",
                "get_peft_model(model, config), which freezes the rest of the model as well",
            ),
            (
                "rankallocator = RankAllocator(",
                "AdaLoraConfig(init_r=4, target_r=2, tinit=5, tfinal=10, deltaT=2, beta1=0.85, beta2=0.7, total_step=40)",
            ),
            (
                "(loss + compute_orth_regu(model, regu_weight=0.1)).backward()",
                (
                    "orth_reg_weight=0.1, which PEFT adds to outputs.loss of a model with a task_type; "
                    "beside any other loss it has to stay"
                ),
            ),
            ("rankallocator.update_and_mask(model, global_step)", "model.update_and_allocate(step), in the same place"),
            ('torch.save(lora.lora_state_dict(model), "out/adalora.pt")', "model.save_pretrained(folder)"),
        ]


class TestDetails:
    def test_a_comment_beside_an_argument_goes_with_it(self) -> None:
        text = PLAIN.replace("    init_warmup=5,\n", "    init_warmup=5,  # 预热\n").replace(
            "global_step)\n", "global_step)  # cut\n", 1
        )
        after = migrated(text).after.text
        assert "        tinit=5,  # 预热\n" in after
        assert "model.update_and_allocate(global_step)  # cut\n" in after
        assert "# as in the paper\n" in migrated(REPLACED).after.text

    def test_the_scale_is_that_of_loralib_where_it_is_not_given(self) -> None:
        assert "        lora_alpha=1,\n" in migrated(PLAIN.replace(", lora_alpha=16", "")).after.text

    def test_positional_arguments_are_known_by_their_place(self) -> None:
        text = PLAIN.replace("r=4, lora_alpha=16", "4, 16, 0.1")
        after = migrated(text).after.text
        assert "self.second = nn.Linear(16, 16, bias=False)" in after
        assert "init_r=4,\n        target_r=2,\n        lora_alpha=16,\n        lora_dropout=0.1," in after

    @pytest.mark.parametrize(
        ("parameters", "made", "rank"),
        [
            ("self, r=4, alpha=16", "Net()", "4"),
            ("self, r, alpha=16", "Net(4)", "4"),
            ("self, r, *, alpha=16", "Net(r=torch.get_num_threads())", "torch.get_num_threads()"),
        ],
    )
    def test_what_the_model_is_made_with_is_said_where_it_is_made(self, parameters: str, made: str, rank: str) -> None:
        text = PLAIN.replace("def __init__(self)", f"def __init__({parameters})").replace(
            "r=4, lora_alpha=16", "r=r, lora_alpha=alpha"
        )
        after = migrated(text.replace("model = Net()", f"model = {made}")).after.text
        assert f"        init_r={rank},\n" in after
        assert "        lora_alpha=16,\n" in after

    def test_models_that_are_made_with_different_ranks_are_left(self) -> None:
        text = PLAIN.replace("def __init__(self)", "def __init__(self, r)").replace("r=4, lora", "r=r, lora")
        text = text.replace("model = Net()", "other = Net(8)\nmodel = Net(4)")
        assert "r is not known where the configuration has to stand" in reasons(text)

    @pytest.mark.parametrize(
        ("layers", "named"),
        [
            ("nn.Sequential(lora.SVDLinear(8, 16, r=4, lora_alpha=16), nn.ReLU())", '["first.0", "second"]'),
            ("lora.SVDLinear(8, 16, r=4, lora_alpha=16)", '["first", "second"]'),
        ],
    )
    def test_modules_are_named_as_peft_finds_them(self, layers: str, named: str) -> None:
        text = PLAIN.replace("lora.SVDLinear(8, 16, r=4, lora_alpha=16)", layers)
        assert f"target_modules={named}," in migrated(text).after.text

    def test_biases_that_were_trained_are_trained(self) -> None:
        text = PLAIN.replace("as_trainable(model)", 'as_trainable(model, bias="all")')
        assert '        bias="all",\n' in migrated(text).after.text.replace("'all'", '"all"')

    def test_the_penalty_goes_where_peft_adds_it_and_stays_elsewhere(self) -> None:
        assert "orth_reg_weight=0.3," in migrated(REPLACED).after.text
        assert "orthogonal_penalty" not in migrated(REPLACED).after.text
        assert "orth_reg_weight=0.0," in migrated(PLAIN).after.text
        assert "loss + orthogonal_penalty(model, regu_weight=0.1)" in migrated(PLAIN).after.text

    @pytest.mark.parametrize(
        "line",
        [
            "loss = loss / 2 + compute_orth_regu(model, regu_weight=0.3)",
            "loss = outputs + compute_orth_regu(model, regu_weight=0.3)",
            "loss = loss + compute_orth_regu(model, regu_weight=0.3 if step else 0.1)",
            "loss = loss - compute_orth_regu(model, regu_weight=0.3)",
            "loss = teacher(ids).loss + compute_orth_regu(model, regu_weight=0.3)",
        ],
    )
    def test_the_penalty_stays_in_a_sum_that_is_another_one(self, line: str) -> None:
        after = migrated(REPLACED.replace("loss = loss + compute_orth_regu(model, regu_weight=0.3)", line)).after.text
        assert "orthogonal_penalty(model" in after
        assert "orth_reg_weight=0.0," in after

    def test_nothing_is_left_of_a_sum_that_was_made_for_it(self) -> None:
        assert "loss = loss" not in migrated(REPLACED).after.text
        assert "    outputs.loss.backward()\n" in migrated(CHILDREN).after.text

    def test_a_block_that_would_be_empty_keeps_a_pass(self) -> None:
        text = (
            PLAIN.replace("lora.mark_only", "if torch.get_num_threads():\n    lora.mark_only")
            .replace("total_step=40,", "total_step=total,")
            .replace("rankallocator = Rank", "total = 40\nrankallocator = Rank")
        )
        assert "if torch.get_num_threads():\n    pass\n" in migrated(text).after.text

    def test_what_a_wrapper_hides_is_asked_inside_it(self) -> None:
        text = PLAIN.replace("global_step = 0\n", "model = torch.nn.DataParallel(model)\nglobal_step = 0\n")
        after = migrated(text).after.text
        assert "model.module.update_and_allocate(global_step)" in after
        assert 'model.module.save_pretrained("out/adalora")' in after

    def test_an_import_that_brings_something_else_too_keeps_it(self) -> None:
        text = PLAIN.replace("import loralib as lora\n", "import loralib as lora, math\n")
        assert "import math\n" in migrated(text).after.text

    def test_a_checkpoint_of_loralib_is_told(self) -> None:
        text = PLAIN.replace(
            "lora.mark_only", 'model.load_state_dict(torch.load("lora.pt"), strict=False)\nlora.mark_only'
        )
        [note] = migrated(text).left
        assert "other names in PEFT" in note.text
        assert migrated(text).changed

    def test_a_penalty_that_is_not_always_added_stays(self) -> None:
        text = REPLACED.replace(
            "        loss = loss + compute_orth_regu(model, regu_weight=0.3)\n",
            "        if epoch:\n            loss += compute_orth_regu(model, regu_weight=0.3)\n",
        )
        outcome = migrated(text)
        assert outcome.changed
        assert (
            "        if epoch:\n            loss += orthogonal_penalty(model, regu_weight=0.3)\n" in outcome.after.text
        )

    def test_a_loop_that_freezes_by_name_stands_for_the_mark(self) -> None:
        loop = 'for name, p in model.named_parameters():\n    p.requires_grad = "lora_" in name\n'
        text = PLAIN.replace("lora.mark_only_lora_as_trainable(model)\n", loop)
        after = migrated(text).after.text
        assert after.index(loop) < after.index("get_peft_model(\n") < after.index("optimizer = ")

    def test_a_count_of_parameters_takes_none(self) -> None:
        text = PLAIN.replace("lora.mark_only", "print(sum(p.numel() for p in model.parameters()))\nlora.mark_only")
        assert migrated(text).changed

    def test_what_is_trained_beside_the_adapter_is_told(self) -> None:
        outcome = migrated(PLAIN.replace("global_step = 0\n", "model.head.requires_grad_(True)\nglobal_step = 0\n"))
        assert outcome.changed
        assert ["modules_to_save" in note.text for note in outcome.left] == [True]

    @pytest.mark.parametrize(("schedule", "told"), [((5, 10, 2), False), ((5, 10, 4), True)])
    def test_a_cut_that_falls_on_another_step_is_told(self, schedule: tuple[int, int, int], *, told: bool) -> None:
        done = migrated(with_schedule(PLAIN, *schedule)).done
        assert any("step 30, loralib one step later" in note.text for note in done) is told

    def test_windows_line_ends_stay(self) -> None:
        raw = PLAIN.replace("\n", "\r\n").encode()
        outcome = to_peft(Source.decode("train.py", Kind.PYTHON, raw), Settings())
        assert outcome.changed
        assert b"\n" not in outcome.after.encode().replace(b"\r\n", b"")

    def test_a_notebook_is_moved_in_its_cells(self) -> None:
        head, rest = PLAIN.split("model = Net()\n")
        cells = [nbformat.v4.new_code_cell(one) for one in (head, "%matplotlib inline\nmodel = Net()\n" + rest)]
        cells.insert(0, nbformat.v4.new_markdown_cell("# Training"))
        raw = nbformat.writes(nbformat.v4.new_notebook(cells=cells)).encode()
        outcome = to_peft(Source.decode("x.ipynb", Kind.NOTEBOOK, raw), Settings())
        assert (outcome.changed, outcome.left) == (True, ())
        after = nbformat.reads(outcome.after.encode().decode(), as_version=4)
        nbformat.validate(after)
        assert "def orthogonal_penalty" in after.cells[1].source
        assert "model.update_and_allocate(global_step)" in after.cells[2].source
        assert {note.position.cell for note in outcome.done} == {2, 3}


GLUE_SH = """\
#!/bin/bash
# --apply_adalora in a comment
export CUDA_VISIBLE_DEVICES=0
python -m torch.distributed.launch --nproc_per_node=1 examples/text-classification/run_glue.py \\
    --model_name_or_path microsoft/deberta-v3-base --task_name mnli \\
    --apply_lora --apply_adalora --lora_type svd \\
    --target_rank 1 --lora_r 3 --reg_orth_coef 0.1 --init_warmup=800 --final_warmup 3500 --mask_interval 10 \\
    --lora_module "query, key" --lora_alpha 16 --adam_beta1 0.9
python other.py --lora_r 3
"""


class TestFlags:
    def flags(self, text: str) -> dict[str, str]:
        outcome = to_peft(Source.decode("run.sh", Kind.SHELL, text.encode()), Settings())
        assert not outcome.changed
        return {note.text.split(" becomes ")[0]: note.text for note in outcome.left}

    def test_each_flag_of_a_command_is_listed_with_what_it_becomes(self) -> None:
        told = self.flags(GLUE_SH)
        assert set(told) == {
            "--apply_lora",
            "--apply_adalora",
            "--lora_type svd",
            "--target_rank 1",
            "--lora_r 3",
            "--reg_orth_coef 0.1",
            "--init_warmup 800",
            "--final_warmup 3500",
            "--mask_interval 10",
            '--lora_module "query, key"',
            "--lora_alpha 16",
        }
        assert told["--lora_r 3"].endswith("becomes init_r")

    def test_a_flag_stands_where_it_is_told(self) -> None:
        outcome = to_peft(Source.decode("run.sh", Kind.SHELL, GLUE_SH.encode()), Settings())
        [note] = [one for one in outcome.left if one.text.startswith("--init_warmup")]
        line = GLUE_SH.splitlines()[note.position.row - 1]
        assert line[note.position.column - 1 :].startswith("--init_warmup=800")

    def test_what_is_not_given_has_loralibs_defaults(self) -> None:
        told = self.flags("python run_glue.py --apply_lora --apply_adalora --lora_type svd --lora_r 24\n")
        assert any(
            "target_r=16, tinit=4500, tfinal=12000, deltaT=10, orth_reg_weight=0.0" in one for one in told.values()
        )

    def test_the_summarization_script_weighs_the_penalty_with_one(self) -> None:
        told = self.flags("python run_summarization_no_trainer.py --apply_adalora --reg_orth_coef 0.1\n")
        assert "orth_reg_weight=1.0" in told["--reg_orth_coef 0.1"]
        assert any("init_r=8" in one and "lora_alpha=32" not in one.split("init_r")[0] for one in told.values())

    def test_a_run_that_its_phases_fill_is_told(self) -> None:
        told = self.flags("python run_qa.py --apply_adalora --max_step 300 --init_warmup 5000 --final_warmup 50000\n")
        assert any("300 steps leave none" in one for one in told.values())
        told = self.flags("python run_qa.py --apply_adalora --max_step 300 --init_warmup 50 --final_warmup 100\n")
        assert not any("leave none" in one for one in told.values())

    def test_the_flag_that_was_taken_away_is_told(self) -> None:
        assert "only --apply_adalora" in self.flags("python run_glue.py --apply_rankselector\n")["--apply_rankselector"]


class TestCommand:
    def test_a_diff_is_printed_and_nothing_written(self, tmp_path: Path) -> None:
        path = tmp_path / "train.py"
        path.write_text(PLAIN)
        done = run("migrate", "loralib-to-peft", "--isolated", str(path))
        assert (done.exit_code, path.read_text()) == (1, PLAIN)
        assert "+        tinit=5," in done.stdout

    def test_write_writes_once_and_lists_what_is_left(self, tmp_path: Path) -> None:
        (tmp_path / "train 1.py").write_text(PLAIN)
        (tmp_path / "wrapper.py").write_text(WRAPPER)
        arguments = ("migrate", "loralib-to-peft", "--isolated", str(tmp_path), "--write")
        assert run(*arguments).exit_code == 0
        once = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        assert all(b"AdaLoraConfig" in one for one in once.values())
        assert run(*arguments).exit_code == 0
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == once
        (tmp_path / "run.sh").write_text(GLUE_SH)
        report = tmp_path / "migration.json"
        assert run(*arguments, "--report", str(report)).exit_code == 1
        [told] = json.loads(report.read_text())["files"]
        assert (told["filename"].endswith("run.sh"), told["changed"], len(told["left"])) == (True, False, 11)

    def test_a_file_that_is_no_python_fails_alone(self, tmp_path: Path) -> None:
        (tmp_path / "broken.py").write_text("from loralib import SVDLinear\ndef (:\n")
        (tmp_path / "train.py").write_text(TRAINER)
        done = run("migrate", "loralib-to-peft", "--isolated", str(tmp_path), "--write")
        assert done.exit_code == 2
        assert "broken.py: cannot be migrated" in done.stderr
        assert "AdaLoraConfig" in (tmp_path / "train.py").read_text()
