"""The JSON Schemas say what adalint and PEFT themselves say of good and bad documents."""

from __future__ import annotations

import json
import re
import tomllib
from functools import cache
from typing import TYPE_CHECKING

import pytest
from commands import CHECKOUT, run
from jsonschema import Draft7Validator, Draft202012Validator
from peft import AdaLoraConfig

from adalint.rulebook.pages import FENCE, STEP_KEYS, PageError, load_page
from adalint.schema import ALIASES, FIELDS
from adalint.schema.documents import CASE, CHINESE, FIX, FRONT, OUTCOME, SCHEMAS, SETTINGS
from adalint.schema.editors import adapter_schema
from adalint.settings import READERS, Place, SettingsError, parse

if TYPE_CHECKING:
    from pathlib import Path

PAGES = sorted((CHECKOUT / "rules").glob("ADA*.md"))


DIALECTS = {
    "http://json-schema.org/draft-07/schema#": Draft7Validator,
    "https://json-schema.org/draft/2020-12/schema": Draft202012Validator,
}


@cache
def validator(what: str) -> Draft7Validator | Draft202012Validator:
    schema = json.loads(run("schema", what).stdout)
    kind = DIALECTS[schema["$schema"]]
    kind.check_schema(schema)
    return kind(schema)


@pytest.mark.parametrize("what", list(SCHEMAS))
def test_a_schema_is_one(what: str) -> None:
    wanted = "draft-07" if what in {"adapter", "experiment"} else "2020-12"
    assert wanted in validator(what).schema["$schema"]


GOOD = {"peft_type": "ADALORA", "total_step": 100}


class TestAdapter:
    def test_what_peft_saves_is_valid(self, tmp_path: Path) -> None:
        AdaLoraConfig(total_step=100, task_type="CAUSAL_LM", target_modules=["q"]).save_pretrained(tmp_path)
        saved = json.loads((tmp_path / "adapter_config.json").read_text())
        assert list(validator("adapter").iter_errors(saved)) == []

    @pytest.mark.parametrize(
        "path", sorted((CHECKOUT / "fixtures/innocent").rglob("*.json")), ids=lambda path: path.name
    )
    def test_the_innocent_fixtures_are_valid(self, path: Path) -> None:
        assert list(validator("adapter").iter_errors(json.loads(path.read_text()))) == []

    @pytest.mark.parametrize(
        ("key", "value", "valid"),
        [
            ("init_r", 1, True),
            ("init_r", 0, False),
            ("init_r", "12", False),
            ("target_r", 0, True),
            ("target_r", -1, False),
            ("total_step", 1, True),
            ("total_step", 0, False),
            ("total_step", None, False),
            ("beta1", 0.85, True),
            ("beta1", 1, False),
            ("beta2", 0, False),
            ("deltaT", 0, False),
            ("lora_alpha", 0, False),
            ("lora_alpha", 0.5, True),
            ("lora_dropout", 1, True),
            ("lora_dropout", 1.5, False),
            ("bias", "all", True),
            ("bias", "some", False),
            ("task_type", None, True),
            ("task_type", "CAUSAL_LM", True),
            ("task_type", "CASUAL_LM", False),
            ("peft_type", "adalora", False),
            ("target_modules", ["q", "v"], True),
            ("target_modules", "all-linear", True),
            ("r", 16, True),
            ("rank_pattern", {"q.lora_E": [True, False]}, True),
            ("total_steps", 100, False),
            ("delta_t", 1, False),
            ("rank", 8, False),
            ("key_of_a_later_release", 1, True),
        ],
    )
    def test_a_value_is_valid_where_peft_trains_with_it(self, key: str, value: object, *, valid: bool) -> None:
        assert validator("adapter").is_valid({**GOOD, key: value}) is valid

    def test_the_length_of_the_run_is_required_where_the_release_requires_it(self) -> None:
        without = {"peft_type": "ADALORA"}
        assert not validator("adapter").is_valid(without)
        assert validator("adapter").is_valid({**without, "inference_mode": True})
        assert Draft7Validator(adapter_schema("0.14.0")).is_valid(without)

    def test_an_adapter_of_another_method_is_let_through(self) -> None:
        assert validator("adapter").is_valid({"peft_type": "LORA", "r": 16, "init_r": "x"})
        assert validator("adapter").is_valid({"init_r": "x"})

    def test_every_field_is_described_with_its_default(self) -> None:
        properties = adapter_schema()["then"]["properties"]
        assert set(properties) == set(FIELDS) | set(ALIASES)
        for name, facts in FIELDS.items():
            if name != "peft_type":
                assert properties[name]["description"] == facts.facts.doc.replace("\n", " ")
                assert name == "total_step" or properties[name]["default"] == facts.default


class TestSettings:
    def test_it_knows_the_keys_that_the_reader_knows(self) -> None:
        assert set(SETTINGS) == set(READERS)

    @pytest.mark.parametrize(
        ("text", "valid"),
        [
            ("", True),
            ("select = ['ALL']", True),
            ("select = ['ADA1', 'lora-rank-ignored']", True),
            ("select = 'ALL'", False),
            ("select = ['ada101']", False),
            ("select = ['E-501']", False),
            ("selct = []", False),
            ("extend-select = ['ADA101']\nignore = []", True),
            ("pedantic = true", True),
            ("pedantic = 1", False),
            ("target-peft = '0.15.2'", True),
            ("target-peft = '0.16.0rc1'", True),
            ("target-peft = 'main'", False),
            ("target-peft = 0.15", False),
            ("target-transformers = '4.44'\ntarget-accelerate = '1.2.1'", True),
            ("intent.r = 'init_r'", True),
            ("intent.r = 'swap'", False),
            ("intent.x = 'swap'", False),
            ("intent.reversed-ranks = 'swap'", True),
            ("severity.ADA101 = 'error'", True),
            ("severity.ADA101 = 'off'", True),
            ("severity.ADA101 = 'fatal'", False),
            ("severity.x = 'error'", False),
            ("[per-file-ignores]\n'tests/*' = ['ADA101']", True),
            ("[per-file-ignores]\n'!tests/*' = ['ADA101']", False),
            ("[per-file-ignores]\n'tests/*' = 'ADA101'", False),
            ("exclude = ['old']\nextend-exclude = []\nforce-exclude = true", True),
            ("exclude = 'old'", False),
            ("force-exclude = 'yes'", False),
            ("extend-safe-fixes = ['ADA102']\nunsafe-fixes = false", True),
            ("rule-dirs = ['lint/']", True),
            ("rule-dirs = 'lint/'", False),
            ("output-format = 'json'", True),
            ("output-format = 'xml'", False),
            ("lang = 'zh'", True),
            ("lang = 'fr'", False),
        ],
    )
    def test_it_takes_what_the_reader_takes(self, text: str, *, valid: bool) -> None:
        document = tomllib.loads(text)
        assert validator("settings").is_valid(document) is valid
        try:
            parse(document, Place("adalint.toml"))
        except SettingsError:
            assert not valid
        else:
            assert valid


def front_of(path: Path) -> dict:
    return tomllib.loads(path.read_text(encoding="utf-8").split(FENCE)[1])


class TestRules:
    @pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
    def test_every_page_that_ships_is_valid(self, path: Path) -> None:
        assert [error.message for error in validator("rules").iter_errors(front_of(path))] == []

    @pytest.mark.parametrize(
        ("place", "properties"),
        [
            (("code = ", ""), FRONT),
            (("[[outcome]]", ""), OUTCOME),
            (("[[fix]]", ""), FIX),
            (("[zh]", ""), CHINESE),
            (("summary = ", "[[case]]\nwhen = 'r > 1'\nmessage = 'm'"), CASE),
        ],
        ids=["front", "outcome", "fix", "zh", "case"],
    )
    def test_it_knows_the_keys_that_the_loader_knows(self, place, properties: dict, tmp_path: Path) -> None:
        head, table = place
        text = next(path for path in PAGES if path.name.startswith("ADA101")).read_text(encoding="utf-8")
        if table:
            text = re.sub(r"^(when|at|message) = (\[\n.*?^\]|.*?$)", "", text, flags=re.MULTILINE | re.DOTALL)
            text = text.replace("[[outcome]]", f"{table}\nstrange = 1\n\n[[outcome]]", 1)
            text = re.sub(r"(?<=\[zh\]\n)", 'case = ["m"]\n', text)
        else:
            text = text.replace(head, f"{head}\nstrange = 1\n" if head.startswith("[") else f"strange = 1\n{head}", 1)
        page = tmp_path / "ADA101-lora-rank-ignored.md"
        page.write_text(text, encoding="utf-8")
        with pytest.raises(PageError, match="unknown key 'strange'") as error:
            load_page(page)
        assert set(str(error.value).partition("allowed: ")[2].split()) == set(properties)

    @pytest.mark.parametrize("kind", list(STEP_KEYS))
    def test_every_kind_of_step_is_known(self, kind: str) -> None:
        front = front_of(PAGES[0])
        front["fix"] = [{"title": "t", "effect": "changes", "do": [{kind: "r"}]}]
        assert validator("rules").is_valid(front)
        front["fix"][0]["do"][0]["strange"] = "x"
        assert not validator("rules").is_valid(front)

    @pytest.mark.parametrize(
        "change",
        [
            {"code": "ada101"},
            {"name": "One"},
            {"severity": "fatal"},
            {"where": ["X"]},
            {"check": "unknown_field"},
            {"when": None},
            {"outcome": [{"peft": ">=0.3", "stage": "later"}]},
            {"outcome": [{"stage": "wrap"}]},
            {"fix": [{"title": "t", "effect": "mends"}]},
            {"fix": [{"effect": "changes"}]},
            {"message": []},
            {"strange": 1},
        ],
        ids=str,
    )
    def test_a_broken_page_is_not_valid(self, change: dict) -> None:
        front = front_of(PAGES[0])
        assert validator("rules").is_valid(front)
        changed = {key: value for key, value in {**front, **change}.items() if value is not None}
        assert not validator("rules").is_valid(changed)
