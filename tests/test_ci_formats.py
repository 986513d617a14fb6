"""What the formats for CI say of findings: severities, places, fixes, and texts that mean something to a format."""

from __future__ import annotations

import json
import os
import re
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import ci_documents
import pytest
from ci_documents import READERS, SEVERITIES, Said
from hypothesis import given
from hypothesis import strategies as st
from notebooks import notebook
from written_findings import finding, replacing, report, source, span

from adalint.engine import check_source
from adalint.findings import Finding, Fix, Related, Report, Safety, Severity
from adalint.report.words import harmless, one_line
from adalint.settings import Settings
from adalint.source import Edit, Kind, Source, Span

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

WIDE = "x = ['🤗', '秩', 'e\u0301']; c = AdaLoraConfig(r=16)\n"
NASTY = (
    "",
    "plain",
    "a, b: c=d % 25%0A 100%",
    "]]> <![CDATA[ & &amp; <script>alert(1)</script> <!-- -->",
    "| a \\| b \\ c | `code` ``two`` ``` *b* _i_ ~~s~~ [l](u) ![i](u) $m$ # h",
    "::error file=x::y @someone #12 :100: https://example.com www.example.com",
    "line\nfeed\r\nand\rreturn\ttab",
    "".join(map(chr, range(32))) + "\x7f\x80\x85\x9f",
    "\u2028\u2029\ufeff\u202e\u061c\ufffe\uffff\U0010ffff",
    "秩 🤗 e\u0301",
    " blanks ",
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for variable in ("GITHUB_WORKSPACE", "CI_PROJECT_DIR"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


def rendered(output_format: str, *reports: Report) -> str:
    text = import_module(f"adalint.report.{output_format}").render(reports)
    assert isinstance(text, str)
    text.encode()
    return text


def read(output_format: str, *reports: Report) -> list[Said]:
    return READERS[output_format](rendered(output_format, *reports))


def lone(of: Source, text: str = "r=16", message: str = "no effect", **more: Any) -> Report:
    return report(of, finding(of, text, message, **more))


def expected(output_format: str, message: str) -> str:
    """Tell what a message comes out as: formats for logs and people spell out what acts on them."""
    if output_format == "github":
        return "\n".join(harmless(line) for line in message.split("\n"))
    if output_format == "markdown":
        return one_line(message)
    if output_format == "junit":
        return "".join(one if _is_xml(one) else one.encode("unicode_escape").decode() for one in message)
    return message


def _is_xml(character: str) -> bool:
    """Tell what `Char` of XML 1.0 takes."""
    number = ord(character)
    ranges = ((0x20, 0xD7FF), (0xE000, 0xFFFD), (0x10000, 0x10FFFF))
    return number in {9, 10, 13} or any(first <= number <= last for first, last in ranges)


@pytest.mark.parametrize("output_format", READERS)
class TestAll:
    def test_no_report_is_a_valid_document_that_says_nothing(self, output_format: str) -> None:
        assert read(output_format) == []

    def test_a_file_without_findings_says_nothing(self, output_format: str) -> None:
        assert read(output_format, report(source("x"))) == []

    def test_a_severity_is_told_in_the_words_of_the_format(self, output_format: str) -> None:
        of = source(WIDE)
        found = [
            read(output_format, lone(of, severity=one))[0].severity
            for one in (Severity.ERROR, Severity.WARNING, Severity.INFO)
        ]
        assert tuple(found) == SEVERITIES[output_format]

    @pytest.mark.parametrize("message", NASTY)
    def test_a_message_comes_back_whatever_it_holds(self, output_format: str, message: str) -> None:
        [said] = read(output_format, lone(source(WIDE), message=message))
        assert (said.code, said.message) == ("ADA101", expected(output_format, message))

    @pytest.mark.parametrize("path", ["sub dir/秩,1:2%.py", "a`b|c.py", "a\\b.py", "#1 & <2>.py", "``x``.py", "x=1.py"])
    def test_a_path_comes_back_relative(self, output_format: str, path: str) -> None:
        [said] = read(output_format, lone(source(WIDE, os.path.abspath(path))))
        if output_format == "sarif":
            assert unquote(said.path) == path
            assert said.path.isascii()
            assert not set(said.path) & set(" #<>%:") - {"%"}
        elif output_format == "markdown":
            assert said.path == f"{path}:1:41"
        else:
            assert said.path == path

    def test_a_name_that_is_no_unicode_is_spelled_out(self, output_format: str) -> None:
        [said] = read(output_format, lone(source(WIDE, os.fsdecode(b"caf\xe9.py"))))
        shown = {"sarif": "caf%E9.py", "markdown": "caf\\udce9.py:1:41", "jsonl": "caf\udce9.py"}
        assert said.path == shown.get(output_format, "caf\\udce9.py")

    def test_a_file_that_cannot_be_read_has_a_place_all_the_same(self, output_format: str) -> None:
        unread = Finding("ADA904", "unreadable-file", Severity.ERROR, "a NUL byte on line 1", Span(0, 0))
        [said] = read(output_format, Report(Source("x.py", Kind.PYTHON, b""), (unread,)))
        assert (said.code, said.message, said.row) in {
            ("ADA904", "a NUL byte on line 1", 1),
            ("ADA904", "a NUL byte on line 1", None),
        }

    def test_a_finding_on_standard_input_is_told(self, output_format: str) -> None:
        [said] = read(output_format, lone(source(WIDE, "-")))
        assert said.message == "no effect"

    def test_hundreds_of_findings_are_told(self, output_format: str) -> None:
        of = source("r=16\n" * 800)
        many = tuple(
            Finding("ADA101", "lora-rank-ignored", Severity.WARNING, "x", Span(5 * at, 5 * at + 4)) for at in range(800)
        )
        assert len(read(output_format, Report(of, many))) == 800

    def test_a_rule_of_a_teams_own_is_told(self, output_format: str) -> None:
        of = source(WIDE)
        own = Finding("TEAM7", "no-such-rank", Severity.INFO, "we do not", span(of, "r=16"))
        assert [one.code for one in read(output_format, report(of, own))] == ["TEAM7"]


class TestJsonl:
    def test_a_line_is_an_object_of_the_array(self) -> None:
        of = source(WIDE)
        here = lone(of, related=[("AdaLoraConfig", "here")], fixes=[replacing(of, "r=16", "init_r=12")])
        assert ci_documents.jsonl(rendered("jsonl", here, here)) == json.loads(rendered("json", here, here))


class TestGithub:
    def test_a_finding_is_one_command(self) -> None:
        assert rendered("github", lone(source("\n" + WIDE))) == (
            "::warning file=train.py,line=2,col=41,endLine=2,endColumn=45,title=ADA101 lora-rank-ignored::no effect\n"
        )

    def test_what_the_runner_would_read_is_escaped(self) -> None:
        text = rendered("github", lone(source(WIDE, "a,b:c%.py"), message="100%\n::stop-commands::x"))
        assert text.startswith("::warning file=a%2Cb%3Ac%25.py,line=1,")
        assert text.endswith("::100%25%0A::stop-commands::x\n")

    def test_a_finding_over_several_lines_has_no_columns(self) -> None:
        [command] = ci_documents.github(rendered("github", lone(source("f(\n  r=16)\n"), "f(\n  r=16")))
        assert {key: command.properties[key] for key in ("line", "endLine")} == {"line": "1", "endLine": "2"}
        assert not {"col", "endColumn"} & set(command.properties)

    def test_standard_input_has_no_place(self) -> None:
        [command] = ci_documents.github(rendered("github", lone(source(WIDE, "-"))))
        assert set(command.properties) == {"title"}


class TestCheckout:
    """Paths count from the checkout, also where a job runs in a folder below it."""

    @pytest.mark.parametrize("variable", ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"])
    @pytest.mark.parametrize("output_format", ["github", "gitlab", "sarif"])
    def test_a_run_below_the_checkout_counts_from_it(
        self, output_format: str, variable: str, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (folder / "models").mkdir()
        monkeypatch.chdir(folder / "models")
        monkeypatch.setenv(variable, str(folder))
        assert read(output_format, lone(source(WIDE, "train.py")))[0].path == "models/train.py"

    @pytest.mark.parametrize("output_format", ["github", "gitlab", "sarif"])
    def test_a_checkout_elsewhere_is_nothing_to_count_from(
        self, output_format: str, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GITHUB_WORKSPACE", str(folder / "other"))
        assert read(output_format, lone(source(WIDE, "train.py")))[0].path == "train.py"

    @pytest.mark.parametrize("output_format", ["github", "gitlab", "sarif"])
    def test_a_link_to_the_checkout_is_the_checkout(
        self, output_format: str, folder: Path, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        link = tmp_path_factory.mktemp("links") / "here"
        link.symlink_to(folder)
        assert read(output_format, lone(source(WIDE, f"{link}/train.py")))[0].path == "train.py"

    @pytest.mark.parametrize("output_format", ["github", "gitlab"])
    def test_a_file_outside_has_its_whole_path(self, output_format: str, folder: Path) -> None:
        outside = f"{folder}-2/x.py"
        assert read(output_format, lone(source(WIDE, outside)))[0].path == outside

    def test_a_file_outside_has_its_whole_address_in_sarif(self, folder: Path) -> None:
        [result] = ci_documents.sarif(rendered("sarif", lone(source(WIDE, f"{folder}-2/x.py"))))["results"]
        place = result["locations"][0]["physicalLocation"]["artifactLocation"]
        assert place == {"uri": f"file://{folder}-2/x.py"}


class TestSarif:
    def test_the_root_is_a_folder(self, folder: Path) -> None:
        run = ci_documents.sarif(rendered("sarif", lone(source(WIDE))))
        assert run["originalUriBaseIds"] == {"%SRCROOT%": {"uri": f"{folder.as_uri()}/"}}

    def test_a_place_counts_characters(self) -> None:
        run = ci_documents.sarif(rendered("sarif", lone(source("\n" + WIDE))))
        assert run["columnKind"] == "unicodeCodePoints"
        assert run["results"][0]["locations"][0]["physicalLocation"]["region"] == {
            "startLine": 2,
            "startColumn": 41,
            "endLine": 2,
            "endColumn": 45,
        }

    def test_rules_are_those_that_are_reported_with_their_page(self) -> None:
        of = source(WIDE)
        other = Finding("ADA102", "target-rank-not-below-initial", Severity.ERROR, "x", Span(0, 1))
        run = ci_documents.sarif(rendered("sarif", report(of, other, finding(of, "r=16"), other)))
        rules = run["tool"]["driver"]["rules"]
        assert [rule["id"] for rule in rules] == ["ADA101", "ADA102"]
        assert rules[0]["name"] == "lora-rank-ignored"
        assert rules[0]["fullDescription"]["text"] == "Finds `r` in an AdaLoRA configuration."
        assert "## Fix safety" in rules[0]["help"]["markdown"]
        assert [rule["defaultConfiguration"]["level"] for rule in rules] == ["warning", "error"]

    def test_related_places_are_told(self) -> None:
        here = lone(source(WIDE), related=[("AdaLoraConfig", "built here"), ("x", "and here")])
        [result] = ci_documents.sarif(rendered("sarif", here))["results"]
        told = [(one["id"], one["message"]["text"]) for one in result["relatedLocations"]]
        assert told == [(0, "built here"), (1, "and here")]
        assert result["relatedLocations"][0]["physicalLocation"]["region"]["startColumn"] == 27

    def test_only_fixes_with_edits_are_told(self) -> None:
        of = source(WIDE)
        told = Fix("decide", replacing(of, "r=16", "").effect, Safety.DISPLAY)
        [result] = ci_documents.sarif(rendered("sarif", lone(of, fixes=[told])))["results"]
        assert "fixes" not in result

    def test_replacements_stand_in_the_order_of_the_file(self) -> None:
        of = source("f(a=1, b=2, c=3)\n")
        fix = replacing(of, "f", "f")
        turned = Fix("turn", fix.effect, fix.safety, (Edit(span(of, "3"), "1"), Edit(span(of, "1"), "3")))
        [result] = ci_documents.sarif(rendered("sarif", lone(of, "b=2", fixes=[turned])))["results"]
        [change] = result["fixes"][0]["artifactChanges"]
        assert [one["deletedRegion"]["startColumn"] for one in change["replacements"]] == [5, 15]

    @pytest.mark.parametrize("failed", [True, False])
    def test_a_run_that_failed_in_part_says_so(self, failed: bool) -> None:
        from adalint.report import sarif

        run = ci_documents.sarif(sarif.render([], failed=failed))
        assert run["invocations"] == [{"executionSuccessful": not failed}]


class TestRdjson:
    def test_columns_count_bytes(self) -> None:
        [diagnostic] = ci_documents.rdjson(rendered("rdjson", lone(source("s = '🤗'; r=16\n"))))
        place = diagnostic["location"]["range"]
        assert place == {"start": {"line": 1, "column": 13}, "end": {"line": 1, "column": 17}}

    def test_a_fix_in_several_places_is_one_suggestion(self) -> None:
        of = source("f(a=1, b=2, c=3)\n")
        edits = (Edit(span(of, "3"), "1"), Edit(span(of, "1"), "3"))
        fix = replacing(of, "f", "f")
        turned = Fix("turn", fix.effect, fix.safety, edits)
        [diagnostic] = ci_documents.rdjson(rendered("rdjson", lone(of, "b=2", fixes=[turned])))
        [suggestion] = diagnostic["suggestions"]
        assert suggestion["text"] == "3, b=2, c=1"
        assert [suggestion["range"][end]["column"] for end in ("start", "end")] == [5, 16]


class TestJunit:
    def test_a_file_without_findings_passes(self) -> None:
        root = ci_documents.junit(rendered("junit", report(source("x"))))
        assert [(case.attrib, len(case)) for case in root.iter("testcase")] == [
            ({"name": "adalint", "classname": "train.py"}, 0)
        ]

    def test_nothing_at_all_passes(self) -> None:
        assert len(list(ci_documents.junit(rendered("junit")).iter("testcase"))) == 1

    def test_a_file_that_cannot_be_read_is_an_error(self) -> None:
        unread = Finding("ADA904", "unreadable-file", Severity.ERROR, "a NUL byte", Span(0, 0))
        root = ci_documents.junit(rendered("junit", Report(source(""), (unread,)), lone(source(WIDE))))
        assert (root.attrib["errors"], root.attrib["failures"], root.attrib["tests"]) == ("1", "1", "2")


class TestMarkdown:
    def test_the_counts_come_first(self) -> None:
        of = source(WIDE)
        text = rendered("markdown", lone(of), lone(of, severity=Severity.ERROR))
        assert text.startswith("### adalint\n\nFound: 1 error, 1 warning in 1 file.\n")

    def test_errors_come_first(self) -> None:
        of = source(WIDE)
        both = report(of, finding(of, "x"), finding(of, "r=16", severity=Severity.ERROR))
        assert [said.severity for said in read("markdown", both)] == ["error", "warning"]

    def test_what_does_not_fit_is_counted(self) -> None:
        of = source("r=16\n")
        many = Report(of, tuple(finding(of, "r=16", "m" * 100) for _ in range(2_000)))
        text = rendered("markdown", many)
        shown = len(ci_documents.table(text)) - 1
        assert 300 < shown < 2_000
        assert len(text) <= 60_000
        assert text.endswith(f"\nNot shown here: {2_000 - shown:,} findings. `adalint check` shows all.\n")

    def test_one_endless_message_pushes_nothing_out(self) -> None:
        of = source("r=16\n")
        both = report(of, finding(of, "r=16", "|" * 100_000), finding(of, "r=16", "short"))
        assert [said.message[:9] for said in read("markdown", both)] == ["|" * 9, "short"]

    def test_nobody_is_called(self) -> None:
        assert "@someone" not in rendered("markdown", lone(source(WIDE), message="ask @someone"))

    def test_it_speaks_chinese(self) -> None:
        from adalint.report import markdown

        text = markdown.render([lone(source(WIDE))], language="zh")
        assert "发现：1 个文件中有 1 个警告。" in text
        assert markdown.render([], language="zh") == "### adalint: 没有问题\n"


class TestFingerprints:
    """A finding is known again when lines elsewhere come or go, and told from every other."""

    TWICE = "c = AdaLoraConfig(r=16)\nd = 1\nc = AdaLoraConfig(r=16)\n"

    def marks(self, output_format: str, text: str, path: str = "train.py") -> list[str]:
        of = source(text, path)
        found = []
        start = -1
        while (start := text.find("r=16", start + 1)) >= 0:
            found.append(Finding("ADA101", "lora-rank-ignored", Severity.WARNING, "x", Span(start, start + 4)))
        document = rendered(output_format, Report(of, tuple(found)))
        if output_format == "gitlab":
            return [issue["fingerprint"] for issue in ci_documents.gitlab(document)]
        results = ci_documents.sarif(document)["results"]
        return [mark for result in results for mark in result["partialFingerprints"].values()]

    @pytest.mark.parametrize("output_format", ["gitlab", "sarif"])
    def test_lines_above_do_not_count(self, output_format: str) -> None:
        before = self.marks(output_format, self.TWICE)
        assert self.marks(output_format, f"# one\n\n{self.TWICE}# two\n") == before
        assert self.marks(output_format, self.TWICE.replace("d = 1\n", "").replace("c =", "    c =")) == before

    @pytest.mark.parametrize("output_format", ["gitlab", "sarif"])
    def test_alike_lines_are_told_apart(self, output_format: str) -> None:
        assert len(set(self.marks(output_format, self.TWICE))) == 2
        assert len(set(self.marks(output_format, "f(r=16, g(r=16))\n"))) == 2

    @pytest.mark.parametrize("output_format", ["gitlab", "sarif"])
    def test_another_line_or_file_is_another_finding(self, output_format: str) -> None:
        [one] = self.marks(output_format, "f(r=16)\n")
        assert one not in self.marks(output_format, "g(r=16)\n")
        assert one not in self.marks(output_format, "f(r=16)\n", "other.py")


IMPORT = "from peft import AdaLoraConfig\n"
MISTAKES = (
    Source.decode(
        "x.py", Kind.PYTHON, f"{IMPORT}# 🤗 秩\nc = AdaLoraConfig(init_r=8, target_r=16)  # e\u0301\n".encode()
    ),
    Source.decode("x.py", Kind.PYTHON, f"{IMPORT}s = '🤗'; c = AdaLoraConfig(\r\n  r=16,\r\n)\r\n".encode()),
    Source.decode("x.py", Kind.PYTHON, f"\ufeff{IMPORT}c = AdaLoraConfig(r=16, target_r=4)".encode()),
    Source.decode("x.py", Kind.PYTHON, f"{IMPORT}s = '🤗秩'; c = AdaLoraConfig(r=16, target_r=4)\n".encode()),
    Source.decode("x.yaml", Kind.YAML, b"peft_type: ADALORA\ninit_r: 8 # \xe7\xa7\xa9\ntarget_r: 16\n"),
    notebook("x = '\u79e9 \"\U0001f917\"'\n", IMPORT, "y = 1\nc = AdaLoraConfig(init_r=8, target_r=16, r=4)"),
    notebook(IMPORT + "\nc = AdaLoraConfig(r=16)\n", "c", ensure_ascii=True, indent=None),
)


@pytest.mark.parametrize("mistake", MISTAKES, ids=range(len(MISTAKES)))
class TestFixes:
    """Who makes the edits that a document tells has the file that adalint would write."""

    def test_the_fixes_of_sarif_are_those_of_adalint(self, mistake: Source) -> None:
        found = check_source(mistake, Settings())
        results = ci_documents.sarif(rendered("sarif", found))["results"]
        told = [fix for result in results for fix in result.get("fixes", [])]
        meant = [fix for one in found.findings for fix in one.fixes if fix.edits]
        assert meant
        assert [fix["description"]["text"] for fix in told] == [fix.title for fix in meant]
        for fix, wanted in zip(told, meant, strict=True):
            [change] = fix["artifactChanges"]
            assert _edited(_text_of(mistake), change["replacements"]) == _text_of(mistake.apply(wanted.edits))

    def test_the_suggestion_of_rdjson_is_a_fix_of_adalint(self, mistake: Source) -> None:
        found = check_source(mistake, Settings())
        diagnostics = ci_documents.rdjson(rendered("rdjson", found))
        assert any("suggestions" in one for one in diagnostics)
        for one, wanted in zip(diagnostics, found.findings, strict=True):
            fix = wanted.fix_for(Safety.UNSAFE)
            if fix is None:
                assert "suggestions" not in one
                continue
            [suggestion] = one["suggestions"]
            lines = _lines(_text_of(mistake))
            start, stop = (
                len("".join(lines[: place["line"] - 1]).encode()) + place["column"] - 1
                for place in (suggestion["range"]["start"], suggestion["range"]["end"])
            )
            raw = _text_of(mistake).encode()
            assert (raw[:start] + suggestion["text"].encode() + raw[stop:]).decode() == _text_of(
                mistake.apply(fix.edits)
            )

    @pytest.mark.parametrize("output_format", ["sarif", "gitlab", "github", "rdjson"])
    def test_a_place_is_one_of_the_file(self, mistake: Source, output_format: str) -> None:
        found = check_source(mistake, Settings())
        lines = _lines(_text_of(mistake))
        for said, one in zip(read(output_format, found), found.findings, strict=True):
            line = mistake.slice(mistake.line_span(mistake.row_of(one.span.start))).strip()
            assert said.row is not None
            assert json.dumps(line, ensure_ascii=False)[1:-1] in lines[said.row - 1]


def _text_of(of: Source) -> str:
    """Give the text as it stands in the file, without a byte-order mark."""
    return of.encode().decode("utf-8-sig")


def _lines(text: str) -> list[str]:
    return re.findall("[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", text)


def _edited(text: str, replacements: Sequence[dict[str, Any]]) -> str:
    lines = _lines(text)

    def offset(row: int, column: int) -> int:
        return len("".join(lines[: row - 1])) + column - 1

    for one in reversed(replacements):
        region = one["deletedRegion"]
        start = offset(region["startLine"], region["startColumn"])
        stop = offset(region["endLine"], region["endColumn"])
        text = text[:start] + one["insertedContent"]["text"] + text[stop:]
    return text


class TestNotebooks:
    FOUND = check_source(MISTAKES[5], Settings())

    @pytest.mark.parametrize("output_format", ["github", "gitlab", "rdjson", "sarif", "junit", "markdown"])
    def test_the_cell_is_named(self, output_format: str) -> None:
        assert "cell 3" in rendered(output_format, self.FOUND)

    def test_a_fingerprint_does_not_depend_on_how_the_json_is_written(self) -> None:
        cells = (IMPORT, "c = AdaLoraConfig(r=16)  # 秩")
        found = [
            check_source(notebook(*more, *cells, ensure_ascii=plain, indent=indent), Settings())
            for more, plain, indent in (((), True, 1), ((), False, None), (("x = 1",), True, 4))
        ]
        marks = {ci_documents.gitlab(rendered("gitlab", one))[0]["fingerprint"] for one in found}
        assert len(marks) == 1


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.sampled_from(NASTY)


@st.composite
def reports(draw: st.DrawFn) -> Report:
    """Draw a text, and findings anywhere in it with anything to say."""
    text = draw(TEXTS.map(lambda text: text.replace("\0", "")))
    of = source(text, draw(st.sampled_from(["train.py", "秩/a b.py", "-"])))
    bounds = [len(text[:at].encode()) for at in range(len(text) + 1)]
    spans = st.tuples(st.sampled_from(bounds), st.sampled_from(bounds)).map(lambda pair: Span(*sorted(pair)))

    def one(severity: Severity, message: str, where: Span, other: str) -> Finding:
        fix = replacing(source("r"), "r", "r")
        mended = Fix(other, fix.effect, fix.safety, (Edit(where, other),))
        return Finding("ADA101", "lora-rank-ignored", severity, message, where, (Related(where, other),), (mended,))

    found = st.lists(st.builds(one, st.sampled_from(Severity), TEXTS, spans, TEXTS), max_size=4)
    return Report(of, tuple(draw(found)))


@given(reports())
def test_whatever_is_said_every_format_gives_it_back(found: Report) -> None:
    for output_format in READERS:
        said = read(output_format, found)
        told = sorted((one.severity, one.message) for one in said)
        names = dict(zip(Severity, SEVERITIES[output_format], strict=True))
        assert told == sorted((names[one.severity], expected(output_format, one.message)) for one in found.findings)
        lines = found.source.line_starts
        assert all(one.row is None or 1 <= one.row <= len(lines) for one in said)
