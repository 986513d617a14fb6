"""A framework that nobody has heard of is read, told and mended by what its record says, on every surface."""

from __future__ import annotations

import importlib.util
import json
import re
import tomllib

import pytest
from commands import CHECKOUT, run
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from adalint import dialects
from adalint.dialects import RecordError, load
from adalint.dialects.framework import Framework
from adalint.dialects.record_schema import record_schema
from adalint.engine import check_source, fix_source
from adalint.findings import Safety
from adalint.readers import read_sites
from adalint.settings import Settings
from adalint.source import Source, Span, kind_of
from adalint.values import UNKNOWN, Literal, Value

RECORD = """\
marks = ["tuner"]
title = "kiln"
url = "https://example.org/kiln"
package = "kiln"
surfaces = ["yaml", "json"]
peft = ">=0.15,<0.21"
computed = ["target_modules", "task_type"]

[detect]
roots = ["tuner"]
beside = ["trainer"]

[[activate]]
name = "adalora"

[keys]
first_rank = ["init_r", { to = "lora_alpha", value = "2 * value", unless = "alpha" }]
last_rank = "target_r"
warm_ratio = { to = "tinit", value = "int(value * total_step)" }
cool_ratio = { to = "tfinal", value = "int(value * total_step)" }
every = "deltaT"
beta = ["beta1", "beta2"]
orth = "orth_reg_weight"
alpha = "lora_alpha"

[defaults]
init_r = 16
deltaT = 10
lora_alpha = 32

[total-step]
source = "framework"
key = "/trainer.max_steps"

[driver]
who = "framework"
first = 1

[loader]
name = "OmegaConf"
coerces = "exponents"
unknown-key = "error"
other-keys = ["name", "target_modules", "x_*"]

[[renamed]]
key = "update_every"
to = "every"
gone = "0.5"

[[source]]
what = "all of it"
where = "kiln/tuner.py"
release = "0.6"
date = "2026-11"
how = "read"
"""
KEYS = ("first_rank", "last_rank", "warm_ratio", "cool_ratio", "every", "beta", "orth", "alpha", "update_every")
FLAGS = (
    re.sub(rf"\b({'|'.join(KEYS)})\b(?= =|\")", r"t_\1", RECORD)
    .replace('marks = ["tuner"]', 'marks = ["--tuner"]')
    .replace('surfaces = ["yaml", "json"]', 'surfaces = ["cli"]')
    .replace('[detect]\nroots = ["tuner"]\nbeside = ["trainer"]', "[detect]")
    .replace('name = "adalora"', 'tuner = "adalora"')
    .replace('"/trainer.max_steps"', '"max_steps"')
    .replace('other-keys = ["name", "target_modules", "x_*"]\n', '[cli]\ncommands = ["kiln train"]\nhyphens = true\n')
)
YAML = "trainer: {{max_steps: {steps}}}\ntuner:\n  name: adalora\n{lines}"


@pytest.fixture
def only(tmp_path, monkeypatch):
    """Put records in the place of those that are shipped."""

    def put(*texts):
        folder = tmp_path / "records"
        folder.mkdir()
        for number, text in enumerate(texts):
            (folder / f"kiln{number}.toml").write_text(text, encoding="utf-8")
        monkeypatch.setattr(dialects, "FOLDER", folder)

    return put


def source_of(text, name):
    return Source(name, kind_of(name), text.encode())


def told(text, name="config.yaml"):
    source = source_of(text, name)
    return [(one.code, source.position(one.span.start).row) for one in check_source(source, Settings()).findings]


def messages(text, name="config.yaml"):
    return [one.message for one in check_source(source_of(text, name), Settings()).findings]


def mended(text, name="config.yaml", safety=Safety.SAFE):
    once = fix_source(source_of(text, name), Settings(), safety).after.text
    assert fix_source(source_of(once, name), Settings(), safety).after.text == once
    return once


def values(text, name="config.yaml"):
    [site] = read_sites(source_of(text, name))
    return {field: value.expr.value for field, value in site.values.items() if isinstance(value.expr, Literal)}


def yaml(*lines, steps=3000):
    return YAML.format(steps=steps, lines="".join(f"  {line}\n" for line in lines))


# Hyphens


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("--t-first-rank 8 --t-last-rank 16", "--t-first-rank 16 --t-last-rank 8"),
        ("--t_first_rank 8 --t_last_rank 16", "--t_first_rank 16 --t_last_rank 8"),
        ("--t-first-rank=8 --t_last_rank=16", "--t-first-rank=16 --t_last_rank=8"),
        ("--t-first-rank 12 --t_first_rank 8 --t-last-rank 16", "--t-first-rank 12 --t_first_rank 16 --t-last-rank 8"),
    ],
)
def test_a_fix_keeps_the_hyphens_of_a_flag(only, before, after):
    only(FLAGS)
    line = "kiln train --tuner adalora {}\n"
    assert mended(line.format(before), "run.sh") == line.format(after)


@pytest.mark.parametrize(
    ("flags", "added"),
    [
        ("--t-first-rank 8", "--t-last-rank 5"),
        ("--t_first_rank 8", "--t_last_rank 5"),
        ("--t-first-rank 8 --max_steps 3000", "--t_last_rank 5"),
    ],
)
def test_a_flag_is_added_as_the_others_are_written(only, flags, added):
    only(FLAGS)
    text = f"kiln train --tuner adalora {flags}\n"
    assert mended(text, "run.sh", Safety.UNSAFE) == f"kiln train --tuner adalora {flags} {added}\n"


def test_a_message_names_a_flag_as_it_is_written(only):
    only(FLAGS)
    [message] = messages("kiln train --tuner adalora --t-first-rank 8 --t_last_rank 16\n", "run.sh")
    assert message.startswith("t_last_rank=16 is not below t-first-rank=8: ")


def test_a_renamed_flag_keeps_its_hyphens(only):
    only(FLAGS)
    text = "kiln train --tuner adalora --t-update-every 20\n"
    assert mended(text, "run.sh") == text.replace("--t-update-every", "--t-every")


def test_ms_swift_takes_hyphens_too():
    text = "swift sft --tuner-type adalora --adalora-init-r 8 --adalora-target-r 16 --adalora-tinit 2\n"
    assert mended(text, "run.sh") == text.replace("init-r 8", "init-r 16").replace("target-r 16", "target-r 8")
    assert told(text.replace("adalora --", "lora --"), "run.sh") == []
    renamed = "swift sft --train-type adalora --adalora-delta-t 3\n"
    assert mended(renamed, "run.sh") == "swift sft --tuner-type adalora --adalora-deltaT 3\n"


SWIFT = {
    "tuner_type": st.just("adalora"),
    "adalora_init_r": st.integers(-2, 40),
    "adalora_target_r": st.integers(-2, 40),
    "adalora_tinit": st.integers(0, 1200),
    "adalora_tfinal": st.integers(0, 1200),
    "adalora_deltaT": st.integers(0, 30),
    "adalora_delta_t": st.integers(1, 30),
    "lora_rank": st.integers(1, 40),
    "lora_dropout_p": st.sampled_from([0.1, 1.5]),
    "max_steps": st.sampled_from([-1, 1000]),
}


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_fixes_name_no_option_twice_however_it_is_written(data):
    names = data.draw(st.lists(st.sampled_from(sorted(SWIFT)), unique=True))
    written = {name: data.draw(SWIFT[name]) for name in dict.fromkeys(["tuner_type", *names])}
    flags = [name.replace("_", "-") if data.draw(st.booleans()) else name for name in written]
    text = f"swift sft {' '.join(f'--{flag} {value}' for flag, value in zip(flags, written.values(), strict=True))}\n"
    after = re.findall(r"--([\w-]+)", mended(text, "run.sh", Safety.UNSAFE))
    keys = [flag.replace("-", "_") for flag in after]
    assert len(set(keys)) == len(keys)
    kept = [flag for flag, key in zip(flags, written, strict=True) if key in keys]
    assert [flag for flag in after if flag in kept] == kept


# The length of the schedule


@pytest.mark.parametrize(("name", "text"), [("c.yaml", yaml("warm_ratio: 0.5")), ("c.json", None)])
def test_the_length_of_the_run_may_stand_elsewhere_in_the_document(only, name, text):
    only(RECORD)
    document = {"trainer": {"max_steps": 3000}, "tuner": {"name": "adalora", "warm_ratio": 0.5}}
    found = values(text or json.dumps(document), name)
    assert (found["total_step"], found["tinit"]) == (3000, 1500)


@pytest.mark.parametrize(
    "text",
    [
        yaml("warm_ratio: 0.5", "max_steps: 10").replace("trainer: {max_steps: 3000}", "trainer: {}"),
        yaml("warm_ratio: 0.5", steps="-1"),
        yaml("warm_ratio: 0.5", steps="'${steps}'"),
        yaml("warm_ratio: 0.5").replace("trainer: {", "other: {max_steps: 2}\ntrainer: {epochs: 2}\nx: {"),
    ],
)
def test_another_number_is_not_the_length_of_the_run(only, text):
    only(RECORD)
    assert not {"total_step", "tinit"} & values(text).keys()


def test_what_stands_elsewhere_is_not_written_into_the_block(only):
    only(RECORD)
    text = yaml("first_rank: 24", "every: 4000")
    source = source_of(text, "config.yaml")
    assert [one.code for one in check_source(source, Settings()).findings] == ["ADA205"]
    assert "total_step" not in mended(text, safety=Safety.UNSAFE)
    assert mended(text, safety=Safety.UNSAFE).startswith("trainer: {max_steps: 3000}\n")


# Ratios


RATIOS = "kiln train --tuner adalora --t-first-rank 24 --t-warm-ratio {} --t-cool-ratio {} --max-steps 3000\n"


def test_a_ratio_on_a_command_line_becomes_steps(only):
    only(FLAGS)
    found = values(RATIOS.format("0.1", ".3"), "run.sh")
    assert (found["tinit"], found["tfinal"], found["lora_alpha"]) == (300, 900, 48)
    assert told(RATIOS.format("0.1", ".3"), "run.sh") == []
    assert told(RATIOS.format("0.6", "0.5"), "run.sh") == [("ADA203", 1)]


@pytest.mark.parametrize("word", ["$RATIO", "half", "1e999", "''"])
def test_what_is_no_ratio_becomes_nothing(only, word):
    only(FLAGS)
    assert "tinit" not in values(RATIOS.format(word, "0.5"), "run.sh")
    assert told(RATIOS.format(word, "0.5"), "run.sh") == []


@pytest.mark.parametrize(("coerces", "tinit"), [("true", 1800), ('"fractions"', 1800), ("false", None)])
def test_a_quoted_ratio_is_a_number_where_the_loader_makes_it_one(only, coerces, tinit):
    only(RECORD.replace('"exponents"', coerces))
    assert values(yaml('warm_ratio: "0.6"')).get("tinit") == tinit


def test_findings_name_the_ratio_and_what_it_comes_to(only):
    only(RECORD)
    source = source_of(yaml("first_rank: 24", "warm_ratio: 0.6", "cool_ratio: 0.5"), "config.yaml")
    [finding] = check_source(source, Settings()).findings
    assert finding.message.startswith(
        "warm_ratio=0.6 (tinit=1800) and cool_ratio=0.5 (tfinal=1500) leave nothing of trainer.max_steps=3000"
    )
    assert [one.message for one in finding.related] == ["cool_ratio is here", "trainer.max_steps is here"]
    assert {fix.why for fix in finding.fixes if fix.effect != "display"} == {"kiln computes tinit from `warm_ratio`"}


@pytest.mark.parametrize(
    ("text", "spelt"),
    [
        ("orth_reg_weight=-2e-05 is negative", "penalty=-0.002 (orth_reg_weight=-2e-05) is negative"),
        ("orth_reg_weight=-0.002, and so on", "penalty=-0.002, and so on"),
        ("init_r - tinit of init_r=8.", "first-rank - tinit of first-rank=8."),
        ("first-init_r is another flag", "first-init_r is another flag"),
    ],
)
def test_a_sentence_is_put_in_the_words_of_a_framework(text, spelt):
    nothing = Value(UNKNOWN, Span(0, 0), Span(0, 0), "")
    spelling, computed = {"init_r": "first-rank"}, {"orth_reg_weight": ("penalty", "-0.002"), "tinit": ("warm", "")}
    assert Framework("kiln", nothing, spelling=spelling, computed=computed).spell(text) == spelt


@pytest.mark.parametrize(("rest", "rows"), [("", [1]), (' "$@"', []), (" $MORE", [])])
def test_a_ratio_that_may_still_come_is_not_taken_as_its_default(only, rest, rows):
    only(FLAGS)
    text = f"kiln train --tuner adalora --t-first-rank 24 --t-every 4000 --max-steps 3000{rest}\n"
    assert told(text, "run.sh") == [("ADA205", row) for row in rows]


# Old names


def pinned(folder, release, text, name="config.yaml"):
    (folder / "requirements.txt").write_text(f"kiln=={release}\n", encoding="utf-8")
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name), (folder / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(("line", "codes"), [("update_every: 0", ["ADA204"]), ("update_every: 2", [])])
def test_an_old_name_is_read_where_an_old_release_is_pinned(only, tmp_path, line, codes):
    only(RECORD)
    path, text = pinned(tmp_path, "0.4.2", yaml("first_rank: 24", line, steps=8))
    source = Source(path, kind_of(path), text.encode())
    found = check_source(source, Settings()).findings
    assert [one.code for one in found] == codes
    assert all(one.message.startswith("update_every=0") for one in found)


def test_the_default_of_the_new_name_is_not_taken_where_the_old_one_is_written(only):
    only(RECORD)
    assert told(yaml("first_rank: 24", "update_every: 2", steps=8)) == [("ADA603", 5)]
    assert told(yaml("first_rank: 24", steps=8)) == [("ADA205", 1)]


def test_the_value_of_a_renamed_key_is_judged_and_renamed_all_the_same(only):
    only(RECORD)
    text = yaml("first_rank: 24", "update_every: 0")
    assert told(text) == [("ADA204", 5), ("ADA603", 5)]
    assert mended(text, safety=Safety.SAFE) == text.replace("update_every", "every")


def test_of_an_old_and_a_new_name_the_new_one_counts_where_the_old_one_is_refused(only):
    only(RECORD)
    assert told(yaml("first_rank: 24", "update_every: 0", "every: 5")) == [("ADA603", 5)]


def test_of_two_names_that_a_release_knows_neither_is_believed(only, tmp_path):
    only(RECORD)
    path, text = pinned(tmp_path, "0.4.2", yaml("first_rank: 24", "update_every: 0", "every: 0"))
    assert check_source(Source(path, kind_of(path), text.encode()), Settings()).findings == ()


@pytest.mark.parametrize(("release", "key"), [("0.4.2", "update_every"), ("0.5", "every"), ("0.6", "every")])
def test_what_is_not_written_is_called_as_the_pinned_release_calls_it(only, tmp_path, release, key):
    only(RECORD)
    path, text = pinned(tmp_path, release, yaml("first_rank: 24", steps=8))
    [finding] = check_source(Source(path, kind_of(path), text.encode()), Settings()).findings
    assert finding.message.startswith(f"no multiple of {key}=10 lies between")


def test_ms_swift_tells_a_dropout_by_its_name_in_the_pinned_release(tmp_path):
    text = "sft_type: adalora\nmodel_id_or_path: x\nlora_dropout_p: {}\n"
    (tmp_path / "requirements.txt").write_text("ms-swift==2.6.1\n", encoding="utf-8")
    source = Source(str(tmp_path / "c.yaml"), kind_of("c.yaml"), text.format(1.5).encode())
    [finding] = check_source(source, Settings()).findings
    assert (finding.code, finding.message.partition(" ")[0]) == ("ADA315", "lora_dropout_p=1.5")
    innocent = Source(source.path, source.kind, text.format(0.1).encode())
    assert check_source(innocent, Settings()).findings == ()


# Keys that nobody knows


def test_near_misses_are_told_where_all_keys_of_the_block_are_known(only):
    only(RECORD)
    text = yaml("firstrank: 24", "last_rankk: 4", "orht: 0.3", "totally_unknown: 5", "x_orth: 1", "target_modules: [q]")
    assert told(text) == [("ADA603", 4), ("ADA603", 5), ("ADA603", 6)]
    assert mended(text) == text.replace("firstrank", "first_rank").replace("rankk", "rank").replace("orht", "orth")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('other-keys = ["name", "target_modules", "x_*"]\n', ""),
        ('unknown-key = "error"', 'unknown-key = "dropped"'),
        ('"x_*"]', '"orhts"]'),
    ],
)
def test_a_key_that_may_be_another_is_not_told(only, old, new):
    assert RECORD.count(old) == 1
    only(RECORD.replace(old, new))
    assert told(yaml("first_rank: 24", "orht: 0.3")) == []


def test_a_flag_that_a_parser_keeps_unread_is_not_told(only):
    line = "swift sft --tuner_type adalora --adalora_delta_t 3\n"
    record = (dialects.FOLDER / "ms_swift.toml").read_text(encoding="utf-8")
    assert told(line, "run.sh") == [("ADA603", 1)]
    only(record.replace("[cli]\n", '[cli]\nunknown-key = "kept"\n'))
    assert told(line, "run.sh") == []


# Loaders


@pytest.mark.parametrize(
    ("line", "codes"),
    [
        ("orth: 1e-4", []),
        ("orth: 1E4", []),
        ("orth: '1e-4'", ["ADA307"]),
        ('first_rank: "24"', ["ADA307"]),
        ("orth: -1e-4", ["ADA306"]),
        ("orth: ${penalty}", []),
    ],
)
def test_omegaconf_reads_exponents_and_leaves_text_alone(only, line, codes):
    only(RECORD)
    assert [code for code, _ in told(yaml(line))] == codes


def test_pyyaml_leaves_exponents_as_text(only):
    only(RECORD.replace('"exponents"', "false"))
    assert [code for code, _ in told(yaml("orth: 1e-4"))] == ["ADA308"]


# Mistakes of an author


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"/trainer.max_steps"', '"trainer.max_steps"', 'write "/trainer.max_steps"'),
        ('"/trainer.max_steps"', '"/trainer.*.steps"', "neither a key nor `/` and a path of keys, as in `/run.steps`"),
        ('source = "framework"', 'source = "user"', 'total-step.key goes with source = "framework"'),
        (
            'value = "2 * value"',
            'value = "2 * rank"',
            "'rank' in '2 * rank' is neither `value` nor a field of AdaLoraConfig",
        ),
        ('to = "every"', 'to = "each"', "nothing says what 'each' is"),
        ('package = "kiln"', 'package = "Kiln_"', "package: write 'kiln-', as PyPI compares names"),
        ('first_rank = ["init_r", {', "first_rank = [12, {", "keys.first_rank.0: "),
        ("coerces =", "coerce =", "loader.coerce: there is no such key"),
        (
            'who = "framework"',
            'who = "me"',
            "driver.who: Input should be 'framework', 'user', 'nobody' or 'unknown', not 'me'",
        ),
        ('title = "kiln"\n', "", "title: it must be written"),
    ],
)
def test_a_mistake_in_a_record_is_told_with_its_place_and_what_to_do(tmp_path, old, new, reason):
    assert RECORD.count(old) == 1
    path = tmp_path / "kiln.toml"
    path.write_text(RECORD.replace(old, new), encoding="utf-8")
    with pytest.raises(RecordError) as error:
        load(path)
    assert str(error.value).startswith("kiln.toml: ")
    assert reason in str(error.value)
    assert str(error.value).endswith("; docs/dialect-record.md has all keys")


def test_flags_with_hyphens_are_written_with_underscores_in_a_record(tmp_path):
    path = tmp_path / "kiln.toml"
    path.write_text(FLAGS.replace("t_first_rank =", "t-first-rank ="), encoding="utf-8")
    with pytest.raises(RecordError, match="with `hyphens`, write 't-first-rank' with underscores"):
        load(path)


def test_a_run_ends_with_the_mistake_of_a_record_and_no_apology(only, tmp_path, monkeypatch):
    only(RECORD.replace('who = "framework"', 'who = "me"'))
    (tmp_path / "config.yaml").write_text(yaml("first_rank: 24"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    done = run("check", "config.yaml")
    assert done.exit_code == 2
    assert done.stderr.startswith("adalint: kiln0.toml: driver.who: ")
    assert "internal error" not in done.stderr


def test_the_page_of_all_keys_is_fresh():
    path = CHECKOUT / "scripts" / "dialect_record_page.py"
    spec = importlib.util.spec_from_file_location("dialect_record_page", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.PAGE.read_text(encoding="utf-8") == script.page()


def test_every_key_of_a_record_says_what_it_means():
    schema = record_schema()
    silent = [
        f"{name}.{key}"
        for name, table in {**schema["$defs"], "Record": schema}.items()
        for key, field in table["properties"].items()
        if not field.get("description")
    ]
    assert silent == []


@pytest.mark.parametrize("text", [RECORD, FLAGS], ids=["block", "flags"])
def test_the_schema_for_editors_takes_a_record_and_refuses_a_mistake_in_it(text):
    validator = Draft202012Validator(record_schema())
    assert validator.is_valid(tomllib.loads(text))
    for old, new in [
        ("coerces =", "coerce ="),
        ('who = "framework"', 'who = "me"'),
        ("last_rank =", "last_rank.too ="),
    ]:
        assert not validator.is_valid(tomllib.loads(text.replace(old, new)))


@pytest.mark.parametrize("path", sorted(dialects.FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_the_schema_for_editors_takes_every_shipped_record(path):
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    assert [error.message for error in Draft202012Validator(record_schema()).iter_errors(document)] == []
