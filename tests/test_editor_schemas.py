"""What the schemas for editors reject, adalint reports as well; and what is right, they let through."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import cache
from typing import TYPE_CHECKING

import pytest
import yaml
from commands import CHECKOUT, run, succeed
from examples import EXAMPLES
from jsonschema import Draft7Validator
from test_documents import documents
from yaml_language_server import YamlLanguageServer

import adalint
from adalint.schema import ALIASES, FIELDS
from adalint.settings import Flags, resolver

if TYPE_CHECKING:
    from pathlib import Path

ISOLATED = ("--isolated", "--output-format", "json")
PLAIN = {"task_type": "CAUSAL_LM", "init_r": 12, "target_r": 8, "total_step": 100}
SAVED = {
    **PLAIN,
    "peft_type": "ADALORA",
    "inference_mode": True,
    "rank_pattern": {"q.lora_E": [True] * 8 + [False] * 4},
}


def surfaces(fields: dict) -> dict[str, tuple[str, str, dict]]:
    """Give the places where a mapping is AdaLoRA's: by name, the schema, the file name and the document."""
    typed = {"peft_type": "ADALORA", **fields}
    return {
        "adapter": ("adapter", "adapter_config.json", typed),
        "saved": ("adapter", "adapter_config.json", {**SAVED, **fields}),
        "typed": ("experiment", "x.json", {"seed": 1, "runs": [{"peft": typed}]}),
        "target": ("experiment", "x.json", {"peft": {"_target_": "peft.AdaLoraConfig", **fields}}),
        "class path": ("experiment", "x.json", {"peft": {"class_path": "peft.AdaLoraConfig", "init_args": fields}}),
        "block": ("experiment", "x.json", {"model": {"AdaLoRA": fields}}),
    }


@cache
def validator(what: str, release: str) -> Draft7Validator:
    schema = json.loads(run("schema", what, "--target-peft", release).stdout)
    Draft7Validator.check_schema(schema)
    return Draft7Validator(schema)


def is_reported(file: str, document: object, release: str) -> bool:
    settings = resolver(Flags(target_peft=release, isolated=True))(".")
    return bool(adalint.check_text(json.dumps(document), filename=file, settings=settings).findings)


VALUES = [None, 0, 12.5, 0.5, "", "12", "${x}", {"a": 1}]
MORE_VALUES = [
    True,
    -1,
    12,
    1.5,
    "adalora",
    [1],
    False,
    1,
    8,
    1e9,
    -0.5,
    "1e-4",
    "none",
    "???",
    "{{ x }}",
    "Some label",
    [],
    ["a"],
    [[0, 1]],
    {},
]
JUDGED = [name for name, field in FIELDS.items() if field.numeric or (field.choices and name != "peft_type")]
NAMES = [*(name for name in FIELDS if name != "peft_type"), *ALIASES, "key_of_a_later_release"]


def disagreements(release: str, values: list, names: list) -> tuple[list, set]:
    """Change one field at a time; give what only the schema rejects, and the places where both do."""
    wrong, agreed = [], set()
    for name in names:
        for value in values:
            for place, (what, file, document) in surfaces({**PLAIN, name: value}).items():
                if not validator(what, release).is_valid(document):
                    agreed.add(place)
                    if not is_reported(file, document, release):
                        wrong.append((place, name, value))
    return wrong, agreed


@pytest.mark.parametrize("place", list(surfaces({})))
def test_what_is_right_is_valid_everywhere(place: str) -> None:
    what, file, document = surfaces(PLAIN)[place]
    for release in ("0.21.2", "0.14.0", "0.3.0"):
        assert validator(what, release).is_valid(document)
        assert not is_reported(file, document, release)


def test_what_a_schema_rejects_is_reported() -> None:
    wrong, agreed = disagreements("0.21.2", VALUES, [*JUDGED, "use_dora", "target_modules", "rank", "total_steps"])
    assert wrong == []
    # Of a saved adapter nothing is rejected: what trains no more can have any schedule.
    assert agreed == set(surfaces({})) - {"saved"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("release", "names", "values"),
    [
        ("0.21.2", JUDGED, [*VALUES, *MORE_VALUES]),
        ("0.3.0", JUDGED, [*VALUES, *MORE_VALUES]),
        *((release, NAMES, VALUES) for release in ("0.21.2", "0.15.0", "0.14.0", "0.8.0")),
    ],
)
def test_what_a_schema_rejects_is_reported_in_every_release(release: str, names: list, values: list) -> None:
    wrong, _ = disagreements(release, values, names)
    assert wrong == []


@pytest.mark.parametrize("place", ["adapter", "typed", "target", "block"])
@pytest.mark.parametrize(
    ("name", "value"),
    [("init_r", 0), ("init_r", "12"), ("lora_alpha", -1), ("beta1", 2), ("bias", "some"), ("task_type", "CASUAL_LM")],
)
def test_a_mistake_is_rejected_everywhere(place: str, name: str, value: object) -> None:
    what, _, document = surfaces({**PLAIN, name: value})[place]
    assert not validator(what, "0.21.2").is_valid(document)


BROKEN = {"peft_type": "ADALORA", **PLAIN, "init_r": 0}


@pytest.mark.parametrize(
    "document",
    [
        {"peft_type": "LORA", "init_r": 0},
        {"peft_type": "ADALORA"},
        {"init_r": 0, "target_r": -1},
        {"enabled": False, **BROKEN},
        {"peft": {"ENABLED": "no", "a": BROKEN}},
        {"method": "lora", "a": BROKEN},
        {"tuner": "Q-LoRA", "adalora": {**PLAIN, "init_r": 0}},
        {"best_params": {}, "a": BROKEN},
        {"results": [BROKEN]},
        {"eval_loss": 0.25, **BROKEN},
        {"metrics": {"f1": 1}, "a": BROKEN},
        {"status": "Finished", "a": BROKEN},
        {"method": "grid", "parameters": BROKEN},
        {"peft_type": "ADALORA", "init_r": "Initial rank", "bias": "Which biases"},
        {"peft_type": "ADALORA", "init_r": {"min": 4}, "lora_alpha": -1},
        {"peft_type": "ADALORA", "adalora_init_r": 0, "beta1": 2},
        {"_target_": "mine.AdaLoraConfig", "init_r": 0},
        [[1, "a", None, [BROKEN["init_r"]]]],
        "adalora",
        None,
    ],
    ids=str,
)
def test_what_is_not_in_force_is_let_through(document: object) -> None:
    assert not is_reported("x.json", document, "0.21.2")
    assert validator("experiment", "0.21.2").is_valid(document)


@pytest.mark.parametrize("name", ["defaults", "base", ".hidden", "x-shared", "peft_base", "Common-adalora"])
def test_material_that_is_only_merged_is_let_through(name: str) -> None:
    material = f"{name}: &m\n  peft_type: ADALORA\n  deltaT: 0\n  total_step: 100\nrun:\n  <<: *m\n  deltaT: 10\n"
    assert adalint.check_text(material, filename="x.yaml").findings == ()
    assert validator("experiment", "0.21.2").is_valid(yaml.safe_load(material))


@pytest.mark.parametrize("release", ["main", "0.2.0", ""])
def test_a_release_that_is_none_is_refused(release: str) -> None:
    done = run("schema", "adapter", "--target-peft", release)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("adalint: --target-peft: ")
    assert done.stderr.count("\n") == 1


def test_a_field_is_there_from_its_release_on() -> None:
    def named(release: str) -> set[str]:
        return set(validator("experiment", release).schema["definitions"]["adalora"]["properties"])

    assert "use_dora" not in named("0.8.2")
    assert "use_dora" in named("0.9.0")


@pytest.mark.parametrize(("value", "deprecated"), [(True, True), (False, False), (None, False)])
def test_an_ignored_field_is_deprecated_where_it_asks_for_something(value: object, *, deprecated: bool) -> None:
    field = validator("adapter", "0.21.2").schema["then"]["else"]["properties"]["use_rslora"]
    assert Draft7Validator(field["if"]).is_valid(value) is deprecated
    assert field["then"] == {"deprecated": True, "deprecationMessage": "AdaLoRA ignores use_rslora."}


def check_jsonschema(schema: Path, files: list[Path]) -> tuple[set[str], set[str]]:
    """Run the real program; give the files that it rejects, and those that it cannot parse."""
    command = [sys.executable, "-m", "check_jsonschema", "-o", "json", "--schemafile", str(schema), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    told = json.loads(done.stdout)
    assert done.returncode == (0 if told["status"] == "ok" else 1), done.stderr
    rejected = {error["filename"] for error in told.get("errors", [])}
    return rejected, {error["filename"] for error in told.get("parse_errors", [])}


def texts() -> list[tuple[str, str]]:
    """Every JSON and YAML text of the fixtures, the rule pages and the catalogue's documents, with its file name."""
    fixtures = [
        (path.name, path.read_text(encoding="utf-8"))
        for path in sorted((CHECKOUT / "fixtures").rglob("*"))
        if path.suffix in {".json", ".yaml", ".yml"}
    ]
    pages = [(one.file, one.text) for one in EXAMPLES]
    catalogue = [(one.file, one.text) for one in documents()]
    return [one for one in [*fixtures, *pages, *catalogue] if one[0].endswith((".json", ".yaml", ".yml"))]


@pytest.mark.parametrize("what", ["adapter", "experiment"])
def test_check_jsonschema_agrees_on_every_text_that_there_is(what: str, tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_bytes(run("schema", what).stdout_bytes)
    files = []
    for number, (name, text) in enumerate(texts()):
        if (name.rpartition("/")[2] == "adapter_config.json") is (what == "adapter"):
            file = tmp_path / str(number) / name
            file.parent.mkdir(parents=True)
            file.write_text(text, encoding="utf-8")
            files.append(file)
    assert len(files) > 10
    told = json.loads(run("check", *ISOLATED, "--exit-zero", str(tmp_path)).stdout)
    reported = {CHECKOUT / one["filename"] for one in told}
    rejected, unparsed = check_jsonschema(schema, files)
    assert rejected - {str(path) for path in reported} == set()
    assert len(rejected) > 5
    assert len(unparsed) < len(files) / 4


NPM = ("vscode-json-languageservice@5", "yaml-language-server@1")
ADALORA = '"peft_type": "ADALORA", "total_step": 10'
EXPERIMENT_PAGE = (CHECKOUT / "docs" / "editor-schemas.md").read_text(encoding="utf-8")


def block_of_the_page(language: str) -> str:
    [text] = re.findall(rf"^```{language}\n(.*?)^```$", EXPERIMENT_PAGE, re.MULTILINE | re.DOTALL)
    return text


@pytest.fixture(scope="module")
def npm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the language services from npm; give their folder, the schemas beside it."""
    folder = tmp_path_factory.mktemp("npm")
    succeed("npm", "install", "--no-audit", "--no-fund", "--prefix", folder, *NPM)
    for what in ("adapter", "experiment"):
        (folder / f"{what}.schema.json").write_bytes(run("schema", what).stdout_bytes)
    return folder


def vs_code(npm: Path, what: str, text: str) -> dict:
    """Ask VS Code's JSON service about one text."""
    script = CHECKOUT / "tests" / "json_language_service.cjs"
    done = subprocess.run(
        ["node", str(script), str(npm / f"{what}.schema.json")],
        input=json.dumps([text]),
        env={**os.environ, "NODE_PATH": str(npm / "node_modules")},
        capture_output=True,
        text=True,
        check=True,
    )
    [answer] = json.loads(done.stdout)
    return answer


@pytest.mark.slow
@pytest.mark.parametrize("what", ["adapter", "experiment"])
class TestVsCode:
    def text(self, what: str, fields: str) -> str:
        mapping = f"{{{ADALORA}, {fields}}}"
        return mapping if what == "adapter" else f'{{"runs": [{{"peft": {mapping}}}]}}'

    def test_a_mistake_is_underlined(self, what: str, npm: Path) -> None:
        [[_, message]] = vs_code(npm, what, self.text(what, '"init_r": 0'))["problems"]
        assert "minimum of 1" in message

    def test_what_peft_itself_saves_is_not(self, what: str, npm: Path) -> None:
        usual = json.dumps({name: field.default for name, field in FIELDS.items() if not field.facts.own})
        usual = {**json.loads(usual), "peft_type": "ADALORA", "total_step": 10}
        assert vs_code(npm, what, json.dumps(usual))["problems"] == []

    def test_an_option_that_is_ignored_is_a_warning(self, what: str, npm: Path) -> None:
        assert vs_code(npm, what, self.text(what, '"r": 16'))["problems"] == [[2, "AdaLoRA ignores r."]]

    def test_fields_are_completed_but_not_those_that_do_nothing(self, what: str, npm: Path) -> None:
        proposed = set(vs_code(npm, what, self.text(what, '"|": 1'))["items"])
        assert {"init_r", "target_r", "deltaT", "task_type"} <= proposed
        assert proposed & {"r", "use_rslora", "use_dora", "rank_pattern", "total_steps"} == set()
        assert proposed <= set(FIELDS)

    def test_words_are_completed(self, what: str, npm: Path) -> None:
        proposed = vs_code(npm, what, self.text(what, '"bias": |"none"'))["items"]
        assert set(proposed) == {'"none"', '"all"', '"lora_only"'}

    def test_a_field_is_explained(self, what: str, npm: Path) -> None:
        hover = vs_code(npm, what, self.text(what, '"tin|it": 1'))["hover"]
        assert FIELDS["tinit"].facts.doc.split("\n")[0] in hover


@pytest.mark.slow
def test_yaml_language_server_validates_and_completes(npm: Path) -> None:
    program = npm / "node_modules" / ".bin" / "yaml-language-server"
    with YamlLanguageServer(program, npm, npm / "experiment.schema.json") as server:
        assert server.problems("a:\n  peft_type: ADALORA\n  init_r: 0\n") == ["Value is below the minimum of 1."]
        assert server.problems("a:\n  peft_type: ADALORA\n  init_r: 12\n  use_rslora: false\n") == []
        assert server.problems("a:\n  peft_type: LORA\n  init_r: 0\n") == []
        assert {"target_r", "deltaT"} <= set(server.completions("a:\n  peft_type: ADALORA\n  init_r: 12\n  |\n"))
        assert set(server.completions("adalora:\n  init_r: 12\n  bias: |\n")) == {"none", "all", "lora_only"}


@pytest.mark.slow
def test_yaml_language_server_takes_the_schema_that_a_file_names(npm: Path) -> None:
    program = npm / "node_modules" / ".bin" / "yaml-language-server"
    text = block_of_the_page("yaml")
    wrong = text.replace("init_r: 12", "init_r: 0")
    with YamlLanguageServer(program, npm) as server:
        assert server.problems(text) == []
        assert server.problems(wrong) == ["Value is below the minimum of 1."]
        assert server.problems(wrong.partition("\n")[2]) == []


def test_the_settings_of_the_page_name_the_schemas_that_its_commands_write() -> None:
    settings = json.loads(block_of_the_page("json"))
    named = {one["url"] for one in settings["json.schemas"]} | set(settings["yaml.schemas"])
    written = re.findall(r"^adalint schema (\w+) > (\S+)$", EXPERIMENT_PAGE, re.MULTILINE)
    assert named == {f"./{file}" for _, file in written}
    assert [run("schema", what).exit_code for what, _ in written] == [0, 0]
    assert "$schema=experiment.schema.json" in block_of_the_page("yaml")
