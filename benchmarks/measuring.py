"""What the benchmarks share: a wheel in an environment of its own, commands in turns, ratios beside their goals."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

CHECKOUT = Path(__file__).resolve().parent.parent


def options(description: str | None, rounds: int, counted: str) -> argparse.ArgumentParser:
    """Give the parser with what all take: `--cache` and `--rounds`."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    own = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "adalint-benchmarks"
    kept = "where what is installed and unpacked is kept (%(default)s)"
    parser.add_argument("--cache", type=lambda text: Path(text).absolute(), default=own, help=kept)
    parser.add_argument(
        "--rounds", type=int, default=rounds, help=f"{counted} of which the median counts (%(default)s)"
    )
    return parser


def install(folder: Path, extra: str = "", requirements: Iterable[str] = ()) -> Path:
    """Give the programs of an environment with a wheel of this checkout, built and installed anew."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    programs = environment(folder, requirements)
    with tempfile.TemporaryDirectory() as scratch:
        wheel = build(Path(scratch))
        pip(programs / "python", "install", "--force-reinstall", "--no-deps", wheel)
        pip(programs / "python", "install", f"{wheel}{extra}")
    return programs


def build(folder: Path) -> Path:
    """Build a wheel of this checkout."""
    pip(sys.executable, "wheel", "--no-deps", "--wheel-dir", folder, CHECKOUT)
    [wheel] = folder.glob("*.whl")
    return wheel


def environment(folder: Path, requirements: Iterable[str]) -> Path:
    """Give the folder of programs of an environment, made when it is not there."""
    programs = folder / "bin"
    if not programs.is_dir():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        if requirements:
            # ripgrep's newest releases are sources, which want a Rust compiler.
            pip(programs / "python", "install", "--only-binary", "ripgrep", *requirements)
    return programs


def pip(python: str | Path, *arguments: str | Path) -> None:
    """Run pip quietly; exits with what it says when it fails."""
    done = subprocess.run([python, "-m", "pip", "-q", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)


def run_inside(programs: Path, program: str, text: str, rounds: int) -> list[Any]:
    """Run a program of the environment on a text; it prints JSON, first where its adalint comes from."""
    command: list[str | Path] = [programs / "python", "-I", "-c", program, str(rounds)]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    place, *told = list[Any](json.loads(done.stdout))
    if not Path(place).is_relative_to(programs.parent):
        raise SystemExit(f"adalint came from {place}, not from the wheel")
    return told


def verdict(met: bool) -> str:
    """Say how a goal was met."""
    return "met" if met else "MISSED"


@dataclass(frozen=True, slots=True)
class Command:
    """A command line, and the exit codes with which it has done its work."""

    arguments: Sequence[str | Path]
    codes: frozenset[int] = frozenset({0})

    def seconds(self) -> float:
        """Run it, and give the time from start to exit."""
        start = time.perf_counter()
        done = subprocess.run(self.arguments, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        spent = time.perf_counter() - start
        if done.returncode not in self.codes:
            name = " ".join(map(str, self.arguments[:4]))
            raise SystemExit(f"{name} … exited with {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}")
        return spent


@dataclass(frozen=True, slots=True)
class Goal:
    """How much longer one command may take than another."""

    command: str
    than: str
    at_most: float


def medians(commands: Mapping[str, Command], rounds: int) -> dict[str, float]:
    """Run all commands in turn, round after round; give the median of each."""
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            seconds[name].append(command.seconds())
    return {name: statistics.median(all_) for name, all_ in seconds.items()}


def compare(title: str, commands: Mapping[str, Command], goals: Sequence[Goal], rounds: int) -> bool:
    """Print medians side by side and what they come to; tell whether all goals are met."""
    found = medians(commands, rounds)
    print(f"\n{title}")
    for name, spent in found.items():
        print(f"  {name:<34}{spent * 1000:9.1f} ms")
    ratios = [(goal, found[goal.command] / found[goal.than]) for goal in goals]
    for goal, ratio in ratios:
        met = verdict(ratio <= goal.at_most)
        print(f"  {goal.command} / {goal.than}: {ratio:.2f} × (goal ≤ {goal.at_most:g} ×) {met}")
    return all(ratio <= goal.at_most for goal, ratio in ratios)
