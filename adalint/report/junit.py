"""JUnit's XML, for the test tabs of Jenkins, GitLab, CircleCI and Azure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape, quoteattr

from adalint.report.concise import place_of
from adalint.report.places import relative_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from adalint.findings import Finding, Report

_UNREAD: Final = frozenset({"ADA901", "ADA904"})
"""Findings that say that a file could not be judged: errors, where the others are failures."""

_ILLEGAL: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(reports: Iterable[Report]) -> str:
    """Give one document: a suite for each file that was judged, a case for each finding, one that passes without.

    Characters that XML cannot hold are spelled out. Places in a notebook are its cell, row and column.
    """
    reports = list(reports)
    suites = [line for report in reports for line in _suite(report)] or list(_nothing())
    cases = sum(max(1, len(report.findings)) for report in reports)
    counts = _counts([finding for report in reports for finding in report.findings], cases or 1)
    head = f'<testsuites name="adalint" {counts}>'
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', head, *suites, "</testsuites>", ""])


def _suite(report: Report) -> Iterator[str]:
    path = _attribute(relative_path(report.source.path))
    yield f"  <testsuite name={path} {_counts(report.findings, len(report.findings) or 1)}>"
    if not report.findings:
        yield f'    <testcase name="adalint" classname={path}/>'
    for finding in report.findings:
        yield from _case(report, finding, path)
    yield "  </testsuite>"


def _nothing() -> Iterator[str]:
    """Give a suite that passes: Jenkins fails a job whose report has no test."""
    yield f'  <testsuite name="adalint" {_counts((), 1)}>'
    yield '    <testcase name="adalint" classname="adalint"/>'
    yield "  </testsuite>"


def _case(report: Report, finding: Finding, path: str) -> Iterator[str]:
    tag = "error" if finding.code in _UNREAD else "failure"
    name = _attribute(f"{finding.code} {finding.name}")
    message = _attribute(finding.message)
    kind = _attribute(str(finding.severity))
    place = _legal(place_of(report, finding.span.start))
    text = escape(f"{place}: {_legal(finding.message)}", {"\r": "&#13;"})
    yield f"    <testcase name={name} classname={path}>"
    yield f"      <{tag} message={message} type={kind}>{text}</{tag}>"
    yield "    </testcase>"


def _counts(findings: Sequence[Finding], cases: int) -> str:
    errors = sum(finding.code in _UNREAD for finding in findings)
    return f'tests="{cases}" failures="{len(findings) - errors}" errors="{errors}"'


def _attribute(text: str) -> str:
    return quoteattr(_legal(text))


def _legal(text: str) -> str:
    return _ILLEGAL.sub(lambda match: match[0].encode("unicode_escape", "surrogatepass").decode(), text)
