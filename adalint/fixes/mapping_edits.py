"""Placing operations in the text of a JSON or YAML mapping: edits of bytes, never a re-serialised value.

The operations are first carried out on the list of entries, then that list is written down as edits. What comes out is
read back before it is handed over: other entries than expected, or a change elsewhere, and it is Unplaceable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from adalint.fixes.layout import layout_of
from adalint.fixes.mapping_block import write_block
from adalint.fixes.mapping_flow import write_flow
from adalint.fixes.mapping_page import Page, Slot
from adalint.fixes.mapping_pieces import Edits
from adalint.fixes.mapping_proof import read_back
from adalint.fixes.mapping_steps import carry_out
from adalint.fixes.operations import Unplaceable

if TYPE_CHECKING:
    from collections import abc

    from adalint.fixes.operations import Operation
    from adalint.site import Site
    from adalint.source import Edit


def place(site: Site, operations: abc.Sequence[Operation]) -> tuple[Edit, ...]:
    """Turn operations into edits of the mapping that a site was read from; each sees what those before it did.

    Raises:
        Unplaceable: they cannot be placed exactly; the message says why.
    """
    layout = layout_of(site.source)
    mapping = layout.mappings.get(site.span)
    if mapping is None:
        row = site.source.position(site.span.start).row
        raise Unplaceable(f"line {row} holds an alias; change the mapping that it stands for")
    page = Page(site, layout, mapping)
    slots = [Slot(entry) for entry in mapping.entries]
    for operation in operations:
        carry_out(page, slots, operation)
    edits = Edits(page)
    if mapping.flow:
        write_flow(page, slots, edits)
    else:
        write_block(page, slots, edits)
    made = edits.made()
    read_back(page, slots, made)
    return made
