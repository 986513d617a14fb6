"""The Python API finds and fixes what the command line does, and costs nothing until it is used."""

from __future__ import annotations

import doctest
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from commands import CHECKOUT, CLEAN, IGNORED_RANK, REVERSED, run

import adalint
from adalint import api
from adalint.report.json import render

FIXTURES = sorted(
    path.relative_to(CHECKOUT).as_posix()
    for path in (CHECKOUT / "fixtures").rglob("*")
    if path.suffix in {".py", ".json", ".yaml"}
)
FUNCTIONS = ("check_text", "fix_text", "check_paths", "settings_for")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_examples_in_its_docstrings_are_true() -> None:
    assert doctest.testmod(api, raise_on_error=False).failed == 0


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_an_example(name: str) -> None:
    assert ">>> import adalint" in (inspect.getdoc(getattr(adalint, name)) or "")


@pytest.mark.parametrize("name", FIXTURES)
def test_a_text_gets_the_findings_of_the_command_line(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CHECKOUT)
    raw = Path(name).read_bytes()
    settings = adalint.settings_for(name)
    told = json.loads(run("check", "--output-format", "json", name).stdout)
    assert json.loads(render([adalint.check_text(raw, filename=name, settings=settings)])) == told
    assert json.loads(render([adalint.check_text(raw.decode(), filename=name, settings=settings)])) == told


def test_paths_get_the_findings_of_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CHECKOUT)
    told = json.loads(run("check", "--output-format", "json", "fixtures").stdout)
    assert len(told) > 3
    assert json.loads(render(adalint.check_paths(["fixtures"]))) == told


@pytest.mark.parametrize("name", FIXTURES)
@pytest.mark.parametrize("unsafe_fixes", [False, True])
def test_a_text_is_fixed_as_on_the_command_line(name: str, unsafe_fixes: bool, folder: Path) -> None:
    raw = (CHECKOUT / name).read_bytes()
    file = folder / Path(name).name
    file.write_bytes(raw)
    run("fix", *(["--unsafe-fixes"] if unsafe_fixes else []), file.name)
    assert adalint.fix_text(raw, filename=file.name, unsafe_fixes=unsafe_fixes).after.encode() == file.read_bytes()


def test_pins_and_settings_count_as_on_the_command_line(folder: Path) -> None:
    Path("requirements.txt").write_text("peft==0.14.0")
    Path("adalint.toml").write_text("ignore = ['ADA101']")
    Path("x.py").write_text("from peft import AdaLoraConfig\nAdaLoraConfig(r=16)\n")
    [report] = adalint.check_paths(["x.py"])
    assert [finding.code for finding in report.findings] == ["ADA201"]
    assert "TypeError" in report.findings[0].message
    settings = adalint.settings_for("x.py")
    assert settings.target_peft == "0.14.0"
    assert adalint.check_text(Path("x.py").read_bytes(), filename="x.py", settings=settings) == report


def test_flags_win_as_options_do(folder: Path) -> None:
    Path("adalint.toml").write_text("ignore = ['ADA101']")
    Path("x.py").write_text(IGNORED_RANK)
    assert [report.findings for report in adalint.check_paths(["x.py"])] == [()]
    [report] = adalint.check_paths(["x.py"], flags=adalint.Flags(select=("ADA101",)))
    assert [finding.code for finding in report.findings] == ["ADA101"]


def test_a_release_can_be_given() -> None:
    text = "from peft import AdaLoraConfig\nAdaLoraConfig()\n"
    assert "TypeError" in adalint.check_text(text, target_peft="0.14.0").findings[0].message
    assert "ValueError" in adalint.check_text(text).findings[0].message


def test_places_count_from_1_in_characters() -> None:
    report = adalint.check_text("from peft import AdaLoraConfig\n秩 = '秩'; AdaLoraConfig(r=16, total_step=9)\n")
    [finding] = report.findings
    assert report.start(finding) == adalint.Position(2, 24)
    assert report.end(finding) == adalint.Position(2, 25)
    [edit] = [edit for edit in finding.fixes[0].edits if "init_r" in edit.text]
    assert report.start(edit).row == 2


@pytest.mark.parametrize("text", [b"\xff adalora", b"# adalora \0", "# adalora \0"])
def test_what_cannot_be_read_is_a_finding_and_stays_as_it_is(text: str | bytes) -> None:
    assert [finding.code for finding in adalint.check_text(text).findings] == ["ADA904"]
    fixed = adalint.fix_text(text)
    assert (fixed.after.encode() if isinstance(text, bytes) else fixed.after.text) == text
    assert [finding.code for finding in fixed.left] == ["ADA904"]


@pytest.mark.parametrize("text", [b"\xff", b"\0", "", "\ufeffx = 1", b"# -*- coding: nonsense -*-\n", CLEAN])
def test_what_is_no_business_of_adalints_is_clean_and_stays_as_it_is(text: str | bytes) -> None:
    assert adalint.check_text(text).findings == ()
    after = adalint.fix_text(text).after
    assert (after.encode() if isinstance(text, bytes) else after.encode().decode()) == text


def test_a_coding_line_says_nothing_of_a_string() -> None:
    text = "# -*- coding: latin-1 -*-\nfrom peft import AdaLoraConfig\nAdaLoraConfig(r=16, total_step=9)  # 秩\n"
    assert adalint.fix_text(text).after.text.endswith("# 秩  # r=16 had no effect in AdaLoRA\n")


def test_a_text_that_cannot_be_parsed_is_an_error() -> None:
    [finding] = adalint.check_text("AdaLoraConfig(").findings
    assert (finding.code, finding.severity) == ("ADA901", adalint.Severity.ERROR)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: adalint.check_text("", filename="x.txt"), ValueError),
        (lambda: adalint.check_text("\ud800"), ValueError),
        (lambda: adalint.check_text("", target_peft="new"), adalint.SettingsError),
        (lambda: adalint.check_paths(["nowhere"]), FileNotFoundError),
        (lambda: adalint.check_paths(["."], flags=adalint.Flags(select=("ADA999",))), adalint.SettingsError),
        (lambda: adalint.check_paths(["."], flags=adalint.Flags(config="nowhere.toml")), adalint.SettingsError),
    ],
)
def test_a_wrong_call_raises(call, error: type[Exception], folder: Path) -> None:
    with pytest.raises(error):
        call()


def test_a_file_called_minus_is_a_file(folder: Path) -> None:
    Path("-").write_text(REVERSED)
    assert adalint.check_paths(["-"]) == []


def test_checking_paths_prints_nothing(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Path("x.py").write_text(REVERSED)
    os.mkfifo("y.yaml")
    Path("z.txt").write_text("")
    assert len(adalint.check_paths([".", "z.txt"])) == 1
    assert capfd.readouterr() == ("", "")


def test_everything_that_it_offers_is_there() -> None:
    assert all(getattr(adalint, name) is not None for name in adalint.__all__)
    assert dir(adalint) == sorted(adalint.__all__)
    with pytest.raises(AttributeError, match="no attribute 'check'"):
        adalint.check  # noqa: B018 asking for it is the test


def test_importing_the_package_loads_no_other_module() -> None:
    code = "import sys, adalint; print([one for one in sys.modules if one.startswith(('adalint', 'click', 'json'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['adalint']\n"


def test_a_type_checker_sees_its_types(folder: Path) -> None:
    Path("use.py").write_text(
        "import adalint\nreport = adalint.check_text('')\nreveal_type(report)\n"
        "reveal_type(adalint.fix_text(b'').after.text)\nadalint.check_text(3)\n"
    )
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "use.py"]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    assert 'Revealed type is "adalint.findings.Report"' in told
    assert 'Revealed type is "str"' in told.replace("builtins.", "")
    assert "use.py:5: error" in told
