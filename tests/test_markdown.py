"""Markdown: which fenced blocks are read, where findings stand, and how they are mended in their block."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import CHECKOUT, IGNORED_RANK, REVERSED, run
from examples import section

from adalint.embedded import embedded_in
from adalint.engine import _objection, check_source, fix_source, ignore_source
from adalint.findings import Safety
from adalint.settings import Settings
from adalint.source import Kind, Source

NOTED = IGNORED_RANK.replace("(r=16, total_step=100)", "(init_r=12, total_step=100)  # r=16 had no effect in AdaLoRA")
BLOCK = "peft_type: ADALORA\nr: 8\ntarget_r: 4\n"
PAGES = sorted((CHECKOUT / "rules").glob("*.md"))
IGNORE = "adalint: ignore[ADA101]"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def markdown(text: str) -> Source:
    return Source.decode("x.md", Kind.MARKDOWN, text.encode())


def found(text: str) -> list[tuple[str, int, int]]:
    report = check_source(markdown(text), Settings())
    return [(one.code, report.start(one).row, report.start(one).column) for one in report.findings]


def fixed(text: str, allowed: Safety = Safety.SAFE) -> str:
    return fix_source(markdown(text), Settings(), allowed).after.text


def fence(body: str, info: str = "python", mark: str = "```") -> str:
    return f"{mark}{info}\n{body}{mark}\n"


def behind(lead: str, text: str) -> str:
    return "".join(lead + line for line in text.splitlines(keepends=True))


class TestWhichBlocks:
    @pytest.mark.parametrize(
        "info",
        [
            *(
                "python",
                "py",
                "Python3",
                "python title='a b'",
                "python,ignore",
                "{python}",
                "{python, echo=FALSE}",
                "{.python .x}",
            ),
            *("{code-cell} python", "{code-block} python", "ipython", " python", "python {linenos=true}"),
        ],
    )
    def test_python_is_read(self, info: str) -> None:
        assert found(fence(IGNORED_RANK, info)) == [("ADA101", 4, 24)]

    @pytest.mark.parametrize(
        "info", ["", "text", "pycon", "diff", "pythonic", "python-console", "r", "bash", "{r}", "json5", "jsonc"]
    )
    def test_another_language_is_not(self, info: str) -> None:
        assert found(fence(IGNORED_RANK, info)) == []

    @pytest.mark.parametrize(
        ("info", "body"), [("yaml", BLOCK), ("yml", BLOCK), ("json", '{\n"peft_type": "ADALORA",\n"r": 8}\n')]
    )
    def test_mappings_are_read(self, info: str, body: str) -> None:
        assert [code for code, *_ in found(fence(body, info))] == ["ADA101"]

    def test_a_name_in_the_info_string_counts(self) -> None:
        body = '{"peft_type": "ADALORA", "init_r": 8, "target_r": 4}\n'
        assert found(fence(body, "json")) == []
        assert [code for code, *_ in found(fence(body, 'json title="out/adapter_config.json"'))] == ["ADA201"]

    @pytest.mark.parametrize(
        "text",
        [
            fence(IGNORED_RANK, mark="~~~"),
            fence(IGNORED_RANK, mark="`````"),
            fence(IGNORED_RANK).removesuffix("```\n"),
            fence(IGNORED_RANK).removesuffix("\n```\n"),
            "text\n" + fence(IGNORED_RANK),
            "<details>\n\n" + fence(IGNORED_RANK) + "\n</details>\n",
            "---\ntitle: ```\n---\n" + fence(IGNORED_RANK),
            '+++\nx = "```"\n+++\n\n' + fence(IGNORED_RANK),
            "- a\n  - b\n\n" + behind("    ", fence(IGNORED_RANK)),
            "1. a\n" + behind("   ", fence(IGNORED_RANK)),
            behind("> ", fence(IGNORED_RANK)),
            behind("> > ", fence(IGNORED_RANK)),
            "- " + behind("  ", fence(IGNORED_RANK))[2:],
            behind("  ", fence(IGNORED_RANK)),
            fence(IGNORED_RANK).replace("\n", "\r\n"),
            "~~~text\n```python\n~~~\n" + fence(IGNORED_RANK),
        ],
    )
    def test_a_block_is_found_and_mended_where_commonmark_sees_it(self, text: str) -> None:
        rows = text.replace("\r\n", "\n").split("\n")
        row = next(number for number, line in enumerate(rows, start=1) if "(r=16" in line)
        column = rows[row - 1].index("r=16") + 1
        assert found(text) == [("ADA101", row, column)]
        assert fixed(text) == text.replace(
            "(r=16, total_step=100)", NOTED.splitlines()[2].removeprefix("config = AdaLoraConfig")
        )

    @pytest.mark.parametrize(
        "text",
        [
            IGNORED_RANK,
            behind("    ", IGNORED_RANK),
            "<!--\n" + fence(IGNORED_RANK) + "-->\n",
            "````text\n" + fence(IGNORED_RANK) + "````\n",
            "<div>\n" + fence(IGNORED_RANK) + "</div>\n",
            "`from peft import AdaLoraConfig; AdaLoraConfig(r=16)`\n",
            fence(behind(">>> ", IGNORED_RANK)),
            fence(IGNORED_RANK + "and then (...\n"),
        ],
    )
    def test_what_is_no_block_or_no_python_is_left_in_peace(self, text: str) -> None:
        assert found(text) == []

    @pytest.mark.parametrize("line", ["from peft import AdaLoraConfig", "from peft import LoraConfig, AdaLoraConfig"])
    def test_what_is_imported_in_one_block_is_known_in_the_others(self, line: str) -> None:
        assert found(fence(f"{line}\n") + fence("AdaLoraConfig(r=16, total_step=9)\n")) == [("ADA101", 5, 15)]

    def test_a_module_that_is_imported_in_one_block_is_known_in_the_others(self) -> None:
        assert found(fence("import peft as p\n") + fence("p.AdaLoraConfig(r=16, total_step=9)\n")) == [
            ("ADA101", 5, 17)
        ]

    @pytest.mark.parametrize(
        "first",
        [
            "AdaLoraConfig = None\n",
            "def show():\n    from peft import AdaLoraConfig\n",
            "from peft import AdaLoraConfig (\n",
            "from .peft import AdaLoraConfig\n",
            "from peft import AdaLoraConfig\n```\n\n```python\nfrom mine import AdaLoraConfig\n",
        ],
    )
    def test_nothing_else_flows_from_block_to_block(self, first: str) -> None:
        assert found(fence(first) + fence("AdaLoraConfig(r=16)\n")) == []

    def test_a_callback_in_another_block_may_call_the_allocator(self) -> None:
        training = (
            "from peft import AdaLoraConfig, get_peft_model\n"
            "from transformers import Trainer\n"
            "model = get_peft_model(model, AdaLoraConfig(total_step=900, tfinal=100, task_type='CAUSAL_LM'))\n"
            "Trainer(model=model).train()\n"
        )
        callback = "class Allocate(TrainerCallback):\n    def on_optimizer_step(self, args, state, control, model, **kw):\n        model.base_model.update_and_allocate(state.global_step)\n"
        assert [code for code, *_ in found(fence(training))] == ["ADA401"]
        assert found(fence(training) + fence(callback)) == []
        assert [code for code, *_ in found(fence(training) + fence(training + callback))] == ["ADA401"]

    def test_a_broken_block_leaves_the_others(self) -> None:
        assert found(fence("AdaLoraConfig(\n") + fence(IGNORED_RANK)) == [("ADA101", 7, 24)]

    def test_a_shell_line_in_a_block_is_no_python(self) -> None:
        assert found(fence("!pip install peft\n" + IGNORED_RANK)) == [("ADA101", 5, 24)]

    def test_what_a_sketch_leaves_out_is_unknown(self) -> None:
        assert (
            found(fence("from peft import AdaLoraConfig\nAdaLoraConfig(init_r=8, target_r=..., total_step=...)\n"))
            == []
        )

    def test_a_block_knows_the_python_beside_it(self) -> None:
        one, _ = embedded_in(
            markdown(fence(IGNORED_RANK) + fence("model.update_and_allocate(step)\n") + fence("x", "text"))
        )
        assert [b"update_and_allocate" in text for text in one.beside] == [False, True]

    def test_a_tab_of_which_a_part_is_indent_leaves_the_block_alone(self) -> None:
        assert found("- \tx\n\n  ```python\n\tfrom peft import AdaLoraConfig\n  ```\n") == []


class TestFixing:
    @pytest.mark.parametrize("lead", ["", "  ", "> ", "> > "])
    @pytest.mark.parametrize("newline", ["\n", "\r\n"])
    def test_lines_that_come_and_go_stand_as_deep_as_their_block(self, lead: str, newline: str) -> None:
        call = "from peft import AdaLoraConfig\n\nAdaLoraConfig(\n    r=8,\n    init_r=8,\n    target_r=16,\n    total_step=9,\n)\n"
        before = ("- x\n\n" if lead == "  " else "") + behind(lead, fence(call)) + "\nend"
        after = fix_source(markdown(before.replace("\n", newline)), Settings(), Safety.UNSAFE).after.text
        wanted = (
            before.replace(f"{lead}    r=8,\n", "")
            .replace("init_r=8", "init_r=16")
            .replace("target_r=16", "target_r=8")
        )
        assert after == wanted.replace("\n", newline)

    @pytest.mark.parametrize("lead", ["", "  ", "> "])
    def test_a_new_line_is_indented(self, lead: str) -> None:
        call = "from peft import AdaLoraConfig\n\nAdaLoraConfig(\n    init_r=8,\n    total_step=9,\n)\n"
        before = ("- x\n\n" if lead == "  " else "") + behind(lead, fence(call))
        wanted = before.replace(f"{lead}    init_r=8,\n", f"{lead}    init_r=8,\n{lead}    target_r=5,\n")
        assert fixed(before, Safety.UNSAFE) == wanted

    @pytest.mark.parametrize("lead", ["", "  ", "> "])
    def test_the_last_line_of_a_block_may_go(self, lead: str) -> None:
        before = behind(lead, fence(IGNORED_RANK + "# adalint: ignore[ADA102]\n"))
        before = ("- x\n\n" if lead == "  " else "") + before
        assert fixed(before).endswith(f"had no effect in AdaLoRA\n{lead}```\n")
        assert "adalint" not in fixed(before)

    def test_a_block_of_yaml_is_mended(self) -> None:
        assert "r: 8\n" not in (after := fixed(behind("> ", fence(BLOCK, "yaml"))))
        assert after.startswith("> ```yaml\n> peft_type: ADALORA\n> init_r: 12")

    def test_a_result_with_a_broken_block_is_not_kept(self) -> None:
        before = fence(IGNORED_RANK)
        assert "could not be written" in str(
            _objection(markdown(before), markdown(before.replace(")", "")), Settings())
        )
        assert _objection(markdown(before), markdown(before), Settings()) is None

    def test_json_and_concise_give_places_of_the_file(self) -> None:
        Path("x.md").write_text("é\n\n" + behind("> ", fence(REVERSED)))
        assert run("check", "x.md").stdout.startswith("x.md:6:36: ADA102 ")
        [finding] = json.loads(run("check", "--output-format", "json", "x.md").stdout)
        assert (finding["cell"], finding["location"]) == (None, {"row": 6, "column": 36})

    def test_standard_input_comes_out_as_markdown(self) -> None:
        result = run("fix", "-", "--stdin-filename", "x.md", stdin="# x\n" + fence(IGNORED_RANK))
        assert (result.exit_code, result.stdout) == (0, "# x\n" + fence(NOTED))

    def test_files_are_found_by_a_walk(self) -> None:
        for name in ("README.md", "x.markdown", "x.qmd", "x.Rmd", "x.rst"):
            Path(name).write_text(fence(IGNORED_RANK))
        assert run("check", "--show-files").stdout.split() == ["README.md", "x.Rmd", "x.markdown", "x.qmd"]


class TestSuppressions:
    @pytest.mark.parametrize(
        "text",
        [
            f"<!-- {IGNORE} -->\n" + fence(IGNORED_RANK),
            f"<!-- {IGNORE} -->\n\n" + fence(IGNORED_RANK),
            f"- x\n\n  <!-- {IGNORE} -->\n" + behind("  ", fence(IGNORED_RANK)),
            "<!-- adalint: ignore-file[ADA101] -->\n# x\n\n" + fence(IGNORED_RANK) + fence(IGNORED_RANK),
            "# x\n" + fence(IGNORED_RANK) + "\n<!-- adalint: ignore-file[lora-rank-ignored] -->\n",
            fence(IGNORED_RANK.replace("\n\n", f"\n# {IGNORE}\n")),
            fence("# adalint: ignore-file[ADA101]\n" + IGNORED_RANK),
            f"> <!-- {IGNORE} -->\n" + behind("> ", fence(BLOCK, "yaml")),
        ],
    )
    def test_a_comment_silences(self, text: str) -> None:
        report = check_source(markdown(text), Settings())
        assert (report.findings, len(report.suppressed) > 0) == ((), True)

    def test_a_comment_above_a_block_is_not_for_the_next(self) -> None:
        text = f"<!-- {IGNORE} -->\n" + fence(IGNORED_RANK) + fence(IGNORED_RANK)
        assert found(text) == [("ADA101", 10, 24)]

    def test_a_comment_in_a_block_is_for_that_block(self) -> None:
        text = fence("# adalint: ignore-file[ADA101]\n" + IGNORED_RANK) + fence(IGNORED_RANK)
        assert found(text) == [("ADA101", 10, 24)]

    def test_what_shows_a_comment_is_none(self) -> None:
        text = (
            fence("<!-- adalint: ignore-file[ADA101] -->\n", "html")
            + "`<!-- adalint: nonsense -->`\n"
            + fence(IGNORED_RANK)
        )
        assert [code for code, *_ in found(text)] == ["ADA101"]

    def test_one_that_silences_nothing_is_taken_away(self) -> None:
        text = "# AdaLoRA\n\n<!-- adalint: ignore-file[ADA102] -->\n\n" + fence(NOTED)
        assert found(text) == [("ADA902", 3, 1)]
        assert fixed(text) == "# AdaLoRA\n\n\n" + fence(NOTED)

    def test_one_in_a_fragment_is_not_called_useless(self) -> None:
        fragment = "config = AdaLoraConfig(r=16)  # adalint: ignore[lora-rank-ignored]\n"
        assert found(fence(fragment)) == []
        assert found(fence(NOTED.rstrip() + " # adalint: ignore[lora-rank-ignored]\n")) == [("ADA902", 4, 84)]

    def test_one_that_names_no_rule_is_told(self) -> None:
        text = "<!-- adalint: ignore -->\n" + fence(IGNORED_RANK)
        finding = check_source(markdown(text), Settings()).findings[0]
        assert "<!-- adalint: ignore[lora-rank-ignored] -->" in finding.message

    @pytest.mark.parametrize("lead", ["", "  ", "> "])
    def test_add_ignore_writes_into_the_block(self, lead: str) -> None:
        text = ("- x\n\n" if lead == "  " else "") + behind(lead, fence(IGNORED_RANK))
        ignored = ignore_source(markdown(text), Settings())
        comment = "# adalint: ignore[lora-rank-ignored]\n"
        assert ignored.after.text == text.replace(f"{lead}config", f"{lead}{comment}{lead}config")

    def test_add_ignore_cannot_in_json(self) -> None:
        text = fence('{"peft_type": "ADALORA", "r": 8}\n', "json")
        [(_, reason)] = ignore_source(markdown(text), Settings()).left
        assert reason == "JSON has no comments"


class TestTheRulebook:
    """The pages of the rules are Markdown, with blocks that are wrong and blocks that are not."""

    @pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name[:6])
    def test_exactly_what_is_bad_is_found_on_a_page(self, path: Path) -> None:
        code = path.name.partition("-")[0]
        page = Source.decode(path.name, Kind.MARKDOWN, path.read_bytes())
        everything = Settings(extend_select=(code,))
        wanted = [
            (finding.code, finding.message, example.source.slice(finding.span))
            for example in section("Bad")
            # A block that cannot be read is a sketch, and beside a page there are no weights.
            if example.rule.code == code and code not in {"ADA901", "ADA505"}
            for finding in check_source(example.source, everything).findings
        ]
        found = [(one.code, one.message, page.slice(one.span)) for one in check_source(page, everything).findings]
        assert sorted(found) == sorted(wanted)

    def test_every_page_has_something_bad(self) -> None:
        bad = {example.rule.code for example in section("Bad")}
        assert {path.name.partition("-")[0] for path in PAGES} - bad <= {"ADA904"}
