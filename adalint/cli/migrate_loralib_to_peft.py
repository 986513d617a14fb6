"""`adalint migrate loralib-to-peft`: code of the original AdaLoRA, to PEFT."""

from __future__ import annotations

from typing import Any, Final

import click

from adalint.cli.migrate_texts import for_texts, run

_SIGNS: Final = (
    *(b"import", b".py", b"-m "),
    *(
        b"apply_",
        b"lora_",
        b"lora-",
        b"target_rank",
        b"target-rank",
        b"_warmup",
        b"-warmup",
        b"mask_interval",
        b"reg_orth",
    ),
)
"""What takes part: flags, Python that may build on the layers of another file, and what may launch it."""


@click.command("loralib-to-peft")
@for_texts
def command(**options: Any) -> None:
    """Move Python files and notebooks in PATH… from loralib's AdaLoRA to PEFT, and list the flags of its scripts.

    SVDLinear, RankAllocator, update_and_mask and compute_orth_regu become plain layers, an AdaLoraConfig and
    update_and_allocate, with the same ranks at the same steps. A file is moved whole or not at all, and layers together
    with the training that imports them; what keeps them is told. Flags get PEFT's names in the parser of a training and
    on the lines that launch it, all or none; flags of parsers that are not seen are listed with what they become.
    """
    from adalint.migrate.loralib_to_peft import to_peft
    from adalint.migrate.loralib_together import together

    paths = options.pop("paths")

    def concerns(raw: bytes) -> bool:
        return any(sign in raw for sign in _SIGNS)

    code = run("loralib-to-peft", paths, to_peft, concerns, together=together, **options)
    click.get_current_context().exit(code)
