"""A real Neovim without a screen, set up by the lines that docs/editors.md gives its users."""

from __future__ import annotations

import contextlib
import os
import re
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgpack
from commands import CHECKOUT

PAGE = CHECKOUT / "docs" / "editors.md"
PROGRAMS = Path(sys.executable).parent
"""Where this environment has its programs, `nvim` and `adalint` among them."""

PATIENCE = 60
"""Seconds after which something that Neovim should show is not coming."""


def recipes() -> tuple[str, str]:
    """Take the Lua out of the page: what goes into init.lua, and what applies all safe fixes."""
    [section] = re.findall(r"^### Neovim.*?(?=^### )", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    setup, fix_all = re.findall(r"^```lua\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    return setup, fix_all


def folders_of_its_own(home: Path) -> dict[str, str]:
    """Keep Neovim away from whatever the person who runs the tests has set up."""
    own = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "DATA", "STATE", "CACHE")}
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("NVIM", "VIM", "XDG_"))}
    search = os.pathsep.join([str(PROGRAMS), inherited.get("PATH", os.defpath)])
    return {**inherited, **own, "HOME": str(home), "PATH": search}


class Neovim:
    """One Neovim, talked to through its own interface for programs: MessagePack on its standard streams."""

    def __init__(self, home: Path, more: str = "") -> None:
        init = home / "config" / "nvim" / "init.lua"
        init.parent.mkdir(parents=True)
        init.write_text(recipes()[0] + more, encoding="utf-8")
        self.process = subprocess.Popen(
            [str(PROGRAMS / "nvim"), "--embed", "--headless"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=folders_of_its_own(home),
            cwd=home,
        )
        self.answers = msgpack.Unpacker(raw=False)

    def call(self, function: str, *arguments: object) -> Any:
        """Call a function of Neovim's interface; what fails there fails here."""
        self.process.stdin.write(msgpack.packb([0, 1, f"nvim_{function}", arguments]))
        self.process.stdin.flush()
        while True:
            for kind, *answer in self.answers:
                if kind == 1:
                    _, error, result = answer
                    assert error is None, error
                    return result
            if not select.select([self.process.stdout], [], [], 2 * PATIENCE)[0]:
                raise TimeoutError(f"Neovim does not answer nvim_{function}{arguments}: it may be asking a question")
            chunk = os.read(self.process.stdout.fileno(), 1 << 16)
            if not chunk:
                raise EOFError("Neovim is gone")
            self.answers.feed(chunk)

    def lua(self, code: str, *arguments: object) -> Any:
        """Run Lua in Neovim, where `...` are the arguments."""
        return self.call("exec_lua", code, arguments)

    def command(self, line: str) -> None:
        """Run a command, as after a colon."""
        self.call("command", line)

    def type(self, keys: str) -> None:
        """Type keys, `<Esc>` and the like among them."""
        self.call("input", keys)

    def until(self, condition: str, *arguments: object) -> None:
        """Wait until an expression of Lua holds, where `given` are the arguments; it has to come some time."""
        code = f"local given = {{...}}; return (vim.wait(50, function() return {condition} end, 5))"
        last = time.monotonic() + PATIENCE
        while not self.lua(code, *arguments):  # between two calls, Neovim handles what was typed
            assert time.monotonic() < last, f"never: {condition}\n{self.told()}"

    def told(self) -> str:
        """Give what Neovim has told its user, and the end of what it has written about servers."""
        messages = self.call("exec2", "messages", {"output": True})["output"]
        return messages + Path(self.lua("return vim.lsp.log.get_filename()")).read_text(encoding="utf-8")[-4000:]

    def edit(self, path: Path) -> None:
        """Open a file and wait for the server to be there."""
        self.lua("vim.cmd.edit({ args = { ... }, bang = true, magic = { file = false, bar = false } })", str(path))
        self.until("#vim.lsp.get_clients({ bufnr = 0, name = 'adalint' }) == 1")

    @property
    def text(self) -> str:
        """What the buffer would be on the disk."""
        return "".join(f"{line}\n" for line in self.call("buf_get_lines", 0, 0, -1, True))

    def diagnostics(self, number: int) -> list[dict[str, Any]]:
        """Wait for this many diagnostics of the buffer; give them in the order of their places."""
        self.until("#vim.diagnostic.get(0) == given[1]", number)
        found = self.lua("return vim.diagnostic.get(0)")
        return sorted(found, key=lambda one: (one["lnum"], one["col"], one["code"]))

    def put_cursor(self, words: str) -> None:
        """Put the cursor on the first of some words."""
        before, found, _ = self.text.partition(words)
        assert found, f"{words} is not in the buffer"
        self.call("win_set_cursor", 0, [before.count("\n") + 1, len(before.rpartition("\n")[2].encode())])

    def act(self, code: str) -> None:
        """Run Lua that lets the server change the buffer, and wait for the change."""
        before = self.call("buf_get_changedtick", 0)
        self.lua(code)
        self.until("vim.api.nvim_buf_get_changedtick(0) > given[1]", before)

    def servers(self) -> list[int]:
        """Give the processes that Neovim has started."""
        return list(self.call("get_proc_children", self.process.pid))

    def quit(self) -> None:
        """Leave with `:quitall!`, as a person does."""
        with contextlib.suppress(EOFError):  # the answer never comes
            self.command("quitall!")
        self.process.communicate(timeout=PATIENCE)

    def kill(self) -> None:
        """End it without a word."""
        self.process.kill()
        self.process.communicate(timeout=PATIENCE)
