"""Dicts of MMEngine's config modules are read as MMEngine builds them, and as PEFT's `get_peft_config` takes them.

What MMEngine makes of each was recorded once (`tests/mmengine_env.py`); the slow part asks again.
"""

from __future__ import annotations

import ast

import pytest
from mmengine_env import CONFIGS, FIELDS, ask_anew, recorded
from peft import get_peft_config

from adalint.engine import check_source, fix_source
from adalint.findings import Safety
from adalint.plan import assemble
from adalint.readers import read_sites
from adalint.settings import Settings
from adalint.site import Surface
from adalint.source import Kind, Source
from adalint.values import UNKNOWN

ANSWERS = recorded()["answers"]
OPEN = {"merged", "value of the base", "lazy, merged", "lazy, updated"}
"""Configurations to which the base adds what their module does not say."""

MODULE = "import mmengine\nfrom peft import AdaLoraConfig\n"
BROKEN = "init_r=8, target_r=12, total_step=100, task_type='CAUSAL_LM'"


def source_of(text):
    return Source("config.py", Kind.PYTHON, text.encode())


def codes(text):
    return [one.code for one in check_source(source_of(text), Settings()).findings]


def site_of(text):
    [site] = read_sites(source_of(text))
    return site


# What MMEngine builds


@pytest.mark.parametrize("name", CONFIGS)
def test_a_config_dict_is_read_as_mmengine_builds_it(name):
    site = site_of(CONFIGS[name][1])
    assert site.open == (name in OPEN)
    told = ANSWERS[name].get("fields", {})
    values = assemble(site).values
    known = {field: values[field].value for field in told if values[field] is not UNKNOWN}
    assert known == {field: told[field] for field in known}
    assert known.keys() == told.keys() or site.open


@pytest.mark.parametrize("name", [name for name, one in ANSWERS.items() if "raises" in one])
def test_what_mmengine_cannot_build_is_found(name):
    findings = check_source(source_of(CONFIGS[name][1]), Settings()).findings
    assert {"unknown key": ["ADA301"], "no length": ["ADA201"], "no window": ["ADA203"]}[name] == [
        one.code for one in findings if one.code != "ADA314"
    ]


@pytest.mark.parametrize("name", [name for name, one in ANSWERS.items() if "fields" in one])
def test_of_what_mmengine_builds_no_construction_is_said_to_fail(name):
    assert not {"ADA201", "ADA203", "ADA301"} & set(codes(CONFIGS[name][1]))


def test_the_record_has_an_answer_for_each_configuration():
    assert ANSWERS.keys() == CONFIGS.keys()
    assert all(set(one.get("fields", FIELDS)) == set(FIELDS) for one in ANSWERS.values())


@pytest.mark.slow
def test_the_real_mmengine_still_answers_what_was_recorded(request):
    assert ask_anew(request.config.cache.mkdir("mmengine")) == ANSWERS


# What PEFT's own function takes


@pytest.mark.parametrize(
    "text",
    [
        "dict(peft_type='ADALORA', init_r=16, target_r=4, total_step=100, target_modules=['qkv'])",
        "{'peft_type': 'ADALORA', 'total_step': 300, 'tinit': 20, 'target_modules': ['qkv']}",
    ],
)
def test_a_dict_with_a_peft_type_is_read_as_peft_takes_it(text):
    site = site_of(f"_base_ = []\nmodel = dict(image_encoder=dict(peft_config={text}))\n")
    built = get_peft_config(eval(text))
    assert site.surface is Surface.PEFT_TYPE
    written = {name: value.expr.value for name, value in site.values.items() if name in FIELDS}
    assert written == {name: getattr(built, name) for name in written}
    assert "total_step" in written


def test_the_length_may_be_added_by_the_code_that_takes_the_dict():
    text = "custom_imports = dict()\nmodel = dict(peft_config=dict(peft_type='ADALORA', init_r=12, target_r=4))\n"
    assert codes(text) == []


# Where it is written


@pytest.mark.parametrize(
    "text",
    [
        f"model = dict(lora=dict(type=AdaLoraConfig, {BROKEN}))\n",
        f"model = [dict(lora=dict(type='AdaLoraConfig', {BROKEN}))]\n",
        f"model = dict(lora=dict(type='peft.AdaLoraConfig', {BROKEN}))\n",
        f"model = dict(lora={{'type': 'peft.tuners.AdaLoraConfig', **dict({BROKEN})}})\n",
        f"lora = dict(type=AdaLoraConfig, {BROKEN})\nmodel = dict(lora=lora)\n",
        f"low = 8\nlora = dict(type=AdaLoraConfig, {BROKEN.replace('=8', '=low')})\n",
        f"lora = BUILDER.build(dict(type=AdaLoraConfig, {BROKEN}))\n",
        f"model = dict(lora=dict(peft_type='ADALORA', {BROKEN}))\n",
    ],
)
def test_a_mistake_is_found_wherever_the_dict_stands(text):
    assert codes(MODULE + text) == ["ADA102"]


@pytest.mark.parametrize(
    "sign",
    [
        "from mmengine.dataset import DefaultSampler\n",
        "from xtuner.model import SupervisedFinetune\n",
        "_base_ = ['base.py']\n",
        "custom_imports = dict(imports=['mine'])\n",
        "default_scope = 'mmdet'\n",
    ],
)
def test_each_sign_of_mmengine_counts(sign):
    assert codes(f"{sign}model = dict(lora=dict(type='AdaLoraConfig', {BROKEN}))\n") == ["ADA102"]


@pytest.mark.parametrize(
    "text",
    [
        # others
        f"model = dict(lora=dict(type=LoraConfig, {BROKEN}))\n",
        f"model = dict(lora=dict(type='mine.AdaLoraConfig', {BROKEN}))\n",
        f"model = dict(lora=dict(type='LoraConfig', peft_type='ADALORA', {BROKEN}))\n",
        f"model = dict(lora=dict(kind=AdaLoraConfig, {BROKEN}))\n",
        f"from mine import dict\nmodel = dict(lora=dict(type=AdaLoraConfig, {BROKEN}))\n",
        # chosen as it runs, or not in force
        f"model = dict(lora=dict(peft_type=KIND, {BROKEN}))\n",
        f"model = dict(lora=dict(type=KIND, {BROKEN}))\n",
        f"model = dict(lora=dict(peft_type='LORA', adalora_init_r=8, {BROKEN}))\n",
        "model = dict(lora=dict(peft_type='ADALORA', adalora_init_r=8, adalora_target_r=12))\n",
        "model = dict(lora=dict(peft_type='ADALORA', init_r=[4, 8], target_r=[8, 12]))\n",
        "columns = dict(peft_type='ADALORA', loss=0.25)\n",
        # filled in, or changed
        "model = dict(lora=dict(type='AdaLoraConfig', init_r='{{$R:8}}', target_r=12, total_step=9, task_type='CAUSAL_LM'))\n",
        f"lora = dict(type=AdaLoraConfig, {BROKEN})\nlora['target_r'] = 4\n",
        f"lora = dict(type=AdaLoraConfig, {BROKEN})\nlora.update(target_r=4)\n",
        f"lora = dict(type=AdaLoraConfig, {BROKEN})\nlora.target_r = 4\n",
        f"lora = dict(type=AdaLoraConfig, {BROKEN})\nmodel = dict(lora=lora)\nmodel['lora']['init_r'] = 24\n",
        f"lora = dict(type=AdaLoraConfig, {BROKEN})\nmodel = dict(lora=lora)\nmodel.lora.init_r = 24\n",
        f"model = dict(lora=dict(type=AdaLoraConfig, {BROKEN}))\nadapt(model)\n",
        f"model = dict(a=1)\nmodel.update(lora=dict(type=AdaLoraConfig, {BROKEN}))\nmodel['lora']['target_r'] = 4\n",
    ],
)
def test_an_innocent_neighbour_is_silent(text):
    assert "ADA102" not in codes(f"from peft import LoraConfig\n{MODULE}KIND = pick()\n{text}")


@pytest.mark.parametrize(
    "text",
    [
        "model = dict(lora=dict(type=AdaLoraConfig, task_type='CAUSAL_LM', **common()))\n",
        "_base_ = ['b.py']\nmodel = dict(lora=dict(type=AdaLoraConfig, target_r=20, task_type='CAUSAL_LM'))\n",
        "model.update(dict(lora=dict(type=AdaLoraConfig, target_r=20, task_type='CAUSAL_LM')))\n",
        "load(dict(lora=dict(type=AdaLoraConfig, target_r=20, task_type='CAUSAL_LM')))\n",
    ],
)
def test_of_a_dict_that_others_add_to_only_what_is_written_counts(text):
    assert codes(MODULE + text) == []


def test_without_a_sign_of_mmengine_a_dict_is_nobodys():
    assert codes(f"from peft import AdaLoraConfig\nmodel = dict(lora=dict(type=AdaLoraConfig, {BROKEN}))\n") == []


# What is written


def test_a_fix_changes_the_entry_in_the_dict_and_nothing_else():
    def text(init_r, target_r):
        return (
            f"{MODULE}# ü\nmodel = dict(\n    lora=dict(\n        type=AdaLoraConfig,  # 秩\n        init_r={init_r},\n"
            f"        target_r={target_r},  # why\n        total_step=100,\n        task_type='CAUSAL_LM',\n    ),\n)\n"
        )

    swapped = fix_source(source_of(text(8, 12)), Settings(intent={"reversed-ranks": "swap"}), Safety.SAFE).after
    assert swapped.text == text(12, 8)


def test_a_field_is_added_to_the_dict_as_the_dict_is_written():
    text = f"{MODULE}max_steps = 500\nmodel = {{'lora': {{'type': AdaLoraConfig, 'init_r': 12, 'task_type': 'CAUSAL_LM'}}}}\n"
    after = fix_source(source_of(text), Settings(), Safety.UNSAFE).after.text
    line = after.splitlines()[-1].replace("AdaLoraConfig", "0").replace("max_steps", "500")
    added = ast.literal_eval(line.removeprefix("model = "))
    assert added == {"lora": {"type": 0, "init_r": 12, "task_type": "CAUSAL_LM", "total_step": 500}}
