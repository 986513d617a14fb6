"""What a Python file hands to a framework in its own words: read where it gets there, found and mended where it stands."""

from __future__ import annotations

import ast

import pytest
import yaml
from frameworks_env import recorded
from hypothesis import given, settings
from hypothesis import strategies as st

from adalint.dialects import records
from adalint.engine import check_source, fix_source
from adalint.findings import Safety
from adalint.plan import assemble
from adalint.readers import read_sites
from adalint.settings import Settings
from adalint.site import Surface
from adalint.source import Kind, Source
from adalint.values import UNKNOWN, Literal

TEXTGEN = "from textgen import GptModel\n"
SWIFT = "from swift.llm import TrainArguments\n"
LUDWIG = "from ludwig.api import LudwigModel\n"
BROKEN = "train_type='adalora', adalora_init_r=8, adalora_target_r=12"


def source_of(text):
    return Source("train.py", Kind.PYTHON, text.encode())


def findings(text, **options):
    return check_source(source_of(text), Settings(**options)).findings


def codes(text, **options):
    return [one.code for one in findings(text, **options)]


def site_of(text):
    [site] = read_sites(source_of(text))
    return site


def fixed(text, safety=Safety.UNSAFE, **options):
    return fix_source(source_of(text), Settings(**options), safety).after.text


# Where it is spoken


@pytest.mark.parametrize(
    "text",
    [
        "GptModel('llama', 'x', args={'peft_type': 'adalora', 'adalora_init_r': 24})",
        "GptModel('llama', 'x', None, {'peft_type': 'adalora', 'adalora_init_r': 24})",
        "GptModel('llama', 'x', args={'peft_type': 'adalora', 'use_peft': True, 'adalora_init_r': 24})",
        "a = dict(peft_type='ADALORA', adalora_init_r=24)\nGptModel('llama', 'x', args=a)",
        "a = {'peft_type': 'adalora'}\na['adalora_init_r'] = 24\nGptModel('llama', 'x', args=a)",
        "a = {'adalora_init_r': 24}\na.update(peft_type='adalora')\nGptModel('llama', 'x', args=a)",
        "KIND = 'adalora'\nGptModel('llama', 'x', args={'peft_type': KIND, 'adalora_init_r': 24})",
        "import textgen as tg\ntg.GptModel('llama', 'x', args={'peft_type': 'adalora', 'adalora_init_r': 24})",
        "from textgen.config.model_args import GptArgs\nGptArgs(peft_type='ADALORA', adalora_init_r=24)",
        "from textgen import GptArgs as A\na = A(peft_type='ADALORA', adalora_init_r=24)\nGptModel('llama', 'x', args=a)",
    ],
)
def test_what_reaches_the_framework_is_a_site_in_its_words(text):
    site = site_of(TEXTGEN + text)
    assert (site.surface, site.framework.title, site.where) == (Surface.FRAMEWORK, "textgen", "P")
    assert site.values["init_r"].expr == Literal(24)
    assert site.key_of("init_r") == "adalora_init_r"


@pytest.mark.parametrize(
    "text",
    [
        # no import of the framework
        "from mine import GptModel\nGptModel('llama', 'x', args={'peft_type': 'adalora', 'adalora_init_r': 24})",
        "textgen = 1\nGptModel('llama', 'x', args={'peft_type': 'adalora', 'adalora_init_r': 24})",
        "from textgen_utils import GptModel\nGptModel('l', 'x', args={'peft_type': 'adalora', 'adalora_init_r': 24})",
        # not handed to it
        f"{TEXTGEN}args = {{'peft_type': 'adalora', 'adalora_init_r': 24}}",
        f"{TEXTGEN}GptModel('llama', 'x', other={{'peft_type': 'adalora', 'adalora_init_r': 24}})",
        f"{TEXTGEN}GptModel('llama', {{'peft_type': 'adalora', 'adalora_init_r': 24}})",
        "from textgen import T5Model\nT5Model('t5', 'x', args={'peft_type': 'adalora', 'adalora_init_r': 24})",
        # not in force, or chosen as it runs
        f"{TEXTGEN}GptModel('llama', 'x', args={{'peft_type': 'lora', 'adalora_init_r': 24}})",
        f"{TEXTGEN}GptModel('llama', 'x', args={{'peft_type': kind(), 'adalora_init_r': 24}})  # adalora",
        f"{TEXTGEN}import sys\nGptModel('llama', 'x', args={{'peft_type': sys.argv[1], 'adalora_init_r': 24}})",
        f"{TEXTGEN}a = {{'peft_type': 'adalora'}}\na['peft_type'] = 'lora'\nGptModel('llama', 'x', args=a)",
        f"{TEXTGEN}a = {{'peft_type': 'adalora'}}\nadapt(a)\nGptModel('llama', 'x', args=a)",
        f"{TEXTGEN}GptModel('llama', 'x', args={{'peft_type': 'adalora', **rest()}})",
        f"{SWIFT}TrainArguments(train_type='lora', adalora_init_r=8, adalora_target_r=12)",
        f"{SWIFT}a = TrainArguments({BROKEN})\na.train_type = 'lora'",
        f"{SWIFT}a = TrainArguments({BROKEN})\nsetattr(a, name(), 4)",
        f"{LUDWIG}LudwigModel({{'adapter': {{'type': 'lora', 'init_r': 8, 'beta1': 1.0}}}})  # adalora",
        f"{LUDWIG}c = {{'adapter': {{'type': 'adalora'}}}}\nc['adapter']['type'] = 'lora'\nLudwigModel(c)",
        f"{LUDWIG}LudwigModel({{'adapter': {{'type': 'adalora'}}, **rest()}})",
        f"{LUDWIG}LudwigModel({{'old_adapter': {{'type': 'adalora'}}}})",
        f"{TEXTGEN}GptModel('llama', 'x', args={{'peft_type': 'adalora', 'use_peft': False}})",
        f"{TEXTGEN}GptModel('llama', 'x', args={{'peft_type': 'adalora', 'use_peft': asked()}})",
        # expected to fail, or never reached
        f"{SWIFT}import pytest\nwith pytest.raises(ValueError):\n    TrainArguments({BROKEN})",
    ],
)
def test_what_does_not_reach_it_in_force_is_nobodys(text):
    assert read_sites(source_of(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        f"{SWIFT}TrainArguments(**rest(), train_type='adalora', adalora_init_r=8)",
        f"{SWIFT}a = TrainArguments({BROKEN})\na.adalora_init_r = 24",
        f"{SWIFT}a = TrainArguments({BROKEN})\nsetattr(a, 'adalora_target_r', 4)",
        f"{SWIFT}TrainArguments({BROKEN.replace('12', 'rank()')})",
        f"{SWIFT}TrainArguments('model', train_type='adalora', adalora_init_r=8)",
    ],
)
def test_what_may_be_given_elsewhere_is_not_judged(text):
    assert codes(text) == []


def test_what_a_method_is_given_later_counts_more():
    made = f"{TEXTGEN}m = GptModel('l', 'x', args={{'peft_type': 'adalora', 'lora_r': 16}})\n"
    pinned = {"target_peft": "0.15.2"}
    assert "ADA201" in codes(made + "m.train_model('t.jsonl', output_dir='out')\n", **pinned)
    assert "ADA201" not in codes(made + "m.train_model('t.jsonl', args={'adalora_init_r': 24})\n", **pinned)
    assert "ADA201" not in codes(made + "m.train_model('t.jsonl', 'out', {'adalora_init_r': 24})\n", **pinned)


def test_a_length_that_is_missing_is_not_missed_by_a_framework_that_never_allocates():
    """With the PEFT that textgen works with, its training runs to the end."""
    text = f"{TEXTGEN}m = GptModel('l', 'x', args={{'peft_type': 'adalora'}})\nm.train_model('t.jsonl')\n"
    assert codes(text) == ["ADA601"]


def test_of_a_dict_that_is_spread_before_what_is_written_counts():
    text = f"{LUDWIG}LudwigModel({{**base(), 'adapter': {{'type': 'adalora', 'beta1': 1.0}}}})"
    assert codes(text) == ["ADA601", "ADA305"]


def test_each_adapter_of_one_dict_is_a_site():
    encoder = "{'encoder': {'adapter': {'type': 'adalora'}}}"
    text = f"{LUDWIG}LudwigModel({{'adapter': 'adalora', 'input_features': [{encoder}, {encoder}]}})"
    assert len({site.span for site in read_sites(source_of(text))}) == 3


SETTINGS = """\
lora_info_args = {'with_lora': False, 'r': 8}
adalora_info_args = {
    'with_lora': True,
    'lora_type': 'adalora',
    'target_r': 8,
    'init_r': 12,
    'total_step': None,
}
train_info_args = {
    'devices': 1,
    'lora': {**lora_info_args},
    'adalora': {**adalora_info_args},
}
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ("{**adalora_info_args}", "adalora_info_args"),
        ("{**lora_info_args}", "lora_info_args"),
        ("train_info_args =", "adalora_info_args['r'] = 4\ntrain_info_args ="),
        ("    'lora_type': 'adalora',\n", "    **{'lora_type': 'adalora'},\n"),
        ("    'devices'", "    **models['x'],\n    'devices'"),
    ],
)
def test_a_dict_of_settings_is_found_by_its_name(before, after):
    site = site_of(SETTINGS.replace(before, after) + "a, b = parser.parse_dict(train_info_args)\n")
    assert site.framework.title == "deep_training"
    assert codes(SETTINGS.replace(before, after)) == ["ADA601"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("'with_lora': True", "'with_lora': False"),
        ("'with_lora': True", "'with_lora': on()"),
        ("'with_lora': False", "'with_lora': True"),
        ("'with_lora': False", "'with_lora': on()"),
        ("    'lora': {**lora_info_args},\n", ""),
        ("'adalora': {**adalora_info_args}", "'adalora': {**adalora_info_args, **rest()}"),
        ("'adalora': {**", "'other': {**"),
        ("adalora_info_args", "adalora_args"),
        ("train_info_args =", "adalora_info_args['with_lora'] = False\ntrain_info_args ="),
        ("train_info_args =", "adalora_info_args.update(rest())\ntrain_info_args ="),
        ("train_info_args = {", "train_info_args = choose({"),
        ("'target_r': 8,", ""),
        ("    'lora_type': 'adalora',\n", ""),
        ("'lora_type': 'adalora'", "'lora_type': 'lora'"),
    ],
)
def test_a_dict_of_settings_that_is_not_in_force_is_nobodys(before, after):
    assert before in SETTINGS
    text = SETTINGS.replace(before, after)
    assert read_sites(source_of(text + ")\n" if "choose(" in text else text)) == []


@pytest.mark.parametrize(
    "later",
    [
        "train_info_args['adalora']['with_lora'] = False\n",
        "train_info_args.pop('adalora')\n",
        "train_info_args.update(rest())\n",
        "adapt(train_info_args)\n",
        "train_info_args = rest()\n",
    ],
)
def test_settings_that_change_later_are_not_judged(later):
    assert read_sites(source_of(SETTINGS + later)) == []


def test_settings_of_the_same_object_that_change_later_are_not_judged():
    shared = SETTINGS.replace("{**adalora_info_args}", "adalora_info_args")
    assert codes(shared) == ["ADA601"]
    assert codes(shared + "adalora_info_args['with_lora'] = False\n") == []
    assert codes(SETTINGS + "adalora_info_args['with_lora'] = False\n") == ["ADA601"]


# What is said, and what is written


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{SWIFT}TrainArguments({BROKEN})", ["ADA102"]),
        (f"{SWIFT}TrainArguments(train_type='adalora', adalora_delta_t=5)", ["ADA603"]),
        (f"{SWIFT}TrainArguments(train_type='adalora', lora_dtype='bf16')", ["ADA604"]),
        (f"{SWIFT}TrainArguments(train_type='adalora', adalora_init_r='24')", ["ADA307"]),
        (f"{LUDWIG}LudwigModel(config={{'adapter': 'adalora'}})", ["ADA601"]),
        (
            f"{LUDWIG}e = {{'adapter': {{'type': 'adalora', 'use_dora': True}}}}\nLudwigModel({{'input_features': [{{'encoder': e}}]}})",
            ["ADA601", "ADA604"],
        ),
    ],
)
def test_rules_speak_of_a_framework_in_python_as_of_its_files(text, said):
    assert codes(text) == said


@pytest.mark.parametrize(("release", "said"), [("3.2.0", ["ADA603"]), ("2.6.1", [])])
def test_a_name_of_an_older_release_is_told_only_where_that_is_pinned(tmp_path, release, said):
    text = f"{SWIFT}TrainArguments(train_type='adalora', lora_target_modules=['q'])"
    assert codes(text) == []
    (tmp_path / "requirements.txt").write_text(f"ms-swift=={release}\n", encoding="utf-8")
    source = Source(str(tmp_path / "train.py"), Kind.PYTHON, text.encode())
    assert [one.code for one in check_source(source, Settings()).findings] == said


def test_a_message_names_the_keys_of_the_framework():
    [finding] = findings(f"{SWIFT}TrainArguments({BROKEN})")
    assert finding.message.startswith("adalora_target_r=12 is not below adalora_init_r=8")


def test_keywords_are_mended_where_they_stand():
    text = f"# ü\n{SWIFT}TrainArguments(  # 秩\n    adalora_init_r=8,  # a\n    adalora_target_r=12,\n    train_type='adalora')\n"
    swapped = text.replace("init_r=8", "init_r=12").replace("target_r=12", "target_r=8")
    assert fixed(text, Safety.SAFE) == swapped


def test_a_dict_that_stands_elsewhere_is_mended_there():
    text = f"{SWIFT}kw = {{'adalora_init_r': 8, 'adalora_target_r': 12}}\nTrainArguments(train_type='adalora', **kw)\n"
    swapped = text.replace(": 8", ": X").replace(": 12", ": 8").replace(": X", ": 12")
    assert fixed(text, Safety.SAFE) == swapped


def test_a_key_that_gives_two_fields_is_left_alone():
    text = f"{TEXTGEN}GptModel('l', 'x', args={{'peft_type': 'adalora', 'lora_beta': 1.5}})\n"
    assert "ADA305" in codes(text)
    assert fixed(text) == text


KEYS = {
    "adalora_init_r": st.sampled_from([1, 8, 24]),
    "adalora_target_r": st.sampled_from([4, 8, 12]),
    "adalora_tinit": st.sampled_from([0, 90]),
    "adalora_tfinal": st.sampled_from([0, 20]),
    "adalora_deltaT": st.sampled_from([0, 1, 10]),
    "adalora_delta_t": st.sampled_from([5]),
    "lora_rank": st.sampled_from([8, 16]),
    "max_steps": st.sampled_from([100, 1000]),
    "use_rslora": st.booleans(),
    "output_dir": st.sampled_from(["é/中", "a'b", 'c"d']),
    "train_type": st.just("adalora"),
}


TOUCHES = {
    "ADA101": {"lora_rank", "adalora_init_r", "adalora_target_r"},
    "ADA102": {"adalora_init_r", "adalora_target_r"},
    "ADA203": {"adalora_tinit", "adalora_tfinal"},
    "ADA204": {"adalora_deltaT"},
    "ADA302": {"use_rslora"},
    "ADA603": {"adalora_delta_t", "adalora_deltaT"},
}


@st.composite
def scripts(draw):
    names = draw(st.lists(st.sampled_from(sorted(KEYS)), unique=True, min_size=2))
    given_ = {"train_type": "adalora", **{name: draw(KEYS[name]) for name in names}}
    rows = draw(st.booleans())
    gap, end = ("\n    ", ",\n") if rows else (" ", "")
    comment = draw(st.sampled_from(["", "  # é, 秩=3"])) if rows else ""
    form = draw(st.sampled_from(["keywords", "dict", "braces"]))
    sign, quote = (": ", "'") if form == "braces" else ("=", "")
    entries = [f"{quote}{name}{quote}{sign}{value!r}" for name, value in given_.items()]
    inside = (f",{comment}{gap}" if rows else ", ").join(entries)
    inside = f"{gap if rows else ''}{inside}{end}"
    head, tail = f"# ü\n{SWIFT}", "\ny = 'adalora_init_r=8'\n"
    text = {
        "keywords": f"a = TrainArguments({inside})",
        "dict": f"kw = dict({inside})\na = TrainArguments(**kw)",
        "braces": f"kw = {{{inside}}}\na = TrainArguments(**kw)",
    }[form]
    return head, text, tail, given_


def given_in(text):
    """Read what a script hands over, by running the part of it that makes a dict of it."""
    scope = {"TrainArguments": dict}
    exec(compile(text.split("\n", 2)[2], "script", "exec"), scope)
    return scope["a"]


@given(script=scripts(), allowed=st.sampled_from([Safety.SAFE, Safety.UNSAFE]))
@settings(max_examples=150, deadline=None)
def test_fixing_changes_nothing_but_what_it_names_and_twice_is_once(script, allowed):
    head, text, tail, before = script
    source = source_of(head + text + tail)
    assert given_in(source.text) == before
    outcome = fix_source(source, Settings(), allowed)
    after = outcome.after.text
    ast.parse(after)
    assert after.startswith(head)
    assert after.endswith(tail)
    edited = {name for one in outcome.applied for name in TOUCHES[one.finding.code]}
    now = given_in(after)
    assert {name: value for name, value in before.items() if name not in edited} == {
        name: value for name, value in now.items() if name not in edited
    }
    assert fix_source(outcome.after, Settings(), allowed).after.content == outcome.after.content


# The real framework

OF_LUDWIG = [one for one in recorded()["answers"] if one["framework"] == "Ludwig"]


@pytest.mark.parametrize("answer", [one for one in OF_LUDWIG if "fields" in one], ids=lambda one: one["text"][-40:])
def test_a_dict_for_ludwig_is_read_as_ludwig_reads_the_file_that_holds_it(answer):
    site = site_of(f"{LUDWIG}LudwigModel({yaml.safe_load(answer['text'])!r})")
    values = assemble(site).values
    told = {name: value for name, value in answer["fields"].items() if name in site.values or name != "r"}
    assert told == {name: values[name].value for name in told}


@pytest.mark.parametrize("answer", [one for one in OF_LUDWIG if "refused" in one], ids=lambda one: one["text"][-20:])
def test_what_ludwig_refuses_of_a_dict_is_not_judged(answer):
    site = site_of(f"{LUDWIG}LudwigModel({yaml.safe_load(answer['text'])!r})")
    key = answer["text"].splitlines()[-1].partition(":")[0].strip()
    assert [value.expr for name, value in site.values.items() if site.key_of(name) == key] == [UNKNOWN]


# The records


def test_a_record_that_python_speaks_names_modules_that_its_calls_are_in():
    spoken = [record for record in records() if record.python is not None]
    assert {record.title for record in spoken} == {"textgen", "ms-swift", "Ludwig", "deep_training", "LLaMA-Factory"}
    assert all(record.python.keywords or record.python.dicts or record.python.named for record in spoken)


def test_an_unknown_value_stays_unknown():
    site = site_of(f"{SWIFT}TrainArguments({BROKEN.replace('12', 'rank()')})")
    assert site.values["target_r"].expr is UNKNOWN
