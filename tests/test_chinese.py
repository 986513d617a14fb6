"""Nothing that adalint says to people lacks Chinese, and nobody gets Chinese who has not asked for it."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from commands import CHECKOUT, IGNORED_RANK, REVERSED, run, run_apart
from examples import section
from terminal import run_on_terminal

import adalint
from adalint.report.words import PLACEHOLDER, retold, said
from adalint.report.words_zh import CHINESE
from adalint.rulebook.pages import load
from adalint.settings import Settings

HAN = re.compile(r"[\u4e00-\u9fff\uff00-\uffef]")
PACKAGE = CHECKOUT / "adalint"
REASONS = {"Unplaceable", "Related", "Remark"}
"""What is called with a sentence for people, besides `said`."""

MIGRATIONS = {
    path.relative_to(PACKAGE).as_posix()
    for name in ("lora_*", "loralib_*", "ms_swift", "peft_release", "texts")
    for path in (PACKAGE / "migrate").glob(f"{name}.py")
}
"""Where the notes of migrations are written, in words that have no mark of their own."""

PROSE = re.compile(r"(?:^|(?<=[ (]))[a-z]{3,}(?=[,;:]? )| [a-z]{3,}(?=$|[ ,;:])")
"""A word among others."""

ENGLISH = re.compile(r"(?<![-\w.])[a-z']{2,} [a-z']{2,}(?![-\w.])")
"""Words that follow each other and are no names of code."""

COMMENTS = {"AdaLoraCallback sets the schedule", "set below, before training", "set in on_train_start"}
"""What is written into the code of people, which is English as what it stands beside."""

REASON_GIVERS = {"_objection", "_is_needed_elsewhere"}
"""Functions that return such a sentence."""


def shape(sentence: str) -> str:
    """Give a sentence without its names; backticks around what is put in come in with it."""
    return PLACEHOLDER.sub("{}", sentence).replace("`{}`", "{}")


def texts_of(node: ast.expr | None) -> list[str]:
    """Give the sentences that an expression can be, with `{}` for what is put in."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.IfExp(body=body, orelse=orelse):
            return [one for branch in (body, orelse) for one in texts_of(branch)]
        case ast.JoinedStr(values=parts):
            wholes = [""]
            for part in parts:
                inner = texts_of(part.value) if isinstance(part, ast.FormattedValue) else texts_of(part)
                wholes = [whole + one for whole in wholes for one in inner or ["{}"]]
            return wholes
        case ast.BoolOp(values=values):
            told = [texts_of(value) for value in values]
            return [text for texts in told for text in texts or ["{}"]] if any(told) else []
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            firsts, lasts = texts_of(left), texts_of(right)
            return [f"{a}{b}" for a in firsts or ["{}"] for b in lasts or ["{}"]] if firsts or lasts else []
    return []


def prose_of(tree: ast.Module) -> list[str]:
    """Collect all that reads like a sentence or a part of one in a module, but for docstrings and lines of Python."""
    found: list[str] = []
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        texts = texts_of(node) if isinstance(node, ast.expr) else []
        found += [text for text in texts if PROSE.search(text) and not is_python(text)]
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        waiting += () if texts or is_docstring else ast.iter_child_nodes(node)
    return found


def is_python(text: str) -> bool:
    """Tell whether a text is, or becomes, code that a migration writes."""
    try:
        ast.parse(text.strip())
    except SyntaxError:
        return "\n" in text or text in COMMENTS
    return True


def sentences(tree: ast.Module) -> list[str]:
    """Collect the sentences for people in a module that are not on a rule's page."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == "said":
                found += texts_of(node.args[0])
            elif node.func.id == "counted":
                found += [f"{{number}} {noun}" for noun in texts_of(node.args[1])]
            elif node.func.id in REASONS:
                found += [text for argument in node.args for text in texts_of(argument)]
            found += [text for keyword in node.keywords if keyword.arg == "why" for text in texts_of(keyword.value)]
        if isinstance(node, ast.FunctionDef) and node.name in REASON_GIVERS:
            found += [text for one in ast.walk(node) if isinstance(one, ast.Return) for text in texts_of(one.value)]
    return found


MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("module", MODULES)
def test_every_sentence_has_chinese(module: str) -> None:
    known = {shape(sentence) for sentence in CHINESE}
    written = sentences(ast.parse((PACKAGE / module).read_text(encoding="utf-8")))
    assert [sentence for sentence in written if shape(sentence) not in known] == []


def test_the_collector_finds_sentences() -> None:
    found = {sentence for module in MODULES for sentence in sentences(ast.parse((PACKAGE / module).read_text("utf-8")))}
    assert len(found) > 40
    assert {"not placed: {reason}", "{number} file", "JSON has no comments", "{} is here"} <= found


def lacks_chinese(text: str) -> bool:
    """Tell whether English is left of a text, alone or within the sentences that it is a part of."""
    told = retold(PLACEHOLDER.sub("{}", text).replace("{}", "12"), "zh")
    return (HAN.search(told) is None or ENGLISH.search(told) is not None) and not any(
        shape(text.strip()) in shape(sentence) for sentence in CHINESE
    )


@pytest.mark.parametrize("module", sorted(MIGRATIONS))
def test_all_that_a_migration_says_has_chinese(module: str) -> None:
    written = prose_of(ast.parse((PACKAGE / module).read_text(encoding="utf-8")))
    assert [text for text in written if lacks_chinese(text)] == []


def test_the_collector_finds_what_migrations_say() -> None:
    found = {text for module in MIGRATIONS for text in prose_of(ast.parse((PACKAGE / module).read_text("utf-8")))}
    assert len(found) > 120
    assert {"a second RankAllocator", "{} has two names", "its name", "{} is no flag now"} <= found


@pytest.mark.parametrize(
    "code",
    [
        'raise Unmovable(call, f"{name} is a thing that nobody has heard of")',
        'yield call, "nobody has " + ("heard" if name else "read") + " of it"',
        'why = "unheard of"',
    ],
)
def test_a_new_sentence_of_a_migration_is_missed(code: str) -> None:
    [*texts] = prose_of(ast.parse(code))
    assert texts
    assert all(lacks_chinese(text) for text in texts)


@pytest.mark.parametrize(
    "code", ['"""Give what is given."""', 'x = "from torch import nn"', 'x = "def f():\\n    pass"']
)
def test_what_is_no_sentence_needs_no_chinese(code: str) -> None:
    assert prose_of(ast.parse(code)) == []


@pytest.mark.parametrize("sentence", CHINESE)
def test_a_sentence_is_chinese_and_keeps_what_is_put_in(sentence: str) -> None:
    assert HAN.search(CHINESE[sentence])
    assert sorted(PLACEHOLDER.findall(sentence)) == sorted(PLACEHOLDER.findall(CHINESE[sentence]))


@pytest.mark.parametrize("sentence", CHINESE)
def test_a_sentence_is_found_again_by_its_english_form(sentence: str) -> None:
    values = {"failure": "crashes at step 7 (RuntimeError)", "failure_": "raises TypeError at wrap", "number": "12"}
    values |= {"stage": "wrap", "exception": "TypeError", "step": "7", "row": "7", "name": "init_r"}
    words = {name: values.get(name, "zzz") for name in PLACEHOLDER.findall(sentence)}
    told = retold(sentence.format(**words), "zh")
    assert told == CHINESE[sentence].format(**{name: retold(word, "zh") for name, word in words.items()})


def test_a_text_that_nobody_knows_stays_as_it_is() -> None:
    assert retold("ein fremder Satz", "zh") == "ein fremder Satz"
    assert retold("JSON has no comments", "en") == "JSON has no comments"


@pytest.mark.parametrize("example", section("Bad"), ids=str)
def test_all_that_is_said_of_a_bad_example_is_chinese(example) -> None:
    settings = Settings(language="zh", pedantic=True, target_transformers=example.words.get("transformers"))
    report = adalint.check_text(example.text, filename=example.file, settings=settings)
    assert report.findings
    for finding in report.findings:
        said_of_it = [finding.message, *(related.message for related in finding.related)]
        said_of_it += [text for fix in finding.fixes for text in (fix.title, fix.why) if text is not None]
        assert [text for text in said_of_it if not HAN.search(text)] == []


class TestWhoGetsIt:
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        Path("x.py").write_text(REVERSED)

    @pytest.mark.parametrize("output_format", ["full", "concise", "json", "lsp"])
    def test_who_asks_gets_it_in_every_format(self, output_format: str) -> None:
        assert "target_r" in run("check", "--output-format", output_format).stdout
        told = run("check", "--lang", "zh", "--output-format", output_format)
        shown = told.stdout.encode().decode("unicode_escape") if output_format in {"json", "lsp"} else told.stdout
        assert HAN.search(shown)
        assert told.stderr == "发现：1 个文件中有 1 个错误。1 处在您决定之后可以修好：运行 `adalint fix` 查看办法。\n"

    def test_settings_can_ask_for_it_and_the_flag_wins(self) -> None:
        Path("adalint.toml").write_text("lang = 'zh'")
        assert HAN.search(run("check").output)
        assert not HAN.search(run("check", "--lang", "en").output)

    @pytest.mark.parametrize("output_format", ["full", "concise", "json", "lsp"])
    def test_the_locale_decides_nothing_away_from_a_terminal(self, output_format: str) -> None:
        told = run("check", "--output-format", output_format, LC_ALL="zh_CN.UTF-8", LANG="zh_CN.UTF-8")
        assert not HAN.search(told.output)
        assert "\\u" not in told.stdout

    @pytest.mark.parametrize(
        ("locale", "output_format", "chinese"),
        [
            ({"LANG": "zh_CN.UTF-8", "LC_ALL": ""}, "full", True),
            ({"LANG": "zh_CN.UTF-8", "LC_ALL": ""}, "concise", True),
            ({"LANG": "en_US.UTF-8", "LC_ALL": "zh_CN.UTF-8"}, "full", True),
            ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "full", False),
            ({"LANG": "en_US.UTF-8", "LC_ALL": ""}, "full", False),
            ({"LANG": "zh_CN.UTF-8", "LC_ALL": ""}, "json", False),
        ],
    )
    def test_on_a_terminal_the_locale_decides_for_people(
        self, locale: dict[str, str], output_format: str, *, chinese: bool
    ) -> None:
        told = run_on_terminal("check", "--output-format", output_format, "x.py", **locale)
        assert bool(HAN.search(told)) is chinese

    def test_what_fix_does_is_told_in_chinese(self) -> None:
        Path("x.py").write_text(IGNORED_RANK)
        told = run("fix", "--lang", "zh")
        assert told.stdout.startswith("x.py:3:24：已修复 ADA101 lora-rank-ignored：写明 PEFT 现在的行为")
        assert told.stderr == "已修复 1 处问题。一切正常：1 个文件用到了 AdaLoRA，没有问题。\n"

    def test_verify_tells_its_story_in_chinese(self) -> None:
        lines = run("verify", "--lang", "zh", "--output-format", "full", str(CHECKOUT / "fixtures")).stdout.splitlines()
        assert len(lines) > 10
        assert [line for line in lines if not HAN.search(line)] == []

    def test_a_page_has_chinese_headings_messages_and_fixes(self) -> None:
        told = run("rule", "--lang", "zh", "ADA102").stdout
        assert "ADA102 target-rank-not-below-initial (错误)\n" in told
        headings = [line for line in told.splitlines() if line.startswith("## ")]
        assert len(headings) > 6
        assert [heading for heading in headings if not HAN.search(heading)] == []
        assert not HAN.search(run("rule", "ADA102").stdout)

    @pytest.mark.parametrize("code", load().rules)
    def test_every_heading_of_a_page_is_known(self, code: str) -> None:
        headings = re.findall(r"^## (.+)$", load().rules[code].body, re.MULTILINE)
        assert [heading for heading in headings if heading not in CHINESE] == []

    def test_the_table_of_rules_lines_up(self) -> None:
        from adalint.report.full import display_width

        head, *rows = run("rules", "--lang", "zh").stdout.splitlines()
        column = display_width(head[: head.index("说明")])
        summaries = [rule.summary_zh for rule in load().rules.values()]
        starts = [row[: row.index(summary)] for row, summary in zip(rows, summaries, strict=True)]
        assert {display_width(start) for start in starts} == {column}

    def test_a_file_that_cannot_be_read_is_told_in_chinese(self) -> None:
        Path("x.py").write_text("AdaLoraConfig(")
        assert HAN.search(run("check", "--lang", "zh").stdout)

    def test_another_language_is_2(self) -> None:
        assert run_apart("check", "--lang", "fr").returncode == 2


def test_english_is_said_as_it_is_written() -> None:
    assert said("{name} is here", "en", name="r") == "r is here"


LORA = "from peft import LoraConfig, get_peft_model\n\nmodel = get_peft_model(build(), LoraConfig(r=4))\n"
TRAINED = "for batch in loader:\n    model(**batch).loss.backward()\n    optimizer.step()\n    optimizer.zero_grad()\n"
LORALIB = """\
import loralib
from loralib import RankAllocator, SVDLinear

layer = SVDLinear(16, 16, r=12)
allocator = RankAllocator(model, lora_r=12, target_rank=8)
"""
LAUNCH = "python run_glue.py --apply_adalora --lora_type svd --lora_r 3 --target_rank 2 --init_warmup 800\n"
OLD_SWIFT = "swift sft --sft_type adalora --adalora_init_r 12 --adalora_target_r 8\n"


class TestMigrations:
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)

    @pytest.mark.parametrize(
        ("migration", "file", "text"),
        [
            (("lora-to-adalora",), "x.py", LORA),
            (("lora-to-adalora",), "x.py", LORA + TRAINED),
            (("loralib-to-peft",), "x.py", LORALIB),
            (("loralib-to-peft",), "x.sh", LAUNCH),
            (("ms-swift", "--to", "4"), "x.sh", OLD_SWIFT),
            (("peft", "--to", "0.21.2"), "x.py", REVERSED),
        ],
    )
    def test_all_notes_are_chinese_for_who_asks_and_for_nobody_else(
        self, migration: tuple[str, ...], file: str, text: str
    ) -> None:
        Path(file).write_text(text)
        told = run("migrate", *migration, "--lang", "zh", file).stderr.splitlines()
        assert len(told) > 1
        assert [line for line in told if not HAN.search(line) or ENGLISH.search(line)] == []
        assert not HAN.search(run("migrate", *migration, file, LC_ALL="zh_CN.UTF-8").stderr)

    @pytest.mark.parametrize("language", ["en", "zh"])
    def test_the_report_is_in_the_language_that_was_asked_for(self, language: str) -> None:
        Path("x.py").write_text(LORALIB)
        report = json.loads(run("migrate", "loralib-to-peft", "--lang", language, "--report", "-", "x.py").stdout)
        texts = [note["text"] for note in report["files"][0]["left"]]
        assert len(texts) > 1
        assert [bool(HAN.search(text)) for text in texts] == [language == "zh"] * len(texts)

    def test_settings_can_ask_for_it_and_the_flag_wins(self) -> None:
        Path("x.py").write_text(LORALIB)
        Path("adalint.toml").write_text("lang = 'zh'")
        assert HAN.search(run("migrate", "loralib-to-peft", "x.py").stderr)
        assert not HAN.search(run("migrate", "loralib-to-peft", "--lang", "en", "x.py").stderr)
        assert not HAN.search(run("migrate", "loralib-to-peft", "--isolated", "x.py").stderr)

    @pytest.mark.parametrize("report", [(), ("--report", "report.json")])
    def test_on_a_terminal_the_locale_decides_unless_a_program_reads(self, report: tuple[str, ...]) -> None:
        Path("x.py").write_text(LORALIB)
        locale = {"LANG": "zh_CN.UTF-8", "LC_ALL": ""}
        told = run_on_terminal("migrate", "loralib-to-peft", *report, "x.py", **locale)
        assert bool(HAN.search(told)) is not bool(report)

    def test_what_others_have_named_is_left_as_it_is(self) -> None:
        assert CHINESE["step"] == "训练途中"
        assert retold("not moved: step is not always the allocator", "zh") == "未迁移：step 不总是分配器"

    def test_what_a_reason_begins_with_is_not_taken_for_a_name(self) -> None:
        told = "the flags keep their names: run.sh: --lora_r is no option of the parser as it is written"
        assert retold(told, "zh") == "选项保留原名：run.sh：--lora_r 照这样写不是解析器的选项"

    @pytest.mark.parametrize(("language", "loaded"), [("en", False), ("zh", True)])
    def test_the_words_are_only_loaded_for_chinese(self, language: str, *, loaded: bool) -> None:
        Path("x.py").write_text(LORALIB)
        code = (
            "import sys\nfrom adalint.cli import adalint\n"
            f"adalint(['migrate', 'loralib-to-peft', '--lang', '{language}', 'x.py'], standalone_mode=False)\n"
            "print(any(name.startswith('adalint.report.words_zh') for name in sys.modules))\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.stdout.splitlines()[-1:] == [str(loaded)]
