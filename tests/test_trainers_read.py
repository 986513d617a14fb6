"""What is read of Trainers, callbacks and overridden methods: the facts, and where an unknown must stay one."""

from __future__ import annotations

import pytest

import adalint
from adalint.readers import read_sites
from adalint.settings import Settings
from adalint.source import Kind, Source
from adalint.training import Counting, GuardKind, Way
from adalint.values import UNKNOWN

HEAD = """\
from peft import AdaLoraConfig, get_peft_model
from transformers import EarlyStoppingCallback, Trainer, TrainerCallback, TrainingArguments
from elsewhere import base, rows, Foreign, patch


class Logs(TrainerCallback):
    def on_log(self, args, state, control, logs=None, **kwargs):
        print(logs)


config = AdaLoraConfig(task_type="CAUSAL_LM", tfinal=50, total_step=300)
model = get_peft_model(base, config)
args = TrainingArguments("out", max_steps=300)
"""
ALLOCATES = """
class Allocate(TrainerCallback):
    def on_optimizer_step(self, args, state, control, model=None, **kwargs):
        model.update_and_allocate(state.global_step)

"""


def trainings(text):
    return [one for site in read_sites(Source("x.py", Kind.PYTHON, text.encode())) for one in site.trainings]


def reached(text):
    [training] = [one for one in trainings(text) if one.way is Way.TRAINER]
    return training.reached


def codes(text, **settings):
    report = adalint.check_text(text, filename="x.py", settings=Settings(**settings))
    return [finding.code for finding in report.findings]


class TestWhetherTheAllocatorIsReached:
    @pytest.mark.parametrize(
        "made",
        [
            "Trainer(model, args, train_dataset=rows)",
            "Trainer(model=model, args=args, callbacks=None)",
            "Trainer(model=model, args=args, callbacks=[Logs(), EarlyStoppingCallback(3)])",
            "Trainer(model=model, args=args, callbacks=[Logs()] if rows else None)",
            "Trainer(model=model, args=args, callbacks=[Logs] + [EarlyStoppingCallback(2)])",
        ],
    )
    def test_it_is_not_where_all_is_known_and_nothing_allocates(self, made):
        assert reached(f"{HEAD}trainer = {made}\ntrainer.train()\n") is False

    def test_a_branch_that_wraps_is_a_model_of_adalora_when_it_is_taken(self):
        text = HEAD.replace(
            "model = get_peft_model(base, config)", "model = base\nif rows:\n    model = get_peft_model(model, config)"
        )
        assert reached(f"{text}Trainer(model=model, args=args).train()\n") is False

    def test_a_list_that_is_made_before_is_followed(self):
        text = f"{HEAD}callbacks = [Logs()]\ncallbacks.append(EarlyStoppingCallback(3))\n"
        assert reached(f"{text}trainer = Trainer(model=model, callbacks=callbacks)\ntrainer.train()\n") is False

    @pytest.mark.parametrize(
        "rest",
        [
            "trainer = Trainer(model=model, args=args, callbacks=[Foreign()])",
            "trainer = Trainer(model=model, args=args, callbacks=[*Foreign])",
            "trainer = Trainer(model=model, args=args, callbacks=Foreign())",
            "trainer = Trainer(model=model, **rows)",
            "callbacks = [Logs()]\npatch(callbacks)\ntrainer = Trainer(model=model, callbacks=callbacks)",
            "callbacks = [Logs()]\ncallbacks.append(Foreign())\ntrainer = Trainer(model=model, callbacks=callbacks)",
            "trainer = Trainer(model=model, args=args)\ntrainer.add_callback(Foreign())",
            "trainer = Trainer(model=model, args=args)\ntrainer.callback_handler.callbacks.append(rows)",
            "trainer = Trainer(model=model, args=args)\npatch(trainer)",
            "patch(model)\ntrainer = Trainer(model=model, args=args)",
            "Trainer.training_step = rows\ntrainer = Trainer(model=model, args=args)",
            "trainer = Trainer(model=model, args=args, optimizers=(Foreign(model), None))",
            "print(getattr(model, 'update_and_allocate'))\ntrainer = Trainer(model=model, args=args)",
            "class Own(Trainer, Foreign):\n    pass\n\ntrainer = Own(model=model, args=args)",
            "class Own(Trainer):\n    def make(self):\n        self.optimizer = Foreign()\n\ntrainer = Own(model=model, args=args)",
            "class Own(Foreign):\n    pass\n\ntrainer = Trainer(model=model, args=args, callbacks=[Own()])",
        ],
    )
    def test_it_is_unknown_where_something_unseen_takes_part(self, rest):
        assert reached(f"{HEAD}{rest}\ntrainer.train()\n") is UNKNOWN

    @pytest.mark.parametrize(
        "made",
        [
            "Trainer(model=model, args=args, callbacks=[Allocate()])",
            "Trainer(model=model, args=args, callbacks=[Logs(), Allocate])",
            "Trainer(model=model, args=args, callbacks=[allocate])",
            "Trainer(model=model, args=args, callbacks=[AdaLoraCallback()])",
        ],
    )
    def test_it_is_with_a_callback_that_allocates(self, made):
        text = HEAD.replace("from elsewhere", "from adalint.hf import AdaLoraCallback\nfrom elsewhere") + ALLOCATES
        assert reached(f"{text}allocate = Allocate()\ntrainer = {made}\ntrainer.train()\n") is True

    @pytest.mark.parametrize("name", ["Allocate", "_Allocate"])
    def test_a_callback_that_nothing_makes_is_as_good_as_none(self, name):
        text = HEAD + ALLOCATES.replace("Allocate", name)
        assert reached(f"{text}\nTrainer(model=model, args=args).train()\n") is False
        assert reached(f"{text}\nTrainer(model=model, args=args, callbacks=[Logs()]).train()\n") is False
        assert "ADA401" in codes(f"{text}\nTrainer(model=model, args=args).train()\n")

    @pytest.mark.parametrize(
        "rest",
        [
            "patch(Allocate)",
            "callback = Allocate()",
            "CALLBACKS = {'allocate': Allocate}",
            "__all__ = ['Allocate', 'Logs']",
            "callbacks = [one() for one in TrainerCallback.__subclasses__()]",
            "made = globals()[rows.name]()",
            "print('train.Allocate')",
            "class More(Allocate):\n    pass\n\nmore = More()",
            "class Held:\n    Allocate = 1\n\nHeld.Allocate()",
        ],
    )
    def test_a_callback_that_something_may_make_leaves_it_open(self, rest):
        assert reached(f"{HEAD}{ALLOCATES}\n{rest}\nTrainer(model=model, args=args).train()\n") is UNKNOWN

    @pytest.mark.parametrize(
        "head",
        [
            "@patch\nclass Allocate(TrainerCallback):",
            "class Allocate(TrainerCallback, kind=1):",
            "class Allocate(Foreign):",
        ],
    )
    def test_a_callback_that_its_class_may_hand_on_leaves_it_open(self, head):
        text = HEAD + ALLOCATES.replace("class Allocate(TrainerCallback):", head)
        assert reached(f"{text}\nTrainer(model=model, args=args).train()\n") is UNKNOWN

    def test_a_callback_that_another_block_may_make_leaves_it_open(self):
        train = f"{HEAD}{ALLOCATES}\nTrainer(model=model, args=args).train()\n"
        text = f"```python\n{train}```\n\n```python\ntrainer.add_callback(Allocate())\n```\n"
        report = adalint.check_text(text, filename="x.md", settings=Settings(select=("ADA401",)))
        assert report.findings == ()

    @pytest.mark.parametrize(
        "rest",
        [
            "Trainer(model=base, args=args).train()",
            "Foreign(model=model, args=args).train()",
            "trainer = Trainer(model=model, args=args)\ntrainer.evaluate()",
            "model.train()",
        ],
    )
    def test_what_trains_another_model_or_nothing_is_no_training_of_it(self, rest):
        assert [one for one in trainings(f"{HEAD}{rest}\n") if one.way is Way.TRAINER] == []

    def test_a_config_that_trl_wraps_itself_is_trained(self):
        text = HEAD.replace("model = get_peft_model(base, config)", "from trl import SFTTrainer")
        assert reached(f"{text}SFTTrainer(model=base, args=args, peft_config=config).train()\n") is False


class TestACallInAHook:
    @pytest.mark.parametrize(
        ("argument", "counting", "start"),
        [
            ("state.global_step", Counting.STEPS, 0),
            ("state.global_step + 1", Counting.STEPS, 1),
            ("kwargs['state'].global_step", Counting.STEPS, 0),
            ("state.epoch", Counting.UNKNOWN, 0),
            ("self.seen", Counting.UNKNOWN, 0),
        ],
    )
    def test_the_number_lags_by_one_step(self, argument, counting, start):
        text = HEAD + ALLOCATES.replace("state.global_step)", f"{argument})")
        [training] = trainings(f"{text}\nTrainer(model=model, args=args, callbacks=[Allocate()])\n")
        assert training.call.counting is counting
        assert training.loop.counter.start == start

    @pytest.mark.parametrize(
        ("arguments", "fp16"),
        [
            ("fp16=True", True),
            ("fp16=False", False),
            ("bf16=True", False),
            ("fp16=rows", UNKNOWN),
            ("**rows", UNKNOWN),
        ],
    )
    def test_fp16_is_what_the_arguments_of_its_trainer_say(self, arguments, fp16):
        text = HEAD.replace("max_steps=300", f"max_steps=300, {arguments}") + ALLOCATES
        [training] = trainings(f"{text}\nTrainer(model=model, args=args, callbacks=[Allocate()])\n")
        assert training.fp16 is fp16

    def test_arguments_that_are_changed_later_are_unknown(self):
        text = f"{HEAD}args.fp16 = rows\n{ALLOCATES}"
        [training] = trainings(f"{text}\nTrainer(model=model, args=args, callbacks=[Allocate()])\n")
        assert training.fp16 is UNKNOWN

    def test_a_gate_on_the_skipped_step_is_seen(self):
        gated = "if not kwargs['optimizer'].step_was_skipped:\n            model.update"
        [training] = trainings(HEAD + ALLOCATES.replace("model.update", gated))
        assert training.call.guarded_by(GuardKind.FINITE) is not None

    def test_a_method_that_gets_a_skipped_step_from_its_trainer_is_told_to_gate(self):
        text = HEAD.replace("max_steps=300", "max_steps=300, fp16=True") + ALLOCATES
        gated = text.replace("model.update", "if not kwargs['optimizer'].step_was_skipped:\n            model.update")
        made = "\nTrainer(model=model, args=args, callbacks=[Allocate()]).train()\n"
        assert [one.fp16 for one in trainings(text + made)] == [True, True]
        assert codes(gated + made) == []


class TestWrongHooks:
    def test_a_backward_pass_in_the_hook_makes_gradients(self):
        text = HEAD + ALLOCATES.replace("on_optimizer_step", "on_step_end")
        assert codes(text) == ["ADA405"]
        assert (
            codes(text.replace("        model.update", "        model(**rows).loss.backward()\n        model.update"))
            == []
        )

    @pytest.mark.parametrize("base", ["object", "Foreign"])
    def test_a_class_that_is_no_callback_of_transformers_may_have_its_own_events(self, base):
        text = HEAD + ALLOCATES.replace("on_optimizer_step", "on_step_end").replace("TrainerCallback", base)
        assert codes(text) == []

    @pytest.mark.parametrize(("release", "found"), [("4.41.2", ["ADA422"]), ("4.42.0", []), ("5.23.0", []), (None, [])])
    def test_an_older_transformers_has_no_such_hook(self, release, found):
        assert codes(HEAD + ALLOCATES, target_transformers=release) == found

    def test_a_hook_is_not_renamed_to_one_that_the_pinned_release_lacks(self):
        text = HEAD + ALLOCATES.replace("on_optimizer_step", "on_step_end")
        report = adalint.check_text(text, filename="x.py", settings=Settings(target_transformers="4.41.2"))
        assert [fix.edits for finding in report.findings for fix in finding.fixes] == [()]


class TestWhatIsAskedOfATrainer:
    MADE = "\ntrainer = Trainer(model=model, args=args, callbacks=[Allocate()])\ntrainer.train()\n"

    @pytest.mark.parametrize(
        ("arguments", "found"),
        [
            ("gradient_accumulation_steps=4", ["ADA417"]),
            ("gradient_accumulation_steps=1", []),
            ("gradient_accumulation_steps=rows", []),
            ("label_smoothing_factor=0.1", ["ADA416"]),
            ("label_smoothing_factor=0.0", []),
            ("label_smoothing_factor=0.1, gradient_accumulation_steps=4", ["ADA416"]),
            ("load_best_model_at_end=True", ["ADA424"]),
            ("load_best_model_at_end=False", []),
            ("load_best_model_at_end=rows", []),
        ],
    )
    def test_its_arguments_are_judged(self, arguments, found):
        text = HEAD.replace("max_steps=300", f"max_steps=300, {arguments}") + ALLOCATES + self.MADE
        assert codes(text) == found

    @pytest.mark.parametrize(
        ("weight", "found"),
        [("0.5", ["ADA417"]), ("0.5 / 4", []), ("(0.5 / 4)", []), ("0.5 / 2", ["ADA417"]), ("0.5 / 14", ["ADA417"])],
    )
    def test_a_weight_that_is_divided_by_the_micro_batches_is_meant_so(self, weight, found):
        text = HEAD.replace("max_steps=300", "max_steps=300, gradient_accumulation_steps=4") + ALLOCATES + self.MADE
        assert codes(text.replace("tfinal=50", f"tfinal=50, orth_reg_weight={weight}")) == found

    @pytest.mark.parametrize(
        ("weight", "found", "fixed"), [("0.5 / MANY", [], []), ("0.5", ["ADA417"], ["0.5 / MANY"])]
    )
    def test_a_number_of_micro_batches_with_a_name_is_divided_by_its_name(self, weight, found, fixed):
        text = HEAD.replace("max_steps=300", "max_steps=300, gradient_accumulation_steps=MANY") + ALLOCATES + self.MADE
        text = "MANY = 4\n" + text.replace("tfinal=50", f"tfinal=50, orth_reg_weight={weight}")
        assert codes(text) == found
        fixes = [one for one in adalint.check_text(text, filename="x.py").findings for one in one.fixes]
        assert [edit.text for fix in fixes for edit in fix.edits] == fixed

    @pytest.mark.parametrize(("release", "found"), [("4.45.2", []), ("4.46.0", ["ADA417"])])
    def test_an_older_transformers_divides_the_penalty_too(self, release, found):
        text = HEAD.replace("max_steps=300", "max_steps=300, gradient_accumulation_steps=4") + ALLOCATES + self.MADE
        assert codes(text, target_transformers=release) == found

    @pytest.mark.parametrize(
        ("given", "found"),
        [
            ("resume_from_checkpoint=True", ["ADA420"]),
            ("resume_from_checkpoint='out/checkpoint-5'", ["ADA420"]),
            ("True", ["ADA420"]),
            ("resume_from_checkpoint=None", []),
            ("resume_from_checkpoint=False", []),
            ("resume_from_checkpoint=rows", []),
        ],
    )
    def test_a_run_that_is_resumed_is_found(self, given, found):
        assert codes(HEAD + ALLOCATES + self.MADE.replace("train()", f"train({given})")) == found

    def test_a_trainer_with_a_loss_of_its_own_is_not_judged_by_the_penalty(self):
        text = HEAD.replace("max_steps=300", "max_steps=300, gradient_accumulation_steps=4").replace(
            "from elsewhere", "from trl import DPOTrainer\nfrom elsewhere"
        )
        assert codes(text + ALLOCATES + self.MADE.replace("Trainer(", "DPOTrainer(")) == []


class TestLossesOfALoop:
    LOOP = """\
import torch
from peft import AdaLoraConfig, get_peft_model
from elsewhere import base, batches

model = get_peft_model(base, AdaLoraConfig(task_type="CAUSAL_LM", total_step=300))
optimizer = torch.optim.AdamW(model.parameters())
for step, (ids, labels) in enumerate(batches):
    outputs = model(input_ids=ids, labels=labels)
    LOSS
    loss.backward()
    optimizer.step()
    model.update_and_allocate(step)
    optimizer.zero_grad()
"""

    @pytest.mark.parametrize(
        ("loss", "found"),
        [
            ("loss = outputs.loss", []),
            ("loss = outputs.loss / 2", []),
            ("loss = outputs[0]", []),
            ("loss = torch.nn.functional.cross_entropy(outputs.logits, labels)", ["ADA416"]),
            ("loss = torch.nn.functional.cross_entropy(outputs['logits'], labels) / 2", ["ADA416"]),
            ("loss = torch.nn.functional.cross_entropy(outputs.logits, labels) + outputs.loss", []),
            ("loss = torch.nn.functional.mse_loss(base(ids).logits, labels)", []),
            ("loss = model(input_ids=ids, labels=labels, return_dict=False)[0]", ["ADA416"]),
            ("loss = model(input_ids=ids, labels=labels, return_dict=True)[0]", []),
        ],
    )
    def test_only_a_loss_that_passes_the_models_own_by_is_found(self, loss, found):
        assert codes(self.LOOP.replace("LOSS", loss)) == found
