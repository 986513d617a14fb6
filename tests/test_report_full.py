from __future__ import annotations

import re
import textwrap

import pytest
from written_findings import finding, replacing, report, source

from adalint.findings import Effect, Fix, Safety, Severity
from adalint.report import full


def shown(text: str, at: str, **more: object) -> str:
    of = source(text)
    return full.render([report(of, finding(of, at, **more))])  # type: ignore[arg-type]


def test_the_line_is_quoted_with_the_place_underlined() -> None:
    assert shown("import peft\nconfig = AdaLoraConfig(r=16)\n", "r=16") == textwrap.dedent(
        """\
        warning[ADA101] lora-rank-ignored: r=16 has no effect
          --> train.py:2:24
          |
        2 | config = AdaLoraConfig(r=16)
          |                        ^^^^

        """
    )


def test_places_are_shown_in_the_order_of_their_lines_and_related_ones_say_why() -> None:
    text = "init_r = 8\n\n\nconfig = AdaLoraConfig(\n    target_r=16,\n    init_r=init_r,\n)\n"
    lines = shown(text, "target_r=16", related=[("init_r = 8", "init_r is 8 here"), ("init_r=init_r", "")]).splitlines()
    assert lines[3:-1] == [
        "1 | init_r = 8",
        "  | ---------- init_r is 8 here",
        "...",
        "5 |     target_r=16,",
        "  |     ^^^^^^^^^^^",
        "6 |     init_r=init_r,",
        "  |     -------------",
    ]


def test_two_places_in_one_line_are_underlined_one_below_the_other() -> None:
    lines = shown("AdaLoraConfig(init_r=8, target_r=8)", "target_r=8", related=[("init_r=8", "")]).splitlines()
    assert lines[3:-1] == [
        "1 | AdaLoraConfig(init_r=8, target_r=8)",
        "  |                         ^^^^^^^^^^",
        "  |               --------",
    ]


@pytest.mark.parametrize(
    ("before", "inside", "indent", "marks"),
    [
        ("\t", "r=16", 4, 4),
        ("f('秩', ", "r=16", 8, 4),
        ("f('e\u0301', ", "r=16", 7, 4),
        ("f('ｆ', ", "r=16", 8, 4),
        ("f('🤗', ", "r=16", 8, 4),
        ("", "r='秩秩'", 0, 8),
        ("", "r='e\u0301'", 0, 5),
    ],
)
def test_the_underline_counts_the_columns_of_a_terminal(before: str, inside: str, indent: int, marks: int) -> None:
    underline = shown(f"{before}{inside}, x=1)\n", inside).splitlines()[4]
    assert underline == "  | " + " " * indent + "^" * marks


def test_a_place_over_several_lines_is_underlined_to_the_end_of_the_first() -> None:
    lines = shown("x = AdaLoraConfig(\n    r=16,\n)\n", "AdaLoraConfig(\n    r=16,\n)").splitlines()
    assert lines[3:-1] == ["1 | x = AdaLoraConfig(", "  |     ^^^^^^^^^^^^^^"]


def test_an_empty_place_gets_one_mark() -> None:
    assert shown("AdaLoraConfig()", "").splitlines()[4] == "  | ^"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", ""])
def test_the_end_of_a_line_is_not_shown(end: str) -> None:
    assert shown(f"AdaLoraConfig(r=16){end}", "r=16").splitlines()[3] == "1 | AdaLoraConfig(r=16)"


@pytest.mark.parametrize("place", [0, 50, 5_000, 9_990])
def test_a_long_line_is_cut_around_the_place(place: int) -> None:
    text = "x" * place + "r=16" + "y" * (9_996 - place)
    quoted, underline = shown(text, "r=16").splitlines()[3:5]
    assert len(quoted) <= full.WIDTH + len("1 | …")
    assert quoted[underline.index("^") : underline.rindex("^") + 1] == "r=16"


def test_a_place_longer_than_the_width_is_underlined_as_far_as_it_shows() -> None:
    quoted, underline = shown("r=" + "9" * 500, "r=" + "9" * 500).splitlines()[3:5]
    assert len(underline) <= len(quoted) == full.WIDTH + len("1 | ")


@pytest.mark.parametrize("character", ["\x1b", "\x07", "\x9b", "\u202e", "\u2066", "\x00", "\x7f"])
def test_what_a_terminal_would_act_on_is_spelled_out(character: str) -> None:
    of = source(f"AdaLoraConfig(r=16)  # {character}[31mred", path=f"a{character}b.py")
    fix = Fix(f"title {character}", Effect.CHANGES, Safety.UNSAFE, why=f"why {character}", takes=f"take {character}")
    text = full.render([report(of, finding(of, "r=16", f"told {character}", fixes=[fix]))])
    assert character not in text
    assert text.count(character.encode("unicode_escape").decode()) >= 4


@pytest.mark.parametrize("end", ["\u2028", "\u2029", "\x0b", "\x0c", "\x85"])
def test_what_some_programs_take_for_a_line_end_is_spelled_out(end: str) -> None:
    quoted = shown(f"AdaLoraConfig(r=16)  # {end}x", "r=16", message=f"told{end}twice").splitlines()
    assert quoted[0].endswith(": told twice")
    assert quoted[3] == "1 | AdaLoraConfig(r=16)  # " + end.encode("unicode_escape").decode() + "x"


def test_a_message_of_several_lines_is_shown_in_one() -> None:
    assert shown("r=16", "r=16", message="one\ntwo").splitlines()[0].endswith(": one two")


class TestFixes:
    def test_a_safe_fix_says_what_it_does_to_training(self) -> None:
        of = source("AdaLoraConfig(r=16)")
        text = full.render([report(of, finding(of, "r=16", fixes=[replacing(of, "r=16", "init_r=12")]))])
        assert "\n  = safe fix: write init_r=12 (training stays the same)\n" in text
        assert "to take it" not in text

    def test_the_first_unsafe_fix_is_taken_by_the_option_and_by_its_setting(self) -> None:
        of = source("AdaLoraConfig(r=16)", path="my files/train.py")
        setting = 'r = "init_r" under [tool.adalint.intent]'
        fix = replacing(of, "r=16", "init_r=16", Safety.UNSAFE, Effect.CHANGES, takes=setting)
        text = full.render([report(of, finding(of, "r=16", fixes=[fix]))])
        assert "  = unsafe fix: write init_r=16 (training changes)\n" in text
        assert "    to take it: adalint fix --unsafe-fixes --select ADA101 'my files/train.py'\n" in text
        assert f"            or: {setting}\n" in text

    def test_another_unsafe_fix_is_taken_by_its_setting_alone(self) -> None:
        of = source("AdaLoraConfig(r=16)")
        first = replacing(of, "r=16", "init_r=16", Safety.UNSAFE, takes="--unsafe-fixes")
        second = replacing(of, "r=16", "target_r=16", Safety.UNSAFE, takes='r = "final"')
        third = replacing(of, "r=16", "target_r=8", Safety.UNSAFE, takes="--unsafe-fixes")
        text = full.render([report(of, finding(of, "r=16", fixes=[first, second, third]))])
        assert re.findall("to take it: (.*)", text) == [
            "adalint fix --unsafe-fixes --select ADA101 train.py",
            'r = "final"',
        ]

    def test_advice_says_why_it_is_not_placed(self) -> None:
        of = source("AdaLoraConfig(**options)")
        fix = Fix("rename r to init_r", Effect.CHANGES, Safety.DISPLAY, why="r is written elsewhere")
        text = full.render([report(of, finding(of, "**options", fixes=[fix]))])
        assert "  = advice: rename r to init_r (training changes)\n    not placed: r is written elsewhere\n" in text


@pytest.mark.parametrize(("severity", "code"), [(Severity.ERROR, 31), (Severity.WARNING, 33), (Severity.INFO, 34)])
def test_colour_is_given_only_when_asked_for(severity: Severity, code: int) -> None:
    of = source("AdaLoraConfig(r=16)")
    reports = [report(of, finding(of, "r=16", severity=severity))]
    coloured = full.render(reports, colour=True)
    assert f"\x1b[{code}m" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == full.render(reports)


def test_a_file_without_text_is_shown_without_a_frame() -> None:
    of = source("")
    assert full.render([report(of, finding(of, "", "cannot be read"))]).splitlines()[1:] == ["  --> train.py:1:1", ""]


@pytest.mark.parametrize("columns", [60, 80, 100])
@pytest.mark.parametrize("place", ["r=16", "first=1", "last=2"])
def test_a_quoted_line_and_its_mark_stay_within_the_terminal(columns: int, place: str) -> None:
    text = f"import peft\nconfig = AdaLoraConfig(first=1, {'a_word=3, ' * 12}r=16, {'a_word=4, ' * 12}last=2)\n"
    of = source(text)
    lines = full.render([report(of, finding(of, place))], columns=columns).splitlines()
    quoted, below = lines[3:5]
    assert max(len(quoted), len(below)) <= columns
    start = below.index("^")
    assert quoted[start : start + len(place)] == place


def test_a_wide_character_counts_twice_towards_the_width_of_a_terminal() -> None:
    of = source(f"x = '{'秩' * 100}'; config = AdaLoraConfig(r=16)\n")
    quoted = full.render([report(of, finding(of, "r=16"))], columns=80).splitlines()[3]
    assert sum(2 if character == "秩" else 1 for character in quoted) <= 80
    assert "r=16" in quoted


def test_a_line_that_fits_is_not_cut() -> None:
    text = "config = AdaLoraConfig(r=16, lora_alpha=32, lora_dropout=0.1)\n"
    of = source(text)
    assert f"1 | {text}" in full.render([report(of, finding(of, "r=16"))], columns=80)
