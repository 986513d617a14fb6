"""`adalint plan`: schedules held to PEFT's own formula, charts, pictures, and what is told of unknowns."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
from commands import CHECKOUT, REVERSED, run, run_apart
from examples import section
from schedules import plan as make_plan

import adalint
from adalint.plan import Counter, Loop
from adalint.report.chart import HEIGHT, chart
from adalint.schedule import MOST_RUNS, SAMPLES, schedule_of
from adalint.trace import Undetermined

HAN = re.compile(r"[\u4e00-\u9fff]")
SMALL = "from peft import AdaLoraConfig\n\nconfig = AdaLoraConfig({})\n"
TWELVE = "init_r=4, target_r=2, tinit=2, tfinal=3, deltaT=2, total_step=12"
SVG = "{http://www.w3.org/2000/svg}"
REVERSED_RANKS = "fixtures/first-look/reversed_ranks.py"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(fields: str, name: str = "x.py") -> str:
    Path(name).write_text(SMALL.format(fields))
    return name


def plans(*arguments: str, **options: str) -> list[dict]:
    done = run("plan", "--json", *arguments, **options)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)["plans"]


def side_of(fields: str, *arguments: str) -> dict:
    [one] = plans(write(fields), *arguments)
    return one["before"]


class TestSchedule:
    @pytest.mark.parametrize(
        ("modules", "fields"),
        [
            (4, {}),
            (3, {"init_r": 12, "target_r": 8, "tinit": 20, "tfinal": 50, "deltaT": 10, "total_step": 300}),
            (14, {"init_r": 12, "target_r": 4, "tinit": 20, "tfinal": 40, "deltaT": 1, "total_step": 200}),
            (7, {"init_r": 6, "target_r": 2.5, "tinit": 0, "tfinal": 0, "deltaT": 3, "total_step": 40}),
            (2, {"init_r": 3, "target_r": 5, "tinit": 4, "tfinal": 2, "deltaT": 1, "total_step": 30}),
        ],
    )
    def test_budgets_are_those_of_pefts_allocator(self, modules: int, fields: dict) -> None:
        from peft.tuners.adalora.layer import RankAllocator

        values = {"init_r": 4, "target_r": 2, "tinit": 2, "tfinal": 3, "deltaT": 2, "total_step": 12} | fields
        allocator = SimpleNamespace(
            peft_config=SimpleNamespace(**values),
            init_bgt=values["init_r"] * modules,
            target_bgt=values["target_r"] * modules,
        )
        schedule = schedule_of(make_plan(modules=modules, **values))
        stretches, complete = schedule.stretches()
        told = [one.budget for one in stretches for _ in range(one.first, one.last + 1)]
        seen = [RankAllocator.budget_schedule(allocator, step) for step in range(values["total_step"])]
        assert complete
        assert told == [budget for budget, _ in seen]
        # At total_step - tfinal PEFT forces the mask, whatever its schedule says of that step.
        end = values["total_step"] - values["tfinal"]
        assert [*schedule.due] == [step for step, (_, due) in enumerate(seen) if due and step < end]

    def test_stretches_cover_every_step_once_and_neighbours_differ(self) -> None:
        stretches, _ = schedule_of(make_plan(modules=96, init_r=12, target_r=8, total_step=3000)).stretches()
        assert (stretches[0].first, stretches[-1].last) == (0, 2999)
        assert all(one.last + 1 == other.first and one.budget != other.budget for one, other in pairwise(stretches))

    def test_ranks_in_use_are_those_of_the_latest_mask(self) -> None:
        # SEMANTICS of the 12-step run: mask(10)@4 mask(8)@6 mask(8)@8 forced(8)@9.
        schedule = schedule_of(make_plan(modules=4))
        assert [schedule.left(step) for step in range(12)] == [16, 16, 16, 16, 10, 10, 8, 8, 8, 8, 8, 8]
        assert (schedule.first_mask, schedule.masks, schedule.forced, schedule.cuts()) == (4, 4, 9, 2)

    def test_a_mask_that_takes_nothing_is_no_cut(self) -> None:
        assert schedule_of(make_plan(modules=4, target_r=4)).cuts() == 0

    def test_an_interval_beyond_the_window_leaves_one_cut(self) -> None:
        schedule = schedule_of(make_plan(modules=4, deltaT=50))
        assert (schedule.first_mask, schedule.masks, schedule.cuts()) == (9, 1, 1)
        assert {schedule.left(step) for step in range(9)} == {16}

    @pytest.mark.parametrize(("start", "forced", "final"), [(0, None, 0), (1, 12, 1)])
    def test_without_tfinal_only_a_counter_from_1_is_forced(self, start: int, forced: int | None, final: int) -> None:
        schedule = schedule_of(make_plan(Loop(counter=Counter(start=start)), modules=4, tfinal=0))
        assert (schedule.forced, schedule.phases[2].length) == (forced, final)

    def test_a_divided_deltat_masks_at_whole_steps_only(self) -> None:
        assert [*schedule_of(make_plan(deltaT=2.5)).due] == [5]

    @pytest.mark.parametrize("delta", [0, None, "10"])
    def test_an_interval_that_nothing_can_be_divided_by_has_no_masks_but_the_forced_one(self, delta: object) -> None:
        assert [*schedule_of(make_plan(deltaT=delta)).due] == []

    def test_phases_share_out_the_steps(self) -> None:
        for tinit, tfinal in ((2, 3), (-4, 0), (0, 11), (5, -2), (0.5, 2.5)):
            phases = schedule_of(make_plan(tinit=tinit, tfinal=tfinal)).phases
            steps = [step for phase in phases for step in range(phase.first, phase.last + 1)]
            assert steps == [*range(12)]

    def test_an_endless_run_is_sampled_in_no_time(self) -> None:
        schedule = schedule_of(make_plan(modules=1000, init_r=64, target_r=8, tinit=10, tfinal=10, total_step=10**12))
        stretches, complete = schedule.stretches()
        assert not complete
        assert SAMPLES <= len(stretches) <= SAMPLES + 4
        assert schedule.cuts() is None
        assert schedule.masks == 10**12 // 2 - 10  # even steps from 12 to 10**12 - 12, then the forced one

    def test_an_endless_run_of_few_ranks_is_listed_whole(self) -> None:
        schedule = schedule_of(make_plan(modules=1, total_step=10**12))
        stretches, complete = schedule.stretches()
        assert complete
        assert [one.budget for one in stretches] == [4, 3, 2]
        assert stretches[-1].last == 10**12 - 1
        assert len(stretches) < MOST_RUNS

    def test_what_is_no_number_has_no_schedule(self) -> None:
        with pytest.raises(Undetermined):
            schedule_of(make_plan(target_r="8"))


class TestChart:
    def rows(self, width: int = 60, **options) -> list[str]:
        return chart(schedule_of(make_plan(modules=4)), width, **options)

    def test_heights_are_the_ranks(self) -> None:
        *bars, ruler, steps = self.rows(width=14)
        # 16, 10 and 8 of 16 ranks on six rows: 6, 3.75 and 3 rows high.
        assert len(bars) == HEIGHT
        heights = [sum(line[2 + at : 3 + at] == "█" for line in bars) for at in range(12)]
        assert heights == [6, 6, 6, 6, 3, 3, 3, 3, 3, 3, 3, 3]
        assert [bars[2][2 + at : 3 + at] for at in (4, 5)] == ["▆", "▆"]
        assert ruler == "0 ───┴─────┴──"
        assert steps == "  0  3      11"  # 9 finds no room beside 11

    @pytest.mark.parametrize("width", [10, 40, 79, 100])
    def test_it_is_never_wider_than_asked_for_unless_that_is_hopeless(self, width: int) -> None:
        assert max(map(len, self.rows(width))) <= max(width, 23)

    def test_ascii_is_ascii(self) -> None:
        assert all(line.isascii() for line in self.rows(ascii_only=True, failing_step=4))

    def test_nothing_is_drawn_behind_a_crash(self) -> None:
        *bars, ruler, _ = self.rows(width=14, failing_step=4)
        assert ruler[2 + 4] == "✗"
        assert {len(line.rstrip()) for line in bars} == {2 + 4 + 1, 2 + 4}

    def test_an_output_that_has_no_blocks_gets_ascii(self) -> None:
        write(TWELVE)
        told = run_apart("plan", "x.py", env={"PYTHONIOENCODING": "ascii", "PATH": ""})
        assert told.returncode == 0
        assert "####" in told.stdout.decode("ascii")
        assert "\\u" not in told.stdout.decode("ascii")

    def test_the_terminal_decides_the_width(self) -> None:
        name = write(TWELVE)
        bars = {
            columns: max(
                len(line) for line in run("plan", name, COLUMNS=str(columns)).stdout.splitlines() if "█" in line
            )
            for columns in (60, 90, 400)
        }
        assert bars[60] <= 60 < bars[90] <= 90 < bars[400] <= 100


class TestWhatIsTold:
    def test_the_documented_example_is_what_really_comes_out(self) -> None:
        text = (CHECKOUT / "docs" / "plan.md").read_text(encoding="utf-8")
        [code] = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        [shown] = re.findall(r"^```json\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        Path("x.py").write_text(code)
        real = json.loads(run("plan", "--json", "--modules", "4", "--hidden", "16", "x.py").stdout)
        assert_part(json.loads(shown), real)

    def test_every_key_is_documented_and_every_documented_key_is_there(self) -> None:
        Path("x.py").write_text(REVERSED)
        [one] = plans("x.py")
        text = (CHECKOUT / "docs" / "plan.md").read_text(encoding="utf-8")
        tables = {
            title: set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (.*?) \|", body, re.MULTILINE))))
            for title, body in re.findall(r"^\| key of a (\w+) \|.*?\n\|---\|---\|\n((?:\|.*\n)+)", text, re.MULTILINE)
        }
        assert tables == {
            "plan": set(one),
            "side": set(one["before"]),
            "schedule": set(one["before"]["schedule"]),
            "run": set(one["before"]["run"]),
        }

    def test_parameters_are_those_that_peft_trains(self) -> None:
        import torch
        from peft import AdaLoraConfig, get_peft_model

        class Two(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.first, self.second = torch.nn.Linear(10, 6), torch.nn.Linear(6, 3)

        config = AdaLoraConfig(
            init_r=4, target_r=2, tinit=2, tfinal=3, total_step=12, target_modules=["first", "second"]
        )
        trained = get_peft_model(Two(), config).get_nb_trainable_parameters()[0]
        told = side_of(TWELVE, "--shape", "10,6*1", "--shape", "6,3*1")["parameters"]
        assert (told["start"], told["modules"], told["exact"]) == (trained, 2, False)

    def test_without_a_shape_parameters_are_a_formula(self) -> None:
        told = run("plan", write(TWELVE)).stdout
        assert "4 × (in + out + 1) in every module at the start, 2 × (in + out + 1) on average" in told
        assert side_of(TWELVE)["parameters"] is None

    @pytest.mark.parametrize(
        ("alpha", "scale"), [("lora_alpha=32", 8.0), ("lora_alpha=0", 1.0), ("lora_alpha=-4", 1.0)]
    )
    def test_the_scale_is_what_peft_makes_of_alpha(self, alpha: str, scale: float) -> None:
        import torch
        from peft import AdaLoraConfig, get_peft_model

        config = eval(f"AdaLoraConfig({TWELVE}, {alpha}, target_modules=['0'])", {"AdaLoraConfig": AdaLoraConfig})
        layer = get_peft_model(torch.nn.Sequential(torch.nn.Linear(8, 8)), config).base_model.model[0]
        # AdaLoRA's forward pass multiplies by scaling / (ranknum + 1e-5), and ranknum is init_r.
        effective = layer.scaling["default"] / float(layer.ranknum["default"])
        assert side_of(f"{TWELVE}, {alpha}")["scale"] == scale == effective

    def test_a_late_crash_is_named_with_its_step(self) -> None:
        Path("x.py").write_text(REVERSED)
        [one] = plans("x.py")
        # Defaults: tinit=0, deltaT=1; the first mask is due at step 1.
        assert (one["before"]["run"]["ends"], one["before"]["run"]["step"]) == ("crashes", 1)
        assert one["before"]["run"]["exception"] == "RuntimeError"
        assert (one["after"]["run"]["ends"], one["after"]["run"]["kept"]) == ("finishes", 8.0)
        assert (one["command"], one["mended"]) == ("adalint fix --unsafe-fixes", ["ADA102"])
        assert "crashes at step 1 with RuntimeError" in run("plan", "x.py").stdout

    def test_what_the_constructor_refuses_has_no_schedule(self) -> None:
        side = side_of("total_step=100, tinit=60, tfinal=60")
        assert side["schedule"] is None
        assert (side["run"]["ends"], side["run"]["exception"], side["run"]["stage"]) == (
            "raises",
            "ValueError",
            "construction",
        )

    def test_memory_that_differs_from_the_file_is_told(self) -> None:
        # SEMANTICS: tfinal=0 with deltaT=2 and a counter from 0: live 16, kept 8.
        side = side_of("init_r=4, target_r=2, tinit=2, tfinal=0, deltaT=2, total_step=12", "--modules", "4")
        assert (side["run"]["live"], side["run"]["kept"], side["run"]["finalised"]) == (4.0, 2.0, False)
        assert "memory and file differ" in run("plan", "x.py").stdout

    def test_a_trained_adapter_tells_what_it_holds(self) -> None:
        path = str(CHECKOUT / "fixtures" / "innocent" / "trained" / "adapter_config.json")
        [one] = plans(path)
        assert (one["before"]["modules"], one["after"]) == (1, None)
        # `inference_mode` says what it is used for now, not how it was trained.
        assert one["before"]["run"]["ends"] == "finishes"
        assert "this adapter holds 8 of 12 ranks in 1 module\n" in run("plan", path).stdout

    def test_chinese_is_spoken_throughout(self) -> None:
        Path("x.py").write_text(REVERSED)
        told = run("plan", "--lang", "zh", "x.py").stdout
        words = [line for line in told.splitlines() if re.search(r"[a-z]{3}", line)]
        assert len(words) > 8
        assert [line for line in words if not HAN.search(line)] == []

    def test_each_reading_has_a_plan_of_its_own(self) -> None:
        Path("x.py").write_text(
            "from peft import AdaLoraConfig\n\nif flag:\n    cfg = dict(init_r=12, target_r=4)\nelse:\n"
            "    cfg = dict(init_r=24, target_r=8)\nconfig = AdaLoraConfig(total_step=100, **cfg)\n"
        )
        told = plans("x.py")
        assert [(one["reading"], one["readings"]) for one in told] == [(1, 2), (2, 2)]
        assert {one["before"]["schedule"]["ranks"]["start"] for one in told} == {12, 24}

    def test_json_and_yaml_are_planned_too(self) -> None:
        Path("a.yaml").write_text("peft_type: ADALORA\ninit_r: 4\ntarget_r: 2\ntotal_step: 12\n")
        Path("b.json").write_text('{"peft_type": "ADALORA", "init_r": 6, "target_r": 2, "total_step": 12}')
        assert [one["before"]["schedule"]["ranks"]["start"] for one in plans()] == [4, 6]

    def test_a_run_of_a_trillion_steps_is_planned_and_drawn(self) -> None:
        name = write("init_r=12, target_r=8, tinit=200, tfinal=500, deltaT=10, total_step=10**12")
        assert run("plan", "-o", "a.svg", name).exit_code == 0
        [one] = plans(name, "--modules", "24")
        assert one["before"]["schedule"]["masks"]["count"] == (10**12 - 500 - 210) // 10 + 1
        assert one["before"]["schedule"]["budgets"][-1] == {
            "first": one["before"]["schedule"]["budgets"][-1]["first"], "last": 10**12 - 1, "budget": 192, "average": 8.0,
        }  # fmt: skip

    @pytest.mark.parametrize("example", [*section("Bad"), *section("Good")], ids=str)
    def test_nothing_on_a_rule_page_is_beyond_it(self, example) -> None:
        path = Path(example.file)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(example.text, encoding="utf-8")
        readable = adalint.check_text(example.text, filename=example.file).findings[:1]
        done = run("plan", "--json", str(path))
        assert "internal error" not in done.output
        assert done.exit_code == (2 if [one for one in readable if one.code in {"ADA901", "ADA904"}] else 0)
        for one in json.loads(done.stdout)["plans"]:
            assert one["before"]["run"]["ends"] in {"finishes", "raises", "crashes", "saving fails", "unknown"}
            place = f"{path}:{one['location']['row']}:{one['location']['column']}"
            assert "internal error" not in run("explain", place).output

    def test_standard_input_has_a_name(self) -> None:
        [one] = plans("-", "--stdin-filename", "sub/train.py", stdin=SMALL.format(TWELVE))
        assert one["filename"] == "sub/train.py"


class TestUnknowns:
    SYMBOLIC = "init_r=args.rank, target_r=4, total_step=len(loader) * epochs"

    def test_they_are_named_and_nothing_is_guessed(self) -> None:
        side = side_of(self.SYMBOLIC)
        assert side["unknown"] == ["args.rank", "epochs", "len(loader)"]
        assert (side["schedule"], side["scale"], side["run"]["ends"]) == (None, None, "unknown")
        assert {one["name"] for one in side["assumptions"]} == {"loop", "modules"}

    @pytest.mark.parametrize(
        "told",
        [["args.rank=12,len(loader)=50,epochs=2"], ["init_r=12", "total_step=100"], ["init_r=12,total_step=1e2"]],
    )
    def test_they_can_be_told_by_field_or_by_name(self, told: list[str]) -> None:
        side = side_of(self.SYMBOLIC, *(word for one in told for word in ("--assume", one)))
        assert (side["unknown"], side["run"]["ends"]) == ([], "finishes")
        assert {side["fields"][name]["origin"] for name in ("init_r", "total_step")} == {"assumed"}
        assert side["schedule"]["steps"]["last"] == 99

    def test_what_is_written_is_never_assumed_away(self) -> None:
        done = run("plan", "--assume", "init_r=64", write(TWELVE))
        assert done.exit_code == 2
        assert "--assume init_r: nothing of this name is unknown there" in done.output

    @pytest.mark.parametrize(
        "text", ["total_step", "total_step=", "=3", "total_step=many", "total_step=1e999", "a=1,,b=2"]
    )
    def test_nonsense_is_refused(self, text: str) -> None:
        done = run_apart("plan", "--assume", text, write(self.SYMBOLIC))
        assert (done.returncode, b"NAME=NUMBER" in done.stderr, b"Traceback" in done.stderr) == (2, True, False)

    def test_the_length_of_the_run_in_the_same_file_is_an_assumption_with_its_name(self) -> None:
        Path("a.yaml").write_text("adalora:\n  init_r: 4\n  target_r: 2\ntrainer:\n  max_steps: 40\n")
        [one] = plans("a.yaml")
        assert {"name": "total_step", "value": 40, "reason": "run length"} in one["before"]["assumptions"]
        assert one["before"]["schedule"]["steps"]["last"] == 39

    def test_a_number_of_modules_that_matters_is_not_guessed(self) -> None:
        # The budget ends at int(-0.5 * N): 0 ranks of one module, which can be left; -6 of twelve, which cannot.
        fields = "init_r=4, target_r=-0.5, tinit=2, tfinal=3, deltaT=2, total_step=12"
        side = side_of(fields)
        assert (side["undecided"], side["run"]["ends"]) == (["modules"], "unknown")
        assert [side_of(fields, "--modules", count)["run"]["ends"] for count in "19"] == ["finishes", "crashes"]


class TestPicture:
    def curves(self, path: str) -> dict[str, list[tuple[float, float]]]:
        """Give the points of every drawn thing that has a name, in units of the page."""
        found = {}
        for group in ET.parse(path).getroot().iter(f"{SVG}g"):
            name = group.get("id", "")
            if re.match(r"(panel-\d+-)?(ranks|phase|crash|first-mask)-", name):
                paths = [one.get("d", "") for one in group.iter(f"{SVG}path") if "clip-path" in one.attrib]
                uses = [(float(use.get("x")), float(use.get("y"))) for use in group.iter(f"{SVG}use")]
                numbers = [float(number) for number in re.findall(r"-?\d+\.?\d*", paths[0])] if paths else []
                found[name] = [*zip(numbers[::2], numbers[1::2], strict=True)] or uses
        return found

    def test_its_curves_fall_as_the_schedule_does(self) -> None:
        Path("x.py").write_text(SMALL.format("init_r=2, target_r=4, tinit=2, tfinal=3, deltaT=2, total_step=12"))
        assert run("plan", "-o", "out.svg", "x.py").exit_code == 0
        curves = self.curves("out.svg")
        bands = [curves[f"phase-{name}"] for name in ("initial", "budgeting", "final")]
        left, right = min(x for x, _ in bands[0]), max(x for x, _ in bands[2])
        unit = (right - left) / 12
        # tinit=2 ends after three steps, and the forced mask comes at step 9.
        assert [round((max(x for x, _ in band) - left) / unit, 2) for band in bands] == [3, 9, 12]
        # Swapped, 4 ranks fall to 2; 96 modules: int(192 * (1 - 2/7)**3 + 192) = 261 at step 4.
        after = curves["ranks-after"]
        high, low = after[0][1], after[-1][1]
        at_four = next(
            y
            for (x, y), (before, _) in zip(after[1:], after, strict=False)
            if round((x - left) / unit, 2) == 4 and before == x
        )
        expected = int((4 - 2) * 96 * (1 - (4 - 2) / (9 - 2)) ** 3 + 2 * 96) / 96
        assert round(2 + 2 * (low - at_four) / (low - high), 2) == round(expected, 2)
        [(crash, _)] = curves["crash-before"]
        [(first, _)] = curves["first-mask-after"]
        assert (round((crash - left) / unit, 2), round((first - left) / unit, 2)) == (4, 4)

    def test_the_same_plan_gives_the_same_bytes(self) -> None:
        name = write(TWELVE)
        for out in ("a.svg", "b.svg", "a.png", "b.png"):
            assert run("plan", "-o", out, name).exit_code == 0
        assert Path("a.svg").read_bytes() == Path("b.svg").read_bytes()
        assert Path("a.png").read_bytes() == Path("b.png").read_bytes()
        assert Path("a.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
        assert b"<dc:date>" not in Path("a.svg").read_bytes()

    def test_the_picture_in_the_readme_is_fresh(self) -> None:
        out = Path("new.svg").absolute()
        done = subprocess.run(
            [sys.executable, "-m", "adalint", "plan", "-o", str(out), REVERSED_RANKS],
            cwd=CHECKOUT, capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0
        kept, made = self.curves(str(CHECKOUT / "docs" / "plan.svg")), self.curves(str(out))
        assert {"ranks-before", "ranks-after", "crash-before", "first-mask-after"} < set(made)
        assert set(kept) == set(made)
        # Releases of matplotlib differ in layout: what is compared is the shape, in units of its own extent.
        for name in ("ranks-after", "ranks-before"):
            for old, new in zip(scaled(kept[name]), scaled(made[name]), strict=True):
                assert old == pytest.approx(new, abs=1e-3)

    def test_several_configurations_get_a_panel_each(self) -> None:
        write(TWELVE), write(TWELVE.replace("init_r=4", "init_r=8"), "y.py")
        assert run("plan", "-o", "out.svg", "x.py", "y.py").exit_code == 0
        assert {"panel-0-ranks-before", "panel-1-ranks-before"} <= set(self.curves("out.svg"))

    @pytest.mark.parametrize(
        ("out", "reason"),
        [
            ("a.pdf", "a picture ends in .svg or .png"),
            ("a", "a picture ends in"),
            ("no/a.svg", "there is no folder no"),
        ],
    )
    def test_one_that_cannot_be_made_says_why_and_leaves_nothing(self, out: str, reason: str) -> None:
        done = run_apart("plan", "-o", out, write(TWELVE))
        assert done.returncode == 2
        assert reason in done.stderr.decode()
        assert sorted(path.name for path in Path().iterdir()) == ["x.py"]

    def test_a_folder_of_that_name_is_left_alone(self) -> None:
        Path("a.svg").mkdir()
        done = run_apart("plan", "-o", "a.svg", write(TWELVE))
        assert (done.returncode, b"choose another" in done.stderr) == (2, True)
        assert sorted(path.name for path in Path().iterdir()) == ["a.svg", "x.py"]

    def test_without_a_schedule_there_is_none_to_draw(self) -> None:
        done = run_apart("plan", "-o", "a.svg", write("total_step=steps"))
        assert (done.returncode, b"no schedule is known" in done.stderr, Path("a.svg").exists()) == (2, True, False)

    def test_without_matplotlib_the_remedy_is_named(self) -> None:
        write(TWELVE)
        script = "import sys\nsys.modules['matplotlib'] = None\nfrom adalint.__main__ import main\nmain()"
        command = [sys.executable, "-c", script, "plan", "-o", "a.svg", "x.py"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert "pip install 'adalint[plot]'" in done.stderr
        assert not Path("a.svg").exists()

    def test_text_does_without_matplotlib(self) -> None:
        write(TWELVE)
        script = "import sys\nsys.modules['matplotlib'] = None\nfrom adalint.__main__ import main\nmain()"
        done = subprocess.run([sys.executable, "-c", script, "plan", "x.py"], capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")


class TestFailures:
    @pytest.mark.parametrize(
        "arguments",
        [
            ["nowhere.py"],
            ["--shape", "4"],
            ["--shape", "0,4"],
            ["--shape", "4,4", "--shape", "8,8"],
            ["--shape", "4,4*3", "--shape", "8,8"],
            ["--shape", "4,4*3", "--modules", "2"],
            ["--shape", "4,4", "--hidden", "4"],
            ["--modules", "0"],
            ["--output-format", "lsp"],
        ],
    )
    def test_bad_requests_are_2_without_a_traceback(self, arguments: list[str]) -> None:
        write(TWELVE)
        done = run_apart("plan", *arguments)
        assert (done.returncode, b"Traceback" in done.stderr, done.stdout) == (2, False, b"")

    def test_a_named_file_that_cannot_be_parsed_is_2_and_the_others_are_planned(self) -> None:
        Path("bad.py").write_text("AdaLoraConfig(")
        done = run("plan", "--json", "bad.py", write(TWELVE))
        assert (done.exit_code, len(json.loads(done.stdout)["plans"])) == (2, 1)

    def test_findings_are_no_failure(self) -> None:
        Path("x.py").write_text(REVERSED)
        assert run("plan", "x.py").exit_code == 0

    def test_no_configuration_is_no_failure(self) -> None:
        Path("x.py").write_text("print()\n")
        assert json.loads(run("plan", "--json", "x.py").stdout) == {"version": 1, "plans": []}

    def test_a_callback_whose_configuration_stands_elsewhere_has_no_schedule(self) -> None:
        Path("x.py").write_text(
            "from transformers import TrainerCallback\n\n\nclass AdaLora(TrainerCallback):\n"
            "    def on_optimizer_step(self, args, state, control, model=None, **kwargs):\n"
            "        model.base_model.update_and_allocate(state.global_step)\n"
        )
        assert json.loads(run("plan", "--json", "x.py").stdout) == {"version": 1, "plans": []}


class TestMoreStepsThanAFloatCounts:
    """Beyond 2**53 a float takes step n and step n + 1 for the same, and PEFT's budget is made of floats."""

    @pytest.mark.parametrize("steps", ["10**18", "2**53 + 1"])
    @pytest.mark.parametrize("command", ["plan", "explain"])
    def test_it_is_said_why_the_end_cannot_be_told(self, command: str, steps: str) -> None:
        result = run(command, write(f"init_r=8, target_r=4, total_step={steps}"))
        assert (result.exit_code, "total_step, which is beyond 2**53" in result.stdout) == (0, True)

    @pytest.mark.parametrize("command", ["plan", "explain"])
    @pytest.mark.parametrize("steps", ["10**12", "2**53"])
    def test_a_long_run_that_can_be_counted_is_told_to_its_end(self, command: str, steps: str) -> None:
        result = run(command, write(f"init_r=8, target_r=4, total_step={steps}, tfinal=10"))
        assert (result.exit_code, "2**53" in result.stdout, "4 ranks" in result.stdout) == (0, False, True)

    def test_what_is_simply_not_written_is_named_alone(self) -> None:
        assert "it depends on n\n" in run("plan", write("total_step=n")).stdout


def scaled(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    width, height = max(xs) - min(xs) or 1, max(ys) - min(ys) or 1
    return [((x - min(xs)) / width, (y - min(ys)) / height) for x, y in points]


def assert_part(part: object, whole: object) -> None:
    """Check that a document is part of another: fewer keys, the same values, whole lists."""
    if isinstance(part, dict):
        for key, value in part.items():
            assert_part(value, whole[key])
    elif isinstance(part, list):
        assert len(part) == len(whole)
        for one, other in zip(part, whole, strict=True):
            assert_part(one, other)
    else:
        assert part == whole
