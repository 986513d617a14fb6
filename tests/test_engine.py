"""The whole trip: what is found where, what may be applied, and what may not."""

from __future__ import annotations

import ast

import pytest

from adalint.engine import MAX_PASSES, check_source, fix_source
from adalint.findings import Effect, Safety
from adalint.settings import Settings
from adalint.source import Encoding, Kind, Source, kind_of

PLAIN = Settings()
HEAD = "from peft import AdaLoraConfig, TaskType\n"


def source(text: str, path: str = "a.py") -> Source:
    kind = kind_of(path)
    assert kind is not None
    return Source.decode(path, kind, text.encode())


def call(arguments: str) -> Source:
    return source(f"{HEAD}AdaLoraConfig({arguments})\n")


def codes(text: Source, settings: Settings = PLAIN) -> list[str]:
    return [finding.code for finding in check_source(text, settings).findings]


def fixed(text: Source, settings: Settings = PLAIN, allowed: Safety = Safety.SAFE) -> str:
    return fix_source(text, settings, allowed).after.text.removeprefix(HEAD)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("r=16, total_step=9", ["ADA101"]),
        ("r=8, total_step=9", ["ADA101"]),
        ("r=rank, total_step=9", ["ADA101"]),
        ("init_r=8, total_step=9", ["ADA102"]),
        ("target_r=16, total_step=9", ["ADA102"]),
        ("init_r=R, target_r=R, total_step=9", ["ADA102"]),
        ("init_r=R, target_r=R + 1, total_step=9", ["ADA102"]),
        ("init_r=-1, total_step=9", ["ADA103"]),
        ("init_r=0, target_r=0, total_step=9", ["ADA103"]),
        ("target_r=-1, total_step=9", ["ADA103"]),
        ("init_r=12", ["ADA201"]),
        ("total_step=None", ["ADA201"]),
        ("tinit=9, total_step=9", ["ADA203"]),
        ("tinit=5, tfinal=4, total_step=9", ["ADA203"]),
        ("tfinal=T, total_step=T", ["ADA203"]),
        ("deltaT=0, total_step=9", ["ADA204"]),
        ("delta_t=5, total_step=9", ["ADA301"]),
        ("total_steps=9", ["ADA301"]),
        ("nonsense=5, total_step=9", ["ADA301"]),
        ("use_rslora=True, total_step=9", ["ADA302"]),
        ("init_lora_weights='gausian', total_step=9", ["ADA302"]),
    ],
)
def test_each_mistake_is_found_once(arguments, expected):
    assert codes(call(arguments)) == expected


@pytest.mark.parametrize(
    "arguments",
    [
        "total_step=9",
        "init_r=12, target_r=8, total_step=9",
        "init_r=9, total_step=9",
        "target_r=11, total_step=9",
        "init_r=R, target_r=R - 1, total_step=9",
        "init_r=R, target_r=S, total_step=9",
        "init_r=rank(), target_r=rank(), total_step=9",
        "total_step=T",
        "total_step=T, **rest",
        "init_r=8, total_step=9, **rest",
        "**rest",
        "tinit=4, tfinal=4, total_step=9",
        "tinit=T // 10, tfinal=T // 2, total_step=T",
        "deltaT=1, total_step=9",
        "deltaT=D, total_step=9",
        "use_rslora=False, total_step=9",
        "use_rslora=flag, total_step=9",
        "init_lora_weights=False, bias='all', fan_in_fan_out=True, total_step=9",
        "loftq_config={}, alpha_pattern={}, total_step=9",
    ],
)
def test_the_innocent_call_next_to_each_mistake_is_left_alone(arguments):
    assert codes(call(arguments)) == []


def test_below_0_15_a_late_total_step_helps_and_from_0_15_on_it_does_not():
    late = source(f"{HEAD}c = AdaLoraConfig(init_r=12)\nc.total_step = 300\n")
    assert codes(late, Settings(target_peft="0.14.0")) == []
    assert codes(late, Settings(target_peft="0.15.0")) == ["ADA201"]
    assert codes(call("init_r=12"), Settings(target_peft="0.14.0")) == ["ADA201"]


@pytest.mark.parametrize(("release", "expected"), [("0.13.2", ["ADA301"]), ("0.14.0", []), ("99.0", [])])
def test_a_field_is_unknown_to_releases_before_it(release, expected):
    assert codes(call("exclude_modules=['q'], total_step=9"), Settings(target_peft=release)) == expected


@pytest.mark.parametrize(("name", "expected"), [("brand_new", []), ("delta_t", ["ADA301"])])
def test_a_release_newer_than_all_known_may_have_new_fields_but_no_old_misspellings(name, expected):
    assert codes(call(f"{name}=1, total_step=9"), Settings(target_peft="99.0")) == expected


ADAPTER = '{"peft_type": "ADALORA", "total_step": 9, "inference_mode": %s, %s}'


@pytest.mark.parametrize(
    ("inference", "rest", "expected"),
    [
        ("true", '"r": 16', ["ADA101"]),
        ("true", '"r": 8', []),
        ("false", '"r": 8', []),
        ("true", '"init_r": 8, "target_r": 8', []),
        ("false", '"init_r": 8, "target_r": 8', ["ADA102"]),
        ("true", '"a_new_field": 1', []),
        ("true", '"target_rank": 1', ["ADA301"]),
        ("true", '"use_rslora": true', ["ADA302"]),
        ("true", '"deltaT": 0, "tinit": 2', []),
        ("true", '"deltaT": 0, "tinit": 20', ["ADA502"]),
    ],
)
def test_a_trained_adapter_is_judged_by_its_own_rules(inference, rest, expected):
    assert codes(source(ADAPTER % (inference, rest), "adapter_config.json")) == expected


def test_a_trained_adapter_keeps_its_r():
    text = source(ADAPTER % ("true", '"r": 16'), "adapter_config.json")
    assert fixed(text, allowed=Safety.UNSAFE) == text.text


@pytest.mark.parametrize(
    ("intent", "after"),
    [
        ({}, "AdaLoraConfig(init_r=12, total_step=9)  # r=16 had no effect in AdaLoRA\n"),
        ({"r": "keep-today"}, "AdaLoraConfig(init_r=12, total_step=9)  # r=16 had no effect in AdaLoRA\n"),
        ({"r": "init_r"}, "AdaLoraConfig(init_r=16, total_step=9)\n"),
        ({"r": "final"}, "AdaLoraConfig(init_r=24, target_r=16, total_step=9)\n"),
    ],
)
def test_an_intent_decides_what_a_lone_r_becomes(intent, after):
    assert fixed(call("r=16, total_step=9"), Settings(intent=intent)) == after


def test_unsafe_fixes_take_the_first_reading_of_r():
    assert (
        fixed(call("r=4, total_step=9"), allowed=Safety.UNSAFE) == "AdaLoraConfig(init_r=4, target_r=2, total_step=9)\n"
    )


@pytest.mark.parametrize(
    ("intent", "after"),
    [
        ({}, "AdaLoraConfig(init_r=8, target_r=16, total_step=9)\n"),
        ({"reversed-ranks": "swap"}, "AdaLoraConfig(init_r=16, target_r=8, total_step=9)\n"),
        ({"reversed-ranks": "lower-target"}, "AdaLoraConfig(init_r=8, target_r=5, total_step=9)\n"),
        ({"reversed-ranks": "raise-init"}, "AdaLoraConfig(init_r=24, target_r=16, total_step=9)\n"),
    ],
)
def test_an_intent_decides_what_reversed_ranks_become(intent, after):
    assert fixed(call("init_r=8, target_r=16, total_step=9"), Settings(intent=intent)) == after


def test_an_intent_that_cannot_be_placed_does_not_give_way_to_another_reading():
    text = call("r=args.rank, total_step=9")
    assert fixed(text, Settings(intent={"r": "init_r"})) == text.text.removeprefix(HEAD)
    [finding] = check_source(text, Settings(intent={"r": "init_r"})).findings
    assert (finding.fixes[0].safety, finding.fixes[0].why is not None) == (Safety.DISPLAY, True)


@pytest.mark.parametrize(
    "arguments", ["r=1, total_step=9", "init_r=1, total_step=9", "init_r=1, target_r=1, total_step=9"]
)
def test_there_is_no_fix_where_no_rank_lies_below(arguments):
    settings = Settings(intent={"r": "init_r", "reversed-ranks": "lower-target"})
    assert all(fix.edits == () for one in check_source(call(arguments), settings).findings for fix in one.fixes)


def test_today_is_not_written_down_where_the_ranks_would_be_invalid():
    text = call("r=64, target_r=64, total_step=9")
    assert fixed(text) == text.text.removeprefix(HEAD)


def test_symbolic_ranks_get_expressions():
    text = source(f"{HEAD}R = 16\nAdaLoraConfig(init_r=R, total_step=9, target_r=R * 2)\n")
    after = fixed(text, Settings(intent={"reversed-ranks": "lower-target"}))
    assert after == "R = 16\nAdaLoraConfig(init_r=R, total_step=9, target_r=max(1, R * 2 // 3))\n"


def test_a_fix_that_would_bring_a_new_mistake_is_only_shown():
    [finding] = check_source(call("t_init=9, total_step=9"), Settings()).findings
    [fix] = finding.fixes
    assert (fix.edits, fix.safety, fix.why) == ((), Safety.DISPLAY, "it would lead to ADA203 (no-budgeting-phase)")


def test_a_rename_that_would_leave_invalid_ranks_is_no_fix():
    [finding] = check_source(call("initial_r=8, total_step=9"), Settings()).findings
    assert (finding.code, finding.fixes) == ("ADA301", ())


def test_an_alias_whose_field_is_given_has_no_fix():
    [finding] = check_source(call("delta_t=5, deltaT=5, total_step=9"), Settings()).findings
    assert (finding.code, finding.fixes) == ("ADA301", ())


@pytest.mark.parametrize("name", ["rank", "lora_r", "lora_rank"])
def test_a_rank_without_a_side_is_left_to_the_user(name):
    [finding] = check_source(call(f"{name}=5, total_step=9"), Settings()).findings
    assert [fix.effect for fix in finding.fixes] == [Effect.DISPLAY]


def test_a_step_in_ranks_is_never_safely_an_interval():
    [finding] = check_source(call("delta_r=5, total_step=9"), Settings()).findings
    assert [(fix.effect, fix.safety) for fix in finding.fixes] == [(Effect.CHANGES, Safety.UNSAFE)]


def test_extend_safe_fixes_lets_a_plain_fix_take_an_unsafe_one():
    settings = Settings(extend_safe_fixes=("ADA204",))
    assert fixed(call("deltaT=0, total_step=9"), settings) == "AdaLoraConfig(deltaT=1, total_step=9)\n"


def test_a_rule_that_is_off_is_neither_reported_nor_fixed():
    settings = Settings(ignore=("ADA1",))
    text = call("r=16, total_step=9")
    assert (codes(text, settings), fixed(text, settings)) == ([], text.text.removeprefix(HEAD))


def test_many_mistakes_of_one_site_are_fixed_one_after_the_other_and_fixing_again_changes_nothing():
    text = call("r=16, total_steps=90, use_rslora=True, delta_t=5, init_lora_weights='pissa', t_init=3")
    once = fix_source(text, Settings(), Safety.SAFE)
    assert once.after.text.removeprefix(HEAD) == (
        "AdaLoraConfig(init_r=12, total_step=90, deltaT=5, tinit=3)  # r=16 had no effect in AdaLoRA\n"
    )
    assert len(once.applied) == 6 <= MAX_PASSES
    assert fix_source(once.after, Settings(), Safety.SAFE).after == once.after


def test_several_sites_are_fixed_in_one_run():
    text = source(HEAD + "AdaLoraConfig(r=16, total_step=9)\n" * 30)
    after = fix_source(text, Settings(), Safety.SAFE)
    assert len(after.applied) == 30
    assert after.left == ()


def test_a_result_that_the_files_encoding_cannot_hold_is_refused_and_says_why():
    raw = f"# -*- coding: latin-1 -*-\n{HEAD}r = 3\nAdaLoraConfig(r=r, total_step=9)  # é\n".encode("latin-1")
    text = Source.decode("a.py", Kind.PYTHON, raw)
    assert text.encoding == Encoding("iso-8859-1")
    after = fix_source(text, Settings(), Safety.SAFE).after
    assert (
        after.encode()
        .decode("latin-1")
        .endswith("AdaLoraConfig(init_r=12, total_step=9)  # é  # r=3 had no effect in AdaLoRA\n")
    )


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", "AdaLoraConfig(:"),
        ("a.json", '{"peft_type": "ADALORA",'),
        ("a.yaml", "adalora: [1, 2"),
        ("a.yaml", "adalora:\n  r: {{ rank }}\n"),
        ("a.json", "[" * 60_000 + '"adalora"'),
        ("a.yaml", "adalora: " + "[" * 60_000),
        ("a.py", "adalora = " + "(" * 60_000),
    ],
)
def test_a_file_that_cannot_be_parsed_is_reported_and_never_touched(path, text):
    unparsable = source(text, path)
    assert codes(unparsable) == ["ADA901"]
    outcome = fix_source(unparsable, Settings(), Safety.UNSAFE)
    assert (outcome.after, outcome.applied) == (unparsable, ())


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_newlines_and_byte_order_mark_survive_a_fix(newline, mark):
    text = newline.join(["# 中文", HEAD.strip(), "c = AdaLoraConfig(", "    r=16,", "    total_step=9,", ")", ""])
    before = Source.decode("a.py", Kind.PYTHON, mark + text.encode())
    after = fix_source(before, Settings(intent={"r": "final"}), Safety.SAFE).after
    expected = text.replace("    r=16,", f"    init_r=24,{newline}    target_r=16,")
    assert after.encode() == mark + expected.encode()
    ast.parse(after.text)


def test_one_fix_that_is_refused_does_not_stop_the_others(monkeypatch):
    """The objection is made up: no fix that ships earns one."""
    from adalint import engine

    text = source(HEAD + "AdaLoraConfig(r=16, total_step=9)\n" * 14 + "AdaLoraConfig(r=99, total_step=9)\n")
    objection = engine._objection

    def object_to_99(before, after, settings):
        return "no" if "r=99 had" in after.text else objection(before, after, settings)

    monkeypatch.setattr(engine, "_objection", object_to_99)
    once = fix_source(text, Settings(), Safety.SAFE)
    assert (len(once.applied), [one.reason for one in once.refused]) == (14, ["no"])
    assert fix_source(once.after, Settings(), Safety.SAFE).after == once.after


@pytest.mark.parametrize(
    "arguments",
    [
        "r=trial.suggest_int('r', 4, 16), init_r=12, total_step=9",
        "r=ranks.pop(), total_step=9",
        "r=(R := 16), init_r=24, target_r=R // 2, total_step=9",
        "use_rslora=ask(), total_step=9",
    ],
)
def test_an_expression_that_may_do_more_than_give_a_value_is_not_taken_away(arguments):
    text = call(arguments)
    assert fix_source(text, Settings(), Safety.UNSAFE).after == text


@pytest.mark.parametrize(
    "use", ["c.lora_alpha = c.r * 2", "print(c.r)", "getattr(c, 'r')", "x = model.peft_config['default'].r"]
)
def test_a_field_that_the_file_reads_again_keeps_its_value(use):
    text = source(f"{HEAD}c = AdaLoraConfig(r=16, total_step=9)\n{use}\n")
    assert fix_source(text, Settings(), Safety.SAFE).after == text


def test_what_another_object_has_of_that_name_does_not_matter():
    text = source(f"{HEAD}c = AdaLoraConfig(r=args.r, total_step=9)\nprint(args.r)\n")
    assert "init_r=12" in fixed(text)


@pytest.mark.parametrize(
    "change",
    [
        "c.target_r = 4",
        "setattr(c, 'target_r', 4)",
        "setattr(c, name, 4)",
        "c = dataclasses.replace(c, target_r=4)",
        "c.__dict__.update(x)",
        "vars(c).update(x)",
    ],
)
def test_a_field_that_is_changed_after_construction_is_unknown(change):
    assert codes(source(f"{HEAD}c = AdaLoraConfig(init_r=8, total_step=9)\n{change}\n")) == []


def test_a_field_of_another_object_changes_nothing():
    assert codes(source(f"{HEAD}c = AdaLoraConfig(init_r=8, total_step=9)\nother.target_r = 4\n")) == ["ADA102"]


def test_an_alias_of_init_r_counts_as_given():
    text = call("init_rank=8, r=4, target_r=4, total_step=9")
    assert fixed(text) == "AdaLoraConfig(init_r=8, target_r=4, total_step=9)\n"


@pytest.mark.parametrize("arguments", ["total_steps=100, max_steps=200", "t_init=80, t_final=80, total_step=100"])
def test_misspelt_fields_that_only_make_sense_together_are_not_half_renamed(arguments):
    text = call(arguments)
    assert fixed(text) == text.text.removeprefix(HEAD)


@pytest.mark.parametrize(
    "arguments", ["init_r='12', target_r='9', total_step=9", "init_r=8.0, target_r=8.0, total_step=9"]
)
def test_only_whole_ranks_are_compared(arguments):
    assert "ADA102" not in codes(call(arguments))


def test_a_comment_inside_a_value_is_not_lost():
    text = call("r=(  # the rank\n    16  # why\n), total_step=9")
    assert fixed(text) == text.text.removeprefix(HEAD)


@pytest.mark.parametrize(
    "text",
    ["rank: &rank 16\nadalora:\n  r: *rank\n  init_r: 12\n", "adalora:\n  init_r: 8\n  target_r: &t 16\nx: *t\n"],
)
def test_an_alias_in_yaml_is_judged_without_a_word_of_python(text):
    assert len(codes(source(text, "a.yaml"))) == 1


def test_a_value_over_several_lines_with_comments_is_shown_on_one():
    text = call("r=max(\n    4,  # low\n    args.r,\n), total_step=100")
    [finding] = check_source(text, Settings()).findings
    assert finding.message.startswith("r=max(4, args.r) has no effect")


@pytest.mark.parametrize("word", ["ｒ", "𝐫"])
def test_a_keyword_is_read_as_python_reads_it(word):
    assert codes(call(f"{word}=16, total_step=9")) == ["ADA101"]
