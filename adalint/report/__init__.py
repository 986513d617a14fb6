"""Showing findings: one module per format, each with a `render` that turns reports into text."""

FORMATS = ("full", "concise", "json", "lsp")
"""The formats, each by the name of its module."""
