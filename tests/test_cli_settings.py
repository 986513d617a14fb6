"""Settings as the command line meets them: excludes, formats, rules of one's own, and what `--show-settings` says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import CLEAN, IGNORED_RANK, REVERSED, UNRELATED, run

from adalint.rulebook.pages import load
from adalint.settings import FIELD_OF_KEY, READERS, Settings

ADAPTER = '{"peft_type": "ADALORA", "init_r": 8, "target_r": 16, "total_step": 100}'

PAGE = """+++
code = "TEAM001"
name = "rank-above-house-limit"
summary = "we do not go above 64"
severity = "error"
where = ["P", "Y"]
when = "init_r > 64"
at = ["init_r"]
message = "init_r={init_r} is above the 64 that our cards hold"

[[fix]]
title = "go down to 64"
effect = "changes"
do = [{ set = "init_r", to = "64" }]
+++

Our cards hold no more.
"""
BIG = CLEAN.replace("init_r=12", "init_r=128")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(files: dict[str, str]) -> None:
    for name, text in files.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def found(*arguments: str) -> list[str]:
    """Run a check, and give `path CODE` for each finding."""
    output = run("check", "--output-format", "json", *arguments).stdout
    return [f"{Path(one['filename']).as_posix()} {one['code']}" for one in json.loads(output)]


class TestExcludes:
    def test_exclude_replaces_the_defaults_and_extend_exclude_does_not(self) -> None:
        put({"build/x.py": REVERSED, "gen/x.py": REVERSED, "x.py": REVERSED})
        put({"adalint.toml": "extend-exclude = ['gen']"})
        assert found(".") == ["x.py ADA102"]
        put({"adalint.toml": "exclude = ['gen']"})
        assert found(".") == ["build/x.py ADA102", "x.py ADA102"]

    def test_the_settings_nearest_to_a_file_exclude_it_too(self) -> None:
        put({"sub/gen/x.py": REVERSED, "sub/y.py": REVERSED, "sub/adalint.toml": "extend-exclude = ['gen']"})
        assert found(".") == ["sub/y.py ADA102"]

    @pytest.mark.parametrize("path", ["gen/x.py", "build/x.py"])
    def test_a_named_file_is_checked_unless_excludes_are_forced(self, path: str) -> None:
        put({path: REVERSED, "adalint.toml": "extend-exclude = ['gen/']"})
        assert found(path) == [f"{path} ADA102"]
        assert found("--force-exclude", path) == []
        put({"adalint.toml": "extend-exclude = ['gen/']\nforce-exclude = true"})
        assert found(path) == []

    def test_without_settings_the_defaults_are_forced_too(self) -> None:
        put({"venv/x.py": REVERSED})
        assert (found("venv/x.py"), found("--force-exclude", "venv/x.py")) == (["venv/x.py ADA102"], [])

    def test_a_forced_exclude_leaves_the_other_named_files_in(self) -> None:
        put({"gen/x.py": REVERSED, "y.py": REVERSED, "adalint.toml": "extend-exclude = ['gen/']"})
        assert found("--force-exclude", "gen/x.py", "y.py") == ["y.py ADA102"]

    def test_fix_leaves_a_file_alone_whose_exclude_is_forced(self) -> None:
        put({"gen/x.py": IGNORED_RANK, "adalint.toml": "extend-exclude = ['gen/']"})
        assert run("fix", "--force-exclude", "gen/x.py").exit_code == 0
        assert Path("gen/x.py").read_text() == IGNORED_RANK

    def test_a_text_from_stdin_comes_back_when_its_name_is_excluded(self) -> None:
        put({"adalint.toml": "extend-exclude = ['gen/']\nforce-exclude = true"})
        result = run("fix", "-", "--stdin-filename", "gen/x.py", stdin=IGNORED_RANK)
        assert (result.exit_code, result.stdout) == (0, IGNORED_RANK)

    def test_verbose_says_what_was_left_out(self) -> None:
        put({"gen/x.py": REVERSED, "adalint.toml": "extend-exclude = ['gen/']"})
        assert "gen/x.py: left out: excluded by " in run("check", "-v", "--force-exclude", "gen/x.py").stderr

    def test_an_unreadable_file_that_is_excluded_is_not_reported(self) -> None:
        put({"adalint.toml": "extend-exclude = ['gen/']"})
        Path("gen").mkdir()
        Path("gen/x.py").write_bytes(b"# adalora \xff\n")
        assert found("gen/x.py") == ["gen/x.py ADA904"]
        assert found("--force-exclude", "gen/x.py") == []


class TestPerFileIgnores:
    def test_they_silence_what_has_no_comments(self) -> None:
        put({"conf/adapter_config.json": ADAPTER, "x.py": REVERSED})
        put({"adalint.toml": "[per-file-ignores]\n'conf/*.json' = ['target-rank-not-below-initial']"})
        assert found(".") == ["x.py ADA102"]

    def test_what_they_name_is_not_fixed(self) -> None:
        put({"x.py": IGNORED_RANK, "adalint.toml": "[per-file-ignores]\n'x.py' = ['ADA1']"})
        assert run("fix", "--unsafe-fixes").exit_code == 0
        assert Path("x.py").read_text() == IGNORED_RANK

    def test_they_silence_files_that_cannot_be_read(self) -> None:
        put({"x.py": "adalora = (\n", "adalint.toml": "[per-file-ignores]\n'x.py' = ['ADA9']"})
        Path("y.py").write_bytes(b"# adalora \xff\n")
        assert found(".") == ["y.py ADA904"]


class TestSeverity:
    def severity(self, text: str, *arguments: str) -> list[str]:
        put({"adalint.toml": text})
        return [one["severity"] for one in json.loads(run("check", "--output-format", "json", *arguments).stdout)]

    def test_it_is_what_the_settings_say(self) -> None:
        put({"x.py": REVERSED})
        assert self.severity("") == ["error"]
        assert self.severity("severity.ADA102 = 'warning'") == ["warning"]
        assert self.severity("severity.target-rank-not-below-initial = 'info'") == []
        assert self.severity("severity.target-rank-not-below-initial = 'info'", "--pedantic") == ["info"]
        assert self.severity("severity.ADA1 = 'off'") == []

    @pytest.mark.parametrize(("word", "severity"), [("warning", ["warning"]), ("off", [])])
    def test_a_file_that_cannot_be_read_has_it_too(self, word: str, severity: list[str]) -> None:
        put({"x.py": "adalora = (\n"})
        Path("y.py").write_bytes(b"# adalora \xff\n")
        assert self.severity("", "x.py", "y.py") == ["error", "error"]
        text = f"severity.ADA901 = '{word}'\nseverity.ADA904 = '{word}'"
        assert self.severity(text, "x.py", "y.py") == severity * 2


class TestOutputFormat:
    def test_the_settings_here_choose_it(self) -> None:
        put({"x.py": REVERSED, "adalint.toml": "output-format = 'json'"})
        assert json.loads(run("check").stdout)[0]["code"] == "ADA102"

    def test_the_command_line_wins(self) -> None:
        put({"x.py": REVERSED, "adalint.toml": "output-format = 'json'"})
        assert run("check", "--output-format", "concise").stdout.startswith("x.py:3:34: ADA102")

    def test_isolated_does_not_read_it(self) -> None:
        put({"x.py": REVERSED, "adalint.toml": "output-format = 'json'"})
        assert run("check", "--isolated").stdout.startswith("x.py:3:34: ADA102")


class TestRulesOfATeam:
    SETTINGS = "rule-dirs = ['lint/']"
    FILE = "lint/TEAM001-rank-above-house-limit.md"

    def test_a_page_of_ones_own_is_a_rule(self) -> None:
        put({"x.py": BIG, "sub/y.yaml": "a:\n  peft_type: ADALORA\n  init_r: 65\n  total_step: 100\n"})
        put({"adalint.toml": self.SETTINGS, self.FILE: PAGE})
        assert found(".") == ["sub/y.yaml TEAM001", "x.py TEAM001"]
        result = run("check", "x.py")
        assert result.stdout == (
            "x.py:3:24: TEAM001 rank-above-house-limit init_r=128 is above the 64 that our cards hold\n"
        )
        assert result.exit_code == 1

    def test_its_innocent_neighbour_is_left_alone(self) -> None:
        put({"x.py": CLEAN.replace("init_r=12", "init_r=64"), "y.py": CLEAN.replace("init_r=12", "init_r=rank()")})
        put({"adalint.toml": self.SETTINGS, self.FILE: PAGE})
        assert found(".") == []

    def test_its_fix_is_made(self) -> None:
        put({"x.py": BIG, "adalint.toml": self.SETTINGS, self.FILE: PAGE})
        assert run("fix", "--unsafe-fixes").exit_code == 0
        assert Path("x.py").read_text() == CLEAN.replace("init_r=12", "init_r=64")

    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            (["--ignore", "TEAM001"], []),
            (["--ignore", "TEAM"], []),
            (["--ignore", "rank-above-house-limit"], []),
            (["--select", "TEAM001"], ["x.py TEAM001"]),
            (["--select", "ADA1"], []),
        ],
    )
    def test_it_is_selected_like_any_other(self, arguments: list[str], expected: list[str]) -> None:
        put({"x.py": BIG, "adalint.toml": self.SETTINGS, self.FILE: PAGE})
        assert found(*arguments, ".") == expected

    def test_settings_and_suppressions_may_name_it(self) -> None:
        put({"x.py": BIG, self.FILE: PAGE})
        put({"adalint.toml": f"{self.SETTINGS}\nseverity.TEAM001 = 'warning'"})
        assert found(".") == ["x.py TEAM001"]
        put({"x.py": BIG.rstrip() + "  # adalint: ignore[rank-above-house-limit]\n"})
        assert found(".") == []

    def test_the_tables_of_rules_list_it(self) -> None:
        put({"adalint.toml": self.SETTINGS, self.FILE: PAGE})
        assert run("rules").stdout.splitlines()[-1].startswith("TEAM001  rank-above-house-limit")
        assert "Our cards hold no more." in run("rule", "TEAM001").stdout

    def test_a_folder_without_the_settings_does_not_know_it(self) -> None:
        put({"a/x.py": BIG, "a/adalint.toml": self.SETTINGS, f"a/{self.FILE}": PAGE, "b/x.py": BIG})
        assert found(".") == ["a/x.py TEAM001"]

    @pytest.mark.parametrize(
        ("old", "new", "complaint"),
        [
            ('when = "init_r > 64"\n', 'check = "ignored_field"\n', "`check` is not for pages of your own"),
            ('when = "init_r > 64"\n', 'when = "open(1)"\n', "line 7: 'open(1)' is not allowed"),
            ('when = "init_r > 64"\n', 'when = "init_r >"\n', "line 7: 'init_r >' is no expression"),
            ('when = "init_r > 64"\n', "when = init_r\n", "(at line 7, column 8)"),
            ('severity = "error"', 'severity = "grave"', "line 5: 'grave'"),
            ('severity = "error"', 'severity = "error"\ncolour = "red"', "line 6: unknown key 'colour'"),
            ('summary = "we do not go above 64"\n', "", "missing key 'summary'"),
            ('effect = "changes"', 'effect = "improves"', "line 13: 'improves'"),
        ],
    )
    def test_a_mistake_in_a_page_names_the_page_and_the_place(self, old: str, new: str, complaint: str) -> None:
        assert old in PAGE
        put({"x.py": UNRELATED, "adalint.toml": self.SETTINGS, self.FILE: PAGE.replace(old, new)})
        result = run("check")
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith(f"adalint: {self.FILE}: ")
        assert complaint in result.stderr
        assert result.stderr.count("\n") == 1

    @pytest.mark.parametrize(
        ("old", "new", "complaint"),
        [
            (
                "init_r > 64",
                "inti_r > 64",
                "line 7: no field of AdaLoraConfig is called 'inti_r', did you mean 'init_r'?",
            ),
            ('at = ["init_r"]', 'at = ["intr_r"]', "line 8: no field of AdaLoraConfig is called 'intr_r'"),
            ("{init_r} is", "{init_rr} is", "line 9: no field of AdaLoraConfig is called 'init_rr'"),
            ('set = "init_r"', 'set = "initr"', "line 14: no field of AdaLoraConfig is called 'initr'"),
            ("init_r > 64", "site.colour", "line 7: no field of AdaLoraConfig is called 'site.colour'"),
        ],
    )
    def test_a_misspelt_field_is_told_as_soon_as_a_file_is_judged(self, old: str, new: str, complaint: str) -> None:
        assert old in PAGE
        put({"x.py": CLEAN, "adalint.toml": self.SETTINGS, self.FILE: PAGE.replace(old, new)})
        result = run("check")
        assert (result.exit_code, result.stdout) == (2, "")
        assert f"{self.FILE}: {complaint}" in result.stderr

    @pytest.mark.parametrize("code", ["ADA999", "ADA1000", "E501", "team001", "TEAM", "TEAM-1"])
    def test_a_code_that_is_not_the_teams_to_give_is_refused(self, code: str) -> None:
        name = f"lint/{code}-rank-above-house-limit.md"
        put({"x.py": UNRELATED, "adalint.toml": self.SETTINGS, name: PAGE.replace("TEAM001", code)})
        result = run("check")
        assert result.exit_code == 2
        assert f"{name}: line 2: code '{code}'" in result.stderr

    @pytest.mark.parametrize(
        "other", ["TEAM001-other-name", "TEAM002-rank-above-house-limit", "TEAM002-lora-rank-ignored"]
    )
    def test_a_code_or_name_that_is_there_already_is_refused(self, other: str) -> None:
        code, _, name = other.partition("-")
        page = PAGE.replace("TEAM001", code).replace("rank-above-house-limit", name)
        put({"x.py": UNRELATED, "adalint.toml": self.SETTINGS, self.FILE: PAGE, f"lint/{other}.md": page})
        assert "is there already" in run("check").stderr

    def test_a_folder_that_is_not_there_is_told_with_the_line(self) -> None:
        put({"x.py": UNRELATED, "adalint.toml": "\nrule-dirs = ['lnt']"})
        result = run("check")
        assert (result.exit_code, result.stderr) == (
            2,
            "adalint: adalint.toml:2: rule-dirs: there is no folder 'lnt'\n",
        )


class TestShowSettings:
    TEXT = """
[tool.adalint]
ignore = ["ADA204", "ADA3"]
extend-select = ["ADA302"]
target-peft = "0.15.2"
[tool.adalint.severity]
ADA103 = "off"
ADA203 = "info"
[tool.adalint.per-file-ignores]
"tests/" = ["missing-total-step"]
"""

    def shown(self, *arguments: str) -> dict[str, str]:
        """Give the reason for each rule."""
        lines = run("check", "--show-settings", *arguments).stdout.splitlines()
        return {line.split()[0]: line.split(maxsplit=3)[3] for line in lines if line.startswith("ADA")}

    def test_each_rule_is_on_or_off_with_the_reason(self) -> None:
        put({"pyproject.toml": self.TEXT, "tests/x.py": REVERSED})
        reasons = self.shown("tests/x.py")
        assert set(reasons) == set(load().rules)
        assert reasons["ADA101"] == "on: by default"
        assert reasons["ADA103"] == "off: by [tool.adalint] severity in pyproject.toml"
        assert reasons["ADA201"] == "off: ignored for tests/ by [tool.adalint] per-file-ignores in pyproject.toml"
        assert reasons["ADA203"] == "off: info, not selected by name"
        assert reasons["ADA204"] == "off: ignored by [tool.adalint] ignore in pyproject.toml"
        assert reasons["ADA301"] == "off: ignored by [tool.adalint] ignore in pyproject.toml (ADA3)"
        assert reasons["ADA302"] == "on: selected by [tool.adalint] extend-select in pyproject.toml"

    @pytest.mark.parametrize(
        ("arguments", "code", "reason"),
        [
            (["--select", "ADA1"], "ADA101", "on: selected by --select (ADA1)"),
            (["--select", "ADA1"], "ADA201", "off: not selected by --select"),
            (["--ignore", "ADA1"], "ADA101", "off: ignored by --ignore (ADA1)"),
            (["--pedantic"], "ADA203", "on: --pedantic"),
            (["--extend-select", "ADA203"], "ADA203", "on: selected by --extend-select"),
            (["--isolated"], "ADA204", "on: by default"),
        ],
    )
    def test_the_command_line_is_a_reason_too(self, arguments: list[str], code: str, reason: str) -> None:
        put({"pyproject.toml": self.TEXT})
        assert self.shown(*arguments)[code] == reason

    def test_every_key_is_shown_with_where_it_comes_from(self) -> None:
        put({"pyproject.toml": self.TEXT})
        lines = run("check", "--show-settings", "--target-accelerate", "1.2").stdout.splitlines()
        assert [
            key for key in READERS if not any(line.startswith((f"{key} = ", f"{key} is not set")) for line in lines)
        ] == []
        shown = [" ".join(line.split()) for line in lines]
        assert 'ignore = ["ADA204", "ADA3"] # pyproject.toml' in shown
        assert "pedantic = false # default" in shown
        assert 'target-accelerate = "1.2" # --target-accelerate' in shown
        assert any(line.startswith('target-peft = "0.15.2"') for line in lines)

    def test_a_path_that_is_excluded_is_told(self) -> None:
        put({"gen/x.py": CLEAN, "adalint.toml": "extend-exclude = ['gen']"})
        assert "excluded unless named" in run("check", "--show-settings", "gen/x.py").stdout
        assert "excluded" not in run("check", "--show-settings", ".").stdout.splitlines()[1]

    def test_nothing_is_checked_or_written(self) -> None:
        put({"x.py": IGNORED_RANK})
        result = run("check", "--show-settings", "x.py")
        assert (result.exit_code, result.stderr, Path("x.py").read_text()) == (0, "", IGNORED_RANK)

    def test_a_path_that_does_not_exist_is_2(self) -> None:
        assert run("check", "--show-settings", "nowhere.py").exit_code == 2

    def test_every_key_has_a_field(self) -> None:
        fields = {FIELD_OF_KEY.get(key, key.replace("-", "_")) for key in READERS}
        assert fields <= set(Settings.__dataclass_fields__)
