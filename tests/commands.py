"""Running the command line, in this process or in one of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from adalint.cli import adalint

if TYPE_CHECKING:
    from click.testing import Result

CHECKOUT = Path(__file__).resolve().parent.parent

CLEAN = "from peft import AdaLoraConfig\n\nconfig = AdaLoraConfig(init_r=12, target_r=8, total_step=100)\n"
IGNORED_RANK = "from peft import AdaLoraConfig\n\nconfig = AdaLoraConfig(r=16, total_step=100)\n"
REVERSED = "from peft import AdaLoraConfig\n\nconfig = AdaLoraConfig(init_r=8, target_r=16, total_step=100)\n"
UNRELATED = "from peft import LoraConfig\n\nconfig = LoraConfig(r=16)\n"


def run(*arguments: str, stdin: str | bytes | None = None, **environment: str) -> Result:
    """Run in this process; exceptions that are not exits come through."""
    return CliRunner().invoke(adalint, arguments, input=stdin, env=environment, catch_exceptions=False)


def run_apart(*arguments: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Run as people do, in a process of its own."""
    command = [sys.executable, "-m", "adalint", *arguments]
    return subprocess.run(command, capture_output=True, check=False, **options)


def succeed(*command: str | Path, cwd: Path | None = None) -> str:
    """Run any program to its end and give what it printed; it must exit with 0."""
    done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
