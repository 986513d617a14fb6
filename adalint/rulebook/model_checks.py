"""Checks of what a file does to an AdaLoRA model, its adapters and its configuration, besides training it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from adalint.rulebook.hit import Hit
from adalint.training import GuardKind, Use, UseKind, Way
from adalint.values import Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from adalint.rulebook.judge import SiteFacts

WEIGHTED_MERGE_RAISES_SINCE: Final = "0.11"

_THAWS: Final = re.compile(rb"requires_grad(_\(|\s*=[^=])")
"""A file that sets this decides for itself what is trained."""

_KEY: Final = "lora_E"
"""The end of the names under which the allocator keeps its masks."""

_PATHS: Final[Mapping[str, str]] = {
    "q_proj": "layers self_attn",
    "k_proj": "layers self_attn",
    "v_proj": "layers self_attn",
    "query": "encoder layer attention self",
    "value": "encoder layer attention self",
    "c_attn": "attn",
    "query_key_value": "attention",
    "SelfAttention": "block layer",
}
"""What else stands in the path of a module of this name, in all models of transformers that have it."""

_HEADED: Final = frozenset({"CAUSAL_LM", "SEQ_2_SEQ_LM"})
"""Tasks whose models hold the decoder under `model`, where they have `q_proj` at all."""


_WITHOUT_ITS_METHODS: Final = frozenset({"DistributedDataParallel", "DDP", "DataParallel"})
"""Wrappers that do not hand methods on to the model inside; FullyShardedDataParallel does."""


def config_object_reused(facts: SiteFacts) -> Iterator[Hit]:
    """Find a wrap with an object into which an earlier training has written its `rank_pattern`."""
    if _is_trainable(facts):
        yield from _hits(facts, UseKind.CONFIG_REUSED)


def adapter_without_peft_model(facts: SiteFacts) -> Iterator[Hit]:
    """Find a configuration that goes into a model without what trains it: the PeftModel is not made, or dropped."""
    if _is_trainable(facts):
        yield from _hits(facts, UseKind.PLAIN_ADD_ADAPTER)
        yield from _hits(facts, UseKind.DISCARDED_WRAP)


def allocate_on_wrapped_model(facts: SiteFacts) -> Iterator[Hit]:
    """Find a call on a model that is wrapped for several devices, and has no such method."""
    for training in facts.site.trainings:
        call = training.call
        if call is None or call.wrapped not in _WITHOUT_ITS_METHODS or call.swallowed is not None:
            continue
        if not any(guard.kind is GuardKind.OTHER for guard in call.guards):  # `hasattr(model, …)` asks for it
            yield Hit((), {"wrapper": call.wrapped, "owner": call.owner}, (call.span,))


def adapter_applied_twice(facts: SiteFacts) -> Iterator[Hit]:
    """Find `add_adapter` on a model that is handed to `get_peft_model` afterwards."""
    yield from _hits(facts, UseKind.APPLIED_TWICE)


def several_trainable_adapters(facts: SiteFacts) -> Iterator[Hit]:
    """Find a second adapter that is to be trained on one model."""
    if _is_trainable(facts):
        yield from _hits(facts, UseKind.SECOND_ADAPTER)


def clashing_adapter_name(facts: SiteFacts) -> Iterator[Hit]:
    """Find an adapter name that PEFT, which looks for names in names, finds where it does not stand."""
    if not _is_trainable(facts):
        return
    paths = [_KEY, *_parts_of_paths(facts)]
    for use in _uses(facts, UseKind.ADAPTER_NAME):
        name = use.found["adapter_name"]
        if "lora_" in name:
            yield Hit((), {"name": name, "prefix": "lora_"}, (use.span,))
        elif name and (inside := next((path for path in paths if name in path), None)):
            yield Hit((), {"name": name, "inside": inside}, (use.span,))


def _parts_of_paths(facts: SiteFacts) -> Iterator[str]:
    """Give what is sure to stand in the paths of the adapted modules, by the modules that are named."""
    targets, task = facts.value("target_modules"), facts.value("task_type")
    written = targets.value if isinstance(targets, Literal) and isinstance(targets.value, list) else []
    for module in (one for one in written if isinstance(one, str)):
        yield module
        yield from _PATHS.get(module, "").split()
        if module.endswith("_proj") and isinstance(task, Literal) and task.value in _HEADED:
            yield "model"


def rank_read_from_constant(facts: SiteFacts) -> Iterator[Hit]:
    """Find ranks that are told after training from what training does not change."""
    yield from _hits(facts, UseKind.RANK_READ)


def weighted_merge_unsupported(facts: SiteFacts) -> Iterator[Hit]:
    """Find `add_weighted_adapter`, which AdaLoRA has not."""
    if facts.release_is(">=", WEIGHTED_MERGE_RAISES_SINCE):
        yield from _hits(facts, UseKind.WEIGHTED_MERGE)


def finished_adapter_continued(facts: SiteFacts) -> Iterator[Hit]:
    """Find the allocator at work on an adapter that was loaded to be trained on."""
    if b"rank_pattern" in facts.site.source.content:
        return  # somebody looks at how far the adapter is
    calls = {one.call.span: one for one in facts.site.trainings if one.call is not None and one.loaded is not None}
    for span, training in calls.items():
        if training.loaded is not None:
            yield Hit((), {}, (span, training.loaded))


def setting_changed_after_wrapping(facts: SiteFacts) -> Iterator[Hit]:
    """Find a field that is assigned when the allocator has copied it already."""
    yield from _hits(facts, UseKind.SETTING_CHANGED)


def half_precision_adapter(facts: SiteFacts) -> Iterator[Hit]:
    """Find adapters whose tensors are of float16, in which the scores underflow."""
    yield from _hits(facts, UseKind.HALF_PRECISION)


def labels_on_inference_adapter(facts: SiteFacts) -> Iterator[Hit]:
    """Find an adapter loaded for inference that is asked for a loss, to which PEFT adds a penalty it cannot find."""
    if facts.value("task_type") != Literal(None):
        yield from _hits(facts, UseKind.LABELS_ON_INFERENCE)


def trained_in_inference_mode(facts: SiteFacts) -> Iterator[Hit]:
    """Find a configuration for inference whose model is trained."""
    is_frozen = facts.value("inference_mode") == Literal(True) and facts.given("inference_mode") is True
    if not is_frozen or _THAWS.search(facts.site.source.content):
        return
    # Another part of the model may be trained beside a frozen adapter, but not with its allocator.
    if any(one.reached is True or one.way is Way.TRAINER for one in facts.site.trainings):
        yield Hit(("inference_mode",), {})


def _hits(facts: SiteFacts, kind: UseKind) -> Iterator[Hit]:
    for use in _uses(facts, kind):
        yield Hit((), use.found, (use.span,))


def _uses(facts: SiteFacts, kind: UseKind) -> Iterator[Use]:
    yield from (use for use in facts.site.uses if use.kind is kind)


def _is_trainable(facts: SiteFacts) -> bool:
    """Tell whether the adapter is sure not to be frozen for inference."""
    return facts.value("inference_mode") == Literal(False)
