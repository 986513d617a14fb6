"""Checks that a condition cannot say, because they look at every written name of a Site."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from adalint.readers.mapping_signs import DISCRIMINATOR
from adalint.releases import in_range, is_known
from adalint.rulebook.adapter_checks import (
    adapter_emptied,
    budget_not_reached,
    malformed_rank_pattern,
    not_servable,
    rank_zero_on_old_peft,
    saved_without_allocation,
    weights_disagree,
)
from adalint.rulebook.field_checks import (
    beta_out_of_range,
    duplicate_key,
    invalid_bias,
    invalid_task_type,
    layer_selection_conflict,
    loftq_unsupported,
    orth_weight_out_of_range,
    unsupported_option,
    unsupported_target_module,
    wrong_value_type,
    yaml_number_is_text,
)
from adalint.rulebook.framework_checks import (
    dropped_option,
    framework_never_allocates,
    framework_without_adalora,
    removed_flag,
    renamed_option,
)
from adalint.rulebook.hit import Hit
from adalint.rulebook.length_checks import total_step_counts_micro_batches, total_step_counts_samples
from adalint.rulebook.loop_checks import (
    allocate_after_zero_grad,
    allocate_before_backward,
    allocate_before_optimizer_step,
    allocate_error_swallowed,
    allocate_guarded_by_its_result,
    allocate_not_every_step,
    allocate_per_micro_batch,
    allocator_never_called,
    final_cut_never_reached,
    gradients_filled_with_zeros,
    overflow_poisons_scores,
    step_counter_restarts,
)
from adalint.rulebook.model_checks import (
    adapter_applied_twice,
    adapter_without_peft_model,
    allocate_on_wrapped_model,
    clashing_adapter_name,
    config_object_reused,
    finished_adapter_continued,
    half_precision_adapter,
    labels_on_inference_adapter,
    rank_read_from_constant,
    setting_changed_after_wrapping,
    several_trainable_adapters,
    trained_in_inference_mode,
    weighted_merge_unsupported,
)
from adalint.rulebook.schedule_checks import (
    delta_t_outruns_budgeting,
    hand_written_rank_pattern,
    tfinal_read_as_end_step,
)
from adalint.rulebook.trainer_checks import (
    best_checkpoint_may_not_load,
    hook_needs_newer_transformers,
    orth_penalty_bypassed,
    orth_penalty_multiplied,
    resume_after_pruning,
    wrong_callback_hook,
)
from adalint.schema import ALIASES, FIELDS, TOLERANT, asks_for_nothing, closest_field, fields_of, is_ignored
from adalint.site import Surface

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from adalint.rulebook.judge import SiteFacts
    from adalint.site import Site


def misspelt(site: Site, release: str) -> dict[str, str]:
    """Give the field that each unknown name means, where it is not given and no other name means it too."""
    known = fields_of(release)
    strangers = [name for name in site.values if name not in known and name not in site.accepts]
    meant = {name: field for name in strangers if (field := closest_field(name, release, site.values))}
    times = Counter(meant.values())
    return {name: field for name, field in meant.items() if times[field] == 1}


def unknown_field(facts: SiteFacts) -> Iterator[Hit]:
    """Find names that are no field of the target release."""
    site = facts.site
    known = fields_of(facts.release)
    meant = misspelt(site, facts.release)
    free = site.saved or site.surface in {Surface.PEFT_TYPE, Surface.BLOCK}
    if site.surface is Surface.BLOCK and any(_is_a_readers(name, meant) for name in site.values):
        return  # the constructor would refuse it, so that code of the user's own reads the block, key by key
    # What a newer release has written and asks for nothing, this one drops with a warning.
    drops = site.surface is Surface.ADAPTER_CONFIG and in_range(facts.release, TOLERANT)
    for name, value in site.values.items():
        if name in known or name in site.accepts or (drops and name in FIELDS and asks_for_nothing(name, value.expr)):
            continue
        suggestion = meant.get(name)
        if free and not (name in ALIASES or (suggestion is not None and FIELDS[suggestion].facts.own)):
            continue
        if not is_known(facts.release) and name not in ALIASES:
            continue
        found = {"field": name}
        if target := ALIASES.get(name) or suggestion:
            found["meant"] = target
        if suggestion is not None:
            found["suggestion"] = suggestion
        if name in FIELDS:
            found["since"] = FIELDS[name].facts.since
        if name == "delta_r":
            found["rank_step"] = name
        if name in ALIASES and ALIASES[name] is None:
            found["rank"] = name
        yield Hit((name,), found)


def _is_a_readers(name: str, meant: Mapping[str, str]) -> bool:
    """Tell whether a key is for a reader of the block: no field, no slip for one, and no choice of the method."""
    is_field = name in FIELDS or name in ALIASES or name in meant
    return not is_field and DISCRIMINATOR.fullmatch(name) is None


def ignored_field(facts: SiteFacts) -> Iterator[Hit]:
    """Find LoRA options that AdaLoRA ignores, at a value that is not their default."""
    written = {name: value.expr for name, value in facts.site.values.items()}
    for name, expr in written.items():
        if name in FIELDS and is_ignored(name, expr, facts.release, written) is True:
            yield Hit((name,), {"field": name})


def found_by_the_engine(_: SiteFacts) -> Iterator[Hit]:
    """Find nothing: what cannot be read has no Site, and is reported where it is read."""
    yield from ()


CHECKS: Final[Mapping[str, Callable[[SiteFacts], Iterator[Hit]]]] = {
    "adapter_applied_twice": adapter_applied_twice,
    "adapter_emptied": adapter_emptied,
    "adapter_without_peft_model": adapter_without_peft_model,
    "allocate_after_zero_grad": allocate_after_zero_grad,
    "allocate_before_backward": allocate_before_backward,
    "allocate_before_optimizer_step": allocate_before_optimizer_step,
    "allocate_error_swallowed": allocate_error_swallowed,
    "allocate_guarded_by_its_result": allocate_guarded_by_its_result,
    "allocate_not_every_step": allocate_not_every_step,
    "allocate_on_wrapped_model": allocate_on_wrapped_model,
    "allocate_per_micro_batch": allocate_per_micro_batch,
    "allocator_never_called": allocator_never_called,
    "best_checkpoint_may_not_load": best_checkpoint_may_not_load,
    "beta_out_of_range": beta_out_of_range,
    "budget_not_reached": budget_not_reached,
    "clashing_adapter_name": clashing_adapter_name,
    "config_object_reused": config_object_reused,
    "delta_t_outruns_budgeting": delta_t_outruns_budgeting,
    "dropped_option": dropped_option,
    "duplicate_key": duplicate_key,
    "final_cut_never_reached": final_cut_never_reached,
    "finished_adapter_continued": finished_adapter_continued,
    "framework_never_allocates": framework_never_allocates,
    "framework_without_adalora": framework_without_adalora,
    "gradients_filled_with_zeros": gradients_filled_with_zeros,
    "half_precision_adapter": half_precision_adapter,
    "hand_written_rank_pattern": hand_written_rank_pattern,
    "hook_needs_newer_transformers": hook_needs_newer_transformers,
    "ignored_field": ignored_field,
    "invalid_bias": invalid_bias,
    "invalid_task_type": invalid_task_type,
    "labels_on_inference_adapter": labels_on_inference_adapter,
    "layer_selection_conflict": layer_selection_conflict,
    "loftq_unsupported": loftq_unsupported,
    "malformed_rank_pattern": malformed_rank_pattern,
    "not_servable": not_servable,
    "orth_penalty_bypassed": orth_penalty_bypassed,
    "orth_penalty_multiplied": orth_penalty_multiplied,
    "orth_weight_out_of_range": orth_weight_out_of_range,
    "overflow_poisons_scores": overflow_poisons_scores,
    "rank_read_from_constant": rank_read_from_constant,
    "rank_zero_on_old_peft": rank_zero_on_old_peft,
    "removed_flag": removed_flag,
    "renamed_option": renamed_option,
    "resume_after_pruning": resume_after_pruning,
    "saved_without_allocation": saved_without_allocation,
    "setting_changed_after_wrapping": setting_changed_after_wrapping,
    "several_trainable_adapters": several_trainable_adapters,
    "step_counter_restarts": step_counter_restarts,
    "tfinal_read_as_end_step": tfinal_read_as_end_step,
    "total_step_counts_micro_batches": total_step_counts_micro_batches,
    "total_step_counts_samples": total_step_counts_samples,
    "trained_in_inference_mode": trained_in_inference_mode,
    "unknown_field": unknown_field,
    "unknown_suppression": found_by_the_engine,
    "unparsable_file": found_by_the_engine,
    "unreadable_file": found_by_the_engine,
    "unsupported_option": unsupported_option,
    "unsupported_target_module": unsupported_target_module,
    "unused_suppression": found_by_the_engine,
    "weighted_merge_unsupported": weighted_merge_unsupported,
    "weights_disagree": weights_disagree,
    "wrong_callback_hook": wrong_callback_hook,
    "wrong_value_type": wrong_value_type,
    "yaml_number_is_text": yaml_number_is_text,
}
