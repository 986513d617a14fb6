"""Readers: from a text to the AdaLoRA configurations in it. Nothing that is read is ever imported or run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adalint.readers.errors import ReadError, TemplateError
from adalint.source import Kind

if TYPE_CHECKING:
    from adalint.site import Site
    from adalint.source import Source


def read_sites(source: Source) -> list[Site]:
    """Find the configurations in a source, in the order of the text.

    Raises:
        ReadError: the text is not what its kind says.
    """
    if source.kind is Kind.PYTHON:
        from adalint.readers import python_reader

        try:
            return python_reader.read_sites(source)
        except RecursionError:
            raise ReadError("nested too deeply to be followed", 0) from None
    if source.kind is Kind.SHELL:
        from adalint.dialects.arguments import sites_of_commands

        return sites_of_commands(source)
    from adalint.readers import mappings

    if source.kind is Kind.YAML and any(sign in source.content for sign in _SCRIPTS):
        return _with_scripts(source)
    return mappings.read_sites(source)


_SCRIPTS: Final = (b"run:", b"script:", b"command:", b"args:", b"entrypoint:", b"cmd:", b"bash:")
"""What holds command lines in a YAML text: of a workflow, of a container."""


def _with_scripts(source: Source) -> list[Site]:
    """Find the configurations of a YAML text, and the command lines of its scripts."""
    from adalint.dialects.arguments import sites_of_commands
    from adalint.readers import mappings

    commands = sites_of_commands(source)
    try:
        sites = mappings.read_sites(source)
    except TemplateError:
        if b"${{" not in source.content:
            raise
        sites = []  # a workflow, which is YAML before it is filled in
    return sorted([*sites, *commands], key=lambda site: site.span)
