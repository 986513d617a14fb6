"""One server for many tests, each with documents of its own."""

from __future__ import annotations

import asyncio
import threading

from server_client import connected


class Editor:
    """An editor with a server, on a loop that outlives a test."""

    def __init__(self, folder):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self._context = connected(folder)
        self.client = self._wait(self._context.__aenter__())

    def __call__(self, talk):
        """Let a test talk to the server: `talk` is a coroutine function that is given the client."""

        async def fresh():
            self.client.messages.clear()
            return await talk(self.client)

        return self._wait(fresh())

    def close(self):
        self._wait(self._context.__aexit__(None, None, None))
        self.loop.call_soon_threadsafe(self.loop.stop)

    def _wait(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(120)
