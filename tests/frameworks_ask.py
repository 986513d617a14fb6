"""What the real frameworks hand to PEFT: run in a process of its own, with the frameworks on its path.

`python tests/frameworks_ask.py FRAMEWORK… < texts.json` answers a list of `[framework, file name, text]` with a list of
`{"fields": …}`, `{"drawn": …}`, `{"own": …}`, `{"other": …}`, `{"unknown": [words]}` or `{"refused": exception}`, and shows of the frameworks that are
named what the allocator is called with, and what a forward pass of the framework's own raises.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import inspect
import json
import os
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

from frameworks_train import SHOW, conversations, enter, tiny_language_model, watched

FIELDS = ("target_r", "init_r", "tinit", "tfinal", "deltaT", "beta1", "beta2", "orth_reg_weight", "total_step")
LORA = ("r", "lora_alpha", "lora_dropout", "bias", "use_rslora")


def answers(config) -> dict[str, object]:
    return {"fields": {name: getattr(config, name) for name in (*FIELDS, *LORA)}}


def ask_ms_swift(name: str, text: str) -> dict[str, object]:
    """Go the way of `swift sft FILE`: the file's words, its parser, and the function that builds the configuration."""
    from swift.arguments import SftArguments
    from swift.cli.main import parse_yaml_args
    from swift.pipelines.train import tuner
    from swift.tuners import Swift
    from transformers import HfArgumentParser

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_text(text, encoding="utf-8")
        words = [str(path)]
        parse_yaml_args(words)
    read, rest = HfArgumentParser([SftArguments]).parse_known_args(words)
    if rest:
        return {"unknown": rest}
    built = []
    # There is no model: what would look for its modules, and what would wrap it, gets nothing to do.
    tuner.get_target_modules = lambda args, model: args.target_modules
    tuner.get_modules_to_save = lambda args, model, task: args.modules_to_save
    Swift.prepare_model = staticmethod(lambda model, config: built.append(config))
    # The rest of the arguments, which would fetch the model, is not built: these stand for what it fills in.
    usual = {"per_device_train_batch_size": 1, "gradient_accumulation_steps": 1, "num_train_epochs": 3.0}
    read.training_args = SimpleNamespace(**{**usual, **{k: v for k, v in vars(read).items() if v is not None}})
    read.task_type = read.task_type or "causal_lm"
    tuner.prepare_adapter(read, SimpleNamespace(), train_dataset=range(6400))
    return answers(built[0])


def ask_ludwig(name: str, text: str) -> dict[str, object]:
    """Read the adapter of a file by Ludwig's schema, and let that build the configuration; of a search, at its ends."""
    import marshmallow
    import yaml
    from ludwig.schema.llms.peft import AdaloraConfig

    config = yaml.safe_load(text)
    written = answers(AdaloraConfig.from_dict(config["adapter"]).to_config())
    if "hyperopt" not in config:
        return written
    from ludwig.hyperopt.utils import substitute_parameters

    drawn: dict[str, set] = {}
    for chosen in draws_of_ludwig(config["hyperopt"]["parameters"]):
        with contextlib.suppress(marshmallow.ValidationError):
            adapter = AdaloraConfig.from_dict(substitute_parameters(config, chosen)["adapter"])
            for field, value in answers(adapter.to_config())["fields"].items():
                drawn.setdefault(field, set()).add(value)
    drawn = {field: values for field, values in drawn.items() if values != {written["fields"][field]}}
    return {"drawn": {field: [min(values), max(values)] for field, values in drawn.items()}}


def draws_of_ludwig(parameters: dict[str, dict]) -> list[dict[str, object]]:
    """Draw from a search often enough to meet all that a small one holds, by the method of Ludwig's executor.

    That is taken by itself, as its module imports what reads pictures.
    """
    import numpy
    from ray import tune

    path = importlib.util.find_spec("ludwig.hyperopt").submodule_search_locations[0]
    tree = ast.parse(Path(path, "execution.py").read_text(encoding="utf-8"))
    [executor] = [node for node in tree.body if getattr(node, "name", None) == "RayTuneExecutor"]
    executor.bases = []
    executor.body = [one for one in executor.body if getattr(one, "name", "") in {"_get_search_space", "encode_values"}]
    scope = {"tune": tune, "signature": inspect.signature, "json": json}
    exec(compile(ast.Module([executor], []), path, "exec"), scope)
    spaces, read_back = scope["RayTuneExecutor"]()._get_search_space(parameters)
    numpy.random.seed(0)  # noqa: NPY002 - Ray Tune draws from it
    draws = []
    for name, space in spaces.items():
        options = space["grid_search"] if isinstance(space, dict) else space.sample(size=200)
        draws += [{name: read_back.get(name, lambda value: value)(one)} for one in options]
    return draws


def ask_textgen(name: str, text: str) -> dict[str, object]:
    """Train two steps with the options of a `model_args.json` in the model's folder, or of a call of GptModel."""
    enter("textgen")
    from peft import AdaLoraConfig
    from textgen.config.model_args import GptArgs
    from textgen.gpt import gpt_model

    given = None
    if name.endswith(".py"):
        [given] = [one.value for one in ast.parse(text).body[-1].value.keywords if one.arg == "args"]
        keywords = isinstance(given, ast.Call) and {one.arg: ast.literal_eval(one.value) for one in given.keywords}
        given = GptArgs(**keywords) if isinstance(given, ast.Call) else ast.literal_eval(given)
    built, calls, wrap = [], [], gpt_model.get_peft_model

    def wrap_and_watch(model, config):
        wrapped = wrap(model, config)
        built.append(config)
        calls.append(watched(wrapped) if isinstance(config, AdaLoraConfig) else None)
        return wrapped

    usual = {"max_steps": 2, "report_to": "none", "save_strategy": "no", "gradient_checkpointing": False}
    with tempfile.TemporaryDirectory() as folder, patch.object(gpt_model, "get_peft_model", wrap_and_watch):
        tiny_language_model(folder)
        if given is None:
            Path(folder, name).write_text(text, encoding="utf-8")
        model = gpt_model.GptModel("auto", folder, args=given, use_cuda=False)
        usual |= {"cache_dir": f"{folder}/cache", "output_dir": f"{folder}/out"}
        model.train_model(conversations(folder), args=usual, verbose=False)
    if calls in ([], [None]):
        return {"other": [one.peft_type.value for one in built]}
    return {**answers(built[0]), "calls": calls[0]}


def ask_deep_training(name: str, text: str) -> dict[str, object]:
    """Go the way of its training scripts, without a model: the file, the parser, and the configuration in force."""
    import yaml
    from transformers import HfArgumentParser

    enter("deep_training.nlp.models.petl")
    from deep_training.nlp.models.petl.config.config import PetlArguments

    [read] = HfArgumentParser([PetlArguments]).parse_dict(yaml.full_load(text), allow_extra_keys=True)
    return {"own": read.config and vars(read.config)}


ASK = {
    "ms-swift": ask_ms_swift,
    "Ludwig": ask_ludwig,
    "textgen": ask_textgen,
    "deep_training": ask_deep_training,
}


def ask(framework: str, name: str, text: str) -> dict[str, object]:
    try:
        return ASK[framework](name, text)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it refuses with is the answer
        return {"refused": type(error).__name__}


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    with contextlib.redirect_stdout(sys.stderr):
        given = {"answers": [ask(*one) for one in asked]}
        for what, ways in SHOW.items():
            given[what] = {name: show() for name, show in ways.items() if name in sys.argv[1:]}
    json.dump(given, sys.stdout)
