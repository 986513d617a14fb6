"""Choosing who turns operations into edits: one placer per kind of file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adalint.fixes.operations import AddCallback, DropGuard, InsertCall, MoveCall, RenameHook
from adalint.site import Surface
from adalint.source import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adalint.fixes.operations import Operation
    from adalint.site import Site
    from adalint.source import Edit


def place(site: Site, operations: Sequence[Operation]) -> tuple[Edit, ...]:
    """Turn operations into edits of the site's own text.

    Raises:
        Unplaceable: they cannot be placed exactly; the message says why.
    """
    if site.framework is not None:
        from adalint.dialects.operations import in_its_keys

        operations = [in_its_keys(site, one) for one in operations]
    if any(isinstance(one, RenameHook | AddCallback) for one in operations):
        from adalint.fixes import hook_edits

        return hook_edits.place(site.source, operations)
    if any(isinstance(one, InsertCall | MoveCall | DropGuard) for one in operations):
        from adalint.fixes import loop_edits

        return loop_edits.place(site.source, operations)
    if site.source.kind is Kind.PYTHON:
        from adalint.fixes import python_edits

        return python_edits.place(site, operations)
    if site.surface is Surface.COMMAND:
        from adalint.fixes import shell_edits

        return shell_edits.place(site, operations)
    from adalint.fixes import mapping_edits

    return mapping_edits.place(site, operations)
