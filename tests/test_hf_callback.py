"""The callback for Trainer: real runs reach the budget, whatever is skipped, accumulated, wrapped or resumed."""

from __future__ import annotations

import ast
import logging
import sys
import warnings

import pytest
import torch
from adapter_runs import MODULES, WORDS, base
from commands import CHECKOUT, succeed
from peft import AdaLoraConfig, LoraConfig, PeftModel, get_peft_model
from transformers import (
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
    T5Config,
    T5ForConditionalGeneration,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from adalint.fixes.callback import callback_text
from adalint.hf import AdaLoraCallback

INIT_R, TARGET_R = 4, 2
START, BUDGET = INIT_R * len(MODULES), TARGET_R * len(MODULES)
OVERFLOWING = 3e38
EXAMPLE = {"input_ids": WORDS[0], "labels": WORDS[0]}

pytestmark = [
    # Said by PEFT 0.21 whenever an adapter with masks is loaded, or a module without ranks is saved.
    pytest.mark.filterwarnings("ignore:The following rank_pattern keys:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore:.*invalid shape"),
    # Said by transformers 5 of what PEFT asks it.
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning"),
]


def adapted(**values):
    """Wrap the tiny model; `total_step` is a stand-in, as in a script that does not know its length yet."""
    config = {"init_r": INIT_R, "target_r": TARGET_R, "total_step": 1000, "task_type": "CAUSAL_LM", **values}
    return get_peft_model(base(), AdaLoraConfig(target_modules=["q_proj", "v_proj"], **config))


def trainer_for(model, folder, *callbacks, overflows=(), examples=64, **arguments):
    """A Trainer on the CPU; with `overflows`, one with a real GradScaler that overflows in these steps."""
    fixed = {"report_to": [], "disable_tqdm": True, "use_cpu": True, "save_strategy": "no", "learning_rate": 1e-1}
    fixed |= {"per_device_train_batch_size": 2, "max_grad_norm": 0.0, "output_dir": str(folder)}
    trainer = Trainer(model, TrainingArguments(**fixed | arguments), train_dataset=[EXAMPLE] * examples)
    for callback in callbacks:
        trainer.add_callback(callback)
    if overflows:
        scaler = torch.amp.GradScaler("cpu", init_scale=OVERFLOWING, backoff_factor=1 / OVERFLOWING)
        trainer.accelerator.scaler = scaler
        trainer.add_callback(Overflow(scaler, overflows))
    return trainer


class Overflow(TrainerCallback):
    """Set a scale of 1, or one under which every gradient is infinite."""

    def __init__(self, scaler, steps):
        self.scaler, self.steps = scaler, steps

    def on_step_begin(self, args, state, control, **kwargs):
        self.scaler.scale(torch.zeros(()))  # the scale exists only from the first use on
        self.scaler.update(OVERFLOWING if state.global_step + 1 in self.steps else 1.0)


class Naive(TrainerCallback):
    """What people write: the counter as it stands, and every step."""

    def on_optimizer_step(self, args, state, control, model, **kwargs):
        model.update_and_allocate(state.global_step)


class NaivelyGated(TrainerCallback):
    """The right counter, and no call at all when a step was skipped."""

    def on_optimizer_step(self, args, state, control, model, optimizer, **kwargs):
        if not optimizer.step_was_skipped:
            model.update_and_allocate(state.global_step + 1)


class StopAfter(TrainerCallback):
    def __init__(self, step):
        self.step = step

    def on_step_end(self, args, state, control, **kwargs):
        control.should_training_stop = state.global_step == self.step


class Watch(TrainerCallback):
    """Write down what is live in memory after each step."""

    def __init__(self):
        self.live = []

    def on_step_end(self, args, state, control, model, **kwargs):
        self.live.append(live(model))


def live(model):
    return sum(int((weight != 0).sum()) for name, weight in model.named_parameters() if "lora_E" in name)


def kept(model):
    """Count the ranks that saving writes."""
    pattern = model.peft_config["default"].rank_pattern
    return START if pattern is None else sum(map(sum, pattern.values()))


def assert_saves_what_it_is(model, folder):
    """Save, load, and compare what both say."""
    model.save_pretrained(folder)
    loaded = PeftModel.from_pretrained(base(), folder).eval()
    with torch.no_grad():
        torch.testing.assert_close(loaded(input_ids=WORDS).logits, model.eval()(input_ids=WORDS).logits)


def assert_on_budget(callback, model):
    assert (callback.kept, callback.target, callback.nan_scores) == (BUDGET, BUDGET, 0)
    assert (live(model), kept(model)) == (BUDGET, BUDGET)


SCHEDULES = [
    {"tinit": tinit, "tfinal": tfinal, "deltaT": delta}
    for tinit, tfinal in ((0, 0), (2, 3), (10, 1))
    for delta in (1, 5, 50)
]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_every_schedule_ends_on_its_budget_and_is_saved_as_it_is_in_memory(schedule, tmp_path):
    model, callback = adapted(**schedule), AdaLoraCallback()
    trainer_for(model, tmp_path, callback, max_steps=12).train()
    assert_on_budget(callback, model)
    assert (callback.calls, callback.skipped) == (12, 0)
    assert model.peft_config["default"].total_step == 12
    assert_saves_what_it_is(model, tmp_path / "adapter")


def test_the_counter_as_trainer_has_it_never_reaches_the_budget_without_a_final_phase(tmp_path):
    model = adapted(total_step=12, deltaT=5)
    trainer_for(model, tmp_path, Naive(), max_steps=12).train()
    assert live(model) > BUDGET


def test_ranks_follow_the_cubic_schedule_counted_from_one(tmp_path):
    model, watch = adapted(tinit=4, tfinal=3), Watch()
    trainer_for(model, tmp_path, AdaLoraCallback(), watch, max_steps=12).train()
    falling = [int((START - BUDGET) * (1 - (step - 4) / (9 - 4)) ** 3 + BUDGET) for step in range(5, 10)]
    assert watch.live == [START] * 4 + falling + [BUDGET] * 3


@pytest.mark.parametrize(("epochs", "accumulated", "steps"), [(3, 1, 24), (3, 4, 6), (2.5, 3, 8), (1, 1, 8)])
def test_the_length_comes_from_epochs_and_accumulation(epochs, accumulated, steps, tmp_path):
    model, callback = adapted(tinit=1, tfinal=1), AdaLoraCallback()
    lengths = {"num_train_epochs": epochs, "gradient_accumulation_steps": accumulated}
    trainer_for(model, tmp_path, callback, examples=16, **lengths).train()
    assert model.peft_config["default"].total_step == callback.calls == steps
    assert_on_budget(callback, model)


def test_checkpoints_on_the_way_leave_the_masks_alone(tmp_path):
    model, callback = adapted(tfinal=4), AdaLoraCallback()
    trainer_for(model, tmp_path, callback, max_steps=12, save_strategy="steps", save_steps=1).train()
    assert_on_budget(callback, model)
    assert_saves_what_it_is(model, tmp_path / "adapter")


OVERFLOWS = [{1, 2, 3}, {5}, {9}, {8, 9, 10}, {1, 9, 12}, set(range(2, 13))]


@pytest.mark.parametrize("overflows", OVERFLOWS, ids=str)
@pytest.mark.parametrize(("delta", "optim"), [(1, "adamw_torch_fused"), (50, "adamw_torch"), (5, "sgd")])
def test_skipped_steps_neither_poison_scores_nor_miss_the_last_pruning(overflows, delta, optim, tmp_path):
    model, callback = adapted(tinit=2, tfinal=3, deltaT=delta), AdaLoraCallback()
    trainer_for(model, tmp_path, callback, overflows=overflows, max_steps=12, optim=optim).train()
    assert callback.skipped == len(overflows)
    assert callback.calls == 12 - len(overflows & set(range(1, 9)))
    assert_on_budget(callback, model)
    assert_saves_what_it_is(model, tmp_path / "adapter")


@pytest.mark.parametrize(
    ("callback", "optim"),
    [(Naive, "adamw_torch"), (Naive, "adamw_torch_fused"), (NaivelyGated, "adamw_torch_fused")],
)
def test_one_overflow_poisons_the_scores_of_a_callback_that_does_not_see_it(callback, optim, tmp_path):
    model = adapted(total_step=12, tfinal=3)
    trainer_for(model, tmp_path, callback(), overflows={1}, max_steps=12, optim=optim).train()
    assert live(model) == START
    assert all(weight.isfinite().all() for weight in model.parameters())


def test_a_gate_alone_misses_the_last_pruning_when_that_step_is_skipped(tmp_path):
    model = adapted(total_step=12, tinit=4, tfinal=3, deltaT=5)
    trainer_for(model, tmp_path, NaivelyGated(), overflows={9}, max_steps=12, optim="adamw_torch").train()
    assert kept(model) > BUDGET


def test_a_gate_alone_crashes_when_the_only_pruning_is_skipped(tmp_path):
    model = adapted(total_step=12, tfinal=3, deltaT=50)
    with pytest.raises(AttributeError, match="keys"):
        trainer_for(model, tmp_path, NaivelyGated(), overflows={9}, max_steps=12, optim="adamw_torch").train()


def test_a_run_that_never_scored_goes_on_and_is_reported(tmp_path):
    model, callback = adapted(tfinal=3), AdaLoraCallback()
    with pytest.warns(UserWarning, match="kept 16 ranks of a budget of 8, after 0 allocator calls in 12 of 12 steps"):
        trainer_for(model, tmp_path, callback, overflows=set(range(1, 13)), max_steps=12).train()
    assert (callback.calls, callback.skipped, kept(model)) == (0, 12, START)
    assert_saves_what_it_is(model, tmp_path / "adapter")


class Spoil(TrainerCallback):
    """Give one tensor a NaN gradient in step 2, in a run that has no scaler to notice it."""

    def on_optimizer_step(self, args, state, control, model, **kwargs):
        if state.global_step + 1 == 2:
            next(weight for name, weight in model.named_parameters() if "lora_A" in name).grad.fill_(float("nan"))


@pytest.mark.parametrize("tfinal", [0, 3])
def test_nan_scores_are_counted_and_warned_of(tfinal, tmp_path):
    callback = AdaLoraCallback()
    with pytest.warns(UserWarning, match="1 tensors had NaN scores"):
        trainer_for(adapted(tfinal=tfinal), tmp_path, Spoil(), callback, max_steps=12).train()
    assert callback.nan_scores == 1


def test_a_run_stopped_early_is_reported_with_its_ranks(tmp_path):
    model, callback = adapted(tinit=3), AdaLoraCallback()
    with pytest.warns(UserWarning, match="after 5 allocator calls in 5 of 12 steps"):
        trainer_for(model, tmp_path, callback, StopAfter(5), max_steps=12).train()
    assert BUDGET < callback.kept == kept(model) < START


def test_a_run_on_budget_is_told_in_the_log_and_warns_of_nothing(tmp_path, caplog):
    caplog.set_level(logging.INFO, logger="adalint.hf")
    with warnings.catch_warnings(record=True) as warned:
        trainer_for(adapted(), tmp_path, AdaLoraCallback(), max_steps=12).train()
    assert not [one for one in warned if "AdaLoRA" in str(one.message)]
    assert f"AdaLoRA kept {BUDGET} ranks of a budget of {BUDGET}, after 12 allocator calls" in caplog.text


def checkpoint_at(step, folder, **schedule):
    saving = {"max_steps": 12, "save_strategy": "steps", "save_steps": step}
    trainer = trainer_for(adapted(**schedule), folder, AdaLoraCallback(), StopAfter(step), **saving)
    with pytest.warns(UserWarning, match="AdaLoRA kept 16 ranks"):
        trainer.train()
    return str(folder / f"checkpoint-{step}")


@pytest.mark.parametrize("tfinal", [0, 3])
def test_a_run_resumed_before_its_first_mask_ends_on_its_budget(tfinal, tmp_path):
    schedule = {"tinit": 5, "tfinal": tfinal}
    checkpoint = checkpoint_at(4, tmp_path, **schedule)
    model, callback = adapted(**schedule), AdaLoraCallback()
    trainer_for(model, tmp_path, callback, max_steps=12).train(resume_from_checkpoint=checkpoint)
    assert callback.calls == 8
    assert_on_budget(callback, model)
    assert_saves_what_it_is(model, tmp_path / "adapter")


def test_a_run_resumed_too_late_to_score_is_refused(tmp_path):
    schedule = {"tfinal": 3, "deltaT": 50}
    checkpoint = checkpoint_at(8, tmp_path, **schedule)
    trainer = trainer_for(adapted(**schedule), tmp_path, AdaLoraCallback(), max_steps=12)
    with pytest.raises(ValueError, match=r"make step 9 the last one .* above 9, the first step of this training"):
        trainer.train(resume_from_checkpoint=checkpoint)


def test_training_twice_prunes_twice_and_counts_anew(tmp_path):
    model, callback = adapted(tfinal=3), AdaLoraCallback()
    trainer = trainer_for(model, tmp_path, callback, max_steps=12)
    trainer.train()
    trainer.train()
    assert callback.calls == 12
    assert_on_budget(callback, model)


def test_scores_of_an_earlier_run_do_not_spoil_the_next(tmp_path):
    model, callback, spoil = adapted(), AdaLoraCallback(), Spoil()
    trainer = trainer_for(model, tmp_path, spoil, callback, StopAfter(5), max_steps=12)
    with pytest.warns(UserWarning, match="1 tensors had NaN scores"):
        trainer.train()
    trainer.remove_callback(spoil)
    trainer.remove_callback(StopAfter)
    trainer.train()
    assert_on_budget(callback, model)


@pytest.mark.parametrize(
    ("schedule", "steps"),
    [
        ({"tinit": 8, "tfinal": 4}, 12),
        ({"tinit": 20}, 12),
        ({"tfinal": 12}, 12),
        ({"tfinal": 11}, 12),
        ({"tfinal": -1}, 12),
        ({"tfinal": 1.2}, 12),
        ({}, 1),
    ],
    ids=str,
)
def test_a_schedule_that_cannot_prune_is_refused_before_the_first_step(schedule, steps, tmp_path):
    model, watch = adapted(**schedule), Watch()
    with pytest.raises(ValueError, match=rf"AdaLoRA cannot prune: total_step={steps} .* lower tinit or tfinal"):
        trainer_for(model, tmp_path, AdaLoraCallback(), watch, max_steps=steps).train()
    assert watch.live == []
    assert model.peft_config["default"].total_step == 1000


@pytest.mark.parametrize(
    ("schedule", "steps"), [({"tinit": 7, "tfinal": 4}, 12), ({"tfinal": 10}, 12), ({}, 2)], ids=str
)
def test_the_tightest_schedule_that_can_prune_does(schedule, steps, tmp_path):
    model, callback = adapted(**schedule), AdaLoraCallback()
    trainer_for(model, tmp_path, callback, max_steps=steps).train()
    assert_on_budget(callback, model)


def test_ranks_the_wrong_way_round_are_refused_before_the_first_step(tmp_path):
    with pytest.raises(ValueError, match="target_r=8 must be below init_r=8"):
        trainer_for(adapted(init_r=8, target_r=8), tmp_path, AdaLoraCallback(), max_steps=12).train()


def lora():
    return get_peft_model(base(), LoraConfig(target_modules=["q_proj"], task_type="CAUSAL_LM"))


def injected():
    model = base()
    model.add_adapter(AdaLoraConfig(target_modules=["q_proj"], init_r=4, target_r=2, total_step=12))
    return model


@pytest.mark.parametrize("build", [lora, injected])
def test_a_model_without_an_allocator_is_refused(build, tmp_path):
    with pytest.raises(ValueError, match="no trainable AdaLoRA adapter: wrap the model with get_peft_model"):
        trainer_for(build(), tmp_path, AdaLoraCallback(), max_steps=12).train()


def finished(folder):
    model = adapted()
    trainer_for(model, folder, AdaLoraCallback(), max_steps=12).train()
    model.save_pretrained(folder / "adapter")
    return folder / "adapter"


def test_an_adapter_loaded_for_inference_is_refused(tmp_path):
    model = PeftModel.from_pretrained(base(), finished(tmp_path))
    with pytest.raises(ValueError, match="no trainable AdaLoRA adapter"):
        AdaLoraCallback().on_train_begin(None, TrainerState(max_steps=12), TrainerControl(), model=model)


def test_a_finished_adapter_is_refused_rather_than_pruned_again(tmp_path):
    model = PeftModel.from_pretrained(base(), finished(tmp_path), is_trainable=True)
    with pytest.raises(ValueError, match="pruned already"):
        trainer_for(model, tmp_path, AdaLoraCallback(), max_steps=12).train()


def test_a_pattern_from_elsewhere_does_not_trim_what_is_saved(tmp_path):
    model = adapted(tinit=10)
    stale = {f"{module}.lora_E.default": [True, False, False, False] for module in MODULES}
    model.peft_config["default"].rank_pattern = stale
    with pytest.warns(UserWarning, match="kept 16 ranks"):
        trainer_for(model, tmp_path, AdaLoraCallback(), StopAfter(5), max_steps=12).train()
    assert_saves_what_it_is(model, tmp_path / "adapter")


def test_an_adapter_for_inference_beside_the_trained_one_is_left_alone(tmp_path):
    finished(tmp_path)
    model, callback = adapted(), AdaLoraCallback()
    model.load_adapter(str(tmp_path / "adapter"), adapter_name="beside")
    model.set_adapter("default")  # loading one for inference freezes the other
    before = {name: weight.clone() for name, weight in model.named_parameters() if "beside" in name}
    trainer_for(model, tmp_path, callback, max_steps=12).train()
    assert (callback.kept, callback.target) == (BUDGET, BUDGET)
    assert before
    assert all(torch.equal(weight, before[name]) for name, weight in model.named_parameters() if "beside" in name)


def test_a_total_step_kept_on_request_is_honoured_with_a_warning(tmp_path):
    model, callback, watch = adapted(total_step=8), AdaLoraCallback(keep_total_step=True), Watch()
    with pytest.warns(UserWarning, match="total_step=8, but the run has 12 steps"):
        trainer_for(model, tmp_path, callback, watch, max_steps=12).train()
    assert model.peft_config["default"].total_step == 8
    assert watch.live[7:] == [BUDGET] * 5
    assert_on_budget(callback, model)


def test_a_kept_total_step_beyond_the_run_is_reported_at_the_end(tmp_path):
    model, callback = adapted(total_step=50), AdaLoraCallback(keep_total_step=True)
    with pytest.warns(UserWarning, match=r"total_step|AdaLoRA kept") as warned:
        trainer_for(model, tmp_path, callback, max_steps=12).train()
    assert f"AdaLoRA kept {kept(model)} ranks of a budget of {BUDGET}" in str(warned[-1].message)
    assert kept(model) > BUDGET


def test_a_kept_total_step_that_is_the_run_is_silent(tmp_path):
    callback = AdaLoraCallback(keep_total_step=True)
    with warnings.catch_warnings(record=True) as warned:
        trainer_for(adapted(total_step=12), tmp_path, callback, max_steps=12).train()
    assert not [one for one in warned if "total_step" in str(one.message)]
    assert callback.kept == BUDGET


def test_ratios_make_phases_of_the_run(tmp_path):
    model, watch = adapted(total_step=1, tinit=0, tfinal=0), Watch()
    callback = AdaLoraCallback(tinit_ratio=1 / 4, tfinal_ratio=1 / 3)
    trainer_for(model, tmp_path, callback, watch, max_steps=12).train()
    config = model.peft_config["default"]
    assert (config.total_step, config.tinit, config.tfinal) == (12, 3, 4)
    assert watch.live[8:] == [BUDGET] * 4
    assert_on_budget(callback, model)


def test_without_ratios_phases_stay_as_configured(tmp_path):
    model, callback = adapted(), AdaLoraCallback()
    before = (model.peft_config["default"].tinit, model.peft_config["default"].tfinal)
    trainer_for(model, tmp_path, callback, max_steps=12).train()
    assert (model.peft_config["default"].tinit, model.peft_config["default"].tfinal) == before


def test_ratios_that_leave_nothing_to_prune_are_refused(tmp_path):
    callback = AdaLoraCallback(tinit_ratio=1 / 2, tfinal_ratio=1 / 2)
    with pytest.raises(ValueError, match="cannot prune: total_step=12 and tfinal=6"):
        trainer_for(adapted(), tmp_path, callback, max_steps=12).train()


class Wrapped(torch.nn.Module):
    """What distributed wrappers are: the model under `module`, and none of its methods."""

    def __init__(self, module):
        super().__init__()
        self.module = module


@pytest.mark.parametrize("wrap", [Wrapped, torch.compile, lambda model: Wrapped(torch.compile(model))])
def test_the_allocator_is_found_inside_wrappers(wrap):
    model, callback, state = adapted(), AdaLoraCallback(), TrainerState(max_steps=6)
    around = wrap(model)
    callback.on_train_begin(None, state, TrainerControl(), model=around)
    optimizer = torch.optim.AdamW([weight for weight in model.parameters() if weight.requires_grad], lr=1e-1)
    for step in range(6):
        model(input_ids=WORDS, labels=WORDS).loss.backward()
        optimizer.step()
        state.global_step = step
        callback.on_optimizer_step(None, state, TrainerControl(), model=around, optimizer=optimizer)
        optimizer.zero_grad()
    callback.on_train_end(None, state, TrainerControl(), model=around)
    assert_on_budget(callback, model)


def test_two_adapted_models_in_one_are_both_pruned(tmp_path):
    class Pair(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.left, self.right = adapted(), adapted(tinit=3)

        def forward(self, input_ids, labels):
            words = {"input_ids": input_ids, "labels": labels}
            return {"loss": self.left(**words).loss + self.right(**words).loss}

    model, callback = Pair(), AdaLoraCallback()
    trainer_for(model, tmp_path, callback, max_steps=12).train()
    assert (callback.kept, callback.target, callback.calls) == (2 * BUDGET, 2 * BUDGET, 12)
    assert live(model.left) == live(model.right) == BUDGET


def test_a_seq2seq_trainer_ends_on_its_budget(tmp_path):
    shape = {"d_model": 8, "d_kv": 4, "d_ff": 8, "num_layers": 1, "num_heads": 2, "decoder_start_token_id": 0}
    config = AdaLoraConfig(target_modules=["q", "v"], init_r=4, target_r=2, total_step=1000, task_type="SEQ_2_SEQ_LM")
    model = get_peft_model(T5ForConditionalGeneration(T5Config(vocab_size=12, **shape)), config)
    arguments = Seq2SeqTrainingArguments(
        output_dir=str(tmp_path), max_steps=10, use_cpu=True, report_to=[], disable_tqdm=True, save_strategy="no"
    )
    callback = AdaLoraCallback()
    Seq2SeqTrainer(model, arguments, train_dataset=[EXAMPLE] * 64, callbacks=[callback]).train()
    modules = 3 * 2  # two in the encoder's attention, four in the decoder's two
    assert (callback.kept, live(model)) == (2 * modules, 2 * modules)


def test_the_text_to_insert_is_the_class_as_it_stands():
    text = (CHECKOUT / "adalint" / "hf.py").read_text(encoding="utf-8")
    given = callback_text()
    assert given.source.startswith("class AdaLoraCallback(TrainerCallback):\n")
    assert text.endswith("\n\n\n" + given.source)
    assert text[: -len(given.source)].rstrip().endswith("\n".join(given.imports).rpartition("\n")[2])


def test_the_text_to_insert_trains_alone_and_is_python_3_9(tmp_path):
    given = callback_text()
    script = "\n".join(given.imports) + "\n\n\n" + given.source
    tree = ast.parse(script, feature_version=(3, 9))
    roots = {name.name for node in tree.body if isinstance(node, ast.Import) for name in node.names}
    roots |= {node.module for node in tree.body if isinstance(node, ast.ImportFrom)}
    assert roots - set(sys.stdlib_module_names) == {"transformers"}
    names = {"__name__": "script"}
    exec(compile(script, "script.py", "exec", dont_inherit=True), names)
    model, callback = adapted(), names["AdaLoraCallback"]()
    assert not isinstance(callback, AdaLoraCallback)
    trainer_for(model, tmp_path, callback, max_steps=12).train()
    assert_on_budget(callback, model)


def test_the_text_to_insert_needs_no_transformers_to_be_read():
    heavy = "{'transformers', 'torch', 'peft', 'adalint.hf'}"
    program = (
        f"import sys; from adalint.fixes.callback import callback_text as t; t(); print({heavy} & set(sys.modules))"
    )
    assert succeed(sys.executable, "-c", program).strip() == "set()"
