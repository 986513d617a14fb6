"""What is known of every field of AdaLoRA's configuration, and what PEFT does with it in each release.

The model in `adalint.schema.model` says everything once; this is how to ask it.
"""

from __future__ import annotations

from functools import lru_cache
from types import MappingProxyType, NoneType, UnionType
from typing import TYPE_CHECKING, Any, Final, Literal, Union, get_args, get_origin

from adalint.releases import NEWEST, in_range
from adalint.schema.distance import edit_distance
from adalint.schema.embeddings import embeddings_in
from adalint.schema.facts import Bounds, Facts, Failure, FieldFacts, Stage, Undecided, Use
from adalint.schema.model import AdaLoraSettings, IgnoredRankWarning
from adalint.schema.prediction import UNDECIDABLE, Prediction, certain_failures, predict
from adalint.values import UNKNOWN, Kleene, Symbol, operate
from adalint.values import Literal as Known

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pydantic.fields import FieldInfo

    from adalint.values import Expr

__all__ = [
    "ALIASES",
    "FIELDS",
    "TOLERANT",
    "UNDECIDABLE",
    "AdaLoraSettings",
    "Bounds",
    "Facts",
    "Failure",
    "FieldFacts",
    "IgnoredRankWarning",
    "Prediction",
    "Stage",
    "Undecided",
    "Use",
    "asks_for_nothing",
    "certain_failures",
    "closest_field",
    "defaults",
    "derived",
    "effective",
    "embeddings_in",
    "failures",
    "fields_of",
    "is_ignored",
    "is_sub_configuration",
    "meanings",
    "predict",
    "use_of",
]


TOLERANT: Final = ">=0.14"
"""From here on PEFT ignores keys of an `adapter_config.json` that it does not know; below they raise TypeError."""


def _field_facts(name: str, info: FieldInfo) -> FieldFacts:
    facts = next(item for item in info.metadata if isinstance(item, Facts))
    kinds: set[str] = set()
    choices: list[Any] = []
    for member in _members(info.annotation):
        if get_origin(member) is Literal:
            choices += get_args(member)
            kinds |= {type(choice).__name__ for choice in get_args(member)}
        else:
            kinds.add((get_origin(member) or member).__name__)
    nullable = NoneType.__name__ in kinds
    # A set is what PEFT itself makes of a list; no text has one.
    kinds -= {NoneType.__name__, "set", "tuple"}
    default = info.get_default(call_default_factory=True)
    return FieldFacts(name, frozenset(kinds), nullable, tuple(choices), default, facts)


def _members(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)


FIELDS: Final[Mapping[str, FieldFacts]] = MappingProxyType(
    {name: _field_facts(name, info) for name, info in AdaLoraSettings.model_fields.items()}
)
"""Every field of the newest release, AdaLoRA's own first."""

ALIASES: Final[Mapping[str, str | None]] = MappingProxyType(
    {alias: name for name, field in FIELDS.items() for alias in field.facts.aliases}
    # LoRA's rank under other names: init_r or target_r, nobody can tell.
    | dict.fromkeys(("rank", "lora_r", "lora_rank"))
)
"""Names that people write, and the field that they mean; None when that cannot be told."""


def defaults() -> dict[str, Any]:
    """Give the default of every field in the newest release."""
    return {name: field.default for name, field in FIELDS.items()}


@lru_cache(maxsize=64)
def fields_of(release: str = NEWEST) -> frozenset[str]:
    """Name the fields that a release has; PEFT never took one away."""
    return frozenset(name for name, field in FIELDS.items() if in_range(release, f">={field.facts.since}"))


def use_of(field: str, release: str = NEWEST) -> Use | None:
    """Tell what a release does with a field; None when it has no such field."""
    if field not in fields_of(release):
        return None
    return next(use for peft, use in FIELDS[field].facts.uses if in_range(release, peft))


@lru_cache(maxsize=64)
def failures(release: str = NEWEST) -> tuple[tuple[str, Failure], ...]:
    """List the ways in which a release raises, with the field to blame, in the order in which they would show."""
    found = [
        (name, failure)
        for name in fields_of(release)
        for failure in FIELDS[name].facts.failures
        if in_range(release, failure.peft)
    ]
    stages = tuple(Stage)
    names = tuple(FIELDS)
    return tuple(sorted(found, key=lambda item: (stages.index(item[1].stage), item[1].order, names.index(item[0]))))


def effective(
    values: Mapping[str, Expr], given: Mapping[str, Kleene] | None = None, release: str = NEWEST
) -> dict[str, Expr]:
    """Fill in PEFT's defaults: what is written, else the default, else UNKNOWN when nobody knows whether it is written.

    `given` tells for each field whether it is written; without it, what is in `values` is. Names that are no field of
    the release are left out.
    """
    filled: dict[str, Expr] = {}
    for name in FIELDS:
        if name not in fields_of(release):
            continue
        default = Known(FIELDS[name].default)
        written = name in values if given is None else given.get(name, False)
        expr = values.get(name, UNKNOWN)
        if written is False:
            filled[name] = default
        elif written is True or expr == default:
            filled[name] = expr
        else:
            filled[name] = UNKNOWN
    return filled


def derived(values: Mapping[str, Expr]) -> dict[str, Expr]:
    """Compute from effective values what training uses.

    `scale` is lora_alpha / init_r, or 1 when lora_alpha is not positive (PEFT's `update_layer`); `window_end` is
    total_step - tfinal, where the forced mask comes; `window` is the number of steps in which the budget falls.
    """
    end = operate("-", values.get("total_step", UNKNOWN), values.get("tfinal", UNKNOWN))
    return {
        "scale": _scale(values.get("lora_alpha", UNKNOWN), values.get("init_r", UNKNOWN)),
        "window_end": end,
        "window": operate("-", end, values.get("tinit", UNKNOWN)),
    }


def _scale(alpha: Expr, rank: Expr) -> Expr:
    if not isinstance(alpha, Known):
        return UNKNOWN
    if isinstance(alpha.value, int | float) and alpha.value <= 0:
        return Known(1.0)
    return operate("/", alpha, rank)


def meanings(name: str) -> tuple[str, ...]:
    """Name the fields that an unknown name may stand for."""
    if name in ALIASES:
        known = ALIASES[name]
        return ("init_r", "target_r") if known is None else (known,)
    closest = closest_field(name)
    return () if closest is None else (closest,)


def closest_field(name: str, release: str = NEWEST, given: Collection[str] = ()) -> str | None:
    """Find the field that an unknown name means: a known alias, else the one close match that would help.

    A match is close within two edits (Damerau-Levenshtein), and within a third of the name's length: `r` is near
    nothing. It must be the only nearest one, honoured by PEFT and not given already. A name that is itself a word of
    several fields (`init`, `target`) could mean any of them.
    """
    meant = _meant_by(name, release)
    return None if meant in given else meant


@lru_cache(maxsize=16_384)
def _meant_by(name: str, release: str) -> str | None:
    fields = fields_of(release)
    if name in ALIASES:
        known = ALIASES[name]
        return known if known in fields else None
    if name in fields or sum(name in field.split("_") for field in fields) > 1:
        return None
    limit = min(2, len(name) // 3)
    near = [
        (distance, field)
        for field in _helpful(release)
        if abs(len(field) - len(name)) <= limit
        and (distance := edit_distance(name, field, limit)) <= limit
        and not _is_another_word(name, field)
    ]
    nearest = [field for distance, field in near if distance == min(near)[0]]
    return nearest[0] if len(nearest) == 1 else None


@lru_cache(maxsize=64)
def _helpful(release: str) -> tuple[str, ...]:
    """Name the fields that it helps to write."""
    return tuple(field for field in fields_of(release) if use_of(field, release) in (Use.HONOURED, Use.METADATA))


def _is_another_word(name: str, field: str) -> bool:
    """Tell whether a short name differs by a letter, not by a missing or swapped one: `bits` is not `bias`."""
    return len(name) < 5 and len(name) == len(field) and sorted(name) != sorted(field)


def is_ignored(field: str, expr: Expr, release: str = NEWEST, values: Mapping[str, Expr] | None = None) -> Kleene:
    """Tell whether a written option does nothing although it asks for something: it is not its default, nor empty.

    For the general rule: `r`, and options that mean nothing without another one, have False. `values` are the other
    written values; a `loftq_config` needs `init_lora_weights` to be judged. UNKNOWN when the value is.
    """
    if field not in fields_of(release):
        return False
    facts = FIELDS[field].facts
    if facts.ignored_when is not None:
        return facts.ignored_when(expr.value) if isinstance(expr, Known) else UNKNOWN
    if facts.judged_elsewhere or use_of(field, release) is not Use.IGNORED:
        return False
    asks = _asks(FIELDS[field], expr)
    if field == "loftq_config" and asks is not False:
        if not in_range(release, ">=0.14"):
            return False
        method = (values or {}).get("init_lora_weights", Known(FIELDS["init_lora_weights"].default))
        if not isinstance(method, Known):
            return UNKNOWN
        return asks if method.value != "loftq" else False
    return asks


def _asks(field: FieldFacts, expr: Expr) -> Kleene:
    if isinstance(expr, Known):
        return bool(expr.value) and expr.value != field.default
    if is_sub_configuration(field.name, expr) and isinstance(expr, Symbol):
        # `LoraRuntimeConfig()` is the default itself.
        return field.name != "runtime_config" or not expr.text.replace(" ", "").endswith("()")
    return UNKNOWN


def asks_for_nothing(name: str, expr: Expr) -> bool:
    """Tell whether an entry of an `adapter_config.json` has its default, or a value that is nothing.

    Releases that do not know such an entry lose nothing by it.
    """
    if not isinstance(expr, Known):
        return False
    if name == "peft_version" or (name in FIELDS and expr.value == FIELDS[name].default):
        return True
    return any(expr.value is one for one in (None, False, "", 0)) or expr.value in ([], {})


def is_sub_configuration(field: str, expr: Expr) -> bool:
    """Tell whether a value is made by the class of PEFT that the field is for: `LoftQConfig(loftq_bits=4)`."""
    made_by = FIELDS[field].facts.config_class
    return made_by is not None and isinstance(expr, Symbol) and expr.text.split("(")[0].split(".")[-1] == made_by
