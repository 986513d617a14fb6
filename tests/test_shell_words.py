"""The words that a program gets, by hand and by bash."""

import subprocess

import pytest
from shell_cases import UNKNOWNS, WORDS, L, S, U

from adalint.readers.shell_reader import read_commands
from adalint.readers.shell_words import Many
from adalint.source import Kind, Source
from adalint.values import UNKNOWN

PROGRAMS = ("python", "python3.11", "torchrun")
SHOWN = {Many.SPLIT: S, Many.LIST: L}

HARNESS = r"""
_told() { printf '%s\0' "$@" >> "$TOLD"; printf '\036\0' >> "$TOLD"; }
python() { _told python "$@"; }
python3.11() { _told python3.11 "$@"; }
torchrun() { _told torchrun "$@"; }
nohup() { "$@"; }
srun() { "$@"; }
export TOLD
export -f _told python python3.11 torchrun nohup srun
"""


def words(script):
    return script.split(" ") if isinstance(script, str) else script


def shown(word):
    if word.many is not None:
        return SHOWN[word.many]
    return U if word.value is UNKNOWN else word.value


def read(script):
    """Give the words of the commands that name a program, from that on."""
    found = []
    for command in read_commands(Source("run.sh", Kind.SHELL, script.encode())):
        values = [shown(word) for word in command.words]
        start = next((index for index, value in enumerate(values) if value in PROGRAMS), None)
        if start is not None:
            found.append(values[start:])
    return found


@pytest.mark.parametrize(("script", "expected"), WORDS, ids=[script for script, _ in WORDS])
def test_the_words_of_a_command_are_read(script, expected):
    assert read(script)[-1] == words(expected)


@pytest.mark.parametrize(("script", "expected"), UNKNOWNS, ids=[script for script, _ in UNKNOWNS])
def test_what_nobody_knows_is_unknown(script, expected):
    assert read(script)[-1] == expected


def test_bash_gives_the_same_words(tmp_path):
    for number, (script, _) in enumerate(WORDS):
        (tmp_path / f"{number:03}.sh").write_text(f"{HARNESS}\n{script}\n")
    told = tmp_path / "told"
    work = tmp_path / "work"
    work.mkdir()
    driver = f'for file in {tmp_path}/*.sh; do TOLD={told}.$(basename "$file" .sh) bash "$file"; done'
    subprocess.run(["bash", "-c", driver], cwd=work, check=False, timeout=300, stdin=subprocess.DEVNULL)
    for number, (script, expected) in enumerate(WORDS):
        records = (tmp_path / f"told.{number:03}").read_bytes().decode().split("\0\x1e\0")[:-1]
        assert records[-1].split("\0") == words(expected), script
