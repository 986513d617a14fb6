"""What a migration of an adapter did or would do: a text for people, a document for programs."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adalint.report.words import counted, harmless, said, shown_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adalint.migrate.adalora_to_lora import Conversion
    from adalint.migrate.probes import Probed


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a migration ended: a state of `planned`, `written` or `unchanged`, and what was measured when written."""

    state: str
    target: str
    probed: tuple[Probed, ...] = ()
    sizes: Mapping[str, int] | None = None


def render(conversion: Conversion, outcome: Outcome, language: str = "en") -> str:
    """Tell in some lines what becomes of the adapter."""
    modules = conversion.modules
    kept, budget = sum(one.rank for one in modules), len(modules) * conversion.source.init_r
    ranks = Counter(one.rank for one in modules)
    shown = ", ".join(f"{rank}×{count}" for rank, count in sorted(ranks.items()))
    lines = [
        said(
            "{source} → {target}: AdaLoRA to LoRA, {layout} layout, r={r}, lora_alpha={r}",
            language,
            source=shown_path(conversion.folder),
            target=shown_path(outcome.target),
            layout=conversion.layout.value,
            r=conversion.config["r"],
        ),
        said(
            "{modules} with {kept} of {budget} ranks (rank×modules: {ranks})",
            language,
            modules=counted(len(modules), "module", language),
            kept=f"{kept:,}",
            budget=f"{budget:,}",
            ranks=shown,
        ),
        said("folded into A: lora_E, and the scale {scale}", language, scale=_scales(conversion)),
    ]
    if conversion.copied:
        lines.append(said("tensors copied: {names}", language, names=_short(tuple(conversion.copied))))
    if conversion.companions:
        lines.append(said("files copied: {names}", language, names=_short(conversion.companions)))
    if conversion.left:
        lines.append(said("files left: {names}", language, names=_short(conversion.left)))
    dropped = tuple(name for name in conversion.dropped if conversion.source.values[name])
    if dropped:
        lines.append(said("fields dropped: {names}", language, names=_short(dropped)))
    notes = [said(note.sentence, language, **note.values) for note in conversion.notes]
    lines += [said("note: {note}", language, note=note) for note in notes]
    lines.append(_ending(outcome, language))
    return "".join(f"{harmless(line)}\n" for line in lines)


def document(conversion: Conversion, outcome: Outcome) -> str:
    """Give the whole report as JSON; docs/migrate-adapter.md tells its keys."""
    errors = {one.path: one.error for one in outcome.probed}
    told: dict[str, Any] = {
        "kind": "adalora-to-lora",
        "source": conversion.folder,
        "target": outcome.target,
        "state": outcome.state,
        "layout": conversion.layout.value,
        "config": conversion.config,
        "dropped_fields": list(conversion.dropped),
        "modules": [
            {
                "path": one.path,
                "dtype": one.triplet.a.dtype,
                "kept_rank": one.rank,
                "rank": one.given,
                "scale": one.scale,
                "kernel": None if one.kernel is None else list(one.kernel),
                "relative_error": errors.get(one.path),
            }
            for one in conversion.modules
        ],
        "copied_tensors": list(conversion.copied),
        "copied_files": list(conversion.companions),
        "left_files": list(conversion.left),
        "sizes": outcome.sizes,
        "notes": [one.sentence.format(**one.values) for one in conversion.notes],
    }
    return json.dumps(told, indent=2) + "\n"


def _scales(conversion: Conversion) -> str:
    scales = sorted({one.scale for one in conversion.modules})
    return f"{scales[0]:.6g}" if len(scales) == 1 else f"{scales[0]:.6g} … {scales[-1]:.6g}"


def _short(names: tuple[str, ...]) -> str:
    return ", ".join(names[:6]) + (f" … ({len(names)})" if len(names) > 6 else "")


def _ending(outcome: Outcome, language: str) -> str:
    if outcome.state == "planned":
        return said("Nothing is written yet: --write does it.", language)
    if outcome.state == "unchanged":
        return said("{target} holds this already, to the last byte.", language, target=shown_path(outcome.target))
    worst = max(outcome.probed, key=lambda one: one.error)
    return said(
        "Written: {size} bytes. Verified: {modules} read from the file again and multiplied with random vectors in "
        "float64; largest relative departure {error} ({path}).",
        language,
        size=f"{sum((outcome.sizes or {}).values()):,}",
        modules=counted(len(outcome.probed), "module", language),
        error=f"{worst.error:.1e}",
        path=worst.path,
    )
