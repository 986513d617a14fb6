"""The flags of loralib's scripts: each is listed with what it becomes, since a script of loralib's takes them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from adalint.source import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.source import Source

_BECOMES: Final = {
    "apply_lora": "AdaLoraConfig and get_peft_model, in a script that uses PEFT",
    "apply_adalora": "AdaLoraConfig and get_peft_model, in a script that uses PEFT",
    "lora_type": "nothing: AdaLoRA in PEFT is always what loralib calls svd",
    "lora_r": "init_r",
    "target_rank": "target_r",
    "target_total_rank": "target_r, divided by the number of adapted modules",
    "init_warmup": "tinit",
    "final_warmup": "tfinal, which is a number of steps at the end as well",
    "mask_interval": "deltaT",
    "beta1": "beta1",
    "beta2": "beta2",
    "lora_alpha": "lora_alpha, which is divided by the initial rank as well",
    "lora_module": "target_modules, a list of the names that the modules have in your model",
    "apply_rankselector": "nothing: the published scripts know only --apply_adalora, and end with an error here",
    "tb_writter_loginterval": "nothing: PEFT does not write ranks to TensorBoard",
}
_WEIGHT: Final = "orth_reg_weight, which PEFT adds to outputs.loss of a model with a task_type"
_UNWEIGHTED: Final = (
    "orth_reg_weight=1.0: run_summarization_no_trainer.py takes the number as a switch, and adds the penalty as it is"
)
_NOT_GIVEN: Final = {
    "target_rank": ("target_r", "16", "8"),
    "init_warmup": ("tinit", "4500", "5000"),
    "final_warmup": ("tfinal", "12000", "15000"),
    "mask_interval": ("deltaT", "10", "10"),
    "reg_orth_coef": ("orth_reg_weight", "0.0", "0.0"),
    "lora_r": ("init_r", "", "8"),
    "lora_alpha": ("lora_alpha", "", "32"),
}
"""The defaults of run_glue.py and run_qa.py, then of run_summarization_no_trainer.py; PEFT's are others."""

_MARKS: Final = re.compile(rb"--apply[-_](?:adalora|rankselector)\b")
_FLAG: Final = re.compile(rb"""(?<![\w-])--([A-Za-z]\w*)(?:(?:=|[ \t]+)("[^"\n]*"|'[^'\n]*'|[^\s\\'"-][^\s\\]*))?""")


def flags_in(source: Source) -> Iterator[tuple[int, str]]:
    """Give the flags of each command that asks for loralib's AdaLoRA: where they stand and what they become."""
    for start, command in _marked(source):
        summarizes = b"summarization" in command
        given: dict[str, str] = {}
        for at, name, value in _flags_of(command):
            given[name] = value
            becomes = (_UNWEIGHTED if summarizes else _WEIGHT) if name == "reg_orth_coef" else _BECOMES.get(name)
            if becomes is not None:
                yield start + at, f"--{name} {value}".rstrip() + f" becomes {becomes}"
        mark = _MARKS.search(command)
        at = start if mark is None else start + mark.start()
        yield from ((at, text) for text in _of_the_whole(given, summarizes=summarizes))


def _marked(source: Source) -> Iterator[tuple[int, bytes]]:
    """Give the commands that ask for loralib's AdaLoRA, with their places."""
    if source.kind is Kind.SHELL:
        for start, stop in _commands(source.content):
            if _MARKS.search(source.content, start, stop):
                yield start, source.content[start:stop]


def _flags_of(command: bytes) -> Iterator[tuple[int, str, str]]:
    """Give the flags of a command: where they stand in it, their names, and their values or nothing."""
    for match in _FLAG.finditer(command):
        yield match.start(), match[1].decode(), "" if match[2] is None else match[2].decode(errors="replace")


def too_short_in(source: Source) -> Iterator[tuple[int, str]]:
    """Give the commands whose run has no steps between the first phase and the last."""
    for start, command in _marked(source):
        given = {name: value for _, name, value in _flags_of(command)}
        yield from ((start, text) for text in _too_short(given, summarizes=b"summarization" in command))


def _of_the_whole(given: dict[str, str], *, summarizes: bool) -> Iterator[str]:
    """Tell what a command leaves to defaults, and whether its run is too short."""
    left = [(one[0], one[2 if summarizes else 1]) for name, one in _NOT_GIVEN.items() if name not in given]
    defaults = ", ".join(f"{name}={number}" for name, number in left if number)
    if defaults:
        yield f"flags that are not given have defaults in loralib's script that PEFT does not have: {defaults}"
    yield from _too_short(given, summarizes=summarizes)


def _too_short(given: dict[str, str], *, summarizes: bool) -> Iterator[str]:
    total = given.get("max_steps") or given.get("max_step") or given.get("max_train_steps") or ""
    phases = [given.get(name) or _NOT_GIVEN[name][2 if summarizes else 1] for name in ("init_warmup", "final_warmup")]
    if all(one.isdecimal() for one in (total, *phases)) and sum(map(int, phases)) >= int(total):
        yield (
            f"{total} steps leave none between the first {phases[0]} and the last {phases[1]}: loralib refuses it, and "
            "so does an AdaLoraConfig that is made with them, but not one that gets its total_step later"
        )


def _commands(content: bytes) -> Iterator[tuple[int, int]]:
    """Split a script into lines, those that a backslash goes on after as one; comments are left out."""
    start = offset = 0
    for line in content.splitlines(keepends=True):
        at, offset = offset, offset + len(line)
        if line.lstrip().startswith(b"#") and start == at:
            start = offset
        elif not line.rstrip(b"\r\n").endswith(b"\\"):
            yield start, offset
            start = offset
    if start < offset:
        yield start, offset
