"""Scripts that load their configuration from a file beside them, by a literal path."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from adalint.api import check_paths, check_text
from adalint.settings import Settings

HEAD = "import json\nimport yaml\nfrom omegaconf import OmegaConf\nfrom pathlib import Path\nfrom peft import AdaLoraConfig\n"
BAD = {"task_type": "CAUSAL_LM", "r": 16, "total_step": 900}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def found(text: str, name: str = "train.py") -> list[tuple[str, int]]:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(HEAD + text)
    report = check_text(HEAD + text, filename=name)
    return [(one.code, report.start(one).row - HEAD.count("\n")) for one in report.findings]


def write(data: object, name: str = "conf.yaml") -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(yaml.safe_dump(data, sort_keys=False) if name.endswith("yaml") else json.dumps(data))


@pytest.mark.parametrize(
    "text",
    [
        "with open('conf.yaml') as f:\n    conf = yaml.safe_load(f)\nAdaLoraConfig(**conf)\n",
        "with open('conf.yaml', encoding='utf-8') as f:\n    conf = yaml.load(f, Loader=yaml.SafeLoader)\nAdaLoraConfig(**conf)\n",
        "f = open('conf.yaml')\nconf = yaml.safe_load(f)\nAdaLoraConfig(**conf)\n",
        "PATH = 'conf.yaml'\nconf = yaml.safe_load(open(PATH))\nAdaLoraConfig(**conf)\n",
        "AdaLoraConfig(**yaml.safe_load(Path('conf.yaml').open()))\n",
        "AdaLoraConfig(**OmegaConf.load('conf.yaml'))\n",
        "conf = yaml.safe_load(open('conf.yaml'))\nAdaLoraConfig(task_type='CAUSAL_LM', r=conf['r'], total_step=conf['total_step'])\n",
        "conf = dict(yaml.safe_load(open('conf.yaml')))\nAdaLoraConfig(**conf)\n",
    ],
)
def test_what_stands_in_the_file_is_judged(text: str) -> None:
    write(BAD)
    assert [code for code, _ in found(text)] == ["ADA101"]
    write({**BAD, "init_r": 12})
    Path("conf.yaml").write_text(Path("conf.yaml").read_text().replace("r: 16\n", "lora_alpha: 16\n"))
    assert [code for code, _ in found(text) if "['r']" not in text] == []


def test_a_mapping_within_is_followed() -> None:
    write({"model": "gpt2", "train": {"lr": 0.1, "peft": BAD}})
    assert found("conf = yaml.safe_load(open('conf.yaml'))\nAdaLoraConfig(**conf['train']['peft'])\n") == [
        ("ADA101", 1)
    ]


def test_json_is_read_as_well() -> None:
    write(BAD, "conf.json")
    assert found("AdaLoraConfig(**json.load(open('conf.json')))\n") == [("ADA101", 1)]


def test_what_the_script_changes_afterwards_counts() -> None:
    write(BAD)
    assert (
        found("conf = yaml.safe_load(open('conf.yaml'))\nconf['init_r'] = 24\ndel conf['r']\nAdaLoraConfig(**conf)\n")
        == []
    )
    write({"task_type": "CAUSAL_LM", "target_r": 16, "total_step": 900})
    assert found("conf = yaml.safe_load(open('conf.yaml'))\nAdaLoraConfig(**conf)\n") == [("ADA102", 1)]
    assert found("conf = yaml.safe_load(open('conf.yaml'))\nconf.update(more)\nAdaLoraConfig(**conf)\n") == []


def test_the_folder_may_be_one_above() -> None:
    write(BAD, "configs/conf.yaml")
    assert found("AdaLoraConfig(**yaml.safe_load(open('configs/conf.yaml')))\n", "scripts/train.py") == [("ADA101", 1)]
    assert found("AdaLoraConfig(**yaml.safe_load(open('../configs/conf.yaml')))\n", "scripts/train.py") == [
        ("ADA101", 1)
    ]


def test_two_files_of_that_path_tell_nothing() -> None:
    write(BAD, "conf.yaml")
    write(BAD, "scripts/conf.yaml")
    assert found("AdaLoraConfig(**yaml.safe_load(open('conf.yaml')))\n", "scripts/train.py") == []


def test_a_changed_file_is_read_again() -> None:
    text = "AdaLoraConfig(**yaml.safe_load(open('conf.yaml')))\n"
    write(BAD)
    assert found(text) == [("ADA101", 1)]
    write({"task_type": "CAUSAL_LM", "total_step": 900, "note": "longer than it was"})
    assert found(text) == [("ADA301", 1)]


@pytest.mark.parametrize(
    "text",
    [
        "AdaLoraConfig(**yaml.safe_load(open('missing.yaml')))\n",
        "AdaLoraConfig(**yaml.safe_load(open(path)))\n",
        "AdaLoraConfig(**yaml.safe_load(open(f'{name}.yaml')))\n",
        "AdaLoraConfig(**load('conf.yaml'))\n",
        "AdaLoraConfig(**yaml.safe_load(open('broken.yaml')))\n",
        "AdaLoraConfig(**yaml.safe_load(open('list.yaml')))\n",
        "AdaLoraConfig(**yaml.safe_load(open('several.yaml')))\n",
        "AdaLoraConfig(**yaml.safe_load(open('conf.txt')))\n",
        "AdaLoraConfig(**yaml.safe_load(open('bomb.yaml')))\n",
        "AdaLoraConfig(**yaml.safe_load(open('.')))\n",
        "AdaLoraConfig(**yaml.safe_load(open('')))\n",
        "conf = yaml.safe_load(open('conf.yaml')) if known else {}\nAdaLoraConfig(**conf)\n",
        "def load(path):\n    return yaml.safe_load(open(path))\n\n\ndef main(path):\n    AdaLoraConfig(**load(path))\n",
    ],
)
def test_what_is_not_known_stays_unknown(text: str) -> None:
    write(BAD)
    Path("broken.yaml").write_text("a: [\n")
    Path("list.yaml").write_text("- r: 16\n")
    Path("several.yaml").write_text("r: 16\n---\nr: 8\n")
    Path("conf.txt").write_text("r: 16\n")
    bomb = "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
    Path("bomb.yaml").write_text(bomb + "r: 16\n")
    assert [code for code, _ in found(text) if code != "ADA301"] == []


def test_a_file_that_is_judged_itself_is_told_once() -> None:
    Path("conf.yaml").write_text("peft_type: ADALORA\ntask_type: CAUSAL_LM\nr: 16\ntotal_step: 900\n")
    Path("train.py").write_text(HEAD + "AdaLoraConfig(**yaml.safe_load(open('conf.yaml')))\n")
    reports = check_paths(["."])
    assert [(Path(one.source.path).name, finding.code) for one in reports for finding in one.findings] == [
        ("conf.yaml", "ADA101")
    ]


def test_a_fix_writes_the_number_that_stands_in_the_file() -> None:
    write({"task_type": "CAUSAL_LM", "target_r": 16, "total_step": 900})
    text = HEAD + "AdaLoraConfig(**yaml.safe_load(open('conf.yaml')))\n"
    Path("train.py").write_text(text)
    report = check_text(text, filename="train.py", settings=Settings())
    [finding] = report.findings
    assert [edit.text for edit in finding.fixes[0].edits] == [", init_r=24"]
