"""The programs that were published with AdaLoRA: moved whole, with the lines that launch them."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import torch
from commands import run
from loralib_programs import GLUING, GLUING_SH, SUMMARIZING, SUMMARIZING_SH, tiny_bart, tiny_deberta
from loralib_runs import Record, executed

from adalint.api import check_text

if TYPE_CHECKING:
    from pathlib import Path

KIND = ("migrate", "loralib-to-peft", "--isolated")

SLOTS = ("q_proj", "v_proj", "fc1")
"""What the launch line adapts: in the tiny model 3 attentions have the first two, and 2 layers the third."""

MATRICES = 8

HEAD = ("query_proj", "key_proj", "value_proj", "intermediate.dense", "output.dense")
"""Where the slots of the classifier's launch line are in the tiny model: 6 in each of 2 layers."""

RECORDER = """\
class Recorder(TrainerCallback):
    def on_optimizer_step(self, args, state, control, model=None, **kwargs):
        probe.record(model, state.global_step)


"""


@pytest.fixture
def summarizing(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "examples" / "summarization").mkdir(parents=True)
    (folder / "examples" / "summarization" / "run_pairs.py").write_text(SUMMARIZING)
    (folder / "run.sh").write_text(SUMMARIZING_SH)
    return folder


@pytest.fixture
def gluing(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "examples" / "text-classification").mkdir(parents=True)
    (folder / "examples" / "text-classification" / "run_classes.py").write_text(GLUING)
    (folder / "run.sh").write_text(GLUING_SH)
    return folder


def contents(folder: Path) -> dict[str, str]:
    return {str(path): path.read_text() for path in folder.rglob("*") if path.suffix in {".py", ".sh", ".json"}}


def told(folder: Path) -> str:
    report = run(*KIND, "--report", "-", str(folder)).stdout
    return "\n".join(note["text"] for one in json.loads(report)["files"] for note in (*one["done"], *one["left"]))


def launch(folder: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join((os.path.dirname(sys.executable), os.environ["PATH"]))
    environment = {**os.environ, "PATH": path, "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(["bash", "run.sh"], cwd=folder, env=environment, capture_output=True, text=True, check=False)


class TestLoopOfItsOwn:
    def test_the_launch_line_starts_it_and_it_keeps_as_many_ranks_as_the_target(self, summarizing: Path) -> None:
        assert run(*KIND, "--write", str(summarizing)).exit_code == 1
        tiny_bart(summarizing / "tiny")
        ran = launch(summarizing)
        assert ran.returncode == 0, ran.stderr[-3000:]
        config = json.loads((summarizing / "out" / "adapter_config.json").read_text())
        fields = ("init_r", "target_r", "lora_alpha", "tinit", "tfinal", "deltaT", "total_step")
        assert [config[name] for name in fields] == [6, 3, 16, 5, 12, 4, 40]
        assert len(config["rank_pattern"]) == MATRICES
        assert sum(map(sum, config["rank_pattern"].values())) == MATRICES * 3

    @pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning", "ignore:Adapter 'default'")
    def test_budgets_and_masks_are_those_of_the_original_at_every_step(
        self, summarizing: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tiny_bart(summarizing / "tiny", torch.float64)
        text = SUMMARIZING.replace("    optimizer = ", "    probe.start(model)\n    optimizer = ", 1)
        update = "curr_rank, mask_threshold = rankallocator.update_and_mask(model, completed_steps)\n"
        text = text.replace(update, update + " " * 20 + "probe.record(model, completed_steps)\n")
        script = summarizing / "examples" / "summarization" / "run_pairs.py"
        original, moved = both(script, text, f"with_layers(model, {SLOTS}, 6, 16)", monkeypatch)
        assert (original.budgets[0], original.budgets[-1]) == (6 * MATRICES, 3 * MATRICES)
        assert len(original.budgets) == 40
        assert original.budgets == moved.budgets
        assert original.masks() == moved.masks()

    def test_nothing_is_found_and_a_second_run_changes_nothing(self, summarizing: Path) -> None:
        run(*KIND, "--write", str(summarizing))
        once = contents(summarizing)
        assert once != {name: SUMMARIZING if name.endswith(".py") else SUMMARIZING_SH for name in once}
        for name, text in once.items():
            assert check_text(text, filename=name).findings == ()
        assert run(*KIND, "--write", str(summarizing)).exit_code == 0
        assert contents(summarizing) == once

    def test_only_what_loralib_brought_changes(self, summarizing: Path) -> None:
        run(*KIND, "--write", str(summarizing))
        text = (summarizing / "examples" / "summarization" / "run_pairs.py").read_text()
        for gone in ("apply_lora", "lora_type", "lora_r", "target_total_rank", "rankallocator"):
            assert not re.search(rf"\b{gone}\b", text), gone
        for kept in (
            'parser.add_argument("--reg_orth_coef", type=float, default=0.0)',
            "if args.reg_orth_coef>0:\n                regu_loss = svd_penalty(model)\n            else:\n",
            'parser.add_argument("--beta1", type=float, default=0.85)',
            "from peft import AdaLoraConfig, get_peft_model\n",
        ):
            assert kept in text

    def test_a_loop_that_runs_after_the_wrapping_keeps_all(self, summarizing: Path) -> None:
        start, stop = SUMMARIZING.index("    num_param = 0\n"), SUMMARIZING.index("    generator = torch")
        loop, mark = SUMMARIZING[start:stop], "    if rankallocator is not None:\n        rankallocator.set"
        text = (SUMMARIZING[:start] + SUMMARIZING[stop:]).replace(mark, loop + mark)
        text = text.replace("target_total_rank=args", "total_step=40, target_total_rank=args")
        text = text.replace(
            "    if rankallocator is not None:\n        rankallocator.set_total_step(args.max_train_steps)\n", ""
        )
        first, last = text.index("    generator = "), text.index("    # the ranks\n")
        ranks, after = text.index("    # the ranks\n"), text.index("    num_update_steps_per_epoch", last)
        text = text[:first] + text[ranks:after] + text[first:ranks] + text[after:]
        (summarizing / "examples" / "summarization" / "run_pairs.py").write_text(text)
        assert_all_stays(summarizing, "this loop goes by names of the model that PEFT's does not have any more")

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("    generator = torch", "    print(config.vocab_size, model.config.d_model)\n    generator = torch"),
            ("    norms = []\n", "    norms = [one for n, one in model.named_parameters() if 'lora_E' in n]\n"),
            ("if trainable_param in name:", "if 'layer_norm' in name or trainable_param in name:"),
        ],
    )
    def test_what_peft_has_as_well_keeps_nothing(self, old: str, new: str, summarizing: Path) -> None:
        assert SUMMARIZING.count(old) == 1
        script = summarizing / "examples" / "summarization" / "run_pairs.py"
        script.write_text(SUMMARIZING.replace(old, new))
        run(*KIND, "--write", str(summarizing))
        assert "RankAllocator" not in script.read_text()
        assert new in script.read_text()

    def test_what_is_trained_after_the_wrapping_is_told_to_be_not_saved(self, summarizing: Path) -> None:
        script = summarizing / "examples" / "summarization" / "run_pairs.py"
        more = "    model.model.encoder.layernorm_embedding.bias.requires_grad = True\n"
        script.write_text(SUMMARIZING.replace("    generator = torch", more + "    generator = torch"))
        assert "trained beside the adapter" in told(summarizing)
        script.write_text(SUMMARIZING)
        assert "trained beside the adapter" not in told(summarizing)

    def test_a_length_that_is_set_after_the_mark_is_not_known_there(self, summarizing: Path) -> None:
        start, stop = SUMMARIZING.index("    num_param = 0\n"), SUMMARIZING.index("    generator = torch")
        text = SUMMARIZING[:start] + "    loralib.mark_only_lora_as_trainable(model)\n" + SUMMARIZING[stop:]
        script = summarizing / "examples" / "summarization" / "run_pairs.py"
        script.write_text(text.replace("from loralib import", "import loralib\nfrom loralib import"))
        assert_all_stays(summarizing, "the parameters are taken, or changed, before the place where PEFT makes them")

    @pytest.mark.parametrize("name", ["run.bat", "examples/run.ps1"])
    def test_a_launch_line_above_the_script_that_cannot_be_rewritten(self, name: str, summarizing: Path) -> None:
        (summarizing / name).write_text("python summarization\\run_pairs.py --apply_adalora --lora_r 4\n")
        assert_all_stays(summarizing, "may start it, and is not among the files that are read")

    def test_a_file_above_it_that_gives_no_flags_of_loralib_is_no_matter(self, summarizing: Path) -> None:
        (summarizing / "run.bat").write_text("python summarization\\run_pairs.py --model_name_or_path x\n")
        run(*KIND, "--write", str(summarizing))
        assert "--init_r 6" in (summarizing / "run.sh").read_text()

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ("--target_rank 3", "--target_total_rank 24", "target_total_rank=args.target_total_rank is a sum"),
            ("--lora_type svd", "--lora_type frd", "rankallocator is not always the allocator"),
        ],
    )
    def test_other_launch_lines_keep_all(self, old: str, new: str, said: str, summarizing: Path) -> None:
        assert old in SUMMARIZING_SH
        (summarizing / "run.sh").write_text(SUMMARIZING_SH.replace(old, new))
        assert_all_stays(summarizing, said)

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            (
                "    num_param = 0\n",
                "    if args.with_tracking:\n        trainable_params.append('bias')\n    num_param = 0\n",
                "parameters with other names than lora may be trained as well: bias",
            ),
            (
                "            lora_r=args.lora_r,\n        )\n    elif",
                "            lora_r=4,\n        )\n    elif",
                "differ in lora_r",
            ),
            (
                "    optimizer_grouped",
                "    model = torch.compile(model)\n    optimizer_grouped",
                "the model is made after",
            ),
            (
                "    trainable_params = []\n",
                "    first = torch.optim.SGD(model.parameters(), lr=1.0)\n    trainable_params = []\n",
                "the parameters are taken, or changed, before",
            ),
            (
                "    num_param = 0\n",
                "    print(config.lora_r)\n    num_param = 0\n",
                "config.lora_r is told to loralib's layers, and the configuration loses it",
            ),
            (
                '"lora_A" in name or "lora_B" in name',
                'name.endswith("lora_A") or "lora_B" in name',
                "PEFT's names go on after lora_A",
            ),
            (
                '"lora_A" in name or "lora_B" in name',
                'name.split(".")[-1] in ("lora_A", "lora_B")',
                "PEFT's names go on after lora_B",
            ),
            (
                "    norms = []\n",
                "    norms = [one.lora_E.norm() for one in model.modules() if hasattr(one, 'lora_E')]\n",
                "one.lora_E is a tensor in loralib, and a dictionary of adapters in PEFT",
            ),
            (
                "                lr_scheduler.step()\n",
                "                rankallocator.update_and_mask(model, completed_steps)\n" * 2
                + "                lr_scheduler.step()\n",
                "update_and_mask is called twice with one step",
            ),
            ("if trainable_param in name:", "if name.endswith('bias') or trainable_param in name:", "trained alone"),
            ("if trainable_param in name:", "if 'embed' in name or trainable_param in name:", "that may be tied"),
            ("experiment_config)", "**experiment_config)", "vars(args) goes where its flags are not seen"),
            ('str(experiment_config["model_type"])', 'str(experiment_config["lora_r"])', "its flags are not seen"),
        ],
    )
    def test_other_programs_keep_all(self, old: str, new: str, said: str, summarizing: Path) -> None:
        assert SUMMARIZING.count(old) == 1
        script = summarizing / "examples" / "summarization" / "run_pairs.py"
        script.write_text(SUMMARIZING.replace(old, new))
        assert_all_stays(summarizing, said)


class TestTrainer:
    def test_the_launch_line_starts_it_and_it_keeps_as_many_ranks_as_the_target(self, gluing: Path) -> None:
        assert run(*KIND, "--write", str(gluing)).exit_code == 1
        tiny_deberta(gluing / "tiny")
        ran = launch(gluing)
        assert ran.returncode == 0, ran.stderr[-3000:]
        config = json.loads((gluing / "out" / "adapter_config.json").read_text())
        fields = ("init_r", "target_r", "lora_alpha", "tinit", "tfinal", "deltaT", "beta1", "orth_reg_weight")
        assert [config[name] for name in (*fields, "total_step")] == [4, 2, 16, 4, 10, 4, 0.8, 0.1, 30]
        assert len(config["rank_pattern"]) == 2 * 6
        assert sum(map(sum, config["rank_pattern"].values())) == 2 * 6 * 2
        assert {"classifier", "pooler.dense"} <= set(config["modules_to_save"])

    @pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning", "ignore:Adapter 'default'")
    def test_budgets_and_masks_are_those_of_the_original_at_every_step(
        self, gluing: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tiny_deberta(gluing / "tiny", torch.float64)
        text = GLUING.replace("import torch\n", "import torch\nfrom transformers import TrainerCallback\n", 1)
        text = text.replace("@dataclass\n", RECORDER + "@dataclass\n", 1)
        text = text.replace(
            "    trainer = Trainer(\n",
            "    probe.start(model)\n    trainer = Trainer(\n        callbacks=[Recorder()],\n",
        )
        script = gluing / "examples" / "text-classification" / "run_classes.py"
        made = f"with_layers(model, {HEAD}, 4, 16)\n    Trainer = OldTrainer"
        original, moved = both(script, text, made, monkeypatch)
        assert (original.budgets[0], original.budgets[-1]) == (4 * 12, 2 * 12)
        assert len(original.budgets) == 30
        assert original.budgets == moved.budgets
        assert original.masks() == moved.masks()

    def test_nothing_is_found_and_a_second_run_changes_nothing(self, gluing: Path) -> None:
        run(*KIND, "--write", str(gluing))
        once = contents(gluing)
        assert "--init_r 4" in once[str(gluing / "run.sh")]
        for name, text in once.items():
            assert check_text(text, filename=name).findings == ()
        assert run(*KIND, "--write", str(gluing)).exit_code == 0
        assert contents(gluing) == once

    def test_fields_get_their_names_and_what_only_sounds_like_them_does_not(self, gluing: Path) -> None:
        run(*KIND, "--write", str(gluing))
        text = (gluing / "examples" / "text-classification" / "run_classes.py").read_text()
        for kept in (
            "    mask_interval_of_tokens: int = field(default=128)\n",
            '    target_r: Optional[int] = field(default=16, metadata={"help": "Average target_rank."})\n',
            "    init_r: Optional[int] = field(\n        default=None,\n",
            "    beta1: Optional[float] = field(default=0.85)\n",
            "orth_reg_weight=model_args.orth_reg_weight,\n",
            "        finetuning_task=data_args.task_name,\n    )\n",
            "        callbacks=[AllocateRanks()],\n    )\n",
        ):
            assert kept in text
        for gone in ("apply_lora", "apply_bitfit", "lora_type", "target_total_rank", "rankallocator="):
            assert gone not in text

    def test_a_class_that_reads_its_own_fields(self, gluing: Path) -> None:
        script = gluing / "examples" / "text-classification" / "run_classes.py"
        method = "\n    def __post_init__(self):\n        self.lora_r = self.lora_r or self.{0}\n"
        last = "    tb_writter_loginterval: Optional[int] = field(default=500)\n"
        script.write_text(GLUING.replace(last, last + method.format("target_rank")))
        run(*KIND, "--write", str(gluing))
        assert method.replace("lora_r", "init_r").format("target_r") in script.read_text()

    def test_a_trainer_of_another_file_that_extends_the_old_one(self, gluing: Path) -> None:
        script = gluing / "examples" / "text-classification" / "run_classes.py"
        text = GLUING.replace("    Trainer,\n", "").replace(
            "from loralib", "from trainer_qa import AnsweringTrainer\nfrom loralib"
        )
        script.write_text(
            text.replace("= Trainer(", "= AnsweringTrainer(").replace("SequenceClassification", "QuestionAnswering")
        )
        run(*KIND, "--write", str(gluing))
        after = script.read_text()
        assert 'task_type="QUESTION_ANS"' in after
        assert "        data_collator=default_data_collator,\n        callbacks=[AllocateRanks()],\n    )\n" in after
        assert check_text(after, filename="run_classes.py").findings == ()

    def test_a_trainer_of_another_file_that_takes_an_allocator_alone_keeps_all(self, gluing: Path) -> None:
        script = gluing / "examples" / "text-classification" / "run_classes.py"
        text = GLUING.replace("    Trainer,\n", "").replace("from loralib", "from mine import Trainer\nfrom loralib")
        script.write_text(text.replace("        model_args=model_args,\n        tb_writter", "        tb_writter"))
        assert_all_stays(gluing, "the allocator is handed to something that this file does not show")

    def test_fields_of_the_other_copy_are_told(self, gluing: Path) -> None:
        text = GLUING.replace(
            "    tb_writter = None\n", "    os.makedirs(training_args.root_output_dir)\n    tb_writter = None\n"
        )
        (gluing / "examples" / "text-classification" / "run_classes.py").write_text(text)
        said = told(gluing)
        assert "root_output_dir is a field of TrainingArguments in loralib's copy of transformers alone" in said
        assert "cls_dropout" not in said

    @pytest.mark.parametrize(("steps", "short"), [("--max_steps 30", False), ("--max_step 14", True)])
    def test_a_run_that_is_too_short_is_told(self, gluing: Path, steps: str, *, short: bool) -> None:
        (gluing / "run.sh").write_text(GLUING_SH.replace("--max_steps 30", steps))
        said = told(gluing)
        refused = "loralib refuses it, and so does an AdaLoraConfig that is made with them, but not one that gets its"
        assert (f"14 steps leave none between the first 4 and the last 10: {refused} total_step later" in said) is short
        assert "leave none" not in said.replace("14 steps leave none", "")
        assert "--lora_r becomes --init_r" in said

    def test_a_line_with_the_flag_of_no_parser_is_mended(self, gluing: Path) -> None:
        (gluing / "run.sh").write_text(GLUING_SH.replace("--apply_adalora", "--apply_rankselector"))
        run(*KIND, "--write", str(gluing))
        text = (gluing / "run.sh").read_text()
        assert "--apply_rankselector" not in text
        assert "--init_r 4" in text

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ("--apply_lora ", "--apply_lora false ", "is left to apply_lora: model_args.apply_lora"),
            ("--apply_adalora ", "--apply_adalora=false ", "not always the allocator"),
            ("--apply_lora ", "--apply_lora --no_apply_adalora ", "--no_apply_adalora is the opposite of a flag"),
            ("--target_rank 2", "--target_total_rank 24", "target_total_rank=model_args.target_total_rank is a sum"),
            ("--apply_adalora ", "--apply_adalora --apply_bitfit ", "may be trained as well: bias"),
            ("--lora_r 4 ", "--lora_ 4 ", "--lora_ is no option of the parser as it is written"),
            ("run_classes.py \\\n", "run_classes.py all.json\npython run_classes.py \\\n", "all.json may hold flags"),
        ],
    )
    def test_other_launch_lines_keep_all(self, old: str, new: str, said: str, gluing: Path) -> None:
        assert old in GLUING_SH
        (gluing / "run.sh").write_text(GLUING_SH.replace(old, new))
        assert_all_stays(gluing, said)

    def test_a_file_of_flags_that_is_given_keeps_all(self, gluing: Path) -> None:
        (gluing / "cola.json").write_text('{"model_name_or_path": "tiny", "lora_r": 4}')
        assert_all_stays(gluing, "cola.json has lora_r, too")

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ("    tb_writter = None\n", "    tb_writter = load(model_args)\n", "model_args is handed to load"),
            ("    tb_writter = None\n", "    tb_writter = model_args = None\n", "not always what the parser gives"),
            ("    tb_writter = None\n", "    tb_writter = parser.parse_dict({})\n", "asked for more than its objects"),
            ("    beta2: Opt", "    init_r: int = 3\n    beta2: Opt", "init_r is a name already"),
            (
                "    tb_writter = None\n",
                "    tb_writter = ModelArguments('x', lora_r=2)\n",
                "not made by the parser alone",
            ),
            (
                "        trainer.save_model()\n",
                "        trainer.save_model()\n        print(trainer.model_args)\n",
                "trainer.model_args is kept by loralib's Trainer alone",
            ),
            ("def main", "def trained_modules(model):\n    pass\n\n\ndef main", "trained_modules is a name already"),
            ("Trainer(\n", "Trainer(\n        callbacks=mine,\n", "the callbacks are listed elsewhere"),
            (
                "lora_module=model_args.lora_module,\n        lora_alpha",
                "lora_module='query',\n        lora_path",
                "lora_alpha of the layers is not told here",
            ),
            ("    task_name: Opt", "    lora_r: int = 3\n    task_name: Opt", "lora_r is defined twice"),
        ],
    )
    def test_other_programs_keep_all(self, old: str, new: str, said: str, gluing: Path) -> None:
        assert GLUING.count(old) == 1
        (gluing / "examples" / "text-classification" / "run_classes.py").write_text(GLUING.replace(old, new))
        assert_all_stays(gluing, said)

    def test_the_same_fields_in_a_program_without_loralib_stay(self, gluing: Path) -> None:
        other = gluing / "examples" / "text-classification" / "run_other.py"
        text = GLUING.replace("from loralib import RankAllocator\n", "from mine import RankAllocator\n")
        other.write_text(text)
        line = GLUING_SH.replace("run_classes", "run_other")
        (gluing / "other.sh").write_text(line)
        run(*KIND, "--write", str(gluing))
        assert other.read_text() == text
        assert (gluing / "other.sh").read_text() == line
        assert "--init_r 4" in (gluing / "run.sh").read_text()


def both(script: Path, text: str, made: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Record, Record]:
    """Run a program with the oracle's layers, and then as it was moved; `made` is what makes those layers."""
    folder = script.parents[2]
    text = text.replace("import torch\n", "import probe\nimport torch\n", 1)
    script.write_text(text)
    mark = "    trainable_params = []\n"
    assert text.count(mark) == 1
    layered = text.replace(mark, f"    from loralib_programs import OldTrainer, with_layers\n    {made}\n{mark}")
    if "OldTrainer" in made:
        layered = layered.replace("    Trainer,\n", "", 1)
    records = []
    for migrated in (False, True):
        if migrated:
            run(*KIND, "--write", str(folder))
            assert "RankAllocator" not in script.read_text()
        command = (folder / "run.sh").read_text().replace("\\\n", " ").partition(f"{script.name} ")[2]
        monkeypatch.setattr(sys, "argv", [script.name, *shlex.split(command)])
        records.append(executed(script.read_text() if migrated else layered, folder, monkeypatch))
    return records[0], records[1]


def assert_all_stays(folder: Path, said: str) -> None:
    before = contents(folder)
    assert said in told(folder)
    run(*KIND, "--write", str(folder))
    assert contents(folder) == before
