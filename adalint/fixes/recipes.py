"""Turning the recipes of a rule page into fixes for one Site.

A recipe is tried on the Plan before it is placed in the text: a fix that would bring a new mistake, or ranks that
cannot be shown to be valid, is not offered as an edit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from adalint.findings import Effect, Fix, Safety
from adalint.fixes.named_values import name_taken_away, swap_of_definitions
from adalint.fixes.operations import (
    AddCallback,
    Drop,
    Note,
    Operation,
    Remove,
    RemoveEarlier,
    Rename,
    RenameHook,
    Set,
    Swap,
    Unplaceable,
)
from adalint.fixes.place import place
from adalint.plan import assemble
from adalint.rulebook.checks import misspelt
from adalint.rulebook.judge import SiteFacts, fire, new_mistakes
from adalint.rulebook.language import render
from adalint.rulebook.templates import first_known
from adalint.site import Surface
from adalint.source import Kind
from adalint.values import UNKNOWN, Kleene, Literal, Value, compare

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from adalint.plan import Plan
    from adalint.rulebook.judge import Fired
    from adalint.rulebook.language import Condition
    from adalint.rulebook.pages import Recipe, Rule, Rulebook, Step
    from adalint.settings import Settings
    from adalint.site import Site

_USUAL: Final = {"init_r": 12, "target_r": 8, "tinit": 20, "tfinal": 50, "deltaT": 1, "total_step": 300}
"""What a loop is taken to train whose configuration is nowhere to be seen."""


def fixes_of(one: Fired, fired: Sequence[Fired], rulebook: Rulebook, settings: Settings, language: str) -> list[Fix]:
    """Make the fixes of a finding, best first: a declared intent wins over the order of the page."""
    fixes = [
        (recipe, fix) for recipe in one.rule.fixes if (fix := _fix(recipe, one, fired, rulebook, language)) is not None
    ]
    fixes.sort(key=lambda pair: not _is_intended(pair[0], settings))
    return [_with_safety(recipe, fix, one.rule, settings) for recipe, fix in fixes]


def _is_intended(recipe: Recipe, settings: Settings) -> bool:
    return recipe.intent is not None and settings.intent.get(recipe.intent[0]) == recipe.intent[1]


def _with_safety(recipe: Recipe, fix: Fix, rule: Rule, settings: Settings) -> Fix:
    """Decide whether the fix may be applied, and name what would take it when it is not safe."""
    if not fix.edits:
        return replace(fix, safety=Safety.DISPLAY)
    if _is_intended(recipe, settings):
        return replace(fix, safety=Safety.SAFE)
    meant_otherwise = recipe.intent is not None and recipe.intent[0] in settings.intent
    safe = fix.effect is Effect.PRESERVES or (
        fix.effect in {Effect.COMPLETES, Effect.REPAIRS} and not (recipe.chooses_number or recipe.takes_away)
    )
    if (safe and not meant_otherwise) or settings.counts_as_safe(rule.code, rule.name):
        return replace(fix, safety=Safety.SAFE)
    takes = "--unsafe-fixes"
    if recipe.intent is not None:
        takes = f'{recipe.intent[0]} = "{recipe.intent[1]}" under [tool.adalint.intent]'
    return replace(fix, safety=Safety.UNSAFE, takes=takes)


def _fix(recipe: Recipe, one: Fired, fired: Sequence[Fired], rulebook: Rulebook, language: str) -> Fix | None:
    facts = one.facts
    site = facts.site
    if recipe.where and site.where not in recipe.where:
        return None
    if recipe.when is not None and recipe.when.holds(facts) is not True:
        return None
    title = first_known([recipe.title_zh if language == "zh" else recipe.title], facts, facts.written)
    title = site.in_its_words(title)
    shown = Fix(title, recipe.effect, Safety.DISPLAY, before=facts.plan)
    if recipe.effect is Effect.DISPLAY:
        return shown
    operations = list(_operations(recipe.steps, facts))
    reason = _is_needed_elsewhere(site, operations)
    if reason is not None:
        return replace(shown, why=reason)
    changed = _apply(site, operations)
    after = assemble(changed, facts.release)
    valid = _ranks_stay_valid(facts.plan, after, operations)
    if valid is False:
        return None
    if valid is UNKNOWN:
        return replace(shown, why="the ranks that it leaves cannot be shown to be valid for every value")
    renamed = _aliases_renamed(changed, facts.release)
    broken = new_mistakes(fired, fire(renamed, rulebook, facts.release, facts.transformers))
    if broken:
        return replace(shown, why=f"it would lead to {broken[0].rule.code} ({broken[0].rule.name})")
    preserves = recipe.effect is Effect.PRESERVES
    unfolded = any(step.unfolded for step in recipe.steps)
    lost = None if unfolded else name_taken_away(site, changed, operations, preserves=preserves)
    try:
        edits = place(site, operations)
    except Unplaceable as reason:
        return replace(shown, why=str(reason))
    if lost is not None:
        moved = swap_of_definitions(site, operations)
        if moved is None:
            return replace(shown, why=lost)
        edits, can_be_set = moved
        if can_be_set:
            # Who sets one of the two today trains with the other default; that run changes.
            shown = replace(shown, effect=Effect.CHANGES)
    if "loops" in facts.found:
        # The loop is changed, not the configuration, which may stand in another file.
        loop, fixed_loop = facts.found["loops"]
        supposed = _USUAL if site.surface is Surface.ELSEWHERE else {}
        shown = replace(shown, before=replace(facts.plan, loop=loop).assume(supposed))
        after = replace(after, loop=fixed_loop).assume(supposed)
    return replace(shown, edits=edits, after=after)


def _is_needed_elsewhere(site: Site, operations: Sequence[Operation]) -> str | None:
    """Say why a value may not be dropped or moved: evaluating it does more, or the file reads the field again."""
    former = {operation.to: operation.field for operation in operations if isinstance(operation, Rename)}
    for operation in operations:
        match operation:
            case Remove(field=name) | Rename(field=name):
                touched = [name]
            case Set(field=name):
                touched = [former.get(name, name)]
            case Swap(first=first, second=second):
                touched = [first, second]
            case _:
                touched = []
        for name in touched:
            value = site.values.get(name)
            if value is not None and not value.pure and not isinstance(operation, Rename):
                return f"{name} is given by an expression that may do more than give a value"
            if name in site.read_back:
                return f"the file reads {name} of this configuration again"
    return None


def _aliases_renamed(site: Site, release: str) -> Site:
    """Give a site as it will be when its other misspelt fields have their names, too."""
    meant = misspelt(site, release)
    return replace(site, values={meant.get(name, name): value for name, value in site.values.items()})


def _operations(steps: Sequence[Step], facts: SiteFacts) -> Iterator[Operation]:
    for step in steps:
        if step.when is not None and step.when.holds(facts) is False:
            continue
        name = _name(step.field, facts)
        if step.kind == "set" and step.value is not None:
            expr = step.value.evaluate(facts)
            text = (
                _written(step.value, facts, unfolded=step.unfolded)
                if step.text is None
                else first_known([step.text], facts, facts.written)
            )
            yield Set(name, text, expr, after=step.other)
        elif step.kind == "remove":
            yield Remove(name)
        elif step.kind == "remove-earlier":
            yield RemoveEarlier(name)
        elif step.kind == "drop":
            yield Drop(name, tuple(facts.found[str(step.other).removeprefix("found.")]))
        elif step.kind == "rename":
            yield Rename(name, _name(str(step.other), facts))
        elif step.kind == "swap":
            yield Swap(name, str(step.other))
        elif step.kind == "hook":
            yield RenameHook(facts.found["hook"], name, facts.found.get("counter"))
        elif step.kind == "loop":
            yield facts.found[name]
        elif step.kind == "callback":
            yield AddCallback(facts.found["built"])
        elif step.kind == "note" and step.text is not None:
            yield Note(name, facts.site.in_its_words(first_known([step.text], facts, facts.written)))


def _name(handle: str, facts: SiteFacts) -> str:
    """Resolve `found.field` and the like to the name that a check has found."""
    return str(facts.found[handle.removeprefix("found.")]) if handle.startswith("found.") else handle


def _written(value: Condition, facts: SiteFacts, *, unfolded: bool) -> str:
    """Write a value: a number where the user wrote numbers, an expression where they wrote names."""
    expr = value.evaluate(facts)
    if value.text == "site.run_length" and facts.site.run_length is not None:
        return facts.site.run_length.text
    texts = {name: facts.site.values[name].text for name in value.names() if name in facts.site.values}
    in_python = facts.site.source.kind is Kind.PYTHON
    as_number = not in_python or (not unfolded and all(_is_written_as_number(name, facts) for name in texts))
    if isinstance(expr, Literal) and as_number:
        number = expr.value
        return str(int(number)) if isinstance(number, float) and number.is_integer() else repr(number)
    return render(value, texts, fold=not unfolded) if in_python else value.text


def _is_written_as_number(name: str, facts: SiteFacts) -> bool:
    value = facts.site.values[name]
    if not isinstance(value.expr, Literal):
        return False
    try:
        float(value.text.replace("_", ""))
    except ValueError:
        return False
    return True


def _apply(site: Site, operations: Sequence[Operation]) -> Site:
    """Make the operations on what is known of the Site, so that the outcome can be judged before any text changes."""
    values, repeated = dict(site.values), dict(site.repeated)
    for operation in operations:
        match operation:
            case Set(field=name, text=text, expr=expr):
                old = values.get(name)
                values[name] = (
                    Value(expr, site.head, site.head, text)
                    if old is None
                    else replace(old, expr=expr, text=text, given=True)
                )
            case Remove(field=name):
                del values[name]
            case RemoveEarlier(field=name):
                del repeated[name]
            case Drop(field=name, items=items):
                old = values[name]
                if isinstance(old.expr, Literal):
                    kept = [item for item in old.expr.value if item not in items]
                    values[name] = replace(old, expr=Literal(kept))
            case Rename(field=name, to=to):
                values = {to if key == name else key: value for key, value in values.items()}
            case Swap(first=first, second=second):
                values[first], values[second] = values[second], values[first]
    return replace(site, values=values, repeated=repeated)


def _ranks_stay_valid(before: Plan, after: Plan, operations: Sequence[Operation]) -> Kleene:
    """Tell whether `1 <= target_r < init_r` holds afterwards; ranks that the fix does not write are not its affair."""
    if not any(_writes(operation) & {"init_r", "target_r"} for operation in operations):
        return True
    above = compare("<=", Literal(1), after.values["target_r"])
    below = compare("<", after.values["target_r"], after.values["init_r"])
    if above is False or below is False:
        return False
    unchanged = all(before.values[name] == after.values[name] for name in ("init_r", "target_r"))
    return True if unchanged or (above is True and below is True) else UNKNOWN


def _writes(operation: Operation) -> set[str]:
    """Name the fields that an operation gives a value."""
    match operation:
        case Set(field=name):
            return {name}
        case Rename(to=to):
            return {to}
        case Swap(first=first, second=second):
            return {first, second}
    return set()
