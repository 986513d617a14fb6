"""Patterns in gitignore's language, asked about a single path; a walk asks the walker itself."""

from __future__ import annotations

import os
import re
from functools import cache


class PatternError(ValueError):
    """A pattern that cannot be read; the message says why."""


def matches(pattern: str, path: str, base: str) -> bool:
    """Tell whether a pattern, relative to the folder `base`, names a file or a folder above it.

    Raises:
        PatternError: the pattern cannot be read.
    """
    relative = os.path.relpath(os.path.abspath(path), os.path.abspath(base)).replace(os.sep, "/")
    return compiled(pattern).fullmatch(relative) is not None


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Turn a pattern into an expression for whole relative paths.

    Raises:
        PatternError: it cannot be read.
    """
    body = re.sub(r"(?<!\\)[ \t]+$", "", pattern)
    inside_only = body.endswith("/")
    body = body.rstrip("/") if inside_only else body
    anchored = "/" in body
    body = body.removeprefix("/")
    below = "/.*" if inside_only else "(?:/.*)?"
    try:
        return re.compile(("" if anchored else "(?:.*/)?") + _expression(body) + below, re.DOTALL)
    except re.error as error:
        raise PatternError(str(error)) from None


def _expression(body: str) -> str:
    parts: list[str] = []
    at = depth = 0
    while at < len(body):
        one = body[at]
        if body.startswith("**/", at) and body[at - 1 : at] in {"", "/"}:
            parts.append("(?:.*/)?")
            at += 3
            continue
        if body[at:] == "**" and body[at - 1 : at] in {"", "/"}:
            parts.append(".*")
            break
        at += 1
        if one == "*":
            parts.append("[^/]*")
        elif one == "?":
            parts.append("[^/]")
        elif one == "[":
            text, at = _class(body, at)
            parts.append(text)
        elif one == "\\" and at < len(body):
            parts.append(re.escape(body[at]))
            at += 1
        elif one in "{}" or (one == "," and depth):
            depth += {"{": 1, "}": -1, ",": 0}[one]
            parts.append({"{": "(?:", "}": ")", ",": "|"}[one])
            if depth < 0:
                raise PatternError("`}` without a `{` before it")
        else:
            parts.append(re.escape(one))
    if depth:
        raise PatternError("`{` without its `}`")
    return "".join(parts)


def _class(body: str, at: int) -> tuple[str, int]:
    """Read a class of characters behind its `[`; give its expression and where it ends."""
    negated = body[at : at + 1] in {"!", "^"}
    first = at + negated
    stop = body.find("]", first + 1)
    if stop < 0:
        raise PatternError("`[` without its `]`")
    members = re.sub(r"[\\\[\]&~|^]", r"\\\g<0>", body[first:stop])
    return f"(?!/)[{'^' if negated else ''}{members}]", stop + 1
