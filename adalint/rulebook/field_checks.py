"""Checks of single fields and their values: what they know of a field, they ask the schema."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from adalint.findings import Severity
from adalint.rulebook.hit import Hit
from adalint.schema import FIELDS, Prediction, Stage, embeddings_in, fields_of, predict
from adalint.schema.distance import edit_distance
from adalint.site import Surface
from adalint.source import Kind
from adalint.values import Literal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from adalint.dialects.framework import Raised
    from adalint.rulebook.judge import SiteFacts
    from adalint.schema import Failure
    from adalint.site import Site
    from adalint.values import Expr, Value

LONGEST_QUOTE: Final = 40
LARGEST: Final = 10**15
"""A whole number beyond this is no schedule that anybody would want spelled out."""

RUN: Final = {"total_step": 100}
"""An ordinary configuration, in which a value that no schedule can be made of is tried alone."""


def _refused(facts: SiteFacts, fields: Collection[str], exceptions: Collection[str]) -> Iterator[tuple[str, Failure]]:
    """Give the certain failures of these fields, where they are written and raise one of these classes."""
    for name, failure in facts.failing:
        if name in fields and failure.exception in exceptions and name in facts.site.values:
            yield name, failure


def _found(facts: SiteFacts, name: str, failure: Failure | Prediction | Raised, **more: Any) -> dict[str, Any]:
    return {
        "field": name,
        "value": _quoted(facts.site.values[name]),
        "stage": str(failure.stage),
        "exception": failure.exception,
        **more,
    }


def _quoted(value: Value) -> str:
    text = " ".join(value.text.split())
    return text if len(text) <= LONGEST_QUOTE else f"{text[: LONGEST_QUOTE - 1]}…"


def beta_out_of_range(facts: SiteFacts) -> Iterator[Hit]:
    """Find a decay that the allocator refuses."""
    for name, failure in _refused(facts, ("beta1", "beta2"), {"AssertionError"}):
        yield Hit((name,), _found(facts, name, failure))


def orth_weight_out_of_range(facts: SiteFacts) -> Iterator[Hit]:
    """Find a weight of the orthogonal penalty that the target release refuses, or the framework in its own training."""
    refused = list(_refused(facts, ("orth_reg_weight",), {"ValueError", "AssertionError"}))
    for name, failure in refused:
        zero = {"zero": name} if facts.value(name) == Literal(0) else {}
        yield Hit((name,), _found(facts, name, failure, **zero))
    framework = facts.site.framework
    if framework is not None and not refused:
        for raised in framework.raised:
            if raised.field == "orth_reg_weight":
                yield Hit((raised.field,), _found(facts, raised.field, raised, own=framework.title))


def unsupported_option(facts: SiteFacts) -> Iterator[Hit]:
    """Find options of LoRA that make AdaLoRA raise."""
    for name, failure in _refused(facts, ("target_parameters", "alora_invocation_tokens"), {"TypeError"}):
        yield Hit((name,), _found(facts, name, failure))


def loftq_unsupported(facts: SiteFacts) -> Iterator[Hit]:
    """Find LoftQ where the target release refuses it: by its name from 0.14 on, by its configuration before."""
    names = ("init_lora_weights", "loftq_config")
    for name, failure in _refused(facts, names, {"ValueError"}):
        others = [other for other in names if other != name and other in facts.site.values]
        yield Hit((name, *others), _found(facts, name, failure))


def layer_selection_conflict(facts: SiteFacts) -> Iterator[Hit]:
    """Find options that cannot stand together: layers without their list or with a pattern, a bias on another start."""
    partners = {
        "layers_pattern": "layers_to_transform",
        "layers_to_transform": "layers_pattern",
        "lora_bias": "init_lora_weights",
    }
    said: set[str] = set()
    for name, failure in _refused(facts, partners, {"ValueError"}):
        if failure.stage is not Stage.CONSTRUCTION:
            continue
        kind, other = "alone", partners[name]
        if name == "lora_bias":
            kind = "bias"
        elif _is(facts.value("target_modules"), str):
            kind, other = "pattern", "target_modules"
        if kind in said or (kind == "bias" and _is(facts.value(other), bool)):
            # A bias beside a start that it can stand with is refused because of DoRA, which has a rule of its own.
            continue
        said.add(kind)
        at = (name, other) if other in facts.site.values else (name,)
        yield Hit(at, _found(facts, name, failure, **{kind: name}))


def _is(expr: Expr, kind: type) -> bool:
    return isinstance(expr, Literal) and isinstance(expr.value, kind)


def unsupported_target_module(facts: SiteFacts) -> Iterator[Hit]:
    """Find embeddings in a list of `target_modules`."""
    for name, failure in _refused(facts, ("target_modules",), {"ValueError", "AttributeError"}):
        given = {field: facts.value(field) for field in (name, "exclude_modules", "modules_to_save")}
        known = {field: expr.value for field, expr in given.items() if isinstance(expr, Literal)}
        embeddings = embeddings_in(known) if len(known) == len(given) else []
        if not embeddings:
            continue
        found = _found(facts, name, failure, names=", ".join(dict.fromkeys(embeddings)))
        if len(embeddings) < len(known[name]):
            found["items"] = tuple(embeddings)
        yield Hit((name,), found)


# Words of a closed list


def invalid_task_type(facts: SiteFacts) -> Iterator[Hit]:
    """Find a task type that PEFT does not know, as a string or as a member of its enumeration."""
    value = facts.site.values.get("task_type")
    if value is None or value.given is not True or not isinstance(value.expr, Literal):
        return
    word = value.expr.value
    if word is None or word in FIELDS["task_type"].choices:
        return
    if value.text.endswith(f".{word}"):
        # Python itself refuses a member that is not there, whatever the release of PEFT.
        found = {"field": "task_type", "value": _quoted(value), "stage": "construction", "exception": "AttributeError"}
        yield Hit(("task_type",), found | {"member": word} | _meant("task_type", value))
        return
    for name, failure in _refused(facts, ("task_type",), {"ValueError"}):
        yield Hit((name,), _found(facts, name, failure, **_meant(name, value)))


def invalid_bias(facts: SiteFacts) -> Iterator[Hit]:
    """Find a `bias` that PEFT refuses."""
    for name, failure in _refused(facts, ("bias",), {"NotImplementedError", "AttributeError"}):
        yield Hit((name,), _found(facts, name, failure, **_meant(name, facts.site.values[name])))


def _meant(name: str, value: Value) -> dict[str, str]:
    """Find the one word of a closed list that is meant, and how the user's own text would write it."""
    word = value.expr.value if isinstance(value.expr, Literal) else None
    if not isinstance(word, str):
        return {}
    choices = [str(choice) for choice in FIELDS[name].choices]
    near = {choice: edit_distance(_plain(word), _plain(choice), 2) for choice in choices}
    limit = min(2, len(word) // 3)
    closest = [choice for choice in choices if near[choice] == min(near.values()) <= limit]
    if len(closest) != 1:
        return {}
    found = {"meant": closest[0]}
    if value.text.count(word) == 1:
        found["text"] = value.text.replace(word, closest[0])
    return found


def _plain(word: str) -> str:
    return re.sub(r"[\s_-]+", "_", word.strip().upper())


# Numbers


def wrong_value_type(facts: SiteFacts) -> Iterator[Hit]:
    """Find text, nothing, NaN, infinity and the like where PEFT needs a number, and raises."""
    for name, value, failure in _no_numbers(facts):
        if _is_number_elsewhere(facts.site, value):
            continue
        number = value.expr.value if isinstance(value.expr, Literal) else None
        kind = "words" if isinstance(number, str) else "missing" if number is None else "other"
        if isinstance(number, float):
            kind = "fraction" if math.isfinite(number) else "endless"
        found = _found(facts, name, failure, **{kind: name})
        if isinstance(number, str):
            found |= _unquoted(name, number, value)
        yield Hit((name,), found)
    for name, value in _endless(facts):
        found = {"field": name, "value": _quoted(value), "stage": "silent", "nonsense": name}
        yield Hit((name,), found, severity=Severity.WARNING)


def _endless(facts: SiteFacts) -> Iterator[tuple[str, Value]]:
    """Give the values that are NaN or infinite and that PEFT takes all the same."""
    for name, value in facts.site.values.items():
        if facts.site.saved or name not in fields_of(facts.release) or not FIELDS[name].numeric:
            continue
        written = value.expr.value if isinstance(value.expr, Literal) else None
        if isinstance(written, float) and not math.isfinite(written):
            alone = predict({**RUN, name: written}, facts.release)
            if alone is None:
                yield name, value


def yaml_number_is_text(facts: SiteFacts) -> Iterator[Hit]:
    """Find octal numbers and exponents that YAML 1.1 reads as text, where nothing shows a loader that reads them."""
    for name, value, failure in _no_numbers(facts):
        octal = _OCTAL.fullmatch(value.text) is not None
        if not _is_number_elsewhere(facts.site, value) or (not octal and _reads_exponents(facts.site)):
            continue
        number = Decimal(int(value.text, 8) if octal else value.text.replace("_", ""))
        found = _found(facts, name, failure)
        if FIELDS[name].kinds == {"int"}:
            if number == number.to_integral_value() and abs(number) <= LARGEST:
                found |= {"meant": int(number), "text": str(int(number))}
        elif math.isfinite(float(number)):
            found |= {"meant": float(number), "text": str(int(number)) if octal else _for_yaml(value.text)}
        yield Hit((name,), found)


def _reads_exponents(site: Site) -> bool:
    """Tell whether OmegaConf or jsonargparse may read a text, which resolve exponents themselves."""
    from adalint.readers.yaml_loaders import may_read_exponents

    return site.surface in {Surface.TARGET, Surface.CLASS_PATH} or may_read_exponents(site.source)


def _no_numbers(facts: SiteFacts) -> Iterator[tuple[str, Value, Failure | Prediction]]:
    """Give the written values that are no numbers PEFT could use, with what it does about each.

    A number that is only out of range is another rule's affair, and so is None where a field may be None. In a block
    that the user's own code reads, a word (`auto`) is that code's affair.
    """
    free = facts.site.surface in {Surface.PEFT_TYPE, Surface.BLOCK}
    for name, value in facts.site.values.items():
        if name not in fields_of(facts.release) or not FIELDS[name].numeric or value.given is not True:
            continue
        if not isinstance(value.expr, Literal):
            continue
        written = value.expr.value
        if (written is None and FIELDS[name].nullable) or (free and _is_word(written) and written not in _NOTHING):
            continue
        if facts.site.surface is Surface.CLASS_PATH and isinstance(written, str) and not _is_word(written):
            continue
        failure = next(_refused(facts, (name,), {"TypeError"}), None)
        if failure is not None:
            yield name, value, failure[1]
        elif isinstance(written, float) and not math.isfinite(written) and not facts.site.saved:
            alone = predict({**RUN, name: written}, facts.release)
            if isinstance(alone, Prediction) and alone.stage in {Stage.FIRST_MASK, Stage.STEP}:
                yield name, value, alone


_NOTHING: Final = frozenset({"None", "none"})
"""Words that every YAML loader reads as text, and nobody means as one."""

_NUMBER: Final = re.compile(r"[-+]?(\d[\d_]*\.?[\d_]*|\.\d[\d_]*)([eE][-+]?\d+)?|[-+]?0o[0-7]+")
_EXPONENT: Final = re.compile(r"[-+]?(\d[\d_]*\.?[\d_]*|\.\d[\d_]*)[eE][-+]?\d{1,3}")
_OCTAL: Final = re.compile(r"[-+]?0o[0-7]{1,17}")
"""An octal number of YAML 1.2; YAML 1.1 writes 010."""

_CANONICAL: Final = re.compile(r"-?(0|[1-9]\d{0,15})(\.\d{1,17})?")


def _is_word(written: object) -> bool:
    return isinstance(written, str) and _NUMBER.fullmatch(written.strip()) is None


def _is_number_elsewhere(site: Site, value: Value) -> bool:
    """Tell whether a value is a plain scalar of YAML, read as text, that is a number to YAML 1.2."""
    is_text = isinstance(value.expr, Literal) and isinstance(value.expr.value, str) and value.expr.value == value.text
    return (
        site.source.kind is Kind.YAML
        and is_text
        and (_EXPONENT.fullmatch(value.text) is not None or _OCTAL.fullmatch(value.text) is not None)
    )


def _for_yaml(text: str) -> str:
    """Write a number so that YAML 1.1 and 1.2 read it: a point in the mantissa and a sign in the exponent."""
    mantissa, exponent = re.split("[eE]", text.replace("_", ""))
    if mantissa.lstrip("+-").startswith("."):
        mantissa = mantissa.replace(".", "0.")
    if "." not in mantissa:
        mantissa += ".0"
    elif mantissa.endswith("."):
        mantissa += "0"
    return f"{mantissa.lstrip('+')}e{exponent if exponent[0] in '+-' else f'+{exponent}'}"


def _unquoted(name: str, text: str, value: Value) -> dict[str, Any]:
    """Give the number that a quoted text is, exactly; a whole number where the field wants one."""
    if value.text.strip("\"'") != text or value.text == text or _CANONICAL.fullmatch(text) is None:
        return {}
    if FIELDS[name].kinds == {"int"} and "." in text:
        return {}
    return {"meant": float(text) if "." in text else int(text), "text": text}


def duplicate_key(facts: SiteFacts) -> Iterator[Hit]:
    """Find keys that one mapping writes several times; the last counts, so the earlier ones are pointed at."""
    for name, earlier in facts.site.repeated.items():
        last = facts.site.values.get(name)
        spans = [value.key_span for value in earlier]
        if last is not None:
            spans.append(last.key_span)
        yield Hit((name,), {"field": name, "times": len(earlier) + 1}, spans=tuple(spans))
