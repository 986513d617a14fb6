"""Suppressions as the command line meets them: what the summary says, and what `--add-ignore` writes."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from commands import CLEAN, IGNORED_RANK, REVERSED, run
from privileges import held_to_permissions

ADAPTER = '{"peft_type": "ADALORA", "init_r": 8, "target_r": 16, "total_step": 100}'
YAML = "a:\n  peft_type: ADALORA\n  init_r: 8\n  target_r: 16\n  total_step: 100\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(files: dict[str, str]) -> None:
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")


def test_the_summary_says_how_many_are_suppressed() -> None:
    put({"x.py": REVERSED.rstrip() + "  # adalint: ignore[ADA102]\n"})
    result = run("check")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "All clear: 1 file with AdaLoRA, nothing to report. 1 suppressed.\n"
    assert run("fix", "--unsafe-fixes").stderr.endswith(" 1 suppressed.\n")


def test_the_summary_says_nothing_when_none_is() -> None:
    put({"x.py": CLEAN})
    assert "suppressed" not in run("check").stderr


@pytest.mark.parametrize("output_format", ["json", "lsp", "full", "concise"])
def test_no_format_shows_what_is_suppressed(output_format: str) -> None:
    put({"x.py": REVERSED.rstrip() + "  # adalint: ignore[ADA102]\n"})
    assert "ADA102" not in run("check", "--output-format", output_format).stdout


class TestAddIgnore:
    def test_every_kind_with_comments_gets_them_and_then_all_is_silent(self) -> None:
        put({"x.py": IGNORED_RANK, "sub/y.yaml": YAML})
        result = run("check", "--add-ignore")
        assert (result.exit_code, result.stdout.splitlines()) == (
            0,
            ["sub/y.yaml: 1 finding silenced", "x.py: 1 finding silenced"],
        )
        assert result.stderr == "Silenced 2 findings.\n"
        assert Path("x.py").read_text() == IGNORED_RANK.replace(
            "config =", "# adalint: ignore[lora-rank-ignored]\nconfig ="
        )
        assert Path("sub/y.yaml").read_text() == YAML.replace(
            "  target_r", "  # adalint: ignore[target-rank-not-below-initial]\n  target_r"
        )
        assert (run("check").exit_code, run("check").stdout) == (0, "")

    def test_a_second_run_writes_nothing(self) -> None:
        put({"x.py": IGNORED_RANK})
        run("check", "--add-ignore")
        before, text = os.stat("x.py").st_mtime_ns, Path("x.py").read_text()
        result = run("check", "--add-ignore")
        assert (result.exit_code, result.stderr) == (0, "Silenced 0 findings.\n")
        assert (os.stat("x.py").st_mtime_ns, Path("x.py").read_text()) == (before, text)

    @pytest.mark.parametrize(
        ("settings", "lines"),
        [
            ({}, ["in adalint.toml you can write", "[per-file-ignores]"]),
            ({"adalint.toml": ""}, ["in adalint.toml you can write", "[per-file-ignores]"]),
            (
                {"pyproject.toml": "[tool.adalint]\n"},
                ["in pyproject.toml you can write", "[tool.adalint.per-file-ignores]"],
            ),
        ],
    )
    def test_a_kind_without_comments_is_told_what_to_write_and_it_works(
        self, settings: dict[str, str], lines: list[str]
    ) -> None:
        put({"a [b]/c/adapter_config.json": ADAPTER, **settings})
        result = run("check", "--add-ignore")
        assert result.exit_code == 1
        first, *rest = result.stdout.splitlines()
        assert first == (
            "a [b]/c/adapter_config.json: target-rank-not-below-initial: not silenced: JSON has no comments"
        )
        rest = [line.strip() for line in rest]
        assert rest[:2] == lines
        assert Path("a [b]/c/adapter_config.json").read_text() == ADAPTER
        name = next(iter(settings), "adalint.toml")
        put({name: settings.get(name, "") + "\n".join(rest[1:]) + "\n"})
        assert run("check").exit_code == 0

    def test_only_the_selected_rules_are_silenced(self) -> None:
        put({"x.py": IGNORED_RANK, "y.py": REVERSED})
        assert run("check", "--add-ignore", "--select", "ADA101").exit_code == 0
        assert "ignore[" in Path("x.py").read_text()
        assert Path("y.py").read_text() == REVERSED

    def test_encoding_mark_and_mode_stay(self) -> None:
        raw = b"\xef\xbb\xbf# -*- coding: utf-8 -*-\r\n" + IGNORED_RANK.replace("\n", "\r\n").encode()
        Path("x.py").write_bytes(raw)
        os.chmod("x.py", 0o755)
        assert run("check", "--add-ignore").exit_code == 0
        after = Path("x.py").read_bytes()
        assert after.replace(b"# adalint: ignore[lora-rank-ignored]\r\n", b"") == raw
        assert stat.S_IMODE(os.stat("x.py").st_mode) == 0o755

    def test_a_read_only_file_is_left_and_told(self) -> None:
        put({"x.py": IGNORED_RANK})
        os.chmod("x.py", 0o444)
        with held_to_permissions():
            result = run("check", "--add-ignore")
        assert (result.exit_code, Path("x.py").read_text()) == (1, IGNORED_RANK)
        assert "x.py: lora-rank-ignored: not silenced: it is read-only" in result.stdout

    def test_a_file_that_cannot_be_read_is_told(self) -> None:
        put({"x.py": "adalora = (\n"})
        Path("y.py").write_bytes(b"# adalora \xff\n")
        result = run("check", "--add-ignore")
        assert result.exit_code == 1
        assert "x.py: unparsable-file: not silenced" in result.stdout
        assert "y.py: ADA904 is not silenced" in result.stderr
        assert result.stderr.endswith("Silenced 0 findings, 2 left.\n")

    def test_standard_input_is_no_file_to_write_into(self) -> None:
        result = run("check", "--add-ignore", "-", stdin=IGNORED_RANK)
        assert (result.exit_code, result.stdout) == (2, "")

    def test_a_useless_suppression_is_left_to_fix(self) -> None:
        put({"x.py": CLEAN.rstrip() + "  # adalint: ignore[ADA101]\n"})
        result = run("check", "--add-ignore")
        assert result.exit_code == 1
        assert "unused-suppression: not silenced: a suppression is mended, not silenced: `adalint fix`" in result.stdout
        assert run("fix").exit_code == 0
        assert Path("x.py").read_text() == CLEAN
