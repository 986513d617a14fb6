"""Edits on code: a hook renamed, the callback put into a file and into its Trainer."""

from __future__ import annotations

import ast

import pytest

import adalint
from adalint.fixes import hook_edits
from adalint.fixes.callback import callback_text
from adalint.fixes.operations import AddCallback, RenameHook, Set, Unplaceable
from adalint.readers import read_sites
from adalint.source import Kind, Source, Span
from adalint.training import GuardKind, Way
from adalint.values import Literal

HEAD = """\
from peft import AdaLoraConfig, get_peft_model
from transformers import Trainer, TrainingArguments
from elsewhere import base, rows

model = get_peft_model(base, AdaLoraConfig(task_type="CAUSAL_LM", tfinal=50, total_step=300))
"""


def source_of(text):
    return Source.decode("x.py", Kind.PYTHON, text.encode())


def with_callback(text):
    source = source_of(text)
    [trainer] = [one for site in read_sites(source) for one in site.trainings if one.way is Way.TRAINER]
    return source.apply(hook_edits.place(source, [AddCallback(trainer.built)])).text


def renamed(text, old, to="on_optimizer_step", counter=None):
    source = source_of(text)
    start = text.index(old)
    place = None if counter is None else Span(text.index(counter), text.index(counter) + len(counter))
    operation = RenameHook(Span(start, start + len(old)), to, place)
    return source.apply(hook_edits.place(source, [operation])).text


class TestACallbackPutIn:
    @pytest.mark.parametrize(
        ("made", "then"),
        [
            ("Trainer(model=model, args=args)", "Trainer(model=model, args=args, callbacks=[AdaLoraCallback()])"),
            ("Trainer(model)", "Trainer(model, callbacks=[AdaLoraCallback()])"),
            ("Trainer(model, callbacks=None)", "Trainer(model, callbacks=[AdaLoraCallback()])"),
            ("Trainer(model, callbacks=[])", "Trainer(model, callbacks=[AdaLoraCallback()])"),
            ("Trainer(model, callbacks=[Logs(a, b)])", "Trainer(model, callbacks=[Logs(a, b), AdaLoraCallback()])"),
            (
                "Trainer(model, callbacks=[Logs('日志'),])",
                "Trainer(model, callbacks=[Logs('日志'), AdaLoraCallback(),])",
            ),
            (
                "Trainer(\n    model=model,\n    args=args,  # three hundred steps\n)",
                "Trainer(\n    model=model,\n    args=args,  # three hundred steps\n    callbacks=[AdaLoraCallback()],\n)",
            ),
            (
                "Trainer(\n    model,\n    callbacks=[\n        Logs(),\n        Stops(\n            3\n        ),\n    ],\n)",
                (
                    "Trainer(\n    model,\n    callbacks=[\n        Logs(),\n        Stops(\n            3\n        ),\n"
                    "        AdaLoraCallback(),\n    ],\n)"
                ),
            ),
        ],
    )
    def test_it_is_the_last_of_the_trainers_callbacks(self, made, then):
        after = with_callback(f"{HEAD}trainer = {made}\ntrainer.train()\n")
        assert after.endswith(f"\n\n\ntrainer = {then}\ntrainer.train()\n")

    def test_what_follows_makes_the_same_of_the_module_but_for_the_class_and_its_imports(self):
        text = f"{HEAD}trainer = Trainer(model=model)\ntrainer.train()\n"
        before, after = ast.parse(text).body, ast.parse(with_callback(text)).body
        fresh = [one for one in after if ast.unparse(one) not in {ast.unparse(old) for old in before}]
        kinds = [type(one).__name__ for one in fresh]
        assert kinds == ["Import", "Import", "ImportFrom", "ImportFrom", "ClassDef", "Assign"]
        assert ast.unparse(fresh[4]) == ast.unparse(ast.parse(callback_text().source))

    @pytest.mark.parametrize(
        ("there", "missing"),
        [
            ("", ["import logging", "import warnings", "from typing import Any"]),
            ("import logging\nimport warnings\n", ["from typing import Any"]),
            ("from typing import Any\n", ["import logging", "import warnings"]),
        ],
    )
    def test_an_import_is_added_once(self, there, missing):
        after = with_callback(f"{there}{HEAD}Trainer(model=model).train()\n")
        lines = [line for line in after.splitlines() if "import" in line]
        assert len(lines) == len(set(lines))
        fresh = [line for line in lines if line not in f"{there}{HEAD}".splitlines()]
        assert fresh == [*missing, "from transformers import TrainerCallback, TrainerControl, TrainerState"]

    @pytest.mark.parametrize(
        ("start", "trainer"),
        [
            ("def main():", "    Trainer(model=model).train()\n"),
            ("# trains\n# and saves\ndef main():", "    Trainer(model=model).train()\n"),
            ("@decorated\ndef main():", "    Trainer(model=model).train()\n"),
            ('if __name__ == "__main__":', "    Trainer(model=model).train()\n"),
            ("class Runner:", "    def run(self):\n        Trainer(model=model).train()\n"),
        ],
    )
    def test_the_class_stands_before_the_statement_of_the_module_that_makes_the_trainer(self, start, trainer):
        head = HEAD.replace("base, rows", "base, rows, decorated")
        after = with_callback(f"{head}\n\n{start}\n{trainer}")
        ast.parse(after)
        assert "\n\n\nclass AdaLoraCallback(TrainerCallback):\n" in after
        assert f"\n\n\n{start}\n" in after
        assert after.index("class AdaLoraCallback") < after.index(start)

    def test_line_ends_stay_those_of_the_file(self):
        text = f"{HEAD}trainer = Trainer(\n    model=model,\n    callbacks=[\n        Logs(),\n    ],\n)\ntrainer.train()\n"
        after = with_callback(text.replace("\n", "\r\n"))
        assert after.replace("\r\n", "\n") == with_callback(text)
        assert "\n" not in after.replace("\r\n", "")

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            (f"{HEAD}callbacks = []\nTrainer(model, callbacks=callbacks).train()\n", "is not written in the call"),
            (f"{HEAD}class AdaLoraCallback: ...\n\nTrainer(model).train()\n", "has a name AdaLoraCallback already"),
            (f"from transformers import logging\n{HEAD}Trainer(model).train()\n", "something else by logging"),
            (f"{HEAD}Any = 3\nTrainer(model).train()\n", "something else by Any"),
            (f"{HEAD}x = 3; Trainer(model).train()\n", "on the line of the Trainer"),
            (f"{HEAD.replace('base, rows', 'base; rows = 3')}Trainer(model).train()\n", "the line of the last import"),
        ],
    )
    def test_it_is_not_put_where_it_has_no_place(self, text, reason):
        with pytest.raises(Unplaceable, match=reason):
            with_callback(text)

    def test_it_is_read_back_as_a_callback_that_asks_for_skipped_steps(self):
        text = HEAD + 'Trainer(model, TrainingArguments("out", max_steps=300, fp16=True)).train()\n'
        [site] = read_sites(source_of(with_callback(text)))
        [hooked, started] = site.trainings
        assert (hooked.way, started.way, started.reached) == (Way.CALLBACK, Way.TRAINER, True)
        assert hooked.fp16 is True
        assert [guard.kind for guard in hooked.call.guards] == [GuardKind.FINITE]


class TestAHookRenamed:
    TEXT = "class A(Base):\n    def on_step_end(self, args, state, control, {}):\n        model.allocate(state.global_step)\n"

    @pytest.mark.parametrize(
        "parameters", ["**kwargs", "model, **kwargs", "logs=None, **kwargs", "*, optimizer, logs=None, **kwargs"]
    )
    def test_only_its_name_and_its_number_change(self, parameters):
        text = self.TEXT.format(parameters)
        wanted = text.replace("on_step_end", "on_optimizer_step")
        assert renamed(text, "on_step_end") == wanted
        wanted = wanted.replace("global_step)", "global_step + 1)")
        assert renamed(text, "on_step_end", counter="state.global_step") == wanted

    @pytest.mark.parametrize("parameters", ["logs, **kwargs", "model, metrics, **kwargs", "*, logs, **kwargs"])
    def test_a_method_that_demands_what_the_other_event_lacks_stays(self, parameters):
        with pytest.raises(
            Unplaceable, match=r"on_step_end takes (logs|metrics), which on_optimizer_step is not given"
        ):
            renamed(self.TEXT.format(parameters), "on_step_end")

    def test_a_class_that_has_such_a_method_keeps_it(self):
        text = self.TEXT.format("**kwargs") + "    def on_optimizer_step(self, *args, **kwargs):\n        pass\n"
        with pytest.raises(Unplaceable, match="A has a method on_optimizer_step already"):
            renamed(text, "on_step_end")

    def test_configuration_and_code_are_not_changed_at_once(self):
        with pytest.raises(Unplaceable, match="either the code or the configuration"):
            hook_edits.place(source_of(self.TEXT.format("**kwargs")), [Set("tfinal", "3", Literal(3))])


CALLBACK = """\
from peft import AdaLoraConfig
from transformers import TrainerCallback

config = AdaLoraConfig(task_type="CAUSAL_LM", tfinal={}, total_step=300)


class Allocate(TrainerCallback):
    def on_step_end(self, args, state, control, model=None, **kwargs):
        model.update_and_allocate({})
"""


class TestTheWholeFix:
    @pytest.mark.parametrize(
        ("tfinal", "number", "then"),
        [
            ("50", "state.global_step", "state.global_step"),
            ("0", "state.global_step", "state.global_step + 1"),
            ("tail", "state.global_step", "state.global_step + 1"),
            ("50", "self.seen", "self.seen"),
        ],
    )
    def test_the_number_is_raised_where_the_last_cut_would_be_missed(self, tfinal, number, then):
        text = CALLBACK.format(tfinal, number).replace(
            "import TrainerCallback", "import TrainerCallback\nfrom x import tail"
        )
        fixed = adalint.fix_text(text, filename="x.py")
        assert fixed.after.text == text.replace("on_step_end", "on_optimizer_step").replace(f"({number})", f"({then})")
        assert [one for one in fixed.left if one.code.startswith("ADA4")] == []

    def test_a_number_that_cannot_be_raised_keeps_the_fix_on_show(self):
        text = CALLBACK.format("0", "self.seen")
        assert adalint.fix_text(text, filename="x.py", unsafe_fixes=True).after.text == text

    @pytest.mark.parametrize("hook", ["on_log", "on_substep_end"])
    def test_from_a_hook_that_comes_at_other_steps_it_is_not_safe(self, hook):
        text = CALLBACK.format("50", "state.global_step").replace("on_step_end", hook)
        assert adalint.fix_text(text, filename="x.py").after.text == text
        fixed = adalint.fix_text(text, filename="x.py", unsafe_fixes=True)
        assert fixed.after.text == text.replace(hook, "on_optimizer_step")
