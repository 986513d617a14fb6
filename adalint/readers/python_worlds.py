"""Ways through a program: one *world* takes one arm of every test.

Fields that are assigned together stay together, because a test is answered the same way wherever it stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Result = TypeVar("Result")

MAX_WORLDS: Final = 24


class World:
    """One way through the program: for each test that was met, which arm is taken.

    A world is made by running: where a test has not been decided, the first way is taken and remembered, and
    `next_world` gives the following one. With `blind`, every undecided test is unknown.
    """

    def __init__(self, path: Sequence[tuple[Any, tuple[int, ...], int]] = (), *, blind: bool = False) -> None:
        self.path = list(path)
        self.blind = blind
        self._chosen = {key: options[index] for key, options, index in self.path}
        self._forced: dict[Any, int] = {}

    def force(self, key: Any, arm: int) -> None:
        """Decide a test beforehand: the use stands within that arm."""
        self._forced[key] = arm

    def choose(self, key: Any, options: Sequence[int]) -> int | None:
        """Take an arm; None when the world is blind."""
        if len(options) == 1:
            return options[0]
        for decided in (self._forced, self._chosen):
            if key in decided:
                return decided[key] if decided[key] in options else None
        if self.blind:
            return None
        self.path.append((key, tuple(options), 0))
        self._chosen[key] = options[0]
        return options[0]

    def next_world(self) -> World | None:
        """Give the world after this one; None when all have been seen."""
        path = list(self.path)
        while path:
            key, options, index = path.pop()
            if index + 1 < len(options):
                return World([*path, (key, options, index + 1)])
        return None


def in_every_world(run: Callable[[World], Result]) -> list[Result]:
    """Run in every world; when there are too many, once where every undecided test is unknown."""
    results: list[Result] = []
    world: World | None = World()
    while world is not None:
        if len(results) >= MAX_WORLDS:
            return [run(World(blind=True))]
        results.append(run(world))
        world = world.next_world()
    return results
