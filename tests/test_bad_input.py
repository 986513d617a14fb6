"""Whatever lies in a folder: a clear message, the promised exit code, never a traceback, never a lost or half-written file.

All of it through the real command line, in a process of its own.
"""

from __future__ import annotations

import itertools
import os
import random
import resource
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from commands import CHECKOUT, CLEAN, IGNORED_RANK, UNRELATED, run_apart
from privileges import give_up_permissions

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))
    return project


def adalint(*arguments: str, **options: Any) -> tuple[int, str]:
    """Run a command; give its exit code and all that it says, which is never that adalint itself is at fault."""
    done = run_apart(*arguments, timeout=60, **options)
    said = (done.stdout + done.stderr).decode()
    assert "Traceback" not in said
    assert "internal error" not in said
    return done.returncode, said


def is_refused(name: str, code: str, *words: str) -> None:
    """Check that a file is reported with a code and in words by both commands, named or not, and stays as it is."""
    before = Path(name).read_bytes()
    for command, argument in itertools.product(("check", "fix"), (name, ".")):
        exit_code, said = adalint(command, argument)
        assert exit_code == 1
        [line] = [line for line in said.splitlines() if line.startswith(f"{name}:")]
        assert f" {code} " in line
        assert [word for word in words if word not in line] == []
    assert Path(name).read_bytes() == before


class TestEncodings:
    @pytest.mark.parametrize(
        ("name", "raw", "words"),
        [
            (
                "x.py",
                b"import adalora\ns = '\xff\xfe'\n",
                ("not utf-8 text", "0xff on line 2", "save the file as UTF-8"),
            ),
            ("x.json", b'{"peft_type": "ADALORA",\n "a": "\xc3("}', ("not utf-8 text", "0xc3 on line 2")),
            ("x.yaml", b"peft_type: ADALORA\na: \xa0\n", ("not utf-8 text", "0xa0 on line 2")),
            ("x.py", "# Größe\nimport adalora\n".encode("latin-1"), ("not utf-8 text", "0xf6 on line 1")),
            ("x.py", b"# coding: ascii\nimport adalora\ns = '\xe9'\n", ("not ascii text", "0xe9 on line 3")),
            ("x.py", b"# coding: klingon\nimport adalora\n", ("unknown encoding", "save the file as UTF-8")),
            ("x.py", "import adalora\n".encode("utf-16"), ("Python cannot read utf-16-le",)),
            ("x.py", b"\xff\xfe\0\0" + "import adalora\n".encode("utf-32-le"), ("Python cannot read utf-32-le",)),
            ("x.yaml", b"\xfe\xff" + "peft_type: ADALORA".encode("utf-16-be") + b"\xd8\0", ("not utf-16-be text",)),
        ],
    )
    def test_what_is_not_in_its_encoding_is_reported_with_its_place(
        self, name: str, raw: bytes, words: tuple[str]
    ) -> None:
        Path(name).write_bytes(raw)
        is_refused(name, "ADA904", *words)

    @pytest.mark.parametrize(
        ("name", "raw"),
        [
            ("x.py", b"import adalora\n\n\0\n"),
            ("x.json", b'{"peft_type": "ADALORA",\n\n"a": "\0"}'),
            ("x.yaml", b"peft_type: ADALORA\n\na: \0\n"),
        ],
    )
    def test_a_nul_byte_is_reported_with_its_line(self, name: str, raw: bytes) -> None:
        Path(name).write_bytes(raw)
        is_refused(name, "ADA904", "a NUL byte on line 3")

    @pytest.mark.parametrize(
        "raw", [b"\xff\xfe\xfa", b"\0" * 100, "import lora\n".encode("utf-16"), b"# coding: klingon\n"]
    )
    def test_a_file_that_does_not_name_adalora_is_nobodys_business(self, raw: bytes) -> None:
        Path("x.py").write_bytes(raw)
        assert adalint("check", ".") == (0, "All clear: 1 file read, AdaLoRA is not in use.\n")

    @pytest.mark.parametrize(
        ("codec", "line"),
        [
            ("latin-1", "# -*- coding: latin-1 -*-"),
            ("cp1252", "# coding=cp1252"),
            ("gbk", "# vim: set fileencoding=gbk :"),
        ],
    )
    def test_a_coding_line_is_believed_when_reading_and_writing(self, codec: str, line: str) -> None:
        comment = {"gbk": "秩"}.get(codec, "Größe")
        before = f"{line}\n{IGNORED_RANK.rstrip()}  # {comment}\n"
        Path("x.py").write_bytes(before.encode(codec))
        assert adalint("fix", "--unsafe-fixes", "x.py")[0] == 0
        after = Path("x.py").read_bytes().decode(codec)
        assert after.startswith(line)
        assert after.endswith(f"  # {comment}\n")
        assert "r=16" not in after.replace("init_r=16", "")

    @pytest.mark.parametrize("codec", ["utf-16", "utf-8-sig", "utf-32"])
    def test_yaml_behind_a_mark_is_read_and_written_back_as_it_was(self, codec: str) -> None:
        text = "peft_type: ADALORA  # 秩\r\nr: 16\r\ninit_r: 12\r\ntarget_r: 8\r\ntotal_step: 100\r\n"
        Path("x.yaml").write_bytes(text.encode(codec))
        assert adalint("fix", "x.yaml")[0] == 0
        assert Path("x.yaml").read_bytes() == text.replace("r: 16\r\n", "", 1).encode(codec)


PEFT = "from peft import AdaLoraConfig\n"


class TestSizeAndDepth:
    def test_50_megabytes_of_json_are_refused_when_they_name_adalora(self) -> None:
        row = b'{"step": 1, "loss": 0.5, "grad_norm": 0.25},\n'
        body = row * (50_000_000 // len(row))
        Path("x.json").write_bytes(b"[" + body + b'{"peft_type": "ADALORA"}]')
        is_refused("x.json", "ADA904", "bytes are more than the 10,485,760 that adalint reads", "exclude the file")

    def test_50_megabytes_of_json_that_do_not_are_passed_over(self) -> None:
        Path("x.json").write_bytes(b'["' + b"a" * 50_000_000 + b'"]')
        assert adalint("check", "x.json") == (0, "All clear: 1 file read, AdaLoRA is not in use.\n")

    @pytest.mark.parametrize(
        ("name", "text", "words"),
        [
            ("x.json", '{"peft_type": "ADALORA", "x": ' + "[" * 60_000, "nested more than 1,000 levels deep"),
            ("x.json", '{"peft_type": "ADALORA", "x": ' + "[" * 30_000 + "]" * 30_000 + "}", "nested more than 1,000"),
            ("x.json", '{"adalora": ' * 5_000 + "1" + "}" * 5_000, "nested more than 1,000 levels deep"),
            ("x.yaml", "peft_type: ADALORA\nx: " + "[" * 60_000, "nested more than 1,000 levels deep"),
            (
                "x.yaml",
                "peft_type: ADALORA\nx: " + "{a: " * 15_000 + "}" * 15_000,
                "nested more than 1,000 levels deep",
            ),
            ("x.yaml", "peft_type: ADALORA\nx:\n  " + "- " * 30_000 + "1\n", "nested more than 1,000 levels deep"),
            ("x.py", PEFT + "x = " + "(" * 60_000, "too many nested parentheses"),
            ("x.py", PEFT + "x = " + "[" * 30_000 + "]" * 30_000, "too many nested parentheses"),
            ("x.py", PEFT + "x = " + "-" * 60_000 + "1", "nested too deeply"),
            ("x.py", PEFT + "x = a" + ".b" * 30_000, "nested too deeply"),
            ("x.py", PEFT + "x = " + "a + " * 15_000 + "a", "nested too deeply"),
            (
                "x.py",
                PEFT + "if a" + " + a" * 2_400 + ":\n    n = 1\nelse:\n    n = 2\nAdaLoraConfig(init_r=n)\n",
                "nested too",
            ),
        ],
    )
    def test_60_kilobytes_of_brackets_are_refused_as_too_deep(self, name: str, text: str, words: str) -> None:
        Path(name).write_text(text)
        is_refused(name, "ADA901", words)

    @pytest.mark.parametrize(
        "rank",
        [
            "(" * 150 + "4" + ")" * 150,
            "a" + " + a" * 2_400,
            "(a\n" + " + a\n" * 2_400 + ")",
            "a" + ".b" * 2_400,
            "f" + "()" * 2_400,
            "1 if a else " * 900 + "4",
            "not " * 900 + "4",
            "9**9**9**9",
            "int('9' * 10**10)",
        ],
        ids=range(9),
    )
    def test_what_python_itself_can_read_is_read(self, rank: str) -> None:
        Path("x.py").write_text(f"{PEFT}c = AdaLoraConfig(r=16, init_r={rank}, target_r=2, total_step=100)\n")
        code, said = adalint("check", "x.py")
        assert (code, said.count("ADA101"), "ADA9" in said) == (1, 1, False)
        adalint("fix", "x.py")

    @pytest.mark.parametrize(
        "lines",
        [
            ["d0 = {'init_r': 4}", *(f"d{i + 1} = {{**d{i}, **d{i}}}" for i in range(39)), "c = AdaLoraConfig(**d39)"],
            ["l0 = ['a']", *(f"l{i + 1} = [l{i}, l{i}]" for i in range(39)), "c = AdaLoraConfig(target_modules=l39)"],
            ["a0 = n", *(f"a{i + 1} = a{i} + a{i}" for i in range(39)), "c = AdaLoraConfig(init_r=a39)"],
            ["n = 4", *["n += n"] * 2_000, "c = AdaLoraConfig(init_r=n)"],
            [*(f"a{i + 1} = a{i}" for i in range(3_000)), "c = AdaLoraConfig(init_r=a3000)"],
            ["n = 1", *(f"if b{i}:\n    n = n + {i}" for i in range(900)), "c = AdaLoraConfig(init_r=n)"],
            ["if b:\n    n = 1", *(f"elif b{i}:\n    n = {i}" for i in range(900)), "c = AdaLoraConfig(init_r=n)"],
            ["while n:", *(f"    c{i} = AdaLoraConfig(init_r=n, r=c{i})" for i in range(300))],
        ],
        ids=["dicts", "lists", "sums", "augmented", "names", "ifs", "elifs", "configurations"],
    )
    def test_values_that_double_with_each_line_are_given_up_in_time(self, lines: list[str]) -> None:
        Path("x.py").write_text(PEFT + "\n".join(lines) + "\n")
        start = time.monotonic()
        code, said = adalint("check", "x.py")
        assert (code in {0, 1}, "ADA9" in said) == (True, False)
        assert time.monotonic() - start < 30

    def test_an_alias_bomb_is_read_without_growing(self) -> None:
        bomb = ["a0: &a0 [lol]", *(f"a{i + 1}: &a{i + 1} [{', '.join([f'*a{i}'] * 10)}]" for i in range(30))]
        Path("x.yaml").write_text(
            "\n".join([*bomb, "peft_type: ADALORA", "r: 16", "total_step: 100", "modules_to_save: *a30"]) + "\n"
        )
        code, said = adalint("check", "x.yaml", preexec_fn=limit_memory)
        assert (code, "x.yaml:33:" in said, "ADA101" in said) == (1, True, True)

    def test_a_merge_bomb_is_refused(self) -> None:
        first = "a0: &a0 {" + ", ".join(f"k{i}: 1" for i in range(10)) + "}"
        bomb = [first, *(f"a{i + 1}: &a{i + 1} {{<<: [{', '.join([f'*a{i}'] * 10)}]}}" for i in range(3000))]
        Path("x.yaml").write_text("\n".join([*bomb, "peft_type: ADALORA"]) + "\n")
        is_refused("x.yaml", "ADA901", "merges bring in more than 100,000 entries")


def limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))


class TestWhatIsNoFile:
    @pytest.mark.parametrize(
        ("target", "what"), [("/dev/zero", "a device"), ("/dev/tty", "a device"), (".", "a folder")]
    )
    def test_a_device_or_folder_that_is_named_as_a_file_is_refused(self, target: str, what: str) -> None:
        Path("x.yaml").symlink_to(target)
        if what == "a folder":
            assert adalint("check", "x.yaml")[0] == 0
            return
        for command in ("check", "fix"):
            code, said = adalint(command, "x.yaml")
            assert (code, f"ADA904 unreadable-file it is {what}, not a regular file" in said) == (1, True)

    def test_what_is_no_file_does_not_hold_up_a_walk(self) -> None:
        os.mkfifo("a.yaml")
        Path("b.json").symlink_to("/dev/zero")
        Path("c.py").symlink_to("/dev/stdin")
        Path("d.py").mkdir()
        Path("e.py").write_text(IGNORED_RANK)
        code, said = adalint("check", ".")
        assert (code, said.count("ADA"), "e.py:3:" in said) == (1, 1, True)

    def test_a_fifo_that_is_named_is_refused_and_not_waited_for(self) -> None:
        os.mkfifo("x.yaml")
        code, said = adalint("fix", "x.yaml")
        assert (code, "it is a FIFO" in said) == (1, True)
        assert stat.S_ISFIFO(Path("x.yaml").stat().st_mode)


class TestLinks:
    def test_links_that_run_in_a_circle_are_walked_once_and_said_when_named(self) -> None:
        Path("sub").mkdir()
        Path("sub/x.py").write_text(IGNORED_RANK)
        Path("sub/up").symlink_to("..")
        Path("a.py").symlink_to("b.py")
        Path("b.py").symlink_to("a.py")
        code, said = adalint("check", ".")
        assert (code, said.count("ADA101")) == (1, 1)
        code, said = adalint("check", "a.py")
        assert (code, "ADA904 unreadable-file its symbolic links run in a circle" in said) == (1, True)

    def test_a_link_that_leads_nowhere_is_said_when_named(self) -> None:
        Path("x.py").symlink_to("nowhere.py")
        assert adalint("check", ".") == (
            0,
            "Nothing to check: no Python, JSON, YAML, shell, notebook or Markdown file there.\n",
        )
        code, said = adalint("check", "x.py")
        assert (code, "a link leads nowhere" in said) == (1, True)

    @pytest.mark.parametrize("argument", [".", "x.py", "linked/y.py"])
    def test_nothing_outside_is_written_through_a_link(self, argument: str) -> None:
        outside = Path("../outside")
        outside.mkdir()
        for name in ("x.py", "y.py"):
            (outside / name).write_text(IGNORED_RANK)
        Path("x.py").symlink_to("../outside/x.py")
        Path("linked").symlink_to("../outside")
        code, said = adalint("fix", "--unsafe-fixes", argument)
        assert {(outside / name).read_text() for name in ("x.py", "y.py")} == {IGNORED_RANK}
        assert (code, "not fixed: " in said) == ((0, False) if argument == "." else (1, True))


class TestRights:
    def test_a_folder_that_cannot_be_listed_is_said_and_the_rest_is_checked(self) -> None:
        for name in ("closed", "open"):
            Path(name).mkdir()
            Path(name, "x.py").write_text(IGNORED_RANK)
        Path("closed").chmod(0)
        code, said = adalint("check", ".", preexec_fn=give_up_permissions)
        Path("closed").chmod(0o700)
        assert (code, said.count("ADA101")) == (1, 1)
        assert "closed: left out: Permission denied" in said

    def test_a_file_in_a_folder_that_cannot_be_entered_is_said_when_named(self) -> None:
        Path("closed").mkdir()
        Path("closed/x.py").write_text(IGNORED_RANK)
        Path("closed").chmod(0)
        code, said = adalint("check", "closed/x.py", preexec_fn=give_up_permissions)
        Path("closed").chmod(0o700)
        assert code in {1, 2}
        assert "closed/x.py" in said

    def test_a_file_that_may_only_be_read_is_left_alone_and_the_rest_is_fixed(self) -> None:
        for name in ("a.py", "b.py"):
            Path(name).write_text(IGNORED_RANK)
        Path("a.py").chmod(0o444)
        code, said = adalint("fix", ".", preexec_fn=give_up_permissions)
        assert (code, "a.py: not fixed: it is read-only; make it writable first" in said) == (1, True)
        assert Path("a.py").read_text() == IGNORED_RANK
        assert Path("b.py").read_text() != IGNORED_RANK
        assert sorted(os.listdir()) == ["a.py", "b.py"]

    def test_a_folder_that_may_not_be_written_is_said(self) -> None:
        Path("sub").mkdir()
        Path("sub/x.py").write_text(IGNORED_RANK)
        Path("sub").chmod(0o500)
        code, said = adalint("fix", ".", preexec_fn=give_up_permissions)
        Path("sub").chmod(0o700)
        assert (code, "not fixed: cannot be written (Permission denied); the file is as it was" in said) == (1, True)
        assert Path("sub/x.py").read_text() == IGNORED_RANK


class TestVanishing:
    def test_a_path_that_is_not_there_ends_the_run_before_anything_is_written(self) -> None:
        Path("x.py").write_text(IGNORED_RANK)
        assert adalint("fix", "x.py", "gone.py") == (2, "adalint: gone.py: no such file or directory\n")
        assert Path("x.py").read_text() == IGNORED_RANK

    @pytest.mark.parametrize("command", ["check", "fix"])
    def test_files_that_vanish_while_they_are_read_are_said_and_not_made_again(self, command: str) -> None:
        vanished = 0
        for attempt in range(6):
            tree = Path(f"tree{attempt}")
            tree.mkdir()
            for number in range(600):
                (tree / f"x{number:03}.py").write_text(UNRELATED if number % 10 else CLEAN)
            # A large file comes first: while it is looked through, the others go.
            (tree / "a.py").touch()
            os.truncate(tree / "a.py", 60_000_000)
            with started(command, str(tree)) as process:
                wait_until(lambda tree=tree: opened(process, tree))
                shutil.rmtree(tree)
                said = process.communicate(timeout=60)[1].decode()
            assert process.returncode in {0, 1}
            assert "Traceback" not in said
            assert "internal error" not in said
            vanished += said.count("left out: it is gone")
            assert not tree.exists()
        assert vanished

    def test_a_working_directory_that_is_gone_is_said(self) -> None:
        command = f"mkdir gone && cd gone && rmdir ../gone && exec {sys.executable} -m adalint check"
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr.count("\n"), "Traceback" in done.stderr) == (2, 1, False)


def started(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "adalint", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def wait_until(reached: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end


def opened(process: subprocess.Popen[bytes], tree: Path) -> bool:
    """Tell whether a process has a file of the tree open, or has ended."""
    folder = f"/proc/{process.pid}/fd"
    try:
        links = [os.readlink(f"{folder}/{name}") for name in os.listdir(folder)]
    except OSError:
        links = []
    return process.poll() is not None or any(link.startswith(str(tree.absolute()) + "/") for link in links)


def big(number: int) -> str:
    """A script of some 300 kB that takes a moment to write."""
    return IGNORED_RANK + f"# {number} " + "x" * 300_000 + "\n"


class TestWriting:
    def test_when_a_file_cannot_be_written_whole_it_is_as_it_was_and_the_rest_is_fixed(self) -> None:
        Path("a.py").write_text(big(1))
        Path("b.py").write_text(IGNORED_RANK)

        def limit_files() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

        code, said = adalint("fix", ".", preexec_fn=limit_files, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
        assert (code, "a.py: not fixed: cannot be written (File too large); the file is as it was" in said) == (1, True)
        assert Path("a.py").read_text() == big(1)
        assert Path("b.py").read_text() != IGNORED_RANK
        assert sorted(os.listdir()) == ["a.py", "b.py"]

    def test_an_output_file_on_a_full_disk_is_2_with_a_line(self) -> None:
        Path("x.py").write_text(IGNORED_RANK)
        code, said = adalint("check", "x.py", "--output-file", "/dev/full")
        assert (code, said) == (2, "adalint: /dev/full: cannot be written: No space left on device\n")

    def test_a_kill_at_any_moment_leaves_each_file_old_or_new(self) -> None:
        names = [f"x{number:02}.py" for number in range(12)]
        old = {name: big(number) for number, name in enumerate(names)}
        for name in names:
            Path(name).write_text(old[name])
        assert adalint("fix", ".")[0] in {0, 1}
        new = {name: Path(name).read_text() for name in names}
        assert all(new[name] != old[name] for name in names)
        rng = random.Random(9)
        torn = 0
        for attempt in range(20):
            for name in names:
                Path(name).write_text(old[name])
            with started("fix", ".") as process:
                watched = Path(names[attempt % len(names)])
                before = watched.stat().st_ino
                wait_until(lambda: watched.stat().st_ino != before or process.poll() is not None)  # noqa: B023
                time.sleep(rng.random() * 0.004)
                process.send_signal(signal.SIGKILL)
            texts = {name: Path(name).read_text() for name in names}
            assert [name for name in names if texts[name] not in (old[name], new[name])] == []
            torn += len({texts[name] == new[name] for name in names}) == 2
        assert torn >= 5
        assert set(names) <= set(os.listdir())
        assert [name for name in os.listdir() if name not in names and not name.endswith(".adalint")] == []
        code, said = adalint("fix", ".")
        assert {name: Path(name).read_text() for name in names} == new
        assert (code, ".adalint" in said) == (0, False)
