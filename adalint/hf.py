"""AdaLoRA in a Hugging Face `Trainer`: a callback that calls the allocator when PEFT needs it (extra `hf`).

The class stands on the imports above it alone, and its annotations hold without `__future__`: its text is also what
`adalint fix` writes into scripts, for Python 3.9 and later.
"""

import logging
import warnings
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments


class AdaLoraCallback(TrainerCallback):
    """Call AdaLoRA's allocator after every optimizer step, on a schedule that ends with the run.

    Steps are optimizer steps, counted from 1. `total_step` becomes the length of the run, unless `keep_total_step`;
    `tinit` and `tfinal` become shares of it where ratios are given, and stay as configured where not.
    A step that the fp16 scaler skipped is not scored, because its gradients are infinite. After training, `calls` and
    `skipped` count steps, `nan_scores` tensors, `kept` and `target` ranks over all modules.

    Raises:
        ValueError: when training begins, if there is nothing to allocate or the schedule cannot be run.
    """

    def __init__(
        self,
        keep_total_step: bool = False,
        tinit_ratio: "float | None" = None,
        tfinal_ratio: "float | None" = None,
    ) -> None:
        self.keep_total_step = keep_total_step
        self.tinit_ratio, self.tfinal_ratio = tinit_ratio, tfinal_ratio
        self.calls = self.skipped = self.nan_scores = self.kept = self.target = 0
        self._tuners: list[Any] = []

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Set the schedule, and refuse what PEFT would only fail on later."""
        self.calls = self.skipped = self.nan_scores = self.kept = self.target = 0
        # PEFT's AdaLoraModel alone owns an allocator, however deep PeftModel, DDP or torch.compile wrap it.
        self._tuners = [module for module in kwargs["model"].modules() if "rankallocator" in vars(module)]
        if not self._tuners:
            raise ValueError("no trainable AdaLoRA adapter: wrap the model with get_peft_model and an AdaLoraConfig")
        for tuner in self._tuners:
            allocator, config = tuner.rankallocator, tuner.rankallocator.peft_config
            name = f".lora_E.{allocator.adapter_name}"
            if sum(len(weight) for key, weight in tuner.named_parameters() if key.endswith(name)) != allocator.init_bgt:
                raise ValueError("this AdaLoRA adapter is pruned already: its ranks cannot be allocated again")
            if allocator.target_bgt >= allocator.init_bgt:
                raise ValueError(f"target_r={config.target_r} must be below init_r={config.init_r}")
            if not config.deltaT:
                raise ValueError("deltaT must not be 0: it is the number of steps from one pruning to the next")
            total = config.total_step if self.keep_total_step else state.max_steps
            config.tinit = config.tinit if self.tinit_ratio is None else int(self.tinit_ratio * total)
            config.tfinal = config.tfinal if self.tfinal_ratio is None else int(self.tfinal_ratio * total)
            last = total - config.tfinal
            if not max(config.tinit, state.global_step + 1) < last <= total or last % 1:
                raise ValueError(
                    f"AdaLoRA cannot prune: total_step={total} and tfinal={config.tfinal} make step {last} the "
                    f"last one that prunes, but it must be a whole number above tinit={config.tinit} and "
                    f"above {state.global_step + 1}, the first step of this training, and at most total_step; "
                    "lower tinit or tfinal, or train longer"
                )
            if total != state.max_steps:
                warnings.warn(f"total_step={total}, but the run has {state.max_steps} steps", stacklevel=2)
            config.total_step = total
            # Scores and masks of an earlier run say nothing about this one.
            allocator.reset_ipt()
            config.rank_pattern = None

    def on_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Score and prune; from the last pruning step on, which needs no gradients, on skipped steps too."""
        step = state.global_step + 1  # Trainer raises its counter after this event
        optimizer = kwargs["optimizer"]
        skipped = bool(getattr(optimizer, "step_was_skipped", False))
        if getattr(optimizer, "scaler", None) is not None:
            # A fused optimizer skips inside its kernel and tells nobody: only the gradients show it.
            weights = (weight for group in optimizer.param_groups for weight in group["params"])
            skipped = skipped or any(weight.grad is not None and not weight.grad.isfinite().all() for weight in weights)
        self.skipped += skipped
        called = False
        for tuner in self._tuners:
            allocator, config = tuner.rankallocator, tuner.rankallocator.peft_config
            last = config.total_step - config.tfinal
            if step == last:
                self.nan_scores += self._nan_scores(allocator)
            # Before the last pruning a call needs gradients, from there on scores or masks of earlier steps.
            if (not skipped) if step < last else (allocator.exp_avg_unc or config.rank_pattern):
                tuner.update_and_allocate(step)
                called = True
        self.calls += called

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Report; warn when the budget was not reached or scores were NaN."""
        for tuner in self._tuners:
            allocator, pattern = tuner.rankallocator, tuner.rankallocator.peft_config.rank_pattern
            self.nan_scores += self._nan_scores(allocator)
            self.kept += sum(map(sum, pattern.values())) if pattern else allocator.init_bgt
            self.target += int(allocator.target_bgt)
        report = (
            f"AdaLoRA kept {self.kept} ranks of a budget of {self.target}, after {self.calls} allocator calls in "
            f"{state.global_step} of {state.max_steps} steps; {self.skipped} steps were skipped, "
            f"{self.nan_scores} tensors had NaN scores"
        )
        if self.kept != self.target or self.nan_scores:
            warnings.warn(report, stacklevel=2)
        else:
            logging.getLogger(__name__).info(report)

    @staticmethod
    def _nan_scores(allocator: Any) -> int:
        return sum(not bool(score.isfinite().all()) for score in allocator.exp_avg_unc.values())
