"""Keeping up with the editor: what it opens, changes and closes, and what it says of settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types
from pygls.uris import to_fs_path

from adalint.lsp.documents import Cell, NotebookDocument, TextDocument, kind_for
from adalint.lsp.positions import Text
from adalint.source import Kind
from adalint.targets import PIN_FILES

if TYPE_CHECKING:
    from adalint.lsp.server import Server

WATCHED: Final = ("adalint.toml", "adalint-baseline.json", *PIN_FILES)


def _initialize(ls: Server, params: types.InitializeParams) -> None:
    ls.begin_with(params.initialization_options)


async def _initialized(ls: Server, _: types.InitializedParams) -> None:
    await _begin(ls)


def _opened(ls: Server, params: types.DidOpenTextDocumentParams) -> None:
    item = params.text_document
    path = ls.path_of(item.uri)
    kind = kind_for(path, str(item.language_id)) if path is not None else None
    if path is None or kind is None:
        return
    text = Text.of(item.text, ls.protocol.encoding)
    ls.texts[item.uri] = document = TextDocument(item.uri, path, kind, item.version, text=text)
    ls.schedule(document, 0.0)


def _changed(ls: Server, params: types.DidChangeTextDocumentParams) -> None:
    document = ls.texts.get(params.text_document.uri)
    if document is not None:
        document.change(params.text_document.version, list(params.content_changes))
        ls.schedule(document)


def _saved(ls: Server, params: types.DidSaveTextDocumentParams) -> None:
    path = to_fs_path(params.text_document.uri)
    ls.files_changed([path] if path else [])


def _closed(ls: Server, params: types.DidCloseTextDocumentParams) -> None:
    document = ls.texts.pop(params.text_document.uri, None)
    if document is not None:
        ls.forget(document)


def _notebook_opened(ls: Server, params: types.DidOpenNotebookDocumentParams) -> None:
    book = params.notebook_document
    path = ls.path_of(book.uri)
    if path is None:
        return
    texts = {item.uri: item for item in params.cell_text_documents}
    cells = [_cell(ls, cell, texts.get(cell.document)) for cell in book.cells]
    document = NotebookDocument(book.uri, path, Kind.NOTEBOOK, book.version, cells=cells, metadata=book.metadata)
    ls.notebooks[book.uri] = document
    ls.schedule(document, 0.0)


def _notebook_changed(ls: Server, params: types.DidChangeNotebookDocumentParams) -> None:
    document = ls.notebooks.get(params.notebook_document.uri)
    if document is not None:
        _change_notebook(ls, document, params.change)
        document.changed(params.notebook_document.version)
        ls.schedule(document)


def _notebook_saved(ls: Server, _: types.DidSaveNotebookDocumentParams) -> None:
    """Do nothing: a notebook is no settings file."""


def _notebook_closed(ls: Server, params: types.DidCloseNotebookDocumentParams) -> None:
    document = ls.notebooks.pop(params.notebook_document.uri, None)
    if document is not None:
        ls.forget(document)


def _files_changed(ls: Server, params: types.DidChangeWatchedFilesParams) -> None:
    ls.files_changed([path for one in params.changes if (path := to_fs_path(one.uri))])


async def _configuration_changed(ls: Server, params: types.DidChangeConfigurationParams) -> None:
    if _asks(ls):
        await ls.ask_options()
    else:
        ls.take_options(params.settings)
        ls.check_everything()


async def _folders_changed(ls: Server, _: types.DidChangeWorkspaceFoldersParams) -> None:
    if _asks(ls):
        await ls.ask_options()
    else:
        ls.check_everything()


def _cell(server: Server, cell: types.NotebookCell, item: types.TextDocumentItem | None) -> Cell:
    return Cell(
        uri=cell.document,
        is_code=cell.kind == types.NotebookCellKind.Code,
        metadata=cell.metadata,
        language=str(item.language_id) if item is not None else "",
        version=item.version if item is not None else None,
        text=Text.of(item.text if item is not None else "", server.protocol.encoding),
    )


def _change_notebook(server: Server, document: NotebookDocument, change: types.NotebookDocumentChangeEvent) -> None:
    if change.metadata is not None:
        document.metadata = change.metadata
    if change.cells is None:
        return
    if (structure := change.cells.structure) is not None:
        known = {cell.uri: cell for cell in document.cells}
        texts = {item.uri: item for item in structure.did_open or ()}
        array = structure.array
        new = [
            known[cell.document]
            if cell.document in known and cell.document not in texts
            else _cell(server, cell, texts.get(cell.document))
            for cell in array.cells or ()
        ]
        document.cells[array.start : array.start + array.delete_count] = new
        left = {cell.uri for cell in document.cells}
        for item in structure.did_close or ():
            if item.uri not in left:
                document.drifts.pop(item.uri, None)
    for data in change.cells.data or ():
        for cell in document.cells:
            if cell.uri == data.document:
                cell.is_code = data.kind == types.NotebookCellKind.Code
                cell.metadata = data.metadata
    for content in change.cells.text_content or ():
        document.change_cell(content.document.uri, content.document.version, list(content.changes))


def _asks(server: Server) -> bool:
    """Tell whether the editor can be asked for its configuration."""
    workspace = server.client_capabilities.workspace
    return bool(workspace and workspace.configuration)


def _watches(server: Server) -> bool:
    """Tell whether the editor watches the files that it is told to."""
    workspace = server.client_capabilities.workspace
    watched = workspace and workspace.did_change_watched_files
    return bool(watched and watched.dynamic_registration)


async def _begin(server: Server) -> None:
    """Do what has to wait until the editor is ready: have files watched, ask for settings."""
    import asyncio

    workspace = server.client_capabilities.workspace
    wanted = []
    if _watches(server):
        watchers = [types.FileSystemWatcher(glob_pattern=f"**/{name}") for name in (*WATCHED, "ADA*.md")]
        options: Any = types.DidChangeWatchedFilesRegistrationOptions(watchers=watchers)
        method = types.WORKSPACE_DID_CHANGE_WATCHED_FILES
        wanted.append(types.Registration(id="adalint-files", method=method, register_options=options))
    changes = workspace and workspace.did_change_configuration
    if changes and changes.dynamic_registration:
        section: Any = types.DidChangeConfigurationRegistrationOptions(section="adalint")
        method = types.WORKSPACE_DID_CHANGE_CONFIGURATION
        wanted.append(types.Registration(id="adalint-settings", method=method, register_options=section))
    if wanted:
        # Nobody waits for the answer: an editor that says no is one that does not watch.
        server.client_register_capability(types.RegistrationParams(registrations=wanted))
    if _asks(server):
        await server.ask_options()
    if not _watches(server):
        server.keep_watch(asyncio.get_running_loop().create_task(server.poll()))


HANDLERS: Final[dict[str, Any]] = {
    types.INITIALIZE: _initialize,
    types.INITIALIZED: _initialized,
    types.TEXT_DOCUMENT_DID_OPEN: _opened,
    types.TEXT_DOCUMENT_DID_CHANGE: _changed,
    types.TEXT_DOCUMENT_DID_SAVE: _saved,
    types.TEXT_DOCUMENT_DID_CLOSE: _closed,
    types.NOTEBOOK_DOCUMENT_DID_OPEN: _notebook_opened,
    types.NOTEBOOK_DOCUMENT_DID_CHANGE: _notebook_changed,
    types.NOTEBOOK_DOCUMENT_DID_SAVE: _notebook_saved,
    types.NOTEBOOK_DOCUMENT_DID_CLOSE: _notebook_closed,
    types.WORKSPACE_DID_CHANGE_WATCHED_FILES: _files_changed,
    types.WORKSPACE_DID_CHANGE_CONFIGURATION: _configuration_changed,
    types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: _folders_changed,
}


def register(server: Server) -> None:
    """Register the notifications of the protocol."""
    for method, handler in HANDLERS.items():
        server.feature(method)(handler)
