"""What a suppression covers, what it is no suppression, and what is said of one that is useless or unknown."""

from __future__ import annotations

import re
import time

import pytest

from adalint.engine import check_source, fix_source
from adalint.findings import Safety, Severity
from adalint.settings import Settings
from adalint.source import Source, kind_of

PLAIN = Settings()
HEAD = "from peft import AdaLoraConfig\n"
ONE_LINE = HEAD + "c = AdaLoraConfig(r=16, total_step=9)"
BLOCK = "run:\n  peft_type: ADALORA\n  init_r: 12\n  r: 16\n  total_step: 100\n"


def source(text: str, path: str = "a.py") -> Source:
    kind = kind_of(path)
    assert kind is not None
    return Source.decode(path, kind, text.encode())


def codes(text: str, path: str = "a.py", settings: Settings = PLAIN) -> list[str]:
    return [finding.code for finding in check_source(source(text, path), settings).findings]


def silenced(text: str, path: str = "a.py", settings: Settings = PLAIN) -> list[str]:
    return [finding.code for finding in check_source(source(text, path), settings).suppressed]


def fixed(text: str, path: str = "a.py", settings: Settings = PLAIN) -> str:
    return fix_source(source(text, path), settings, Safety.SAFE).after.text


def test_the_text_without_a_comment_has_the_finding():
    assert codes(ONE_LINE) == ["ADA101"]
    assert codes(BLOCK, "a.yaml") == ["ADA101"]


@pytest.mark.parametrize(
    "comment",
    [
        "# adalint: ignore[ADA101]",
        "# adalint: ignore[lora-rank-ignored]",
        "#adalint:ignore[ADA101]",
        "# adalint: ignore [ADA101]",
        "# Adalint: Ignore[ADA101]",
        "# adalint: ignore[ADA1]",
        "# adalint: ignore[ALL]",
        "# adalint: ignore[ ADA101 , ALL ]",
        "# adalint: ignore[ADA101]: the paper has it so",
        "# adalint: ignore[ADA101]  # noqa: E501",
        "# noqa: E501  # adalint: ignore[ADA101]",
        "# type: ignore[arg-type]  # adalint: ignore[ADA101]",
        "# 中文 # adalint: ignore[ADA101]",
    ],
)
class TestTheWords:
    def test_a_comment_behind_the_line_silences_it(self, comment: str) -> None:
        assert codes(f"{ONE_LINE}  {comment}\n") == []
        assert silenced(f"{ONE_LINE}  {comment}\n") == ["ADA101"]

    def test_a_comment_on_a_line_of_its_own_silences_what_is_below(self, comment: str) -> None:
        text = HEAD + comment + "\n" + ONE_LINE.removeprefix(HEAD)
        assert (codes(text), silenced(text)) == ([], ["ADA101"])

    def test_a_comment_of_the_file_silences_it_everywhere(self, comment: str) -> None:
        of_file = re.sub(r"(?i)(adalint:\s*ignore)", r"\1-file", comment)
        assert silenced(f"{of_file}\n\n{ONE_LINE}\n") == ["ADA101"]
        assert silenced(f"{ONE_LINE}\nx = 1  {of_file}\n") == ["ADA101"]

    def test_in_yaml_it_is_the_same(self, comment: str) -> None:
        assert silenced(BLOCK.replace("r: 16", f"r: 16  {comment}"), "a.yaml") == ["ADA101"]
        assert silenced(BLOCK.replace("  r: 16", f"  {comment}\n  r: 16"), "a.yaml") == ["ADA101"]


@pytest.mark.parametrize(
    "comment",
    [
        "# adalint: ignore[ADA102]",
        "# adalint: ignore[target-rank-not-below-initial]",
        "# adalint: ignore[ADA2]",
        "# adalint: ignore[rank-ignored]",
        "# adalint: ignore[ada101]",
        "# adalint: ignore[]",
        "# adalint: ignore",
        "# adalint: ignore ADA101",
        "# adalint: ignore[ADA101",
        "# adalint: noqa",
        "# noqa",
        "# type: ignore",
        "# ruff: noqa: ADA101",
        "# use adalint: ignore[ADA101] for that",
        "# adalint ignore[ADA101]",
        "# badalint: ignore[ADA101]",
    ],
)
def test_any_other_comment_silences_nothing(comment: str) -> None:
    assert "ADA101" in codes(f"{ONE_LINE}  {comment}\n")
    assert "ADA101" in codes(BLOCK.replace("r: 16", f"r: 16  {comment}"), "a.yaml")


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "c = AdaLoraConfig(r=16, total_step=9, revision='# adalint: ignore[ADA101]')\n",
        HEAD + '"""\n# adalint: ignore[ADA101]\n"""\nc = AdaLoraConfig(r=16, total_step=9)\n',
        '"""# adalint: ignore-file[ADA101]"""\n' + ONE_LINE,
        HEAD + "s = f'''{1}\n# adalint: ignore-file[ADA101]'''\nc = AdaLoraConfig(r=16, total_step=9)\n",
    ],
)
def test_words_in_a_python_string_are_no_suppression(text: str) -> None:
    assert (codes(text), silenced(text)) == (["ADA101"], [])


@pytest.mark.parametrize(
    "text",
    [
        BLOCK.replace("r: 16", "r: 16\n  note: 'x  # adalint: ignore-file[ADA101]'"),
        BLOCK.replace("  r: 16", "  note: |\n    # adalint: ignore[ADA101]\n  r: 16"),
        BLOCK + "note: >\n  text\n  # adalint: ignore-file[ADA101]\n",
        BLOCK + "note: a# adalint:ignore-file[ADA101]\n",
    ],
)
def test_words_in_a_yaml_scalar_are_no_suppression(text: str) -> None:
    assert (codes(text, "a.yaml"), silenced(text, "a.yaml")) == (["ADA101"], [])


def test_json_has_no_comments() -> None:
    text = '{"peft_type": "ADALORA", "r": 16, "x": "# adalint: ignore-file[ADA101]", "total_step": 9}'
    assert "ADA101" in codes(text, "a.json")
    assert silenced(text, "a.json") == []


class TestWhatAPythonCommentCovers:
    CALL = "c = AdaLoraConfig(\n    r=16,\n    total_step=9,\n)\n"

    @pytest.mark.parametrize(
        ("text", "count"),
        [
            ("# adalint: ignore[ADA101]\n" + CALL, 1),
            ("# adalint: ignore[ADA101]\n# another\n" + CALL, 1),
            ("# adalint: ignore[ADA101]\n\n" + CALL, 0),
            ("# adalint: ignore[ADA101]\nx = 1\n" + CALL, 0),
            (CALL.replace("    r", "    # adalint: ignore[ADA101]\n    r"), 1),
            (CALL.replace("r=16,", "r=16,  # adalint: ignore[ADA101]"), 1),
            (CALL.replace("(\n", "(  # adalint: ignore[ADA101]\n"), 0),
            (CALL.replace("9,\n)", "9,\n)  # adalint: ignore[ADA101]"), 0),
            (CALL.replace("    total", "    # adalint: ignore[ADA101]\n    total"), 0),
            (CALL.replace("9,\n", "9,\n    # adalint: ignore[ADA101]\n"), 0),
            ("# adalint: ignore[ADA101]\ndef f():\n    " + CALL.replace("\n", "\n    ").rstrip() + "\n", 0),
            ("# adalint: ignore[ADA101]\n@cached\ndef f(c=AdaLoraConfig(r=16, total_step=9)): pass\n", 1),
            ("# adalint: ignore[ADA101]\nif AdaLoraConfig(r=16, total_step=9): pass\n", 1),
            ("# adalint: ignore[ADA101]\nx = [\n    1,\n    AdaLoraConfig(r=16, total_step=9),\n]\n", 1),
            ("x = [\n    # adalint: ignore[ADA101]\n    f(\n        AdaLoraConfig(r=16, total_step=9)),\n]\n", 1),
            ("x = [\n    # adalint: ignore[ADA101]\n    f(1),\n    AdaLoraConfig(r=16, total_step=9),\n]\n", 0),
            ("# adalint: ignore[ADA101]\nx = \\\n    AdaLoraConfig(r=16, total_step=9)\n", 1),
            ("x = 1  # adalint: ignore[ADA101]\n" + CALL, 0),
            ("c = AdaLoraConfig(\n    # adalint: ignore[ADA101]\n    total_step=9, r=16,\n)\n", 1),
            ("c = AdaLoraConfig(\n    # adalint: ignore[ADA101]\n    total_step=9,\n    r=16,\n)\n", 0),
            ("c = AdaLoraConfig(\n    # adalint: ignore[ADA101]\n    total_step=f(\n        9), r=16,\n)\n", 0),
            (CALL + "# adalint: ignore[ADA101]\n", 0),
        ],
    )
    def test_it_is_the_statement_or_the_item_below_or_its_own_line(self, text: str, count: int) -> None:
        assert silenced(HEAD + text) == ["ADA101"] * count

    def test_a_comment_silences_all_findings_of_its_line(self) -> None:
        text = (
            HEAD
            + "c = [AdaLoraConfig(r=16, total_step=9), AdaLoraConfig(r=32, total_step=9)]  # adalint: ignore[ADA101]\n"
        )
        assert (codes(text), silenced(text)) == ([], ["ADA101", "ADA101"])

    @pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
    def test_newlines_of_every_kind_end_the_line(self, newline: str) -> None:
        text = (
            HEAD
            + "é = '中'  # adalint: ignore[ADA101]\n"
            + self.CALL.replace("r=16,", "r=16,  # adalint: ignore[ADA101]")
        )
        assert silenced(text.replace("\n", newline)) == ["ADA101"]
        assert codes(text.replace("\n", newline)) == ["ADA902"]


class TestWhatAYamlCommentCovers:
    LIST = "runs:\n- peft_type: ADALORA\n  r: 16\n  total_step: 9\n- peft_type: ADALORA\n  r: 32\n  total_step: 9\n"

    @pytest.mark.parametrize(
        ("text", "count"),
        [
            ("# adalint: ignore[ADA101]\n" + LIST, 2),
            ("# adalint: ignore[ADA101]\n\n" + LIST, 0),
            ("x: 1\n# adalint: ignore[ADA101]\n# more\n" + LIST, 2),
            ("# adalint: ignore[ADA101]\nx: 1\n" + LIST, 0),
            (LIST.replace("- peft", "# adalint: ignore[ADA101]\n- peft", 1), 1),
            (LIST.replace("- peft", "  # adalint: ignore[ADA101]\n- peft", 1), 1),
            (LIST.replace("  r: 32", "  # adalint: ignore[ADA101]\n  r: 32"), 1),
            (LIST.replace("  total_step: 9\n-", "  # adalint: ignore[ADA101]\n  total_step: 9\n-"), 0),
            (LIST.replace("r: 16", "r: 16  # adalint: ignore[ADA101]"), 1),
            (LIST.replace("runs:", "runs:  # adalint: ignore[ADA101]"), 0),
            ("# adalint: ignore[ADA101]\nx: {peft_type: ADALORA, r: 8, total_step: 9}\n", 1),
            ("x: {peft_type: ADALORA,\n  # adalint: ignore[ADA101]\n  r: 8, total_step: 9}\n", 1),
            ("x: {peft_type: ADALORA,\n  # adalint: ignore[ADA101]\n  total_step: 9, r: 8}\n", 1),
            ("x: {peft_type: ADALORA,\n  # adalint: ignore[ADA101]\n  total_step: 9,\n  r: 8}\n", 0),
            ("--- # adalint: ignore[ADA101]\n" + LIST, 0),
            ("# adalint: ignore[ADA101]\n--- {peft_type: ADALORA, r: 8, total_step: 9}\n", 1),
            ("- - a\n  # adalint: ignore[ADA101]\n  - peft_type: ADALORA\n    r: 8\n    total_step: 9\n", 1),
            ("# adalint: ignore[ADA101]\n- - peft_type: ADALORA\n    r: 8\n    total_step: 9\n  - b\n", 1),
        ],
    )
    def test_it_is_the_entry_or_the_item_below_or_its_own_line(self, text: str, count: int) -> None:
        assert silenced(text, "a.yaml") == ["ADA101"] * count


class TestAFileThatCannotBeRead:
    @pytest.mark.parametrize("path", ["a.py", "a.yaml"])
    def test_a_comment_in_front_of_everything_silences_ada901(self, path: str) -> None:
        text = "# AdaLoRA\n\n# adalint: ignore-file[unparsable-file]\nx: [\nprint 'x'\n"
        assert (codes(text, path), silenced(text, path)) == ([], ["ADA901"])

    @pytest.mark.parametrize(
        "text",
        [
            "# adalint: ignore[ADA901]\nx = adalora(\n",
            "x = adalora(\n# adalint: ignore-file[ADA901]\n",
            "'''\n# adalint: ignore-file[ADA901]\n''' adalora (\n",
        ],
    )
    def test_no_other_does(self, text: str) -> None:
        assert codes(text) == ["ADA901"]


class TestUnused:
    @pytest.mark.parametrize(
        ("text", "after"),
        [
            ("x = 1  # adalint: ignore[ADA101]\n", "x = 1\n"),
            ("x = 1  # adalint: ignore[ADA101]  \n", "x = 1  \n"),
            ("# adalint: ignore[ADA101]\nx = 1\n", "x = 1\n"),
            ("if x:\n    # adalint: ignore[ADA101, ADA102]\n    y = 1\n", "if x:\n    y = 1\n"),
            ("x = 1\n# adalint: ignore-file[ADA101]", "x = 1\n"),
            ("x = 1  # noqa  # adalint: ignore[ADA101]\n", "x = 1  # noqa\n"),
            ("x = 1  # adalint: ignore[ADA101]  # noqa\n", "x = 1  # noqa\n"),
            ("x = 1  # adalint: ignore[ADA101]; it was so\n", "x = 1  # it was so\n"),
            (
                "x = 1  # type: ignore # adalint: ignore[ADA101] # pragma: no cover\n",
                "x = 1  # type: ignore # pragma: no cover\n",
            ),
        ],
    )
    def test_the_fix_deletes_the_suppression_and_nothing_else(self, text: str, after: str) -> None:
        assert codes(HEAD + text) == ["ADA902"]
        assert fixed(HEAD + text) == HEAD + after
        assert fixed("# ünï\r\n" + (HEAD + text).replace("\n", "\r\n")) == "# ünï\r\n" + (HEAD + after).replace(
            "\n", "\r\n"
        )

    def test_only_the_useless_words_are_deleted(self) -> None:
        text = f"{ONE_LINE}  # adalint: ignore[ADA102, lora-rank-ignored, ADA2]  why\n"
        [finding] = check_source(source(text), Settings()).findings
        assert (finding.code, finding.message) == ("ADA902", "nothing here is silenced by ADA102, ADA2")
        assert fixed(text) == f"{ONE_LINE}  # adalint: ignore[lora-rank-ignored]  why\n"

    def test_in_yaml_it_is_the_same(self) -> None:
        text = BLOCK.replace("  r: 16\n", "  # adalint: ignore[ADA101]\n  target_r: 8  # adalint: ignore[ADA102]\n")
        assert fixed(text, "a.yaml") == BLOCK.replace("r: 16", "target_r: 8")

    @pytest.mark.parametrize(
        ("word", "settings"),
        [
            ("ADA102", Settings(ignore=("ADA102",))),
            ("ADA102", Settings(select=("ADA1", "ADA902"), ignore=("ADA102",))),
            ("ADA1", Settings(ignore=("ADA102",))),
            ("ADA102", Settings(severity={"ADA102": "off"})),
            ("ADA102", Settings(ignored_here=(("a.py", "ADA102"),))),
            ("ADA102", Settings(ignore=("ADA902",))),
            ("ADA902", Settings()),
            ("ADA9", Settings()),
            ("unknown-suppression", Settings()),
        ],
    )
    def test_a_word_that_may_be_used_in_another_run_is_left_alone(self, word: str, settings: Settings) -> None:
        assert codes(f"{HEAD}x = 1  # adalint: ignore[{word}]\n", settings=settings) == []

    def test_a_prefix_of_selected_rules_is_unused_when_it_silences_nothing(self) -> None:
        assert codes(f"{HEAD}x = 1  # adalint: ignore[ADA1]\n") == ["ADA902"]

    @pytest.mark.parametrize(
        "comment", ["# adalint: ignore[ADA101, ADA902]", "# adalint: ignore[ADA101, unused-suppression]"]
    )
    def test_it_can_be_silenced_itself(self, comment: str) -> None:
        assert (codes(f"{HEAD}x = 1  {comment}\n"), silenced(f"{HEAD}x = 1  {comment}\n")) == ([], ["ADA902"])

    def test_what_is_used_twice_is_used(self) -> None:
        text = f"# adalint: ignore-file[ADA101]\n{ONE_LINE}  # adalint: ignore[lora-rank-ignored]\n"
        assert codes(text) == []

    def test_its_severity_can_be_set(self) -> None:
        report = check_source(
            source(f"{HEAD}x = 1  # adalint: ignore[ADA101]\n"), Settings(severity={"ADA902": "error"})
        )
        assert [finding.severity for finding in report.findings] == [Severity.ERROR]

    def test_it_speaks_chinese(self) -> None:
        report = check_source(source(f"{HEAD}x = 1  # adalint: ignore[ADA101]\n"), Settings(language="zh"))
        assert "没有屏蔽" in report.findings[0].message


class TestUnknown:
    @pytest.mark.parametrize(
        ("word", "meant"),
        [
            ("lora-rank-ignord", "lora-rank-ignored"),
            ("lora_rank_ignored", "lora-rank-ignored"),
            ("Lora-Rank-Ignored", "lora-rank-ignored"),
            ("ada101", "ADA101"),
        ],
    )
    def test_a_slip_is_mended_before_what_it_means_to_silence_is_rewritten(self, word: str, meant: str) -> None:
        text = f"{ONE_LINE}  # adalint: ignore[{word}]\n"
        assert codes(text) == ["ADA101", "ADA903"]
        assert fixed(text) == f"{ONE_LINE}  # adalint: ignore[{meant}]\n"

    def test_a_slip_of_a_word_that_stands_beside_it_is_deleted(self) -> None:
        text = f"{ONE_LINE}  # adalint: ignore[ada101, ADA101]\n"
        assert fixed(text) == f"{ONE_LINE}  # adalint: ignore[ADA101]\n"

    @pytest.mark.parametrize("word", ["E501", "ADA999", "ADA1011", "rank", "lora", "no-such-rule"])
    def test_a_word_that_is_near_none_has_no_fix(self, word: str) -> None:
        report = check_source(source(f"{HEAD}x = 1  # adalint: ignore[{word}]\n"), Settings())
        [finding] = report.findings
        assert (finding.code, finding.fixes) == ("ADA903", ())
        assert finding.message == f"no rule is called {word}; `adalint rules` lists them"

    @pytest.mark.parametrize(
        ("comment", "instead"),
        [
            ("# adalint: ignore", "ignore[lora-rank-ignored]"),
            ("# adalint: ignore the rank", "ignore[lora-rank-ignored]"),
            ("# adalint: ignore[]", "ignore[lora-rank-ignored]"),
            ("# adalint: ignore[ADA101", "ignore[lora-rank-ignored]"),
            ("# adalint: noqa", "ignore[lora-rank-ignored]"),
            ("# adalint: disable=ADA101", "ignore[lora-rank-ignored]"),
            ("# adalint: ignore-file", "ignore-file[lora-rank-ignored]"),
            ("# adalint: skip-file", "ignore-file[lora-rank-ignored]"),
        ],
    )
    def test_a_suppression_without_a_rule_silences_nothing_and_is_told_what_to_write(
        self, comment: str, instead: str
    ) -> None:
        findings = check_source(source(f"{ONE_LINE}  {comment}\n"), Settings()).findings
        assert [finding.code for finding in findings] == ["ADA101", "ADA903"]
        assert findings[1].message.endswith(f"write `# adalint: {instead}`")
        assert findings[1].fixes == ()

    @pytest.mark.parametrize(
        "comment",
        [
            "# adalint: a linter",
            "# see adalint: ignore",
            "# adalint: ignored by us",
            "# adalint is on",
            "# adalint:",
            "#",
        ],
    )
    def test_prose_is_no_suppression(self, comment: str) -> None:
        assert codes(f"{ONE_LINE}  {comment}\n") == ["ADA101"]

    def test_it_can_be_silenced_itself(self) -> None:
        text = f"{HEAD}x = 1  # adalint: ignore[E501, unknown-suppression]\n"
        assert (codes(text), silenced(text)) == ([], ["ADA903"])

    def test_it_is_off_when_it_is_not_selected(self) -> None:
        assert codes(f"{HEAD}x = 1  # adalint: ignore[E501]\n", settings=Settings(ignore=("ADA903",))) == []


class TestFixing:
    def test_what_is_silenced_is_not_fixed(self) -> None:
        text = f"{ONE_LINE}  # adalint: ignore[ADA101]\n"
        outcome = fix_source(source(text), Settings(unsafe_fixes=True), Safety.UNSAFE)
        assert outcome.after.text == text
        assert (outcome.applied, outcome.left, [one.code for one in outcome.suppressed]) == ((), (), ["ADA101"])

    def test_the_finding_beside_it_is(self) -> None:
        text = (
            HEAD
            + "c = AdaLoraConfig(\n    # adalint: ignore[ADA101]\n    r=16,\n    use_rslora=True,\n    total_step=9,\n)\n"
        )
        assert codes(text) == ["ADA302"]
        assert fixed(text) == text.replace("    use_rslora=True,\n", "")

    def test_a_suppression_that_a_fix_makes_useless_goes_too(self) -> None:
        text = HEAD + "c = AdaLoraConfig(init_r=12, r=16, use_rslora=True, total_step=9)  # adalint: ignore[ADA302]\n"
        kept = text.replace("init_r=12, r=16, ", "init_r=12, ")
        assert fixed(text) == kept
        useless = kept.replace("use_rslora=True, ", "")
        assert fixed(useless) == useless.replace("  # adalint: ignore[ADA302]", "")

    def test_a_severity_that_is_set_does_not_let_a_fix_bring_a_new_mistake(self) -> None:
        text = HEAD + "c = AdaLoraConfig(init_r=8, target_r=16, total_step=9)\n"
        plain = fix_source(source(text), Settings(), Safety.UNSAFE).after.text
        lowered = Settings(severity={"ADA1": "info", "ADA102": "error", "ADA2": "info"})
        assert fix_source(source(text), lowered, Safety.UNSAFE).after.text == plain


@pytest.mark.parametrize("path", ["a.py", "a.yaml"])
def test_thousands_of_suppressions_cost_no_more_than_their_bytes(path: str) -> None:
    head = ONE_LINE if path == "a.py" else BLOCK
    lines = (
        f"x{number}{' =' if path == 'a.py' else ':'} [1, 2]  # adalint: ignore[ADA101]\n" for number in range(3000)
    )
    text = f"{head}\n" + "".join(f"# adalint: ignore[ADA102]\n{line}" for line in lines)
    start = time.perf_counter()
    assert codes(text, path).count("ADA902") == 6000
    assert time.perf_counter() - start < 10  # looking at every pair takes more than half a minute
