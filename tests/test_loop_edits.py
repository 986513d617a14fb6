"""Fixes on training loops: the call of the allocator put in, moved, or freed, and nothing else touched."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adalint.engine import check_source, fix_source
from adalint.findings import Safety
from adalint.settings import Settings
from adalint.source import Kind, Source

HEAD = """\
from peft import AdaLoraConfig, get_peft_model


def train(model, loader, optimizer, epochs, scheduler):
    config = AdaLoraConfig(init_r=12, target_r=8, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    model = get_peft_model(model, config)
    step = 0
    for epoch in range(epochs):
        for batch in loader:
"""
FORWARD = "model(**batch).loss.backward()"
STEP = "optimizer.step()"
ZERO = "optimizer.zero_grad()"
CALL = "model.update_and_allocate(step)"
RAISE = "step += 1"


def script(*lines: str, indent: str = "    ", newline: str = "\n") -> str:
    text = HEAD + "".join(f"{' ' * 12}{line}\n" for line in lines)
    return text.replace("    ", indent).replace("\n", newline)


def source_of(text: str) -> Source:
    return Source.decode("train.py", Kind.PYTHON, text.encode())


def fixed(text: str) -> str:
    return fix_source(source_of(text), Settings(), Safety.UNSAFE).after.text


def codes(text: str) -> list[str]:
    return [finding.code for finding in check_source(source_of(text), Settings()).findings]


BROKEN = {
    "ADA401": (
        (FORWARD, STEP, ZERO, RAISE),
        (FORWARD, STEP, CALL, ZERO, RAISE),
    ),
    "ADA402": (
        (FORWARD, STEP, ZERO, "# prune", f"{CALL}  # here", RAISE),
        (FORWARD, STEP, "# prune", f"{CALL}  # here", ZERO, RAISE),
    ),
    "ADA403": (
        (CALL, ZERO, FORWARD, STEP, RAISE),
        (ZERO, FORWARD, STEP, CALL, RAISE),
    ),
    "ADA404": (
        (FORWARD, CALL, STEP, "scheduler.step()", ZERO, RAISE),
        (FORWARD, STEP, CALL, "scheduler.step()", ZERO, RAISE),
    ),
    "ADA406": (
        (FORWARD, STEP, "if config.rank_pattern is not None:", f"    {CALL}", ZERO, RAISE),
        (FORWARD, STEP, CALL, ZERO, RAISE),
    ),
    "ADA407": (
        (FORWARD, STEP, "if step % 10 == 0:", "    print(step)", f"    {CALL}", ZERO, RAISE),
        (FORWARD, STEP, "if step % 10 == 0:", "    print(step)", CALL, ZERO, RAISE),
    ),
}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("indent", ["    ", "  ", "\t"])
@pytest.mark.parametrize("code", list(BROKEN))
def test_a_loop_is_mended_in_its_own_layout(code, indent, newline):
    before, after = BROKEN[code]
    assert codes(script(*before, indent=indent, newline=newline)) == [code]
    assert fixed(script(*before, indent=indent, newline=newline)) == script(*after, indent=indent, newline=newline)


def test_a_call_that_the_last_iteration_has_cleared_the_gradients_for_comes_after_zero_grad():
    assert codes(script(CALL, FORWARD, STEP, ZERO, RAISE)) == ["ADA402"]


def test_a_call_moved_over_its_counter_is_given_the_same_number():
    text = script(FORWARD, STEP, RAISE, ZERO, CALL)
    assert fixed(text) == script(FORWARD, STEP, "model.update_and_allocate(step + 1)", RAISE, ZERO)


@pytest.mark.parametrize(
    "lines",
    [
        (FORWARD, STEP, f"{ZERO}; {CALL}", RAISE),
        (FORWARD, f"{STEP}; {ZERO}", CALL, RAISE),
        (FORWARD, STEP, ZERO, "model = model.train()", CALL, RAISE),
        (FORWARD, STEP, "if config.rank_pattern is not None:", f"    {CALL}", "else:", "    print(1)", ZERO, RAISE),
        (FORWARD, STEP, "if config.rank_pattern is not None:  # why", f"    {CALL}", ZERO, RAISE),
        (FORWARD, f"{STEP}; print(1)", ZERO, RAISE),
    ],
)
def test_what_cannot_be_placed_exactly_is_left_alone(lines):
    text = script(*lines)
    assert codes(text) != []
    assert fixed(text) == text


@pytest.mark.parametrize(
    "lines",
    [
        (FORWARD, STEP, CALL, ZERO, RAISE),
        (ZERO, FORWARD, STEP, CALL, RAISE),
        (FORWARD, STEP, "if hasattr(model, 'update_and_allocate'):", f"    {CALL}", ZERO, RAISE),
        (FORWARD, "clip(model)", STEP, "scheduler.step()", CALL, ZERO, RAISE),
        (FORWARD, STEP, CALL, "if step % 10 == 0:", "    print(step)", ZERO, RAISE),
        (FORWARD, STEP, CALL, "if epoch:", f"    {ZERO}", "else:", f"    {ZERO}", RAISE),
    ],
)
def test_a_right_loop_is_silent(lines):
    assert codes(script(*lines)) == []


def test_a_test_that_trains_is_not_asked_to_prune():
    text = script(FORWARD, STEP, ZERO, RAISE)
    assert codes(text) == ["ADA401"]
    assert codes(text.replace("def train(", "def test_training(")) == []


NO_COUNTER = HEAD.replace("    step = 0\n", "")
ACCELERATED = """\
from accelerate import Accelerator
from peft import AdaLoraConfig, get_peft_model


def main(model, loader, optimizer, epochs):
    accelerator = Accelerator(gradient_accumulation_steps=4)
    config = AdaLoraConfig(init_r=12, target_r=8, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    model = get_peft_model(model, config)
    model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
    for epoch in range(epochs):
        for batch in loader:
            with accelerator.accumulate(model):
                accelerator.backward(model(**batch).loss)
                optimizer.step()
                optimizer.zero_grad()
"""


def without_counter(*lines: str, head: str = NO_COUNTER) -> str:
    return head + "".join(f"{' ' * 12}{line}\n" for line in lines)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("indent", ["    ", "\t"])
def test_a_loop_without_a_counter_gets_one_above_the_outermost_loop(indent, newline):
    before = without_counter(FORWARD, STEP, ZERO).replace("    for epoch", "    # train\n    for epoch")
    call = "model.update_and_allocate(global_step)"
    after = without_counter(FORWARD, STEP, call, "global_step += 1", ZERO)
    after = after.replace("    for epoch", "    global_step = 0\n    # train\n    for epoch")

    def written(text):
        return text.replace("    ", indent).replace("\n", newline)

    assert codes(written(before)) == ["ADA401"]
    assert fixed(written(before)) == written(after)
    assert codes(written(after)) == []


def test_a_name_that_the_file_has_is_not_taken():
    text = without_counter(FORWARD, STEP, "log(global_step)", ZERO)
    assert "model.update_and_allocate(adalora_step)\n            adalora_step += 1\n" in fixed(text)


def test_where_accelerate_accumulates_the_call_waits_for_the_boundary():
    inserted = """\
                optimizer.step()
                if accelerator.sync_gradients:
                    accelerator.unwrap_model(model).update_and_allocate(global_step)
                    global_step += 1
                optimizer.zero_grad()
"""
    after = ACCELERATED.replace("                optimizer.step()\n                optimizer.zero_grad()\n", inserted)
    after = after.replace("    for epoch", "    global_step = 0\n    for epoch")
    assert fixed(ACCELERATED) == after
    assert codes(after) == []


@pytest.mark.parametrize(
    "text",
    [
        # one epoch of a run that another file makes
        NO_COUNTER.replace("    for epoch in range(epochs):\n        for batch", "    for batch").replace(
            "epochs, ", ""
        )
        + f"        {FORWARD}\n        {STEP}\n        {ZERO}\n",
        # a run for each of two calls
        without_counter(FORWARD, STEP, ZERO) + "\n\ntrain(*first)\ntrain(*second)\n",
        # one epoch of the caller's
        without_counter(FORWARD, STEP, ZERO) + "\n\nfor round in range(3):\n    train(*first)\n",
    ],
)
def test_a_counter_that_would_start_anew_is_not_made(text):
    assert codes(text) == ["ADA401"]
    assert fixed(text) == text


OTHERS = ("print(step)", "# a comment, ü", "scheduler.step()", "x = 1", "if epoch:\n                print(epoch)", "")


@given(
    st.sampled_from(list(BROKEN)),
    st.lists(st.tuples(st.integers(0, 8), st.sampled_from(OTHERS)), max_size=4),
    st.sampled_from(["\n", "\r\n"]),
)
def test_other_lines_stay_and_fixing_twice_changes_nothing(code, added, newline):
    lines = list(BROKEN[code][0])
    for at, line in added:
        if not lines[min(at, len(lines) - 1)].startswith("    ") and at < len(lines):
            lines.insert(at, line)
    text = script(*lines, newline=newline)
    once = fixed(text)
    ast.parse(once)
    assert fixed(once) == once
    kept = [line.strip() for line in text.splitlines() if "rank_pattern" not in line and "% 10" not in line]
    left = [line.strip() for line in once.splitlines() if "% 10" not in line and "rank_pattern" not in line]
    gone = [line for line in kept if left.count(line) < kept.count(line)]
    assert gone == [] or (gone == [CALL] and "model.update_and_allocate(step + 1)" in left)
    assert once == text or codes(once) == [] or code not in codes(once)
    assert ("\r\n" in once) == (newline == "\r\n")
