"""What adalint reads in the training scripts of ``tests/loops``, against the marks that were set from the rule catalogue.

The scripts are run for real in ``test_loops_run.py``. Rules that are not written yet are left aside, and named.
"""

from __future__ import annotations

import re

import pytest
from loop_runs import RULES_OF_LOOPS, scripts

import adalint
from adalint.findings import Severity
from adalint.rulebook.pages import load
from adalint.settings import Settings

SCRIPTS = scripts()
INNOCENT = [script for script in SCRIPTS if not script.expected]
SETTINGS = Settings(extend_select=("ADA418",))
"""ADA418 is the one rule of loops that is off by default."""


def _findings(script):
    report = adalint.check_text(script.text, filename=f"{script.name}.py", settings=SETTINGS)
    return [(finding, report.start(finding).row) for finding in report.findings]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_the_rules_of_loops_find_what_is_marked_and_nothing_else(script):
    found = sorted((finding.code, row) for finding, row in _findings(script) if finding.code in RULES_OF_LOOPS)
    assert found == list(script.expected)


@pytest.mark.parametrize("script", INNOCENT, ids=lambda script: script.name)
def test_no_rule_complains_of_an_innocent_script(script):
    assert [(f.code, row, f.message) for f, row in _findings(script) if f.severity != Severity.INFO] == []


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("script", [script for script in SCRIPTS if script.expected], ids=lambda script: script.name)
def test_what_is_said_has_no_gaps(script, language):
    settings = Settings(extend_select=SETTINGS.extend_select, language=language)
    report = adalint.check_text(script.text, filename=f"{script.name}.py", settings=settings)
    said = [text for one in report.findings for text in (one.message, *(fix.title for fix in one.fixes))]
    assert [text for text in said if re.search(r"[{}]|\b(found|trace|outcome)\.", text)] == []


def test_every_mark_is_of_a_rule_of_loops_and_every_runnable_rule_is_marked():
    marked = {code for script in SCRIPTS for code, _ in script.expected}
    assert marked == RULES_OF_LOOPS
    assert marked <= set(load().rules)
