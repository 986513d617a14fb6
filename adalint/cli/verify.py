"""`adalint verify`: say what each fix does to training, by running both sides through the trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from adalint.cli.options import shared

if TYPE_CHECKING:
    from adalint.cli.inputs import Input
    from adalint.cli.options import Request
    from adalint.verify import Proof


@click.command()
@shared
def verify(request: Request) -> None:
    """Compare training before and after the best fix of every finding in PATHS (default: here).

    The verdict is one of: identical; crashes at step k, finishes now; raises before the first step, runs now; differs;
    cannot say. Nothing is changed. Exit 1 when a safe fix is not what it claims to be.
    """
    from adalint.cli.failure import Failure
    from adalint.cli.inputs import Inputs
    from adalint.cli.outputs import emit
    from adalint.report.words import counted, said

    if request.output_format not in {"full", "concise", "json"}:
        raise Failure(f"--output-format {request.output_format}: verify prints full, concise or json")
    inputs = Inputs(request)
    proofs: list[tuple[Input, Proof]] = []
    for text in inputs.texts():
        inputs.guard(text.source.path, lambda text=text: proofs.extend(_prove(text)))  # type: ignore[misc]
    language = request.language
    emit(request, _as_json(proofs) if request.output_format == "json" else _as_text(proofs, language))
    broken = [proof for _, proof in proofs if proof.breaks_a_promise]
    if not request.quiet:
        told = "{fixes} checked against the trace." if proofs else "No fix to verify."
        if broken:
            told = "{fixes} checked against the trace, {number} not as claimed."
        fixes = counted(len(proofs) - len(broken), "fix", language)
        click.echo(said(told, language, fixes=fixes, number=len(broken)), err=True)
    click.get_current_context().exit(2 if inputs.failed else int(bool(broken) and not request.exit_zero))


def _prove(text: Input) -> list[tuple[Input, Proof]]:
    from adalint.verify import verify_source

    return [(text, proof) for proof in verify_source(text.source, text.settings)]


def _as_text(proofs: list[tuple[Input, Proof]], language: str) -> str:
    from adalint.report.words import one_line, retold, said

    lines = []
    for text, proof in proofs:
        lines.append(f"{_place(text, proof)}: {proof.finding.code} {one_line(proof.fix.title)}")
        lines.append(f"    {retold(one_line(proof.story), language)}")
        if proof.certainty != "cannot say":
            words = (proof.certainty, str(proof.fix.effect), proof.fix.safety.name.lower())
            certainty, effect, safety = (said(word, language) for word in words)
            claim = "{certainty}; the fix claims: {effect} ({safety})"
            lines.append(f"    {said(claim, language, certainty=certainty, effect=effect, safety=safety)}")
        if proof.contradicts:
            plea = "this is not what the fix claims: please report it as a bug in {code}"
            lines.append(f"    {said(plea, language, code=proof.finding.code)}")
        assumed = (retold(one_line(assumption), language) for assumption in proof.assumptions)
        lines += [f"    {said('assumed: {assumption}', language, assumption=one)}" for one in assumed]
    return "".join(f"{line}\n" for line in lines)


def _as_json(proofs: list[tuple[Input, Proof]]) -> str:
    import json

    return json.dumps([_entry(text, proof) for text, proof in proofs], indent=2) + "\n"


def _entry(text: Input, proof: Proof) -> dict[str, Any]:
    from adalint.report.words import shown_path

    position = text.source.position(proof.finding.span.start)
    return {
        "code": proof.finding.code,
        "name": proof.finding.name,
        "filename": shown_path(text.source.path),
        "location": {"row": position.row, "column": position.column},
        "fix": proof.fix.title,
        "applicability": proof.fix.safety.name.lower(),
        "effect": str(proof.fix.effect),
        "verdict": str(proof.verdict),
        "story": proof.story,
        "certainty": proof.certainty,
        "assumptions": list(proof.assumptions),
        "as_claimed": not proof.contradicts,
    }


def _place(text: Input, proof: Proof) -> str:
    from adalint.findings import Report
    from adalint.report.concise import place_of

    return place_of(Report(text.source), proof.finding.span.start)
