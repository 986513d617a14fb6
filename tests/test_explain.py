"""`adalint explain`: the right configuration, and its story."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from commands import CHECKOUT, IGNORED_RANK, REVERSED, run, run_apart

from adalint.cli.explain import Place, place_in

HAN = re.compile(r"[\u4e00-\u9fff]")
TWO = """from peft import AdaLoraConfig

shared = dict(
    tinit=2,
)
first = AdaLoraConfig(init_r=4, target_r=2, total_step=12, **shared)
second = AdaLoraConfig(
    init_r=8,
    target_r=4,
    total_step=40,
)
"""
TWELVE = (
    "from peft import AdaLoraConfig\n\n"
    "config = AdaLoraConfig(\n    init_r=4,\n    target_r=2,\n    tinit=2,\n    tfinal=3,\n    deltaT=2,\n    total_step=12,\n"
    "    use_rslora=True,\n)\n"
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(*arguments: str, **options: str) -> str:
    done = run("explain", *arguments, **options)
    assert done.exit_code == 0, done.output
    return done.stdout


class TestPlace:
    @pytest.mark.parametrize(
        ("text", "place"),
        [
            ("x.py", Place("x.py")),
            ("x.py:12", Place("x.py", 12)),
            ("x.py:12:5", Place("x.py", 12, 5)),
            ("x.py:12:5:", Place("x.py", 12, 5)),
            ("x.ipynb:cell 3:2", Place("x.ipynb", 2, None, 3)),
            ("x.ipynb:cell 3:2:7", Place("x.ipynb", 2, 7, 3)),
            ("C:\\runs\\x.py", Place("C:\\runs\\x.py")),
            ("C:\\runs\\x.py:12", Place("C:\\runs\\x.py", 12)),
            ("C:\\runs\\x.py:12:5", Place("C:\\runs\\x.py", 12, 5)),
            ("C:/runs/x.py:12", Place("C:/runs/x.py", 12)),
            ("-:12", Place("-", 12)),
        ],
    )
    def test_lines_and_columns_are_told_from_the_path(self, text: str, place: Place) -> None:
        assert place_in(text) == place

    def test_a_file_with_such_a_name_wins(self) -> None:
        Path("x.py:12").write_text("")
        assert place_in("x.py:12") == Place("x.py:12")
        assert place_in("x.py:12:5") == Place("x.py:12", 5)

    @pytest.mark.parametrize(
        ("place", "line"),
        [("x.py:6", "x.py:6:9"), ("x.py:7", "x.py:7:10"), ("x.py:10", "x.py:7:10"), ("x.py:11", "x.py:7:10")],
    )
    def test_any_line_of_a_configuration_means_it(self, place: str, line: str) -> None:
        Path("x.py").write_text(TWO)
        assert told(place).startswith(f"{line}: ")

    def test_one_that_stands_within_another_is_meant_on_its_own_lines(self) -> None:
        Path("x.yaml").write_text(
            "peft_type: ADALORA\ninit_r: 6\ntarget_r: 4\ntotal_step: 40\n"
            "teacher:\n  peft_type: ADALORA\n  init_r: 4\n  target_r: 2\n  total_step: 12\n"
        )
        assert "init_r=4 (line 7)" in told("x.yaml:8")
        assert "init_r=6 (line 2)" in told("x.yaml:2")

    def test_a_value_that_stands_elsewhere_means_its_configuration(self) -> None:
        Path("x.py").write_text(TWO)
        assert told("x.py:4").startswith("x.py:6:9: ")

    @pytest.mark.parametrize(
        ("place", "what"), [("x.py", "2 configurations"), ("x.py:1", "no configuration at line 1")]
    )
    def test_otherwise_the_places_to_choose_from_are_listed(self, place: str, what: str) -> None:
        Path("x.py").write_text(TWO)
        done = run_apart("explain", place)
        assert done.returncode == 2
        assert what in done.stderr.decode()
        assert "6:9, 7:10" in done.stderr.decode()

    def test_a_column_chooses_on_a_shared_line(self) -> None:
        call = "AdaLoraConfig(init_r={}, target_r=2, total_step=12)"
        Path("x.py").write_text(f"from peft import AdaLoraConfig\nboth = {call.format(4)}, {call.format(6)}\n")
        assert run_apart("explain", "x.py:2").returncode == 2
        assert told("x.py:2:9").startswith("x.py:2:8: ")
        assert "init_r=6 (line 2)" in told("x.py:2:80")

    @pytest.mark.parametrize("place", ["nowhere.py:3", ".", "x.py:3", "bad.py"])
    def test_what_is_not_there_is_2_and_no_traceback(self, place: str) -> None:
        Path("x.py").write_text("print()\n")
        Path("bad.py").write_text("AdaLoraConfig(")
        done = run_apart("explain", place)
        assert (done.returncode, done.stdout, b"Traceback" in done.stderr) == (2, b"", False)
        assert done.stderr.startswith(b"adalint: ")
        assert b"internal error" not in done.stderr

    def test_standard_input_has_a_name_and_lines(self) -> None:
        assert told("-", "--stdin-filename", "train.py:9", stdin=TWO).startswith("train.py:7:10: ")
        assert told("--stdin-filename", "train.py", "--", "-:9", stdin=TWO).startswith("train.py:7:10: ")


class TestStory:
    def test_it_is_told_in_the_order_of_the_steps(self) -> None:
        # SEMANTICS of the 12-step run: mask(10)@4 mask(8)@6 mask(8)@8 forced(8)@9 remask@10.., for four modules.
        Path("x.py").write_text(TWELVE)
        lines = [line.strip() for line in told("x.py:5", "--modules", "4").splitlines()]
        story = lines[lines.index("What happens, step by step") :]
        assert story[3:9] == [
            "Steps 0–2: all 4 ranks of every module are trained, and their importance is measured.",
            "Steps 3–8: the budget goes from 4 to 2 ranks in a module on average, fast at first.",
            "Step 4: the first mask; it leaves 2.5 ranks on average.",
            "2 more masks follow, one every 2 steps, up to step 8, which leaves 2.",
            "Step 9: the forced mask at total_step - tfinal; it leaves 2, and the scores are cleared.",
            "Steps 10–11: the same ranks are masked again after every step; the others are trained on.",
        ]
        assert "The run finishes: 8 ranks, 2 in a module on average, in memory and in the saved adapter." in lines

    def test_every_number_tells_where_it_comes_from(self) -> None:
        Path("x.py").write_text(TWELVE)
        lines = told("x.py").splitlines()
        assert "  tinit=2 (line 6)" in lines
        assert "  lora_alpha=8 (PEFT's default)" in lines
        assert "  use_rslora=True (line 10) is accepted and never read" in lines

    def test_an_option_that_is_read_is_not_called_ignored(self) -> None:
        Path("x.py").write_text(TWELVE.replace("use_rslora=True", "lora_dropout=0.1"))
        assert "never read" not in told("x.py")

    def test_nothing_happens_after_a_crash(self) -> None:
        Path("x.py").write_text(REVERSED.replace("total_step=100", "total_step=100, tinit=10, tfinal=20"))
        text = told("x.py")
        # The first step behind tinit is the first that prunes.
        assert "Step 11: PEFT raises RuntimeError." in text
        assert "forced mask" not in text
        assert "the budget goes" not in text
        assert "crashes at step 11 with RuntimeError" in text

    def test_a_constructor_that_raises_leaves_no_steps(self) -> None:
        Path("x.py").write_text("from peft import AdaLoraConfig\n\nconfig = AdaLoraConfig(total_step=None)\n")
        text = told("x.py")
        assert "There is no first step: the run raises ValueError when this is constructed" in text
        assert "Steps" not in text

    def test_without_tfinal_the_forced_mask_is_missed(self) -> None:
        Path("x.py").write_text(TWELVE.replace("tfinal=3", "tfinal=0"))
        text = told("x.py")
        assert "The last step is 11, so total_step - tfinal = 12 is never reached and no mask is forced." in text
        assert "memory and file differ" in text

    def test_findings_come_with_their_fixes_and_pages(self) -> None:
        Path("x.py").write_text(IGNORED_RANK)
        text = told("x.py:3")
        assert "ADA101 at line 3: " in text
        assert "fix: start at this rank: rename r to init_r (training changes)" in text
        assert "more: `adalint rule ADA101`" in text

    def test_a_finding_of_a_neighbour_is_not_told(self) -> None:
        Path("x.py").write_text(f"{IGNORED_RANK}other = AdaLoraConfig(init_r=12, target_r=8, total_step=100)\n")
        assert "ADA101" in told("x.py:3")
        assert "ADA101" not in told("x.py:4")

    def test_what_is_silenced_is_not_told(self) -> None:
        Path("x.py").write_text(IGNORED_RANK.replace("100)\n", "100)  # adalint: ignore[ADA101]\n"))
        assert "nothing to report" in told("x.py")

    def test_unknown_steps_are_not_invented(self) -> None:
        Path("x.py").write_text("from peft import AdaLoraConfig\n\nconfig = AdaLoraConfig(total_step=steps)\n")
        text = told("x.py")
        assert "Which steps these are cannot be told: it depends on steps." in text
        assert "\n  Step 0: all 12 ranks" in told("x.py", "--assume", "steps=100")

    def test_chinese_is_spoken_throughout(self) -> None:
        for text in (TWELVE, REVERSED, IGNORED_RANK):
            Path("x.py").write_text(text)
            lines = [line for line in told("x.py", "--lang", "zh").splitlines() if line.strip() and "=" not in line]
            assert len(lines) > 10
            assert [line for line in lines if not HAN.search(line)] == []

    def test_json_has_the_story_the_findings_and_the_plan(self) -> None:
        Path("x.py").write_text(IGNORED_RANK)
        document = json.loads(told("--json", "x.py"))
        [one] = document["explained"]
        assert (document["version"], set(one)) == (1, {"story", "findings", "plan"})
        assert [finding["code"] for finding in one["findings"]] == ["ADA101"]
        assert one["findings"][0]["location"] == {"row": 3, "column": 24}
        [planned] = json.loads(run("plan", "--json", "x.py").stdout)["plans"]
        assert one["plan"] == planned

    def test_a_cell_of_a_notebook_and_a_block_of_markdown_are_explained(self) -> None:
        Path("x.md").write_text(f"# Notes\n\n```python\n{TWELVE}```\n")
        assert told("x.md:7").startswith("x.md:6:10: ")
        assert "init_r=4 (line 7)" in told("x.md:7")
        cells = [{"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": TWELVE}]
        Path("x.ipynb").write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
        assert told("x.ipynb:4").startswith("x.ipynb:cell 1:3:10: ")


def test_the_commands_in_readme_are_those_of_the_fixtures() -> None:
    done = run("explain", str(CHECKOUT / "fixtures" / "first-look" / "lone_rank.py") + ":12")
    assert done.exit_code == 0
    assert "r=16 (line 10) is accepted and never read" in done.stdout


def test_a_configuration_in_a_notebook_is_meant_by_its_cell() -> None:
    cells = [
        {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": [], "source": text}
        for text in ("from peft import AdaLoraConfig\n", *(f"c = AdaLoraConfig(total_step={n})" for n in (100, 200)))
    ]
    Path("x.ipynb").write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    assert "total_step=100" in told("x.ipynb:cell 2:1")
    assert "total_step=200" in told("x.ipynb:cell 3:1:5")
    refused = run("explain", "x.ipynb:1")
    assert (refused.exit_code, "cell 2:1:5, cell 3:1:5" in refused.stderr) == (2, True)
