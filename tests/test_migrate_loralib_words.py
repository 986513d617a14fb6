"""Launch lines of all shapes: what bash hands to the script is what it was, with the flags renamed or gone."""

from __future__ import annotations

import subprocess

from hypothesis import given, settings
from hypothesis import strategies as st

from adalint.migrate.loralib_launches import Unlaunchable, launches_of
from adalint.migrate.loralib_parser import command_line_of
from adalint.migrate.loralib_words import rewritten
from adalint.readers.python_scopes import FileMap
from adalint.readers.python_syntax import parse
from adalint.source import Kind, Source

PARSER = Source.decode(
    "train.py",
    Kind.PYTHON,
    b"""\
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--lora_r", type=int)
parser.add_argument("--target_rank", type=int)
parser.add_argument("--apply_lora", action="store_true")
parser.add_argument("--lora_type")
parser.add_argument("--name")
parser.add_argument("data", nargs="*")
args = parser.parse_args()
""",
)
RENAMED = {"--lora_r": "--init_r", "--target_rank": "--target_r"}
GONE = {"--apply_lora", "--lora_type"}
SHOW = 'python() { printf "%s\\0" "$@"; printf "\\n"; }\n'

QUOTED = st.sampled_from(["{}", '"{}"', "'{}'"])
VALUES = st.sampled_from(["6", "svd", "--name", "a-b", "lora_r", "--lora_ranks", "训练"])
GAPS = st.sampled_from([" ", "  ", " \\\n    ", " \\\n"])


@st.composite
def items(draw: st.DrawFn) -> tuple[list[str], list[str], list[str]]:
    """Give an item of a launch line: words as they are written, what is given for them, and what should be then."""
    kind = draw(st.sampled_from(["renamed", "joined", "switch", "type", "type=", "other", "data"]))
    if kind in {"renamed", "joined"}:
        name = draw(st.sampled_from(sorted(RENAMED)))
        if kind == "joined":
            return [f"{name}={draw(QUOTED).format('8')}"], [f"{name}=8"], [f"{RENAMED[name]}=8"]
        return [draw(QUOTED).format(name), draw(QUOTED).format("6")], [name, "6"], [RENAMED[name], "6"]
    if kind == "switch":
        return ["--apply_lora"], ["--apply_lora"], []
    if kind == "type":
        return ["--lora_type", draw(QUOTED).format("svd")], ["--lora_type", "svd"], []
    if kind == "type=":
        return ["--lora_type=svd"], ["--lora_type=svd"], []
    value = draw(VALUES.filter(lambda one: not one.startswith("-")))
    if kind == "other":
        return ["--name", draw(QUOTED).format(value)], ["--name", value], ["--name", value]
    return [draw(QUOTED).format(value)], [value], [value]


@st.composite
def scripts(draw: st.DrawFn) -> tuple[str, list[list[str]], list[list[str]]]:
    text, before, after = draw(st.sampled_from(["", "#!/bin/bash\n# --lora_r 8\n", "set -e\n\n"])), [], []
    for _ in range(draw(st.integers(1, 3))):
        script = draw(st.sampled_from(["train.py", "./train.py", "other.py"]))
        given_items = draw(st.lists(items(), max_size=6))
        words = ["python", script, *(word for one in given_items for word in one[0])]
        gaps = [draw(GAPS) for _ in words[1:]]
        text += words[0] + "".join(gap + word for gap, word in zip(gaps, words[1:], strict=True))
        text += draw(st.sampled_from(["\n", " # why\n", "; echo\n", " | cat\n"]))
        was = [script, *(word for one in given_items for word in one[1])]
        before.append(was)
        after.append(was if script == "other.py" else [script, *(word for one in given_items for word in one[2])])
    return text, before, after


def handed(text: str) -> list[list[str]]:
    done = subprocess.run(["bash", "-c", SHOW + text], capture_output=True, check=True)
    lines = [line for line in done.stdout.decode().split("\n") if line]
    return [line.removesuffix("\0").split("\0") for line in lines]


@given(scripts())
@settings(max_examples=60, deadline=None)
def test_bash_hands_on_the_words_meant_and_the_other_bytes_stay(
    case: tuple[str, list[list[str]], list[list[str]]],
) -> None:
    text, before, after = case
    assert handed(text) == before
    line = command_line_of(FileMap(PARSER, parse(PARSER)))
    assert line is not None
    source = Source.decode("run.sh", Kind.SHELL, text.encode())
    touched = frozenset({*RENAMED, *GONE})
    launches = launches_of("train.py", line, touched, [source], ["other.py"])
    assert len(launches) == sum(not one[0].endswith("other.py") for one in before)
    changed = rewritten(launches, RENAMED, GONE)
    result = changed[0].source.apply(changed[0].edits) if changed else source
    assert handed(result.text) == after
    comments = [one for one in text.split("\n") if one.startswith("#")]
    assert [one for one in result.text.split("\n") if one.startswith("#")] == comments
    kept = text.encode()
    for edit in reversed(changed[0].edits if changed else []):
        gone = kept[edit.span.start : edit.span.stop].decode()
        assert edit.text or any(flag in gone for flag in GONE)
        assert not edit.text or gone in RENAMED


@given(st.text(alphabet="python train.y-loracg_=\"'$#\\\n ;|&<(){}", max_size=80))
@settings(max_examples=150, deadline=None)
def test_any_text_is_rewritten_or_refused(text: str) -> None:
    line = command_line_of(FileMap(PARSER, parse(PARSER)))
    assert line is not None
    source = Source.decode("run.sh", Kind.SHELL, f"{text}\npython train.py --lora_r 6\n".encode())
    try:
        changed = rewritten(launches_of("train.py", line, frozenset(RENAMED), [source], ["other.py"]), RENAMED, ())
    except Unlaunchable:
        return
    for one in changed:
        assert all(one.source.slice(edit.span) in RENAMED for edit in one.edits)
