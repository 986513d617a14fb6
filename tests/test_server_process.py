"""How the process of the language server behaves: what it is told that makes no sense, and how it ends."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

import pytest
from commands import REVERSED, run, run_apart
from lsprotocol import types
from server_client import SERVER, Client, capabilities

INITIALIZE = {"processId": None, "rootUri": None, "capabilities": {}}


def framed(body):
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def call(method, params=None, number=None):
    message = {"jsonrpc": "2.0", "method": method}
    if params is not None:
        message["params"] = params
    return framed(message if number is None else {**message, "id": number})


START = call("initialize", INITIALIZE, 1) + call("initialized", {})
END = call("shutdown", None, 99) + call("exit")


def talk(*messages, env=None):
    """Write some bytes to a server, close its input, and give its exit code and all that it answered."""
    done = subprocess.run(
        SERVER,
        input=b"".join(messages),
        capture_output=True,
        timeout=60,
        check=False,
        env={**os.environ, **(env or {})},
    )
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    bodies = re.split(rb"Content-Length: \d+\r\nContent-Type: [^\r]*\r\n\r\n", done.stdout)
    return done.returncode, [json.loads(body) for body in bodies if body]


def answer(answers, number):
    [found] = [one for one in answers if one.get("id") == number and ("result" in one or "error" in one)]
    return found


def test_after_shutdown_exit_is_in_order():
    code, answers = talk(START, END)
    assert code == 0
    assert answer(answers, 99)["result"] is None
    assert answer(answers, 1)["result"]["serverInfo"]["name"] == "adalint"


@pytest.mark.parametrize(
    "messages",
    [
        [START, call("exit")],
        [START],
        pytest.param([], marks=pytest.mark.slow),
        pytest.param([call("exit")], marks=pytest.mark.slow),
    ],
)
def test_an_end_without_shutdown_is_not_in_order(messages):
    assert talk(*messages)[0] == 1


@pytest.mark.slow
def test_closed_input_after_shutdown_is_in_order():
    assert talk(START, call("shutdown", None, 99))[0] == 0


def test_nothing_is_done_before_initialize_or_after_shutdown():
    hover = {"textDocument": {"uri": "file:///a.py"}, "position": {"line": 0, "character": 0}}
    code, answers = talk(
        call("textDocument/hover", hover, 5),
        call("textDocument/didOpen", {}),
        START,
        call("initialize", INITIALIZE, 6),
        call("shutdown", None, 99),
        call("textDocument/hover", hover, 7),
        call("exit"),
    )
    assert code == 0
    codes = {number: answer(answers, number)["error"]["code"] for number in (5, 6, 7)}
    assert codes == {5: -32002, 6: -32600, 7: -32600}


NONSENSE = {
    "no JSON": (framed(b"{"), -32700),
    "no UTF-8": (framed(b'{"a": "\xff"}'), -32700),
    "nested": (framed(b"[" * 100_000), -32700),
    "a list": (framed([1]), -32600),
    "a number": (framed(5), -32600),
    "no version": (framed({"id": 3, "method": "shutdown"}), -32600),
    "no such method": (call("textDocument/nonsense", None, 3), -32601),
    "no such method with parameters": (call("textDocument/nonsense", {"a": 1}, 3), -32601),
    "wrong parameters": (call("textDocument/hover", {"textDocument": 5}, 3), -32602),
    "no parameters": (call("textDocument/hover", None, 3), -32602),
    "an answer to no question": (framed({"jsonrpc": "2.0", "id": 7, "result": 1}), None),
    "an error to no question": (framed({"jsonrpc": "2.0", "id": 7, "error": {"code": 1, "message": "x"}}), None),
    "a wrong notification": (call("textDocument/didOpen", {"textDocument": []}), None),
    "a change of what is not open": (
        call(
            "textDocument/didChange",
            {"textDocument": {"uri": "file:///a.py", "version": 2}, "contentChanges": [{"text": ""}]},
        ),
        None,
    ),
    "a close of what is not open": (call("textDocument/didClose", {"textDocument": {"uri": "file:///a.py"}}), None),
    "a name that is none": (
        call("textDocument/didOpen", {"textDocument": {"uri": "", "languageId": "", "version": 1, "text": "adalora"}}),
        None,
    ),
    "a header without length": (b"Content-Type: x\r\n\r\n", None),
    "a header of nonsense": (b"\x00" * 100_000 + b"\r\n\r\n", None),
    "a length of nothing": (b"Content-Length: 0\r\n\r\n", None),
    "a length below nothing": (b"Content-Length: -5\r\n\r\n", None),
    "small letters": (call("textDocument/nonsense", None, 3).replace(b"Content-Length", b"content-length"), -32601),
    "a cancelled question of nobody": (call("$/cancelRequest", {"id": 77}), None),
    "an unknown notification": (call("$/nonsense", {}), None),
}


class Raw:
    """A server to which anything can be written."""

    def __init__(self):
        self.process = subprocess.Popen(SERVER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.number = 1000
        self.send(START)
        self.until(1)

    def send(self, *messages):
        self.process.stdin.write(b"".join(messages))
        self.process.stdin.flush()

    def until(self, number):
        """Read until a question is answered; give all that came, the answer last."""
        came = []
        while not came or came[-1].get("id") != number or "method" in came[-1]:
            length = 0
            while (line := self.process.stdout.readline()) != b"\r\n":
                assert line, self.process.stderr.read().decode()
                if line.startswith(b"Content-Length: "):
                    length = int(line.split()[1])
            came.append(json.loads(self.process.stdout.read(length)))
        return came


@pytest.fixture(scope="module")
def raw():
    server = Raw()
    yield server
    _, errors = server.process.communicate(END, timeout=60)
    assert server.process.returncode == 0
    assert errors == b""


@pytest.mark.parametrize("name", NONSENSE)
def test_after_nonsense_the_server_goes_on(raw, name):
    message, wanted = NONSENSE[name]
    raw.number += 1
    uri = f"untitled:{raw.number}.py"
    document = {"uri": uri, "languageId": "python", "version": 1, "text": REVERSED}
    position = {"textDocument": {"uri": uri}, "position": {"line": 2, "character": 26}}
    raw.send(message, call("textDocument/didOpen", {"textDocument": document}))
    raw.send(call("textDocument/hover", position, raw.number))
    *came, last = raw.until(raw.number)
    errors = [one["error"]["code"] for one in came if "error" in one]
    assert errors == ([] if wanted is None else [wanted])
    assert "init_r" in last["result"]["contents"]["value"]


def test_a_message_that_is_too_long_is_passed_over():
    code, answers = talk(START, b"Content-Length: 99999999999999\r\n\r\n", b"x" * 100)
    assert code == 1
    assert answer(answers, 1)["result"]


def test_a_position_outside_the_text_is_in_it(editor, tmp_path):
    async def talk(client):
        uri = (tmp_path / "a.py").as_uri()
        client.open(uri, REVERSED)
        client.change(uri, 2, ((99, 0), (999, 9), "# end\n"), ((2, 9999), (2, 9999), "  # x"))
        [finding] = await client.diagnostics(uri, 2)
        for position in (types.Position(99, 99), types.Position(2, 2**31 - 1)):
            identifier = types.TextDocumentIdentifier(uri=uri)
            found = types.HoverParams(text_document=identifier, position=position)
            assert await client.text_document_hover_async(found) is None
        assert finding.range.start.line == 2

    editor(talk)


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_killed_editor_leaves_no_server(tmp_path):
    """The editor holds the other end of the pipes; when it is killed, both are closed."""
    script = (
        "import subprocess, sys, time\n"
        f"server = subprocess.Popen({SERVER!r}, stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        f"server.stdin.write({START!r}); server.stdin.flush()\n"
        "server.stdout.read(10)\n"
        "print(server.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    editor = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    server = int(editor.stdout.readline())
    editor.send_signal(signal.SIGKILL)
    editor.wait()
    editor.stdout.close()
    wait_for(lambda: not is_running(server))


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_server_ends_with_the_process_that_it_was_told_of():
    """Even while somebody else still holds its input open."""
    parent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    server = subprocess.Popen(SERVER, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    server.stdin.write(call("initialize", {**INITIALIZE, "processId": parent.pid}, 1))
    server.stdin.flush()
    parent.kill()
    parent.wait()
    assert server.wait(60) == 1
    server.stdin.close()


def is_running(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False)
    return not state.stdout.strip().startswith("Z") and bool(state.stdout.strip())


def test_an_editor_that_reads_no_more_stops_the_server():
    server = subprocess.Popen(SERVER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    server.stdin.write(START)
    server.stdin.flush()
    server.stdout.read(1)
    server.stdout.close()
    document = {"uri": "untitled:a.py", "languageId": "python", "version": 1, "text": REVERSED}
    _, errors = server.communicate(call("textDocument/didOpen", {"textDocument": document}) + END, timeout=60)
    assert server.returncode == 0
    assert errors == b""


def test_a_socket_serves_one_editor(tmp_path):
    server = subprocess.Popen([*SERVER, "--tcp", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
    port = int(re.search(r":(\d+)$", server.stderr.readline().strip())[1])

    async def session():
        client = Client()
        await client.start_tcp("127.0.0.1", port)
        await client.initialize_async(types.InitializeParams(capabilities=capabilities(), process_id=os.getpid()))
        client.initialized(types.InitializedParams())
        uri = (tmp_path / "a.py").as_uri()
        client.open(uri, REVERSED)
        assert len(await client.diagnostics(uri)) == 1
        await client.shutdown_async(None)
        client.exit(None)
        await client.stop()

    asyncio.run(session())
    assert server.wait(60) == 0
    server.stderr.close()


@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1:x", "127.0.0.1:99999", ":"])
def test_an_address_that_is_none_is_told(address):
    done = run_apart("server", "--tcp", address)
    assert done.returncode == 2
    assert done.stderr.decode().startswith(f"adalint: --tcp {address}: HOST:PORT is wanted")
    assert done.stderr.count(b"\n") == 1


def test_a_port_that_is_taken_is_told():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run_apart("server", "--tcp", f"127.0.0.1:{port}")
    assert done.returncode == 2
    assert done.stderr.decode().startswith(f"adalint: --tcp 127.0.0.1:{port}: ")
    assert done.stderr.count(b"\n") == 1


def test_without_pygls_the_remedy_is_told(tmp_path):
    (tmp_path / "pygls.py").write_text("raise ImportError\n")
    done = run_apart("server", env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert done.returncode == 2
    assert done.stderr.decode() == "adalint: the language server needs pygls 2: pip install 'adalint[lsp]'\n"


@pytest.mark.skipif(os.name != "posix", reason="descriptors of POSIX")
def test_without_output_there_is_nothing_to_serve():
    done = subprocess.run(
        ["sh", "-c", f"exec {sys.executable} -m adalint server >&-"], input=START, capture_output=True, check=False
    )
    assert done.returncode in {1, 2}
    assert b"Traceback" not in done.stderr


def test_two_ways_of_speaking_exclude_each_other():
    assert "exclude each other" in run_apart("server", "--stdio", "--tcp", "127.0.0.1:0").stderr.decode()


def test_help_names_the_server():
    assert "server" in run("--help").stdout
