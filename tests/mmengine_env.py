"""What the real MMEngine makes of config modules, asked in a subprocess with MMEngine in a folder beside the packages.

`python tests/mmengine_env.py FOLDER` asks it again and writes `tests/data/mmengine.json`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

TESTS = Path(__file__).resolve().parent
RECORDED = TESTS / "data" / "mmengine.json"
RELEASE = "0.10.7"
COMPANY = (
    *("addict==2.4.0", "yapf==0.43.0", "termcolor==3.3.0", "rich==14.2.0", "platformdirs==4.5.0"),
    *("markdown-it-py==4.0.0", "mdurl==0.1.2", "pygments==2.19.2"),
)
"""What it imports beside what the tests have; without OpenCV and Matplotlib, which configurations do not need."""

FIELDS = ("target_r", "init_r", "tinit", "tfinal", "deltaT", "total_step")
CLASS = "from peft import AdaLoraConfig\n"
BASE = "model = dict(lora=dict(type='peft.AdaLoraConfig', init_r=12, target_r=4, total_step=100))\n"
LAZY = CLASS + BASE.replace("'peft.AdaLoraConfig'", "AdaLoraConfig")
CHILD = "_base_ = ['base.py']\n"
READ = "from mmengine.config import read_base\n" + CLASS + "with read_base():\n    from .base import *\n"
ALIKE = "import mmengine\n"
"""Names no setting, and says whose module it is."""

CONFIGS = {
    "class": (
        "",
        CLASS + ALIKE + "model = dict(lora=dict(type=AdaLoraConfig, init_r=24, target_r=6, total_step=90))\n",
    ),
    "text": ("", ALIKE + BASE),
    "braces": ("", ALIKE + "model = {'lora': {'type': 'peft.AdaLoraConfig', 'tinit': 3, 'total_step': 80}}\n"),
    "unknown key": ("", ALIKE + BASE.replace("init_r", "rank_start")),
    "no length": ("", ALIKE + BASE.replace(", total_step=100", "")),
    "no window": ("", ALIKE + BASE.replace("total_step", "tinit=60, tfinal=50, total_step")),
    "merged": (BASE, CHILD + "model = dict(lora=dict(type='peft.AdaLoraConfig', target_r=6))\n"),
    "taken over": (
        BASE,
        CHILD + "model = dict(lora=dict(_delete_=True, type='peft.AdaLoraConfig', target_r=6, total_step=50))\n",
    ),
    "taken over above": (
        BASE,
        CHILD + "model = dict(_delete_=True, lora=dict(type='peft.AdaLoraConfig', target_r=6, total_step=50))\n",
    ),
    "value of the base": (
        BASE,
        CHILD + "model = dict(lora=dict(type='peft.AdaLoraConfig', target_r={{_base_.model.lora.total_step}}))\n",
    ),
    "lazy, set anew": (LAZY, READ + "model = dict(lora=dict(type=AdaLoraConfig, target_r=2, total_step=9))\n"),
    "lazy, one item": (LAZY, READ + "model['lora'] = dict(type=AdaLoraConfig, target_r=2, total_step=9)\n"),
    "lazy, merged": (LAZY, READ + "model.merge(dict(lora=dict(type=AdaLoraConfig, target_r=2)))\n"),
    "lazy, updated": (LAZY, READ + "model.update(dict(lora=dict(type=AdaLoraConfig, target_r=2)))\n"),
}
"""Of each configuration the base and the module itself."""


def answer(base: str, text: str) -> dict[str, object]:
    """Read a module as MMEngine does, and let a registry build what stands under `model.lora`."""
    from mmengine.config import Config
    from mmengine.registry import Registry

    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "base.py").write_text(base, encoding="utf-8")
        Path(folder, "config.py").write_text(text, encoding="utf-8")
        lora = Config.fromfile(str(Path(folder, "config.py"))).model.lora
    try:
        built = Registry("builder").build(lora)
    except (TypeError, ValueError) as error:
        return {"raises": type(error).__name__}
    return {"fields": {name: getattr(built, name) for name in FIELDS}}


def ask_anew(root: Path) -> dict[str, object]:
    """Ask the real MMEngine, which is fetched from PyPI into `root` when it is not there."""
    folder = root / f"mmengine-{RELEASE}"
    if not (folder / "is-whole").exists():
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(folder)]
        wanted = [f"mmengine=={RELEASE}", *COMPANY]
        done = subprocess.run([*command, *wanted], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        (folder / "is-whole").touch()
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    command = [sys.executable, __file__]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def recorded() -> dict[str, object]:
    return json.loads(RECORDED.read_text(encoding="utf-8"))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print(json.dumps({name: answer(*texts) for name, texts in CONFIGS.items()}))
    else:
        table = {"recorded": datetime.now(tz=UTC).date().isoformat(), "release": RELEASE}
        RECORDED.write_text(
            json.dumps({**table, "answers": ask_anew(Path(sys.argv[1]))}, indent=1) + "\n", encoding="utf-8"
        )
