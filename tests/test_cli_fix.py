from __future__ import annotations

import json
import stat
import subprocess
from pathlib import Path

import pytest
from commands import CLEAN, IGNORED_RANK, REVERSED, UNRELATED, run

from adalint import engine
from adalint.findings import Fixed, Refusal
from adalint.settings import Settings
from adalint.source import Kind, Position, Source

IGNORED_RANK_FIXED = (
    "from peft import AdaLoraConfig\n\n"
    "config = AdaLoraConfig(init_r=12, total_step=100)  # r=16 had no effect in AdaLoRA\n"
)
SWAPPED = "from peft import AdaLoraConfig\n\nconfig = AdaLoraConfig(init_r=16, target_r=8, total_step=100)\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(text: str, name: str = "x.py") -> Path:
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode())
    return path


class TestApplying:
    def test_a_safe_fix_is_written_and_told(self) -> None:
        path = put(IGNORED_RANK)
        result = run("fix")
        assert path.read_text() == IGNORED_RANK_FIXED
        assert result.exit_code == 0
        assert result.stdout.startswith("x.py:3:24: fixed ADA101 lora-rank-ignored: ")
        assert "(training stays the same)" in result.stdout
        assert result.stderr == "Fixed 1 finding. All clear: 1 file with AdaLoRA, nothing to report.\n"

    def test_fixing_again_changes_nothing(self) -> None:
        path = put(IGNORED_RANK)
        run("fix")
        before = path.stat()
        assert run("fix").exit_code == 0
        assert path.stat().st_mtime_ns == before.st_mtime_ns
        assert path.read_text() == IGNORED_RANK_FIXED

    def test_an_unsafe_fix_waits_and_the_way_to_take_it_is_printed_and_works(self) -> None:
        path = put(REVERSED)
        result = run("fix")
        assert (result.exit_code, path.read_text()) == (1, REVERSED)
        command = "adalint fix --unsafe-fixes --select ADA102 x.py"
        assert f"\n    {command}\n" in result.stdout
        assert '\n    reversed-ranks = "swap" under [tool.adalint.intent]\n' in result.stdout
        assert run(*command.split()[1:]).exit_code == 0
        assert path.read_text() == SWAPPED

    def test_a_declared_intent_makes_a_fix_safe(self) -> None:
        path = put(REVERSED)
        put('[tool.adalint.intent]\nreversed-ranks = "swap"\n', "pyproject.toml")
        assert run("fix").exit_code == 0
        assert path.read_text() == SWAPPED

    @pytest.mark.parametrize("text", ["unsafe-fixes = true\n", 'extend-safe-fixes = ["ADA102"]\n'])
    def test_settings_may_allow_unsafe_fixes(self, text: str) -> None:
        path = put(REVERSED)
        put(text, "adalint.toml")
        run("fix")
        assert path.read_text() == SWAPPED

    def test_a_rule_that_is_not_selected_is_not_fixed(self) -> None:
        path = put(IGNORED_RANK)
        assert run("fix", "--ignore", "ADA101").exit_code == 0
        assert path.read_text() == IGNORED_RANK

    @pytest.mark.parametrize("text", [CLEAN, UNRELATED, ""])
    def test_a_file_without_findings_is_not_touched(self, text: str) -> None:
        path = put(text)
        before = path.stat()
        assert run("fix", "--unsafe-fixes").exit_code == 0
        assert path.stat().st_mtime_ns == before.st_mtime_ns

    def test_mode_mark_and_newlines_are_kept(self) -> None:
        path = put("\ufeff" + IGNORED_RANK.replace("\n", "\r\n"))
        path.chmod(0o755)
        run("fix")
        assert path.read_bytes() == ("\ufeff" + IGNORED_RANK_FIXED.replace("\n", "\r\n")).encode()
        assert stat.S_IMODE(path.stat().st_mode) == 0o755

    def test_what_is_left_is_reported_in_the_format_asked_for(self) -> None:
        put(IGNORED_RANK + REVERSED)
        result = run("fix", "--output-format", "json")
        assert [one["code"] for one in json.loads(result.stdout)] == ["ADA102"]
        assert "fixed ADA101" in result.stderr

    def test_exit_zero_exits_with_0(self) -> None:
        put(REVERSED)
        assert run("fix", "--exit-zero").exit_code == 0


class TestRefusals:
    def test_a_link_that_leads_out_of_the_folder_is_not_followed(self) -> None:
        outside = put(IGNORED_RANK, "real.py")
        Path("root").mkdir()
        Path("root/link.py").symlink_to("../real.py")
        assert run("fix", "root").exit_code == 0
        assert outside.read_text() == IGNORED_RANK

    def test_a_link_that_stays_inside_is_followed(self) -> None:
        inside = put(IGNORED_RANK, "real.tmpl")
        Path("link.py").symlink_to("real.tmpl")
        assert run("fix").exit_code == 0
        assert Path("link.py").is_symlink()
        assert inside.read_text() == IGNORED_RANK_FIXED

    def test_a_named_link_out_of_the_working_directory_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        outside = put(IGNORED_RANK, "real.py").absolute()
        Path("root").mkdir()
        Path("root/link.py").symlink_to("../real.py")
        monkeypatch.chdir("root")
        result = run("fix", "link.py")
        assert result.exit_code == 1
        assert "link.py: not fixed: it is a link to" in result.stdout
        assert "ADA101" in result.stdout
        assert outside.read_text() == IGNORED_RANK

    def test_a_file_in_a_model_cache_is_read_but_never_written(self) -> None:
        text = '{"peft_type": "ADALORA", "init_r": 8, "target_r": 16, "total_step": 100}'
        Path("models--org--name/blobs").mkdir(parents=True)
        blob = Path("models--org--name/blobs/0a1b")
        blob.write_text(text)
        Path("models--org--name/snapshots").mkdir()
        Path("models--org--name/snapshots/adapter_config.json").symlink_to("../blobs/0a1b")
        result = run("fix", "--unsafe-fixes")
        assert (result.exit_code, blob.read_text()) == (1, text)
        assert "Hugging Face cache" in result.stdout

    def test_a_read_only_file_is_refused(self) -> None:
        path = put(IGNORED_RANK)
        path.chmod(0o444)
        result = run("fix")
        assert (result.exit_code, path.read_text()) == (1, IGNORED_RANK)
        assert "x.py: not fixed: it is read-only" in result.stdout
        assert "fixed ADA101" not in result.stdout

    def test_one_refusal_does_not_stop_the_others(self) -> None:
        put(IGNORED_RANK, "a.py").chmod(0o444)
        other = put(IGNORED_RANK, "b.py")
        assert run("fix").exit_code == 1
        assert other.read_text() == IGNORED_RANK_FIXED

    def test_a_fix_that_the_engine_refuses_is_told_with_its_reason(self, monkeypatch: pytest.MonkeyPatch) -> None:
        put(IGNORED_RANK)
        judged = engine.check_source(Source("x.py", Kind.PYTHON, IGNORED_RANK.encode()), Settings())
        refusal = Refusal(judged.findings[0], Position(3, 5), "the result could not be written: no such letter")
        refused = Fixed(judged.source, judged.source, refused=(refusal,), left=judged.findings)
        monkeypatch.setattr(engine, "fix_source", lambda *_: refused)
        result = run("fix")
        assert result.exit_code == 1
        assert "x.py:3:5: not fixed ADA101 lora-rank-ignored: the result could not be written" in result.stdout


class TestDiff:
    def test_nothing_is_written_and_the_exit_is_1(self) -> None:
        path = put(IGNORED_RANK)
        result = run("fix", "--diff")
        assert (result.exit_code, path.read_text()) == (1, IGNORED_RANK)
        assert result.stdout.startswith("--- x.py\n+++ x.py\n@@ ")
        assert "would fix ADA101" in result.stderr

    @pytest.mark.parametrize("text", [CLEAN, UNRELATED, REVERSED])
    def test_without_a_change_there_is_no_diff_and_the_exit_is_0(self, text: str) -> None:
        put(text)
        result = run("fix", "--diff")
        assert (result.exit_code, result.stdout) == (0, "")

    @pytest.mark.parametrize("output_format", ["full", "concise", "json", "lsp"])
    def test_stdout_applies_as_a_patch_whatever_the_format(self, output_format: str) -> None:
        put(IGNORED_RANK, "a.py")
        put(REVERSED.replace("\n", "\r\n").rstrip(), "sub/b.py")
        result = run("fix", "--diff", "--unsafe-fixes", "--select", "ADA102", "--output-format", output_format)
        subprocess.run(["patch", "-p0"], input=result.stdout_bytes, check=True, capture_output=True)
        assert Path("sub/b.py").read_bytes() == SWAPPED.replace("\n", "\r\n").rstrip().encode()
        assert Path("a.py").read_text() == IGNORED_RANK

    def test_a_read_only_file_can_be_shown(self) -> None:
        put(IGNORED_RANK).chmod(0o444)
        assert "+config = AdaLoraConfig(init_r=12" in run("fix", "--diff").stdout


class TestStdin:
    def test_the_fixed_text_comes_out_and_all_else_on_stderr(self) -> None:
        result = run("fix", "-", stdin=IGNORED_RANK + REVERSED)
        assert result.stdout == IGNORED_RANK_FIXED + REVERSED
        assert result.exit_code == 1
        assert "fixed ADA101" in result.stderr
        assert "-:6:34: ADA102" in result.stderr

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            (CLEAN.encode(), 0),
            (UNRELATED.encode(), 0),
            (b"", 0),
            (REVERSED.encode(), 1),
            (b"\xff\xfe\x00 no text", 0),
            (b"# adalora \xff", 1),
            (b"import adalora\nprint 'two'\n", 1),
        ],
    )
    def test_what_cannot_be_fixed_comes_out_as_it_went_in(self, text: bytes, code: int) -> None:
        result = run("fix", "-", stdin=text)
        assert (result.stdout_bytes, result.exit_code) == (text, code)

    def test_mark_and_newlines_come_out_as_they_went_in(self) -> None:
        text = "\ufeff" + IGNORED_RANK.replace("\n", "\r\n")
        assert (
            run("fix", "-", stdin=text.encode()).stdout_bytes
            == ("\ufeff" + IGNORED_RANK_FIXED.replace("\n", "\r\n")).encode()
        )

    def test_the_diff_of_a_text_bears_its_name(self) -> None:
        result = run("fix", "-", "--diff", "--stdin-filename", "sub/x.py", stdin=IGNORED_RANK)
        assert result.exit_code == 1
        assert result.stdout.startswith("--- sub/x.py\n+++ sub/x.py\n")
