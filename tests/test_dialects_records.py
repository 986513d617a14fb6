"""Records of dialects are data that is checked, read late, and enough to add a framework."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import textwrap
import tomllib

import pytest
from commands import CHECKOUT

from adalint import dialects
from adalint.dialects import RecordError, load, marks, modules, packages, records
from adalint.engine import check_source, fix_source
from adalint.findings import Safety
from adalint.settings import Settings
from adalint.source import Kind, Source
from adalint.targets import pins_in

FILES = sorted(dialects.FOLDER.glob("*.toml"))
GUIDE = (CHECKOUT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## A new dialect")[2]


def block(language):
    found = re.search(rf"^   ```{language}\n(.*?)^   ```$", GUIDE, re.MULTILINE | re.DOTALL)
    return textwrap.dedent(found[1])


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """The record of the guide, as the only one there is."""
    (tmp_path / "tunekit.toml").write_text(block("toml"), encoding="utf-8")
    monkeypatch.setattr(dialects, "FOLDER", tmp_path)


def yaml(text):
    return Source("config.yaml", Kind.YAML, text.encode())


def found_in(source, settings=Settings()):  # noqa: B008
    return [(one.code, source.slice(one.span)) for one in check_source(source, settings).findings]


# The guide


def test_the_record_of_the_guide_finds_what_the_guide_says(toy):
    text = block("yaml")
    claims = re.search(r"this file gets (.*?):$", GUIDE, re.MULTILINE)[1]
    claimed = re.findall(r"(ADA\d+) at `(\w+)`", claims)
    assert len(claimed) == 3
    assert sorted(found_in(yaml(text))) == sorted(claimed)


def test_its_findings_and_fixes_speak_the_keys_of_the_framework(toy):
    source = yaml(block("yaml"))
    [finding] = [one for one in check_source(source, Settings()).findings if one.code == "ADA102"]
    assert finding.message.startswith("final_rank=32 is not below start_rank=12: PEFT raises RuntimeError at step ")
    after = fix_source(source, Settings(select=("ADA102",)), Safety.SAFE).after.text
    assert 'start_rank: "32"' in after
    assert "final_rank: 12" in after


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tuning_mode: adalora", "tuning_mode: lora"),
        ("tuning_mode: adalora", "tuning_mode: ${mode}  # adalora"),
        ("tunekit_version: 2", "other_version: 2"),
        ("tuning:\n", "best_tuning:\n"),
        ("tuning:\n", "tuning: {tuning_mode: lora}\nadalora_tuning:\n"),
        ('final_rank: "32"', "final_rank: [16, 32]"),
        ("  use_rslora", "  enabled: false\n  use_rslora"),
    ],
)
def test_a_neighbour_that_is_not_in_force_is_silent(toy, old, new):
    text = block("yaml")
    assert text.count(old) == 1
    assert found_in(yaml(text.replace(old, new))) == []


def test_a_field_that_is_computed_from_a_key_cannot_be_written(toy):
    text = block("yaml").replace('"32"', "8").replace("0.25", "1.0").replace("  begin_rank: 24\n  ", "  ")
    source = yaml(text.replace("  use_rslora: true\n", ""))
    [finding] = check_source(source, Settings()).findings
    assert (finding.code, [fix.why for fix in finding.fixes if fix.effect != "display"]) == (
        "ADA203",
        ["tunekit computes tfinal from `cool_fraction`"],
    )


def test_a_guide_to_the_model_names_every_table_that_the_record_of_the_guide_has():
    assert load(dialects.FOLDER / "ms_swift.toml").model_fields_set <= set(type(records()[0]).model_fields)
    assert set(tomllib.loads(block("toml"))) <= {name.replace("_", "-") for name in type(records()[0]).model_fields}


# The records


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_record_is_valid_and_says_where_it_is_known_from(path):
    record = load(path)
    assert record.source
    assert record.marks == tuple(word.decode() for word in marks(dialects.FOLDER)[path])
    assert record.modules == tuple(word.decode() for word in modules(dialects.FOLDER)[path])


def test_pins_are_read_of_every_package_that_a_record_names(tmp_path):
    assert packages() == {record.package for record in records() if record.package}
    (tmp_path / "requirements.txt").write_text("".join(f"{name}==1.2.3\n" for name in packages()), encoding="utf-8")
    assert {name: pin.release for name, pin in pins_in(str(tmp_path)).items()} == dict.fromkeys(packages(), "1.2.3")


GOOD = (dialects.FOLDER / "ludwig.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('marks = ["adapter"]', '# marks\nmarks = ["adapter"]', "line 1: `marks = [...]` must stand there"),
        ('init_r = "init_r"', 'init_r = "rank"', "'rank' is no field of AdaLoraConfig"),
        ('beta1 = "beta1"\n', "", "nothing says how beta1 is set"),
        ("[driver]", "[chauffeur]", "chauffeur: there is no such key"),
        ('who = "nobody"', 'who = "somebody"', "driver.who"),
        ('[driver]\nwho = "nobody"\n', "", "needs [driver], [total-step] and [loader]"),
        ('value = "2 * value"', 'value = "__import__(1)"', "not allowed"),
        ('date = "2026-11"', 'date = "last year"', "date"),
        ('surfaces = ["yaml", "json", "python"]', 'surfaces = ["yaml", "cli", "python"]', '[cli] goes with "cli"'),
        ('surfaces = ["yaml", "json", "python"]', 'surfaces = ["yaml"]', '[python] and `modules` go with "python"'),
        ('modules = ["ludwig"]\n', "", '[python] and `modules` go with "python"'),
        ("[detect]", "[detect", "line"),
    ],
)
def test_a_record_that_breaks_the_format_is_refused_with_the_reason(tmp_path, old, new, reason):
    assert old in GOOD
    path = tmp_path / "broken.toml"
    path.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(RecordError, match=re.escape(reason)) as error:
        [load(one) for one in marks(tmp_path)]
    assert str(error.value).startswith("broken.toml: ")


def test_the_table_of_frameworks_is_fresh():
    path = CHECKOUT / "docs" / "frameworks.md"
    spec = importlib.util.spec_from_file_location("frameworks_page", CHECKOUT / "scripts" / "frameworks_page.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    text = path.read_text(encoding="utf-8")
    assert script.page(text) == text
    assert all(f"[{record.title}](" in text for record in records() if not record.generic)


# Read late


def test_a_text_of_nobodys_dialect_has_no_record_read(tmp_path):
    (tmp_path / "plain.yaml").write_text("adalora:\n  init_r: 12\n  target_r: 4\n", encoding="utf-8")
    program = (
        "import sys, adalint.dialects as d\n"
        "from adalint.__main__ import main\n"
        "sys.argv = ['adalint', 'check', 'plain.yaml']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    print(end.code or 0)\n"
        "print(d.load.cache_info().misses, 'adalint.dialects.record' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-2:] == ["0", "0 False"], done.stderr


def test_the_version_is_told_without_records_and_pydantic():
    program = (
        "import sys\nfrom adalint.__main__ import main\nsys.argv = ['adalint', '--version']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print([name for name in ('pydantic', 'adalint.dialects') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr
