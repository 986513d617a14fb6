"""`adalint migrate ms-swift`: configurations and launch lines of ms-swift to its present options."""

from __future__ import annotations

from typing import Any

import click

from adalint.cli.migrate_texts import for_texts, run


@click.command("ms-swift")
@click.option("--to", "release", type=click.Choice(["4"]), required=True, help="The release of ms-swift to move to.")
@for_texts
def command(release: str, **options: Any) -> None:  # noqa: ARG001 - the one that there is
    """Move YAML, JSON and launch lines of ms-swift in PATH… to the options of its release 4.

    Options that were renamed are renamed; what ms-swift takes and does not hand on to AdaLoRA is told, as is an option
    whose value has changed with its name. Records that ms-swift writes itself (`args.json`) are left alone. A project
    that pins an older release is left as it is until the pin is raised.
    """
    from adalint.files import mentions_adalora
    from adalint.migrate.ms_swift import to_four

    paths = options.pop("paths")
    click.get_current_context().exit(run("ms-swift", paths, to_four, mentions_adalora, **options))
