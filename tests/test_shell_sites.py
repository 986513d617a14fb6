"""Launch lines that ask a framework for AdaLoRA: what is found in them, and that fixes change those arguments alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adalint.api import check_text, fix_text

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "swift sft --model x --tuner_type adalora --adalora_tinit 10 --adalora_tfinal 20"


def found(text: str) -> list[tuple[str, int]]:
    report = check_text(text, filename="run.sh")
    return [(one.code, report.start(one).row) for one in report.findings]


def fixed(text: str) -> str:
    return fix_text(text, filename="run.sh", unsafe_fixes=True).after.text


@pytest.fixture
def asked(tmp_path: Path):
    """Give a function that runs a script in bash, and tells with what arguments it calls `swift`."""
    program = tmp_path / "bin" / "swift"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n")
    program.chmod(0o755)

    def run(script: str) -> list[list[str]]:
        done = subprocess.run(
            ["bash", "-c", script],
            env={**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


REVERSED = {
    "in a line": f"{HEAD} --adalora_init_r 8 --adalora_target_r 16 --max_steps 90\n",
    "with equals signs": f"{HEAD} --adalora_init_r=8 --adalora_target_r=16 --max_steps=90\n",
    "in quotes": f"{HEAD} --adalora_init_r '8' --adalora_target_r \"16\" --max_steps 90\n",
    "over lines": f"{HEAD} \\\n    --adalora_init_r 8 \\\n    --adalora_target_r 16 \\\n    --max_steps 90\n",
    "with a variable": f"RANK=8\n{HEAD} --adalora_init_r $RANK --adalora_target_r 16 --max_steps 90\n",
    "in an array": f'MORE=(--adalora_init_r 8 --adalora_target_r 16)\n{HEAD} "${{MORE[@]}}" --max_steps 90\n',
    "behind an environment": f"CUDA_VISIBLE_DEVICES=0 NPROC=2 {HEAD} --adalora_init_r 8 --adalora_target_r 16\n",
    "of two runs": f"swift sft --model y --tuner_type lora\n{HEAD} --adalora_init_r 8 --adalora_target_r 16\n",
}


@pytest.mark.parametrize("name", REVERSED)
def test_reversed_ranks_are_found_and_swapped_and_nothing_else_is_changed(name, asked):
    text = REVERSED[name]
    assert [code for code, _ in found(text)] == ["ADA102"]
    after = fixed(text)
    before, now = asked(text), asked(after)

    def swapped(words):
        joined = "\0".join(words)
        for sign in ("\0", "="):
            joined = joined.replace(f"_init_r{sign}8", f"_init_r{sign}?").replace(
                f"_target_r{sign}16", f"_target_r{sign}8"
            )
            joined = joined.replace(f"_init_r{sign}?", f"_init_r{sign}16")
        return joined.split("\0")

    assert now == [swapped(words) for words in before]
    assert now != before
    assert found(after) == []
    assert fixed(after) == after


def test_a_missing_rank_is_put_in_behind_the_last_option(asked):
    text = f"{HEAD} --adalora_target_r 16 \\\n    --dataset d  # the data\necho done >&2\n"
    assert fixed(text) == text, "a comment follows"
    text = text.replace("  # the data", "")
    after = fixed(text)
    assert asked(after) == [[*asked(text)[0], "--adalora_init_r", "24"]]
    assert found(after) == []


def test_a_renamed_option_is_renamed(asked):
    text = HEAD.replace("--tuner_type", "--train_type") + "\n"
    assert [code for code, _ in found(text)] == ["ADA603"]
    assert asked(fixed(text)) == [["--tuner_type" if word == "--train_type" else word for word in asked(text)[0]]]


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD} --adalora_init_r 12 --adalora_target_r 8\n",
        f'{HEAD} --adalora_init_r 8 "$@"\n',
        f"{HEAD} --adalora_init_r $1 --adalora_target_r 16\n",
        f"{HEAD} --adalora_init_r $(cat rank) --adalora_target_r 16\n",
        "swift sft --model x --tuner_type lora --adalora_init_r 8 --adalora_target_r 16\n",
        "python train.py --tuner_type adalora --adalora_init_r 8 --adalora_target_r 16\n",
        "# swift sft --model x --tuner_type adalora --adalora_init_r 8 --adalora_target_r 16\n",
        "echo 'swift sft --model x --tuner_type adalora --adalora_init_r 8 --adalora_target_r 16'\n",
        "for r in 8 16; do\n  swift sft --model x --tuner_type adalora --adalora_init_r $r --adalora_target_r 12\ndone\n",
    ],
)
def test_the_innocent_and_the_unknown_are_left_in_peace(text):
    assert found(text) == []


def test_a_comment_above_silences():
    text = f"# adalint: ignore[ADA102]\n{HEAD} --adalora_init_r 8 --adalora_target_r 16\n"
    assert found(text) == []


def test_words_are_the_frameworks_own():
    report = check_text(REVERSED["in a line"], filename="run.sh")
    [finding] = report.findings
    assert "adalora_target_r=16" in finding.message
    assert "adalora_init_r=16" in finding.fixes[0].title


@settings(max_examples=60, deadline=None)
@given(
    init_r=st.integers(1, 40),
    target_r=st.integers(1, 40),
    equals=st.booleans(),
    quote=st.sampled_from(["", "'", '"']),
    broken=st.booleans(),
    tail=st.sampled_from(["", " --dataset 'a b'", " > log.txt", " && echo done", " | tee log", " &"]),
)
def test_a_fixed_line_has_no_findings_and_is_fixed_once(init_r, target_r, equals, quote, broken, tail):
    sign, gap = "=" if equals else " ", " \\\n  " if broken else " "
    options = f"--adalora_init_r{sign}{quote}{init_r}{quote}{gap}--adalora_target_r{sign}{quote}{target_r}{quote}"
    text = f"{HEAD}{gap}{options}{tail}\n"
    is_wrong = target_r >= init_r
    assert ("ADA102" in [code for code, _ in found(text)]) is is_wrong
    after = fixed(text)
    assert fixed(after) == after
    assert is_wrong or after == text
    if init_r > 1 or not is_wrong:
        assert found(after) == []
    assert after.count("\n") == text.count("\n")
    assert after.endswith(f"{tail}\n")


LAUNCHERS = [
    *("{}", "$(which swift)", "`which swift`", '"$(command -v swift)"', "$(type -p swift)", "/opt/bin/swift"),
    *("uv run {}", "poetry run {}", "conda run -n x {}", "srun -N 1 {}", "sudo -E {}", "time {}", "env A=b {}"),
    *("nohup {} > log 2>&1 &", "docker run --gpus all image {}", "kubectl exec pod -- {}", "timeout 5h {}"),
    *("docker exec c bash -c '{}'", "ssh host '{}'", 'ssh -p 22 host "cd x && {}"', "srun bash -c '{}'"),
    *("tmux new-session -d -s x '{}'", 'tmux send-keys -t x "{}" C-m', "screen -dmS x bash -c '{}'"),
    *("sbatch --wrap '{}'", "bsub '{}'", "su me -c '{}'", "flock lock -c '{}'", "sky exec c '{}'"),
    *("gcloud compute ssh x --command='{}'", "apptainer exec --nv x.sif {}", "eval '{}'", "watch '{}'"),
    *("sbatch <<'EOF'\n#!/bin/bash\n{}\nEOF", "ssh host <<EOF\n{}\nEOF", "cat > x.sh <<EOF\n#!/bin/bash\n{}\nEOF"),
    *("sudo bash <<EOF\n{}\nEOF", "if true; then\n\tsh <<-'EOF'\n\t{}\n\tEOF\nfi"),
]


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_line_is_found_and_mended_whatever_launches_it(launcher):
    line = f"{HEAD} --adalora_init_r {{}} --adalora_target_r {{}}"
    line = line if "{}" in launcher else line.replace("swift", launcher, 1)
    launcher = launcher if "{}" in launcher else "{}"
    text, wanted = (launcher.format(line.format(*ranks)) + "\n" for ranks in ((8, 16), (16, 8)))
    assert [code for code, _ in found(text)] == ["ADA102"]
    assert fixed(text) == wanted


@pytest.mark.parametrize(
    "launcher",
    [
        *("echo '{}'", "# {}", "cat <<EOF\n{}\nEOF", "python - <<EOF\n{}\nEOF", "grep '{}' log", "X='{}'"),
        *("cat > x.txt <<'EOF'\n{}\nEOF", "$(which other) <<EOF\n{}\nEOF", "git commit -m '{}'"),
    ],
)
def test_what_is_only_a_text_is_left_in_peace(launcher):
    assert found(launcher.format(f"{HEAD} --adalora_init_r 8 --adalora_target_r 16") + "\n") == []


HOSTS = {
    "train.yml": "jobs:\n  a:\n    steps:\n      - run: |\n          {}\n          echo ${{{{ github.sha }}}}\n",
    ".gitlab-ci.yml": "train:\n  script:\n    - {}\n",
    "Makefile": "train:\n\t{}\n",
    "Dockerfile": "FROM python:3.11\nRUN {}\n",
    "README.md": "# Training\n\n```bash\n{}\n```\n",
    "docker-compose.yml": "services:\n  train:\n    image: x\n    command: {}\n",
    "compose.yaml": "services:\n  train:\n    image: x\n    command:\n      - bash\n      - -c\n      - cd x; {}\n",
    "job.yaml": "kind: Job\nspec:\n  containers:\n    - command: [/bin/bash, -c]\n      args:\n        - |\n          {}\n",
    "config.yml": "jobs:\n  a:\n    steps:\n      - run:\n          name: x\n          command: |\n            {}\n",
    "dvc.yaml": "stages:\n  train:\n    cmd: {}\n",
    "included.mk": "ARGS = --x 1 \\\n  --y 2\ntrain:\n\t{} $(ARGS)\n",
    "launch.slurm": "#!/bin/bash\n#SBATCH -N 1\nsrun {}\n",
    "bash.ipynb": '{{"cells": [{{"cell_type": "code", "metadata": {{}}, "source": ["%%bash\\n", "{}"], "outputs": [], '
    '"execution_count": null}}], "metadata": {{}}, "nbformat": 4, "nbformat_minor": 5}}',
}


@pytest.mark.parametrize("name", HOSTS)
def test_a_line_is_found_and_mended_wherever_it_stands(name):
    line = f"{HEAD} --adalora_init_r {{}} --adalora_target_r {{}}"
    text, wanted = (HOSTS[name].format(line.format(*ranks)) for ranks in ((8, 16), (16, 8)))
    report = check_text(text, filename=name)
    assert [one.code for one in report.findings] == ["ADA102"]
    fixed_text = fix_text(text, filename=name, unsafe_fixes=True)
    assert fixed_text.after.encode().decode() == wanted
    assert check_text(wanted, filename=name).findings == ()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("compose.yaml", "services:\n  a:\n    command: {} ${{RANK:-8}}\n"),
        ("job.yaml", "spec:\n  containers:\n    - command: [swift]\n      args: [$(ARGS), '# {}']\n"),
        ("config.yaml", "job:\n  command: echo '{}' 8\n"),
        ("Makefile", "RANK ?= 8\ntrain:\n\t{} $(RANK)\n"),
        ("Makefile", "RANK = 8\nifdef SMALL\nRANK = 32\nendif\ntrain:\n\t{} $(RANK)\n"),
    ],
)
def test_what_another_program_fills_in_is_unknown_wherever_it_stands(name, text):
    line = f"{HEAD} --adalora_target_r 16 --adalora_init_r"
    assert check_text(text.format(line), filename=name).findings == ()


def test_a_makefiles_own_value_is_known():
    line = f"{HEAD} --adalora_target_r 16 --adalora_init_r"
    report = check_text(f"RANK = 8\nARGS = $(RANK)\ntrain:\n\t{line} $(ARGS)\n", filename="Makefile")
    assert [one.code for one in report.findings] == ["ADA102"]


def test_a_workflow_without_adalora_in_its_scripts_is_left_as_it_is():
    text = "# adalora\njobs:\n  a:\n    steps:\n      - run: swift sft --model x --tuner_type lora ${{ inputs.more }}\n"
    assert check_text(text, filename="train.yml").findings == ()
