"""The words of a command line that speak a framework's dialect are read with PEFT's names and the flags' places."""

from __future__ import annotations

import pytest

from adalint.dialects.arguments import site_of_arguments, sites_of_commands
from adalint.engine import check_source
from adalint.plan import assemble
from adalint.readers.shell_reader import read_commands
from adalint.rulebook.framework_checks import framework_never_allocates, framework_without_adalora, renamed_option
from adalint.rulebook.judge import SiteFacts
from adalint.settings import Settings
from adalint.source import Kind, Source
from adalint.values import UNKNOWN, Literal


def sites_in(text):
    source = Source("run.sh", Kind.SHELL, text.encode())
    found = [site_of_arguments(source, command.words) for command in read_commands(source)]
    return [site for site in found if site is not None]


def site_in(text):
    [site] = sites_in(text)
    return site


def known(site, *names):
    values = assemble(site).values
    return [values[name].value if isinstance(values[name], Literal) else values[name] for name in names]


SWIFT = "swift sft --model Qwen/Qwen2.5-7B-Instruct --tuner_type adalora"
HABANA = "python run_lora_clm.py --use_habana --peft_type adalora"
EXAMPLE = "accelerate launch peft_adalora_whisper_large_training.py --use_peft --use_adalora"


def test_flags_with_a_space_or_an_equals_sign_are_fields_of_peft():
    site = site_in(f"{SWIFT} --adalora_init_r 24 --adalora_target_r=8 --lora_rank 16")
    assert known(site, "init_r", "target_r", "r") == [24, 8, 16]
    texts = {name: (site.source.slice(one.key_span), site.source.slice(one.span)) for name, one in site.values.items()}
    assert texts["init_r"] == ("--adalora_init_r", "24")
    assert texts["target_r"][1] == "8"


def test_what_is_not_written_is_the_frameworks_default():
    assert known(site_in(HABANA), "init_r", "target_r", "tinit", "tfinal", "deltaT") == [12, 4, 50, 100, 10]
    assert known(site_in(SWIFT), "lora_alpha", "total_step") == [32.0, UNKNOWN]
    assert known(site_in(f"{SWIFT} --max_steps 900"), "total_step") == [900]


def test_numbers_of_a_command_line_are_numbers_even_where_the_file_keeps_text():
    assert known(
        site_in(f"{HABANA} --adalora_orth_reg_weight 1e-1 --adalora_init_r 20"), "orth_reg_weight", "init_r"
    ) == [
        0.1,
        20,
    ]


@pytest.mark.parametrize("number", ["ten", "10.0", "$RANK", "${RANK:-$R}", "''"])
def test_what_is_no_number_or_unknown_is_unknown(number):
    assert known(site_in(f"{SWIFT} --adalora_init_r {number}"), "init_r") == [UNKNOWN]


def test_a_variable_that_the_script_sets_is_known():
    assert known(site_in(f"R=24\n{SWIFT} --adalora_init_r $R"), "init_r") == [24]


def test_lists_are_lists_and_the_last_of_a_repeated_flag_counts():
    site = site_in(f"{SWIFT} --target_modules q_proj v_proj --adalora_init_r 8 --adalora_init_r 24")
    assert known(site, "target_modules", "init_r") == [["q_proj", "v_proj"], 24]
    assert [one.text for one in site.repeated["init_r"]] == ["8"]


def test_the_launcher_and_the_folder_of_a_script_do_not_matter():
    assert known(site_in(f"CUDA_VISIBLE_DEVICES=0 {EXAMPLE} --delta_t 5"), "deltaT", "target_r") == [5, 4]
    torchrun = "torchrun --nproc_per_node 2 examples/run_lora_clm.py --use_habana --peft_type adalora"
    assert known(site_in(torchrun), "init_r") == [12]


@pytest.mark.parametrize(
    "text",
    [
        "swift sft --model x --tuner_type lora --adalora_init_r 8 --adalora_target_r 16",
        "swift sft --model x --adalora_init_r 8",
        "swift infer --model x --tuner_type adalora",
        "echo swift sft",
        "python train.py --tuner_type adalora --adalora_init_r 8",
        "python run_lora_clm.py --use_habana --peft_type lora --adalora_init_r 4",
        "python peft_adalora_whisper_large_training.py --use_peft --init_r 4",
        "python finetune.py --use_adalora=False --base_model openai/whisper-tiny",
        "python finetune.py --use_adalora True",
        "trl sft --use_peft --lora_r 8  # adalora",
        "llamafactory-cli train --stage sft --finetuning_type lora",
    ],
)
def test_what_is_not_in_force_or_somebody_elses_is_no_configuration(text):
    assert sites_in(text) == []


@pytest.mark.parametrize(
    ("command", "number"),
    [
        (f"echo {SWIFT} --adalora_init_r 8", 0),
        (f": {SWIFT} --adalora_init_r 8", 0),
        (f"echo training; {SWIFT} --adalora_init_r 8", 1),
        (f"nohup {SWIFT} --adalora_init_r 8 &", 1),
        (f"python -m swift.cli.sft {SWIFT.removeprefix('swift sft ')} --adalora_init_r 8", 1),
        (f"torchrun --nproc_per_node 2 ms-swift/swift/cli/sft.py {SWIFT.removeprefix('swift sft ')}", 1),
        (f"python sft.py {SWIFT.removeprefix('swift sft ')}", 0),
    ],
)
def test_a_command_that_is_only_shown_is_not_run(command, number):
    assert len(sites_of_commands(Source("run.sh", Kind.SHELL, command.encode()))) == number


def test_words_that_nobody_knows_and_files_of_options_may_say_more():
    assert not site_in(SWIFT).open
    assert site_in(f'{SWIFT} "$@"').open
    assert site_in("swift sft base.yaml --model x --tuner_type adalora").open


@pytest.mark.parametrize(
    ("text", "check"),
    [
        ("python finetune.py --use_adalora=True --base_model=openai/whisper-tiny", framework_never_allocates),
        ("llamafactory-cli train --stage sft --finetuning_type adalora", framework_without_adalora),
        ("trl sft --use_peft --peft_type ADALORA", framework_without_adalora),
        ("megatron sft --tensor_model_parallel_size 2 --tuner_type adalora", framework_without_adalora),
        ("swift sft --model x --train_type adalora", renamed_option),
    ],
)
def test_the_rules_of_frameworks_fire_on_command_lines(text, check):
    site = site_in(text)
    assert len(list(check(SiteFacts(site, assemble(site), "0.21.2")))) == 1


def test_flags_with_hyphens_are_those_with_underscores_where_the_parser_takes_both():
    [site] = sites_in("deepspeed train/u_train.py --use-adalora --init-r 8 --target-r 16")
    assert site.framework.title == "MyTransformers"
    assert site.values == {}


def test_the_original_loralib_is_not_judged_by_what_peft_does_but_knows_its_removed_flag():
    text = "python run_glue.py --apply_lora --apply_rankselector --lora_type svd --target_rank 16 --lora_r 8"
    site = site_in(text)
    assert set(site.values) == {"apply_rankselector"}
    assert [(one.key, one.to) for one in site.framework.removed] == [("apply_rankselector", "apply_adalora")]


# Words that follow


def codes(text):
    source = Source("run.sh", Kind.SHELL, text.encode())
    return [one.code for one in check_source(source, Settings()).findings]


@pytest.mark.parametrize(
    ("option", "code"),
    [
        ("--adalora_beta2 1.0", "ADA305"),
        ("--adalora_beta1 0", "ADA305"),
        ("--adalora_init_r 8 --adalora_target_r 12", "ADA102"),
        ("--adalora_orth_reg_weight -1", "ADA306"),
        ("--lora_dropout 1.5", "ADA315"),
    ],
)
def test_what_is_written_is_judged_the_same_where_more_words_may_follow(option, code):
    assert codes(f"{SWIFT} {option}\n") == [code]
    assert codes(f'{SWIFT} {option} "$@"\n') == [code]
    assert codes(f"{SWIFT} $MORE {option}\n") == [code]


@pytest.mark.parametrize("option", ["--adalora_init_r 8", "--adalora_target_r 16", "--adalora_beta2 $BETA"])
def test_what_is_not_written_may_follow(option):
    assert codes(f'{SWIFT} {option} "$@"\n') == []


def test_a_field_that_the_framework_never_sets_is_known_whatever_follows():
    site = site_in(f'{SWIFT} --adalora_init_r 24 "$@"')
    assert site.open
    assert known(site, "inference_mode", "layers_pattern") == [False, None]
    assert known(site, "target_r", "task_type", "total_step", "bias") == [UNKNOWN] * 4


GRPO = "swift rlhf --rlhf_type grpo --use_vllm true --vllm_mode colocate --vllm_enable_lora true"


def test_a_rank_of_lora_is_not_handed_to_vllm_by_adalora():
    adalora = f"{GRPO} --tuner_type adalora --lora_rank 16"
    assert codes(f"{adalora}\n") == ["ADA101"]
    assert codes(f"{adalora.replace('adalora', 'lora')}\n") == []
