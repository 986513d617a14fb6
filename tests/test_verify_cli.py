"""`adalint verify` and `fix --verify` as people run them, with rules of a team that claim what is not so."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from commands import CHECKOUT, CLEAN, IGNORED_RANK, REVERSED, run, run_apart

import adalint
from adalint.report.sparkline import BLOCKS
from adalint.values import Literal
from adalint.verify import reference_bench

if TYPE_CHECKING:
    from adalint.plan import Plan

verify_command = import_module("adalint.cli.verify")

RULE = """+++
code = "TEAM002"
name = "house-scale"
summary = "we train with a scale of our own"
severity = "warning"
where = ["P", "Y"]
when = "lora_alpha == 32"
at = ["lora_alpha"]
message = "lora_alpha={lora_alpha} is not what we use"

[[fix]]
title = "use 16"
effect = "EFFECT"
do = [{ set = "lora_alpha", to = "16" }]
+++

Our house has its own scale.
"""
HEAD = "from peft import AdaLoraConfig\n\n"
BOTH = (
    f"{HEAD}one = AdaLoraConfig(lora_alpha=32, total_step=100, tinit=10, tfinal=10)\n"
    "two = AdaLoraConfig(r=16, total_step=100, tinit=10, tfinal=10)\n"
)
WITHOUT = "import sys; sys.modules[{missing!r}] = None; from adalint.__main__ import main; main()"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put_team(effect: str, settings: str = "") -> None:
    Path("lint").mkdir()
    Path("lint/TEAM002-house-scale.md").write_text(RULE.replace("EFFECT", effect))
    Path("adalint.toml").write_text(f"rule-dirs = ['lint']\n{settings}")
    Path("x.py").write_text(BOTH)


def without(missing: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT.format(missing=missing), *arguments]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)


class TestRuleOfATeamThatClaimsWhatIsNotSo:
    def test_verify_says_so_and_exits_with_1(self):
        put_team("preserves")
        shown = run("verify", "--output-format", "full")
        assert shown.exit_code == 1
        first, second = shown.stdout.split("x.py:")[1:]
        assert "differs from optimizer step 1 of a run divided by 2 on" in first
        assert "this is not what the fix claims: please report it as a bug in TEAM002" in first
        assert "this is not what the fix claims" not in second
        assert shown.stderr == "1 fix checked on the reference adapter.\n1 not as claimed.\n"

    def test_fix_applies_it_where_nobody_verifies(self):
        put_team("preserves")
        run("fix")
        assert "lora_alpha=16" in Path("x.py").read_text()

    def test_fix_verify_refuses_it_and_mends_the_rest(self):
        put_team("preserves")
        shown = run("fix", "--verify", "--output-format", "concise")
        text = Path("x.py").read_text()
        assert "lora_alpha=32" in text
        assert "init_r=12" in text
        assert "x.py:3:21: not fixed TEAM002 house-scale: it is not what it claims to be (preserves): differs" in (
            shown.output
        )
        assert shown.exit_code == 1

    def test_diff_leaves_it_out_too(self):
        put_team("preserves")
        shown = run("fix", "--verify", "--diff")
        changed = [line for line in shown.stdout.splitlines() if line.startswith(("+", "-"))]
        assert [line for line in changed if "lora_alpha" in line] == []
        assert any("init_r=12" in line for line in changed)
        assert Path("x.py").read_text() == BOTH
        assert shown.exit_code == 1

    def test_unsafe_or_not_a_false_claim_is_refused(self):
        put_team("completes")
        run("fix", "--verify", "--unsafe-fixes")
        assert "lora_alpha=32" in Path("x.py").read_text()

    def test_an_honest_rule_is_applied(self):
        put_team("changes", "extend-safe-fixes = ['TEAM002']")
        shown = run("fix", "--verify")
        assert "lora_alpha=16" in Path("x.py").read_text()
        assert "not fixed" not in shown.output

    def test_python_refuses_it_as_well(self):
        put_team("preserves")
        settings = adalint.settings_for("x.py")
        fixed = adalint.fix_text(BOTH, settings=settings, verify=True)
        assert [one.finding.code for one in fixed.refused] == ["TEAM002"]
        assert [one.finding.code for one in fixed.applied] == ["ADA101"]
        assert [one.finding.code for one in adalint.fix_text(BOTH, settings=settings).refused] == []

    def test_more_bad_fixes_than_passes_do_not_keep_a_good_one_away(self):
        put_team("preserves")
        lines = "".join(f"a{at} = AdaLoraConfig(lora_alpha=32, total_step=100)\n" for at in range(12))
        Path("x.py").write_text(f"{HEAD}{lines}b = AdaLoraConfig(r=16, total_step=100)\n")
        run("fix", "--verify")
        assert Path("x.py").read_text().count("lora_alpha=32") == 12
        assert "init_r=12" in Path("x.py").read_text()


def test_fix_verify_does_what_fix_does_where_all_claims_are_true():
    for name in ("a.py", "b.py"):
        Path(name).write_text(REVERSED)
    Path("a.py").write_text(IGNORED_RANK)
    told = run("fix", "--diff").stdout
    assert told == run("fix", "--diff", "--verify").stdout
    assert "+config" in told


class TestWithoutNumpy:
    @pytest.fixture(autouse=True)
    def script(self):
        Path("x.py").write_text(IGNORED_RANK)

    def test_the_trace_answers_and_names_the_remedy(self):
        shown = without("numpy", "verify", "--output-format", "full", "x.py")
        assert shown.returncode == 0
        assert "identical: PEFT reads the same configuration" in shown.stdout
        assert "traced only: without NumPy nothing is run, pip install 'adalint[verify]'" in shown.stdout
        assert "ranks saved 32;" in shown.stdout
        assert "1 fix checked against the trace." in shown.stderr
        assert "pip install 'adalint[verify]'" in shown.stderr

    def test_json_says_so_too(self):
        [entry] = json.loads(without("numpy", "verify", "--output-format", "json", "x.py").stdout)
        assert (entry["evidence"]["engine"], entry["evidence"]["why_traced"]) == ("trace", "NumPy is missing")

    def test_fix_verify_still_refuses_what_the_trace_refutes(self):
        put_team("preserves")
        assert "not fixed TEAM002" in without("numpy", "fix", "--verify", "x.py").stdout
        assert "lora_alpha=32" in Path("x.py").read_text()

    @pytest.mark.parametrize("missing", ["peft", "torch", "numpy"])
    def test_peft_that_is_missing_is_an_error_with_a_remedy(self, missing):
        shown = without(missing, "verify", "--with-peft", "x.py")
        assert (shown.returncode, shown.stdout) == (2, "")
        # transformers has a word to say about a missing torch before.
        told = shown.stderr.splitlines()[-1]
        assert told.startswith("adalint: --with-peft: PEFT cannot be imported (")
        assert told.endswith("): pip install 'adalint[verify]' peft torch")
        assert "Traceback" not in shown.stderr


class TestOutput:
    @pytest.fixture(autouse=True)
    def script(self):
        Path("x.py").write_text(REVERSED)

    @pytest.mark.parametrize(("encoding", "blocks"), [("utf-8", True), ("ascii", False), ("latin-1", False)])
    def test_budgets_are_drawn_in_what_the_output_can_show(self, encoding, blocks):
        import os

        options = {"env": {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}}
        shown = run_apart("verify", "--output-format", "full", "x.py", **options)
        # What ASCII cannot show elsewhere click writes in UTF-8.
        text = shown.stdout.decode("utf-8" if encoding == "ascii" else encoding)
        drawn = [line for line in text.splitlines() if "budget" in line]
        assert len(drawn) == 2
        assert [any(block in line for block in BLOCKS) for line in drawn] == [blocks, blocks]
        assert [("#" in line or "+" in line) for line in drawn] == [not blocks, not blocks]
        assert [line for line in drawn if "\\u" in line] == []

    def test_steps_may_be_asked_for(self):
        Path("x.py").write_text(IGNORED_RANK)
        few, all_ = (run("verify", "--output-format", "full", *options).stdout for options in ((), ("--steps", "100")))
        assert "50 steps, every length divided by 2" in few
        assert "100 steps\n" in all_

    def test_json_holds_no_number_that_json_has_not(self):
        text = REVERSED.replace("init_r=8", "init_r=8, lora_alpha=1e300")
        Path("x.py").write_text(text)
        told = run("verify", "--output-format", "json").stdout

        def refuse(constant: str) -> None:
            raise AssertionError(constant)

        assert json.loads(told, parse_constant=refuse)

    def test_nothing_of_what_is_verified_is_run(self):
        Path("x.py").write_text(f"{IGNORED_RANK}open('ran', 'w')\nraise SystemExit(3)\n")
        assert run("verify").exit_code == 0
        assert not Path("ran").exists()

    def test_a_comment_that_is_mended_has_no_sides(self):
        Path("x.py").write_text(CLEAN.rstrip() + "  # adalint: ignore[ADA101]\n")
        [entry] = json.loads(run("verify", "--output-format", "json").stdout)
        assert (entry["code"], entry["evidence"]) == ("ADA902", None)


class TestTraceAndTensorsThatContradictEachOther:
    """Made with an adapter that takes every deltaT for 2."""

    @pytest.fixture(autouse=True)
    def mistaken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        bench = reference_bench()

        def run(plan: Plan) -> Any:
            return bench.run(replace(plan, values={**plan.values, "deltaT": Literal(2)}))

        monkeypatch.setattr(verify_command, "bench_for", lambda **_: replace(bench, run=run))
        Path("x.py").write_text(f"{HEAD}AdaLoraConfig(deltaT=0, total_step=50)\n")

    def test_the_output_asks_for_a_report_and_the_exit_code_is_1(self):
        shown = run("verify", "--output-format", "full")
        assert shown.exit_code == 1
        plea = "    internal error, please report it: tensors show a run that finishes, where the trace sees crashes at step 1"
        assert plea in shown.stdout

    def test_nothing_is_fixed(self):
        shown = run("fix", "--verify", "--unsafe-fixes")
        assert "trace and tensors disagree, which is a mistake in adalint" in shown.output
        assert "deltaT=0" in Path("x.py").read_text()

    def test_what_they_agree_on_is_not_touched_by_it(self):
        Path("x.py").write_text(IGNORED_RANK.replace("total_step=100", "deltaT=2, total_step=50"))
        run("fix", "--verify")
        assert "init_r=12" in Path("x.py").read_text()


class TestPage:
    """The example of docs/verify.md is what is printed."""

    TEXT = (CHECKOUT / "docs" / "verify.md").read_text(encoding="utf-8")

    @staticmethod
    def block(text: str, language: str) -> str:
        return text.split(f"```{language}\n", 1)[1].split("```", 1)[0]

    def test_the_text_is_what_is_printed(self):
        Path("train.py").write_text(self.block(self.TEXT, "python"))
        shown = run("verify", "--output-format", "full", "train.py")
        assert shown.stdout == self.block(self.TEXT, "text")

    def test_the_json_is_what_is_printed(self):
        Path("train.py").write_text(self.block(self.TEXT, "python"))
        [entry] = json.loads(run("verify", "--output-format", "json", "train.py").stdout)
        [shown] = json.loads(self.block(self.TEXT, "json"))
        # The page shows the first two steps of the budget, and rounds what is no whole number.
        seen = entry["evidence"]
        seen["largest_difference"] = float(f"{seen['largest_difference']:.3g}")
        for side in (seen["before"], seen["after"]):
            side["budget"] = side["budget"][:2]
            side["scale"] = float(f"{side['scale']:.6g}")
        assert entry == shown

    def test_every_key_is_told(self):
        Path("train.py").write_text(self.block(self.TEXT, "python"))
        [entry] = json.loads(run("verify", "--output-format", "json", "train.py").stdout)
        keys = {*entry, *entry["evidence"], *entry["evidence"]["before"]}
        assert [key for key in sorted(keys) if f"`{key}`" not in self.TEXT] == []
