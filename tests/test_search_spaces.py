"""Search spaces, judged at their extremes: what a search may choose, and what keeps it from it."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from textwrap import dedent

import pytest
from config_oracle import Case, observe

from adalint import check_text, fix_text
from adalint.findings import Severity
from adalint.settings import Settings


def found(text: str, path: str = "search.py") -> list[tuple[str, str]]:
    """Give the codes and messages of what is found in a text."""
    return [(one.code, one.message) for one in check_text(dedent(text), filename=path).findings]


def codes(text: str, path: str = "search.py") -> list[str]:
    """Give the codes of what is found in a text."""
    return [code for code, _ in found(text, path)]


def choices(text: str, path: str = "search.py") -> list[tuple[str, str]]:
    """Give for each finding its code and which choice of the search brings it about."""
    pairs = []
    for code, message in found(text, path):
        said = message.removeprefix("the search may choose ")
        pairs.append((code, said.partition(": ")[0] if said != message else ""))
    return pairs


HEAD = """\
import optuna
from peft import AdaLoraConfig, get_peft_model

def objective(trial):
"""
TAIL = """
    return train(get_peft_model(base, config))

optuna.create_study().optimize(objective, n_trials=50)
"""


def objective(*lines: str) -> str:
    """Write an objective of Optuna that has these lines before it trains `config`."""
    return HEAD + "".join(f"    {line}\n" for line in lines) + TAIL


ASKED_INIT, ASKED_TARGET = 'trial.suggest_int("a", 4, 16)', 'trial.suggest_int("b", 2, 8)'
REST = 'total_step=3000, task_type="CAUSAL_LM"'


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(
            (f"config = AdaLoraConfig(init_r={ASKED_INIT}, target_r={ASKED_TARGET}, {REST})",),
            id="as the value of the field",
        ),
        pytest.param(
            (
                'init_r = trial.suggest_int("init_r", 4, 16)',
                'target_r = trial.suggest_int("target_r", 2, 8)',
                f"config = AdaLoraConfig(init_r=init_r, target_r=target_r, {REST})",
            ),
            id="through local names",
        ),
        pytest.param(
            (
                'ranks = {"init_r": trial.suggest_int("a", 4, 16), "target_r": trial.suggest_int("b", 2, 8)}',
                f"config = AdaLoraConfig(**ranks, {REST})",
            ),
            id="through a dict",
        ),
        pytest.param(
            (
                'params = {"init_r": trial.suggest_int("a", 4, 16), "target_r": trial.suggest_int("b", 2, 8)}',
                f'config = AdaLoraConfig(init_r=params["init_r"], target_r=params["target_r"], {REST})',
            ),
            id="through the items of a dict",
        ),
        pytest.param(
            (
                'init_r = trial.suggest_categorical("a", [4, 12, 16])',
                'target_r = trial.suggest_categorical("b", [2, 8])',
                f"config = AdaLoraConfig(init_r=init_r, target_r=target_r, {REST})",
            ),
            id="among options",
        ),
        pytest.param(
            (
                'init_r = trial.suggest_int(name="a", low=4, high=16, step=4)',
                'target_r = trial.suggest_int("b", 2, high=9, step=2)',
                f"config = AdaLoraConfig(init_r=init_r, target_r=target_r, {REST})",
            ),
            id="in steps",
        ),
    ],
)
def test_ranks_that_a_trial_may_choose_the_wrong_way_round_are_found(lines: tuple[str, ...]) -> None:
    assert choices(objective(*lines)) == [("ADA102", "target_r=8 with init_r=4")]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param(
            (
                'target_r = trial.suggest_int("target_r", 4, 16)',
                f"config = AdaLoraConfig(target_r=target_r, {REST})",
            ),
            [("ADA102", "target_r=16")],
            id="against PEFT's default of init_r",
        ),
        pytest.param(
            (
                'tinit = trial.suggest_int("tinit", 0, 2000)',
                f"config = AdaLoraConfig(tinit=tinit, tfinal=1000, {REST})",
            ),
            [("ADA203", "tinit=2000")],
            id="a warm-up as long as what the final phase leaves",
        ),
        pytest.param(
            ('r = trial.suggest_int("r", 0, 16)', f"config = AdaLoraConfig(init_r=32, target_r=r, {REST})"),
            [("ADA104", "target_r=0")],
            id="a rank of zero",
        ),
        pytest.param(
            ('b = trial.suggest_float("b", 0.0, 0.9)', f"config = AdaLoraConfig(beta1=b, {REST})"),
            [("ADA305", "beta1=0.0")],
            id="a beta of zero",
        ),
        pytest.param(
            ('b = trial.suggest_float("b", 0.8, 1.0, step=0.05)', f"config = AdaLoraConfig(beta2=b, {REST})"),
            [("ADA305", "beta2=1.0")],
            id="a beta of one",
        ),
        pytest.param(
            ('every = trial.suggest_categorical("every", [0, 1, 10])', f"config = AdaLoraConfig(deltaT=every, {REST})"),
            [("ADA204", "deltaT=0")],
            id="a deltaT of zero",
        ),
        pytest.param(
            (
                'bias = trial.suggest_categorical("bias", ["none", "all", "some"])',
                f"config = AdaLoraConfig(bias=bias, {REST})",
            ),
            [("ADA319", "bias='some'")],
            id="a word that PEFT does not know",
        ),
        pytest.param(
            (
                'target_r = trial.suggest_int("target_r", 1, 8)',
                f"config = AdaLoraConfig(init_r=2 * target_r - 1, target_r=target_r, {REST})",
            ),
            [("ADA102", "target_r=1 with init_r=1")],
            id="one choice for two fields, at its own extremes",
        ),
        pytest.param(
            (
                "steps = 3000",
                'share = trial.suggest_categorical("share", [0.1, 0.5])',
                'config = AdaLoraConfig(tinit=int(share * steps), tfinal=1500, total_step=steps, task_type="CAUSAL_LM")',
            ),
            [("ADA203", "tinit=1500")],
            id="a share of the run",
        ),
    ],
)
def test_a_choice_that_peft_refuses_is_named(lines: tuple[str, ...], expected: list[tuple[str, str]]) -> None:
    assert choices(objective(*lines)) == expected


INIT, TARGET = 'init_r = trial.suggest_int("init_r", 4, 16)', 'target_r = trial.suggest_int("target_r", 2, 8)'
CONFIG = f"config = AdaLoraConfig(init_r=init_r, target_r=target_r, {REST})"


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param((INIT, 'target_r = trial.suggest_int("target_r", 2, 3)', CONFIG), id="ranges that do not meet"),
        pytest.param(
            (INIT, 'target_r = trial.suggest_int("target_r", 2, init_r - 1)', CONFIG),
            id="a bound that hangs on another choice",
        ),
        pytest.param(
            (INIT, 'target_r = trial.suggest_int("target_r", 2, HIGHEST)', CONFIG), id="a bound that is not told"
        ),
        pytest.param(
            (INIT, 'target_r = trial.suggest_int(f"target_{1}", 2, 8)', CONFIG.replace("init_r=init_r", "init_r=12")),
            id="innocent under a name that is made",
        ),
        pytest.param(
            (INIT, TARGET, "if target_r >= init_r:", "    raise optuna.TrialPruned()", CONFIG), id="pruned before"
        ),
        pytest.param(
            (INIT, TARGET, CONFIG, "if config.target_r >= config.init_r:", "    raise optuna.TrialPruned()"),
            id="pruned after",
        ),
        pytest.param((INIT, TARGET, "if target_r >= init_r:", '    return float("inf")', CONFIG), id="returned before"),
        pytest.param((INIT, TARGET, "assert target_r < init_r", CONFIG), id="asserted"),
        pytest.param(
            (INIT, TARGET, "if target_r >= init_r:", "    target_r = init_r // 2", CONFIG), id="put right by a test"
        ),
        pytest.param((INIT, TARGET, "check_ranks(init_r, target_r)", CONFIG), id="handed to a check that is elsewhere"),
        pytest.param(
            (
                INIT,
                TARGET,
                "right = is_valid(init_r, target_r)",
                "if not right:",
                "    raise optuna.TrialPruned()",
                CONFIG,
            ),
            id="pruned by an answer",
        ),
        pytest.param(
            (
                INIT,
                TARGET,
                "ranks = dict(a=init_r, b=target_r)",
                "if not is_valid(ranks):",
                "    raise optuna.TrialPruned()",
                CONFIG,
            ),
            id="pruned as a whole",
        ),
        pytest.param(
            (INIT, TARGET, CONFIG.replace("target_r=target_r", "target_r=min(target_r, init_r - 1)")), id="clamped"
        ),
        pytest.param((INIT, TARGET, CONFIG.replace("init_r=init_r", "init_r=max(init_r, target_r + 1)")), id="raised"),
        pytest.param((TARGET, "init_r = 2 * target_r", CONFIG), id="derived"),
        pytest.param(
            (TARGET, "init_r = target_r + trial.suggest_int('more', 1, 8)", CONFIG), id="derived from two choices"
        ),
        pytest.param(
            (TARGET, CONFIG.replace("init_r=init_r", 'init_r=trial.suggest_int("target_r", 2, 8) + 1')),
            id="one name asked for twice",
        ),
        pytest.param((INIT, 'target_r = trial.suggest_int("init_r", 4, 16) - 1', CONFIG), id="one name for two fields"),
        pytest.param(
            ('init_r, target_r = trial.suggest_categorical("ranks", [(8, 4), (16, 8)])', CONFIG),
            id="options that belong together",
        ),
        pytest.param(
            (
                'ranks = trial.suggest_categorical("ranks", [{"i": 8, "t": 4}, {"i": 16, "t": 8}])',
                CONFIG.replace("=init_r", '=ranks["i"]').replace("=target_r", '=ranks["t"]'),
            ),
            id="dicts that belong together",
        ),
        pytest.param(
            (INIT, TARGET, "try:", f"    {CONFIG}", "except ValueError:", "    raise optuna.TrialPruned()"),
            id="an exception that is answered",
        ),
        pytest.param(
            ('b = trial.suggest_float("b", 0.1, 0.9)', f"config = AdaLoraConfig(beta1=b, {REST})"), id="betas in range"
        ),
        pytest.param(
            ('b = trial.suggest_uniform("b", 0.0, 1.0)', f"config = AdaLoraConfig(beta1=b, {REST})"),
            id="ends that are never drawn",
        ),
        pytest.param(
            (
                'n = 16 if trial.suggest_categorical("more", [True, False]) else 12',
                CONFIG.replace("=init_r", "=n").replace("=target_r", "=4"),
            ),
            id="a switch",
        ),
    ],
)
def test_what_a_search_may_not_bring_about_is_silent(lines: tuple[str, ...]) -> None:
    assert codes(objective(*lines)) == []


def test_the_finding_points_at_what_the_search_is_asked_for_and_at_the_fields() -> None:
    text = objective(INIT, TARGET, CONFIG)
    report = check_text(text, filename="search.py")
    [finding] = report.findings
    places = [report.source.slice(one.span) for one in (finding, *finding.related)]
    assert places == [
        'trial.suggest_int("target_r", 2, 8)',
        'trial.suggest_int("init_r", 4, 16)',
        "target_r",
        "init_r",
    ]


def test_no_fix_takes_a_choice_from_the_search() -> None:
    text = objective(INIT, TARGET, CONFIG)
    [finding] = check_text(text, filename="search.py").findings
    assert finding.fixes == ()
    assert fix_text(text, filename="search.py", unsafe_fixes=True).after.text == text


def test_what_is_wrong_whatever_is_chosen_is_said_as_ever() -> None:
    lines = ('lora_alpha = trial.suggest_int("lora_alpha", 8, 64)',)
    config = f"config = AdaLoraConfig(r=8, init_r=8, target_r=16, lora_alpha=lora_alpha, {REST})"
    assert choices(objective(*lines, config)) == choices(objective(config.replace("=lora_alpha", "=16")))


def test_a_choice_is_named_once_for_several_that_are_wrong() -> None:
    lines = (
        'init_r = trial.suggest_categorical("init_r", [4, 6, 8])',
        "config = AdaLoraConfig(init_r=init_r, target_r=8)",
    )
    assert [code for code, _ in choices(objective(*lines))].count("ADA102") == 1


def test_a_way_through_the_program_that_is_right_keeps_a_choice_silent() -> None:
    lines = ("if large:", '    init_r = trial.suggest_int("init_r", 4, 16)', "else:", "    init_r = 32")
    config = f"config = AdaLoraConfig(init_r=init_r, target_r=8, {REST})"
    assert codes(objective(*lines, config)) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("n_trials=50)", "n_trials=50, catch=(RuntimeError,))"),
        ("create_study()", 'create_study(sampler=optuna.samplers.GridSampler({"init_r": [12], "target_r": [4]}))'),
        ("create_study()", "create_study(sampler=optuna.samplers.TPESampler(constraints_func=constraints))"),
    ],
)
def test_a_study_that_limits_its_choices_or_lives_with_failures_is_silent(before: str, after: str) -> None:
    text = objective(INIT, TARGET, CONFIG)
    assert before in text
    assert codes(text.replace(before, after)) == []


@pytest.mark.parametrize(
    ("receiver", "expected"),
    [("trial", ["ADA102"]), ("t: optuna.Trial", ["ADA102"]), ("t: 'optuna.trial.Trial'", ["ADA102"]), ("chef", [])],
)
def test_only_a_plain_trial_suggests(receiver: str, expected: list[str]) -> None:
    name = receiver.partition(":")[0]
    text = objective(INIT, TARGET, CONFIG).replace("trial.", f"{name}.").replace("(trial)", f"({receiver})")
    assert codes(text) == expected


def test_a_choice_is_followed_through_functions() -> None:
    text = """\
    import optuna
    from peft import AdaLoraConfig

    def ranks(trial):
        return {"init_r": trial.suggest_int("init_r", 4, 16), "target_r": trial.suggest_int("target_r", 2, 8)}

    def build(init_r, target_r):
        return AdaLoraConfig(init_r=init_r, target_r=target_r, total_step=3000, task_type="CAUSAL_LM")

    def objective(trial):
        chosen = ranks(trial)
        return train(build(chosen["init_r"], chosen["target_r"]))

    optuna.create_study().optimize(objective)
    """
    assert choices(text) == [("ADA102", "target_r=8 with init_r=4")]
    guarded = text.replace("return AdaLoraConfig", "assert target_r < init_r\n        return AdaLoraConfig")
    assert codes(guarded) == []


RAY = """\
from peft import AdaLoraConfig, get_peft_model
from ray import tune

def train(config):
    adapter = AdaLoraConfig(init_r=config["init_r"], target_r=config["target_r"], total_step=3000, task_type="CAUSAL_LM")
    tune.report({"loss": fit(get_peft_model(base, adapter), config["lr"])})

space = {"init_r": INIT, "target_r": TARGET, "lr": tune.loguniform(1e-5, 1e-3)}
tune.Tuner(tune.with_resources(train, {"gpu": 1}), param_space=space).fit()
"""


@pytest.mark.parametrize(
    ("init", "target", "expected"),
    [
        ("tune.choice([4, 16])", "tune.choice([2, 8])", [("ADA102", "target_r=8 with init_r=4")]),
        ("tune.grid_search([4, 16])", "8", [("ADA102", "init_r=4")]),
        ("tune.randint(8, 17)", "tune.randint(2, 9)", [("ADA102", "target_r=8 with init_r=8")]),
        ("tune.randint(8, 17)", "tune.randint(2, 8)", []),
        ("tune.qrandint(8, 16, 4)", "tune.qrandint(2, 12, 2)", [("ADA102", "target_r=12 with init_r=8")]),
        ("16", "tune.sample_from(lambda spec: spec.config.init_r // 2)", []),
        ("tune.choice([4, 16])", "tune.sample_from(lambda spec: spec.config.init_r // 2)", []),
        ("tune.choice(RANKS)", "8", []),
        ("mytune.choice([4, 16])", "8", []),
    ],
)
def test_a_space_of_ray_tune_is_read_with_its_own_ends(init: str, target: str, expected: list[tuple[str, str]]) -> None:
    assert choices(RAY.replace("INIT", init).replace("TARGET", target)) == expected


def test_a_function_that_is_called_otherwise_too_is_not_that_of_the_search() -> None:
    text = RAY.replace("INIT", "tune.choice([4, 16])").replace("TARGET", "8")
    assert codes(text) == ["ADA102"]
    assert codes(text + "\nother(train)\n") == []


HYPEROPT = """\
from hyperopt import fmin, hp, tpe
from hyperopt.pyll import scope
from peft import AdaLoraConfig, get_peft_model

def objective(params):
    config = AdaLoraConfig(
        init_r=params["init_r"], target_r=int(params["target_r"]), total_step=3000, task_type="CAUSAL_LM"
    )
    return fit(get_peft_model(base, config))

space = {"init_r": INIT, "target_r": TARGET}
best = fmin(fn=objective, space=space, algo=tpe.suggest, max_evals=50)
"""


@pytest.mark.parametrize(
    ("init", "target", "expected"),
    [
        ('hp.choice("i", [4, 16])', 'hp.choice("t", [2, 8])', [("ADA102", "target_r=8 with init_r=4")]),
        ('hp.uniformint("i", 8, 16)', 'hp.randint("t", 1, 9)', [("ADA102", "target_r=8 with init_r=8")]),
        ('hp.uniformint("i", 8, 16)', 'hp.randint("t", 1, 8)', []),
        ('scope.int(hp.quniform("i", 6, 16, 4))', "4", []),
        ('scope.int(hp.quniform("i", 5, 16, 4))', "4", [("ADA102", "init_r=4")]),
        ('hp.choice("i", [{"r": 4}, {"r": 16}])["r"]', "8", []),
    ],
)
def test_a_space_of_hyperopt_is_read_with_its_own_ends(init: str, target: str, expected: list[tuple[str, str]]) -> None:
    assert choices(HYPEROPT.replace("INIT", init).replace("TARGET", target)) == expected


SWEEP = """\
program: train.py
method: bayes
parameters:
  peft_type: {value: ADALORA}
  init_r: INIT
  target_r: TARGET
"""


@pytest.mark.parametrize(
    ("init", "target", "expected"),
    [
        ("{values: [4, 12, 16]}", "{min: 2, max: 8}", [("ADA102", "target_r=8 with init_r=4")]),
        ("{min: 8, max: 16}", "{value: 8}", [("ADA102", "init_r=8")]),
        ("{min: 9, max: 16}", "{value: 8}", []),
        ("{distribution: q_uniform, min: 9, max: 16, q: 4}", "{value: 8}", [("ADA102", "init_r=8")]),
        ("{distribution: normal, mu: 12, sigma: 4}", "{value: 8}", []),
        ("{values: [4, 8], probabilities: [0, 1]}", "{value: 4}", []),
        ("{value: 8}", "{value: 16}", [("ADA102", "")]),
    ],
)
def test_a_sweep_of_wandb_is_read_with_its_own_ends(init: str, target: str, expected: list[tuple[str, str]]) -> None:
    assert choices(SWEEP.replace("INIT", init).replace("TARGET", target), "sweep.yaml") == expected


AGENT = """\
import wandb
from peft import AdaLoraConfig, get_peft_model

space = {
    "method": "random",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"init_r": INIT, "target_r": TARGET, "lr": {"min": 1e-5, "max": 1e-3}},
}

def train():
    run = wandb.init()
    config = wandb.config
    adapter = AdaLoraConfig(init_r=config.init_r, target_r=config.target_r, total_step=3000, task_type="CAUSAL_LM")
    fit(get_peft_model(base, adapter), config.lr)

sweep_id = wandb.sweep(space, project="adapters")
wandb.agent(sweep_id, train, count=20)
"""


@pytest.mark.parametrize(
    ("init", "target", "expected"),
    [
        ('{"values": [4, 12, 16]}', '{"min": 2, "max": 8}', [("ADA102", "target_r=8 with init_r=4")]),
        ('{"min": 8, "max": 16}', '{"value": 8}', [("ADA102", "init_r=8")]),
        ('{"min": 9, "max": 16}', '{"value": 8}', []),
        ("dict(values=[8, 16])", "dict(value=8)", [("ADA102", "init_r=8")]),
        ('{"distribution": "q_uniform", "min": 9, "max": 16, "q": 4}', '{"value": 8}', [("ADA102", "init_r=8")]),
        ('{"distribution": "normal", "mu": 12, "sigma": 4}', '{"value": 8}', []),
        ('{"values": [4, 8], "probabilities": [0, 1]}', '{"value": 4}', []),
        ('{"values": RANKS}', '{"value": 8}', []),
        ('{"values": [4, 8], **more}', '{"value": 8}', []),
        ('{"value": 8}', '{"value": 16}', [("ADA102", "")]),
    ],
)
def test_a_sweep_in_python_is_read_as_one_in_yaml(init: str, target: str, expected: list[tuple[str, str]]) -> None:
    assert choices(AGENT.replace("INIT", init).replace("TARGET", target)) == expected


WRONG_AGENT = AGENT.replace("INIT", '{"values": [4, 16]}').replace("TARGET", '{"values": [2, 8]}')


@pytest.mark.parametrize(
    "changes",
    [
        [("wandb.config\n", "run.config\n")],
        [("wandb.config\n", "wandb.run.config\n")],
        [("config.init_r", 'config["init_r"]'), ("config.target_r", 'config.get("target_r", 4)')],
        [("config.init_r", "wandb.config.init_r"), ("config.target_r", "run.config.target_r")],
        [("config.init_r,", "config.rank,"), ('"init_r": {', '"rank": {')],
        [
            (
                "    run = wandb.init()\n    config = wandb.config",
                "    with wandb.init() as run:\n        config = run.config",
            )
        ],
        [("wandb.sweep(space,", "wandb.sweep(sweep=space,"), ("sweep_id, train", "sweep_id=sweep_id, function=train")],
        [("import wandb", "import wandb as wb"), ("wandb.", "wb.")],
        [
            ('"parameters": {', '"parameters": {"adalora": {"parameters": {'),
            ('"lr":', '}}, "lr":'),
            ("config.init_r", 'config["adalora"]["init_r"]'),
            ("config.target_r", "config.adalora['target_r']"),
        ],
        [("init()", 'init(config={"init_r": 12})')],
        [
            (
                "config = wandb.config",
                "config = wandb.config\n    config.init_r = 12\n    config.update({'target_r': 2})",
            )
        ],
        [
            (
                "def train",
                "def build(c):\n    return AdaLoraConfig(init_r=c.init_r, target_r=c.target_r, total_step=9)\n\ndef train",
            ),
            (
                'AdaLoraConfig(init_r=config.init_r, target_r=config.target_r, total_step=3000, task_type="CAUSAL_LM")',
                "build(config)",
            ),
        ],
        [
            ("space = {", "space = {}\nspace.update({"),
            ('    "parameters"', '    "parameters"'),
            ("},\n}\n", "},\n})\n"),
        ],
        [("wandb.agent(", "print(space)\nwandb.agent(")],
    ],
)
def test_what_a_sweep_chooses_is_followed_to_the_configuration(changes: list[tuple[str, str]]) -> None:
    text = WRONG_AGENT
    for before, after in changes:
        text = text.replace(before, after)
    assert codes(text) == ["ADA102"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # it is not this sweep that the function is run by, or not it alone
        ("wandb.agent(sweep_id, train, count=20)", "wandb.agent(sweep_id, other, count=20)"),
        ("wandb.agent(sweep_id, train, count=20)", "wandb.agent(sweep_id, count=20)"),
        ("wandb.agent(sweep_id, train, count=20)", 'wandb.agent("me/adapters/x1", train, count=20)'),
        ("sweep_id = wandb.sweep(", "sweep_id = ask() or wandb.sweep("),
        ("wandb.agent(", "other(train)\nwandb.agent("),
        ("wandb.agent(", "train()\nwandb.agent("),
        ("wandb.agent(", "wandb.sweep(load())\nwandb.agent("),
        ("def train", "@entry\ndef train"),
        # it is not the configuration of wandb
        ("config = wandb.config", "config = load()"),
        ("config = wandb.config", "config = wandb.config if run else load()"),
        ("import wandb\n", "from mine import wandb\n"),
        # what it may choose is not told
        ("space = {", "space = {**load(), "),
        ('"parameters": {', '"parameters": {**load(), '),
        ("sweep_id = wandb", "change(space)\nsweep_id = wandb"),
        ("sweep_id = wandb", "space['parameters'] = load()\nsweep_id = wandb"),
        ('"method": "random"', '"method": "tpe"'),
        ('"method": "random"', '"method": method()'),
        ('"init_r": {', '"init": {'),
        ("config.init_r", 'config["adalora"]["init_r"]'),
        # somebody looks at it
        ("    fit(", "    assert config.target_r < config.init_r\n    fit("),
        ("    adapter =", "    if config.init_r <= config.target_r:\n        return\n    adapter ="),
        ("config.target_r,", "min(config.target_r, config.init_r - 1),"),
        ("    adapter =", "    check(config.init_r, config.target_r)\n    adapter ="),
        ("sweep_id = wandb", "validate(space)\nsweep_id = wandb"),
    ],
)
def test_a_sweep_that_may_not_bring_a_choice_about_is_silent(before: str, after: str) -> None:
    assert before in WRONG_AGENT
    assert codes(WRONG_AGENT.replace(before, after)) == []


def test_a_finding_of_a_sweep_in_python_points_at_what_it_may_choose() -> None:
    [finding] = check_text(WRONG_AGENT, filename="search.py").findings
    places = [finding.span, *(related.span for related in finding.related)]
    assert {WRONG_AGENT.encode()[span.start : span.stop].decode() for span in places} == {"init_r", "target_r"}
    rows = {WRONG_AGENT.encode()[: span.start].count(b"\n") + 1 for span in places}
    assert rows == {7, 13}


WRONG_SWEEP = SWEEP.replace("INIT", "{values: [4, 16]}").replace("TARGET", "{values: [2, 8]}")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("program: train.py", 'command: ["${env}", python, "${program}", "${args}"]', ["ADA102"]),
        ("program: train.py", 'command: [sh, -c, "python check.py && python train.py"]', []),
        ("program: train.py", 'command: [python, "${program}", "${args}", "--target-r=2"]', []),
        ("ADALORA", "LORA, desc: adalora", []),
        ("{value: ADALORA}", "{values: [LORA, ADALORA]}", []),
        ("peft_type: {value: ADALORA}", "lr: {value: 1} # adalora", []),
        ("init_r: {values: [4, 16]}", "rank: {values: [4, 16]}", []),
        ("method: bayes", "method: evolution", []),
    ],
)
def test_a_sweep_counts_where_it_means_adalora_and_hands_on_what_it_chooses(
    before: str, after: str, expected: list[str]
) -> None:
    assert before in WRONG_SWEEP
    assert codes(WRONG_SWEEP.replace(before, after), "sweep.yaml") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("adalora: {init_r: {min: 4, max: 16}, target_r: 2}", []),
        ("adalora: {init_r: {min: 4, max: 16}, target_r: 2, total_step: null}", []),
        ("adalora: {init_r: {min: 4, max: 16}, target_r: 8}", [("ADA102", "init_r=4")]),
        (
            "adalora: {init_r: {min: 4, max: 16, step: 4}, target_r: {choices: [2, 4]}}",
            [("ADA102", "target_r=4 with init_r=4")],
        ),
        (
            "search_space: {adalora: {init_r: {min: 8, max: 16}, target_r: {min: 2, max: 8}}}",
            [("ADA102", "target_r=8 with init_r=8")],
        ),
        ("adalora: {init_r: {low: 8, high: 16}, target_r: {low: 2, high: 8}}", []),
        (
            "adalora: {init_r: {low: 7, high: 16}, target_r: {low: 2, high: 8}}",
            [("ADA102", "target_r=7 with init_r=7")],
        ),
        ("adalora: {init_r: {values: [4, 8]}}", []),
        ("adalora: {target_r: {min: 2, max: 16}}", []),
        ("lora: {init_r: {min: 4, max: 16}, target_r: 8} # adalora", []),
        ("method: lora\nadalora: {init_r: {min: 4, max: 16}, target_r: 8}", []),
        ("results: {adalora: {init_r: {min: 4, max: 16}, target_r: 8}}", []),
        ("adalora: {init_r: {mean: 4, std: 16}, target_r: 8}", []),
        ("adalora: {init_r: {min: 4, max: '${high}'}, target_r: 8}", []),
        ("adalora: {init_r: [4, 16], target_r: 8}", []),
        ("adalora: {beta1: {min: 0.0, max: 1.0}, init_r: 12}", []),
        ("adalora: {beta1: {choices: [0.85, 1.0]}, init_r: 12, target_r: 4}", [("ADA305", "beta1=1.0")]),
    ],
)
def test_a_block_of_ranges_is_judged_at_their_ends(text: str, expected: list[tuple[str, str]]) -> None:
    assert choices(text + "\n", "space.yaml") == expected


LUDWIG = """\
model_type: llm
input_features: [{name: a, type: text}]
output_features: [{name: b, type: text}]
adapter: {type: adalora, init_r: 32, target_r: 16, tfinal: 500, total_step: 1000}
hyperopt:
  parameters:
    KEY: SPACE
"""


@pytest.mark.parametrize(
    ("key", "space", "expected"),
    [
        ("adapter.tinit", "{space: choice, categories: [0, 500]}", [("ADA203", "tinit=500")]),
        ("adapter.tinit", "{space: randint, lower: 0, upper: 500}", []),
        ("adapter.tinit", "{space: randint, lower: 0, upper: 501}", [("ADA203", "tinit=500")]),
        ("adapter.beta1", "{space: choice, categories: [0.0, 0.85]}", [("ADA305", "beta1=0.0")]),
        ("trainer.tinit", "{space: choice, categories: [0, 500]}", []),
        ("adapter.init_r", "{space: choice, categories: [0, 32]}", []),
    ],
)
def test_a_search_of_ludwig_takes_the_place_of_what_is_written(
    key: str, space: str, expected: list[tuple[str, str]]
) -> None:
    found = choices(LUDWIG.replace("KEY", key).replace("SPACE", space), "ludwig.yaml")
    assert [one for one in found if one[0] != "ADA601"] == expected


HYDRA = """\
hydra:
  sweeper:
    params:
      KEY: SPACE
peft:
  _target_: peft.AdaLoraConfig
  task_type: CAUSAL_LM
  init_r: 16
  target_r: 8
  total_step: 1000
"""


@pytest.mark.parametrize(
    ("key", "space", "expected"),
    [
        ("peft.init_r", "choice(8, 16)", [("ADA102", "init_r=8")]),
        ("peft.init_r", "8,16", [("ADA102", "init_r=8")]),
        ("peft.init_r", "range(8, 16, 4)", [("ADA102", "init_r=8")]),
        ("+peft.tinit", "range(0, 1001, 500)", [("ADA203", "tinit=1000")]),
        ("+peft.tinit", "range(0, 1000, 500)", []),
        ("peft.target_r", "int(interval(2, 16))", [("ADA102", "target_r=16")]),
        ("peft.init_r", "shuffle(choice(8, 16))", []),
        ("peft.init_r", "choice(a, b)", []),
        ("lora.init_r", "choice(8, 16)", []),
        ("peft", "choice(lora, adalora)", []),
    ],
)
def test_a_sweeper_of_hydra_takes_the_place_of_what_is_written(
    key: str, space: str, expected: list[tuple[str, str]]
) -> None:
    assert choices(HYDRA.replace("KEY", key).replace("SPACE", space), "config.yaml") == expected


def test_the_message_speaks_chinese() -> None:
    settings = replace(Settings(), language="zh")
    [finding] = check_text(objective(INIT, TARGET, CONFIG), filename="search.py", settings=settings).findings
    assert finding.message.startswith("搜索可能选中 target_r=8 与 init_r=4：")


SMALL = {"init_r": (2, 4), "target_r": (1, 2), "tinit": (0, 3), "tfinal": (0, 6), "deltaT": (1,), "total_step": (8, 12)}


@pytest.mark.parametrize(
    "changed",
    [
        {"init_r": (3, 4)},
        {},
        {"init_r": (3, 4), "tinit": (0, 2, 4)},
        {"init_r": (3, 4), "tinit": (0, 1)},
        {"init_r": (3, 4), "deltaT": (0, 1)},
        {"init_r": (3, 4), "total_step": (0, 12)},
        {"init_r": (0, 4)},
    ],
)
def test_what_is_found_is_what_peft_raises_for_some_choice(changed: dict[str, tuple[int, ...]]) -> None:
    spaces = {**SMALL, **changed}
    runs = [dict(zip(spaces, values, strict=True)) for values in product(*spaces.values())]
    raises = any(observe(Case({**values, "target_modules": ["q_proj"]})).exception for values in runs)
    lines = [f'{name} = trial.suggest_categorical("{name}", {list(options)})' for name, options in spaces.items()]
    config = f"config = AdaLoraConfig({', '.join(f'{name}={name}' for name in spaces)}, task_type='CAUSAL_LM')"
    report = check_text(objective(*lines, config), filename="search.py")
    assert any(one.severity is Severity.ERROR for one in report.findings) is raises
