"""Edits of whole statements: what stands in their place, what goes, imports, and what is put behind them."""

from __future__ import annotations

import ast
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from adalint.migrate.loralib_layers import without
from adalint.migrate.loralib_names import Unmovable
from adalint.source import Edit, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from adalint.readers.python_scopes import FileMap
    from adalint.source import Source

CALLBACK: Final = "AllocateRanks"
CALLBACK_TEXT: Final = f'''\
class {CALLBACK}(TrainerCallback):
    """Allocate ranks after each step of the optimizer; steps are counted from 0, as loralib's Trainer does."""

    def on_optimizer_step(self, args, state, control, model=None, **kwargs):
        model.update_and_allocate(state.global_step)
'''
LENGTH_TEXT: Final = """
    def on_train_begin(self, args, state, control, model=None, **kwargs):
        model.base_model.peft_config["default"].total_step = state.max_steps
"""
_PEFT: Final = "from peft import AdaLoraConfig, get_peft_model"


class Texts:
    """The edits of one text as they come together."""

    def __init__(self, source: Source, file_map: FileMap, imports: list[ast.Import | ast.ImportFrom]) -> None:
        self.source = source
        self.file_map = file_map
        self.imports = imports
        self.edits: list[Edit] = []
        self._gone: list[ast.stmt] = []

    def put(self, statement: ast.stmt, text: str) -> None:
        """Write something in place of a statement."""
        self.edits.append(Edit(self.file_map.span(statement), text))

    def put_behind(self, statement: ast.stmt, text: str) -> None:
        """Write something on lines of its own behind a statement, as deep as it."""
        line = self.source.line_span(self.source.row_of(self.file_map.span(statement).stop))
        indent = " " * statement.col_offset
        self.edits.append(Edit(Span(line.stop, line.stop), self.source.newline + indent + text))

    def drop(self, statements: Iterable[ast.stmt]) -> None:
        """Take statements out with their lines; where a block would be empty, `pass` is left."""
        self._gone += statements

    def with_callback(self, trainer: ast.Call) -> list[Edit]:
        """Hand the callback to a Trainer in place of the allocator.

        Raises:
            Unmovable: its list of callbacks is not written there.
        """
        keywords = {one.arg: one for one in trainer.keywords}
        allocator, given = keywords["rankallocator"], keywords.get("callbacks")
        if given is None:
            return [Edit(self.file_map.span(allocator), f"callbacks=[{CALLBACK}()]")]
        if not isinstance(given.value, ast.List):
            raise Unmovable(given.value, "the callbacks are listed elsewhere")
        at = self.file_map.start(given.value) + 1
        comma = ", " if given.value.elts else ""
        # An argument less: what is there is written again, so that no comma is left over.
        listed = self.source.slice(Span(at, self.file_map.span(given).stop))
        gone = Edit(self.file_map.span(given), f"callbacks=[{CALLBACK}()" + comma + listed)
        return [gone, *without([*trainer.args, *trainer.keywords], [allocator], self.file_map)]

    def finished(
        self, defined: Sequence[str], *, linear: str | None, callback: bool, peft: bool = True
    ) -> tuple[Edit, ...]:
        """Give all edits, with the imports of PEFT in place of loralib's and what is `defined` anew behind them.

        Raises:
            Unmovable: a statement shares its line with another one.
        """
        lines = [_PEFT] if peft else []
        if linear == "nn.Linear" and not self._binds("nn"):
            lines.append("from torch import nn")
        if callback and not self._binds("TrainerCallback"):
            lines.append("from transformers import TrainerCallback")
        top = [one for one in self.imports if one in self.file_map.tree.body]
        if not top:
            raise Unmovable(self.imports[0], "loralib is imported within a function or a condition")
        first = top[0]
        for name in re.findall(r"^(?:def|class) (\w+)", "\n".join(defined), re.MULTILINE):
            if self._binds(name):
                raise Unmovable(first, f"{name} is a name already")
        newline = self.source.newline
        added = "".join("\n\n" + one for one in defined).replace("\n", newline).removesuffix(newline)
        last = self._last_import()
        text = newline.join(lines)
        if last is first and added:
            text += newline + added + self._gap_after(first)
        kept = _kept_of(first)
        stays = [one for one in (kept, text) if one]
        if stays:
            self.edits.append(Edit(self._with_blanks(first), newline.join(stays)))
        else:
            self.drop([first])
        for one in self.imports:
            if one is not first:
                kept = _kept_of(one)
                self.drop([one]) if kept is None else self.put(one, kept)
        if last is not first and added:
            stop = self.file_map.span(last).stop
            self.edits.append(Edit(Span(stop, stop), newline + added + self._gap_after(last)))
        gone = set(map(id, self._gone))
        done: set[int] = set()
        for statement in self._gone:
            self.edits.append(self._without(statement, gone, done))
        edits = sorted(self.edits, key=lambda one: one.span)
        for edit, after in pairwise(edits):
            if after.span.start < edit.span.stop:
                raise Unmovable(first, f"two changes fall on line {self.source.row_of(after.span.start)}")
        return tuple(edits)

    def _with_blanks(self, statement: ast.stmt) -> Span:
        """Give the place of a statement, with blanks that end its line."""
        span = self.file_map.span(statement)
        line = self.source.line_span(self.source.row_of(span.stop))
        return Span(span.start, span.stop if self.source.content[span.stop : line.stop].strip() else line.stop)

    def _binds(self, name: str) -> bool:
        return bool(self.file_map.bindings(name, self.file_map.tree.body[0]))

    def _last_import(self) -> ast.stmt:
        """Find the import that what is defined anew stands behind: the last one of those at the head of the file."""
        mine = {id(one) for one in self.imports}
        chosen: ast.stmt = next(one for one in self.imports if one in self.file_map.tree.body)
        first = chosen
        for one in self.file_map.tree.body:
            if isinstance(one, ast.Import | ast.ImportFrom) and (id(one) not in mine or one is first):
                chosen = one
            elif isinstance(one, ast.FunctionDef | ast.ClassDef) and one.lineno > first.lineno:
                break
        return chosen

    def _gap_after(self, statement: ast.stmt) -> str:
        """Give the blank line that has to follow a definition where none does."""
        body = self.file_map.tree.body
        index = next(at for at, one in enumerate(body) if one is statement)
        if index + 1 == len(body):
            return ""
        between = body[index + 1].lineno - (statement.end_lineno or statement.lineno)
        return self.source.newline * max(0, 3 - between)

    def _without(self, statement: ast.stmt, gone: set[int], done: set[int]) -> Edit:
        span = self.file_map.span(statement)
        row = self.source.row_of(span.start)
        line = self.source.line_span(row)
        last = self.source.line_span(self.source.row_of(span.stop))
        before = self.source.content[line.start : span.start]
        after = self.source.content[span.stop : last.stop].strip()
        if before.strip() or (after and not after.startswith(b"#")):
            raise Unmovable(statement, "it shares its line with something else")
        owner = self.file_map.parent(statement)
        for name in ("body", "orelse", "finalbody"):
            block = getattr(owner, name, [])
            if statement in block and all(id(one) in gone for one in block) and id(block) not in done:
                done.add(id(block))
                return Edit(span, "pass")
        if after:
            gap = len(self.source.content[span.stop : last.stop]) - len(
                self.source.content[span.stop : last.stop].lstrip()
            )
            return Edit(Span(span.start, span.stop + gap), "")
        rows = self.source.line_starts
        next_row = self.source.row_of(span.stop)
        stop = rows[next_row] if next_row < len(rows) else len(self.source.content)
        return Edit(Span(line.start, stop), "")


def _kept_of(node: ast.Import | ast.ImportFrom) -> str | None:
    """Write an import without loralib; None where nothing of it is left."""
    if isinstance(node, ast.ImportFrom) and "loralib" in (node.module or "").split("."):
        return None
    names = [one for one in node.names if "loralib" not in one.name.split(".")]
    return ast.unparse(type(node)(**{**vars(node), "names": names})) if names else None


def linear_of(call: ast.Call, file_map: FileMap) -> str:
    """Name torch's linear layer as a text can."""
    for name, path, written in (
        ("nn", "torch.nn", "nn.Linear"),
        ("Linear", "torch.nn.Linear", "Linear"),
        ("torch", "torch", "torch.nn.Linear"),
    ):
        bindings = file_map.bindings(name, call)
        if bindings and all(one.path == path for one in bindings):
            return written
    return "nn.Linear"
