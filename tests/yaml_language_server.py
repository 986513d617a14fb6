"""Speaking to the real yaml-language-server over stdio: open a text, wait for its diagnostics, ask for completions."""

from __future__ import annotations

import itertools
import json
import subprocess
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import Path


class YamlLanguageServer:
    """One server that validates texts in a folder, by one schema or by that which they name themselves."""

    def __init__(self, program: Path, folder: Path, schema: Path | None = None) -> None:
        self.folder = folder
        self.settings: dict[str, Any] = {
            "validate": True,
            "completion": True,
            "hover": True,
            "schemaStore": {"enable": False},
        }
        self.settings["schemas"] = {} if schema is None else {schema.as_uri(): ["*.yaml"]}
        self.process = subprocess.Popen([program, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.numbers = itertools.count(1)
        self.uri = ""
        self.request("initialize", {"processId": None, "rootUri": None, "capabilities": CAPABILITIES})
        self.notify("initialized", {})
        self.notify("workspace/didChangeConfiguration", {"settings": {"yaml": self.settings}})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.request("shutdown", None)
        self.notify("exit", None)
        self.process.communicate(timeout=60)

    def problems(self, text: str) -> list[str]:
        """Show a text to the server; give the messages of its diagnostics."""
        self.uri = f"{self.folder.as_uri()}/{next(self.numbers)}.yaml"
        opened = {"uri": self.uri, "languageId": "yaml", "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": opened})
        while True:
            message = self.receive()
            told = message.get("params", {})
            if message.get("method") == "textDocument/publishDiagnostics" and told["uri"] == self.uri:
                return [one["message"] for one in told["diagnostics"]]

    def completions(self, text: str) -> list[str]:
        """Name what is proposed where `|` stands."""
        before, _, after = text.partition("|")
        self.problems(before + after)
        position = {"line": before.count("\n"), "character": len(before.rpartition("\n")[2])}
        answer = self.request("textDocument/completion", {"textDocument": {"uri": self.uri}, "position": position})
        return [item["label"] for item in answer["items"]]

    def request(self, method: str, parameters: Any) -> Any:
        """Ask, and wait for the answer."""
        number = next(self.numbers)
        self.send({"id": number, "method": method, "params": parameters})
        while True:
            message = self.receive()
            if message.get("id") == number and "method" not in message:
                assert "error" not in message, message
                return message["result"]

    def notify(self, method: str, parameters: Any) -> None:
        """Tell without waiting."""
        self.send({"method": method, "params": parameters})

    def send(self, message: dict[str, Any]) -> None:
        """Write one message."""
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        """Read one message; what the server asks for is answered."""
        stream = self.process.stdout
        assert stream is not None
        length = 0
        while line := stream.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        assert length, "the server is gone"
        message: dict[str, Any] = json.loads(stream.read(length))
        if "method" in message and "id" in message:
            sections = message.get("params", {}).get("items", []) if message["method"].endswith("configuration") else []
            result = [self.settings if one.get("section") == "yaml" else {} for one in sections] or None
            self.send({"id": message["id"], "result": result})
        return message


CAPABILITIES = {
    "workspace": {"configuration": True, "didChangeConfiguration": {"dynamicRegistration": True}},
    "textDocument": {"publishDiagnostics": {"versionSupport": True}, "completion": {}, "hover": {}},
}
