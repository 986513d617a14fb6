"""What programs really get when bash runs a script: their `sys.argv`, as each of them tells it."""

import json
import shutil
import subprocess
import sys

DUMP = """\
import json, os, sys
with open(os.environ["ADALINT_DUMP"], "a") as file:
    file.write(json.dumps(sys.argv[1:]) + "\\n")
"""
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}


def arguments_of(script, folder):
    """Run a script in which `python3 dump.py …` stands for each program, and give the arguments of each run, in order."""
    (folder / "dump.py").write_text(DUMP)
    dump = folder / "dumped"
    dump.write_text("")
    text = script.replace("python3 dump.py", f"{sys.executable} -I -S {folder / 'dump.py'}")
    empty = folder / "empty"
    shutil.rmtree(empty, ignore_errors=True)  # what an earlier run has written there, a glob would find
    empty.mkdir()
    done = subprocess.run(
        ["bash", "-c", text],
        cwd=empty,
        env={**ENVIRONMENT, "ADALINT_DUMP": str(dump)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return [json.loads(line) for line in dump.read_text().splitlines()], done.stderr
