"""Real frameworks beside the installed packages, in folders that only subprocesses look into.

`python tests/frameworks_env.py` asks them again and writes `tests/data/frameworks.json`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

TESTS = Path(__file__).resolve().parent
RECORDED = TESTS / "data" / "frameworks.json"

FRAMEWORKS = {
    "ms-swift": "4.6.0",
    "Ludwig": "0.11.0",
    "textgen": "1.1.1",
    "deep_training": "0.3.0",
    "optimum-habana": "1.21.2",
}
COMPANY = {
    ("ms-swift", "Ludwig"): (
        *("modelscope==1.30.0", "json_repair==0.64.6", "einops==0.8.2", "dacite==1.9.2"),
        *("marshmallow==3.26.2", "marshmallow-dataclass==8.7.1", "marshmallow-jsonschema==0.16.0"),
        *("typing_inspect==0.9.0", "mypy_extensions==1.2.0", "scikit-learn==1.9.1", "joblib==1.6.0"),
        *("threadpoolctl==3.8.0", "scipy==1.17.1", "narwhals==2.29.0", "h5py==3.16.0", "dataclasses-json==0.6.7"),
        *("ray==2.60.0", "protobuf==7.36.2"),
    ),
    # The last PEFT that textgen can be imported with.
    ("textgen", "deep_training"): (
        *("peft==0.9.0", "transformers==4.45.2", "tokenizers==0.20.3", "huggingface_hub==0.36.0"),
        *("datasets==3.6.0", "loguru==0.7.3"),
    ),
    # The PEFT that its example pins.
    ("optimum-habana",): (
        *("peft==0.12.0", "transformers==4.55.4", "tokenizers==0.21.4", "huggingface_hub==0.36.0"),
        *("datasets==3.6.0", "accelerate==1.10.1", "optimum==2.0.0"),
    ),
}
"""By what goes together, what it imports beside what the tests have; without dependencies, which would bring more."""

SWIFT = "tuner_type: adalora\nmodel: Qwen/Qwen2.5-7B-Instruct\n"
TEXTGEN = '{"model_class": "GptArgs", "dataset_class": null, "peft_type": "adalora", '
DEEP_TRAINING = "global_args:\n  enable_lora: true\nadalora:\n  with_lora: true\n  lora_type: adalora\n"
LUDWIG = "base_model: facebook/opt-350m\noutput_features: []\nadapter:\n  type: adalora\n"
TEXTS = [
    ("ms-swift", "config.yaml", SWIFT.replace("tuner_type", "train_type") + "adalora_init_r: 24\n"),
    ("ms-swift", "config.yaml", SWIFT.replace("tuner_type", "sft_type") + "adalora_init_r: 24\n"),
    *[
        ("ms-swift", "config.yaml", SWIFT + text)
        for text in (
            "",
            "lora_rank: 16\nadalora_init_r: 24\nadalora_target_r: 10\nlora_alpha: 16\n",
            'adalora_init_r: "10"\nadalora_tinit: "200"\nadalora_tfinal: 300\nmax_steps: 1000\n',
            "adalora_orth_reg_weight: 1e-4\nadalora_beta1: 9e-1\nadalora_beta2: .5\n",
            "adalora_init_r: 10.0\n",
            "adalora_init_r: null\n",
            "adalora_tinit: 5_0\n",
            "use_rslora: true\nlora_bias: all\nlora_dropout: 0\n",
            "max_steps: -1\nnum_train_epochs: 2\n",
            "adalora_deltaT: 5\nadalora_delta_t: 5\n",
            "train_type: adalora\n",
            "lora_dropout_p: 0.1\n",
            "lora_target_modules: ALL\n",
            "sft_type: adalora\n",
            "lora_bias_trainable: all\n",
            "lora_bias: all\n",
            "adalora_init_r: 24\n",
            "lora_bias: nothing\n",
            "lora_bias: lora_only\n",
            "adalora_delta_t: 5\n",
            "adalora_deltaT: 5\n",
            "lora_dropout: 0.1\n",
        )
    ],
    *[
        ("Ludwig", "config.yaml", LUDWIG + text)
        for text in (
            "",
            "  r: 16\n",
            "  r: 16\n  alpha: 8\n",
            '  init_r: "24"\n  target_r: 4\n  tinit: 100\n  tfinal: 200\n  delta_t: 10\n  total_step: "1000"\n',
            "  orth_reg_weight: 1e-4\n  dropout: 0.1\n  bias_type: all\n",
            "  deltaT: 10\n  target_modules: [q_proj]\n  use_rslora: true\n  modules_to_save: [head]\n",
            "  bias_type: nothing\n",
            "  bias_type: lora_only\n",
            "  beta1: 1.0\n",
            "  beta1: 1.5\n",
            "  target_r: 0\n",
            "  init_r: -1\n",
            "  delta_t: 0\n",
            "  total_step: 0\n",
            "  total_step: null\n",
            "  orth_reg_weight: 2.0\n",
            "  init_r: 24.0\n",
        )
    ],
    *[
        ("Ludwig", "config.yaml", f"input_features: []\n{LUDWIG}  {written}\nhyperopt: {{parameters: {{{search}}}}}\n")
        for written, search in (
            ("init_r: 32", "adapter.target_r: {space: randint, lower: 4, upper: 8}"),
            ("init_r: 32", "adapter.target_r: {space: lograndint, lower: 4, upper: 8}"),
            ("init_r: 32", "adapter.target_r: {space: qrandint, lower: 4, upper: 12, q: 4}"),
            ("init_r: 32", "adapter.target_r: {space: choice, categories: [16, 4, 8]}"),
            ("target_r: 4", "adapter.init_r: {space: grid_search, values: [12, 8, 24]}"),
            ("beta1: 0.5", "adapter.beta1: {space: quniform, lower: 0.5, upper: 0.8, q: 0.1}"),
            ("tinit: 9", "adapter.delta_t: {space: choice, categories: [1, 5]}"),
            ("init_r: 9", "adapter.r: {space: choice, categories: [4, 64]}"),
            ("target_r: 4", "adapter.init_r: {space: choice, categories: ['8', '16']}"),
            ("target_r: 4", "adapter.init_r: {space: qlograndint, lower: 8, upper: 16, q: 4}"),
        )
    ],
    *[
        ("textgen", "model_args.json", TEXTGEN + text)
        for text in (
            '"adalora": 0}',
            '"adalora_init_r": 24, "adalora_tinit": 5, "adalora_tfinal": 20, "adalora_delta_t": 2}',
            '"lora_beta": 0.9, "lora_r": 16, "lora_alpha": 64, "lora_dropout": 0.0}',
            '"adalora_target_r": 4, "adalora_total_step": 90, "adalora_orth_reg_weight": 0.1, "lora_bias": "all"}',
            '"adalora_tinit": "200"}',
            '"use_peft": false}',
        )
    ],
    *[
        ("textgen", "train.py", "from textgen import GptModel, GptArgs\n" + text)
        for text in (
            'GptModel("llama", "x", args={"peft_type": "AdaLoRA", "adalora_init_r": 24, "lora_beta": 0.5})',
            'GptModel("llama", "x", args=GptArgs(peft_type="adalora", adalora_tfinal=5, lora_r=4))',
            'GptModel("llama", "x", args={"peft_type": "LORA", "adalora_init_r": 24})',
            'GptModel("llama", "x", args=GptArgs(adalora_init_r=24))  # adalora',
            'GptModel("llama", "x", args={"peft_type": "adalora", "use_peft": False})',
        )
    ],
    *[
        ("deep_training", "train.yaml", DEEP_TRAINING + text)
        for text in (
            "",
            "  r: 4\n  lora_alpha: 32\n  lora_dropout: 0.1\n  target_r: 4\n  init_r: 16\n  tinit: 5\n  tfinal: 20\n",
            "  deltaT: 10\n  beta1: 0.9\n  beta2: 0.5\n  orth_reg_weight: 1e-4\n  total_step: '100'\n  warmup: 9\n",
        )
    ],
    *[
        ("deep_training", "train.yaml", f"{DEEP_TRAINING}lora:\n  {switch}\n")
        for switch in ("with_lora: true", "with_lora: false", "enable: true", "enable: false")
    ],
    ("deep_training", "train.yaml", DEEP_TRAINING.replace("with_lora", "enable")),
    ("deep_training", "train.yaml", DEEP_TRAINING.replace("with_lora: true", "with_lora: false")),
    ("deep_training", "train.yaml", DEEP_TRAINING.replace("  lora_type: adalora\n", "")),
]


def ask_anew(root: Path) -> dict[str, object]:
    """Ask the real frameworks, which are fetched from PyPI into `root` when they are not there."""
    told: dict[tuple[str, ...], dict[str, object]] = {}
    for names, company in COMPANY.items():
        folder = root / "-".join(f"{name}-{FRAMEWORKS[name]}" for name in names)
        _fill(folder, [*company, *(f"{name.lower()}=={FRAMEWORKS[name]}" for name in names)])
        command = [sys.executable, str(TESTS / "frameworks_ask.py"), *names]
        environment = {**os.environ, "PYTHONPATH": str(folder), "HF_HUB_OFFLINE": "1"}
        asked = json.dumps([text for text in TEXTS if text[0] in names])
        done = subprocess.run(command, input=asked, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        told[names] = json.loads(done.stdout)
    given = {names: iter(one["answers"]) for names, one in told.items()}
    answers = {name: given[names] for names in told for name in names}
    return {
        "allocator": {name: shown for one in told.values() for name, shown in one["allocator"].items()},
        "forward": {name: shown for one in told.values() for name, shown in one["forward"].items()},
        "answers": [next(answers[framework]) for framework, _, _ in TEXTS],
    }


def _fill(folder: Path, wanted: list[str]) -> None:
    whole = folder / "is-whole"
    listed = "\n".join(wanted)
    if whole.exists() and whole.read_text(encoding="utf-8") == listed:
        return
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--upgrade", "--target", str(folder), *wanted]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    whole.write_text(listed, encoding="utf-8")


def recorded() -> dict[str, object]:
    return json.loads(RECORDED.read_text(encoding="utf-8"))


if __name__ == "__main__":
    anew = ask_anew(Path(sys.argv[1]))
    table = {
        "recorded": datetime.now(tz=UTC).date().isoformat(),
        "releases": FRAMEWORKS,
        "allocator": anew["allocator"],
        "forward": anew["forward"],
        "answers": [
            {"framework": framework, "file": name, "text": text, **answer}
            for (framework, name, text), answer in zip(TEXTS, anew["answers"], strict=True)
        ],
    }
    RECORDED.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
