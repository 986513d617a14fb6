"""How messages come and go, on standard streams or a socket, and when the process ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import threading
from typing import TYPE_CHECKING, Any, Final

from lsprotocol.types import EXIT, INITIALIZE, ErrorCodes
from pygls.exceptions import JsonRpcException

from adalint.lsp.framing import Framer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from adalint.lsp.protocol import Protocol

CHUNK: Final = 64 * 1024
WATCH_EVERY: Final = 2.0
"""Seconds between two looks at whether the editor still lives."""

ORDERLY: Final = 0
DISORDERLY: Final = 1


class Pipe:
    """Writes messages to a descriptor; what nobody reads any more is dropped."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, data: bytes) -> None:
        """Write all of it."""
        rest = memoryview(data)
        with contextlib.suppress(OSError):
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]

    def close(self) -> None:
        """Leave it open: the process ends anyway."""


async def _chunks_of(descriptor: int) -> AsyncIterator[bytes]:
    """Read a descriptor on a thread of its own, which does not keep the process alive."""
    loop = asyncio.get_running_loop()
    chunks: asyncio.Queue[bytes] = asyncio.Queue()

    def read() -> None:
        chunk = b"?"
        while chunk:
            try:
                chunk = os.read(descriptor, CHUNK)
            except OSError:
                chunk = b""
            with contextlib.suppress(RuntimeError):  # the loop is over
                loop.call_soon_threadsafe(chunks.put_nowait, chunk)

    threading.Thread(target=read, name="stdin", daemon=True).start()
    while chunk := await chunks.get():
        yield chunk


async def _chunks_from(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(CHUNK):
            yield chunk


async def converse(protocol: Protocol, chunks: AsyncIterator[bytes]) -> int:
    """Handle messages until the editor takes its leave, or is gone; give the exit code."""
    framer = Framer()
    async for chunk in chunks:
        for body in framer.feed(chunk):
            if _handle(protocol, body) == EXIT:
                return ORDERLY if protocol.was_shut_down else DISORDERLY
            await asyncio.sleep(0)  # let what the message started begin
    return ORDERLY if protocol.was_shut_down else DISORDERLY


def _handle(protocol: Protocol, body: bytes) -> str | None:
    """Handle one message; give its method. What makes no sense is answered, and nothing else comes of it."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        protocol.refuse(None, ErrorCodes.ParseError, "the message is not JSON")
        return None
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        number = message.get("id") if isinstance(message, dict) else None
        protocol.refuse(number, ErrorCodes.InvalidRequest, "the message is no JSON-RPC 2.0")
        return None
    method, number = message.get("method"), message.get("id")
    if method == EXIT:
        return EXIT
    is_request = isinstance(method, str) and isinstance(number, int | str) and not isinstance(number, bool)
    if protocol.was_shut_down and method is not None:
        if is_request:
            protocol.refuse(number, ErrorCodes.InvalidRequest, "the server is shut down")
        return None
    if not protocol.was_initialized and method is not None and method != INITIALIZE:
        if is_request:
            protocol.refuse(number, ErrorCodes.ServerNotInitialized, "the server is not initialized")
        return None
    if method == INITIALIZE and protocol.was_initialized:
        protocol.refuse(number, ErrorCodes.InvalidRequest, "the server is initialized already")
        return None
    if isinstance(method, str) and protocol.get_message_type(method) is None:
        message.setdefault("params", None)
    try:
        protocol.handle_message(protocol.structure_message(message))
    except JsonRpcException as error:
        if is_request:
            protocol.refuse(number, error.to_response_error().code, f"{method}: {error}")
    except Exception as error:  # noqa: BLE001 whatever it is, the next message is still worth handling
        if is_request:
            protocol.refuse(number, ErrorCodes.InternalError, f"{method}: {error}")
    return method if isinstance(method, str) else None


async def _until_orphaned(protocol: Protocol) -> int:
    """Wait until the process that started the editor's side of this is gone."""
    while True:
        await asyncio.sleep(WATCH_EVERY)
        if is_gone(protocol.parent):
            return DISORDERLY


def is_gone(process: int | None) -> bool:
    """Tell whether a process has ended; False where that cannot be asked."""
    if process is None or process <= 0 or os.name != "posix":
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False


async def _first_of(protocol: Protocol, conversation: Any) -> int:
    tasks = {asyncio.ensure_future(conversation), asyncio.ensure_future(_until_orphaned(protocol))}
    done, others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in others:
        task.cancel()
    return int(done.pop().result())


def serve_streams(protocol: Protocol) -> int:
    """Serve the editor that started this process; give the exit code."""
    # Whatever else is printed may not come between the messages.
    answers = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    if os.name == "nt":
        import msvcrt

        for descriptor in (0, answers):
            msvcrt.setmode(descriptor, os.O_BINARY)  # type: ignore[attr-defined]
    protocol.set_writer(Pipe(answers))

    async def serve() -> int:
        return await _first_of(protocol, converse(protocol, _chunks_of(0)))

    return asyncio.run(serve())


def serve_socket(protocol: Protocol, host: str, port: int) -> int:
    """Serve the first editor that connects to a port, 0 for any that is free; give the exit code.

    Raises:
        OSError: the port cannot be had.
    """

    async def serve() -> int:
        ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if protocol.writer is not None:
                writer.close()
                return
            protocol.set_writer(Socket(writer))
            code = await _first_of(protocol, converse(protocol, _chunks_from(reader)))
            with contextlib.suppress(OSError):
                writer.close()
                await writer.wait_closed()
            if not ended.done():
                ended.set_result(code)

        server = await asyncio.start_server(connected, host, port)
        for socket in server.sockets:
            name = socket.getsockname()
            sys.stderr.write(f"adalint: listening on {name[0]}:{name[1]}\n")
        sys.stderr.flush()
        code = await ended
        server.close()
        return code

    return asyncio.run(serve())


class Socket:
    """Writes messages to a socket."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    def write(self, data: bytes) -> None:
        """Write all of it, sooner or later."""
        if not self._writer.is_closing():
            self._writer.write(data)

    def close(self) -> None:
        """Leave it open: the end of the conversation closes it."""
