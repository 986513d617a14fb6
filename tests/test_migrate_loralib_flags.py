"""Flags of a training: renamed in its parser and on the lines that launch it, all or none."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from types import ModuleType
from typing import TYPE_CHECKING

import loralib_oracle
import pytest
from commands import run
from loralib_pairs import CHOOSING, CHOSEN, LAUNCHED, MODEL, RUN_SH, TRAINING
from loralib_runs import executed, probed

from adalint.api import check_text

if TYPE_CHECKING:
    from pathlib import Path

KIND = ("migrate", "loralib-to-peft", "--isolated")

RUN_SH_AFTER = """\
#!/bin/bash
# --lora_r 8 was too much
export OMP_NUM_THREADS=1
python train.py \\
    --target_r 3 --init_r=6 \\
    --tinit 5 --tfinal "10" --deltaT 2 \\
    --orth_reg_weight 0.2 --steps 40
"""

NOTEBOOK = json.dumps(
    {
        "cells": [
            {
                "cell_type": "code",
                "execution_count": None,
                "metadata": {},
                "outputs": [],
                "source": ["!python train.py --lora_r 8"],
            }
        ],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 4,
    }
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "model.py").write_text(MODEL)
    (folder / "train.py").write_text(LAUNCHED)
    (folder / "run.sh").write_text(RUN_SH)
    return folder


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


def choose(project: Path) -> None:
    """Have the flags choose the layers."""
    (project / "model.py").write_text(CHOOSING)
    (project / "train.py").write_text(CHOSEN)
    (project / "run.sh").write_text(RUN_SH.replace("--steps 40", '--steps 40 --lora_module "inner,other"'))


def told(folder: Path, *paths: Path) -> str:
    """Ask what is said of the files."""
    report = run(*KIND, "--report", "-", *map(str, paths or (folder,))).stdout
    return "\n".join(note["text"] for one in json.loads(report)["files"] for note in (*one["done"], *one["left"]))


class TestMoved:
    @pytest.mark.parametrize("chosen", [False, True], ids=["always", "as the flags choose"])
    def test_the_launch_line_starts_the_training_and_it_keeps_as_many_ranks_as_the_target(
        self, project: Path, *, chosen: bool
    ) -> None:
        if chosen:
            choose(project)
        done = run(*KIND, "--write", str(project))
        assert done.exit_code == int(chosen), done.stderr
        path = os.pathsep.join((os.path.dirname(sys.executable), os.environ["PATH"]))
        environment = {**os.environ, "PATH": path, "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
        ran = subprocess.run(
            ["bash", "run.sh"], cwd=project, env=environment, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr[-3000:]
        config = json.loads((project / "out" / "adapter_config.json").read_text())
        fields = ("init_r", "target_r", "tinit", "tfinal", "deltaT", "total_step")
        assert [config[name] for name in fields] == [6, 3, 5, 10, 2, 40]
        assert sum(map(sum, config["rank_pattern"].values())) == 2 * 3

    def test_budgets_and_masks_are_those_of_the_original_at_every_step(
        self, project: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        choose(project)
        (project / "train.py").write_text(probed(CHOSEN))
        records = []
        for _ in range(2):
            [command] = re.findall(r"python (train\.py(?:.*\\\n)*.*)", (project / "run.sh").read_text())
            monkeypatch.setattr(sys, "argv", shlex.split(command.replace("\\\n", " ")))
            model = ModuleType("model")
            monkeypatch.setitem(sys.modules, "loralib", loralib_oracle)
            exec(compile((project / "model.py").read_text(), "model.py", "exec"), vars(model))
            monkeypatch.setitem(sys.modules, "model", model)
            records.append(executed((project / "train.py").read_text(), project, monkeypatch))
            run(*KIND, "--write", str(project))
        assert "loralib" not in (project / "model.py").read_text()
        before, after = records
        assert (before.budgets[0], before.budgets[-1], len(before.budgets)) == (12, 6, 40)
        assert before.budgets == after.budgets
        assert before.masks() == after.masks()

    def test_layers_that_the_flags_choose_become_what_plain_ones_do(self, project: Path) -> None:
        run(*KIND, "--write", str(project))
        plain = (project / "model.py").read_text()
        choose(project)
        done = run(*KIND, "--write", str(project))
        assert (project / "model.py").read_text() == plain
        assert "--lora_module names slots" in done.stderr

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("config.lora_type ==", "self.kind(config) =="),
            ('"inner" in', "'missing' in"),
            ("super().__init__()\n        if", 'super().__init__()\n        config.lora_type = "frd"\n        if'),
        ],
    )
    def test_layers_that_the_flags_do_not_choose_keep_all(self, old: str, new: str, project: Path) -> None:
        choose(project)
        model = CHOOSING.replace(old, new, 1)
        assert model != CHOOSING
        (project / "model.py").write_text(model)
        before = contents(project)
        run(*KIND, "--write", str(project))
        assert contents(project) == before

    def test_all_are_what_they_were_where_one_cannot_be_written(
        self, project: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from adalint import files
        from adalint.source import SourceError

        before = contents(project)
        real = files.write_atomically

        def full(path: str, *rest: object) -> None:
            if path.endswith("train.py"):
                raise SourceError("no space left on device")
            real(path, *rest)  # type: ignore[arg-type]

        monkeypatch.setattr(files, "write_atomically", full)
        assert run(*KIND, "--write", str(project)).exit_code == 2
        assert contents(project) == before

    def test_the_words_meant_change_and_no_others(self, project: Path) -> None:
        run(*KIND, "--write", str(project))
        assert (project / "run.sh").read_text() == RUN_SH_AFTER

    def test_the_parser_has_the_new_names_and_the_rest_of_it_stays(self, project: Path) -> None:
        run(*KIND, "--write", str(project))
        text = (project / "train.py").read_text()
        assert (
            '    group = parser.add_argument_group("AdaLoRA")\n'
            '    group.add_argument("--init_r", type=int, default=4, help=\'initial "rank"\')\n'
            "    group.add_argument('--target_r', type=int, default=2)  # 目标\n"
        ) in text
        assert 'SimpleNamespace(lora_r=args.init_r, lora_alpha=16, svd="svd")' in text

    @pytest.mark.parametrize(
        ("line", "after"),
        [
            ('print(f"{args.lora_r} {args.lora_r:>3} é {args.target_rank}")', None),
            ("print(f'{args.lora_r!r}' f\"{args.lora_r}\")", None),
            ('print(f"""\n{args.lora_r}\n  {args.target_rank + args.lora_r}""")', None),
            ('print(f"{args.lora_type}")', "print(f\"{'svd'}\")"),
            ("print(f'{args.lora_type}', args.lora_type)", 'print(f\'{"svd"}\', "svd")'),
            ("print(f\"{'on' if args.apply_lora else 'off'}\")", "print(f\"{'on' if True else 'off'}\")"),
            ("args.lora_r = max(args.lora_r, args.target_rank + 1)", None),
            ("print((args\n    .lora_r))", None),
        ],
    )
    def test_what_reads_a_flag_reads_it_by_its_new_name(self, line: str, after: str | None, project: Path) -> None:
        text = LAUNCHED.replace("print(args)", line.replace("\n", "\n    " if '"""' not in line else "\n"))
        (project / "train.py").write_text(text)
        run(*KIND, "--write", str(project))
        renamed = line.replace("lora_r", "init_r").replace("target_rank", "target_r") if after is None else after
        new = (project / "train.py").read_text()
        assert "".join(renamed.split()) in "".join(new.split())
        compile(new, "train.py", "exec")

    def test_an_f_string_that_only_shows_the_name_keeps_all(self, project: Path) -> None:
        (project / "train.py").write_text(LAUNCHED.replace("print(args)", 'print(f"args.lora_r: {args.lora_r}")'))
        before = contents(project)
        run(*KIND, "--write", str(project))
        assert contents(project) == before

    def test_hyphens_stay_hyphens(self, project: Path) -> None:
        def hyphens(text: str) -> str:
            return re.sub(r"--\w+", lambda match: match[0].replace("_", "-"), text)

        (project / "train.py").write_text(hyphens(LAUNCHED))
        (project / "run.sh").write_text(hyphens(RUN_SH))
        run(*KIND, "--write", str(project))
        assert (project / "run.sh").read_text() == hyphens(RUN_SH_AFTER).replace("--init-r 8", "--lora-r 8")
        assert '"--target-r"' in (project / "train.py").read_text().replace("'", '"')
        assert "target_r=args.target_r," in (project / "train.py").read_text()

    def test_two_trainings_on_one_script_of_the_shell(self, project: Path) -> None:
        for name in ("first", "second"):
            (project / f"{name}.py").write_text(TRAINING.replace("from model", f"from {name}_model"))
            (project / f"{name}_model.py").write_text(MODEL)
        for name in ("train.py", "model.py"):
            (project / name).unlink()
        (project / "run.sh").write_text("python first.py --lora_r 6\npython second.py --target_rank 3\n")
        assert run(*KIND, "--write", str(project)).exit_code == 0
        assert (project / "run.sh").read_text() == "python first.py --init_r 6\npython second.py --target_r 3\n"
        assert all("--init_r" in (project / f"{name}.py").read_text() for name in ("first", "second"))

    def test_nothing_is_found_and_a_second_run_changes_nothing(self, project: Path) -> None:
        run(*KIND, "--write", str(project))
        once = contents(project)
        for name, text in once.items():
            assert check_text(text, filename=name).findings == ()
        assert run(*KIND, "--write", str(project)).exit_code == 0
        assert contents(project) == once

    @pytest.mark.parametrize(
        ("launch", "after"),
        [
            ("torchrun --nproc_per_node=1 train.py --lora_r 6\n", "torchrun --nproc_per_node=1 train.py --init_r 6\n"),
            ("python -m train --lora_r 6\n", "python -m train --init_r 6\n"),
            ("python train.py --lora_r $RANK --steps ${1:-40}\n", "python train.py --init_r $RANK --steps ${1:-40}\n"),
            (
                "python train.py '--lora_r' 6; python other.py --lora_r 8\n",
                "python train.py '--init_r' 6; python other.py --lora_r 8\n",
            ),
            (
                "for r in 4 8; do\n  python train.py --lora_r $r --target_rank=2\ndone\n",
                "for r in 4 8; do\n  python train.py --init_r $r --target_r=2\ndone\n",
            ),
            (
                'ARGS=(\n  --lora_r 6  # rank\n  --target_rank 3\n)\npython train.py "${ARGS[@]}"\n',
                'ARGS=(\n  --init_r 6  # rank\n  --target_r 3\n)\npython train.py "${ARGS[@]}"\n',
            ),
            ("bash -c 'python train.py --lora_r 6'\n", "bash -c 'python train.py --init_r 6'\n"),
            ("python train.py --steps 30\r\n", "python train.py --steps 30\r\n"),
        ],
    )
    def test_launch_lines_of_many_shapes(self, launch: str, after: str, project: Path) -> None:
        (project / "train.py").write_text(TRAINING)
        (project / "run.sh").write_bytes(launch.encode())
        done = run(*KIND, "--write", str(project))
        assert (project / "run.sh").read_bytes().decode() == after, done.stderr
        assert '"--init_r"' in (project / "train.py").read_text()

    @pytest.mark.parametrize(
        ("name", "launch", "after"),
        [
            (
                "Makefile",
                "R := 6\nrun:\n\tpython train.py --lora_r $(R) \\\n\t\t--target_rank 3\n",
                "R := 6\nrun:\n\tpython train.py --init_r $(R) \\\n\t\t--target_r 3\n",
            ),
            (
                "train.yml",
                "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: |\n          python train.py --lora_r 6\n",
                "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: |\n          python train.py --init_r 6\n",
            ),
            ("Dockerfile", "FROM x\nCMD python train.py --lora_r 6\n", "FROM x\nCMD python train.py --init_r 6\n"),
        ],
    )
    def test_other_files_with_launch_lines(self, name: str, launch: str, after: str, project: Path) -> None:
        (project / "train.py").write_text(TRAINING)
        (project / "run.sh").unlink()
        (project / name).write_text(launch)
        done = run(*KIND, "--write", str(project))
        assert (project / name).read_text() == after, done.stderr


class TestLeft:
    @pytest.mark.parametrize(
        ("launch", "said"),
        [
            ('python train.py --lora_r 6 "$@"\n', "hands on words that are not known"),
            ("python train.py --lora_r 6 $EXTRA\n", "hands on words that are not known"),
            ("python train.py --lora 6\n", "--lora is no option of the parser as it is written"),
            ("python train.py --step 30\n", "--step is no option of the parser as it is written"),
            ("echo train.py | xargs python train.py\n", "by xargs, which adds words of its own"),
            ("./launch --lora_r 6\n", "what ./launch hands these flags to is not seen"),
            ("echo python train.py --lora_r 6\n", "what echo hands these flags to is not seen"),
            ('for f in train.py other.py; do python $f "$@"; done\n', "starts a script whose name is not known"),
            ('alias t="python train.py"\nt --lora_r 6\n', "by an alias"),
            ("python $1 --lora_r 6\n", "starts a script whose name is not known"),
            ("cat > job.sh <<'X'\npython train.py --lora_r 6\nX\n", "--lora_r stands where no command is seen"),
            (
                'A="--lora_r 6"\npython train.py $A\npython other.py $A\n',
                "other words would change, too",
            ),
        ],
    )
    def test_launch_lines_that_are_not_certain_keep_all_flags(self, launch: str, said: str, project: Path) -> None:
        (project / "train.py").write_text(TRAINING)
        (project / "run.sh").write_text(launch)
        assert "the flags keep their names: run.sh" in told(project)
        assert said in told(project)
        run(*KIND, "--write", str(project))
        assert (project / "run.sh").read_text() == launch
        text = (project / "train.py").read_text()
        assert ('parser.add_argument("--lora_r"' in text, "init_r=args.lora_r" in text) == (True, False)
        assert "init_r=config.lora_r" in text

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ("config = Simple", "use(**vars(args))\nconfig = Simple", "vars(args) goes where its flags are not seen"),
            (
                "config = Simple",
                "import tools\noptions = vars(args)\ntools.use(options)\nconfig = Simple",
                "vars(args) goes",
            ),
            ("config = Simple", "import tools\ntools.use(args)\nconfig = Simple", "args is handed to use"),
            ("config = Simple", "args = args\nconfig = Simple", "args is not always what the parser gives"),
            ("config = Simple", "config = [args]\nconfig = Simple", "args goes where its flags are not seen"),
            ("args = parser.parse_args()", "args, _ = parser.parse_known_args()", "used by parse_known_args, too"),
            ("args = parser", "parser.set_defaults(lora_r=3)\nargs = parser", "used by set_defaults, too"),
            ("args = parser", "other = argparse.ArgumentParser()\nargs = parser", "a second parser"),
            ('"--lora_r",', '"--lora_r", "--rank",', "lora_r has two names"),
            ("args = parser", 'parser.add_argument("--init_r")\nargs = parser', "init_r is a name already"),
            ("args = parser", 'parser.add_argument(*["-x"])\nargs = parser', "does not show what it adds"),
            ("parse_args()", 'parse_args(["--lora_r", "4"])', "train.py has --lora_r, too"),
            ("args = parser", "import tools\ntools.more(parser)\nargs = parser", "the parser is handed on"),
        ],
    )
    def test_parsers_that_are_not_all_seen_keep_all_flags(self, old: str, new: str, said: str, project: Path) -> None:
        text = TRAINING.replace(old, new, 1)
        assert text != TRAINING
        launch = "python train.py --lora_r 6\n"
        (project / "train.py").write_text(text)
        (project / "run.sh").write_text(launch)
        assert said in told(project)
        run(*KIND, "--write", str(project))
        assert (project / "run.sh").read_text() == launch
        assert "--init_r" not in (project / "train.py").read_text().replace('"--init_r")', "")

    @pytest.mark.parametrize(
        ("name", "text", "said"),
        [
            ("launch.json", '{"args": ["--lora_r", "8"]}', "launch.json has --lora_r, too"),
            ("sweep.yaml", "program: train.py\nparameters:\n  lora_r: {value: 8}\n", "sweep.yaml has lora_r, too"),
            (
                "use.ipynb",
                NOTEBOOK,
                "use.ipynb has --lora_r, too",
            ),
            ("run.bat", "python train.py --lora_r 8\r\n", "run.bat may start it"),
            ("jobs.py", 'import os\nos.system("python train.py --lora_r 8")\n', "jobs.py has --lora_r, too"),
            ("later.py", "from train import args\n", "later.py imports from train.py"),
        ],
    )
    def test_other_files_that_know_the_flags_keep_them(self, name: str, text: str, said: str, project: Path) -> None:
        (project / "train.py").write_text(TRAINING)
        (project / "run.sh").write_text("python train.py --lora_r 6\n")
        (project / name).write_text(text)
        assert said in told(project)
        run(*KIND, "--write", str(project))
        assert (project / "run.sh").read_text() == "python train.py --lora_r 6\n"

    def test_a_file_beside_it_that_gives_no_flags_is_no_matter(self, project: Path) -> None:
        (project / "train.py").write_text(TRAINING)
        (project / "run.sh").write_text("python train.py --lora_r 6\n")
        (project / "notes.txt").write_text("train.py is slow\n")
        (project / "other.json").write_text('{"lora_r": 8}')
        assert "--lora_r becomes --init_r" in told(project)

    def test_documents_are_listed_and_stay(self, project: Path) -> None:
        text = "# 用法\n\n```sh\npython train.py --apply_lora --lora_r 6\npython train.py --lora_ranks 2\n```\n"
        (project / "README.md").write_text(text)
        done = run(*KIND, "--write", str(project))
        assert (project / "README.md").read_text() == text
        assert "README.md:4:30: left: --lora_r is --init_r now" in done.stderr
        assert "README.md:4:17: left: --apply_lora is no flag now" in done.stderr
        assert "2 left for you" in done.stderr

    def test_launch_lines_beside_the_script_that_are_not_given(self, project: Path) -> None:
        (project / "train.py").write_text(TRAINING)
        said = told(project, project / "train.py", project / "model.py")
        assert "run.sh may start it, and is not among the files that are read" in said

    def test_launch_lines_that_differ_in_whether_they_ask_for_adalora(self, project: Path) -> None:
        before = contents(project)
        (project / "run.sh").write_text(RUN_SH + "python train.py --lora_r 4\n")
        run(*KIND, "--write", str(project))
        assert (project / "train.py").read_text() == before["train.py"]
        assert (project / "run.sh").read_text().startswith(RUN_SH)

    def test_a_script_of_the_same_name_elsewhere(self, project: Path) -> None:
        (project / "train.py").write_text(TRAINING)
        (project / "run.sh").write_text("python train.py --lora_r 6\n")
        (project / "old").mkdir()
        (project / "old" / "train.py").write_text("import os\n")
        assert "starts one of several scripts of the name train.py" in told(project)

    def test_a_penalty_that_a_flag_switches_keeps_its_flag(self, project: Path) -> None:
        text = LAUNCHED.replace('and args.lora_type == "svd"', "and args.reg_orth_coef > 0")
        (project / "train.py").write_text(text)
        run(*KIND, "--write", str(project))
        assert "--orth_reg_weight" not in (project / "train.py").read_text()
        assert "--reg_orth_coef 0.2" in (project / "run.sh").read_text()


class TestHandedOn:
    """What the parser gives, in functions of other files and in objects."""

    USED = "import tools\ntools.use(args)\nconfig = Simple"

    @staticmethod
    def with_tools(project: Path, tools: str, used: str = USED) -> dict[str, str]:
        (project / "train.py").write_text(TRAINING.replace("config = Simple", used, 1))
        (project / "tools.py").write_text(tools)
        (project / "run.sh").write_text("python train.py --lora_r 6\n")
        return contents(project)

    def test_reads_in_a_function_of_another_file_get_the_new_names(self, project: Path) -> None:
        tools = "def use(given, *, more=None):\n    lora_r = given.lora_r\n    return lora_r + given.steps{}\n"
        self.with_tools(project, tools.format(' if more else f"{given.lora_r}"'))
        assert run(*KIND, "--write", str(project)).exit_code == 0
        expected = tools.format(' if more else f"{given.init_r}"').replace("given.lora_r", "given.init_r")
        assert (project / "tools.py").read_text() == expected
        assert (project / "run.sh").read_text() == "python train.py --init_r 6\n"
        compile(expected, "tools.py", "exec")
        assert run(*KIND, "--write", str(project)).exit_code == 0
        assert (project / "tools.py").read_text() == expected

    def test_a_file_that_reads_other_flags_alone_stays(self, project: Path) -> None:
        tools = "def use(args):\n    return args.steps\n\n\ndef other(lora_r):\n    return lora_r.lora_r\n"
        self.with_tools(project, tools, "from tools import use\nuse(args=args)\nconfig = Simple")
        run(*KIND, "--write", str(project))
        assert (project / "tools.py").read_text() == tools
        assert (project / "run.sh").read_text() == "python train.py --init_r 6\n"

    @pytest.mark.parametrize(
        "tools",
        [
            "def use(args):\n    return vars(args)['lora_r']\n",
            "def use(args):\n    return getattr(args, 'lora_r')\n",
            "def use(args):\n    keep.append(args)\n",
            "def use(*args):\n    return args[0].lora_r\n",
            "def use(args):\n    args = again(args)\n    return args.lora_r\n",
            "def use(args):\n    return args.lora_r\n\n\nuse(other)\n",
            "def use(args):\n    return args.lora_r\n\n\ndef use(args):\n    return None\n",
            "use = print\n",
        ],
    )
    def test_functions_that_do_more_keep_all(self, tools: str, project: Path) -> None:
        before = self.with_tools(project, tools)
        assert "args is handed to use, where its flags are not seen" in told(project)
        run(*KIND, "--write", str(project))
        after = contents(project)
        assert {name: after[name] for name in ("tools.py", "run.sh")} == {
            name: before[name] for name in ("tools.py", "run.sh")
        }

    def test_a_function_that_another_file_calls_as_well_keeps_all(self, project: Path) -> None:
        before = self.with_tools(project, "def use(args):\n    return args.lora_r\n")
        (project / "more.py").write_text("from tools import use\n\nuse(None)\n")
        assert "args is handed to use" in told(project)
        run(*KIND, "--write", str(project))
        assert contents(project)["tools.py"] == before["tools.py"]

    def test_a_flag_that_goes_and_is_read_elsewhere_keeps_all(self, project: Path) -> None:
        before = contents(project)
        (project / "tools.py").write_text("def use(args):\n    return args.lora_type\n")
        text = LAUNCHED.replace("    print(args)\n", "    use(args)\n").replace(
            "import torch\n", "import torch\nfrom tools import use\n", 1
        )
        (project / "train.py").write_text(text)
        assert "tools.py reads lora_type, too" in told(project)
        run(*KIND, "--write", str(project))
        assert contents(project)["run.sh"] == before["run.sh"]

    KEPT = """\
class Run{base}:
    def __init__(self, args):
        self.args = args
        self.rank = self.args.lora_r

    def show(self):
        return self.args.lora_r, {more}


Run(args)
config = Simple"""

    def test_what_an_object_keeps_is_read_by_the_new_name(self, project: Path) -> None:
        kept = self.KEPT.format(base="(torch.nn.Module)", more="self.args.steps")
        self.with_tools(project, "", kept)
        assert run(*KIND, "--write", str(project)).exit_code == 0
        assert kept.replace("args.lora_r", "args.init_r") in (project / "train.py").read_text()

    @pytest.mark.parametrize(
        ("base", "more", "tools"),
        [
            ("(Trainer)", "None", ""),
            ("", "Run(self).args.lora_r", ""),
            ("", "None", "def show(run):\n    return run.args.lora_r\n"),
        ],
    )
    def test_what_an_object_keeps_and_others_may_read_keeps_all(
        self, base: str, more: str, tools: str, project: Path
    ) -> None:
        before = self.with_tools(project, tools, self.KEPT.format(base=base, more=more))
        run(*KIND, "--write", str(project))
        after = contents(project)
        assert after["run.sh"] == before["run.sh"]
        assert after["tools.py"] == before["tools.py"]
        assert '"--lora_r"' in after["train.py"]
