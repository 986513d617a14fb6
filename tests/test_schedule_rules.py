"""The rules that a configuration's ranks and schedule show: what fires, at which field, and what next to it does not."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from adalint.engine import check_source, fix_source
from adalint.findings import Effect, Safety
from adalint.plan import RIGHT_LOOP
from adalint.readers import read_sites
from adalint.releases import NEWEST
from adalint.rulebook.judge import fire
from adalint.rulebook.pages import load
from adalint.rulebook.points_in_time import is_moment, is_name_of_moment
from adalint.settings import Settings
from adalint.source import Source, kind_of

PLAIN = Settings()


def source(text: str, path: str) -> Source:
    kind = kind_of(path)
    assert kind is not None
    return Source.decode(path, kind, text.encode())


def python(fields: dict[str, object]) -> Source:
    lines = "".join(f"    {name}={value!r},\n" for name, value in fields.items())
    return source(f"from peft import AdaLoraConfig\nAdaLoraConfig(\n{lines})\n", "a.py")


def json_file(fields: dict[str, object]) -> Source:
    return source(json.dumps({"peft_type": "ADALORA", **fields}, indent=2), "a.json")


def yaml_file(fields: dict[str, object]) -> Source:
    lines = "".join(f"  {name}: {json.dumps(value)}\n" for name, value in fields.items())
    return source(f"adalora:\n{lines}", "a.yaml")


def adapter(fields: dict[str, object]) -> Source:
    saved = {"peft_type": "ADALORA", "inference_mode": True, "rank_pattern": MASKS, "init_r": 2, "target_r": 1}
    return source(json.dumps({**saved, **fields}, indent=2), "adapter_config.json")


SURFACES = (python, json_file, yaml_file)
MASKS = {"layers.0.q_proj.lora_E": [True, False]}


def found(text: Source, settings: Settings = PLAIN) -> list[tuple[str, str]]:
    """Give each finding's code and the text that it stands at, without the quotes of JSON."""
    return [(one.code, text.slice(one.span).strip('"')) for one in check_source(text, settings).findings]


def codes(text: Source, settings: Settings = PLAIN) -> list[str]:
    return [code for code, _ in found(text, settings)]


RUN = {"total_step": 1000}


@pytest.mark.parametrize("write", SURFACES)
@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"target_r": 0, **RUN}, [("ADA104", "target_r")]),
        ({"target_r": 0.0, **RUN}, [("ADA104", "target_r")]),
        ({"rank_pattern": {"q_proj": 8}, **RUN}, [("ADA107", "rank_pattern")]),
        ({"rank_pattern": MASKS, **RUN}, [("ADA107", "rank_pattern")]),
        ({"rank_pattern": {"q_proj": "many"}, "inference_mode": False, **RUN}, [("ADA107", "rank_pattern")]),
        ({"lora_alpha": 0, **RUN}, [("ADA108", "lora_alpha")]),
        ({"lora_alpha": -0.5, **RUN}, [("ADA108", "lora_alpha")]),
        ({"init_r": 12, "total_step": 0}, [("ADA202", "total_step")]),
        ({"init_r": 12, "total_step": -0.5}, [("ADA202", "total_step")]),
        ({"deltaT": 50, "tinit": 10, "tfinal": 960, **RUN}, [("ADA205", "deltaT")]),
        ({"deltaT": 50, "tinit": 200, "tfinal": 750, **RUN}, [("ADA205", "deltaT")]),
        ({"deltaT": 1000, **RUN}, [("ADA205", "deltaT")]),
        ({"deltaT": 10**30, **RUN}, [("ADA205", "deltaT")]),
        ({"deltaT": 2**53 + 2, "tinit": 1, "total_step": 2**53 + 2}, [("ADA205", "deltaT")]),
        ({"deltaT": 2.5, "tinit": 5, "tfinal": 990, **RUN}, [("ADA205", "deltaT")]),
        ({"deltaT": 50, "tinit": 50.5, "tfinal": 900, **RUN}, [("ADA205", "deltaT"), ("ADA213", "tinit")]),
        ({"tinit": -1, **RUN}, [("ADA207", "tinit")]),
        ({"tfinal": -1, **RUN}, [("ADA207", "tfinal")]),
        ({"tinit": -0.5, "tfinal": -1, **RUN}, [("ADA207", "tinit"), ("ADA207", "tfinal")]),
        ({"init_r": 12, "total_step": 99.5}, [("ADA213", "total_step")]),
        ({"tinit": 0.1, **RUN}, [("ADA213", "tinit")]),
        ({"tinit": 1.5, **RUN}, [("ADA213", "tinit")]),
        ({"tfinal": 0.1, **RUN}, [("ADA213", "tfinal")]),
        ({"tfinal": 0.57 * 100, **RUN}, [("ADA213", "tfinal")]),
        ({"deltaT": -1, **RUN}, [("ADA214", "deltaT")]),
        ({"deltaT": -2.5, **RUN}, [("ADA214", "deltaT")]),
        ({"deltaT": -1000, **RUN}, [("ADA205", "deltaT"), ("ADA214", "deltaT")]),
    ],
)
def test_a_mistake_is_found_at_its_field_in_python_json_and_yaml(write, fields, expected):
    assert found(write(fields)) == expected


@pytest.mark.parametrize("write", SURFACES)
@pytest.mark.parametrize(
    "fields",
    [
        {"target_r": 1, "init_r": 2, **RUN},
        {"target_r": 0.5, **RUN},
        {"rank_pattern": {}, **RUN},
        {"rank_pattern": None, **RUN},
        {"rank_pattern": MASKS, "init_r": 2, "target_r": 1, "inference_mode": True, **RUN},
        {"lora_alpha": 1, **RUN},
        {"lora_alpha": 0.01, **RUN},
        {"init_r": 12, "total_step": 1},
        {"deltaT": 50, "tinit": 10, "tfinal": 940, **RUN},
        {"deltaT": 50, "tinit": 199, "tfinal": 750, **RUN},
        {"deltaT": 50, "tinit": 200, "tfinal": 749, **RUN},
        {"deltaT": 999, **RUN},
        {"deltaT": 2**53 + 1, "tinit": 1, "total_step": 2**53 + 2},
        {"deltaT": 2.5, "tinit": 5, "tfinal": 989, **RUN},
        {"deltaT": 1, "tinit": 4, "tfinal": 4, "total_step": 9},
        {"deltaT": 10**9, "total_step": True},
        {"tinit": 0, "tfinal": 0, **RUN},
        {"tinit": 1, "tfinal": 1, **RUN},
        {"init_r": 12, "total_step": 100.0},
        {"tinit": 100.0, "tfinal": 1e2, **RUN},
        {"deltaT": 1.5, "target_r": 2.5, **RUN},
    ],
)
def test_the_innocent_next_to_it_is_left_alone_in_python_json_and_yaml(write, fields):
    assert codes(write(fields)) == []


@pytest.mark.parametrize(
    ("arguments"),
    [
        "target_r=r, total_step=9",
        "rank_pattern=pattern, total_step=9",
        "rank_pattern={'q': 8}, total_step=9, **rest",
        "lora_alpha=2 * r, total_step=9",
        "total_step=n",
        "total_step=n - 9",
        "deltaT=d, total_step=9",
        "deltaT=100, total_step=n",
        "deltaT=100, tfinal=n, total_step=99",
        "deltaT=100, total_step=99, **rest",
        "deltaT=-d, total_step=9",
        "tinit=-n, tfinal=-n, total_step=9",
        "tinit=0.1 * n, tfinal=n / 3, total_step=n",
    ],
)
def test_what_is_not_known_is_left_alone(arguments):
    assert codes(source(f"from peft import AdaLoraConfig\nAdaLoraConfig({arguments})\n", "a.py")) == []


@pytest.mark.parametrize("tinit", range(-2, 7))
@pytest.mark.parametrize("tfinal", range(-1, 7))
def test_one_cut_is_reported_exactly_where_counting_the_steps_finds_no_other(tinit, tfinal):
    total = 7
    for interval in (2, 3, 4, 5, 6, 7, 9, -2, -3, -8):
        masks = [step for step in range(total - tfinal) if tinit < step and step % interval == 0]
        phase = tinit < total - tfinal
        fields = {"tinit": tinit, "tfinal": tfinal, "deltaT": interval, "total_step": total}
        reported = "ADA205" in codes(json_file(fields), Settings(select=("ADA205",)))
        assert reported == (phase and not masks), fields


@pytest.mark.parametrize("write", SURFACES)
@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"init_r": 0, "target_r": 0, **RUN}, ["ADA103"]),
        ({"tinit": 5, "deltaT": 100, "total_step": 0}, ["ADA202"]),
        ({"deltaT": 0, **RUN}, ["ADA204"]),
        ({"deltaT": 100, "tinit": 900, "tfinal": 200, **RUN}, ["ADA203"]),
    ],
)
def test_one_mistake_is_one_finding(write, fields, expected):
    assert codes(write(fields)) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"lora_alpha": 0, **RUN}, ["ADA108"]),
        ({"lora_alpha": 8, **RUN}, []),
        ({"deltaT": -1, "tinit": -1, "tfinal": -0.5, "total_step": 99.5}, []),
        ({"deltaT": 5000, **RUN}, []),
    ],
)
def test_of_a_saved_adapter_only_what_loading_it_reads_is_reported(fields, expected):
    schedule_and_ranks = Settings(select=("ADA1", "ADA2"))
    assert codes(adapter(fields), schedule_and_ranks) == expected


def test_below_0_15_a_late_total_step_repairs_one_that_is_not_positive():
    late = source("from peft import AdaLoraConfig\nc = AdaLoraConfig(total_step=-1)\nc.total_step = 300\n", "a.py")
    assert codes(late, Settings(target_peft="0.14.0")) == []
    assert codes(late, Settings(target_peft="0.15.0")) == ["ADA202"]


@pytest.mark.parametrize(
    ("release", "fields", "words"),
    [
        ("0.21.2", {"total_step": 0}, "ValueError when this is constructed"),
        ("0.14.0", {"total_step": 0}, "KeyError at the first step that prunes"),
        ("0.14.0", {"total_step": -5}, "AttributeError at a step of the run"),
        ("0.14.0", {"total_step": -5, "tfinal": -9}, "is no length of a run"),
        ("0.14.0", {"tinit": 8, "tfinal": 4, "total_step": 12}, "RuntimeError at the first step that prunes"),
        ("0.14.0", {"tfinal": 12, "total_step": 12}, "KeyError at the first step that prunes"),
        ("0.14.0", {"tfinal": 20, "total_step": 12}, "AttributeError at a step of the run"),
        ("0.9.0", {"target_r": 0, "total_step": 12}, "ValueError when this is loaded"),
        ("0.10.0", {"target_r": 0, "total_step": 12}, "changes nothing"),
        ("0.21.2", {"deltaT": 50, "tfinal": 3, "total_step": 12}, "one cut at step 9"),
        ("0.21.2", {"deltaT": 50, "total_step": 12}, "before that step, which a run that counts from 0 never reaches"),
        ("0.21.2", {"tfinal": -4, "total_step": 12}, "final at step 16, after the end"),
        ("0.21.2", {"tfinal": 3.5, "total_step": 12}, "total_step - tfinal = 8.5"),
    ],
)
def test_a_message_says_what_the_release_does_with_these_numbers(release, fields, words):
    first = check_source(python(fields), Settings(target_peft=release)).findings[0]
    assert words in first.message


def test_a_number_for_a_rank_is_refused_when_saving_where_the_allocator_is_never_called():
    [site] = read_sites(python({"rank_pattern": {"q_proj": 8}, **RUN}))
    [fired] = fire(replace(site, loop=replace(RIGHT_LOOP, allocates=False)), load(), NEWEST)
    assert fired.finding("en").message.startswith("PEFT raises TypeError when the adapter is saved:")


# ADA206: which words call a number of steps a moment


@pytest.mark.parametrize(
    "comment",
    [
        "end step",
        "the stop step of pruning",
        "stop pruning at step 400",
        "stops at 400",
        "step at which pruning ends",
        "the step where ranks are frozen",
        "prune until step 400",
        "until 400",
        "budgeting up to iteration 400",
        "freeze the ranks after 400 steps",
        "end of the budgeting phase",
        "end of pruning (step 400)",
        "when to stop",
        "end at 40% of training",
        "pruning ends here",
        "stop at 0.4k",
        "第 400 步停止剪枝",
        "在第400步之后停止剪枝",
        "剪枝结束步数",
        "停止剪枝的步",
        "結束剪枝",
        "プルーニング終了ステップ",
        "프루닝 종료 스텝",
    ],
)
def test_words_that_call_400_of_1000_steps_a_moment(comment):
    assert is_moment(comment, 400, 1000)


@pytest.mark.parametrize(
    "comment",
    [
        "",
        "final phase of 400 steps",
        "finish with 400 steps of fixed ranks",
        "end-of-training fine-tuning length",
        "the last 400 steps",
        "number of steps at the end",
        "The step of final fine-tuning.",
        "The number of steps of final fine-tuning.",
        "stop pruning 400 steps before the end",
        "no pruning until the end",
        "steps until the end of training",
        "stop pruning with 400 steps left",
        "stop pruning for 400 steps",
        "counted back from the end step",
        "a length, not the end step",
        "ends at step T - 400",
        "stop at step total_step - tfinal",
        "stop pruning at step 600",
        "stop at 60% of training",
        "steps after the end of pruning",
        "keep the ranks at the end",
        "final warmup",
        "fine-tune at rank 4 to the end",
        "最后 400 步",
        "剪枝结束后的微调步数",
        "训练结束前 400 步",
        "结束阶段的长度",
        "第 600 步停止剪枝",
        "倒数第 400 步停止剪枝",
        "最终微调步数",
        "終了前のステップ数",
        "종료 전 400 스텝",
        "마지막 스텝 수",
        "noqa: E501",
    ],
)
def test_words_that_measure_400_of_1000_steps_or_speak_of_something_else(comment):
    assert not is_moment(comment, 400, 1000)


def test_a_share_of_a_run_of_unknown_length_proves_nothing():
    assert not is_moment("end at 40% of training", 400, None)


@pytest.mark.parametrize(
    "name", ["end_step", "END_STEP", "endStep", "stop_at", "prune_end", "pruning_end_step", "end", "stop", "结束步"]
)
def test_names_of_moments(name):
    assert is_name_of_moment(name)


@pytest.mark.parametrize(
    "name",
    ["tfinal", "t_final", "final_steps", "end_steps", "steps_before_end", "end_length", "tail", "spend", "send_step"]
    + ["end_phase", "final_step", "end_ratio", "last_steps", "step", "stopping_steps", "backend", "结束前步数"],
)
def test_names_of_lengths_and_of_other_things(name):
    assert not is_name_of_moment(name)


def lines(*arguments: str) -> Source:
    body = "".join(f"    {argument}\n" for argument in arguments)
    return source(f"from peft import AdaLoraConfig\nAdaLoraConfig(\n{body})\n", "a.py")


def block(*entries: str) -> Source:
    return source("adalora:\n" + "".join(f"  {entry}\n" for entry in entries), "a.yaml")


@pytest.mark.parametrize(
    "text",
    [
        lines("tfinal=400,  # end step", "total_step=1000,"),
        lines("total_step=1000,", "tfinal=400  # end step"),
        lines("total_step=1000,", "tfinal=(400), # end step"),
        lines("tfinal=args.end_step,", "total_step=total,"),
        lines("tfinal=int(cfg['end_step']),", "total_step=1000,"),
        source("from peft import AdaLoraConfig\nEND = 400\nAdaLoraConfig(tfinal=END, total_step=1000)\n", "a.py"),
        source("from peft import AdaLoraConfig\nAdaLoraConfig(total_step=9,\n  tfinal=4)  # end step\n", "a.py"),
        block("tfinal: 400  # end step", "total_step: 1000"),
        block("total_step: 1000", "tfinal: 400\t# 结束步"),
        block("tfinal: ${run.end_step}", "tinit: 5"),
        source("adalora: {total_step: 1000,\n  tfinal: 400} # end step\n", "a.yaml"),
        source("x: &end_step 400\nadalora:\n  tinit: 1\n  tfinal: *end_step\n", "a.yaml"),
    ],
)
def test_a_comment_or_a_name_that_calls_tfinal_a_moment_is_found(text):
    assert codes(text) == ["ADA206"]


@pytest.mark.parametrize(
    "text",
    [
        lines("tfinal=400,", "total_step=1000,  # end step"),
        lines("# end step", "total_step=1000,", "tfinal=400,"),
        lines("tinit=100, tfinal=400,  # start step and end step", "total_step=1000,"),
        lines("tfinal=400, total_step=1000  # end step"),
        lines("tfinal=1000 - 400,  # stop at step 400", "total_step=1000,"),
        lines("tfinal=total - end_step,", "total_step=total,"),
        lines("tfinal=600,  # stop pruning at step 400", "total_step=1000,"),
        lines("tfinal=0,  # end step", "total_step=1000,"),
        lines("tfinal=args.tfinal,  # length", "total_step=1000,"),
        lines("tfinal=tail('# end step'),", "total_step=1000,"),
        source("from peft import AdaLoraConfig\nn = T - end_step\nAdaLoraConfig(tfinal=n, total_step=T)\n", "a.py"),
        block("tfinal: 400  # the last 400 steps", "total_step: 1000"),
        block("# end step", "tfinal: 400", "total_step: 1000"),
        block('tfinal: "${x}#end step"', "tinit: 5"),
        json_file({"tfinal": 400, "end_step": 400, **RUN}),
    ],
)
def test_words_beside_it_that_are_about_something_else_are_left_alone(text):
    assert codes(text) == []


@pytest.mark.parametrize("tfinal", [600, 1000])
def test_where_no_budgeting_phase_is_left_that_is_the_only_finding(tfinal):
    text = lines("tinit=500,", f"tfinal={tfinal},  # end step", "total_step=1000,")
    assert codes(text) == ["ADA203"]


def test_the_subtraction_is_written_with_the_users_own_words_and_silences_the_rule():
    text = lines("tfinal=int(end_step),", "tinit=-1,", "total_step=a + b,")
    [finding] = check_source(text, Settings(select=("ADA206",))).findings
    assert finding.fixes[0].effect is Effect.DISPLAY
    known = lines("tfinal=400,  # end step", "total_step=len(loader) * 3,")
    fixed = fix_source(known, PLAIN, Safety.UNSAFE)
    assert fixed.after.text.splitlines()[2] == "    tfinal=(len(loader) * 3) - 400,  # end step"
    assert fixed.left == ()
    assert fix_source(known, PLAIN, Safety.SAFE).after == known


@pytest.mark.parametrize(
    "text",
    [
        lines("tinit=400,", "tfinal=300,  # end step", "total_step=1000,"),
        block("tfinal: 300  # end step", "total_step: 1000"),
    ],
)
def test_the_subtraction_is_only_shown_where_it_leaves_no_window_and_in_yaml(text):
    [finding] = check_source(text, PLAIN).findings
    assert [(fix.effect, fix.edits) for fix in finding.fixes] == [(Effect.DISPLAY, ())]


def test_what_is_subtracted_from_a_total_step_in_doubt_waits_until_that_is_mended():
    text = lines("tfinal=400,  # end step", "total_step=3000,", ").train(max_steps=1000")
    fixed = fix_source(text, PLAIN, Safety.UNSAFE)
    assert fixed.after.text.splitlines()[2:4] == ["    tfinal=1000 - 400,  # end step", "    total_step=1000,"]
    assert fixed.left == ()


# ADA208: the run's own length


def run(total: str, *rest: str) -> Source:
    beginning = f"from peft import AdaLoraConfig\nconfig = AdaLoraConfig(init_r=12, total_step={total})\n"
    return source(beginning + "\n".join(rest) + "\n", "a.py")


def document(text: str, path: str = "a.yaml") -> Source:
    return source(text, path)


@pytest.mark.parametrize(
    "text",
    [
        run("3000", "TrainingArguments('out', max_steps=2000)"),
        run("1000", "TrainingArguments('out', max_steps=2000)"),
        run("3000", "max_train_steps = 2000"),
        run("3000", "schedule(optimizer, num_training_steps=2000)"),
        run("3000", "num_train_steps = 2000", "train(num_training_steps=num_train_steps)"),
        run("3000", "first(max_steps=2000)", "second(max_steps=-1)"),
        document("adalora:\n  init_r: 12\n  total_step: 3000\ntrainer:\n  max_steps: 2000\n"),
        document("max_steps: 2000\nruns:\n- adalora:\n    init_r: 12\n    total_step: 3000\n"),
        document('{"max_train_steps": 5, "peft": {"peft_type": "ADALORA", "total_step": 3}}', "a.json"),
    ],
)
def test_a_total_step_that_is_not_the_run_is_found(text):
    assert codes(text) == ["ADA208"]


@pytest.mark.parametrize(
    "text",
    [
        run("3000", "TrainingArguments('out', max_steps=3000)"),
        run("3000", "TrainingArguments('out', max_steps=3000.0)"),
        run("3000", "TrainingArguments('out', max_steps=-1)"),
        run("3000", "TrainingArguments('out', max_steps=0)"),
        run("3000", "first(max_steps=2000)", "second(max_steps=1000)"),
        run("3000", "first(max_steps=2000)", "second(max_steps=unknown)"),
        run("3000", "first(max_steps=len(loader))"),
        run("n", "first(max_steps=2000)"),
        run("3000", "first(max_steps=2000)", "config.total_step = 2000"),
        run("3000", "first(max_steps=2000)", "config.set_total_step(2000)"),
        run("3000", "smoke = AdaLoraConfig(init_r=12, total_step=2000)", "first(max_steps=2000)"),
        run("3000", "first(max_tokens=2000, warmup_steps=100)"),
        document("adalora:\n  init_r: 12\n  total_step: 3000\ntrainer:\n  max_steps: -1\n"),
        document("adalora:\n  init_r: 12\n  total_step: 3000\ntrainer:\n  max_steps: true\n"),
        document("adalora:\n  init_r: 12\n  total_step: 3000\na:\n  max_steps: 1\nb:\n  max_steps: ${x}\n"),
        document("runs:\n- adalora:\n    init_r: 12\n    total_step: 3000\n- lora:\n    r: 8\n  max_steps: 2000\n"),
        document("adalora:\n  init_r: 12\n  total_step: 3000\n---\nmax_steps: 2000\n"),
        document('{"max_steps": null, "peft": {"peft_type": "ADALORA", "total_step": 3}}', "a.json"),
    ],
)
def test_a_total_step_that_may_be_the_run_is_left_alone(text):
    assert codes(text) == []


def test_an_alias_inside_the_configuration_is_no_other_run():
    text = source("from peft import AdaLoraConfig\nAdaLoraConfig(total_step=30, max_steps=20)\n", "a.py")
    assert codes(text) == ["ADA301"]


def test_the_number_of_the_run_is_taken_only_when_asked():
    text = run("3000", "TrainingArguments('out', max_steps=2000)")
    assert fix_source(text, PLAIN, Safety.SAFE).after == text
    assert "total_step=2000" in fix_source(text, PLAIN, Safety.UNSAFE).after.text


def test_a_number_of_the_run_that_would_leave_no_window_is_only_shown():
    text = document("adalora:\n  tinit: 50\n  tfinal: 50\n  total_step: 3000\ntrainer:\n  max_steps: 100\n")
    [finding] = check_source(text, PLAIN).findings
    assert [(fix.edits, fix.why) for fix in finding.fixes] == [((), "it would lead to ADA203 (no-budgeting-phase)")]


# ADA214


def test_the_sign_of_a_named_interval_is_taken_off_by_another_sign():
    text = source("from peft import AdaLoraConfig\nD = -5\nAdaLoraConfig(deltaT=D, total_step=1000)\n", "a.py")
    fixed = fix_source(text, PLAIN, Safety.SAFE)
    assert fixed.after.text.endswith("AdaLoraConfig(deltaT=-D, total_step=1000)\n")
    assert fixed.left == ()
