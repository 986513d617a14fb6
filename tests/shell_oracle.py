"""What programs really get when bash runs a script: their `sys.argv`, as each of them tells it."""

import json
import shutil
import subprocess
import sys

from adalint.values import UNKNOWN

DUMP = """\
import json, os, sys
with open(os.environ["ADALINT_DUMP"], "a") as file:
    file.write(json.dumps(sys.argv[1:]) + "\\n")
"""
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}


def arguments_of(script, folder):
    """Run a script in which `python3 dump.py …` stands for each program, and give the arguments of each run, in order."""
    return _told(lambda text: ["bash", "-c", text], script, folder)


def arguments_of_make(makefile, folder, files=None):
    """Let make run the recipes of the target `all`, and give the arguments of each program as `arguments_of` does."""

    def command(text):
        for name, content in {"Makefile": text, **(files or {})}.items():
            (folder / "empty" / name).write_text(content)
        return [_make(), "--no-builtin-rules", "--keep-going", "--ignore-errors", "all"]

    return _told(command, makefile, folder)


def _make():
    found = shutil.which("make", path=ENVIRONMENT["PATH"]) or shutil.which("make")
    assert found is not None, "GNU make tells what it hands to a shell: apt-get install make, or brew install make"
    return found


def _told(command, script, folder):
    (folder / "dump.py").write_text(DUMP)
    dump = folder / "dumped"
    dump.write_text("")
    text = script.replace("python3 dump.py", f"{sys.executable} -I -S {folder / 'dump.py'}")
    empty = folder / "empty"
    shutil.rmtree(empty, ignore_errors=True)  # what an earlier run has written there, a glob would find
    empty.mkdir()
    done = subprocess.run(
        command(text),
        cwd=empty,
        env={**ENVIRONMENT, "ADALINT_DUMP": str(dump)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return [json.loads(line) for line in dump.read_text().splitlines()], done.stderr


def agrees(words, real):
    """Compare word by word, as far as the number of words is known; count those that are known."""
    known = 0
    for index, word in enumerate(words):
        if word.many is not None:
            return known
        assert index < len(real), (words, real)
        if word.value is not UNKNOWN:
            assert word.value == real[index]
            known += 1
    assert len(words) == len(real)
    return known
