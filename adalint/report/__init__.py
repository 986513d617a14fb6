"""Showing findings: one module per format, each with a `render` that turns reports into text."""

FORMATS = (
    "full",
    "concise",
    "json",
    "jsonl",
    "github",
    "gitlab",
    "sarif",
    "junit",
    "rdjson",
    "markdown",
    "lsp",
)
"""The formats, each by the name of its module."""
