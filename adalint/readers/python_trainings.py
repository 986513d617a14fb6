"""Which configuration of a Python file is trained by which of its loops, Trainers and callbacks."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from adalint.embedded import Embedded
from adalint.plan import UNKNOWN_LOOP
from adalint.readers.python_iterations import ALLOCATE
from adalint.readers.python_loops import Found, manual_trainings
from adalint.readers.python_losses import bypassing_uses
from adalint.readers.python_moments import is_in_test
from adalint.readers.python_rounds import length_before, number_of_rounds
from adalint.readers.python_runs import Runs
from adalint.readers.python_things import Things
from adalint.readers.python_trainers import trainer_trainings
from adalint.readers.python_uses import model_uses
from adalint.readers.python_wrapping import configurations_of, number_of
from adalint.site import Site, Surface
from adalint.training import Way
from adalint.values import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adalint.plan import Loop
    from adalint.readers.python_flow import Flow
    from adalint.readers.python_scopes import FileMap
    from adalint.training import Training, Use


def with_trainings(sites: list[Site], nodes: Sequence[ast.expr], flow: Flow) -> list[Site]:
    """Give each configuration its trainings and uses; a training that belongs to none of them is a Site of its own.

    Nothing is told of a file whose allocator is not PEFT's. `nodes` are the constructions of the Sites.
    """
    file_map = flow.map
    if _brings_its_own_allocator(file_map):
        return sites
    things = Things(flow)
    owned: dict[int, list[Found]] = {}
    free: list[Training] = []
    found = _read_trainings(flow, things)
    for one in found:
        number = _owner(one, nodes, flow)
        if number is None:
            free.append(one.training)
        else:
            owned.setdefault(number, []).append(one)
    uses = model_uses(things, nodes, owned)
    if any(one.run_length for site in sites for one in (site, *site.others)):
        runs = Runs(things, nodes, owned, found)
        sites = [_with_own_length(site, runs, number) for number, site in enumerate(sites)]
    paired = [
        _with(_with_length(site, node, owned.get(number, []), flow), owned.get(number, []), uses.get(number, []))
        for number, (site, node) in enumerate(zip(sites, nodes, strict=True))
    ]
    return paired + [_elsewhere(one, file_map) for one in free if _is_pefts(one, sites, file_map)]


def _read_trainings(flow: Flow, things: Things) -> list[Found]:
    bypassing = bypassing_uses(things)
    manual = [
        one if one.wrap is None else replace(one, uses=(*one.uses, *bypassing.get(one.wrap, ())))
        for one in manual_trainings(flow, things)
    ]
    return [_as_asked(one, flow.map) for one in _without_doubles(manual, trainer_trainings(things))]


def _as_asked(one: Found, file_map: FileMap) -> Found:
    """Forget of a training in a test what only makes a run worse: a test trains for another end."""
    if one.node is None or not is_in_test(one.node, file_map):
        return one
    return replace(one, uses=(), training=replace(one.training, fp16=UNKNOWN))


def _without_doubles(manual: list[Found], hooked: list[Found]) -> list[Found]:
    """Join both; a call that a loop of the file makes is the loop's, a lone one in a hook the framework's."""
    looped = {one.training.call.span for one in manual if one.training.call is not None and not _is_lone(one)}
    framed = {one.training.call.span for one in hooked if one.training.call is not None}
    alone = [one for one in manual if not (_is_lone(one) and one.training.at in framed)]
    return alone + [one for one in hooked if one.training.call is None or one.training.call.span not in looped]


def _is_lone(one: Found) -> bool:
    """Tell whether a training is but an allocator call, of which no loop is in sight."""
    return one.training.call is not None and one.training.at == one.training.call.span


def _brings_its_own_allocator(file_map: FileMap) -> bool:
    """Tell whether the file defines the allocator itself (PEFT, another tuner), or imports the original loralib."""
    defines = any(
        isinstance(node, ast.FunctionDef) and node.name in {ALLOCATE, "update_and_mask"} for node in file_map.nodes()
    )
    imports = any(
        (isinstance(node, ast.Import) and any(one.name.partition(".")[0] == "loralib" for one in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "loralib")
        for node in file_map.nodes()
    )
    return defines or imports


def _owner(found: Found, nodes: Sequence[ast.expr], flow: Flow) -> int | None:
    """Find the configuration that a training's model was wrapped with."""
    if found.wrap is not None:
        number = number_of(configurations_of(found.wrap), nodes, flow)
        if number is not None:
            return number
        if _is_known_to_be_another(found.wrap, flow.map):
            return None
    return 0 if found.training.call is not None and len(nodes) == 1 and len(flow.map.wraps) <= 1 else None


def _is_known_to_be_another(wrap: ast.Call, file_map: FileMap) -> bool:
    """Tell whether a model is wrapped with the configuration of another method."""
    for given in configurations_of(wrap):
        made = given
        if isinstance(given, ast.Name):
            binding = file_map.the_binding(given.id, given)
            if binding is None or binding.value is None:
                return False
            made = binding.value
        path = file_map.path_of(made.func) if isinstance(made, ast.Call) else None
        return path is not None and path.startswith("peft.") and "AdaLora" not in path
    return False


def _with_own_length(site: Site, runs: Runs, number: int) -> Site:
    """Forget the length of a run that may train something else."""
    length = site.run_length
    others = tuple(_with_own_length(one, runs, number) for one in site.others)
    if length is not None and runs.is_anothers(length.span, number):
        return replace(site, run_length=None, others=others)
    return replace(site, others=others) if others else site


def _with_length(site: Site, made: ast.expr, found: Sequence[Found], flow: Flow) -> Site:
    """Tell the length of the run by the one loop that trains a configuration, where nothing else tells it."""
    if site.run_length is not None or site.late_total_step or site.others or len(found) != 1:
        return site
    if "total_step" in site.values:
        return replace(site, run_length=number_of_rounds(found[0], flow))
    iteration = found[0].iteration
    return site if iteration is None else replace(site, run_length=length_before(iteration, made, flow))


def _with(site: Site, found: Sequence[Found], used: Sequence[Use]) -> Site:
    uses = (*site.uses, *used, *(use for one in found for use in one.uses))
    if not found:
        others = tuple(replace(other, uses=uses) for other in site.others) if used else site.others
        return replace(site, uses=uses, others=others) if used else site
    trainings = [one.training for one in found]
    # A Trainer whose callback is known runs the callback's loop.
    loops = [one.training.loop if one.sure else UNKNOWN_LOOP for one in found if not _is_led_by_a_hook(one)]
    loop: Loop = loops[0] if loops and all(one == loops[0] for one in loops) else UNKNOWN_LOOP
    others = tuple(replace(other, loop=loop, trainings=tuple(trainings), uses=uses) for other in site.others)
    return replace(site, loop=loop, trainings=tuple(trainings), uses=uses, others=others)


def _is_led_by_a_hook(one: Found) -> bool:
    return one.training.way is Way.TRAINER and one.training.reached is True


def _elsewhere(training: Training, file_map: FileMap) -> Site:
    call = training.call
    place = training.at if call is None else call.span
    return Site(
        file_map.source, Surface.ELSEWHERE, place, place, {}, open=True, loop=training.loop, trainings=(training,)
    )


def _is_pefts(training: Training, sites: Sequence[Site], file_map: FileMap) -> bool:
    """Tell whether an allocator call can only be PEFT's: the file names AdaLoRA, or reaches through `base_model`."""
    if training.call is None:
        return False
    if sites:
        return True
    source = file_map.source
    if training.loaded is not None:
        return True
    if "base_model" in source.slice(training.call.span) or b"adalora" in source.content.lower():
        return True
    return isinstance(source, Embedded) and b"adalora" in source.host.content.lower()
