"""The language server: what is open, when it is checked, and what is answered."""

from __future__ import annotations

import asyncio
import logging
import os
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import converters, types
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from adalint import __version__
from adalint.lsp import features, synchronisation
from adalint.lsp.broken import with_last
from adalint.lsp.documents import Document, path_of
from adalint.lsp.judging import Judge, Judged, is_watched
from adalint.lsp.options import DEBOUNCE, debounce_of, flags_of, section
from adalint.lsp.protocol import Protocol
from adalint.lsp.worker import Worker
from adalint.report.lsp import diagnostic

if TYPE_CHECKING:
    from collections.abc import Callable

    from pygls.server import ServerErrors

    from adalint.lsp.documents import NotebookDocument, TextDocument

POLL_EVERY: Final = 2.0
"""Seconds between two looks at settings files, where the editor does not watch them."""

NOTEBOOKS: Final = types.NotebookDocumentSyncOptions(
    notebook_selector=[
        types.NotebookDocumentFilterWithCells(
            cells=[types.NotebookCellLanguage(language="python")],
            notebook=types.NotebookDocumentFilterNotebookType(notebook_type="jupyter-notebook"),
        )
    ],
    save=True,
)


class Server(LanguageServer):
    """A language server for one editor."""

    protocol: Protocol

    def __init__(self) -> None:
        super().__init__(
            "adalint",
            __version__,
            notebook_document_sync=NOTEBOOKS,
            protocol_cls=Protocol,
            converter_factory=converters.get_converter,
        )
        # What goes wrong inside is told to the editor; nobody may read stderr, and a full pipe would stop us.
        logging.getLogger("pygls").setLevel(logging.CRITICAL)
        self.texts: dict[str, TextDocument] = {}
        self.notebooks: dict[str, NotebookDocument] = {}
        self.judge = Judge()
        self.worker = Worker()
        self.debounce = DEBOUNCE / 1000
        self._initial: dict[str, Any] = {}
        self._generation = 0
        self._checks: dict[str, asyncio.Task[None]] = {}
        self._shown: dict[str, set[str]] = {}
        self._told: set[str] = set()
        self._watch: asyncio.Task[None] | None = None
        synchronisation.register(self)
        features.register(self)

    # Documents

    def document_of(self, uri: str) -> Document | None:
        """Give what is open under a name: a text, or the notebook that a cell belongs to."""
        if uri in self.texts:
            return self.texts[uri]
        return next((one for one in self.notebooks.values() if any(cell.uri == uri for cell in one.cells)), None)

    def folder_of(self, path: str) -> str | None:
        """Give the innermost workspace folder around a path."""
        around = [
            folder for folder in self.folders() if path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
        ]
        return max(around, key=len, default=None)

    def folders(self) -> list[str]:
        """Name the workspace folders."""
        found = [to_fs_path(one.uri) for one in self.workspace.folders.values()]
        if not found and self.workspace.root_uri:
            found = [to_fs_path(self.workspace.root_uri)]
        return [folder for folder in found if folder]

    def path_of(self, uri: str) -> str | None:
        """Give the path of a document; None when it is none that adalint looks at."""
        return path_of(uri, next(iter(self.folders()), None))

    def open_documents(self) -> list[Document]:
        """Name everything that is open."""
        return [*self.texts.values(), *self.notebooks.values()]

    # Checks

    def schedule(self, document: Document, delay: float | None = None) -> None:
        """Check a document once it has not changed for a while."""
        running = self._checks.pop(document.uri, None)
        if running is not None:
            running.cancel()
        wait = self.debounce if delay is None else delay
        task = asyncio.get_running_loop().create_task(self._check(document, wait))
        self._checks[document.uri] = task

    def forget(self, document: Document) -> None:
        """Take away everything about a document that is closed."""
        running = self._checks.pop(document.uri, None)
        if running is not None:
            running.cancel()
        for uri in sorted(self._shown.pop(document.uri, ())):
            self.protocol.publish(uri, None, [])

    async def _check(self, document: Document, delay: float) -> None:
        await asyncio.sleep(delay)
        try:
            judged = await self.judged(document)
        except Exception as error:  # noqa: BLE001 whatever it is, the server goes on
            self.log(f"{document.path}: internal error ({type(error).__name__}: {error}); please report it")
            return
        if judged is not None:
            self._publish(document, judged)

    async def judged(self, document: Document) -> Judged | None:
        """Give what is found in a document as it is now; None when it has changed before that was known."""
        if document.result is not None:
            return document.result
        generation = self._generation
        snapshot = document.snapshot(self.folder_of(document.path))
        judged = await self.worker.run(partial(self.judge.judge, snapshot))
        if document.number != snapshot.number:
            return None
        if judged.parsed:
            document.keep(judged)
        elif document.last is not None:
            judged = await self.worker.run(partial(with_last, judged, document.last, dict(document.drifts)))
            if document.number != snapshot.number:
                return None
        if generation == self._generation:
            document.result = judged
        return judged

    def _publish(self, document: Document, judged: Judged) -> None:
        if document not in self.open_documents():
            return
        if judged.complaint is not None:
            self.complain(judged.complaint)
        parts = {part.uri for part in judged.snapshot.parts}
        for uri in sorted(self._shown.get(document.uri, set()) - parts):  # cells that are gone, or no code any more
            self.protocol.publish(uri, None, [])
        self._shown[document.uri] = parts
        for part in judged.snapshot.parts:
            self.protocol.publish(
                part.uri, part.version, [diagnostic(finding, judged.locate) for finding in judged.within(part)]
            )

    def check_everything(self, *, forget: bool = False) -> None:
        """Check all that is open again; `forget` says that files may have changed that settings come from."""
        if forget:
            self.worker.later(self.judge.forget)
        self._generation += 1
        self._told.clear()
        for document in self.open_documents():
            document.result = None
            self.schedule(document, 0.0)

    # Settings

    def begin_with(self, options: Any) -> None:
        """Take the options with which the editor began."""
        self._initial = section(options)
        self.take_options({})

    def take_options(self, options: Any, folder: str | None = None) -> None:
        """Take what the editor says of settings, for one workspace folder or for all, over what it began with."""
        found = {**self._initial, **{key: value for key, value in section(options).items() if value is not None}}
        if folder is None:
            pause = debounce_of(found)
            self.debounce = DEBOUNCE / 1000 if pause is None else pause
        flags, complaints = flags_of(found, folder)
        self.judge.flags[folder] = flags
        for complaint in complaints:
            self.complain(complaint)

    async def ask_options(self) -> None:
        """Ask the editor what it says of settings, for each workspace folder; then check everything."""
        folders: list[tuple[str | None, str | None]] = [(None, None)]
        folders += [(to_fs_path(one.uri), one.uri) for one in self.workspace.folders.values()]
        items = [types.ConfigurationItem(scope_uri=uri, section="adalint") for _, uri in folders]
        try:
            answers = await self.workspace_configuration_async(types.ConfigurationParams(items=items))
        except Exception as error:  # noqa: BLE001 an editor that cannot say has nothing to say
            self.log(f"the editor does not tell its configuration: {error}")
            return
        for (folder, _), answer in zip(folders, answers or [], strict=False):
            self.take_options(answer, folder)
        self.check_everything()

    def files_changed(self, paths: list[str]) -> None:
        """Read settings again where they may have changed."""
        if any(is_watched(path) for path in paths):
            self.check_everything(forget=True)

    def keep_watch(self, task: asyncio.Task[None]) -> None:
        """Keep a task that looks after files alive."""
        self._watch = task

    async def poll(self) -> None:
        """Look for changed settings from time to time."""
        while True:
            await asyncio.sleep(POLL_EVERY)
            if any(self.judge.is_stale(document.path) for document in self.open_documents()):
                self.check_everything(forget=True)

    # Words

    def complain(self, message: str) -> None:
        """Show the person who writes what is wrong, once."""
        if message not in self._told:
            self._told.add(message)
            self.window_show_message(
                types.ShowMessageParams(type=types.MessageType.Error, message=f"adalint: {message}")
            )

    def log(self, message: str) -> None:
        """Write a line for those who look for it."""
        self.window_log_message(types.LogMessageParams(type=types.MessageType.Warning, message=message))

    def report_server_error(self, error: Exception, source: ServerErrors) -> None:
        """Tell what went wrong inside without a window."""
        self.log(f"internal error ({type(error).__name__}: {error}); please report it")

    async def in_background(self, work: Callable[[], Any]) -> Any:
        """Do something that takes time."""
        return await self.worker.run(work)
