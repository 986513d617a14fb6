"""Finding the mappings of JSON and YAML that configure AdaLoRA, and reading them as Sites.

Bare names prove nothing (`target_r` is common in physics, `deltaT` in trading): a mapping must say that it means
AdaLoRA, must be in force, and must not be a record or a search space. When in doubt it is no Site.
"""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from adalint.readers.json_reader import read_json
from adalint.readers.mapping_containers import (
    BLOCK,
    SETTINGS,
    chooses_another_elsewhere,
    is_chosen_around,
    is_container,
    is_of_another,
    is_sure,
)
from adalint.readers.mapping_signs import (
    FILLED_IN,
    LORA_FIELDS,
    OWN_FIELDS,
    RECORD_PARENTS,
    SEARCH_PARENTS,
    chosen,
    is_description,
    is_off,
    is_record,
    is_search_space,
    names_of,
    text_of,
    value_of,
)
from adalint.readers.mapping_spaces import block_of_ranges, sweeps, swept
from adalint.readers.tree import Alias, Entry, Field, Mapping, Node, Sequence, Tree, content, name_of
from adalint.readers.yaml_reader import read_yaml
from adalint.site import RUN_LENGTH_NAMES, Site, Surface
from adalint.source import Kind, Span
from adalint.values import UNKNOWN, Expr, Literal, Symbol, Value

if TYPE_CHECKING:
    from collections import abc

    from adalint.readers.tree import Content
    from adalint.source import Source

_HOUSEKEEPING: Final = frozenset(
    {"_target_", "_convert_", "_partial_", "_recursive_", "_args_", "class_path", "init_args", "dict_kwargs"}
)
CLASS: Final = re.compile(r"peft\.(?:\w+\.)*AdaLoraConfig")

_RECORD_FILE: Final = re.compile(
    r"(?:.*[_-])?(?:results?|metrics|leaderboard|trainer_state|wandb-summary)", re.IGNORECASE
)
BASES: Final = frozenset({"defaults", "_base_", "_BASE_", "__base__", "base_config", "extends", "inherit", "inherits"})

MANDATORY: Final = "???"
"""What OmegaConf wants to be given elsewhere, on the command line say."""

_INTERPOLATION: Final = re.compile(r"\$\{[\w.\[\]-]+\}")


@functools.lru_cache(maxsize=4)
def read_tree(source: Source, aliases: tuple[Alias, ...] = ()) -> Tree:
    """Read a JSON or YAML text; `aliases` are those in a piece of YAML whose anchors stand before it.

    Raises:
        ReadError: it is not what its kind says.
    """
    return read_json(source) if source.kind is Kind.JSON else read_yaml(source, aliases)


def read_sites(source: Source) -> list[Site]:
    """Find the AdaLoRA configurations of a JSON or YAML text, in the order of the text.

    Raises:
        ReadError: the text names AdaLoRA but is not what its kind says; a `TemplateError` when it is a template.
    """
    if b"adalora" not in source.content.lower():
        return []
    from adalint.dialects.mappings import dialect_sites, out_of_force

    tree = read_tree(source)
    name = source.name
    if name == "adapter_config.json" and source.kind is Kind.JSON:
        root = tree.documents[0]
        return [_adapter_config(source, root)] if isinstance(root, Mapping) and _names_adalora(root) else []
    if _RECORD_FILE.fullmatch(PurePath(name).stem):
        return []
    templates = tree.templates()
    found = list(dialect_sites(source, tree))
    spoken = {site.span for site in found} | out_of_force(source, tree)
    free = (site for document in tree.documents for site in _walk(source, tree, document, templates))
    found += (site for site in free if site.span not in spoken)
    found += [*sweeps(source, tree), *swept(source, tree, found)]
    return sorted(found, key=lambda site: site.span)


def _names_adalora(root: Mapping) -> bool:
    written = text_of(root, "peft_type")
    return written is not None and written.upper() == "ADALORA"


def _adapter_config(source: Source, root: Mapping) -> Site:
    from adalint.readers.training_params import run_length_beside

    saved = value_of(root, "inference_mode") is True
    values = values_in(source, Tree((root,)), root)
    length, file = (None if saved else run_length_beside(source)) or (None, None)
    return Site(
        source,
        Surface.ADAPTER_CONFIG,
        root.span,
        line_at(source, root.span.start),
        values,
        saved=saved,
        run_length=length,
        run_length_file=file,
        wrapped=not saved,
        repeated=repeated_in(source, root),
    )


def mapping_without_places(source: Source) -> dict[str, Any] | None:
    """Read an `adapter_config.json` in a tenth of the time, without saying where in it anything stands.

    None where the text is another file, is not JSON, writes a key twice, or does not name AdaLoRA.
    """
    if source.name != "adapter_config.json" or source.kind is not Kind.JSON:
        return None
    text = source.content.decode()
    try:
        root = json.loads(text)
        kind = root.get("peft_type") if isinstance(root, dict) else None
        is_adalora = isinstance(kind, str) and kind.upper() == "ADALORA"
        return root if is_adalora and not _writes_a_key_twice(text, root) else None
    except (ValueError, RecursionError):
        return None


def _writes_a_key_twice(text: str, root: dict[str, Any]) -> bool:
    keys = len(root) + sum(len(value) for value in root.values() if isinstance(value, dict))
    if text.count(":") == keys:  # every key that is written has its colon
        return False
    doubled: list[bool] = []

    def paired(pairs: list[tuple[str, Any]]) -> None:
        doubled.append(len(dict(pairs)) < len(pairs))

    json.loads(text, object_pairs_hook=paired)
    return any(doubled)


def site_without_places(source: Source, root: abc.Mapping[str, Any]) -> Site:
    """Read what `mapping_without_places` gives as a Site in which nothing has a place."""
    values = {name: value_without_place(value) for name, value in root.items() if _is_setting(name)}
    saved = root.get("inference_mode") is True
    nowhere = Span(0, 0)
    return Site(source, Surface.ADAPTER_CONFIG, nowhere, nowhere, values, saved=saved, wrapped=not saved)


def value_without_place(value: Any) -> Value:
    """Read a value of JSON as the value of a field, without its place and its text."""
    nowhere = Span(0, 0)
    return Value(expr_of(value), nowhere, nowhere, "")


@dataclass(frozen=True, slots=True)
class _Place:
    """A node on the way down: the entry that holds it, which method is chosen around it, and how long the run is."""

    node: Node
    entry: Entry | None = None
    method: str | None = None
    run_length: Value | None = None
    is_search: bool = False
    """It stands in a part that tells what a search may choose."""
    is_chosen: bool = False
    """What is around it says in one word that the method is AdaLoRA."""

    @property
    def key(self) -> str | None:
        """Give the key that it stands under, if it is a string."""
        return None if self.entry is None else name_of(self.entry)

    @property
    def is_block(self) -> bool:
        """Tell whether it stands under an `adalora` key."""
        return self.key is not None and BLOCK.fullmatch(self.key) is not None


def _walk(source: Source, tree: Tree, document: Node, templates: frozenset[Content]) -> abc.Iterator[Site]:
    """Go down what counts: merged entries as their mappings see them, no templates, records or disabled parts."""
    based = isinstance(document, Mapping) and any(isinstance(value_of(document, name), str | list) for name in BASES)
    stack = [_Place(document, run_length=_run_length(document, None))]
    seen: set[tuple[Node, str | None, bool, bool, bool]] = set()
    sites: set[Node] = set()
    while stack:
        place = stack.pop()
        node = content(place.node)
        if node is None or (seen_as := (node, place.method, place.is_block, place.is_search, place.is_chosen)) in seen:
            continue
        seen.add(seen_as)
        if isinstance(node, Sequence):
            items = [item for item in node.items if isinstance(item, Alias) or item not in templates]
            lengths = [_run_length(item, place.run_length) for item in items]
            stack.extend(
                _Place(item, None, place.method, length, place.is_search, place.is_chosen)
                for item, length in reversed(list(zip(items, lengths, strict=True)))
            )
        elif isinstance(node, Mapping) and not is_record(node) and not is_off(node):
            site = _site(source, tree, node, place) if node not in sites else None
            if site is not None and not _is_ruled_out(site, node, place, document):
                sites.add(node)
                # Steps beside a container may be another number than its own `total_step`: what fills it in is unknown.
                length = None if site.surface is Surface.CONTAINER else place.run_length
                yield replace(site, open=site.open or based, run_length=length)
            method = chosen(node) or place.method
            if method == "whole model":
                continue
            around = is_chosen_around(node, around=place.is_chosen)
            for name, field in reversed(list(node.fields.items())):
                value = field.entry.value
                own_template = field.own and not isinstance(value, Alias) and value in templates
                key = name if isinstance(name, str) else ""
                is_search = SEARCH_PARENTS.fullmatch(key) is not None
                if own_template or (RECORD_PARENTS.fullmatch(key) and not is_search):
                    continue
                searched = place.is_search or is_search
                is_chosen = around and not is_of_another(key)
                stack.append(_Place(value, field.entry, method, place.run_length, searched, is_chosen))


def _is_ruled_out(site: Site, node: Mapping, place: _Place, document: Node) -> bool:
    """Tell whether a block that nothing around it chooses is passed over by a choice elsewhere in the document."""
    nobody_chose = site.surface is Surface.BLOCK and place.method is None and chosen(node) is None
    return nobody_chose and chooses_another_elsewhere(document)


def _run_length(root: Node, around: Value | None) -> Value | None:
    """Find the one number of optimizer steps that a document or list item tells, else take that of what is around it.

    Two different numbers are none, and so is one that is filled in later; the items of a list are runs of their own.
    """
    found: dict[int | None, Value | None] = {}
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, Mapping):
            stack += (entry.value for entry in node.entries)
            for name in RUN_LENGTH_NAMES & names_of(node):
                entry = node.fields[name].entry
                steps, span = entry.value.value, entry.value.span
                if isinstance(steps, int) and not isinstance(steps, bool):
                    if steps > 0:
                        found[steps] = Value(Literal(steps), span, entry.key.span, str(steps))
                elif steps is not None:
                    found[None] = None
    if not found:
        return around
    return next(iter(found.values())) if len(found) == 1 else None


def _site(source: Source, tree: Tree, node: Mapping, place: _Place) -> Site | None:
    """Read a mapping as a Site if it is an AdaLoRA configuration in force."""
    if not node.plain or place.method not in {None, "adalora"}:
        return None
    fields, holder, surface = node, place, None
    if CLASS.fullmatch(text_of(node, "_target_") or ""):
        surface = Surface.TARGET
    elif CLASS.fullmatch(text_of(node, "class_path") or ""):
        surface = Surface.CLASS_PATH
        field = node.fields.get("init_args")
        inner = content(field.entry.value) if field else None
        if field is not None and isinstance(inner, Mapping):
            fields, holder = inner, _Place(field.entry.value, field.entry)
        elif field is not None:
            return None
    elif text_of(node, "peft_type") == "ADALORA":
        surface = Surface.PEFT_TYPE if _is_configuration(node) else None
    elif place.is_block and _is_block(node):
        surface = Surface.BLOCK
    elif not place.is_block and is_container(node, place.key, chosen_around=place.is_chosen):
        surface = Surface.CONTAINER
    if surface in {Surface.BLOCK, Surface.PEFT_TYPE} and is_description(fields):
        return None
    if surface is None or chosen(node) not in {None, "adalora"}:
        return None
    if is_search_space(fields):
        is_free = surface in {Surface.BLOCK, Surface.PEFT_TYPE}
        return block_of_ranges(source, fields, holder.node.span, _head(source, holder)) if is_free else None
    if place.is_search:
        return None
    aliased = isinstance(holder.node, Alias)
    span = holder.node.span
    open_ = (
        fields.open or value_of(node, "_partial_") is True or "_args_" in node.fields or "dict_kwargs" in node.fields
    )
    values, repeated = values_in(source, tree, fields, shared=aliased), repeated_in(source, fields)
    if surface is Surface.CONTAINER:
        values = {name: _if_sure(name, value) for name, value in values.items() if name in SETTINGS}
        repeated = {name: earlier for name, earlier in repeated.items() if name in values}
    return Site(
        source,
        surface,
        span,
        _head(source, holder),
        values,
        open=open_ or surface is Surface.CONTAINER,
        # The user's own code may still add what a mapping for `get_peft_config` leaves out.
        wrapped=surface in {Surface.TARGET, Surface.CLASS_PATH}
        or (surface is Surface.PEFT_TYPE and "task_type" in values),
        repeated=repeated,
    )


def _if_sure(name: str, value: Value) -> Value:
    unsure = isinstance(value.expr, Literal) and not is_sure(name, value.expr.value)
    return replace(value, expr=UNKNOWN) if unsure else value


def _is_configuration(node: Mapping) -> bool:
    """Tell whether a mapping with `peft_type: ADALORA` holds PEFT's fields itself, not in a block or under a prefix."""
    names = names_of(node)
    if any(name.lower().startswith("adalora_") for name in names):
        return False
    block = next(
        (field for name, field in node.fields.items() if isinstance(name, str) and name.lower() == "adalora"), None
    )
    if block is not None and isinstance(content(block.entry.value), Mapping):
        return False
    return bool(names & (OWN_FIELDS | LORA_FIELDS) - {"peft_type"})


def _is_block(node: Mapping) -> bool:
    """Tell whether a mapping under an `adalora` key speaks PEFT's language."""
    names = names_of(node)
    if any(name.lower().startswith("adalora_") for name in names):
        return False
    lora = names & LORA_FIELDS
    return bool(names & OWN_FIELDS) or len(lora) > 1 or (bool(lora) and lora == names)


def values_in(source: Source, tree: Tree, node: Mapping, *, shared: bool = False) -> dict[str, Value]:
    """Read the entries of a mapping that are settings, by key."""
    return {
        name: _value(source, field, shared=shared or not field.own or tree.shares(field.entry.value.outer))
        for name, field in node.fields.items()
        if isinstance(name, str) and _is_setting(name)
    }


def _is_setting(name: str) -> bool:
    return name not in _HOUSEKEEPING and _is_printable(name)


def repeated_in(source: Source, node: Mapping) -> dict[str, tuple[Value, ...]]:
    """Collect the entries of keys that are written several times, but for the last of each."""
    entries: dict[str, list[Entry]] = {}
    for entry in node.entries:
        name = name_of(entry)
        if name is not None and _is_printable(name):
            entries.setdefault(name, []).append(entry)
    return {
        name: tuple(_value(source, Field(entry), shared=False) for entry in written[:-1])
        for name, written in entries.items()
        if len(written) > 1
    }


def _value(source: Source, field: Field, *, shared: bool) -> Value:
    node = field.entry.value
    return Value(_expr(node), node.span, field.entry.key.span, source.slice(node.span), shared=shared)


def _expr(node: Node) -> Expr:
    return expr_of(node.value)


def expr_of(value: Any) -> Expr:
    """Tell what is known of a value; what OmegaConf, a template or the environment fills in is a name or nothing."""
    if isinstance(value, str) and _INTERPOLATION.fullmatch(value):
        return Symbol(value)
    if value == MANDATORY:
        return UNKNOWN
    return Literal(value) if value is not UNKNOWN and _is_plain(value) else UNKNOWN


_NUMBERS_AND_NONE: Final = frozenset({bool, int, float, type(None)})
_TEXTS: Final = frozenset({str})
_LISTS: Final = frozenset({list})


def _is_plain(value: Any) -> bool:
    """Tell whether a value is made of None, numbers, strings, lists and dicts, with nothing to be filled in."""
    stack = [value]
    while stack:
        part = stack.pop()
        if isinstance(part, list):
            if not _NUMBERS_AND_NONE.issuperset(map(type, part)):
                stack += part
        elif isinstance(part, dict):
            # Nothing that is looked for in a string goes over the end of a line, so that many are looked at as one.
            stack += part if not _TEXTS.issuperset(map(type, part)) else ["\n".join(part)]
            if _LISTS.issuperset(map(type, part.values())):
                stack.append([*chain.from_iterable(part.values())])
            else:
                stack += part.values()
        elif isinstance(part, str):
            if FILLED_IN.search(part) or not _is_printable(part):
                return False
        elif part is not None and not isinstance(part, int | float):
            return False
    return True


def _is_printable(text: str) -> bool:
    """Tell whether a string has no lone surrogate, which JSON can spell and no file can hold."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _head(source: Source, place: _Place) -> Span:
    """Give the first line of a mapping: of its brace in JSON, of the key that holds it or its first key in YAML."""
    if place.entry is not None and source.kind is Kind.YAML:
        return line_at(source, place.entry.key.outer.start)
    return line_at(source, place.node.span.start)


def line_at(source: Source, offset: int) -> Span:
    """Give what is written on the line of an offset."""
    line = source.line_span(source.row_of(offset))
    written = source.content[line.start : line.stop]
    return Span(line.start + len(written) - len(written.lstrip()), line.start + len(written.rstrip()))
