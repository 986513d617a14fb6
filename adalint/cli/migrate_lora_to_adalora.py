"""`adalint migrate lora-to-adalora`: code that trains LoRA, to AdaLoRA."""

from __future__ import annotations

from typing import Any

import click

from adalint.cli.migrate_texts import for_texts, run


@click.command("lora-to-adalora")
@for_texts
def command(**options: Any) -> None:
    """Move Python files and notebooks in PATH… that train LoRA to AdaLoRA.

    The configuration becomes an AdaLoraConfig whose `r` is the rank that is left on average, with a schedule by the
    length of the run, and the allocator is called after each optimizer step, in the loop or by a callback of the
    Trainer. A file is moved whole or not at all; what keeps it is told.
    """
    from adalint.migrate.lora_to_adalora import to_adalora

    paths = options.pop("paths")
    code = run("lora-to-adalora", paths, to_adalora, lambda raw: b"LoraConfig" in raw, **options)
    click.get_current_context().exit(code)
