"""What a script reads from a file beside it: the YAML or JSON that it loads by a literal path.

A file that names AdaLoRA itself is judged where it stands, so it tells nothing here.
"""

from __future__ import annotations

import ast
import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from adalint.readers.errors import ReadError
from adalint.readers.mappings import expr_of, read_tree
from adalint.readers.python_shapes import last_name
from adalint.source import Source, SourceError, kind_of
from adalint.values import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.readers.python_flow import Flow
    from adalint.values import Expr

LOADERS: Final = frozenset({"yaml.safe_load", "yaml.load", "yaml.full_load", "json.load", "omegaconf.OmegaConf.load"})
LARGEST: Final = 1_000_000
_UPWARD: Final = 4
"""So many folders, from the script's own up, may be the one that it is run in."""


class Loaded(ast.Dict):
    """A mapping from a file, in the place of the call that loads it; `data` is what it holds."""

    data: dict[str, Any]

    def exprs(self) -> dict[str, Expr]:
        """Give what is known of each value."""
        return {name: expr_of(value) for name, value in self.data.items() if isinstance(name, str)}

    def node_of(self, name: str) -> ast.expr:
        """Give an expression for a value: a mapping of this kind, else a constant that is not looked into."""
        value = self.data[name]
        return _in_place_of(self, value) if isinstance(value, dict) else ast.copy_location(ast.Constant(...), self)


def loaded(flow: Flow, call: ast.Call) -> Loaded | None:
    """Read the mapping that a call loads from a file of a literal path; None where nothing is known of it."""
    path = flow.map.path_of(call.func)
    if path not in LOADERS or not call.args:
        return None
    name = _path_of(flow, call.args[0]) if path != "omegaconf.OmegaConf.load" else _text(flow, call.args[0])
    data = None if name is None else _data(flow.map.source.path, name)
    return _in_place_of(call, data) if isinstance(data, dict) else None


def _in_place_of(node: ast.expr, data: dict[str, Any]) -> Loaded:
    made = ast.copy_location(Loaded([], []), node)
    made.data = data
    return made


def _path_of(flow: Flow, stream: ast.expr) -> str | None:
    """Find the path of an open file: `open("x")`, a name that a `with` gives it, `Path("x").open()`."""
    match stream:
        case ast.Name(id=name):
            binding = flow.map.the_binding(name, stream)
            node = None if binding is None else binding.node
            if isinstance(node, ast.With):
                for item in node.items:
                    if isinstance(item.optional_vars, ast.Name) and item.optional_vars.id == name:
                        return _path_of(flow, item.context_expr)
            target = flow.target(stream)
            return None if target is None or isinstance(target, ast.Name) else _path_of(flow, target)
        case ast.Call(func=ast.Name(id="open"), args=[path, *_]):
            return _text(flow, path)
        case ast.Call(func=ast.Attribute(value=ast.Call(func=made, args=[path]), attr="open" | "read_text")):
            return _text(flow, path) if last_name(made) == "Path" else None
    return None


def _text(flow: Flow, node: ast.expr) -> str | None:
    from adalint.values import Literal

    worth = flow.value(node)
    return worth.value if isinstance(worth, Literal) and isinstance(worth.value, str) else None


def _data(script: str, name: str) -> Any:
    """Give what the one file of that path holds, as seen from the script's folder or one above; None if none or two."""
    if not os.path.isfile(script) or os.path.isabs(name) or kind_of(name) is None:
        return None
    places = {os.path.realpath(place) for place in _places(script, name) if os.path.isfile(place)}
    if len(places) != 1:
        return None
    place = places.pop()
    status = os.stat(place)
    return _read(place, status.st_mtime_ns, status.st_size) if status.st_size <= LARGEST else None


def _places(script: str, name: str) -> Iterator[str]:
    folder = os.path.dirname(os.path.abspath(script))
    for _ in range(_UPWARD):
        yield os.path.join(folder, name)
        if os.path.exists(os.path.join(folder, ".git")):
            return
        folder = os.path.dirname(folder)


@lru_cache(maxsize=64)
def _read(path: str, _changed: int, _size: int) -> Any:
    from adalint import files

    kind = kind_of(path)
    try:
        raw = files.read(path, LARGEST)
        if kind is None or files.mentions_adalora(raw):
            return None
        documents = read_tree(Source.decode(path, kind, raw)).documents
    except (ReadError, SourceError):
        return None
    value = documents[0].value if len(documents) == 1 else UNKNOWN
    return None if value is UNKNOWN else value
