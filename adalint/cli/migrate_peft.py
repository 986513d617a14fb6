"""`adalint migrate peft`: adapters and code to another release of PEFT."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from adalint.cli.migrate_texts import for_texts, run


@click.command("peft")
@click.option("--to", "release", required=True, metavar="RELEASE", help="The release of PEFT to move to, such as 0.21.")
@for_texts
def command(release: str, **options: Any) -> None:
    """Move adapters and code in PATH… to a release of PEFT: mends what raises there.

    Of a saved adapter the configuration alone is touched, so that it loads with the same outputs: a schedule that the
    release refuses, and, below 0.14, keys that it does not know. In code, JSON and YAML what raises in the release is
    fixed as `adalint fix --unsafe-fixes --target-peft` would; what waits for a person is listed.
    """
    from adalint.cli.failure import Failure
    from adalint.files import mentions_adalora
    from adalint.migrate.peft_release import to_release
    from adalint.settings import Flags, SettingsError, resolver

    try:
        resolver(Flags(isolated=True, target_peft=release))(".")
    except SettingsError as error:
        raise Failure(str(error).replace("--target-peft", "--to", 1)) from None
    paths = options.pop("paths")
    code = run("peft", paths, partial(to_release, release=release), mentions_adalora, **options)
    click.get_current_context().exit(code)
