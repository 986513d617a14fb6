"""Which files have changed since a revision, asked of git.

Changed is what differs, in the working tree, from the commit at which this branch left the revision's: what was
committed, staged or merely saved since, and files that git does not track and does not ignore. What happened on the
other branch meanwhile is not this one's doing. A file with a new name has changed.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adalint.files import repository_of
from adalint.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adalint.files import Target


@dataclass(frozen=True, slots=True)
class Changes:
    """The changed files and folders of one working tree, as real paths; all that is in such a folder has changed."""

    files: frozenset[str]
    folders: tuple[str, ...]

    def hold(self, place: str) -> bool:
        """Tell whether the file at a real path has changed."""
        return place in self.files or any(place.startswith(folder + os.sep) for folder in self.folders)


def changed_among(targets: Iterable[Target], revision: str) -> list[Target]:
    """Leave of some files those that have changed since a revision.

    A folder that is walked is asked about by its own repository, a file that is named by that of its folder.

    Raises:
        SettingsError: git is missing or refuses, a file lies in no repository, or the revision is not known there.
    """
    if not revision or revision.startswith("-"):
        raise SettingsError(f"--changed-since: a branch, tag or commit is wanted, not {revision!r}")
    trees: dict[str, Changes] = {}
    changed = []
    for target in targets:
        folder, name = os.path.split(os.path.abspath(target.path))
        place = os.path.join(os.path.realpath(folder), name)
        asked = os.path.dirname(place) if target.named else target.root
        near = repository_of(asked) or asked
        if near not in trees:
            trees[near] = _changes_in(_root_of(asked), revision)
        if trees[near].hold(place) or (os.path.islink(place) and trees[near].hold(os.path.realpath(place))):
            changed.append(target)
    return changed


def _root_of(folder: str) -> str:
    told = _git(folder, "rev-parse", "--show-toplevel")
    if told.returncode:
        raise SettingsError(
            f"--changed-since: {folder} is in no working tree of git{_reason(told)}; leave the option out, or run "
            "adalint on a clone"
        )
    return os.path.realpath(os.fsdecode(told.stdout.removesuffix(b"\n").removesuffix(b"\r")))


def _changes_in(root: str, revision: str) -> Changes:
    found = _git(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if found.returncode:
        raise SettingsError(
            f"--changed-since {revision}: git knows no such commit in {root}; fetch it first (a CI checkout often has "
            "one commit and one branch only), or name another"
        )
    commit = found.stdout.decode().strip()
    base = _git(root, "merge-base", commit, "HEAD")
    if base.returncode:
        shallow = _git(root, "rev-parse", "--is-shallow-repository").stdout.strip() == b"true"
        remedy = (
            "the clone is shallow: fetch more of it (`git fetch --unshallow`; `fetch-depth: 0` in a workflow)"
            if shallow
            else "name a revision that this branch comes from"
        )
        raise SettingsError(f"--changed-since {revision}: it has no commit in common with HEAD; {remedy}")
    since = base.stdout.decode().split()[0]
    names = [
        *_listed(root, "diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", since, "--"),
        *_listed(root, "ls-files", "-z", "--others", "--exclude-standard"),
    ]
    places = [os.path.join(root, name.rstrip("/")) for name in names]
    real = [os.path.join(os.path.realpath(os.path.dirname(place)), os.path.basename(place)) for place in places]
    # A repository within the repository, a submodule, is one name to git.
    return Changes(frozenset(real), tuple(sorted({place for place in real if os.path.isdir(place)})))


def _listed(root: str, *arguments: str) -> list[str]:
    told = _git(root, *arguments)
    if told.returncode:
        raise SettingsError(f"--changed-since: `git {arguments[0]}` failed in {root}{_reason(told)}")
    return [os.fsdecode(name).replace("/", os.sep) for name in told.stdout.split(b"\0") if name]


def _reason(told: subprocess.CompletedProcess[bytes]) -> str:
    lines = told.stderr.decode(errors="replace").strip().splitlines()
    return f" ({lines[0]})" if lines else ""


_OF_A_HOOK: Final = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"})


def _git(folder: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    # A monitor that the repository names would be run, and an index that is being written is not ours to refresh.
    command = ["git", "-C", folder, "-c", "core.fsmonitor=false", *arguments]
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_LITERAL_PATHSPECS": "1"}
    if repository_of(folder) is not None:
        # A hook is told of its repository relative to where it starts, which is not where this starts.
        environment = {name: value for name, value in environment.items() if name not in _OF_A_HOOK}
    try:
        return subprocess.run(command, capture_output=True, check=False, env=environment, stdin=subprocess.DEVNULL)  # noqa: S603 git itself
    except OSError as error:
        raise SettingsError(
            f"--changed-since: git cannot be run ({error.strerror}); install it, or leave the option out"
        ) from None
