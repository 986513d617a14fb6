"""A real client of the language server, over its standard streams."""

import asyncio
import contextlib
import os
import re
import sys

from lsprotocol import types
from pygls.lsp.client import LanguageClient

SERVER = [sys.executable, "-m", "adalint", "server"]


class Client(LanguageClient):
    """Keeps what the server publishes, and waits for it."""

    def __init__(self):
        super().__init__("test", "1")
        self.published = {}
        self.history = []
        self.messages = []
        self.registered = []
        self.configuration = {}
        self.news = asyncio.Condition()

        @self.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        async def publish(params):
            async with self.news:
                self.published[params.uri] = params
                self.history.append(params)
                self.news.notify_all()

        @self.feature(types.WINDOW_SHOW_MESSAGE)
        async def show(params):
            async with self.news:
                self.messages.append(params.message)
                self.news.notify_all()

        @self.feature(types.WINDOW_LOG_MESSAGE)
        def log(params):
            self.messages.append(params.message)

        @self.feature(types.CLIENT_REGISTER_CAPABILITY)
        def register(params):
            self.registered += params.registrations

        @self.feature(types.WORKSPACE_CONFIGURATION)
        def configure(params):
            return [self.configuration.get(item.scope_uri) for item in params.items]

    async def until(self, condition):
        """Wait for something that the server tells; it has to come some time."""
        async with self.news:
            try:
                await asyncio.wait_for(self.news.wait_for(lambda: condition(self)), 60)
            except TimeoutError:
                raise AssertionError(f"it never came; last were {self.messages[-5:]}") from None

    async def diagnostics(self, uri, version=None):
        """Wait for what is published of a document, in a version."""
        await self.until(
            lambda one: uri in one.published and (version is None or one.published[uri].version == version)
        )
        return self.published[uri].diagnostics

    def open(self, uri, text, language="python", version=1):
        item = types.TextDocumentItem(uri=uri, language_id=language, version=version, text=text)
        self.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))

    def change(self, uri, version, *changes):
        """Send changes: `text` replaces all, `(start, end, text)` a range, positions as (line, character)."""
        events = [
            types.TextDocumentContentChangeWholeDocument(text=one)
            if isinstance(one, str)
            else types.TextDocumentContentChangePartial(
                range=types.Range(start=types.Position(*one[0]), end=types.Position(*one[1])), text=one[2]
            )
            for one in changes
        ]
        self.text_document_did_change(
            types.DidChangeTextDocumentParams(
                text_document=types.VersionedTextDocumentIdentifier(uri=uri, version=version), content_changes=events
            )
        )


def capabilities(encodings=("utf-16",), abilities=None, resolves=True):
    return types.ClientCapabilities(
        notebook_document=types.NotebookDocumentClientCapabilities(
            synchronization=types.NotebookDocumentSyncClientCapabilities()
        ),
        general=types.GeneralClientCapabilities(position_encodings=encodings and list(encodings)),
        workspace=types.WorkspaceClientCapabilities(
            workspace_edit=types.WorkspaceEditClientCapabilities(document_changes=True), **(abilities or {})
        ),
        text_document=types.TextDocumentClientCapabilities(
            code_action=types.CodeActionClientCapabilities(
                resolve_support=types.ClientCodeActionResolveOptions(properties=["edit"]) if resolves else None,
                data_support=True,
                disabled_support=True,
                is_preferred_support=True,
            )
        ),
    )


@contextlib.asynccontextmanager
async def connected(*folders, options=None, cwd=None, env=None, command=SERVER, **given):
    """Start a server for some folders, initialize it, and shut it down in the end, which must go in order."""
    client = Client()
    client.configuration = given.pop("configuration", {})
    await client.start_io(*command, cwd=cwd or (folders[0] if folders else None), env={**os.environ, **(env or {})})
    client.answer = await client.initialize_async(
        types.InitializeParams(
            capabilities=capabilities(**given),
            process_id=os.getpid(),
            initialization_options={"debounce": 0, **(options or {})},
            workspace_folders=[types.WorkspaceFolder(uri=folder.as_uri(), name=folder.name) for folder in folders]
            or None,
        )
    )
    client.initialized(types.InitializedParams())
    try:
        yield client
        await asyncio.wait_for(client.shutdown_async(None), 30)
        client.exit(None)
        assert await asyncio.wait_for(client._server.wait(), 30) == 0
    finally:
        if client._server.returncode is None:
            client._server.kill()
        await client.stop()


CODECS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}


def offset_in(text, line, character, encoding="utf-16"):
    """Turn a position into an index of the string, as an editor does."""
    lines = re.split("(\r\n|\n|\r)", text)
    start = sum(map(len, lines[: 2 * line]))
    codec, unit = CODECS[encoding]
    within = lines[2 * line].encode(codec)
    assert character * unit <= len(within), "beyond the end of the line"
    return start + len(within[: character * unit].decode(codec))


def position_in(text, index, encoding="utf-16"):
    """Turn an index of the string into a position, as an editor does."""
    lines = re.split("\r\n|\n|\r", text[:index])
    codec, unit = CODECS[encoding]
    return types.Position(len(lines) - 1, len(lines[-1].encode(codec)) // unit)


def edited(text, edits, encoding="utf-16"):
    """Apply the edits of an answer to a text, as an editor does: all in places of the text as it was."""

    def place(edit):
        start, end = edit.range.start, edit.range.end
        first = offset_in(text, start.line, start.character, encoding)
        return first, offset_in(text, end.line, end.character, encoding), edit.new_text

    places = sorted(map(place, edits), key=lambda one: one[:2])
    pieces, done = [], 0
    for first, last, new in places:
        assert first >= done, "edits overlap"
        pieces += (text[done:first], new)
        done = last
    return "".join([*pieces, text[done:]])


def edits_for(action, uri, version=None):
    """Give the edits of an action in one document, which must be made for a version of it."""
    [change] = [one for one in action.edit.document_changes if one.text_document.uri == uri]
    assert version is None or change.text_document.version == version
    return change.edits


def place(text, needle, encoding="utf-16", behind=False):
    """Give the position of some words in a text."""
    return position_in(text, text.index(needle) + (len(needle) if behind else 0), encoding)
