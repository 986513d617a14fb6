"""Whether words call a number of steps a point in time, or how long something lasts.

Comments are free text, so only what clearly names a moment counts; any word that measures a length wins over it.
"""

from __future__ import annotations

import re
from typing import Final

_LENGTH: Final = re.compile(
    r"\b(?:length|long|duration|number of|num|count|amount|how many)\b"
    r"|\b(?:remaining|left|last|to go|per|ratio|share|fraction)\b"
    r"|(?<![\dk] )\bsteps\b"
    r"|\bfor (?:the |another )?\d|\bbefore\b|\bprior to\b|\bfrom (?:the )?(?:very )?end\b|\bminus\b|\bsubtract"
    r"|\b(?:until|till|to|through) (?:the )?(?:very )?end\b|\b(?:not?|never|isn't|rather than|instead)\b"
    r"|\b(?:t|total\w*|max\w*|all|n|num\w*|epochs)\s*[-\u2212\u2013]\s*\w"
    r"|[前后後]|最[后後终終]|倒数|倒數|[长長]度|[时時][长長]|长短|阶段|階段|期[间間]|剩|[残殘]り|不是|并非|並非"
    r"|微[调調]|固定|(?:训练|訓練|学習)の?[结結終]|(?:학습|훈련)"
    r"|전(?:에|까지)?\b|후(?:에)?\b|길이|동안|남은|마지막|아니",
    re.IGNORECASE,
)
"""What measures a length, counts from the end, or denies."""

_MOMENT: Final = re.compile(
    r"\b(?:end|stop|finish|ending|stopping|finishing|cut-?off)[ _-](?:step|iteration|iter|epoch)\b(?!s)"
    r"|\b(?:step|iteration)\b (?:at|on|in|after) which\b|\b(?:step|iteration) (?:when|where|that ends|that stops)\b"
    r"|\b(?:when|step) to (?:end|stop|finish)\b|^when (?:the )?\w+ (?:end|stop|finish)\w*\b"
    r"|\b(?:at|until|till|up to|by|after) (?:the )?(?:global |optimi[sz]er |training )?(?:step|iteration)\b(?!s)"
    r"|\b(?:end|stop|finish|freez|ceas)\w*\b[^.;]*\b(?:at|after|until) \d"
    r"|\b(?:until|till|up to) \d"
    r"|(?<!at )(?<!the )(?<!after )(?<!from )(?<!since )\bend of (?:the )?(?:\w+ )?"
    r"(?:prun|budget|alloc|adapt|mask|schedule)\w*"
    r"|\b(?:prun|budget|alloc|adapt|mask)\w* (?:\w+ )?(?:ends?|stops?|finish\w*|is over|is done) (?:here|now|at|on)\b"
    r"|\b(?:end|stop|finish)s? (?:\w+ )?(?:prun|budget|alloc|adapt|mask)\w* (?:here|now|at)\b"
    r"|停止|[结結]束|[终終]止|[终終]了|截止|종료|중지|중단|정지|멈[추춤]",
    re.IGNORECASE,
)
"""What names a moment."""

_ORDINAL: Final = re.compile(r"第\s*[\d,_]+\s*(?:个|個)?步.*(?:停止|[结結]束|[终終]止|截止)")
"""`在第 800 步之后停止` counts from the start, whatever it says of before and after."""
_FROM_THE_END: Final = re.compile(r"倒数|倒數|前|最[后後]")

_NUMBER: Final = re.compile(r"(?<![\w.])(\d[\d,_]*(?:\.\d+)?)\s*(k\b|%)?", re.IGNORECASE)


def is_moment(words: str, value: float | None, total: float | None) -> bool:
    """Tell whether a comment calls the value beside it a point in time.

    A comment that names numbers must name this one, or its share of the run: `tfinal=600,  # stop at step 400` is the
    right length of a run of 1,000 steps.
    """
    if _ORDINAL.search(words):
        if _FROM_THE_END.search(words):
            return False
    elif _LENGTH.search(words) or not _MOMENT.search(words):
        return False
    named = list(_NUMBER.finditer(words))
    return not named or any(_means(match[1], match[2], value, total) for match in named)


def _means(digits: str, unit: str | None, value: float | None, total: float | None) -> bool:
    number = float(re.sub(r"[,_]", "", digits))
    if unit == "%":
        return value is not None and total is not None and number * total == value * 100
    return value == number * (1000 if unit else 1)


_ENDS: Final = frozenset({"end", "ends", "ending", "stop", "stops", "stopping", "until", "finish", "cutoff"})
_AT: Final = frozenset({"step", "iter", "iteration", "epoch", "at", "point"})
_OF: Final = frozenset(
    {
        "adalora",
        "global",
        "prune",
        "pruning",
        "budget",
        "budgeting",
        "alloc",
        "allocation",
        "adapt",
        "adaptation",
        "rank",
        "mask",
        "masking",
    }
)
_CJK_ENDS: Final = re.compile(r"停止|[结結]束|[终終]止|[终終]了|截止|종료|중지|중단")


def is_name_of_moment(name: str) -> bool:
    """Tell whether a variable's name calls its value a point in time: `end_step`, `stopAt`, `prune_end`, `end`."""
    if _CJK_ENDS.search(name):
        return _LENGTH.search(name) is None
    words = re.findall(r"[a-z]+|[A-Z][a-z]+|[A-Z]+(?![a-z])", name)
    parts = {word.lower() for word in words}
    if not parts & _ENDS:
        return False
    return parts <= _ENDS | _AT | _OF
