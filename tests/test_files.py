from __future__ import annotations

import codecs
import os
import socket
import stat
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest
from privileges import held_to_permissions

from adalint import files
from adalint.source import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

TEXT = b"config = AdaLoraConfig(r=8)\n"


def put(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(TEXT)


def walked(root: Path, *paths: Path, exclude: Iterable[str] = ()) -> list[str]:
    targets = files.walk(
        [str(path) for path in paths or (root,)], lambda _: (str(root), (*files.DEFAULT_EXCLUDE, *exclude))
    )
    return [os.path.relpath(target.path, root) for target in targets]


class TestWalking:
    def test_only_kinds_that_are_read_are_listed(self, tmp_path: Path) -> None:
        put(
            tmp_path,
            "a.py",
            "b.json",
            "c.yaml",
            "d.yml",
            "e.pyi",
            "f.pyw",
            "h.md",
            "i.ipynb",
            "j.Rmd",
            "g.txt",
            "h.pyc",
            ".py",
        )
        assert walked(tmp_path) == ["a.py", "b.json", "c.yaml", "d.yml", "e.pyi", "f.pyw", "h.md", "i.ipynb", "j.Rmd"]

    def test_the_order_is_that_of_the_path_parts(self, tmp_path: Path) -> None:
        put(tmp_path, "b/x.py", "b-a/x.py", "a.py", "b.py", "B.py")
        assert walked(tmp_path) == ["B.py", "a.py", "b/x.py", "b-a/x.py", "b.py"]

    def test_hidden_files_are_listed(self, tmp_path: Path) -> None:
        put(tmp_path, ".hidden/x.py", ".y.py")
        assert walked(tmp_path) == [".hidden/x.py", ".y.py"]

    @pytest.mark.parametrize("name", files.DEFAULT_EXCLUDE)
    def test_default_excludes_are_left_out_at_any_depth(self, tmp_path: Path, name: str) -> None:
        put(tmp_path, f"{name}/x.py", f"deep/er/{name}/x.py", f"not-{name}/x.py")
        assert walked(tmp_path) == [f"not-{name}/x.py"]

    @pytest.mark.parametrize("in_repository", [True, False])
    def test_an_ignore_file_is_respected(self, tmp_path: Path, in_repository: bool) -> None:
        if in_repository:
            (tmp_path / ".git").mkdir()
        put(tmp_path, "kept.py", "gone.py", "sub/gone.py", "sub/inner/out.py")
        (tmp_path / ".gitignore").write_text("gone.py\n")
        (tmp_path / "sub" / ".gitignore").write_text("inner/\n")
        assert walked(tmp_path) == ["kept.py"]

    def test_an_ignore_file_further_up_counts_inside_a_repository(self, tmp_path: Path) -> None:
        (tmp_path / ".git").mkdir()
        put(tmp_path, "sub/gone.py", "sub/kept.py")
        (tmp_path / ".gitignore").write_text("gone.py\n")
        assert walked(tmp_path, tmp_path / "sub") == ["sub/kept.py"]

    def test_an_ignore_file_further_up_does_not_count_outside_a_repository(self, tmp_path: Path) -> None:
        put(tmp_path, "sub/kept.py")
        (tmp_path / ".gitignore").write_text("*\n")
        assert walked(tmp_path, tmp_path / "sub") == ["sub/kept.py"]

    def test_a_named_file_is_listed_whatever_excludes_it(self, tmp_path: Path) -> None:
        put(tmp_path, "venv/x.py")
        (tmp_path / ".gitignore").write_text("x.py\n")
        assert walked(tmp_path, tmp_path / "venv" / "x.py", exclude=["x.py"]) == ["venv/x.py"]

    @pytest.mark.parametrize("name", ["build", "venv", "gen"])
    def test_a_named_folder_is_walked_whatever_excludes_it(self, tmp_path: Path, name: str) -> None:
        put(tmp_path, f"{name}/x.py", f"{name}/{name}/y.py")
        assert walked(tmp_path, tmp_path / name, exclude=["gen"]) == [f"{name}/x.py"]

    @pytest.mark.parametrize(
        ("pattern", "left"),
        [
            ("gen", ["src/a.py", "src/b_gen.py"]),
            ("*_gen.py", ["gen/a.py", "src/a.py"]),
            ("/src/a.py", ["gen/a.py", "src/b_gen.py"]),
            ("src/", ["gen/a.py"]),
        ],
    )
    def test_exclude_speaks_the_language_of_gitignore(self, tmp_path: Path, pattern: str, left: list[str]) -> None:
        put(tmp_path, "src/a.py", "src/b_gen.py", "gen/a.py")
        assert walked(tmp_path, exclude=[pattern]) == left

    def test_a_pattern_that_cannot_be_read_is_refused_by_name(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match=r"a\[b"):
            walked(tmp_path, exclude=["a[b"])

    def test_a_file_that_is_reached_twice_is_listed_once(self, tmp_path: Path) -> None:
        put(tmp_path, "sub/x.py")
        again = tmp_path / "sub" / ".." / "sub" / "x.py"
        assert len(walked(tmp_path, tmp_path, tmp_path / "sub", tmp_path / "sub" / "x.py", again)) == 1

    def test_a_link_to_a_listed_file_is_the_same_file(self, tmp_path: Path) -> None:
        put(tmp_path, "real.py")
        (tmp_path / "a_link.py").symlink_to("real.py")
        assert walked(tmp_path) == ["real.py"]

    def test_a_link_to_a_file_of_another_name_inside_is_listed(self, tmp_path: Path) -> None:
        put(tmp_path, "template.tmpl")
        (tmp_path / "x.yaml").symlink_to("template.tmpl")
        assert walked(tmp_path) == ["x.yaml"]

    def test_a_link_that_leads_out_is_left_out(self, tmp_path: Path) -> None:
        put(tmp_path, "outside.py", "root/inside.py")
        (tmp_path / "root" / "link.py").symlink_to(tmp_path / "outside.py")
        assert walked(tmp_path, tmp_path / "root") == ["root/inside.py"]

    def test_a_folder_whose_name_starts_alike_is_outside(self, tmp_path: Path) -> None:
        put(tmp_path, "root-2/outside.py", "root/inside.py")
        (tmp_path / "root" / "link.py").symlink_to(tmp_path / "root-2" / "outside.py")
        assert walked(tmp_path, tmp_path / "root") == ["root/inside.py"]

    def test_links_that_run_in_a_circle_are_harmless(self, tmp_path: Path) -> None:
        put(tmp_path, "sub/x.py")
        (tmp_path / "sub" / "up").symlink_to(tmp_path)
        (tmp_path / "self.py").symlink_to("self.py")
        (tmp_path / "dangling.py").symlink_to("nowhere.py")
        assert walked(tmp_path) == ["sub/x.py"]

    def test_what_is_no_regular_file_is_left_out(self, tmp_path: Path) -> None:
        put(tmp_path, "x.py")
        os.mkfifo(tmp_path / "fifo.yaml")
        (tmp_path / "device.json").symlink_to("/dev/zero")
        (tmp_path / "folder.py").mkdir()
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(tmp_path / "s.py"))
            assert walked(tmp_path) == ["x.py"]

    def test_a_folder_that_cannot_be_listed_is_told_and_the_rest_goes_on(self, tmp_path: Path) -> None:
        put(tmp_path, "closed/x.py", "open/x.py")
        (tmp_path / "closed").chmod(0)
        told: list[tuple[str, str]] = []
        with held_to_permissions():
            targets = list(files.walk([str(tmp_path)], skipped=lambda path, why: told.append((path, why))))
        (tmp_path / "closed").chmod(0o700)
        assert [target.path for target in targets] == [str(tmp_path / "open" / "x.py")]
        assert [path for path, _ in told] == [str(tmp_path / "closed")]
        assert told[0][1].startswith("Permission denied")

    def test_a_named_file_of_another_kind_is_told(self, tmp_path: Path) -> None:
        put(tmp_path, "README.rst")
        told: list[str] = []
        assert list(files.walk([str(tmp_path / "README.rst")], skipped=lambda path, _: told.append(path))) == []
        assert told == [str(tmp_path / "README.rst")]

    def test_a_path_that_does_not_exist_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError) as caught:
            files.walk([str(tmp_path / "nowhere")])
        assert caught.value.filename == str(tmp_path / "nowhere")

    def test_a_named_file_may_be_written_where_its_folder_is(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(tmp_path, "here/x.py", "there/y.py")
        monkeypatch.chdir(tmp_path / "here")
        roots = {os.path.basename(one.path): one.root for one in files.walk(["x.py", str(tmp_path / "there/y.py")])}
        assert roots == {"x.py": str(tmp_path / "here"), "y.py": str(tmp_path / "there")}


class TestThePrefilter:
    @pytest.mark.parametrize("word", ["adalora", "AdaLora", "ADALORA", "from peft import AdaLoRAConfig as C"])
    @pytest.mark.parametrize(
        ("mark", "codec"),
        [
            (b"", "utf-8"),
            (codecs.BOM_UTF8, "utf-8"),
            (codecs.BOM_UTF16_LE, "utf-16-le"),
            (codecs.BOM_UTF16_BE, "utf-16-be"),
            (codecs.BOM_UTF32_LE, "utf-32-le"),
            (codecs.BOM_UTF32_BE, "utf-32-be"),
        ],
    )
    def test_the_name_is_found_in_any_case_and_encoding(self, word: str, mark: bytes, codec: str) -> None:
        assert files.mentions_adalora(mark + f"# 秩\n{word}\n".encode(codec))

    @pytest.mark.parametrize("raw", [b"", b"\xff", b"LoraConfig(r=8)", b"adalor a", "АdaLora".encode()])
    def test_other_texts_are_passed_over(self, raw: bytes) -> None:
        assert not files.mentions_adalora(raw)


class TestReading:
    def test_a_text_that_names_adalora_is_loaded(self, tmp_path: Path) -> None:
        path = tmp_path / "x.py"
        path.write_bytes(b"\xef\xbb\xbf" + TEXT)
        source = files.load(str(path))
        assert source is not None
        assert (source.path, source.content) == (str(path), TEXT)

    def test_a_text_that_does_not_is_passed_over(self, tmp_path: Path) -> None:
        path = tmp_path / "x.py"
        path.write_bytes(b"\xff\xfe\xfa")
        assert files.load(str(path)) is None

    def test_a_text_that_names_it_and_cannot_be_decoded_is_an_error(self, tmp_path: Path) -> None:
        path = tmp_path / "x.yaml"
        path.write_bytes(b"peft_type: ADALORA\nname: caf\xe9\n")
        with pytest.raises(SourceError, match="line 2"):
            files.load(str(path))

    @pytest.mark.parametrize("where", [0, 1024 * 1024 - 3, 3 * 1024 * 1024])
    def test_a_file_that_is_too_large_is_an_error_when_it_names_adalora(self, tmp_path: Path, where: int) -> None:
        path = tmp_path / "x.json"
        path.write_bytes(b" " * where + b"AdaLora" + b" " * 1000)
        with pytest.raises(SourceError, match=r"bytes are more than the 500"):
            files.load(str(path), max_bytes=500)

    def test_a_file_that_is_too_large_is_passed_over_when_it_does_not(self, tmp_path: Path) -> None:
        path = tmp_path / "x.json"
        path.write_bytes(b" " * 3_000_000)
        assert files.load(str(path), max_bytes=500) is None

    def test_a_fifo_is_refused_without_waiting_for_a_writer(self, tmp_path: Path) -> None:
        path = tmp_path / "x.yaml"
        os.mkfifo(path)
        with pytest.raises(files.UnopenedError, match="FIFO"):
            files.load(str(path))

    @pytest.mark.parametrize(("target", "what"), [("/dev/zero", "a device"), (".", "a folder")])
    def test_what_is_no_regular_file_is_refused(self, tmp_path: Path, target: str, what: str) -> None:
        path = tmp_path / "x.yaml"
        path.symlink_to(target)
        with pytest.raises(files.UnopenedError, match=what):
            files.load(str(path))

    def test_a_file_that_has_vanished_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(files.UnopenedError, match="moved or deleted"):
            files.load(str(tmp_path / "x.py"))

    def test_links_that_run_in_a_circle_are_an_error(self, tmp_path: Path) -> None:
        (tmp_path / "x.py").symlink_to("x.py")
        with pytest.raises(files.UnopenedError, match="circle"):
            files.load(str(tmp_path / "x.py"))

    def test_a_file_that_may_not_be_read_is_an_error(self, tmp_path: Path) -> None:
        put(tmp_path, "x.py")
        (tmp_path / "x.py").chmod(0)
        with held_to_permissions(), pytest.raises(files.UnopenedError, match=r"permission denied.*chmod"):
            files.load(str(tmp_path / "x.py"))


class TestWriting:
    def write(self, path: Path, root: Path, before: bytes = TEXT) -> None:
        files.write_atomically(str(path), b"new\r\n", str(root), before)

    @pytest.mark.parametrize("mode", [0o644, 0o600, 0o755, 0o664])
    def test_the_content_changes_and_the_mode_does_not(self, tmp_path: Path, mode: int) -> None:
        put(tmp_path, "x.py")
        (tmp_path / "x.py").chmod(mode)
        self.write(tmp_path / "x.py", tmp_path)
        assert (tmp_path / "x.py").read_bytes() == b"new\r\n"
        assert stat.S_IMODE((tmp_path / "x.py").stat().st_mode) == mode
        assert os.listdir(tmp_path) == ["x.py"]

    def test_a_link_inside_the_root_is_followed_and_stays_a_link(self, tmp_path: Path) -> None:
        put(tmp_path, "sub/real.py")
        (tmp_path / "link.py").symlink_to("sub/real.py")
        self.write(tmp_path / "link.py", tmp_path)
        assert (tmp_path / "link.py").is_symlink()
        assert (tmp_path / "sub" / "real.py").read_bytes() == b"new\r\n"

    def test_a_link_that_leads_out_is_refused_by_name(self, tmp_path: Path) -> None:
        put(tmp_path, "outside.py", "root/inside.py")
        (tmp_path / "root" / "link.py").symlink_to("../outside.py")
        with pytest.raises(SourceError, match=r"outside\.py lies outside"):
            self.write(tmp_path / "root" / "link.py", tmp_path / "root")
        assert (tmp_path / "outside.py").read_bytes() == TEXT

    def test_a_path_behind_a_linked_folder_that_leads_out_is_refused(self, tmp_path: Path) -> None:
        put(tmp_path, "elsewhere/x.py", "root/inside.py")
        (tmp_path / "root" / "folder").symlink_to("../elsewhere")
        with pytest.raises(SourceError, match="lies outside"):
            self.write(tmp_path / "root" / "folder" / "x.py", tmp_path / "root")

    @pytest.mark.parametrize("hub", ["hub/models--org--adapter", "models--org--adapter", "hub/whatever"])
    def test_a_link_into_a_model_cache_is_refused_even_inside_the_root(self, tmp_path: Path, hub: str) -> None:
        put(tmp_path, f"{hub}/blobs/0a1b")
        link = tmp_path / hub / "snapshots" / "rev" / "adapter_config.json"
        link.parent.mkdir(parents=True)
        link.symlink_to("../../blobs/0a1b")
        with pytest.raises(SourceError, match="Hugging Face cache"):
            self.write(link, tmp_path)
        assert (tmp_path / hub / "blobs" / "0a1b").read_bytes() == TEXT

    def test_a_link_to_somebodys_own_blobs_folder_is_followed(self, tmp_path: Path) -> None:
        put(tmp_path, "blobs/real.json")
        (tmp_path / "x.json").symlink_to("blobs/real.json")
        self.write(tmp_path / "x.json", tmp_path)
        assert (tmp_path / "blobs" / "real.json").read_bytes() == b"new\r\n"

    def test_a_read_only_file_is_refused(self, tmp_path: Path) -> None:
        put(tmp_path, "x.py")
        (tmp_path / "x.py").chmod(0o444)
        with pytest.raises(SourceError, match="read-only"):
            self.write(tmp_path / "x.py", tmp_path)
        assert (tmp_path / "x.py").read_bytes() == TEXT

    def test_a_file_that_changed_since_it_was_read_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "x.py").write_bytes(b"typed meanwhile\n")
        with pytest.raises(SourceError, match="changed on disk"):
            self.write(tmp_path / "x.py", tmp_path)
        assert (tmp_path / "x.py").read_bytes() == b"typed meanwhile\n"
        assert os.listdir(tmp_path) == ["x.py"]

    def test_a_file_that_has_vanished_is_not_made_again(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match="moved or deleted"):
            self.write(tmp_path / "x.py", tmp_path)
        assert os.listdir(tmp_path) == []

    def test_a_folder_that_may_not_be_written_is_refused(self, tmp_path: Path) -> None:
        put(tmp_path, "sub/x.py")
        (tmp_path / "sub").chmod(0o500)
        with held_to_permissions(), pytest.raises(SourceError, match=r"cannot be written \(Permission denied\)"):
            self.write(tmp_path / "sub" / "x.py", tmp_path)
        (tmp_path / "sub").chmod(0o700)
        assert (tmp_path / "sub" / "x.py").read_bytes() == TEXT

    def test_when_no_more_can_be_written_the_file_is_as_it_was_and_nothing_is_left_behind(self, tmp_path: Path) -> None:
        put(tmp_path, "x.py")
        script = """
            import resource, sys
            from adalint.files import write_atomically
            from adalint.source import SourceError
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
            path, root = sys.argv[1:]
            try:
                write_atomically(path, b"x" * 100_000, root, open(path, "rb").read())
            except SourceError as error:
                print(error)
        """
        command = [sys.executable, "-c", textwrap.dedent(script), str(tmp_path / "x.py"), str(tmp_path)]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert printed == "cannot be written (File too large); the file is as it was\n"
        assert (tmp_path / "x.py").read_bytes() == TEXT
        assert os.listdir(tmp_path) == ["x.py"]
