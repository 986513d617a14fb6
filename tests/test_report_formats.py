"""The formats that programs read, and the diff."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from written_findings import finding, replacing, report, source

from adalint.findings import Effect, Fix, Safety, Severity
from adalint.report import concise, diff, lsp
from adalint.report import json as json_report
from adalint.source import Kind, Source

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from adalint.findings import Report

WIDE = "x = ['🤗', '秩', 'e\u0301']; c = AdaLoraConfig(r=16)\n"


def as_json(*reports: Report) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(json_report.render(reports))
    return found


def as_lsp(*reports: Report) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(lsp.render(reports))
    return found


class TestConcise:
    def test_a_finding_is_one_line(self) -> None:
        of = source("\n" + WIDE)
        assert concise.render([report(of, finding(of, "r=16", "no\neffect"))]) == (
            "train.py:2:41: ADA101 lora-rank-ignored no effect\n"
        )

    def test_nothing_is_no_line(self) -> None:
        assert concise.render([report(source("x"))]) == ""

    def test_a_path_inside_the_working_directory_is_relative(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        inside, outside = source("r=16", str(tmp_path / "sub" / "x.py")), source("r=16", f"{tmp_path}-2/x.py")
        text = concise.render([report(of, finding(of, "r=16")) for of in (inside, outside)])
        assert [line.split(":")[0] for line in text.splitlines()] == ["sub/x.py", f"{tmp_path}-2/x.py"]


class TestJson:
    def test_the_shape_is_as_promised(self) -> None:
        of = source("\n" + WIDE)
        best = replacing(of, "r=16", "init_r=12")
        other = replacing(of, "r=16", "init_r=16", Safety.UNSAFE, Effect.CHANGES)
        told = Fix("decide", Effect.DISPLAY, Safety.DISPLAY)
        here = finding(of, "r=16", related=[("AdaLoraConfig", "built here")], fixes=[best, other, told])
        place = {"location": {"row": 2, "column": 41}, "end_location": {"row": 2, "column": 45}}
        assert as_json(report(of, here)) == [
            {
                "code": "ADA101",
                "name": "lora-rank-ignored",
                "severity": "warning",
                "message": "r=16 has no effect",
                "filename": "train.py",
                **place,
                "cell": None,
                "url": None,
                "fix": {
                    "applicability": "safe",
                    "message": "write init_r=12",
                    "edits": [{"content": "init_r=12", **place}],
                },
                "effect": "preserves",
                "related": [
                    {
                        "message": "built here",
                        "location": {"row": 2, "column": 27},
                        "end_location": {"row": 2, "column": 40},
                    }
                ],
                "alternatives": [
                    {
                        "applicability": "unsafe",
                        "message": "write init_r=16",
                        "edits": [{"content": "init_r=16", **place}],
                        "effect": "changes",
                    },
                    {"applicability": "display", "message": "decide", "edits": [], "effect": "display"},
                ],
            }
        ]

    def test_without_a_fix_there_is_null(self) -> None:
        of = source("r=16")
        found = as_json(report(of, finding(of, "r=16")))[0]
        assert (found["fix"], found["effect"], found["alternatives"], found["related"]) == (None, None, [], [])

    def test_nothing_is_an_empty_array(self) -> None:
        assert as_json(report(source("x"))) == []

    def test_a_path_that_is_no_unicode_can_be_printed(self) -> None:
        of = source("r=16", os.fsdecode(b"caf\xe9.py"))
        assert json_report.render([report(of, finding(of, "r=16"))]).isascii()


class TestLsp:
    def test_positions_count_from_zero_in_utf16(self) -> None:
        of = source("\n" + WIDE)
        [published] = as_lsp(report(of, finding(of, "r=16", related=[("AdaLoraConfig", "built here")])))
        [diagnostic] = published["diagnostics"]
        assert diagnostic["range"] == {"start": {"line": 1, "character": 41}, "end": {"line": 1, "character": 45}}
        [related] = diagnostic["relatedInformation"]
        assert related["message"] == "built here"
        assert related["location"]["range"]["start"] == {"line": 1, "character": 27}
        assert related["location"]["uri"] == published["uri"]

    @pytest.mark.parametrize(("severity", "number"), [(Severity.ERROR, 1), (Severity.WARNING, 2), (Severity.INFO, 3)])
    def test_severities_are_the_protocols(self, severity: Severity, number: int) -> None:
        of = source("r=16")
        [published] = as_lsp(report(of, finding(of, "r=16", severity=severity)))
        [diagnostic] = published["diagnostics"]
        assert (diagnostic["severity"], diagnostic["code"], diagnostic["source"]) == (number, "ADA101", "adalint")

    def test_fixes_travel_with_the_diagnostic(self) -> None:
        of = source("r=16")
        [published] = as_lsp(report(of, finding(of, "r=16", fixes=[replacing(of, "r=16", "init_r=12")])))
        [fix] = published["diagnostics"][0]["data"]["fixes"]
        assert fix["edits"] == [
            {
                "range": {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 4}},
                "newText": "init_r=12",
            }
        ]

    def test_the_uri_is_absolute_and_quoted(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        of = source("r=16", "秩 1.py")
        assert as_lsp(report(of, finding(of, "r=16")))[0]["uri"] == f"file://{tmp_path}/%E7%A7%A9%201.py"

    def test_a_file_without_findings_takes_its_old_marks_away(self) -> None:
        [entry] = as_lsp(report(source("x")))
        assert entry["diagnostics"] == []
        assert as_lsp() == []


class TestDiff:
    PAIRS = (
        (b"a\nb\nc\n", b"a\nB\nc\n"),
        (b"a\nb", b"a\nB"),
        (b"a\nb", b"a\nb\n"),
        (b"a\nb\n", b"a\nb"),
        (b"a\r\nb\r\nc\r\n", b"a\r\nB\r\nc\r\n"),
        (b"a\rb\rc", b"a\rB\rc"),
        (b"\xef\xbb\xbfa\n", b"\xef\xbb\xbfb\n"),
        (b"# coding: latin-1\n# \xe9\nr=1\n", b"# coding: latin-1\n# \xe9\nr=2\n"),
        (b"".join(b"%d\n" % n for n in range(50)), b"".join(b"%d\n" % (n or 7) for n in range(49)) + b"end"),
        (b"-- a\n++ b\n", b"-- a\n++ c\n"),
    )

    @pytest.mark.parametrize(("before", "after"), PAIRS)
    @pytest.mark.parametrize("path", ["x.py", "sub/x.py", "with space.py", "秩.py", 'quo"te.py'])
    @pytest.mark.parametrize("tool", [["patch", "-p0"], ["git", "apply", "-p0"]], ids=["patch", "git"])
    def test_it_applies(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        before: bytes,
        after: bytes,
        path: str,
        tool: Iterable[str],
    ) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(before)
        old, new = (Source.decode(path, Kind.PYTHON, raw) for raw in (before, after))
        subprocess.run(tool, input=diff.render(old, new), check=True, capture_output=True)
        assert (tmp_path / path).read_bytes() == after

    def test_no_change_is_no_diff(self) -> None:
        assert diff.render(source("r=16"), source("r=16")) == b""

    def test_utf16_is_shown_for_reading(self) -> None:
        before, after = (
            Source.decode("x.yaml", Kind.YAML, b"\xff\xfe" + f"r: {n}\n".encode("utf-16-le")) for n in (8, 9)
        )
        assert diff.render(before, after).endswith(b"-r: 8\n+r: 9\n")
        assert not diff.is_patchable(before)
