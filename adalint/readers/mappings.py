"""Finding the mappings of JSON and YAML that configure AdaLoRA, and reading them as Sites.

Bare names prove nothing (`target_r` is common in physics, `deltaT` in trading): a mapping must say that it means
AdaLoRA, must be in force, and must not be a record or a search space. When in doubt it is no Site.
"""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from adalint.readers.json_reader import read_json
from adalint.readers.tree import Alias, Entry, Field, Mapping, Node, Scalar, Sequence, Tree, content, name_of
from adalint.readers.yaml_reader import read_yaml
from adalint.schema import FIELDS
from adalint.site import RUN_LENGTH_NAMES, Site, Surface
from adalint.source import Kind, Span
from adalint.values import UNKNOWN, Expr, Literal, Symbol, Value, is_number

if TYPE_CHECKING:
    from collections import abc

    from adalint.readers.tree import Content
    from adalint.source import Source

OWN_FIELDS: Final = frozenset(name for name, field in FIELDS.items() if field.facts.own) - {
    "beta1",
    "beta2",
    "rank_pattern",
}
"""Names that only AdaLoRA has; optimizers have betas, and LoRA a rank pattern."""

LORA_FIELDS: Final = frozenset(FIELDS) - OWN_FIELDS
NUMBERS: Final = frozenset(name for name, field in FIELDS.items() if field.numeric)

_HOUSEKEEPING: Final = frozenset(
    {"_target_", "_convert_", "_partial_", "_recursive_", "_args_", "class_path", "init_args", "dict_kwargs"}
)
CLASS: Final = re.compile(r"peft\.(?:\w+\.)*AdaLoraConfig")

METHODS: Final = frozenset(
    [
        "lora",
        "qlora",
        "dora",
        "rslora",
        "lorafa",
        "loraplus",
        "pissa",
        "olora",
        "adalora",
        "ia3",
        "loha",
        "lokr",
        "oft",
        "boft",
        "vera",
        "vblora",
        "fourierft",
        "hra",
        "xlora",
        "poly",
        "ln",
        "lntuning",
        "prefix",
        "prefixtuning",
        "prompt",
        "prompttuning",
        "ptuning",
        "multitaskprompttuning",
        "adaptionprompt",
        "llamaadapter",
        "adapter",
        "bitfit",
        "bone",
        "miss",
        "c3a",
        "shira",
        "randlora",
        "trainabletokens",
        "galore",
        "lisa",
        "reft",
        "loreft",
        "qalora",
        "lora+",
    ]
)
WHOLE_MODEL: Final = frozenset({"full", "fullfinetuning", "fullft", "freeze", "frozen", "none", "linearprobe"})
DISCRIMINATOR: Final = re.compile(
    r"(?:type|kind|method|mode|strategy|variant|algorithm|approach|technique|adapter|peft|tuner|selected|name|use)"
    r"|(?:\w*_)?(?:method|tuner|variant)(?:_name)?"
    r"|(?:\w*_)?(?:peft|adapter|lora|tune|tuner|tuning|finetune|finetuning|train|training|ft|sft)"
    r"_(?:type|method|mode|name|strategy)",
    re.IGNORECASE,
)
ON: Final = re.compile(
    r"enabled?|active|is_active|is_enabled|use|with_lora"
    r"|(?:use|enable|with|apply)_(?:adalora|peft)|(?:adalora|peft)_enabled?",
    re.IGNORECASE,
)
OFF: Final = re.compile(r"disabled?|inactive|skip|is_disabled", re.IGNORECASE)
_FALSE_TEXTS: Final = frozenset({"false", "no", "off", "0", "none", ""})

RECORD_KEYS: Final = frozenset(
    [
        "_wandb",
        "wandb_version",
        "run_info",
        "train_info",
        "meta_info",
        "log_history",
        "best_params",
        "best_trial",
        "best_value",
        "best_config",
        "best_hyperparameters",
        "best_model_checkpoint",
        "trial_id",
        "trial_number",
        "datetime_complete",
    ]
)
RECORD_PARENTS: Final = re.compile(
    r"best|best_\w+|trials?|results?|history|search|\w*search_space|\w*param_space|space|sweeps?|grid\w*|\w*_grid|"
    r"hyperparameter_search|hparam_search|tune_config|run_info|records?|leaderboard|properties|completed",
    re.IGNORECASE,
)
MEASURED: Final = re.compile(
    r"(?:(?:train|eval|val|valid|validation|test|dev|best|final|mean|avg)_)?"
    r"(?:loss|acc|accuracy|f1|bleu|rouge\w*|perplexity|ppl|auc|mcc|exact_match|em|runtime|score|samples_per_second)"
    r"|(?:train|training|total|wall|elapsed|run)_(?:time|seconds|runtime)\w*"
    r"|elapsed|duration_\w+|\w*peak_memory\w*|\w*max_memory\w*",
    re.IGNORECASE,
)
MEASUREMENTS: Final = re.compile(r"(?:\w+_)?(?:metrics|results?|scores?)", re.IGNORECASE)
_RECORD_FILE: Final = re.compile(
    r"(?:.*[_-])?(?:results?|metrics|leaderboard|trainer_state|wandb-summary)", re.IGNORECASE
)
FINISHED: Final = frozenset({"completed", "complete", "finished", "success", "succeeded", "done", "failed", "pruned"})
_LABEL: Final = re.compile(r"(?!(?:none|null|nan|inf)$)[^\W\d_][^${}%<>]*", re.IGNORECASE)
_BASES: Final = frozenset({"defaults", "_base_", "_BASE_", "__base__", "base_config", "extends", "inherit", "inherits"})

MANDATORY: Final = "???"
"""What OmegaConf wants to be given elsewhere, on the command line say."""

_INTERPOLATION: Final = re.compile(r"\$\{[\w.\[\]-]+\}")
FILLED_IN: Final = re.compile(r"\$\{|\{\{|\{%|\$\(|%\(\w+\)s")


@functools.lru_cache(maxsize=4)
def read_tree(source: Source) -> Tree:
    """Read a JSON or YAML text.

    Raises:
        ReadError: it is not what its kind says.
    """
    return read_json(source) if source.kind is Kind.JSON else read_yaml(source)


def read_sites(source: Source) -> list[Site]:
    """Find the AdaLoRA configurations of a JSON or YAML text, in the order of the text.

    Raises:
        ReadError: the text names AdaLoRA but is not what its kind says; a `TemplateError` when it is a template.
    """
    if b"adalora" not in source.content.lower():
        return []
    tree = read_tree(source)
    name = source.name
    if name == "adapter_config.json" and source.kind is Kind.JSON:
        root = tree.documents[0]
        return [_adapter_config(source, root)] if isinstance(root, Mapping) and _names_adalora(root) else []
    if _RECORD_FILE.fullmatch(PurePath(name).stem):
        return []
    templates = tree.templates()
    found = [site for document in tree.documents for site in _walk(source, tree, document, templates)]
    return sorted(found, key=lambda site: site.span)


def _names_adalora(root: Mapping) -> bool:
    written = _text(root, "peft_type")
    return written is not None and written.upper() == "ADALORA"


def _adapter_config(source: Source, root: Mapping) -> Site:
    saved = _known(root, "inference_mode") is True
    values = _values(source, Tree((root,)), root)
    return Site(
        source,
        Surface.ADAPTER_CONFIG,
        root.span,
        _line(source, root.span.start),
        values,
        saved=saved,
        wrapped=not saved,
        repeated=_repeated(source, root),
    )


def read_without_places(source: Source) -> Site | None:
    """Read an `adapter_config.json` in a tenth of the time, without saying where in it anything stands.

    None where the text is another file, is not JSON, writes a key twice, or does not name AdaLoRA.
    """
    if source.name != "adapter_config.json" or source.kind is not Kind.JSON:
        return None
    doubled: list[bool] = []

    def paired(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            doubled.append(True)
        return found

    try:
        root = json.loads(source.content, object_pairs_hook=paired)
    except (ValueError, RecursionError):
        return None
    kind = root.get("peft_type") if isinstance(root, dict) else None
    if doubled or not isinstance(kind, str) or kind.upper() != "ADALORA":
        return None
    nowhere = Span(0, 0)
    values = {
        name: Value(_expr_of(value), nowhere, nowhere, "")
        for name, value in root.items()
        if name not in _HOUSEKEEPING and _is_printable(name)
    }
    saved = root.get("inference_mode") is True
    return Site(source, Surface.ADAPTER_CONFIG, nowhere, nowhere, values, saved=saved, wrapped=not saved)


@dataclass(frozen=True, slots=True)
class _Place:
    """A node on the way down: the entry that holds it, which method is chosen around it, and how long the run is."""

    node: Node
    entry: Entry | None = None
    method: str | None = None
    run_length: Value | None = None

    @property
    def is_block(self) -> bool:
        """Tell whether it stands under an `adalora` key."""
        return self.entry is not None and (name_of(self.entry) or "").lower() == "adalora"


def _walk(source: Source, tree: Tree, document: Node, templates: frozenset[Content]) -> abc.Iterator[Site]:
    """Go down what counts: merged entries as their mappings see them, no templates, records or disabled parts."""
    based = isinstance(document, Mapping) and any(isinstance(_known(document, name), str | list) for name in _BASES)
    stack = [_Place(document, run_length=_run_length(document, None))]
    seen: set[tuple[Node, str | None, bool]] = set()
    sites: set[Node] = set()
    while stack:
        place = stack.pop()
        node = content(place.node)
        if node is None or (node, place.method, place.is_block) in seen:
            continue
        seen.add((node, place.method, place.is_block))
        if isinstance(node, Sequence):
            items = [item for item in node.items if isinstance(item, Alias) or item not in templates]
            lengths = [_run_length(item, place.run_length) for item in items]
            stack.extend(
                _Place(item, None, place.method, length)
                for item, length in reversed(list(zip(items, lengths, strict=True)))
            )
        elif isinstance(node, Mapping) and not _is_record(node) and not _is_off(node):
            site = _site(source, tree, node, place) if node not in sites else None
            if site is not None:
                sites.add(node)
                yield replace(site, open=site.open or based, run_length=place.run_length)
            method = _chosen(node) or place.method
            if method == "whole model":
                continue
            for name, field in reversed(list(node.fields.items())):
                value = field.entry.value
                own_template = field.own and not isinstance(value, Alias) and value in templates
                if own_template or (isinstance(name, str) and RECORD_PARENTS.fullmatch(name)):
                    continue
                stack.append(_Place(value, field.entry, method, place.run_length))


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
            for name in RUN_LENGTH_NAMES & _names(node):
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
    if CLASS.fullmatch(_text(node, "_target_") or ""):
        surface = Surface.TARGET
    elif CLASS.fullmatch(_text(node, "class_path") or ""):
        surface = Surface.CLASS_PATH
        field = node.fields.get("init_args")
        inner = content(field.entry.value) if field else None
        if field is not None and isinstance(inner, Mapping):
            fields, holder = inner, _Place(field.entry.value, field.entry)
        elif field is not None:
            return None
    elif _text(node, "peft_type") == "ADALORA":
        surface = Surface.PEFT_TYPE if _is_configuration(node) else None
    elif place.is_block:
        surface = Surface.BLOCK if _is_block(node) else None
    if surface in {Surface.BLOCK, Surface.PEFT_TYPE} and _is_description(fields):
        return None
    if surface is None or _is_search_space(fields) or _chosen(node) not in {None, "adalora"}:
        return None
    aliased = isinstance(holder.node, Alias)
    span = holder.node.span
    open_ = fields.open or _known(node, "_partial_") is True or "_args_" in node.fields or "dict_kwargs" in node.fields
    values = _values(source, tree, fields, shared=aliased)
    return Site(
        source,
        surface,
        span,
        _head(source, holder),
        values,
        open=open_,
        # The user's own code may still add what a mapping for `get_peft_config` leaves out.
        wrapped=surface in {Surface.TARGET, Surface.CLASS_PATH}
        or (surface is Surface.PEFT_TYPE and "task_type" in values),
        repeated=_repeated(source, fields),
    )


def _is_configuration(node: Mapping) -> bool:
    """Tell whether a mapping with `peft_type: ADALORA` holds PEFT's fields itself, not in a block or under a prefix."""
    names = _names(node)
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
    names = _names(node)
    if any(name.lower().startswith("adalora_") for name in names):
        return False
    lora = names & LORA_FIELDS
    return bool(names & OWN_FIELDS) or len(lora) > 1 or (bool(lora) and lora == names)


def _is_search_space(node: Mapping) -> bool:
    """Tell whether numbers are given as ranges: `{min: 4, max: 16}`, `[8, 12]`, `choice(8, 12)`."""
    for name in NUMBERS & _names(node):
        value = content(node.fields[name].entry.value)
        if isinstance(value, Mapping | Sequence):
            return True
        if isinstance(value, Scalar) and isinstance(value.value, str) and re.match(r"[\w.]+\(.*,", value.value):
            return True
    return False


def _is_description(node: Mapping) -> bool:
    """Tell whether the numbers are words throughout: labels of a form, a list of types, a translation."""
    values = [node.fields[name].entry.value.value for name in NUMBERS & _names(node)]
    return bool(values) and all(isinstance(value, str) and _LABEL.fullmatch(value) is not None for value in values)


def _is_record(node: Mapping) -> bool:
    """Tell whether a mapping tells what a run gave: measured numbers, or names that only logs have."""
    if RECORD_KEYS & _names(node):
        return True
    for name, field in node.fields.items():
        if not isinstance(name, str):
            continue
        value = content(field.entry.value)
        if isinstance(value, Scalar) and isinstance(value.value, float) and MEASURED.fullmatch(name):
            return True
        if name in {"status", "state"} and isinstance(value, Scalar) and str(value.value).lower() in FINISHED:
            return True
        if MEASUREMENTS.fullmatch(name) and _holds_numbers(value):
            return True
    search = _text(node, "method")
    return search in {"bayes", "grid", "random"} and "parameters" in node.fields


def _holds_numbers(node: Node | None) -> bool:
    if isinstance(node, Mapping):
        return any(is_number(field.entry.value.value) for field in node.fields.values())
    if isinstance(node, Sequence):
        return any(is_number(item.value) or isinstance(content(item), Mapping) for item in node.items)
    return False


def _is_off(node: Mapping) -> bool:
    """Tell whether a switch in the mapping turns it off, or may do so."""
    for name, field in node.fields.items():
        if not isinstance(name, str):
            continue
        off = OFF.fullmatch(name)
        if off is None and ON.fullmatch(name) is None:
            continue
        value = field.entry.value.value
        if value is UNKNOWN or (isinstance(value, str) and FILLED_IN.search(value)):
            return True
        if isinstance(value, str):
            value = value.lower() not in _FALSE_TEXTS
        if isinstance(value, int | float) and bool(value) is (off is not None):
            return True
    return False


def _chosen(node: Mapping) -> str | None:
    """Name the tuning method that a mapping's own discriminators choose: `adalora`, `other`, `whole model`, or None."""
    chosen: set[str] = set()
    for name, field in node.fields.items():
        value = field.entry.value.value
        if not isinstance(name, str) or not DISCRIMINATOR.fullmatch(name):
            continue
        if value is UNKNOWN and isinstance(content(field.entry.value), Scalar):
            chosen.add("other")
        if not isinstance(value, str):
            continue
        word = re.sub(r"[\s_-]", "", value).lower()
        if FILLED_IN.search(value) and name.lower() != "name":
            chosen.add("other")
        elif "adalora" in word:
            chosen.add("adalora")
        elif word in METHODS:
            chosen.add("other")
        elif word in WHOLE_MODEL:
            chosen.add("whole model")
    for method in ("whole model", "other", "adalora"):
        if method in chosen:
            return method
    return None


def _names(node: Mapping) -> frozenset[str]:
    return frozenset(name for name in node.fields if isinstance(name, str))


def _known(node: Mapping, name: str) -> Any:
    field = node.fields.get(name)
    return None if field is None else field.entry.value.value


def _text(node: Mapping, name: str) -> str | None:
    value = _known(node, name)
    return value if isinstance(value, str) else None


def _values(source: Source, tree: Tree, node: Mapping, *, shared: bool = False) -> dict[str, Value]:
    return {
        name: _value(source, field, shared=shared or not field.own or tree.shares(field.entry.value.outer))
        for name, field in node.fields.items()
        if isinstance(name, str) and name not in _HOUSEKEEPING and _is_printable(name)
    }


def _repeated(source: Source, node: Mapping) -> dict[str, tuple[Value, ...]]:
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
    return _expr_of(node.value)


def _expr_of(value: Any) -> Expr:
    """Tell what is known of a value; what OmegaConf, a template or the environment fills in is a name or nothing."""
    if isinstance(value, str) and _INTERPOLATION.fullmatch(value):
        return Symbol(value)
    if value == MANDATORY:
        return UNKNOWN
    return Literal(value) if value is not UNKNOWN and _is_plain(value) else UNKNOWN


_NUMBERS_AND_NONE: Final = frozenset({bool, int, float, type(None)})


def _is_plain(value: Any) -> bool:
    """Tell whether a value is made of None, numbers, strings, lists and dicts, with nothing to be filled in."""
    stack = [value]
    while stack:
        part = stack.pop()
        if isinstance(part, list):
            if not _NUMBERS_AND_NONE.issuperset(map(type, part)):
                stack += part
        elif isinstance(part, dict):
            stack += part.keys()
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
        return _line(source, place.entry.key.outer.start)
    return _line(source, place.node.span.start)


def _line(source: Source, offset: int) -> Span:
    line = source.line_span(source.row_of(offset))
    written = source.content[line.start : line.stop]
    return Span(line.start + len(written) - len(written.lstrip()), line.start + len(written.rstrip()))
