"""`adalint check --adapter`: what a card says is what PEFT does with the adapter."""

from __future__ import annotations

import json
import shutil
import warnings
from typing import TYPE_CHECKING, Any

import pytest
import torch
from commands import run
from markdown_it import MarkdownIt
from peft import PeftModel
from safetensors.torch import load_file
from train_adapter import KINDS, SCHEDULE, WORDS, base, save

from adalint.adapters.card import Card, Further, Trained, card_of
from adalint.settings import Settings
from adalint.source import Kind, Source

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = "adapter_config.json"
LOWER_BUDGETS = {"kept most": {"target_r": 3}, "kept least": {"target_r": 1}}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cards")
    KINDS.update(LOWER_BUDGETS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for kind in KINDS:
                save(kind, str(folder / kind))
    finally:
        for kind in LOWER_BUDGETS:
            del KINDS[kind]
    return folder


def card(folder: Path) -> Card:
    path = folder / CONFIG
    found = card_of(Source.decode(str(path), Kind.JSON, path.read_bytes()), Settings())
    assert found is not None
    return found


def load(folder: Path, **how: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return PeftModel.from_pretrained(base(), folder, **how)


def edit(folder: Path, **fields: Any) -> None:
    path = folder / CONFIG
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


ALL = [*KINDS, *LOWER_BUDGETS]


@pytest.mark.parametrize("kind", ALL)
def test_ranks_and_parameters_are_those_of_the_loaded_model(trained: Path, kind: str) -> None:
    found = card(trained / kind)
    model = load(trained / kind)
    ranks = {
        name.removeprefix("base_model.model.").removesuffix(".lora_E.default"): parameter.shape[0]
        for name, parameter in model.named_parameters()
        if ".lora_E." in name
    }
    assert dict(found.ranks) == ranks
    assert found.parameters == sum(t.numel() for t in load_file(trained / kind / "adapter_model.safetensors").values())


@pytest.mark.parametrize("kind", ALL)
def test_how_it_was_trained_is_told(trained: Path, kind: str) -> None:
    assert card(trained / kind).trained is (Trained.FIXED if kind == "never allocated" else Trained.ADAPTIVE)


@pytest.mark.parametrize("alpha", [8, 3, 0, -2])
def test_the_scale_is_the_one_that_peft_multiplies_with(trained: Path, tmp_path: Path, alpha: int) -> None:
    folder = shutil.copytree(trained / "allocated", tmp_path / "a")
    edit(folder, lora_alpha=alpha)
    found = card(folder)
    model = load(folder)
    for name, module in model.named_modules():
        if hasattr(module, "ranknum"):
            path = name.removeprefix("base_model.model.")
            scale = found.scale if found.scale is not None else found.scales[path]
            theirs = module.scaling["default"] / (module.ranknum["default"].double().item() + 1e-5)
            assert scale == pytest.approx(theirs, rel=1e-12)
    assert (found.scale is None) == (alpha <= 0)


def _train_on(folder: Path) -> int:
    """Run the schedule once more on a loaded adapter, and count the ranks that are left."""
    model = load(folder, is_trainable=True)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-1)
    for step in range(SCHEDULE["total_step"]):
        model(input_ids=WORDS, labels=WORDS).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
    return sum(sum(mask) for mask in model.peft_config["default"].rank_pattern.values())


@pytest.mark.parametrize("kind", ALL)
def test_training_on_ends_as_the_card_says(trained: Path, kind: str) -> None:
    outcome, ranks = card(trained / kind).trained_on
    if outcome is Further.CRASHES:
        with pytest.raises((RuntimeError, IndexError), match=r"kthvalue|selected index k"):
            _train_on(trained / kind)
    else:
        assert _train_on(trained / kind) == ranks


def test_every_outcome_of_training_on_is_among_them(trained: Path) -> None:
    outcomes = {card(trained / kind).trained_on[0] for kind in ALL}
    assert outcomes == set(Further) - {Further.UNKNOWN}


@pytest.mark.parametrize("task_type", ["CAUSAL_LM", None])
def test_labels_on_an_adapter_for_inference_do_as_the_card_says(
    trained: Path, tmp_path: Path, task_type: str | None
) -> None:
    folder = shutil.copytree(trained / "allocated", tmp_path / "a")
    edit(folder, task_type=task_type)
    model = load(folder)
    if card(folder).raises_on_labels:
        with pytest.raises(AttributeError, match="trainable_adapter_name"):
            model(input_ids=WORDS, labels=WORDS)
    else:
        assert model(input_ids=WORDS, labels=WORDS).loss.isfinite()


@pytest.mark.parametrize(
    "spoilt", [{"total_step": None}, {"rank_pattern": {}}, {"init_r": 9}, {"total_step": 5}, {"use_dora": True}]
)
def test_what_does_not_load_is_told_with_its_exception(trained: Path, tmp_path: Path, spoilt: dict[str, Any]) -> None:
    folder = shutil.copytree(trained / "allocated", tmp_path / "a")
    assert card(folder).failures == ()
    edit(folder, **spoilt)
    failures = card(folder).failures
    assert failures
    with pytest.raises(Exception) as caught:  # noqa: PT011 - which one is what is compared
        load(folder)
    assert {one.exception for one in failures} <= {None, type(caught.value).__name__}


def test_the_old_release_is_judged_where_it_is_the_target(trained: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(trained / "allocated", tmp_path / "a")
    edit(folder, total_step=None)
    done = run("check", "--isolated", "--target-peft", "0.14.0", "--adapter", str(folder), "--json")
    [told] = json.loads(done.stdout)
    assert told["loading"] == {"peft": "0.14.0", "loads": True, "failures": []}


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_text_names_each_kind_of_module_once_and_draws_it(trained: Path) -> None:
    done = run("check", "--isolated", "--adapter", str(trained / "allocated"))
    assert done.exit_code == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines() if "model.layers" in line] == [
        "model.layers.*.self_attn.q_proj",
        "model.layers.*.self_attn.v_proj",
    ]
    assert "8 of 16 left in 4 modules; the budget of 8 is reached" in done.stdout


def test_several_adapters_have_a_card_each_and_findings_set_the_exit_code(trained: Path) -> None:
    folders = [str(trained / kind) for kind in ("allocated", "never allocated", "emptied")]
    arguments = [word for folder in folders for word in ("--adapter", folder)]
    done = run("check", "--isolated", *arguments, "--output-format", "json")
    assert done.exit_code == 1
    cards = json.loads(done.stdout)
    assert [[one["code"] for one in each["findings"]] for each in cards] == [[], ["ADA501"], ["ADA508"]]
    assert [each["budget_reached"] for each in cards][1] is None
    assert run("check", "--isolated", *arguments, "--exit-zero").exit_code == 0


def test_markdown_is_a_table(trained: Path) -> None:
    done = run("check", "--isolated", "--adapter", str(trained / "stopped early"), "--output-format", "markdown")
    tokens = MarkdownIt("commonmark").enable("table").parse(done.stdout)
    assert [token.type for token in tokens].count("table_open") == 2
    assert "ADA503" in done.stdout


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_line_is_said_in_both_languages(trained: Path, language: str) -> None:
    folders = [word for kind in ALL for word in ("--adapter", str(trained / kind))]
    done = run("check", "--isolated", "--lang", language, *folders)
    assert done.exit_code == 1, done.stderr
    assert ("训练方式" in done.stdout) == (language == "zh")


def test_weights_that_are_missing_are_named(trained: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(trained / "allocated", tmp_path / "a")
    (folder / "adapter_model.safetensors").unlink()
    done = run("check", "--isolated", "--adapter", str(folder))
    assert done.exit_code == 0
    assert "there is no adapter_model.safetensors" in done.stdout


@pytest.mark.parametrize(
    ("write", "said"),
    [
        ({}, "there is no adapter_config.json"),
        ({CONFIG: '{"peft_type": "LORA", "r": 8}'}, "its peft_type is 'LORA', not ADALORA"),
        ({CONFIG: '{"peft_type": "ADALORA", '}, "cannot be read"),
        ({CONFIG: "[]"}, "it is not the configuration of an adapter"),
        ({CONFIG: "version https://git-lfs.github.com/spec/v1\noid sha256:0\n"}, "git lfs pull"),
    ],
)
def test_what_is_no_adapter_is_told_with_the_place(tmp_path: Path, write: dict[str, str], said: str) -> None:
    for name, text in write.items():
        (tmp_path / name).write_text(text)
    done = run("check", "--isolated", "--adapter", str(tmp_path))
    assert done.exit_code == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


def test_a_folder_of_adapters_names_them(trained: Path) -> None:
    done = run("check", "--isolated", "--adapter", str(trained))
    assert done.exit_code == 2
    assert "allocated" in done.stderr


def test_other_paths_and_formats_are_refused(trained: Path) -> None:
    folder = str(trained / "allocated")
    for arguments in (["--adapter", folder, "x.py"], ["--adapter", folder, "--output-format", "lsp"], ["--json"]):
        done = run("check", "--isolated", *arguments)
        assert (done.exit_code, done.stdout) == (2, "")
