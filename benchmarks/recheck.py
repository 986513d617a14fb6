"""How long the check of a script takes that has just been edited, as an editor asks for it, beside `ast.parse`.

adalint is a wheel of this checkout, installed into an environment of its own. In one process, all loaded, the two take
turns; each check sees a text that it has not seen before. Medians are compared as ratios, and what is found is checked.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from long_scripts import LINES, Script, scripts
from measuring import install, options, run_inside, verdict

if TYPE_CHECKING:
    from pathlib import Path

AT_MOST = 6.0
CHECKS = """
import ast, json, statistics, sys, time
import adalint

text, rounds = sys.stdin.read(), int(sys.argv[1])
parsed, checked, found = [], [], set()
for number in range(3 + rounds):
    edited = f"{text}# edit {number}\\n"
    start = time.perf_counter()
    ast.parse(edited)
    middle = time.perf_counter()
    report = adalint.check_text(edited, filename="train.py")
    end = time.perf_counter()
    parsed.append(middle - start)
    checked.append(end - middle)
    found.add(tuple(finding.code for finding in report.findings))
medians = [statistics.median(spent[3:]) for spent in (parsed, checked)]
print(json.dumps([adalint.__file__, sorted(found), *medians]))
"""
"""Checks a text so many times, edited each time; tells where adalint comes from, what it found, and both medians."""


def recheck(programs: Path, name: str, script: Script, rounds: int) -> float:
    """Measure one script; give the ratio."""
    count = script.text.count("\n")
    if count != LINES:
        raise SystemExit(f"{name}: {count:,} lines")
    found, parsed, checked = run_inside(programs, CHECKS, script.text, rounds)
    if found != [[script.code]]:
        raise SystemExit(f"{name}: {script.code} was to be found, and each time that alone: {found}")
    ratio = float(checked / parsed)
    print(f"  {name:<34}{parsed * 1000:9.2f} ms{checked * 1000:9.2f} ms{ratio:8.2f} ×")
    return ratio


def main() -> None:
    """Prepare, measure and print; exit with 1 when the goal is missed."""
    given = options(__doc__, 40, "checks").parse_args()
    programs = install(given.cache / "recheck")
    print(f"{LINES:,} lines, checked again {given.rounds} times, Python {sys.version.split()[0]}")
    print(f"  {'':<34}{'ast.parse':>12}{'check':>12}")
    worst = max(recheck(programs, name, script, given.rounds) for name, script in scripts().items())
    good = worst <= AT_MOST
    print(f"  the worst: {worst:.2f} × (goal ≤ {AT_MOST:g} ×) {verdict(good)}")
    raise SystemExit(not good)


if __name__ == "__main__":
    main()
