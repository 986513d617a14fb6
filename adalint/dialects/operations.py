"""Operations on PEFT's fields as operations on the keys of a framework."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from adalint.fixes.operations import Drop, Note, Remove, RemoveEarlier, Rename, Set, Swap, Unplaceable
from adalint.schema import FIELDS

if TYPE_CHECKING:
    from adalint.dialects.framework import Framework
    from adalint.fixes.operations import Operation
    from adalint.site import Site


def in_its_keys(site: Site, operation: Operation) -> Operation:
    """Name the keys of a site's framework in the place of PEFT's fields.

    Raises:
        Unplaceable: the framework has no key for a field, or one for several of them.
    """
    framework = site.framework
    if framework is None:
        return operation
    match operation:
        case Set(field=name, after=after):
            behind = None if after is None else framework.key_of(after)
            return replace(operation, field=_key(framework, name), after=behind)
        case Remove(field=name) | RemoveEarlier(field=name) | Drop(field=name) | Note(field=name):
            return replace(operation, field=_key(framework, name))
        case Rename(field=name, to=to):
            named = next((one.to for one in framework.renamed if one.key == name), None)
            return replace(operation, field=_key(framework, name), to=named or _key(framework, to))
        case Swap(first=first, second=second):
            return replace(operation, first=_key(framework, first), second=_key(framework, second))
    return operation


def _key(framework: Framework, name: str) -> str:
    if name in framework.computed:
        raise Unplaceable(f"{framework.title} computes {name} from `{framework.computed[name][0]}`")
    if name in framework.elsewhere:
        raise Unplaceable(f"`{framework.key_of(name)}` is not written in this mapping")
    if name in FIELDS and name not in framework.spelling:
        raise Unplaceable(f"{framework.title} has no key for {name}")
    key = framework.key_of(name)
    if sum(other == key for other in framework.spelling.values()) > 1:
        raise Unplaceable(f"`{key}` gives several fields of PEFT their value")
    return key
