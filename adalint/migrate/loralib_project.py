"""The Python files of a project beside each other: which of them a name is imported from."""

from __future__ import annotations

import ast
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from adalint.migrate.loralib_to_peft import Script
    from adalint.readers.python_scopes import FileMap


class Project:
    """Some Python files by their paths."""

    def __init__(self, scripts: Iterable[Script]) -> None:
        self.scripts = {os.path.abspath(one.source.path): one for one in scripts}

    def module(self, importer: str, name: str, level: int = 0) -> Script | None:
        """Find the file of a module as a script imports it: beside the script, or from a folder above it."""
        folder = os.path.dirname(os.path.abspath(importer))
        for _ in range(level - 1):
            folder = os.path.dirname(folder)
        tail = name.replace(".", os.sep)
        while True:
            for path in (f"{tail}.py", os.path.join(tail, "__init__.py")):
                found = self.scripts.get(os.path.join(folder, path))
                if found is not None:
                    return found
            above = os.path.dirname(folder)
            if level or above == folder:
                return None
            folder = above

    def origin(self, node: ast.expr, script: Script) -> tuple[Script, str] | None:
        """Find the file that a function or class is imported from, and its name there."""
        if isinstance(node, ast.Name):
            binding = script.file_map.the_binding(node.id, node)
            return None if binding is None else self._imported(node.id, binding.node, script)
        if not isinstance(node, ast.Attribute):
            return None
        module = self._module_named(node.value, script)
        return None if module is None else (module, node.attr)

    def imported_by(self, script: Script) -> Iterator[Script]:
        """Give the files that a script imports."""
        for node in script.file_map.nodes():
            if isinstance(node, ast.Import):
                names = [(alias.name, 0) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = node.module or ""
                names = [(base, node.level)] if base else []
                names += [(f"{base}.{alias.name}".lstrip("."), node.level) for alias in node.names]
            else:
                continue
            for name, level in names:
                found = self.module(script.source.path, name, level)
                if found is not None:
                    yield found

    def _imported(self, bound: str, node: ast.AST, script: Script) -> tuple[Script, str] | None:
        if not isinstance(node, ast.ImportFrom) or not node.module:
            return None
        module = self.module(script.source.path, node.module, node.level)
        name = next(one.name for one in node.names if (one.asname or one.name) == bound)
        return None if module is None or name == "*" else (module, name)

    def _module_named(self, node: ast.expr, script: Script) -> Script | None:
        binding = _root_binding(node, script.file_map)
        if isinstance(binding, ast.Import):
            path = script.file_map.path_of(node)
            return None if path is None else self.module(script.source.path, path)
        if isinstance(binding, ast.ImportFrom) and isinstance(node, ast.Name):
            name = next(one.name for one in binding.names if (one.asname or one.name) == node.id)
            base = f"{binding.module}." if binding.module else ""
            return self.module(script.source.path, base + name, binding.level)
        return None


def _root_binding(node: ast.expr, file_map: FileMap) -> ast.AST | None:
    while isinstance(node, ast.Attribute):
        node = node.value
    binding = file_map.the_binding(node.id, node) if isinstance(node, ast.Name) else None
    return None if binding is None else binding.node
