"""Notebooks: what is read of them, what is said of them, and how they are mended."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from commands import IGNORED_RANK, REVERSED, run
from notebooks import code, document, lines, notebook, prose, sources, written

import adalint
from adalint.engine import _objection, check_source, fix_source, ignore_source, judge_sites
from adalint.findings import Safety
from adalint.settings import Settings
from adalint.source import Kind, Source

IMPORT = "from peft import AdaLoraConfig\n"
IGNORED = "config = AdaLoraConfig(r=16, total_step=100)\n"
NOTED = "config = AdaLoraConfig(init_r=12, total_step=100)  # r=16 had no effect in AdaLoRA\n"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def found(source: Source, settings: Settings | None = None) -> list[tuple[str, int | None, int]]:
    """List each finding as code, cell and row."""
    report = check_source(source, settings or Settings())
    return [(one.code, report.start(one).cell, report.start(one).row) for one in report.findings]


def fixed(source: Source, allowed: Safety = Safety.SAFE) -> bytes:
    return fix_source(source, Settings(), allowed).after.encode()


class TestReading:
    def test_names_flow_across_cells(self) -> None:
        assert found(notebook(IMPORT, "R = 16", IGNORED.replace("16", "R"))) == [("ADA101", 3, 1)]

    def test_a_cell_counts_among_all_cells(self) -> None:
        assert found(notebook(prose("# AdaLoRA"), IMPORT, prose("then"), "\n" + IGNORED)) == [("ADA101", 4, 2)]

    def test_a_source_may_be_one_string(self) -> None:
        assert found(notebook(code(IMPORT + IGNORED))) == [("ADA101", 1, 2)]

    @pytest.mark.parametrize(
        "line",
        [
            "%matplotlib inline",
            "%pip install -q peft",
            "!pip install 'peft",
            "!echo it's ( [",
            "!cmd \\\n  --more (",
            "?AdaLoraConfig",
            "AdaLoraConfig?",
            "AdaLoraConfig.__init__??",
            "files = !ls",
            "files=!w",
            "out = %sql SELECT (",
            "d['é'] = !ls",
            "if True:\n    !ls (",
            "for x in y:\n    %time z = f(",
            "pip install peft",
            "%time x = 3",
            "%timeit -n 10 f(x)",
            "%time for x in y: pass",
            "await f()",
        ],
    )
    def test_a_line_for_ipython_leaves_the_rest_of_its_cell(self, line: str) -> None:
        text = IMPORT + line.replace("f(", "f()" if line.endswith("f(") else "f(") + "\n" + IGNORED
        assert found(notebook(text)) == [("ADA101", 1, text.count("\n"))]

    @pytest.mark.parametrize(
        "text",
        [
            'x = """\n!ls\n"""\n',
            "x = (8\n% 3)\n",
            "x = 8 \\\n% 3\n",
            "x = 1  # what?\n",
            "x = 'why?'\n",
            "x = [\n'''\n%time (\n'''\n]\n",
        ],
    )
    def test_what_only_looks_like_a_magic_is_python(self, text: str) -> None:
        [(site, _)] = judge_sites(notebook(IMPORT + text + IGNORED), Settings())
        assert site.source.content == (IMPORT + text + IGNORED).encode()

    @pytest.mark.parametrize("magic", ["%%time", "%%capture out", "%%timeit -n 1", "\n%%time"])
    def test_a_cell_magic_that_runs_python_is_read(self, magic: str) -> None:
        text = f"{magic}\n{IGNORED}"
        assert found(notebook(IMPORT, text)) == [("ADA101", 2, text.count("\n"))]

    @pytest.mark.parametrize("magic", ["%%writefile train.py", "%%bash", "%%html", "%%script python", "%md", "%%px"])
    def test_a_cell_that_is_no_python_here_is_not_judged(self, magic: str) -> None:
        assert found(notebook(IMPORT, f"{magic}\n{IMPORT}{IGNORED}")) == []

    def test_a_timed_statement_counts(self) -> None:
        assert found(notebook(IMPORT, f"%time {IGNORED}")) == [("ADA101", 2, 1)]

    def test_what_a_shell_gives_is_unknown(self) -> None:
        assert found(notebook(IMPORT, "R = 8", "R = !cat rank", "AdaLoraConfig(init_r=R, total_step=9)")) == []

    @pytest.mark.parametrize(
        "cell",
        [
            prose(IMPORT + IGNORED),
            {"cell_type": "raw", "metadata": {}, "source": IMPORT + IGNORED},
            code("1", outputs=[{"output_type": "stream", "name": "stdout", "text": [IMPORT, IGNORED]}]),
            code(IMPORT + IGNORED, metadata={"vscode": {"languageId": "sql"}}),
        ],
        ids=["markdown", "raw", "output", "another language"],
    )
    def test_what_is_no_code_is_not_judged(self, cell: dict[str, object]) -> None:
        assert found(notebook(cell, IMPORT + "AdaLoraConfig(total_step=100)")) == []

    @pytest.mark.parametrize(
        "metadata",
        [{"kernelspec": {"language": "R"}}, {"language_info": {"name": "julia"}}, {"kernelspec": {"name": "ir"}}],
    )
    def test_a_notebook_in_another_language_is_not_judged(self, metadata: dict[str, object]) -> None:
        assert found(notebook(IMPORT + IGNORED, metadata=metadata)) == []

    @pytest.mark.parametrize(
        "metadata", [{}, {"kernelspec": {"name": "my-env"}}, {"language_info": {"name": "python"}}]
    )
    def test_a_notebook_is_python_unless_it_says_otherwise(self, metadata: dict[str, object]) -> None:
        assert found(notebook(IMPORT + IGNORED, metadata=metadata)) == [("ADA101", 1, 2)]


class TestWhatCannotBeRead:
    def test_a_broken_cell_leaves_the_others(self) -> None:
        assert found(notebook(IMPORT, "x = (", IGNORED)) == [("ADA101", 3, 1)]

    def test_a_broken_cell_that_names_adalora_is_told_where_it_breaks(self) -> None:
        source = notebook(IMPORT, IGNORED, "x = 1\nAdaLoraConfig(r=)\n")
        assert found(source) == [("ADA101", 2, 1), ("ADA901", 3, 2)]

    @pytest.mark.parametrize("text", ["  x = AdaLoraConfig(r=16)\n  y = 1", ">>> AdaLoraConfig(r=16)\n"])
    def test_what_ipython_would_mend_is_no_mistake(self, text: str) -> None:
        assert found(notebook(IMPORT, text)) == []

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ('{"cells": [AdaLora', "expected a value"),
            ('{"adalora": 1}', "no list `cells`"),
            ("[1, 'adalora']", "double quotes"),
            ('{"nbformat": 3, "worksheets": [], "x": "AdaLora"}', "nbformat 4"),
            ('{"nbformat": 4, "cells": "adalora"}', "`[`"),
            ('{"nbformat": 4, "cells": [{"source": 1, "x": "adalora"}]}', "a string or a list"),
            ('{"nbformat": 4, "cells": []} adalora', "more text"),
            ('{"adalora": ' + "[" * 100_000, "nested"),
        ],
    )
    def test_a_file_that_is_no_notebook_is_told_so(self, text: str, words: str) -> None:
        [finding] = check_source(Source.decode("x.ipynb", Kind.NOTEBOOK, text.encode()), Settings()).findings
        assert (finding.code, words in finding.message) == ("ADA901", True), finding.message

    def test_a_result_with_a_broken_cell_is_not_kept(self) -> None:
        before, after = notebook(IMPORT, IGNORED), notebook(IMPORT, IGNORED.replace(")", ""))
        assert "could not be written" in str(_objection(before, after, Settings()))
        assert _objection(before, before, Settings()) is None

    def test_half_a_surrogate_pair_and_a_nul_are_left_in_peace(self) -> None:
        raw = written(IMPORT + "x = '?@'\n" + IGNORED, "y\0").replace("@", "\\ud800")
        source = Source.decode("x.ipynb", Kind.NOTEBOOK, raw.encode())
        assert found(source) == [("ADA101", 1, 3)]
        after = raw.replace("(r=16, total_step=100)", "(init_r=12, total_step=100)  # r=16 had no effect in AdaLoRA")
        assert fixed(source) == after.encode()


class TestReleases:
    @pytest.mark.parametrize(
        "line", ["%pip install peft==0.14.0", "!pip install -q 'peft==0.14' \\\n  x", "%%bash\npip install peft==0.14"]
    )
    def test_what_a_notebook_installs_is_its_target(self, line: str) -> None:
        # Since 0.15 a run's length is demanded at once; before, a late assignment is as good.
        late = "config = AdaLoraConfig()\nconfig.total_step = 100\n"
        assert [code for code, *_ in found(notebook(IMPORT, late))] == ["ADA201"]
        assert found(notebook(line, IMPORT, late)) == []

    def test_it_is_nearer_than_a_pin_of_the_folder_and_weaker_than_an_option(self) -> None:
        Path("requirements.txt").write_text("peft==0.21.2\n")
        late = "config = AdaLoraConfig()\nconfig.total_step = 100\n"
        Path("x.ipynb").write_text(written("%pip install peft==0.14.0", IMPORT, late))
        assert run("check", "-v", "x.ipynb").exit_code == 0
        assert "x.ipynb:cell 1: peft==0.14.0" in run("check", "-v", "x.ipynb").stderr
        assert run("check", "--target-peft", "0.21.2", "x.ipynb").exit_code == 1


class TestReports:
    def test_concise_names_the_cell(self) -> None:
        Path("x.ipynb").write_text(written(IMPORT, "\n" + IGNORED))
        assert run("check", "x.ipynb").stdout.startswith("x.ipynb:cell 2:2:24: ADA101 ")

    def test_full_quotes_the_cell_and_counts_its_rows(self) -> None:
        Path("x.ipynb").write_text(written(IMPORT, "%time é = 1\n" + IGNORED))
        text = run("check", "--output-format", "full", "x.ipynb").stdout
        assert "--> x.ipynb:cell 2:2:24\n" in text
        assert "\n2 | config = AdaLoraConfig(r=16, total_step=100)\n" in text

    def test_full_names_the_cell_of_a_related_place(self) -> None:
        Path("x.ipynb").write_text(
            written(IMPORT, "\nkw = {'target_r': 8}", "AdaLoraConfig(init_r=4, total_step=9, **kw)")
        )
        text = run("check", "--output-format", "full", "--select", "ADA102", "x.ipynb").stdout
        assert "--> x.ipynb:cell 2:2:8\n" in text
        assert "  ::: x.ipynb:cell 3:1:15\n1 | AdaLoraConfig(init_r=4, total_step=9, **kw)\n" in text

    def test_json_has_cells_and_their_rows_and_edits(self) -> None:
        Path("x.ipynb").write_text(written(IMPORT, "'é'; " + REVERSED.splitlines()[2]))
        [finding] = json.loads(run("check", "--output-format", "json", "x.ipynb").stdout)
        assert (finding["cell"], finding["location"]) == (2, {"row": 1, "column": 39})
        assert [one["cell"] for one in finding["related"]] == [2]
        assert {edit["cell"] for edit in finding["fix"]["edits"]} == {2}

    def test_json_of_a_script_has_no_cells(self) -> None:
        Path("x.py").write_text(REVERSED)
        [finding] = json.loads(run("check", "--output-format", "json", "x.py").stdout)
        assert finding["cell"] is None
        assert "cell" not in finding["fix"]["edits"][0]

    @pytest.mark.parametrize("style", [{}, {"ensure_ascii": True}, {"indent": None}])
    def test_lsp_has_places_and_edits_of_the_file(self, style: dict[str, object]) -> None:
        raw = written(IMPORT, "# \U0001f600 é\n" + IGNORED, "# é", **style)
        Path("x.ipynb").write_bytes(raw.encode())
        [published] = json.loads(run("check", "--output-format", "lsp", "x.ipynb").stdout)
        [diagnostic] = published["diagnostics"]
        assert _cut(raw, diagnostic["range"]) == "r"
        for fix in diagnostic["data"]["fixes"]:
            after = raw
            for edit in reversed(fix["edits"]):
                after = _replaced(after, edit["range"], edit["newText"])
            changed = sources(after)
            assert changed[0::2] == [IMPORT, "# é"]
            assert changed[1].startswith("# \U0001f600 é\nconfig = AdaLoraConfig(")
            assert "(r=16" not in changed[1]

    def test_a_diff_shows_the_cells_that_change(self) -> None:
        Path("x.ipynb").write_text(written(IMPORT, "x = 'é'\n" + IGNORED.rstrip()))
        result = run("fix", "--diff", "x.ipynb")
        assert result.exit_code == 1
        assert result.stdout == (
            f"--- x.ipynb:cell 2\t\n+++ x.ipynb:cell 2\t\n@@ -1,2 +1,2 @@\n x = 'é'\n-{IGNORED}+{NOTED}"
        )
        assert "for reading only" in result.stderr

    def test_statistics_count_a_notebook_as_one_file(self) -> None:
        Path("x.ipynb").write_text(written(IMPORT, IGNORED, IGNORED))
        assert run("check", "--statistics", "x.ipynb").stdout == "2  [2 fixable]  ADA101  lora-rank-ignored\n"


def _offset(text: str, position: dict[str, int]) -> int:
    line = text.split("\n")[position["line"]]
    before = line.encode("utf-16-le")[: 2 * position["character"]].decode("utf-16-le")
    return sum(len(one) + 1 for one in text.split("\n")[: position["line"]]) + len(before)


def _cut(text: str, place: dict[str, dict[str, int]]) -> str:
    return text[_offset(text, place["start"]) : _offset(text, place["end"])]


def _replaced(text: str, place: dict[str, dict[str, int]], new: str) -> str:
    return text[: _offset(text, place["start"])] + new + text[_offset(text, place["end"]) :]


class TestFixing:
    @pytest.mark.parametrize(
        "style",
        [
            {},
            {"indent": 4},
            {"indent": "\t"},
            {"indent": None},
            {"separators": (",", ":"), "indent": None},
            {"ensure_ascii": True},
        ],
    )
    def test_nothing_but_the_touched_string_changes(self, style: dict[str, object]) -> None:
        cells = [prose("é " + IGNORED), IMPORT, "é = '\\t/'\n" + IGNORED + "done"]
        after = [prose("é " + IGNORED), IMPORT, "é = '\\t/'\n" + NOTED + "done"]
        assert fixed(notebook(*cells, **style)) == written(*after, **style).encode()

    @pytest.mark.parametrize("indent", [1, 4, None])
    def test_a_new_line_is_a_new_string_in_the_layout_of_the_list(self, indent: int | None) -> None:
        call = "config = AdaLoraConfig(\n    init_r=8,\n    total_step=100,\n)"
        assert call.count("\n") == 3
        source = notebook(IMPORT, call, indent=indent)
        after = fix_source(source, Settings(), Safety.UNSAFE).after
        assert after.encode() == written(IMPORT, sources(after.encode())[1], indent=indent).encode()
        assert "target_r=5" in sources(after.encode())[1]

    def test_a_new_line_in_a_single_string_stays_in_it(self) -> None:
        call = "config = AdaLoraConfig(\n    r=8,\n    init_r=8,\n    target_r=4,\n    total_step=100,\n)"
        source = notebook(code(IMPORT + call))
        assert fixed(source) == written(code(IMPORT + call.replace("    r=8,\n", ""))).encode()

    def test_a_line_that_goes_takes_its_string_along(self) -> None:
        call = "config = AdaLoraConfig(\n    r=8,\n    init_r=8,\n    target_r=4,\n    total_step=100,\n)"
        assert fixed(notebook(IMPORT + call)) == written(IMPORT + call.replace("    r=8,\n", "")).encode()

    def test_the_last_line_of_a_cell_goes_with_the_newline_before_it(self) -> None:
        source = notebook(IMPORT, "x = 1\n# adalint: ignore[ADA101]", "y = 2")
        assert fixed(source) == written(IMPORT, "x = 1", "y = 2").encode()

    @pytest.mark.parametrize(
        ("plain", "escaped"), [("/", "\\/"), ("<", "\\u003c"), ("é", "\\u00E9"), ("#", "\\u0023"), ("\\n", "\\u000a")]
    )
    def test_a_string_is_written_on_as_it_is_written(self, plain: str, escaped: str) -> None:
        text = IMPORT + "AdaLoraConfig(\n    target_r=len('/é<#'),\n    init_r=len('/é<#'),\n    total_step=9,\n)"
        raw = written(code(text)).replace(plain, escaped)
        source = Source.decode("x.ipynb", Kind.NOTEBOOK, raw.encode())
        for fix in (fix for one in check_source(source, Settings()).findings for fix in one.fixes if fix.edits):
            after = source.apply(fix.edits).encode().decode()
            assert after.count(escaped) >= raw.count(escaped)
            assert plain not in after.replace(escaped, "")

    @pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
    @pytest.mark.parametrize("newline", ["\n", "\r\n"])
    def test_mark_and_newlines_of_the_file_stay(self, mark: bytes, newline: str) -> None:
        before, after = (mark + written(IMPORT + text).replace("\n", newline).encode() for text in (IGNORED, NOTED))
        assert fixed(Source.decode("x.ipynb", Kind.NOTEBOOK, before)) == after

    def test_windows_newlines_in_a_cell_stay(self) -> None:
        call = "config = AdaLoraConfig(\r\n    r=8,\r\n    init_r=8,\r\n    target_r=4,\r\n    total_step=9,\r\n)"
        after = call.replace("    r=8,\r\n", "")
        assert (
            fixed(notebook(IMPORT.replace("\n", "\r\n") + call))
            == written(IMPORT.replace("\n", "\r\n") + after).encode()
        )

    def test_standard_input_comes_out_as_a_notebook(self) -> None:
        result = run("fix", "-", "--stdin-filename", "x.ipynb", stdin=written(IMPORT, IGNORED))
        assert (result.exit_code, result.stdout) == (0, written(IMPORT, NOTED))

    def test_a_file_is_written(self) -> None:
        Path("x.ipynb").write_text(written(IMPORT, IGNORED))
        assert "x.ipynb:cell 2:1:24: fixed ADA101" in (result := run("fix", ".")).stdout + result.stderr
        assert Path("x.ipynb").read_text() == written(IMPORT, NOTED)

    def test_the_api_gives_the_same(self) -> None:
        text = written(IMPORT, IGNORED)
        assert adalint.fix_text(text, filename="x.ipynb").after.encode().decode() == written(IMPORT, NOTED)
        [finding] = adalint.check_text(text, filename="x.ipynb").findings
        assert finding.code == "ADA101"


class TestSuppressions:
    def test_a_comment_in_a_cell_silences_its_line(self) -> None:
        assert found(notebook(IMPORT, IGNORED.rstrip() + "  # adalint: ignore[ADA101]")) == []

    def test_a_comment_at_the_end_of_a_cell_says_nothing_of_the_next(self) -> None:
        assert ("ADA101", 2, 1) in found(notebook(IMPORT + "# adalint: ignore[ADA101]", IGNORED))

    def test_a_file_comment_in_any_cell_is_for_all(self) -> None:
        assert found(notebook("# adalint: ignore-file[ADA101]", IMPORT, IGNORED, IGNORED)) == []

    def test_a_comment_at_the_head_of_a_broken_cell_counts(self) -> None:
        assert found(notebook(IMPORT, "# adalint: ignore-file[ADA901]\nAdaLoraConfig(")) == []

    def test_add_ignore_writes_into_the_cell(self) -> None:
        ignored = ignore_source(notebook(IMPORT, "%time\n" + IGNORED), Settings())
        comment = "# adalint: ignore[lora-rank-ignored]\n"
        assert ignored.after.encode() == written(IMPORT, "%time\n" + comment + IGNORED).encode()

    def test_add_ignore_on_the_first_line_of_a_cell(self) -> None:
        ignored = ignore_source(notebook(IMPORT, IGNORED), Settings())
        comment = "# adalint: ignore[lora-rank-ignored]\n"
        assert ignored.after.encode() == written(IMPORT, comment + IGNORED).encode()


class TestWalking:
    def test_notebooks_are_found_and_checkpoints_are_not(self) -> None:
        Path(".ipynb_checkpoints").mkdir()
        for place in ("x.ipynb", ".ipynb_checkpoints/x.ipynb"):
            Path(place).write_text(written(IMPORT, IGNORED))
        assert run("check", "--show-files").stdout == "x.ipynb\n"

    def test_a_script_says_the_same(self) -> None:
        Path("x.py").write_text(IGNORED_RANK)
        Path("x.ipynb").write_text(written(IGNORED_RANK))
        script, cells = (run("check", name).stdout.split(" ", 1)[1] for name in ("x.py", "x.ipynb"))
        assert script == cells.split(":", 2)[2].split(" ", 1)[1]


def test_what_a_notebook_shows_costs_no_step_of_python() -> None:
    def steps(size: int) -> int:
        picture = {"output_type": "display_data", "metadata": {}, "data": {"image/png": "A" * size}}
        table = {"output_type": "display_data", "metadata": {}, "data": {"application/json": list(range(size))}}
        raw = written(IMPORT, code(lines(IGNORED), outputs=[picture, table])).encode()
        calls = 0

        def count(*_: object) -> None:
            nonlocal calls
            calls += 1

        sys.setprofile(count)
        try:
            source = Source.decode("x.ipynb", Kind.NOTEBOOK, raw)
            report = check_source(source, Settings())
        finally:
            sys.setprofile(None)
        assert len(report.findings) == 1
        return calls

    steps(10)  # what is loaded once is loaded
    assert abs(steps(200_000) - steps(10)) < 2_000


def test_the_document_that_these_tests_write_is_valid() -> None:
    assert sources(json.dumps(document(IMPORT, prose("x")))) == [IMPORT, "x"]
