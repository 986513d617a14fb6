"""Findings and fixes of a framework's configuration speak its keys, and touch nothing else."""

from __future__ import annotations

import json

import pytest
import yaml
from commands import CHECKOUT
from hypothesis import given, settings
from hypothesis import strategies as st

from adalint.dialects import records
from adalint.engine import check_source, fix_source
from adalint.findings import Safety
from adalint.plan import Counter, Loop
from adalint.readers import read_sites
from adalint.schema import FIELDS
from adalint.settings import Settings
from adalint.source import Kind, Source, kind_of

FIXTURES = CHECKOUT / "fixtures" / "dialects"
KEYS = {record.title: set(record.keys) for record in records() if record.keys}
SWIFT = {"model": "Qwen/Qwen2.5-7B-Instruct", "tuner_type": "adalora", "dataset": "数据.jsonl"}


def findings(text, name="config.yaml", **options):
    source = Source(name, kind_of(name) or Kind.YAML, text.encode())
    return check_source(source, Settings(**options)).findings


def fixed(text, safety=Safety.UNSAFE, name="config.yaml", **options):
    source = Source(name, kind_of(name) or Kind.YAML, text.encode())
    return fix_source(source, Settings(**options), safety).after.text


def swift(lines, newline="\n"):
    text = "tuner_type: adalora\nmodel: Qwen/Qwen2.5-7B-Instruct\n" + lines
    return text.replace("\n", newline)


def ludwig(lines):
    return f"base_model: facebook/opt-350m\ninput_features: []\nadapter:\n  type: adalora\n{lines}"


# What is said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (swift("lora_rank: 16\n"), "lora_rank=16 has no effect in AdaLoRA: training starts at adalora_init_r=12"),
        (swift("use_dora: true\n"), "use_dora"),
        (swift("adalora_deltaT: 0\n"), "adalora_deltaT=0: PEFT raises ZeroDivisionError"),
        (swift("init_weights: pissa\n"), "init_weights"),
        (
            ludwig("  delta_t: 0\n  tinit: 6000\n  tfinal: 4000\n"),
            "tinit=6000 and tfinal=4000 leave nothing of total_step=10000",
        ),
        (ludwig("  beta1: 1.0\n"), "beta1"),
    ],
)
def test_a_message_names_the_keys_of_the_framework(text, said):
    [message] = [one.message for one in findings(text) if one.code not in {"ADA601", "ADA604"}]
    assert said in message
    assert "adalora_adalora" not in message
    assert "lora_lora" not in message


def test_chinese_names_them_too():
    [finding] = findings(swift("lora_rank: 16\n"), language="zh")
    assert finding.message == "lora_rank=16 在 AdaLoRA 中不起作用：训练从 adalora_init_r=12 开始"
    assert finding.fixes[0].title == "把它当作初始秩：将 lora_rank 改名为 adalora_init_r"


def test_a_comment_that_a_fix_leaves_names_them_too():
    assert fixed(swift("lora_rank: 16\n"), Safety.SAFE) == swift(
        "adalora_init_r: 12  # lora_rank=16 had no effect in AdaLoRA\n"
    )


def test_a_rank_of_ludwig_that_makes_the_scale_is_not_without_effect():
    assert [one.code for one in findings(ludwig("  r: 16\n"))] == ["ADA601"]
    assert [one.code for one in findings(ludwig("  r: 16\n  alpha: 32\n"))] == ["ADA601", "ADA101"]


def test_a_schedule_that_nobody_runs_is_not_said_to_crash():
    assert [one.code for one in findings(ludwig("  init_r: 8\n  delta_t: 0\n"))] == ["ADA601"]


def test_the_loop_is_the_frameworks_own():
    """ms-swift's callback gives the allocator 1, 2, 3 …; nothing in Ludwig calls it."""
    text = swift("adalora_init_r: 24\n")
    for one, loop in ((text, Loop(counter=Counter(start=1))), (ludwig(""), Loop(allocates=False))):
        [site] = read_sites(Source("config.yaml", Kind.YAML, one.encode()))
        assert site.loop == loop


# What is written


def test_a_swap_writes_the_frameworks_keys_and_is_safe_because_it_calls_the_allocator():
    text = swift("adalora_init_r: 8  # start\nadalora_target_r: 16\n")
    assert fixed(text, Safety.SAFE) == swift("adalora_init_r: 16  # start\nadalora_target_r: 8\n")


def test_a_field_that_is_not_written_gets_the_key_that_the_framework_has_for_it():
    assert fixed(swift("adalora_init_r: 8\n")) == swift("adalora_init_r: 8\nadalora_target_r: 5\n")


def test_a_key_that_is_written_twice_keeps_its_last_entry():
    text = swift("adalora_init_r: 8\nadalora_init_r: 12\n")
    [finding] = findings(text)
    assert (finding.code, finding.message.count("adalora_init_r")) == ("ADA316", 1)
    assert fixed(text, Safety.SAFE) == swift("adalora_init_r: 12\n")


@pytest.mark.parametrize("newline", ["\r\n", "\n"])
def test_newlines_and_comments_stay(newline):
    text = swift("# 秩\nadalora_init_r: 8   # 初始\nadalora_target_r: 16 # é\n", newline)
    after = fixed(text)
    assert after == swift("# 秩\nadalora_init_r: 16   # 初始\nadalora_target_r: 8 # é\n", newline)


def test_what_an_anchor_brings_in_is_found_and_not_edited():
    text = "base: &base\n  adalora_init_r: 8\n<<: *base\n" + swift("adalora_target_r: 16\n")
    [finding] = [one for one in findings(text) if one.code == "ADA102"]
    assert finding.fix_for(Safety.SAFE) is None
    assert "adalora_init_r: 8\n" in fixed(text)


@pytest.mark.parametrize(
    "text",
    [
        swift("adalora_init_r: [8, 12]\nadalora_target_r: 16\n"),
        swift("adalora_init_r: {min: 8, max: 12}\nadalora_target_r: 16\n"),
        swift("adalora_init_r: 8\nadalora_target_r: 16\neval_loss: 0.3\n"),
        swift("adalora_init_r: 8\nadalora_target_r: 16\nenabled: false\n"),
        swift("adalora_init_r: ${rank}\n"),
        swift("adalora_init_r: auto\n"),
        swift("adalora_init_r: null\n"),
        swift("adalora: {init_r: 12}\nadalora_init_r: 8\n"),
        swift("defaults: [base]\nmax_steps: 900\n"),
        "runs:\n- " + swift("adalora_init_r: 8\n").replace("\n", "\n  "),
        "tuner_type: adalora\nadalorable: yes\n",
        "tuner_type: [adalora]\nmodel: x\nadalora_init_r: 8\n",
        "model: x\nlora_rank: 8\nadalora_init_r: 8\n",
        ludwig("  init_r: 8\n").replace("type: adalora", "type: lora  # adalora"),
        ludwig("  init_r: 8\n").replace("adapter:", "adapters:"),
        "adapter: {type: adalora, r: 8, init_r: 12, target_modules: [q]}\n",
        "global_args: {enable_lora: true}\nadalora: {with_lora: false, init_r: 8, r: 8}\n",
        "train_type: adalora\nmodel: bert\ndataset: x\nepochs: 3\n",
        "base_model: x\nadapter:\n  type: adalora\n  init_r: 8\n  target_r: 16\n",
        "base_model: x\nadapter: adalora\nmicro_batch_size: 4\ndatasets: [a]\n",
        "finetuning_type: adalora\ndo_train: true\nlearning_rate: 1e-4\n",
        "stage: sft\nfinetuning_type: lora\nlora_rank: 8\noutput_dir: adalora\n",
        "base_model: x\nadapter: lora\nsequence_len: 8\ntags: [adalora]\n",
    ],
)
def test_what_is_not_in_force_or_not_known_is_silent(text):
    assert findings(text) == ()


def test_an_empty_and_a_strange_document_are_silent():
    for text in (
        "# adalora\n",
        "- adalora\n",
        "adalora\n",
        "{adalora: {}}\n",
        "1: adalora\ntuner_type: adalora\n? [a]\n: b\n",
    ):
        assert findings(text) == ()


# What no fix may do

NUMBERS = st.integers(-2, 40)
STEPS = st.integers(0, 1200)


@st.composite
def swift_configs(draw):
    own = {
        "adalora_init_r": NUMBERS,
        "adalora_target_r": NUMBERS,
        "adalora_tinit": STEPS,
        "adalora_tfinal": STEPS,
        "adalora_deltaT": st.integers(0, 30),
        "adalora_orth_reg_weight": st.sampled_from([0.5, "1e-1", -0.1]),
        "lora_rank": NUMBERS,
        "lora_dropout_p": st.just(0.1),
        "use_rslora": st.booleans(),
        "max_steps": st.sampled_from([-1, 1000]),
    }
    chosen = draw(st.lists(st.sampled_from(sorted(own)), unique=True))
    return {**SWIFT, **{name: draw(own[name]) for name in chosen}}


@st.composite
def ludwig_adapters(draw):
    own = {
        "r": NUMBERS,
        "alpha": NUMBERS,
        "init_r": NUMBERS,
        "target_r": NUMBERS,
        "tinit": STEPS,
        "tfinal": STEPS,
        "delta_t": st.integers(0, 30),
        "total_step": STEPS,
        "beta1": st.sampled_from([0.85, 1.0, 2.0]),
        "target_modules": st.just(["q_proj"]),
    }
    chosen = draw(st.lists(st.sampled_from(sorted(own)), unique=True))
    adapter = {"type": "adalora", **{name: draw(own[name]) for name in chosen}}
    return {"base_model": "facebook/opt-350m", "adapter": adapter, "input_features": []}


@settings(max_examples=80, deadline=None)
@given(data=st.data(), config=st.one_of(swift_configs(), ludwig_adapters()))
def test_fixes_only_touch_keys_of_the_framework_and_end(data, config):
    if data.draw(st.booleans()):
        name, text = "config.json", json.dumps(config, indent=data.draw(st.sampled_from([None, 2])), ensure_ascii=False)
    else:
        name, text = "config.yaml", yaml.safe_dump(config, sort_keys=False, allow_unicode=True)
    after = fixed(text, name=name)
    read = (json.loads if name.endswith("json") else yaml.safe_load)(after)
    assert fixed(after, name=name) == after
    title = "Ludwig" if "adapter" in config else "ms-swift"
    old, new = (config["adapter"], read["adapter"]) if title == "Ludwig" else (config, read)
    touched = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
    assert touched <= KEYS[title] | {"lora_dropout_p"}
    assert not (set(new) - set(old) - KEYS[title])
    assert {key: read[key] for key in config if key not in KEYS[title] | {"adapter", "lora_dropout_p"}} == {
        key: value for key, value in config.items() if key not in KEYS[title] | {"adapter", "lora_dropout_p"}
    }


@pytest.mark.parametrize(
    "path", sorted(FIXTURES.rglob("broken*.*")), ids=lambda path: path.relative_to(FIXTURES).as_posix()
)
def test_a_fixed_fixture_has_no_finding_left_that_had_a_fix(path):
    source = Source(str(path), kind_of(path.name), path.read_bytes())
    after = fix_source(source, Settings(), Safety.UNSAFE).after
    assert [one.code for one in check_source(after, Settings()).findings if one.fix_for(Safety.UNSAFE)] == []
    if path.suffix == ".py":
        compile(after.text, path.name, "exec")
        return
    assert not set(FIELDS) & (set(yaml.safe_load(after.text)) - set(yaml.safe_load(source.text)) - KEYS["ms-swift"])


SWAPPED = "swift sft --tuner_type adalora --adalora_init_r {first} --adalora_target_r {second}{rest}\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"T=12\nI=8\n{SWAPPED}", f"T=8\nI=12\n{SWAPPED}"),
        (f"I=8\n{SWAPPED}", f"I=12\n{SWAPPED}"),
    ],
)
def test_a_swap_changes_what_variables_are_set_to(before, after):
    second = "$T" if "T=12" in before else "12"
    text = before.format(first="$I", second=second, rest="")
    wanted = after.format(first="$I", second=second.replace("12", "8"), rest="")
    assert fixed(text, Safety.SAFE, name="run.sh") == wanted


@pytest.mark.parametrize("rest", [" --output_dir out-$T", "\necho $T"])
def test_a_variable_that_something_else_reads_goes_on_giving_its_option(rest):
    text = "T=12\n" + SWAPPED.format(first="8", second="$T", rest=rest)
    assert [one.code for one in findings(text, name="run.sh")] == ["ADA102"]
    assert fixed(text, Safety.SAFE, name="run.sh") == text


@pytest.mark.parametrize(("lines", "said"), [("", "step 300"), ("adalora_tfinal: 20\n", "step 280")])
def test_a_loop_that_counts_from_1_reaches_the_last_cut_of_a_schedule_without_a_final_phase(lines, said):
    text = swift(f"adalora_deltaT: 400\nmax_steps: 300\n{lines}")
    [found] = [one for one in findings(text) if one.code == "ADA205"]
    assert found.message.endswith(f"falls in one cut at {said}")


def test_a_variable_of_make_may_be_set_when_it_is_called():
    text = "T := 12\nrun:\n\t" + SWAPPED.format(first="8", second="$(T)", rest="")
    assert [one.code for one in findings(text, name="Makefile")] == ["ADA102"]
    assert fixed(text, Safety.SAFE, name="Makefile") == text
    plain = "run:\n\t" + SWAPPED.format(first="8", second="12", rest="")
    assert fixed(plain, Safety.SAFE, name="Makefile") == "run:\n\t" + SWAPPED.format(first="12", second="8", rest="")
