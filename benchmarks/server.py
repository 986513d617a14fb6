"""How long the language server takes from a change to the diagnostics, beside `ast.parse` of the text.

adalint is a wheel of this checkout with the extra `lsp`, installed into an environment of its own. A client on the
standard streams of `adalint server` changes one character of a script of 1,000 lines, waits until the diagnostics of
that version have come, and then parses the same text itself; the two take turns. The pause that the server makes while
somebody types is set to nothing. Medians are compared as ratios, and what is found is checked.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from long_scripts import LINES, Script, scripts
from measuring import install, options, run_inside, verdict

if TYPE_CHECKING:
    from pathlib import Path

AT_MOST = 20.0
CLIENT = """
import ast, json, statistics, subprocess, sys, time

text, rounds = sys.stdin.read(), int(sys.argv[1])
python = [sys.executable, "-I"]
tell = [*python, "-c", "import adalint; print(adalint.__file__)"]
place = subprocess.run(tell, capture_output=True, text=True)
server = subprocess.Popen([*python, "-m", "adalint", "server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

def send(method, params, number=None):
    message = {"jsonrpc": "2.0", "method": method, "params": params} | ({} if number is None else {"id": number})
    body = json.dumps(message).encode()
    server.stdin.write(b"Content-Length: %d\\r\\n\\r\\n%s" % (len(body), body))
    server.stdin.flush()

def receive():
    length = 0
    while (line := server.stdout.readline()) not in {b"\\r\\n", b""}:
        if line.startswith(b"Content-Length: "):
            length = int(line.split()[1])
    return json.loads(server.stdout.read(length))

def published(version):
    while True:
        message = receive()
        if message.get("method") == "textDocument/publishDiagnostics" and message["params"].get("version") == version:
            return tuple(one["code"] for one in message["params"]["diagnostics"])

options = {"debounce": 0}
send("initialize", {"processId": None, "rootUri": None, "capabilities": {}, "initializationOptions": options}, 1)
while receive().get("id") != 1:
    pass
send("initialized", {})
uri = "untitled:train.py"
text += "# edit 0\\n"
line = text.count("\\n") - 1
item = {"uri": uri, "languageId": "python", "version": 1, "text": text}
send("textDocument/didOpen", {"textDocument": item})
found = {published(1)}
parsed, told = [], []
for number in range(1, 4 + rounds):
    digit = str(number % 10)
    places = {"start": {"line": line, "character": 7}, "end": {"line": line, "character": 8}}
    change = {"range": places, "text": digit}
    start = time.perf_counter()
    send("textDocument/didChange", {"textDocument": {"uri": uri, "version": number + 1}, "contentChanges": [change]})
    found.add(published(number + 1))
    middle = time.perf_counter()
    ast.parse(f"{text[:-2]}{digit}\\n")
    end = time.perf_counter()
    told.append(middle - start)
    parsed.append(end - middle)
send("shutdown", None, 2)
while receive().get("id") != 2:
    pass
send("exit", None)
medians = [statistics.median(spent[3:]) for spent in (parsed, told)]
print(json.dumps([place.stdout.strip(), sorted(found), server.wait(), *medians]))
"""
"""Changes a text so many times; tells where adalint comes from, what was found, how it ended, and both medians."""


def measure(programs: Path, name: str, script: Script, rounds: int) -> float:
    """Measure one script; give the ratio."""
    count = script.text.count("\n")
    if count != LINES:
        raise SystemExit(f"{name}: {count:,} lines")
    found, code, parsed, told = run_inside(programs, CLIENT, script.text, rounds)
    if found != [[script.code]] or code:
        raise SystemExit(f"{name}: {script.code} was to be found, and each time that alone: {found}, exit {code}")
    ratio = float(told / parsed)
    print(f"  {name:<34}{parsed * 1000:9.2f} ms{told * 1000:9.2f} ms{ratio:8.2f} ×")
    return ratio


def main() -> None:
    """Prepare, measure and print; exit with 1 when the goal is missed."""
    given = options(__doc__, 40, "changes").parse_args()
    programs = install(given.cache / "server", "[lsp]")
    print(f"{LINES:,} lines, changed {given.rounds} times, Python {sys.version.split()[0]}")
    print(f"  {'':<34}{'ast.parse':>12}{'told':>12}")
    worst = max(measure(programs, name, script, given.rounds) for name, script in scripts().items())
    good = worst <= AT_MOST
    print(f"  the worst: {worst:.2f} × (goal ≤ {AT_MOST:g} ×) {verdict(good)}")
    raise SystemExit(not good)


if __name__ == "__main__":
    main()
