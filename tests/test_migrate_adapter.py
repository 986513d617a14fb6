"""`adalint migrate adalora-to-lora` as people run it: what it writes, what it refuses, what it leaves as it was."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from adapter_files import Q, V, config, save, tensors
from commands import run
from hypothesis import given
from hypothesis import strategies as st
from peft.utils.other import get_pattern_key
from safetensors.numpy import load_file

from adalint.migrate.numbers import narrowed, widened
from adalint.migrate.pattern_keys import pattern_keys
from adalint.migrate.tensor_bytes import CHUNK, blocks

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

KEY = "base_model.model"


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    return save(tmp_path / "adalora", config(), tensors())


def migrate(source: Path, target: Path, *options: str) -> Result:
    return run("migrate", "adalora-to-lora", str(source), "-o", str(target), *options)


def state(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refusal(done: Result) -> str:
    assert done.exit_code == 2, done.output
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
    return done.stderr


class TestWhatIsWritten:
    def test_singular_values_and_scale_are_in_a_and_b_is_filled_up(self, adapter: Path, tmp_path: Path) -> None:
        assert migrate(adapter, tmp_path / "lora", "--write").exit_code == 0
        before, after = tensors(), load_file(tmp_path / "lora" / "adapter_model.safetensors")
        for path, rank in ((Q, 3), (V, 1)):
            a, b, e = (before[f"{KEY}.{path}.lora_{part}"].astype("float64") for part in "ABE")
            made_a, made_b = (after[f"{KEY}.{path}.lora_{part}.weight"] for part in "AB")
            assert made_a.shape == (3, 6)
            assert made_b.shape == (5, 3)
            assert (made_a[:rank] == (a * e * (8 / (4 + 1e-5))).astype("float32")).all()
            assert (made_b[:, :rank] == b).all()
            assert not made_a[rank:].any()
            assert not made_b[:, rank:].any()

    def test_the_configuration_is_one_that_any_release_and_server_reads(self, adapter: Path, tmp_path: Path) -> None:
        migrate(adapter, tmp_path / "lora", "--write")
        written = json.loads((tmp_path / "lora" / "adapter_config.json").read_text())
        assert written == {
            "auto_mapping": None,
            "base_model_name_or_path": "some/model",
            "bias": "none",
            "fan_in_fan_out": False,
            "inference_mode": True,
            "init_lora_weights": True,
            "layers_pattern": None,
            "layers_to_transform": None,
            "lora_alpha": 3,
            "lora_dropout": 0.0,
            "modules_to_save": None,
            "peft_type": "LORA",
            "r": 3,
            "revision": None,
            "target_modules": ["q", "v"],
            "task_type": "CAUSAL_LM",
        }

    def test_the_pattern_layout_names_the_modules_of_other_ranks(self, adapter: Path, tmp_path: Path) -> None:
        migrate(adapter, tmp_path / "lora", "--layout", "pattern", "--write")
        written = json.loads((tmp_path / "lora" / "adapter_config.json").read_text())
        assert (written["r"], written["lora_alpha"]) == (3, 3)
        assert written["rank_pattern"] == written["alpha_pattern"] == {V: 1}

    def test_modules_that_nobody_names_are_named_as_lora_would_choose_others(self, tmp_path: Path) -> None:
        source = save(tmp_path / "adalora", config(target_modules=None), tensors())
        migrate(source, tmp_path / "lora", "--write")
        assert json.loads((tmp_path / "lora/adapter_config.json").read_text())["target_modules"] == [Q, V]

    def test_what_a_server_reads_goes_along_and_the_state_of_the_training_does_not(
        self, adapter: Path, tmp_path: Path
    ) -> None:
        kept = ("README.md", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "merges.txt")
        for name in (*kept, "optimizer.pt", "training_args.bin", "trainer_state.json", ".hidden"):
            (adapter / name).write_text(name)
        (adapter / "runs").mkdir()
        done = migrate(adapter, tmp_path / "lora", "--write")
        assert set(state(tmp_path / "lora")) == {*kept, "adapter_config.json", "adapter_model.safetensors"}
        assert "files left: .hidden, optimizer.pt, runs, trainer_state.json, training_args.bin" in done.stdout

    def test_links_of_a_hugging_face_cache_are_followed_and_others_are_not(self, tmp_path: Path) -> None:
        blobs, snapshot = tmp_path / "hub" / "blobs", tmp_path / "hub" / "snapshots" / "abc"
        save(tmp_path / "adalora", config(), tensors())
        blobs.mkdir(parents=True)
        snapshot.mkdir(parents=True)
        (tmp_path / "adalora" / "README.md").write_text("of the adapter")
        (tmp_path / "secret").write_text("of somebody else")
        for number, file in enumerate(sorted((tmp_path / "adalora").iterdir())):
            file.rename(blobs / str(number))
            (snapshot / file.name).symlink_to(f"../../blobs/{number}")
        (snapshot / "LICENSE").symlink_to(tmp_path / "secret")
        done = migrate(snapshot, tmp_path / "lora", "--write")
        assert set(state(tmp_path / "lora")) == {"adapter_config.json", "adapter_model.safetensors", "README.md"}
        assert (tmp_path / "lora" / "README.md").read_text() == "of the adapter"
        assert "files left: LICENSE" in done.stdout
        assert not any(path.is_symlink() for path in (tmp_path / "lora").iterdir())

    def test_shards_become_one_file(self, tmp_path: Path) -> None:
        whole, parts = tensors(), tmp_path / "parts"
        source = save(tmp_path / "adalora", config(), whole)
        first, second = list(whole)[:2], list(whole)[2:]
        save(parts, config(), {name: whole[name] for name in first})
        (parts / "adapter_model.safetensors").rename(parts / "adapter_model-00001-of-00002.safetensors")
        other = save(tmp_path / "other", config(), {name: whole[name] for name in second})
        (other / "adapter_model.safetensors").rename(parts / "adapter_model-00002-of-00002.safetensors")
        names = {name: f"adapter_model-0000{1 + (name in second)}-of-00002.safetensors" for name in whole}
        (parts / "adapter_model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))
        for one, target in ((source, "lora"), (parts, "of parts")):
            assert migrate(one, tmp_path / target, "--write").exit_code == 0
        assert state(tmp_path / "lora") == state(tmp_path / "of parts")

    def test_tensors_larger_than_what_is_held_at_a_time(self, tmp_path: Path) -> None:
        wide, rng = CHUNK + 3, np.random.default_rng(0)
        weights = {
            f"{KEY}.w.lora_A": rng.standard_normal((2, wide)).astype("float32"),
            f"{KEY}.w.lora_E": np.array([[2.0], [0.5]], "float32"),
            f"{KEY}.w.lora_B": rng.standard_normal((wide, 2)).astype("float32"),
        }
        weights |= {
            name.replace(".w.", ".x."): one[:0] if "B" not in name else one[:, :0] for name, one in weights.items()
        }
        values = config(init_r=2, target_modules=["w", "x"], lora_alpha=2, rank_pattern={"x.lora_E": [False, False]})
        done = migrate(save(tmp_path / "adalora", values, weights), tmp_path / "lora", "--write")
        assert done.exit_code == 0, done.output
        made = load_file(tmp_path / "lora/adapter_model.safetensors")
        by = weights[f"{KEY}.w.lora_E"].astype("float64") * (2 / (2 + 1e-5))
        assert (made[f"{KEY}.w.lora_A.weight"] == (weights[f"{KEY}.w.lora_A"] * by).astype("float32")).all()
        assert (made[f"{KEY}.w.lora_B.weight"] == weights[f"{KEY}.w.lora_B"]).all()
        assert made[f"{KEY}.x.lora_B.weight"].shape == (wide, 2)
        assert not made[f"{KEY}.x.lora_B.weight"].any()

    def test_permissions_are_those_of_any_new_file(self, adapter: Path, tmp_path: Path) -> None:
        (tmp_path / "plain").mkdir()
        (tmp_path / "plain" / "file").touch()
        migrate(adapter, tmp_path / "lora", "--write")
        assert (tmp_path / "lora").stat().st_mode == (tmp_path / "plain").stat().st_mode
        modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "lora").iterdir()}
        assert modes == {stat.S_IMODE((tmp_path / "plain" / "file").stat().st_mode)}

    def test_a_copied_tensor_may_be_of_any_type(self, tmp_path: Path) -> None:
        source = save(tmp_path / "adalora", config(), {**tensors(), f"{KEY}.head.weight": np.arange(6, dtype="int64")})
        weights = source / "adapter_model.safetensors"
        weights.write_bytes(weights.read_bytes().replace(b'"dtype":"I64"', b'"dtype":"X64"'))  # some type to come
        assert migrate(source, tmp_path / "lora", "--write").exit_code == 0
        made = (tmp_path / "lora" / "adapter_model.safetensors").read_bytes()
        assert b'"base_model.model.head.weight":{"dtype":"X64","shape":[6]' in made
        assert np.arange(6, dtype="int64").tobytes() in made

    def test_any_name_of_a_module(self, tmp_path: Path) -> None:
        names = {"a b.q%": 2, "层.q": 1, 'quote".q': 1, "tab\t.k": 0, "back\\slash.v": 2}
        masks = {f"{name}.lora_E": [place < rank for place in range(4)] for name, rank in names.items()}
        source = save(tmp_path / "adalora", config(rank_pattern=masks, target_modules=None), tensors(ranks=names))
        for layout in ("uniform", "pattern"):
            assert migrate(source, tmp_path / layout, "--layout", layout, "--write").exit_code == 0
            made = load_file(tmp_path / layout / "adapter_model.safetensors")
            assert {f"{KEY}.{name}.lora_A.weight" for name in names} <= made.keys()
        written = json.loads((tmp_path / "pattern/adapter_config.json").read_text())
        told = written["rank_pattern"]
        found = {name: told.get(get_pattern_key(told, name), written["r"]) for name in names}
        assert found == {name: max(1, rank) for name, rank in names.items()}

    @pytest.mark.parametrize("name", ["with spaces", "100%", "コード", "a,b", "line\nbreak", "\udcff"])
    def test_any_name_of_a_folder(self, tmp_path: Path, name: str) -> None:
        source = save(tmp_path / f"from {name}", config(), tensors())
        assert migrate(source, tmp_path / name, "--write").exit_code == 0
        assert len(state(tmp_path / name)) == 2


class TestWhenNothingIsWritten:
    def test_without_write_it_tells_what_it_would_do(self, adapter: Path, tmp_path: Path) -> None:
        before = state(tmp_path)
        done = migrate(adapter, tmp_path / "lora")
        assert done.exit_code == 1
        assert "uniform layout, r=3, lora_alpha=3" in done.stdout
        assert done.stdout.endswith("Nothing is written yet: --write does it.\n")
        assert state(tmp_path) == before
        assert not (tmp_path / "lora").exists()

    @pytest.mark.parametrize(("options", "code"), [("", 1), (" --write", 2)])
    def test_without_numpy_it_can_tell_but_not_write(
        self, adapter: Path, tmp_path: Path, options: str, code: int
    ) -> None:
        words = f"migrate adalora-to-lora adalora -o lora{options}"
        way = "import sys, adalint.__main__; sys.modules['numpy'] = None; sys.argv[1:] = {!r}; adalint.__main__.main()"
        command = [sys.executable, "-c", way.format(words.split())]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == code
        remedy = "adalint: migrate adalora-to-lora needs numpy; install it with `pip install 'adalint[migrate]'`\n"
        assert done.stderr == (remedy if options else "")
        assert os.listdir(tmp_path) == ["adalora"]

    @pytest.mark.parametrize("options", [(), ("--write",)])
    def test_a_second_run_changes_nothing(self, adapter: Path, tmp_path: Path, options: tuple[str, ...]) -> None:
        migrate(adapter, tmp_path / "lora", "--write")
        times = {path: path.stat().st_mtime_ns for path in (tmp_path / "lora").iterdir()}
        done = migrate(adapter, tmp_path / "lora", *options)
        assert done.exit_code == 0
        assert done.stdout.endswith("holds this already, to the last byte.\n")
        assert {path: path.stat().st_mtime_ns for path in (tmp_path / "lora").iterdir()} == times

    @pytest.mark.parametrize("options", [(), ("--write",)])
    @pytest.mark.parametrize("change", ["a file more", "a byte", "a file less"])
    def test_a_folder_with_something_else_is_left_alone(
        self, adapter: Path, tmp_path: Path, change: str, options: tuple[str, ...]
    ) -> None:
        target = tmp_path / "lora"
        migrate(adapter, target, "--write")
        weights = target / "adapter_model.safetensors"
        match change:
            case "a file more":
                (target / "more").touch()
            case "a byte":
                weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
            case _:
                weights.unlink()
        before = state(tmp_path)
        assert "holds something else than this result" in refusal(migrate(adapter, target, *options))
        assert state(tmp_path) == before

    def test_an_empty_folder_is_taken(self, adapter: Path, tmp_path: Path) -> None:
        (tmp_path / "lora").mkdir()
        assert migrate(adapter, tmp_path / "lora", "--write").exit_code == 0
        assert len(state(tmp_path / "lora")) == 2

    @pytest.mark.parametrize("place", ["", "lora", "a/b"])
    def test_the_source_is_no_place_for_the_result(self, adapter: Path, place: str) -> None:
        before = state(adapter)
        assert "lies in the source" in refusal(migrate(adapter, adapter / place, "--write"))
        assert state(adapter) == before

    def test_nor_is_it_through_a_link(self, adapter: Path, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to(adapter)
        assert "lies in the source" in refusal(migrate(adapter, tmp_path / "link" / "lora", "--write"))

    def test_a_file_is_no_place(self, adapter: Path, tmp_path: Path) -> None:
        (tmp_path / "lora").touch()
        assert "it is no folder" in refusal(migrate(adapter, tmp_path / "lora", "--write"))

    def test_the_folder_around_it_must_be_there(self, adapter: Path, tmp_path: Path) -> None:
        assert "make it first" in refusal(migrate(adapter, tmp_path / "no" / "lora", "--write"))


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"peft_type": "LORA"}, "peft_type is 'LORA'"),
            ({"peft_type": None}, "names no peft_type"),
            ({"init_r": "4"}, "init_r is '4'"),
            ({"init_r": True}, "init_r is True"),
            ({"lora_alpha": None}, "lora_alpha is None"),
            ({"lora_alpha": float("nan")}, "lora_alpha is nan"),
            ({"rank_pattern": [1]}, "rank_pattern is no mapping"),
            ({"rank_pattern": {"q": 8}}, "rank_pattern names q"),
            ({"rank_pattern": {f"{Q}.lora_E": 3}}, "no list of true and false"),
            ({"rank_pattern": {f"{Q}.lora_E": [1, 1, 1, 0]}}, "no list of true and false"),
            ({"rank_pattern": {f"{Q}.lora_E": [True] * 3}}, "has 3 entries and init_r is 4"),
            (
                {"rank_pattern": {f"{Q}.lora_E": [True] * 4}},
                f"{Q}: lora_A has the shape [3, 6], but rank_pattern keeps 4",
            ),
            ({"rank_pattern": None}, "but init_r says 4 ranks"),
            ({"init_r": 3, "rank_pattern": None}, f"{V}: lora_A has the shape [1, 6], but init_r says 3"),
            ({"rank_pattern": {"x.lora_E": [True] * 4}}, "rank_pattern names x"),
        ],
    )
    def test_a_configuration_that_does_not_fit(self, tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
        source = save(tmp_path / "adalora", config(**changes), tensors())
        assert reason in refusal(migrate(source, tmp_path / "lora", "--write"))
        assert os.listdir(tmp_path) == ["adalora"]

    @pytest.mark.parametrize("text", [b"", b"[]", b"{", b"\xff\xfe", b"[" * 100_000])
    def test_a_configuration_that_is_none(self, adapter: Path, tmp_path: Path, text: bytes) -> None:
        (adapter / "adapter_config.json").write_bytes(text)
        assert "adapter_config.json: it is no" in refusal(migrate(adapter, tmp_path / "lora", "--write"))

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            (f"{KEY}.{Q}.lora_magnitude_vector", "is no tensor of AdaLoRA's"),
            (f"{KEY}.{Q}.lora_A.weight", "is no tensor of AdaLoRA's"),
            (f"{KEY}.{Q}.lora_embedding_A", "is no tensor of AdaLoRA's"),
            (f"{Q}.lora_A", "does not begin with base_model.model."),
            (f"{KEY}.layers.1.q.lora_A", "layers.1.q: lora_B and lora_E is missing"),
        ],
    )
    def test_a_tensor_that_does_not_belong(self, tmp_path: Path, name: str, reason: str) -> None:
        source = save(tmp_path / "adalora", config(), {**tensors(), name: np.zeros((3, 6), "float32")})
        assert reason in refusal(migrate(source, tmp_path / "lora", "--write"))

    @pytest.mark.parametrize("part", ["lora_A", "lora_B", "lora_E"])
    def test_a_tensor_that_is_missing(self, tmp_path: Path, part: str) -> None:
        weights = tensors()
        del weights[f"{KEY}.{V}.{part}"]
        source = save(tmp_path / "adalora", config(), weights)
        assert f"{V}: {part} is missing" in refusal(migrate(source, tmp_path / "lora", "--write"))

    def test_numbers_of_a_type_that_adalora_has_not(self, tmp_path: Path) -> None:
        source = save(tmp_path / "adalora", config(), {**tensors(), f"{KEY}.{Q}.lora_A": np.zeros((3, 6), "int32")})
        assert "lora_A is of type I32" in refusal(migrate(source, tmp_path / "lora", "--write"))

    @pytest.mark.parametrize("part", ["A", "B", "E"])
    @pytest.mark.parametrize("number", [np.nan, np.inf])
    def test_numbers_that_are_none(self, tmp_path: Path, part: str, number: float) -> None:
        weights = tensors()
        weights[f"{KEY}.{Q}.lora_{part}"][0, 0] = number
        source = save(tmp_path / "adalora", config(), weights)
        said = refusal(migrate(source, tmp_path / "lora", "--write"))
        assert f"{KEY}.{Q}.lora_{part} holds an infinite number or none" in said
        assert os.listdir(tmp_path) == ["adalora"]

    def test_a_product_that_float16_cannot_hold(self, tmp_path: Path) -> None:
        weights = tensors("float16")
        weights[f"{KEY}.{Q}.lora_A"][1] = 400
        weights[f"{KEY}.{Q}.lora_E"][1] = 300
        source = save(tmp_path / "adalora", config(), weights)
        said = refusal(migrate(source, tmp_path / "lora", "--write"))
        assert f"{KEY}.{Q}.lora_A: row 1 times its singular value and scale is 2.4e+05, too large for F16" in said
        assert os.listdir(tmp_path) == ["adalora"]

    def test_a_pickle_is_never_opened(self, adapter: Path, tmp_path: Path) -> None:
        (adapter / "adapter_model.safetensors").rename(adapter / "adapter_model.bin")
        said = refusal(migrate(adapter, tmp_path / "lora", "--write"))
        assert "adapter_model.bin is a pickle, which is not opened; load the adapter and save it once" in said
        assert "safe_serialization=True" in said

    def test_a_pointer_of_git_lfs(self, adapter: Path, tmp_path: Path) -> None:
        pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n"
        (adapter / "adapter_model.safetensors").write_text(pointer)
        assert "git lfs pull" in refusal(migrate(adapter, tmp_path / "lora", "--write"))

    def test_a_file_that_is_cut_short(self, adapter: Path, tmp_path: Path) -> None:
        weights = adapter / "adapter_model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-4])
        assert "cut short" in refusal(migrate(adapter, tmp_path / "lora", "--write"))

    @pytest.mark.parametrize("name", ["nothing", "file"])
    def test_what_is_no_adapter(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "file").touch()
        refusal(migrate(tmp_path / name, tmp_path / "lora", "--write"))

    @pytest.mark.parametrize(
        ("option", "reason"),
        [
            ("q=2x2", "6 inputs cannot be those of a kernel of 2x2"),
            ("nowhere=3x3", "no adapted module has this name"),
        ],
    )
    def test_a_kernel_that_does_not_fit(self, adapter: Path, tmp_path: Path, option: str, reason: str) -> None:
        assert reason in refusal(migrate(adapter, tmp_path / "lora", "--kernel", option))

    @pytest.mark.parametrize("text", ["q", "q=3", "q=0x3", "=3x3", "q=3x-3"])
    def test_a_kernel_that_is_none(self, adapter: Path, tmp_path: Path, text: str) -> None:
        assert migrate(adapter, tmp_path / "lora", "--kernel", text).exit_code == 2


class TestTheReport:
    def test_it_tells_every_module_its_ranks_and_what_was_measured(self, adapter: Path, tmp_path: Path) -> None:
        migrate(adapter, tmp_path / "lora", "--write", "--report", str(tmp_path / "migration.json"))
        told = json.loads((tmp_path / "migration.json").read_text())
        assert (told["kind"], told["state"], told["layout"]) == ("adalora-to-lora", "written", "uniform")
        assert [(one["path"], one["kept_rank"], one["rank"]) for one in told["modules"]] == [(Q, 3, 3), (V, 1, 3)]
        assert all(0 < one["relative_error"] < 1e-6 for one in told["modules"])
        assert {one["scale"] for one in told["modules"]} == {8 / (4 + 1e-5)}
        assert told["sizes"] == {path.name: path.stat().st_size for path in (tmp_path / "lora").iterdir()}
        assert told["config"] == json.loads((tmp_path / "lora/adapter_config.json").read_text())
        assert {"init_r", "target_r", "rank_pattern", "total_step"} == set(told["dropped_fields"])

    def test_a_dash_prints_it_alone(self, adapter: Path, tmp_path: Path) -> None:
        done = migrate(adapter, tmp_path / "lora", "--report", "-")
        assert json.loads(done.stdout)["state"] == "planned"
        assert sorted(os.listdir(tmp_path)) == ["adalora"]

    def test_without_write_nothing_was_measured(self, adapter: Path, tmp_path: Path) -> None:
        migrate(adapter, tmp_path / "lora", "--report", str(tmp_path / "migration.json"))
        told = json.loads((tmp_path / "migration.json").read_text())
        assert (told["state"], told["sizes"]) == ("planned", None)
        assert {one["relative_error"] for one in told["modules"]} == {None}

    @pytest.mark.parametrize("place", ["adalora/r.json", "lora/r.json"])
    def test_it_does_not_lie_among_the_files_of_an_adapter(self, adapter: Path, tmp_path: Path, place: str) -> None:
        (tmp_path / "lora").mkdir()
        said = refusal(migrate(adapter, tmp_path / "lora", "--write", "--report", str(tmp_path / place)))
        assert "choose another folder" in said
        assert os.listdir(tmp_path / "lora") == []

    def test_it_speaks_chinese_when_asked(self, adapter: Path, tmp_path: Path) -> None:
        assert "还没有写入任何内容" in migrate(adapter, tmp_path / "lora", "--lang", "zh").stdout

    def test_quiet_is_quiet(self, adapter: Path, tmp_path: Path) -> None:
        assert migrate(adapter, tmp_path / "lora", "--write", "-q").output == ""


class TestWhenItIsStopped:
    WAY = "import sys, adalint.__main__; sys.argv[1:] = 'migrate adalora-to-lora adalora -o lora --write'.split()"
    LIMITED = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))"  # Python ignores SIGXFSZ
    )
    HEARING = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # deaf to it in the background

    def command(self, before: str) -> list[str]:
        return [sys.executable, "-c", f"{before}; {self.WAY}; adalint.__main__.main()"]

    @pytest.fixture
    def large(self, tmp_path: Path) -> Path:
        rng = np.random.default_rng(0)
        weights = {
            f"{KEY}.w.lora_A": rng.standard_normal((64, 100_000)).astype("float32"),
            f"{KEY}.w.lora_E": np.ones((64, 1), "float32"),
            f"{KEY}.w.lora_B": rng.standard_normal((100_000, 64)).astype("float32"),
        }
        return save(tmp_path / "adalora", config(init_r=64, rank_pattern=None, target_modules=["w"]), weights)

    def test_by_a_disk_that_is_full_nothing_remains(self, large: Path) -> None:
        command = self.command(self.LIMITED)
        done = subprocess.run(command, cwd=large.parent, capture_output=True, text=True, check=False)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
        assert done.stderr.endswith("; nothing was written\n")
        assert os.listdir(large.parent) == ["adalora"]

    def test_by_an_interrupt_nothing_remains(self, large: Path) -> None:
        child = subprocess.Popen(self.command(self.HEARING), cwd=large.parent, stderr=subprocess.PIPE, text=True)
        while child.poll() is None and os.listdir(large.parent) == ["adalora"]:
            time.sleep(0.001)
        child.send_signal(signal.SIGINT)
        _, said = child.communicate()
        assert (child.returncode, said.strip()) == (130, "")
        assert os.listdir(large.parent) == ["adalora"]


class TestBfloat16:
    @given(st.floats(allow_nan=False, allow_infinity=False))
    def test_float64_is_rounded_to_the_nearest_and_ties_to_even(self, number: float) -> None:
        bits = int(narrowed(np.array([number]), "BF16")[0])
        largest = float(widened(np.array([0x7F7F], "<u2"), "BF16")[0])
        if abs(number) >= largest + 2.0**119:
            assert bits & 0x7FFF == 0x7F80
            return
        assert bits >> 15 == (np.signbit(number))
        found = Fraction(float(widened(np.array([bits], "<u2"), "BF16")[0]))
        distance = abs(found - Fraction(number))
        for other in (bits - 1, bits + 1):
            if (other ^ bits) & 0x8000 or other & 0x7FFF >= 0x7F80:
                continue
            away = abs(Fraction(float(widened(np.array([other & 0xFFFF], "<u2"), "BF16")[0])) - Fraction(number))
            assert distance < away or (distance == away and bits % 2 == 0)

    @given(st.integers(0, 0xFFFF))
    def test_what_is_a_bfloat16_stays_itself(self, bits: int) -> None:
        stored = np.array([bits], "<u2")
        if (bits & 0x7F80) != 0x7F80:
            assert narrowed(widened(stored, "BF16"), "BF16") == stored


class TestPatternKeys:
    NAMES = st.lists(
        st.sampled_from(["a", "b", "ab", "a_b", "layers", "0", "1", "10", "k+", "x*"]), min_size=1, max_size=4
    )

    @given(st.lists(NAMES.map(".".join), unique=True, min_size=1, max_size=12))
    def test_peft_finds_every_module_by_its_own_key(self, paths: list[str]) -> None:
        keys = pattern_keys(paths)
        assert [get_pattern_key(keys.values(), path) for path in paths] == [keys[path] for path in paths]

    def test_plain_paths_are_their_own_keys_so_that_old_releases_find_them(self) -> None:
        paths = [f"model.layers.{layer}.self_attn.{name}" for layer in range(12) for name in ("q_proj", "v_proj")]
        assert pattern_keys(paths) == dict(zip(paths, paths, strict=True))


@given(st.integers(0, 40), st.sampled_from([0, 1, 7, CHUNK // 2, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 5]))
def test_blocks_cover_a_matrix_once_in_order(rows: int, columns: int) -> None:
    at = 0
    for first, last, left, right in blocks(rows, columns):
        assert first * columns + left == at
        assert last - first == 1 or (left, right) == (0, columns)
        size = (last - first) * (right - left)
        assert 0 < size <= CHUNK
        at += size
    assert at == rows * columns
