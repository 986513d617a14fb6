"""adalint from Python: the same findings and fixes as on the command line.

Everything here is also to be had from the package itself: `adalint.check_text`, `adalint.fix_text`,
`adalint.check_paths`, `adalint.settings_for`. Nothing that is checked is imported or run.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from adalint import files
from adalint.baseline import Baselines
from adalint.findings import Finding, Fixed, Report, Safety, Severity
from adalint.settings import Flags, Settings, SettingsError, over, resolver
from adalint.source import Encoding, Kind, Source, SourceError, Span, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable

DEFAULT_NAME: Final = "config.py"
"""What a text is called whose caller does not say: its kind is read from the name."""


def check_text(
    text: str | bytes,
    *,
    filename: str = DEFAULT_NAME,
    settings: Settings | None = None,
    target_peft: str | None = None,
) -> Report:
    r"""Find the mistakes in one text, sorted by place.

    The name decides how it is read: `.py`, `.json`, `.yaml`, `.ipynb`, `.md`; nothing of that name need exist. Where it
    does, the weights beside an adapter's configuration and the modules around a script are looked at, as on the command
    line.
    Without `settings` the defaults hold; `settings_for` gives those that the command line would use. `target_peft` is
    the release of PEFT to judge by, and wins over that of the settings.

    >>> import adalint
    >>> report = adalint.check_text(
    ...     "from peft import AdaLoraConfig\nconfig = AdaLoraConfig(init_r=8, target_r=16, total_step=100)\n"
    ... )
    >>> [finding] = report.findings
    >>> finding.code, finding.name, str(finding.severity)
    ('ADA102', 'target-rank-not-below-initial', 'error')
    >>> report.start(finding).row, report.start(finding).column
    (2, 34)
    >>> finding.fixes[0].title
    'swap them: init_r=16, target_r=8'

    Raises:
        ValueError: adalint does not read files of this kind, or the string cannot be written in UTF-8.
        SettingsError: `target_peft` is no release.
    """
    settled = _settled(settings, target_peft)
    source, reason = _read(text, filename)
    if not files.mentions_adalora(_raw(text)):
        return Report(source)
    if reason is not None:
        return _report(source, reason, settled)
    from adalint.cli.inputs import Input
    from adalint.engine import check_source

    return Input(source, settled, None, named=True).weighed(check_source(source, settled))


def fix_text(
    text: str | bytes,
    *,
    filename: str = DEFAULT_NAME,
    settings: Settings | None = None,
    target_peft: str | None = None,
    unsafe_fixes: bool = False,
    verify: bool = False,
) -> Fixed:
    r"""Apply the fixes that keep training as it is or as it was meant; with `unsafe_fixes` those that change it, too.

    The result is `after.text`, and `after.encode()` in the bytes of the file, which is what a notebook is written from;
    `applied`, `refused` and `left` tell the rest. With `verify` both sides of a fix are run first, as `adalint fix
    --verify` does, and one that is not what it claims to be is refused. What is said of `check_text` holds here, too.

    >>> import adalint
    >>> fixed = adalint.fix_text(
    ...     "from peft import AdaLoraConfig\nconfig = AdaLoraConfig(r=16, total_step=100)\n"
    ... )
    >>> print(fixed.after.text.splitlines()[1])
    config = AdaLoraConfig(init_r=12, total_step=100)  # r=16 had no effect in AdaLoRA
    >>> [str(one.fix.effect) for one in fixed.applied], fixed.left
    (['preserves'], ())

    Raises:
        ValueError: adalint does not read files of this kind, or the string cannot be written in UTF-8.
        SettingsError: `target_peft` is no release.
    """
    settled = _settled(settings, target_peft)
    source, reason = _read(text, filename)
    if not files.mentions_adalora(_raw(text)):
        return Fixed(source, source)
    if reason is not None:
        return Fixed(source, source, left=_report(source, reason, settled).findings)
    from adalint.engine import fix_source

    allowed = Safety.UNSAFE if unsafe_fixes or settled.unsafe_fixes else Safety.SAFE
    objection = None
    if verify:
        from adalint.verify import objection_of, reference_bench

        objection = objection_of(reference_bench(), settled)
    return fix_source(source, settled, allowed, objection)


def check_paths(paths: Iterable[str | os.PathLike[str]], *, flags: Flags | None = None) -> list[Report]:
    r"""Find the mistakes in files and folders, one report for each file with AdaLoRA in it, sorted by path.

    Each file is judged by its nearest settings and by the releases that its project pins; `flags` win over both, as
    options do on the command line. Files that cannot be read are reported as on the command line, too.

    >>> import adalint, pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     script = pathlib.Path(folder, "train.py")
    ...     _ = script.write_text("from peft import AdaLoraConfig\nAdaLoraConfig(r=8, total_step=100)\n")
    ...     reports = adalint.check_paths([folder], flags=adalint.Flags(isolated=True))
    >>> [(finding.code, report.start(finding).row) for report in reports for finding in report.findings]
    [('ADA101', 2)]

    Raises:
        FileNotFoundError: a path does not exist.
        SettingsError: settings cannot be used.
    """
    from adalint.cli.failure import Failure
    from adalint.cli.inputs import Inputs
    from adalint.cli.options import Request
    from adalint.cli.outputs import in_order
    from adalint.engine import check_source

    # A file may be called `-`, which is standard input on the command line only.
    named = tuple(os.path.join(os.curdir, "-") if path == "-" else path for path in (os.fspath(one) for one in paths))
    for path in named:
        os.lstat(path)
    flags = flags or Flags()
    try:
        inputs = Inputs(
            Request(
                named,
                flags=flags,
                resolve=resolver(flags),
                output_format="json",
                quiet=True,
                hides_known=flags.take_a_baseline,
            )
        )
        reports = [text.weighed(check_source(text.source, text.settings)) for text in inputs.texts()]
    except Failure as failure:
        raise SettingsError(failure.message) from None
    return in_order([*reports, *inputs.unreadable])


def settings_for(path: str | os.PathLike[str], *, flags: Flags | None = None) -> Settings:
    """Settle what a file is judged by, as the command line does: its nearest settings, pins and baseline.

    >>> import adalint
    >>> adalint.settings_for("train.py", flags=adalint.Flags(isolated=True, target_peft="0.14.0")).target_peft
    '0.14.0'

    Raises:
        SettingsError: settings cannot be used.
    """
    from adalint import targets

    place = os.fspath(path)
    flags = flags or Flags()
    settled = targets.over(resolver(flags)(place), targets.finder()(place))
    return Baselines().over(settled, place) if flags.take_a_baseline else settled


def _settled(settings: Settings | None, target_peft: str | None) -> Settings:
    return over(settings or Settings(), Flags(target_peft=target_peft))


def _raw(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _read(text: str | bytes, filename: str) -> tuple[Source, str | None]:
    """Read a text; where that cannot be done, give its bytes as they are, and the reason."""
    kind = kind_of(filename)
    if kind is None:
        raise ValueError(f"{filename}: adalint does not read files of this kind")
    raw = _raw(text)
    try:
        if isinstance(text, bytes):
            return Source.decode(filename, kind, raw), None
        source = Source.decode(filename, Kind.YAML, raw)  # a coding line says nothing of text that is decoded already
        if kind is Kind.NOTEBOOK:
            from adalint.notebook import read_notebook

            return read_notebook(replace(source, kind=Kind.JSON)), None
        return replace(source, kind=kind), None
    except SourceError as error:
        return Source(filename, kind, raw.decode("latin-1").encode(), Encoding("latin-1")), str(error)


def _report(source: Source, reason: str, settled: Settings) -> Report:
    finding = Finding("ADA904", "unreadable-file", Severity.ERROR, reason, Span(0, 0))
    if not settled.selected(finding.code, finding.name, finding.severity):
        return Report(source)
    severity = settled.severity_of(finding.code, finding.name, finding.severity)
    return Report(source, (replace(finding, severity=severity),))
