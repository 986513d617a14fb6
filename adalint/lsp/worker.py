"""The one thread on which texts are judged, so that the server can listen meanwhile."""

from __future__ import annotations

import asyncio
import queue
import threading
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

STACK: Final = 16 * 1024 * 1024
"""Bytes; some systems give a thread so little that a deep expression would end the process."""


class Worker:
    """Does one thing after the other, and does not keep the process alive."""

    def __init__(self) -> None:
        self._tasks: queue.SimpleQueue[tuple[asyncio.Future[Any], Callable[[], Any]]] = queue.SimpleQueue()
        before = threading.stack_size(STACK)
        self._thread = threading.Thread(target=self._run, name="adalint", daemon=True)
        self._thread.start()
        threading.stack_size(before)

    async def run(self, work: Callable[[], T]) -> T:
        """Do some work there, and give what comes of it; work that is cancelled before its turn is not done."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._tasks.put((future, work))
        return await future

    def later(self, work: Callable[[], None]) -> None:
        """Do some work there, ahead of whatever is asked for from now on; what comes of it does not matter."""
        self._tasks.put((asyncio.get_running_loop().create_future(), work))

    def _run(self) -> None:
        while True:
            future, work = self._tasks.get()
            if future.cancelled():
                continue
            result: Any = None
            error: BaseException | None = None
            try:
                result = work()
            except Exception as reason:  # noqa: BLE001 it is raised where the result is waited for
                error = reason
            try:
                future.get_loop().call_soon_threadsafe(_settle, future, result, error)
            except RuntimeError:  # the loop is over
                return
            del future, work, result, error


def _settle(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.cancelled():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
