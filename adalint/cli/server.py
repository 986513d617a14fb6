"""`adalint server`: the language server for editors."""

from __future__ import annotations

import click


@click.command()
@click.option("--stdio", is_flag=True, help="Speak on standard input and output, as without any option.")
@click.option("--tcp", metavar="HOST:PORT", help="Wait for one editor on this port, 0 for any that is free.")
def server(stdio: bool, tcp: str | None) -> None:
    """Serve an editor: findings while you type, fixes, and what PEFT does with a field.

    Editors start this by themselves; docs/editors.md has the lines for each. Needs `pip install 'adalint[lsp]'`.
    """
    from adalint.cli.failure import Failure

    if stdio and tcp is not None:
        raise Failure("--stdio and --tcp exclude each other")
    host, port = _address(tcp) if tcp is not None else ("", 0)
    try:
        from adalint.lsp.server import Server
        from adalint.lsp.transport import serve_socket, serve_streams
    except ImportError as error:
        if error.name is not None and error.name.partition(".")[0] not in {"pygls", "lsprotocol", "cattrs", "attrs"}:
            raise
        raise Failure("the language server needs pygls 2: pip install 'adalint[lsp]'") from None
    protocol = Server().protocol
    try:
        code = serve_streams(protocol) if tcp is None else serve_socket(protocol, host, port)
    except OSError as error:
        where = "standard input and output" if tcp is None else f"--tcp {tcp}"
        raise Failure(f"{where}: {error.strerror or error}") from None
    click.get_current_context().exit(code)


def _address(tcp: str) -> tuple[str, int]:
    from adalint.cli.failure import Failure

    host, colon, port = tcp.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65_535:
        raise Failure(f"--tcp {tcp}: HOST:PORT is wanted, such as 127.0.0.1:2087")
    return host.strip("[]") or "127.0.0.1", int(port)
