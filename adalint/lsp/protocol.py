"""pygls's side of the protocol, with documents of our own: pygls ends lines where the protocol does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types
from pygls.protocol import LanguageServerProtocol, lsp_method

if TYPE_CHECKING:
    from collections.abc import Generator

    from pygls.server import JsonRPCServer

PREFERRED: Final = ("utf-8", "utf-16", "utf-32")
"""Encodings of positions, best first: texts are kept in UTF-8."""

_OURS: Final = (
    types.TEXT_DOCUMENT_DID_OPEN,
    types.TEXT_DOCUMENT_DID_CHANGE,
    types.TEXT_DOCUMENT_DID_CLOSE,
    types.NOTEBOOK_DOCUMENT_DID_OPEN,
    types.NOTEBOOK_DOCUMENT_DID_CHANGE,
    types.NOTEBOOK_DOCUMENT_DID_CLOSE,
)


class Protocol(LanguageServerProtocol):
    """The protocol, as pygls speaks it."""

    def __init__(self, server: JsonRPCServer, converter: Any) -> None:
        super().__init__(server, converter)  # type: ignore[arg-type]
        self.was_initialized = False
        self.parent: int | None = None
        self.encoding = "utf-16"
        for method in _OURS:
            del self.fm.builtin_features[method]

    @property
    def was_shut_down(self) -> bool:
        """Whether the editor has asked for the end."""
        return self._shutdown

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(self, params: types.InitializeParams) -> Generator[Any, Any, types.InitializeResult]:
        """Agree on an encoding of positions, and go on as pygls does."""
        general = params.capabilities.general
        offered = [str(getattr(one, "value", one)) for one in (general and general.position_encodings) or ()]
        self.encoding = next((one for one in PREFERRED if one in offered), "utf-16")
        if general is not None and general.position_encodings:
            general.position_encodings = [self.encoding]
        self.was_initialized = True
        self.parent = params.process_id
        return (yield from super().lsp_initialize(params))

    def refuse(self, number: Any, code: int, message: str) -> None:
        """Answer that a message cannot be handled."""
        error = {"code": int(getattr(code, "value", code)), "message": message}
        known = number if isinstance(number, int | str) and not isinstance(number, bool) else None
        self._send_data({"jsonrpc": "2.0", "id": known, "error": error})

    def publish(self, uri: str, version: int | None, diagnostics: list[dict[str, Any]]) -> None:
        """Publish the diagnostics of a document: dicts as they are, for there may be thousands."""
        params: dict[str, Any] = {"uri": uri, "diagnostics": diagnostics}
        if version is not None:
            params["version"] = version
        self._send_data({"jsonrpc": "2.0", "method": types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, "params": params})
