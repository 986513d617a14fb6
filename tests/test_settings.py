from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adalint.files import DEFAULT_EXCLUDE
from adalint.settings import (
    INTENTS,
    SEVERITIES,
    Flags,
    Place,
    Settings,
    SettingsError,
    check_selectors,
    check_words,
    over,
    parse,
    resolver,
)

if TYPE_CHECKING:
    from pathlib import Path

RULE = ("ADA101", "lora-rank-ignored", "warning")
INFO = ("ADA418", "rank-read-from-constant", "info")
RULES = [("ADA101", "lora-rank-ignored"), ("ADA102", "target-rank-not-below-initial")]


def settings_in(folder: Path, text: str, name: str = "adalint.toml") -> Settings:
    (folder / name).write_text(text, encoding="utf-8")
    return resolver()(str(folder / "x.py"))


class TestSelection:
    @pytest.mark.parametrize(
        ("settings", "on"),
        [
            (Settings(), True),
            (Settings(select=("ADA101",)), True),
            (Settings(select=("lora-rank-ignored",)), True),
            (Settings(select=("ADA1",)), True),
            (Settings(select=("ADA10",)), True),
            (Settings(select=("ADA102",)), False),
            (Settings(select=("ADA2",)), False),
            (Settings(select=()), False),
            (Settings(select=("lora-rank",)), False),
            (Settings(select=("ADA2",), extend_select=("ADA101",)), True),
            (Settings(ignore=("ADA101",)), False),
            (Settings(ignore=("lora-rank-ignored",)), False),
            (Settings(ignore=("ADA1",)), False),
            (Settings(ignore=("ALL",)), False),
            (Settings(ignore=("ADA2",)), True),
            (Settings(select=("ADA101",), ignore=("ADA1",)), True),
            (Settings(select=("ADA1",), ignore=("ADA101",)), False),
            (Settings(select=("ADA101",), ignore=("lora-rank-ignored",)), False),
            (Settings(select=("ADA10",), ignore=("ADA1",)), True),
            (Settings(ignored_here=(("x", "ADA1"),)), False),
            (Settings(select=("ADA101",), ignored_here=(("x", "ALL"),)), False),
            (Settings(ignored_here=(("x", "ADA2"),)), True),
        ],
    )
    def test_the_most_specific_selector_decides_and_ignore_wins_between_equals(
        self, settings: Settings, on: bool
    ) -> None:
        assert settings.selected(*RULE) is on

    @pytest.mark.parametrize(
        ("settings", "on"),
        [
            (Settings(), False),
            (Settings(select=("ADA4",)), False),
            (Settings(select=("ADA41",)), False),
            (Settings(pedantic=True), True),
            (Settings(pedantic=True, ignore=("ADA418",)), False),
            (Settings(select=("ADA418",)), True),
            (Settings(extend_select=("rank-read-from-constant",)), True),
        ],
    )
    def test_an_info_rule_is_on_only_by_its_name_or_when_pedantic(self, settings: Settings, on: bool) -> None:
        assert settings.selected(*INFO) is on

    @pytest.mark.parametrize(
        ("selectors", "safe"),
        [((), False), (("ADA101",), True), (("lora-rank-ignored",), True), (("ADA1",), True), (("ADA102",), False)],
    )
    def test_extend_safe_fixes_names_rules_in_the_same_way(self, selectors: tuple[str, ...], safe: bool) -> None:
        assert Settings(extend_safe_fixes=selectors).counts_as_safe("ADA101", "lora-rank-ignored") is safe


class TestSeverity:
    @pytest.mark.parametrize(
        ("table", "severity"),
        [
            ({}, "warning"),
            ({"ADA101": "error"}, "error"),
            ({"lora-rank-ignored": "info"}, "info"),
            ({"ADA1": "error"}, "error"),
            ({"ALL": "error"}, "error"),
            ({"ALL": "error", "ADA1": "info", "ADA101": "warning"}, "warning"),
            ({"ADA101": "warning", "ADA1": "error"}, "warning"),
            ({"ADA102": "error"}, "warning"),
        ],
    )
    def test_the_most_specific_word_sets_it(self, table: dict[str, str], severity: str) -> None:
        assert Settings(severity=table).severity_of(*RULE) == severity

    @pytest.mark.parametrize(
        ("settings", "on"),
        [
            (Settings(severity={"ADA101": "off"}), False),
            (Settings(severity={"ADA1": "off"}), False),
            (Settings(severity={"ADA1": "off", "ADA101": "error"}), True),
            (Settings(severity={"ADA102": "off"}), True),
            (Settings(severity={"ADA101": "off"}, pedantic=True, select=("ADA101",)), False),
            (Settings(severity={"ADA101": "info"}), False),
            (Settings(severity={"ADA101": "info"}, pedantic=True), True),
            (Settings(severity={"ADA101": "info"}, extend_select=("ADA101",)), True),
        ],
    )
    def test_off_turns_a_rule_off_and_info_asks_for_its_name(self, settings: Settings, on: bool) -> None:
        assert settings.selected(*RULE) is on

    def test_a_rule_of_severity_info_that_is_raised_is_on(self) -> None:
        assert Settings(severity={"ADA418": "warning"}).selected(*INFO)

    @pytest.mark.parametrize("word", SEVERITIES)
    def test_every_word_is_taken(self, word: str) -> None:
        assert parse({"severity": {"ADA101": word}}, Place("here")).severity == {"ADA101": word}

    @pytest.mark.parametrize("flags", [Flags(select=("ADA101",)), Flags(extend_select=("ADA101",))], ids=str)
    def test_the_command_line_can_look_at_a_rule_that_is_off(self, flags: Flags) -> None:
        assert over(Settings(severity={"ADA101": "off"}), flags).selected(*RULE)


class TestPerFileIgnores:
    TEXT = """
        [per-file-ignores]
        "tests/*.py" = ["ADA1"]
        "conf/" = ["target-rank-not-below-initial"]
        "old_*" = ["ALL"]
    """

    @pytest.mark.parametrize(
        ("path", "on"),
        [
            ("x.py", True),
            ("tests/x.py", False),
            ("tests/sub/x.py", True),
            ("sub/tests/x.py", True),
            ("conf/x.json", True),
            ("old_x.py", False),
            ("sub/old_x.py", False),
            ("old_stuff/x.py", False),
        ],
    )
    def test_a_glob_is_gitignores_and_relative_to_the_settings(self, tmp_path: Path, path: str, on: bool) -> None:
        (tmp_path / "adalint.toml").write_text(self.TEXT)
        assert resolver()(str(tmp_path / path)).selected(*RULE) is on

    def test_it_leaves_other_rules_on(self, tmp_path: Path) -> None:
        (tmp_path / "adalint.toml").write_text(self.TEXT)
        settled = resolver()(str(tmp_path / "conf" / "x.json"))
        assert not settled.selected("ADA102", "target-rank-not-below-initial", "error")
        assert settled.selected("ADA103", "rank-out-of-range", "error")

    def test_it_stands_whatever_is_selected(self, tmp_path: Path) -> None:
        (tmp_path / "adalint.toml").write_text(self.TEXT)
        resolve = resolver(Flags(select=("ADA101",), pedantic=True))
        assert not resolve(str(tmp_path / "tests" / "x.py")).selected(*RULE)
        assert resolve(str(tmp_path / "x.py")).selected(*RULE)


class TestExclude:
    @pytest.mark.parametrize(
        ("text", "path", "out"),
        [
            ("", "build/x.py", True),
            ("", "src/x.py", False),
            ("extend-exclude = ['gen/']", "gen/x.py", True),
            ("extend-exclude = ['gen/']", "build/x.py", True),
            ("exclude = ['gen/']", "gen/x.py", True),
            ("exclude = ['gen/']", "build/x.py", False),
            ("exclude = []", "venv/x.py", False),
        ],
    )
    def test_exclude_replaces_the_defaults_and_extend_exclude_adds(
        self, tmp_path: Path, text: str, path: str, out: bool
    ) -> None:
        assert settings_in(tmp_path, text).excludes(str(tmp_path / path)) is out

    def test_the_defaults_have_names(self) -> None:
        assert Settings().exclude == DEFAULT_EXCLUDE
        assert {".git", ".venv", "node_modules", "build", "dist"} <= set(DEFAULT_EXCLUDE)

    def test_folders_with_rules_are_relative_to_the_settings(self, tmp_path: Path) -> None:
        settings = settings_in(tmp_path, "rule-dirs = ['lint/', '../shared']")
        assert settings.rule_folders == (str(tmp_path / "lint"), str(tmp_path.parent / "shared"))


class TestTheLineOfAMistake:
    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("pedantic = true\n\nselct = []\n", 3),
            ("[intent]\nr = 'final'\nq = 'x'\n", 3),
            ("[intent]\nr = 'finall'\n", 2),
            ("intent = { r = 'finall' }\n", 1),
            ("# select\nselect = [\n  'ADA1',\n  'ada2',\n]\n", 4),
            ("exclude = [\n  'ok',\n  'a[b',\n]\n", 3),
            ('[per-file-ignores]\n"a.py" = ["ADA1"]\n"b.py" = ["ada2"]\n', 3),
            ("[severity]\nADA1 = 'error'\nADA2 = 'loud'\n", 3),
            ("lang = 'en'\n[intnt]\nr = 'final'\n", 2),
            ('exclude = ["""\nselct = 1\n"""]\nselct = []\n', 4),
        ],
    )
    def test_it_is_named(self, tmp_path: Path, text: str, line: int) -> None:
        with pytest.raises(SettingsError, match=rf"adalint\.toml:{line}: "):
            settings_in(tmp_path, text)

    def test_it_is_named_in_a_pyproject_too(self, tmp_path: Path) -> None:
        text = "[tool.other]\nselect = 1\n[tool.adalint]\nselect = 'x'\n"
        with pytest.raises(SettingsError, match=r"pyproject\.toml:4: \[tool\.adalint\] select: a list"):
            settings_in(tmp_path, text, "pyproject.toml")

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            ("\nselect = ['ADA1', 'ADA7']", r"adalint\.toml:2: select: no rule is called 'ADA7'"),
            ("ignore = [\n 'lora-rank-ignord']", r"adalint\.toml:2: ignore: .*did you mean 'lora-rank-ignored'"),
            ("[severity]\nADA7 = 'off'", r"adalint\.toml:2: severity\.ADA7: no rule"),
            ("[per-file-ignores]\n'x' = ['ADA7']", r"adalint\.toml:2: per-file-ignores\.x: no rule"),
            ("extend-safe-fixes = ['ADA7']", r"adalint\.toml:1: extend-safe-fixes: no rule"),
        ],
    )
    def test_so_is_the_line_of_a_word_that_stands_for_no_rule(self, tmp_path: Path, text: str, complaint: str) -> None:
        settings = settings_in(tmp_path, text)
        with pytest.raises(SettingsError, match=complaint):
            check_words(settings, RULES)

    def test_a_word_of_the_command_line_is_not_blamed_on_the_file(self, tmp_path: Path) -> None:
        (tmp_path / "adalint.toml").write_text("ignore = ['ADA101']")
        flags = Flags(ignore=("TEAM001",))
        check_words(resolver(flags)(str(tmp_path / "x.py")), RULES, flags)


class TestTheNearestFile:
    def test_every_key_is_read(self, tmp_path: Path) -> None:
        text = """
            select = ["ADA1", "missing-total-step"]
            ignore = ["ADA103"]
            extend-select = ["ADA302"]
            pedantic = true
            target-peft = "0.15.2"
            extend-safe-fixes = ["ADA102"]
            unsafe-fixes = true
            exclude = ["gen/"]
            extend-exclude = ["old"]
            force-exclude = true
            rule-dirs = ["lint/"]
            target-transformers = "4.57.6"
            target-accelerate = "1.2"
            output-format = "json"
            lang = "zh"
            [severity]
            ADA302 = "error"
            lora-rank-ignored = "off"
            [per-file-ignores]
            "tests/*.py" = ["ADA1", "unknown-field"]
            [intent]
            r = "final"
            reversed-ranks = "swap"
        """
        settings = settings_in(tmp_path, text)
        assert settings == Settings(
            select=("ADA1", "missing-total-step"),
            ignore=("ADA103",),
            extend_select=("ADA302",),
            pedantic=True,
            target_peft="0.15.2",
            target_peft_source=str(tmp_path / "adalint.toml"),
            extend_safe_fixes=("ADA102",),
            unsafe_fixes=True,
            exclude=("gen/",),
            extend_exclude=("old",),
            force_exclude=True,
            rule_dirs=("lint/",),
            target_transformers="4.57.6",
            target_transformers_source=str(tmp_path / "adalint.toml"),
            target_accelerate="1.2",
            target_accelerate_source=str(tmp_path / "adalint.toml"),
            output_format="json",
            language="zh",
            language_source=str(tmp_path / "adalint.toml"),
            severity={"ADA302": "error", "lora-rank-ignored": "off"},
            per_file_ignores=(("tests/*.py", ("ADA1", "unknown-field")),),
            intent={"r": "final", "reversed-ranks": "swap"},
            origin=str(tmp_path / "adalint.toml"),
        )

    def test_a_pyproject_table_is_read(self, tmp_path: Path) -> None:
        assert settings_in(tmp_path, "[tool.adalint]\npedantic = true\n", "pyproject.toml").pedantic

    def test_adalint_toml_wins_over_the_pyproject_beside_it(self, tmp_path: Path) -> None:
        (tmp_path / "pyproject.toml").write_text("[tool.adalint]\nselect = ['ADA1']\n")
        assert settings_in(tmp_path, "select = ['ADA2']\n").select == ("ADA2",)

    def test_the_nearest_folder_wins_whole(self, tmp_path: Path) -> None:
        (tmp_path / "adalint.toml").write_text("pedantic = true\n")
        (tmp_path / "sub").mkdir()
        assert not settings_in(tmp_path / "sub", "select = ['ADA1']\n").pedantic

    @pytest.mark.parametrize("text", ["[project]\nname = 'x'\n", "not toml at all [", "[tool.other]\nadalint = 1\n"])
    def test_a_pyproject_without_our_table_is_passed_over(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "adalint.toml").write_text("pedantic = true\n")
        (tmp_path / "sub" / "deeper").mkdir(parents=True)
        (tmp_path / "sub" / "pyproject.toml").write_text(text)
        assert resolver()(str(tmp_path / "sub" / "deeper" / "x.py")).pedantic

    def test_each_file_of_a_run_gets_its_own(self, tmp_path: Path) -> None:
        for name, code in (("a", "ADA101"), ("b", "ADA102")):
            (tmp_path / name).mkdir()
            (tmp_path / name / "adalint.toml").write_text(f"ignore = ['{code}']\n")
        resolve = resolver()
        assert resolve(str(tmp_path / "a" / "x.py")).ignore == ("ADA101",)
        assert resolve(str(tmp_path / "b" / "x.py")).ignore == ("ADA102",)

    def test_isolated_reads_none(self, tmp_path: Path) -> None:
        (tmp_path / "adalint.toml").write_text("nonsense = [\n")
        assert resolver(Flags(isolated=True))(str(tmp_path / "x.py")) == Settings()

    def test_config_names_the_file(self, tmp_path: Path) -> None:
        (tmp_path / "adalint.toml").write_text("select = ['ADA1']\n")
        (tmp_path / "other.toml").write_text("select = ['ADA2']\n")
        resolve = resolver(Flags(config=str(tmp_path / "other.toml")))
        assert resolve(str(tmp_path / "x.py")).select == ("ADA2",)

    @pytest.mark.parametrize("name", ["nowhere.toml", "pyproject.toml"])
    def test_a_config_file_without_settings_is_an_error(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
        with pytest.raises(SettingsError, match=name):
            resolver(Flags(config=str(tmp_path / name)))(str(tmp_path / "x.py"))


class TestMistakes:
    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            ("selct = ['ADA1']", r"adalint\.toml:1: unknown key 'selct', did you mean 'select'\?$"),
            ("target_peft = '0.15'", "did you mean 'target-peft'"),
            ("zzz = 1", r"unknown key 'zzz'$"),
            ("select = 'ADA1'", r"adalint\.toml:1: select: a list of strings is wanted, not 'ADA1'"),
            ("select = [1]", "a list of strings"),
            ("select = ['ada101']", "did you mean 'ADA101'"),
            ("select = ['all']", "did you mean 'ALL'"),
            ("ignore = ['bogus']", "'bogus' is no code, name, prefix or ALL$"),
            ("select = ['E501']", "'E501' is no code, name, prefix or ALL"),
            ("pedantic = 'yes'", "true or false is wanted, not 'yes'"),
            ("target-peft = 0.15", "a release such as"),
            ("target-peft = '>=0.15'", "a release such as"),
            ("intent = 'final'", "a table is wanted"),
            ("intent.rr = 'final'", r"unknown key 'rr', did you mean 'r'"),
            ("intent.r = 'finall'", r"intent\.r: 'finall' is none of init_r, final, keep-today, did you mean 'final'"),
            ("intent.r = 8", "8 is none of"),
            ("intent.reversed-ranks = 'raise'", "is none of swap, lower-target, raise-init"),
            ("select = 1 2", r"adalint\.toml: .*line 1, column 12"),
            ("severity = 'error'", "severity: a table is wanted"),
            ("severity.ADA101 = 'eror'", r"severity\.ADA101: 'eror' is none of .*, off, did you mean 'error'"),
            ("severity.E5 = 'error'", r"severity\.E5: 'E5' is no code, name, prefix or ALL"),
            ("per-file-ignores = ['x']", "a table is wanted"),
            ("per-file-ignores.'x.py' = 'ADA1'", r"per-file-ignores\.x\.py: a list of strings is wanted"),
            ("per-file-ignores.'x.py' = ['ada1']", "did you mean 'ADA1'"),
            ("per-file-ignores.'!x.py' = ['ADA1']", "says which files, not which not"),
            ("per-file-ignores.'a[b' = ['ADA1']", r"'a\[b' cannot be read: `\[` without its `\]`"),
            ("exclude = ['a{b']", r"exclude: the pattern 'a\{b' cannot be read"),
            ("extend-exclude = 'x'", "a list of strings"),
            ("force-exclude = 1", "true or false"),
            ("rule-dirs = 'lint'", "a list of strings"),
            ("output-format = 'jason'", "'jason' is none of .*, did you mean 'json'"),
            ("lang = 'de'", "'de' is none of en, zh"),
            ("target-transformers = 'latest'", "target-transformers: a release such as"),
            ("target-accelerate = 1.0", "target-accelerate: a release such as"),
        ],
    )
    def test_the_message_names_the_place_and_what_is_near(self, tmp_path: Path, text: str, complaint: str) -> None:
        with pytest.raises(SettingsError, match=complaint):
            settings_in(tmp_path, text)

    def test_in_a_pyproject_the_place_is_the_table(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsError, match=r"pyproject\.toml:2: \[tool\.adalint\]: unknown key 'selct'"):
            settings_in(tmp_path, "[tool.adalint]\nselct = []\n", "pyproject.toml")

    def test_settings_that_are_no_text_are_an_error(self, tmp_path: Path) -> None:
        (tmp_path / "adalint.toml").write_bytes(b"select = ['\xff']\n")
        with pytest.raises(SettingsError, match=r"adalint\.toml"):
            resolver()(str(tmp_path / "x.py"))

    @pytest.mark.parametrize(("key", "word"), [(key, word) for key, words in INTENTS.items() for word in words])
    def test_every_word_for_an_intent_is_taken(self, key: str, word: str) -> None:
        assert parse({"intent": {key: word}}, Place("here")).intent == {key: word}

    @pytest.mark.parametrize("selectors", [("ADA101",), ("ADA1",), ("ALL",), ("lora-rank-ignored", "ADA102")])
    def test_selectors_that_stand_for_a_rule_pass(self, selectors: tuple[str, ...]) -> None:
        check_selectors("--select", selectors, RULES)

    @pytest.mark.parametrize(
        ("selector", "complaint"),
        [
            ("ADA109", "--select: no rule is called 'ADA109', did you mean 'ADA10"),
            ("lora-rank-ignore", "did you mean 'lora-rank-ignored'"),
            ("ADA9", "no rule is called 'ADA9'"),
        ],
    )
    def test_a_selector_that_stands_for_no_rule_is_an_error(self, selector: str, complaint: str) -> None:
        with pytest.raises(SettingsError, match=complaint):
            check_selectors("--select", [selector], RULES)


class TestTheCommandLinesWord:
    def test_select_starts_afresh(self) -> None:
        file = Settings(select=("ADA2",), ignore=("ADA101",), extend_select=("ADA3",))
        settled = over(file, Flags(select=("ADA101",)))
        assert (settled.select, settled.ignore, settled.extend_select) == (("ADA101",), (), ())

    def test_ignore_adds(self) -> None:
        assert over(Settings(ignore=("ADA1",)), Flags(ignore=("ADA2",))).ignore == ("ADA1", "ADA2")

    def test_extend_select_takes_back_what_a_file_ignores(self) -> None:
        assert over(Settings(ignore=("ADA101",)), Flags(extend_select=("ADA101",))).selected(*RULE)

    def test_the_target_release_is_taken_and_its_source_told(self) -> None:
        settled = over(Settings(target_peft="0.3.0", target_peft_source="x"), Flags(target_peft="0.15"))
        assert (settled.target_peft, settled.target_peft_source) == ("0.15", "--target-peft")

    @pytest.mark.parametrize("flag", [Flags(), Flags(ignore=("ADA2",))])
    def test_what_is_not_said_is_left(self, flag: Flags) -> None:
        file = Settings(pedantic=True, unsafe_fixes=True, target_peft="0.3.0", intent={"r": "final"})
        settled = over(file, flag)
        assert (settled.pedantic, settled.unsafe_fixes, settled.target_peft, settled.intent) == (
            True,
            True,
            "0.3.0",
            {"r": "final"},
        )

    @pytest.mark.parametrize(
        "flag", [Flags(select=("E501",)), Flags(ignore=("ada1",)), Flags(target_peft="latest")], ids=str
    )
    def test_a_word_that_means_nothing_is_an_error(self, flag: Flags) -> None:
        with pytest.raises(SettingsError, match=r"--(select|ignore|target-peft): "):
            over(Settings(), flag)
