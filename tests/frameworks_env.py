"""Real frameworks beside the installed packages, in a folder that only a subprocess looks into.

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

FRAMEWORKS = {"ms-swift": "4.6.0", "Ludwig": "0.11.0"}
COMPANY = (
    *("modelscope==1.30.0", "json_repair==0.64.6", "einops==0.8.2", "dacite==1.9.2"),
    *("marshmallow==3.26.2", "marshmallow-dataclass==8.7.1", "marshmallow-jsonschema==0.16.0", "typing_inspect==0.9.0"),
    *("mypy_extensions==1.2.0", "scikit-learn==1.9.1", "joblib==1.6.0", "threadpoolctl==3.8.0", "scipy==1.17.1"),
    *("narwhals==2.29.0", "h5py==3.16.0", "dataclasses-json==0.6.7"),
)
"""What their parsers import beside what the tests have; without dependencies, which would bring other releases of PEFT."""

SWIFT = "tuner_type: adalora\nmodel: Qwen/Qwen2.5-7B-Instruct\n"
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
        )
    ],
]


def ask_anew(root: Path) -> dict[str, object]:
    """Ask the real frameworks, which are fetched from PyPI into `root` when they are not there."""
    folder = root / "-".join(f"{name}-{release}" for name, release in FRAMEWORKS.items())
    if not (folder / "is-whole").exists():
        wanted = [f"{name.lower()}=={release}" for name, release in FRAMEWORKS.items()]
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(folder)]
        done = subprocess.run([*command, *COMPANY, *wanted], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        (folder / "is-whole").touch()
    command = [sys.executable, str(TESTS / "frameworks_ask.py")]
    environment = {**os.environ, "PYTHONPATH": str(folder), "HF_HUB_OFFLINE": "1"}
    asked = json.dumps(TEXTS)
    done = subprocess.run(command, input=asked, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


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
