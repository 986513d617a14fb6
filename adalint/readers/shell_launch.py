"""Which program a command line runs in the end: `train.py` behind torchrun, `python -m`, srun and nohup."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from adalint.readers.shell_words import Many
from adalint.values import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from adalint.readers.shell_words import Word

_PYTHON: Final = re.compile(r"(?:.*/)?(?:python|pypy)[\d.]*(?:\.exe)?")
_SHELL: Final = re.compile(r"(?:.*/)?(?:ba|da|z)?sh")
_SHEBANG: Final = re.compile(r"#!.*\b(?:ba|da|k)?sh\b")
_RUNS_COMMAND: Final = re.compile(r"-[a-z]*c")
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*=")

_IN_FRONT: Final[Mapping[str, frozenset[str]]] = {
    "nohup": frozenset(),
    "time": frozenset({"-p"}),
    "exec": frozenset(),
    "command": frozenset(),
    "env": frozenset({"-i", "-", "--ignore-environment"}),
    "sudo": frozenset({"-E", "-H", "-n", "--preserve-env"}),
    "nice": frozenset(),
    "ionice": frozenset({"-t"}),
    "setsid": frozenset({"-f", "-w"}),
    "stdbuf": frozenset({"-oL", "-eL", "-o0", "-e0", "-i0"}),
    "taskset": frozenset(),
    "numactl": frozenset({"--all", "-a", "--localalloc", "-l"}),
    "unbuffer": frozenset({"-p"}),
    "catchsegv": frozenset(),
    "srun": frozenset({"-l", "--label", "-u", "--unbuffered", "--exclusive", "-Q", "--quiet", "-v", "-K", "--pty"}),
    "mpirun": frozenset({"--allow-run-as-root", "--oversubscribe", "--tag-output"}),
    "mpiexec": frozenset({"--allow-run-as-root"}),
    "xvfb-run": frozenset({"-a"}),
    "$": frozenset(),
    "%": frozenset(),
}
"""Programs that run the rest of their line; of each, the options that take no value."""

_WITH_VERB: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("uv", "run"): frozenset(
        {"--no-sync", "--frozen", "--locked", "--isolated", "--active", "--no-project", "--all-extras", "-q", "-v"}
    ),
    ("poetry", "run"): frozenset(),
    ("pdm", "run"): frozenset({"-s"}),
    ("pipenv", "run"): frozenset(),
    ("rye", "run"): frozenset(),
    ("hatch", "run"): frozenset(),
    ("pixi", "run"): frozenset({"--frozen", "--locked"}),
    ("conda", "run"): frozenset({"--no-capture-output", "--live-stream", "-v"}),
    ("mamba", "run"): frozenset({"--no-capture-output", "--live-stream"}),
    ("micromamba", "run"): frozenset(),
}

_LAUNCHERS: Final[Mapping[str, frozenset[str]]] = {
    "torchrun": frozenset({"--standalone", "--no-python", "--no_python", "--run-path", "--run_path"}),
    "deepspeed": frozenset({"--no_local_rank", "--no_python", "--force_multi", "--no_ssh", "--no_ssh_check"}),
    "accelerate": frozenset(
        {
            *("--multi_gpu", "--multi-gpu", "--cpu", "--tpu", "--use_deepspeed", "--use-deepspeed", "--use_fsdp"),
            *("--use-fsdp", "--no_python", "--debug", "--quiet", "-q", "--same_network", "--use_xpu", "--ipex"),
        }
    ),
    "torch.distributed.run": frozenset({"--standalone", "--no-python"}),
    "torch.distributed.launch": frozenset({"--use_env", "--use-env", "--standalone"}),
    "accelerate.commands.launch": frozenset({"--multi_gpu", "--use_deepspeed", "--use_fsdp"}),
    "composer": frozenset(),
    "colossalai": frozenset(),
}
_TAKES_VERB: Final = {"accelerate": "launch", "colossalai": "run"}
_PYTHON_FLAGS: Final = frozenset({"-W", "-X"})
"""Options of the interpreter with a value; all others stand alone."""

_RUN_THEIR_LAST: Final = frozenset({"ssh", "bsub", "watch", "sky", "parallel"})
"""Programs that hand their last word to a shell, when it is more than a name."""
_OPTIONS: Final[Mapping[str, frozenset[str]]] = {
    "": frozenset({"--wrap"}),
    "gcloud": frozenset({"--command"}),
    **dict.fromkeys(("su", "runuser", "flock", "script"), frozenset({"-c", "--command"})),
}
"""By program, options whose value is a script; `--wrap` is sbatch's, whatever starts that."""


def script_of(words: Sequence[Word]) -> int:
    """Give the index of the word that names the program meant: a script, a module behind `-m`, or a command."""
    at = 0
    while at < len(words):
        name = _name(words, at)
        base = name.rsplit("/", 1)[-1]
        following = _name(words, at + 1)
        if _ASSIGNMENT.match(name):
            step = at + 1
        elif (base, following) in _WITH_VERB:
            step = _behind(words, at + 2, _WITH_VERB[base, following])
            if _name(words, step - 1) in {"-m", "--module"}:
                return step
        elif base in {"timeout", "taskset"}:
            step = _behind(words, at + 1, frozenset({"--foreground", "-c", "-p"})) + 1
        elif base in _IN_FRONT:
            step = _behind(words, at + 1, _IN_FRONT[base])
        elif _PYTHON.fullmatch(name):
            step, is_module = _behind_python(words, at + 1)
            module = _name(words, step)
            if not (is_module and module in _LAUNCHERS):
                return min(step, len(words) - 1)
            step = _behind(words, step + 1, _LAUNCHERS[module])
            return min(step, len(words) - 1)
        elif base in _LAUNCHERS and following == _TAKES_VERB.get(base, following):
            step = _behind(words, at + (2 if base in _TAKES_VERB else 1), _LAUNCHERS[base])
            if _PYTHON.fullmatch(_name(words, step)):
                at = step
                continue
            return min(step, len(words) - 1)
        else:
            return at
        at = step
    return max(0, len(words) - 1)


def nested_script(words: Sequence[Word]) -> Word | None:
    """Give the word that another shell runs as a script: behind `bash -c`, `eval`, `ssh host` or in `--wrap`."""
    program = _name(words, 0)
    if program == "eval" and len(words) == 2:
        return _if_one(words[1])
    if program in _RUN_THEIR_LAST and " " in words[-1].head:
        return _if_one(words[-1])
    if program == "tmux":  # `send-keys` has names of keys behind it
        return next((_if_one(word) for word in reversed(words) if " " in word.head), None)
    options = _OPTIONS.get(program, _OPTIONS[""])
    for index, word in enumerate(words):
        value = word.value
        if isinstance(value, str) and _SHELL.fullmatch(value):
            return _behind_c(words, index + 1)
        if value in options:
            return _if_one(words[index + 1]) if index + 1 < len(words) else None
        name, equals, _ = word.head.partition("=")
        if equals and name in options:
            return _if_one(word.cut(len(name) + 1))
    return None


def reads_script(words: Sequence[Word], document: Word) -> bool:
    """Tell whether what a command gets on its standard input is run by a shell, now or as the script that it writes."""
    if _SHEBANG.match(document.head) or (_name(words, 0) == "ssh" and len(words) > 1):
        return True
    last = max((at for at in range(len(words)) if not words[at].head.startswith("-")), default=0)
    return _SHELL.fullmatch(_name(words, last)) is not None


def _behind_c(words: Sequence[Word], at: int) -> Word | None:
    while at < len(words):
        option = _name(words, at)
        if not option.startswith(("-", "+")):
            return None
        at += 2 if option in {"-o", "+o", "-O", "--rcfile"} else 1
        if _RUNS_COMMAND.fullmatch(option):
            return _if_one(words[at]) if at < len(words) else None
    return None


def _if_one(word: Word) -> Word | None:
    return None if word.many is Many.LIST or not word.pieces else word


def _name(words: Sequence[Word], at: int) -> str:
    value = words[at].value if 0 <= at < len(words) else ""
    return value if isinstance(value, str) else ""


def _behind(words: Sequence[Word], at: int, alone: frozenset[str]) -> int:
    """Skip the options of a launcher, each with its value, but those that stand alone and those written with `=`."""
    while at < len(words):
        option = words[at].head
        if option == "--":
            return at + 1
        if option in {"-m", "--module"}:
            return at + 1
        if not option.startswith("-"):
            return at
        takes = "=" not in option and option not in alone
        value = _name(words, at + 1)
        at += 2 if takes and not value.startswith("-") and not value.endswith(".py") and _is_value(words, at + 1) else 1
    return at


def _is_value(words: Sequence[Word], at: int) -> bool:
    """Tell whether a word can be the value of the option before it: something must be left to run."""
    return at + 1 < len(words) and not _PYTHON.fullmatch(_name(words, at))


def _behind_python(words: Sequence[Word], at: int) -> tuple[int, bool]:
    while at < len(words):
        option = words[at].head
        if option.startswith("-") and option.endswith("m") and not option.startswith("--"):
            return at + 1, True
        if words[at].value is UNKNOWN or not option.startswith("-") or option == "-":
            return at, False
        at += 2 if option in _PYTHON_FLAGS else 1
    return at, False
