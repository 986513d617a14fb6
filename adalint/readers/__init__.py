"""Readers: from a text to the AdaLoRA configurations in it. Nothing that is read is ever imported or run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adalint.readers.errors import ReadError
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

    return mappings.read_sites(source)
