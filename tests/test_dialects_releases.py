"""Which release of PEFT a framework's configuration is judged by, and what the framework raises on its own."""

import pytest

from adalint.api import check_text
from adalint.dialects import FOLDER, load
from adalint.dialects.release import peft_range, pinned_release
from adalint.readers import read_sites
from adalint.settings import Settings
from adalint.source import Source, kind_of
from adalint.targets import release_for

RECORD = load(FOLDER / "ms_swift.toml")
HEAD = "tuner_type: adalora\nmodel: Qwen/Qwen2.5-7B-Instruct\n"


def release_beside(pins, folder, text=HEAD, settings=Settings()):  # noqa: B008 - it is frozen
    if pins is not None:
        (folder / "requirements.txt").write_text(pins)
    path = folder / "config.yaml"
    path.write_text(text)
    [site] = read_sites(Source.decode(str(path), kind_of(path.name), path.read_bytes()))
    return release_for(site, settings)


# Of a release of ms-swift, what its `Requires-Dist` on PyPI says of peft: read of each of these.
ON_PYPI = {
    "1.4.0": ">=0.6.0,<=0.6.2", "1.5.0": ">=0.7.1,<0.8.0", "1.6.1": ">=0.7.1,<0.8.0", "1.6.2": ">=0.8.0,<0.9.0",
    "1.6.3": ">=0.8.0,<0.9.0", "1.7.0": ">=0.9.0,<0.10.0", "1.7.3": ">=0.9.0,<0.10.0", "2.0.0": ">=0.9.0,<0.11.0",
    "2.0.4": ">=0.9.0,<0.11.0", "2.0.5": ">=0.11.0,<0.12.0", "2.2.5": ">=0.11.0,<0.12.0", "2.3.0": ">=0.11.0,<0.13.0",
    "2.6.1": ">=0.11.0,<0.13.0", "3.0.0": ">=0.11.0,<0.15.0", "3.2.1": ">=0.11.0,<0.15.0", "3.2.2": ">=0.11.0,<0.16.0",
    "3.6.4": ">=0.11,<0.16", "3.7.0": ">=0.11,<0.17", "3.7.1": ">=0.11,<0.17", "3.7.2": ">=0.11,<0.18",
    "3.10.3": ">=0.11,<0.18", "3.11.0": ">=0.11,<0.19", "3.12.6": ">=0.11,<0.19", "4.0.0": ">=0.11,<0.19",
    "4.1.2": ">=0.11,<0.19", "4.1.3": ">=0.11,<0.20", "4.5.2": ">=0.11,<0.20", "4.5.3": ">=0.11,<0.21",
    "4.6.0": ">=0.11,<0.21",
}  # fmt: skip


def numbers(specifiers):
    return {one.removesuffix(".0") for one in specifiers.split(",")}


@pytest.mark.parametrize("release", ON_PYPI)
def test_a_release_of_ms_swift_is_installed_with_the_peft_that_it_asks_for(release, tmp_path):
    (tmp_path / "requirements.txt").write_text(f"ms-swift=={release}\n")
    assert numbers(peft_range(RECORD, pinned_release(RECORD, str(tmp_path / "config.yaml")))) == numbers(
        ON_PYPI[release]
    )


@pytest.mark.parametrize(
    ("pins", "release"),
    [
        ("ms-swift==2.6.1\n", "0.12.0"),
        ("ms-swift==3.2.1\n", "0.14.0"),
        ("ms-swift==3.3.0\n", "0.15.2"),
        ("ms-swift[all]==3.3.0 ; python_version >= '3.8'\n", "0.15.2"),
        ("ms-swift<4\n", "0.18.1"),
        ("ms-swift==4.5.0\n", "0.19.1"),
        ("ms-swift==4.6.0\n", "0.20.0"),
        ("ms-swift==5.0.0\n", "0.20.0"),
        ("ms-swift\n", "0.20.0"),
        ("ms-swift @ git+https://github.com/modelscope/ms-swift\n", "0.20.0"),
        ("transformers==4.50.0\n", "0.20.0"),
        (None, "0.20.0"),
    ],
)
def test_a_configuration_of_ms_swift_is_judged_by_the_newest_peft_that_the_pinned_release_allows(
    pins, release, tmp_path
):
    assert release_beside(pins, tmp_path) == release


def test_a_target_that_is_named_counts_before_the_framework(tmp_path):
    assert release_beside("ms-swift==3.3.0\n", tmp_path, settings=Settings(target_peft="0.13.0")) == "0.13.0"


def test_the_range_of_another_framework_is_not_touched(tmp_path):
    (tmp_path / "requirements.txt").write_text("ms-swift==2.6.1\n")
    habana = load(FOLDER / "optimum_habana.toml")
    assert peft_range(habana, pinned_release(habana, str(tmp_path / "config.json"))) == habana.peft == "==0.12.0"


@pytest.mark.parametrize(
    ("pins", "says"),
    [
        ("ms-swift==4.6.0\n", "PEFT raises ValueError when this is constructed"),
        # PEFT looks at whether tinit leaves room for pruning from 0.15 on.
        ("ms-swift==3.2.1\n", "PEFT raises RuntimeError at the first step that prunes"),
    ],
)
def test_a_finding_says_what_the_peft_of_the_pinned_release_does(pins, says, tmp_path):
    (tmp_path / "requirements.txt").write_text(pins)
    path = tmp_path / "config.yaml"
    path.write_text(HEAD + "max_steps: 100\nadalora_tinit: 100\n")
    [finding] = check_text(path.read_text(), filename=str(path)).findings
    assert finding.code == "ADA203"
    assert finding.message.endswith(says)


# What ms-swift raises itself.


def codes(text, name="config.yaml"):
    return [one.code for one in check_text(text, filename=name).findings]


@pytest.mark.parametrize("weight", ["0", "0.0", '"0"', "-0.0", "0e0"])
def test_a_weight_of_zero_is_found_in_ms_swift(weight):
    assert codes(f"{HEAD}adalora_orth_reg_weight: {weight}\n") == ["ADA306"]


def test_the_message_names_the_framework_and_its_key():
    [finding] = check_text(f"{HEAD}adalora_orth_reg_weight: 0\n", filename="config.yaml").findings
    assert finding.message == (
        "adalora_orth_reg_weight=0: ms-swift has a forward pass of its own, which raises ValueError where that is not above 0"
    )


def test_a_negative_weight_is_found_once():
    assert codes(f"{HEAD}adalora_orth_reg_weight: -1\n") == ["ADA306"]


@pytest.mark.parametrize(
    "more",
    [
        "loss_type: cosine",
        "loss_scale: react",
        "rlhf_type: dpo",
        "enable_dft_loss: true",
        "label_smoothing_factor: 0.1",
    ],
)
def test_a_loss_that_gets_no_penalty_raises_nothing(more):
    assert codes(f"{HEAD}adalora_orth_reg_weight: 0\n{more}\n") == []


def test_a_command_line_of_ms_swift_is_told_so_too():
    line = "swift sft --model q --tuner_type adalora --adalora_orth_reg_weight 0"
    assert codes(line + "\n", "run.sh") == ["ADA306"]
    assert codes(line + " --rlhf_type dpo\n", "run.sh") == []
    assert codes(line + ' "$@"\n', "run.sh") == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (f"{HEAD}adalora_orth_reg_weight: 1e-4\n", "config.yaml"),
        (f"{HEAD}adalora_orth_reg_weight: $" + "{w}\n", "config.yaml"),
        (f"{HEAD}", "config.yaml"),
        ("tuner_type: lora\nmodel: q\nadalora_orth_reg_weight: 0\n", "config.yaml"),
        ("adapter:\n  type: adalora\n  orth_reg_weight: 0\noutput_features: []\nbase_model: x\n", "config.yaml"),
    ],
)
def test_its_innocent_neighbours_are_silent(text, name):
    assert "ADA306" not in codes(text, name)
