"""How far adalint reaches: its time beside that of ripgrep, ruff, ast-grep, fixit and a bare interpreter.

Everything comes from PyPI: the corpus from source distributions, the tools into environments of their own, adalint as a
wheel of this checkout. Commands take turns, round after round, and their medians are compared as ratios: a figure of
one machine says nothing about another. Each exit code is checked.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from measuring import Command, Goal, compare, environment, install, medians, options, pip

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CORPUS = (
    "transformers==4.57.6",
    "diffusers==0.42.1",
    "sentence-transformers==6.2.0",
    "trl==1.16.0",
    "accelerate==1.15.0",
    "peft==0.21.2",
    "ms-swift==4.6.0",
    "ludwig==0.11.0",
)
TOOLS = ("ruff==0.17.6", "ast-grep-cli==0.51.1", "ripgrep==14.1.0")
FIXIT = ("fixit==2.2.1",)
AT_LEAST = 5_000
"""Python files in the corpus."""


@dataclass(frozen=True, slots=True)
class Places:
    """What has been installed and unpacked."""

    corpus: Path
    transformers: Path
    adalint: Path
    tools: Path
    fixit: Path

    @property
    def python(self) -> Path:
        """The interpreter of the environment that holds adalint and nothing else."""
        return self.adalint.with_name("python")


def prepare(cache: Path) -> Places:
    """Fill the cache with what is missing; adalint itself is built and installed anew."""
    cache.mkdir(parents=True, exist_ok=True)
    corpus = cache / "corpus"
    for requirement in CORPUS:
        _unpack(requirement, cache / "sdists", corpus)
    tools = environment(cache / "tools", TOOLS)
    fixit = environment(cache / "fixit", FIXIT)
    adalint = install(cache / "adalint")
    [transformers] = corpus.glob("transformers-*")
    return Places(corpus, transformers, adalint / "adalint", tools, fixit)


def _unpack(requirement: str, sdists: Path, corpus: Path) -> None:
    name, _, version = requirement.partition("==")
    place = corpus / f"{name.replace('-', '_')}-{version}"
    if place.is_dir():
        return
    pip(sys.executable, "download", "--no-deps", "--no-binary", ":all:", "--dest", sdists, requirement)
    with tempfile.TemporaryDirectory(dir=sdists) as folder:
        with tarfile.open(sdists / f"{place.name}.tar.gz") as archive:
            archive.extractall(folder, filter="data")
        corpus.mkdir(exist_ok=True)
        (Path(folder) / place.name).rename(place)


def reach(places: Places, folder: Path, *, hits: bool) -> dict[str, Command]:
    """Give the commands that look through a whole tree; searchers exit with 1 when there is nothing to find."""
    found = frozenset({0}) if hits else frozenset({1})
    linted = frozenset({0, 1})
    ruff: list[str | Path] = [places.tools / "ruff", "check", "--isolated", "--select", "F401", "--no-cache", folder]
    return {
        "adalint": Command([places.adalint, "check", "--isolated", folder], linted if hits else frozenset({0})),
        "ripgrep": Command([places.tools / "rg", "-il", "adalora", folder], found),
        "ruff": Command(ruff, linted),
        "ast-grep": Command(
            [places.tools / "ast-grep", "run", "-l", "python", "-p", "AdaLoraConfig($$$)", folder], found
        ),
    }


SCRIPT = '''"""Fine-tune a model with AdaLoRA."""

import argparse

import torch
from peft import AdaLoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

parser = argparse.ArgumentParser()
parser.add_argument("--init-r", type=int, default=12)
args = parser.parse_args()
config = AdaLoraConfig(
    init_r=args.init_r,
    target_r=4,
    tinit=100,
    tfinal=200,
    total_step=1000,
    target_modules=["q_proj", "v_proj"],
)
model = get_peft_model(AutoModelForCausalLM.from_pretrained("model"), config)
'''
FUNCTION = '''

def collate_{number}(batch, pad=0, longest={number}):
    """Pad every row of a batch to the longest one."""
    rows = [row["input_ids"][:longest] for row in batch]
    width = max(len(row) for row in rows)
    padded = [row + [pad] * (width - len(row)) for row in rows]
    mask = [[1] * len(row) + [0] * (width - len(row)) for row in rows]
    if not padded:
        raise ValueError("an empty batch")
    return {{"input_ids": torch.tensor(padded), "attention_mask": torch.tensor(mask)}}
'''


def script_of(lines: int) -> str:
    """Write a training script of so many lines, with one configuration that is right."""
    missing = lines - SCRIPT.count("\n")
    count = missing // FUNCTION.count("\n")
    functions = "".join(FUNCTION.format(number=number) for number in range(count))
    return SCRIPT + functions + "\n" * (missing - count * FUNCTION.count("\n"))


JUDGE = """
import statistics, sys, time
from dataclasses import replace
from adalint.readers import read_sites
from adalint.releases import NEWEST
from adalint.rulebook.judge import fire
from adalint.rulebook.pages import Rulebook, load
from adalint.source import Kind, Source

[site] = read_sites(Source.decode("x.py", Kind.PYTHON, open(sys.argv[1], "rb").read()))
shipped = load().rules.values()
books = {}
for count in map(int, sys.argv[2:]):
    copies = [replace(rule, code=f"{rule.code}.{copy}") for copy in range(count) for rule in shipped]
    books[count] = Rulebook({rule.code: rule for rule in copies[:count]})
spent = {count: [] for count in books}
for _ in range(200):
    for count, book in books.items():
        start = time.perf_counter()
        fire(site, book, NEWEST)
        spent[count].append(time.perf_counter() - start)
for count, seconds in spent.items():
    print(count, statistics.median(seconds))
"""
"""Judges one configuration by so many rules: those that ship, and copies of them."""


def growth(title: str, times: Mapping[int, float], fitted: Callable[[Mapping[int, float]], tuple[str, bool]]) -> bool:
    """Print how a cost grows, and what was to be shown."""
    print(f"\n{title}")
    for size, spent in times.items():
        print(f"  {size:<34,}{spent * 1000:9.2f} ms")
    words, good = fitted(times)
    print(f"  {words} {'met' if good else 'MISSED'}")
    return good


def _linear(times: Mapping[int, float]) -> tuple[str, bool]:
    """Compare what one more byte costs in the larger half and in the smaller half."""
    (small, fast), *_, (middle, half), (large, slow) = times.items()
    early = (half - fast) / (middle - small)
    late = (slow - half) / (large - middle)
    return f"one more byte, late / early: {late / early:.2f} × (linear is 1, goal ≤ 1.5 ×)", late <= 1.5 * early


def run(places: Places, rounds: int, scratch: Path) -> bool:
    """Measure everything; tell whether all goals are met."""
    adalint = places.adalint
    hundred = sorted(places.transformers.rglob("*.py"))[:100]
    thousand = scratch / "train.py"
    thousand.write_text(script_of(1000))
    good = [
        compare(
            f"{places.transformers.name}, a tree without a hit",
            reach(places, places.transformers, hits=False),
            [Goal("adalint", "ruff", 0.8), Goal("adalint", "ripgrep", 12)],
            rounds,
        ),
        compare("the whole corpus", reach(places, places.corpus, hits=True), [Goal("adalint", "ruff", 2)], rounds),
        compare(
            "100 files",
            {
                "adalint": Command([adalint, "check", "--isolated", *hundred]),
                "fixit": Command([places.fixit / "fixit", "lint", *hundred], frozenset({0, 1})),
            },
            [Goal("adalint", "fixit", 1)],
            3,
        ),
        compare(
            "one process",
            {
                "python -c pass": Command([places.python, "-c", "pass"]),
                'python -c "import click"': Command([places.python, "-c", "import click"]),
                "adalint --version": Command([adalint, "--version"]),
                "adalint, a hook on 10 other files": Command([adalint, "check", *hundred[:10]]),
                "adalint, a script of 1,000 lines": Command([adalint, "check", thousand]),
            },
            [
                Goal("adalint --version", "python -c pass", 6),
                Goal("adalint, a hook on 10 other files", "python -c pass", 10),
                Goal("adalint, a script of 1,000 lines", 'python -c "import click"', 12),
            ],
            3 * rounds,
        ),
        _grows_with_bytes(adalint, scratch, rounds),
        _is_flat_in_rules(places, thousand, rounds),
    ]
    return all(good)


def _grows_with_bytes(adalint: Path, scratch: Path, rounds: int) -> bool:
    commands = {}
    for lines in (2_000, 4_000, 8_000, 16_000):
        path = scratch / f"train_{lines}.py"
        path.write_text(script_of(lines))
        commands[str(path.stat().st_size)] = Command([adalint, "check", path])
    times = {int(size): spent for size, spent in medians(commands, rounds).items()}
    return growth("one script of so many bytes, 1:2:4:8", times, _linear)


def _is_flat_in_rules(places: Places, script: Path, rounds: int) -> bool:
    counts = (10, 20, 40, 80, 160)
    command: list[str | Path] = [places.python, "-c", JUDGE, script, *map(str, counts)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    times = {int(count): float(spent) for count, spent in map(str.split, printed.splitlines())}
    whole = medians({"whole": Command([places.adalint, "check", script])}, rounds)["whole"]

    def flat(times: Mapping[int, float]) -> tuple[str, bool]:
        part = (times[160] - times[10]) / whole
        return f"150 more rules, as a part of a whole run: {part:.1%} (goal ≤ 5 %)", part <= 0.05

    return growth("one configuration, judged by so many rules", times, flat)


def main() -> None:
    """Prepare, measure and print; exit with 1 when a goal is missed."""
    given = options(__doc__, 7, "rounds").parse_args()
    places = prepare(given.cache)
    count = sum(1 for _ in places.corpus.rglob("*.py"))
    if count < AT_LEAST:
        raise SystemExit(f"only {count:,} Python files in {places.corpus}; delete it, and it is made again")
    print(f"{count:,} Python files, {given.rounds} rounds, Python {sys.version.split()[0]}")
    scratch = Path(tempfile.mkdtemp(prefix="adalint-benchmark-"))
    try:
        good = run(places, given.rounds, scratch)
    finally:
        shutil.rmtree(scratch)
    raise SystemExit(not good)


if __name__ == "__main__":
    main()
