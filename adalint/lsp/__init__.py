"""The language server: what an editor shows of a text while it is being written. Needs the extra `lsp`."""
