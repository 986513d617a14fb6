"""The files of a project: which are read, what is in them, and how a changed one is written back.

Only regular files are opened, never a FIFO or a device. Nothing is written outside the root that the caller gave.
"""

from __future__ import annotations

import codecs
import contextlib
import errno
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from adalint.source import KIND_OF_SUFFIX, SHELL_NAMES, SHELL_SUFFIXES, Source, SourceError, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ignore.overrides import Override

DEFAULT_EXCLUDE: Final = (
    ".bzr",
    ".direnv",
    ".eggs",
    ".git",
    ".hg",
    ".hypothesis",
    ".ipynb_checkpoints",
    ".mypy_cache",
    ".nox",
    ".pytest_cache",
    ".pytype",
    ".ruff_cache",
    ".svn",
    ".tox",
    ".venv",
    "__pycache__",
    "__pypackages__",
    "_build",
    "build",
    "dist",
    "node_modules",
    "site-packages",
    "venv",
)
"""Names of folders and files that a walk leaves out, at any depth, unless the settings say otherwise."""

MAX_BYTES: Final = 10 * 1024 * 1024
"""A file that names AdaLoRA and is larger than this is not read."""

_CHUNK: Final = 1024 * 1024
_WORD: Final = "adalora"
_WORDS: Final = {
    codecs.BOM_UTF32_LE: _WORD.encode("utf-32-le"),
    codecs.BOM_UTF32_BE: _WORD.encode("utf-32-be"),
    codecs.BOM_UTF16_LE: _WORD.encode("utf-16-le"),
    codecs.BOM_UTF16_BE: _WORD.encode("utf-16-be"),
}
_PLAIN_WORD: Final = _WORD.encode()
_FIRST_OF_MARKS: Final = frozenset(mark[:1] for mark in _WORDS)
_SUFFIXES: Final = tuple(KIND_OF_SUFFIX)
_ENDINGS: Final = (*_SUFFIXES, *SHELL_SUFFIXES, *SHELL_NAMES)


class UnopenedError(SourceError):
    """A file that could not be opened, so that nobody knows whether it names AdaLoRA."""


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """A file to read: its path as reached, the root that bounds what may be written, and whether it was named."""

    path: str
    root: str
    named: bool = False


def walk(
    paths: Iterable[str],
    exclude: Callable[[str], tuple[str, Iterable[str]]] | None = None,
    skipped: Callable[[str, str], None] | None = None,
) -> Iterator[Target]:
    """List the files to read under `paths`, sorted, each file once.

    A folder is walked with its ignore files respected; a file that is named is listed whatever excludes it. `exclude`
    gives, for a folder, the patterns in gitignore's language that are left out, and the folder that they are relative
    to; without it, those of `DEFAULT_EXCLUDE` are. `skipped` is told what was left out against the caller's wish, and
    why: a folder that cannot be listed, a named file of a kind that adalint does not read.

    Raises:
        FileNotFoundError: a path does not exist.
        SourceError: a pattern cannot be read, or a folder is closed to us.
    """
    found: dict[str, Target] = {}
    for path in paths:
        if os.path.isdir(path):
            _require_open(path, path)
            base, patterns = exclude(path) if exclude else (path, DEFAULT_EXCLUDE)
            targets: Iterable[tuple[str, Target]] = _walk_folder(path, base, patterns, skipped)
        elif not os.path.lexists(path):
            _require_open(_nearest_folder(path), path)
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        elif kind_of(path) is None:
            if skipped:
                skipped(path, f"adalint reads {', '.join(_SUFFIXES)}")
            continue
        else:
            targets = ((os.path.realpath(path), Target(path, root_of(path), named=True)),)
        for place, target in targets:
            known = found.get(place)
            if known is None or _preference(target, place) < _preference(known, place):
                found[place] = target
    return iter(sorted(found.values(), key=lambda target: target.path.split(os.sep)))


_RANK_SELECTOR = b"apply_rankselector"
_SCRIPT = 100_000
"""No launch script has so many bytes."""


def mentions_adalora(raw: bytes) -> bool:
    """Tell whether the bytes of a file name AdaLoRA in any case, in UTF-8 or behind a UTF-16 or UTF-32 mark.

    So does the flag by which the scripts of loralib ask for it.
    """
    lowered = raw.lower()
    return _word_in(raw[:4]) in lowered or (len(raw) < _SCRIPT and _RANK_SELECTOR in lowered)


def read(path: str, max_bytes: int = MAX_BYTES) -> bytes:
    """Give the bytes of a regular file.

    Raises:
        UnopenedError: it is missing, unreadable or no regular file.
        SourceError: it is larger than `max_bytes`.
    """
    descriptor, size = _open(path)
    with os.fdopen(descriptor, "rb", buffering=0) as stream:
        if size > max_bytes:
            raise _too_large(size, max_bytes)
        return stream.read()


def load(path: str, max_bytes: int = MAX_BYTES) -> Source | None:
    """Read a file that names AdaLoRA; None when it does not, or when adalint does not read its kind.

    Raises:
        UnopenedError: it is missing, unreadable or no regular file.
        SourceError: it names AdaLoRA, and is too large or cannot be decoded.
    """
    kind = kind_of(path)
    if kind is None:
        return None
    descriptor, size = _open(path)
    with os.fdopen(descriptor, "rb", buffering=0) as stream:
        if size > max_bytes:
            head = stream.read(_CHUNK)
            if not _chunk_mentions(_word_in(head[:4]), head, stream.read):
                return None
            raise _too_large(size, max_bytes)
        raw = stream.read()
    return Source.decode(path, kind, raw) if mentions_adalora(raw) else None


def write_atomically(path: str, data: bytes, root: str, before: bytes) -> None:
    """Replace the content of a file, all of it or nothing; its mode is kept.

    `before` is what the file held when it was read.

    Raises:
        SourceError: the file lies outside `root`, is a link into a Hugging Face cache, is read-only, has changed since
            it was read, or the system refuses; the file is then as it was.
    """
    place = _writable_place(path, root)
    try:
        info = os.stat(place)
    except OSError as error:
        raise _unreadable(error) from None
    if not info.st_mode & 0o222 or not os.access(place, os.W_OK):
        raise SourceError("it is read-only; make it writable first (`chmod u+w`)")
    try:
        _replace(place, data, info, before)
    except OSError as error:
        raise SourceError(f"cannot be written ({_reason(error)}); the file is as it was") from None


def put(path: str, data: bytes) -> None:
    """Write a file of adalint's own making, new or in the place of an old one: all of it or nothing.

    Raises:
        SourceError: there is no such folder, something else than a file is there, or the system refuses.
    """
    place = os.path.realpath(path)
    folder, name = os.path.split(place)
    if not os.path.isdir(folder):
        raise SourceError(f"there is no folder {folder}; make it first")
    if os.path.lexists(place) and not os.path.isfile(place):
        raise SourceError("something that is no file has this name; choose another")
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{name}.", suffix=".adalint", dir=folder)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
            os.chmod(temporary, stat.S_IMODE(os.stat(place).st_mode) if os.path.exists(place) else 0o666 & ~_umask())
            os.replace(temporary, place)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise SourceError(f"cannot be written ({_reason(error)})") from None


def _umask() -> int:
    """Tell which rights new files are not given; it can only be told by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def root_of(path: str) -> str:
    """Tell the folder that bounds writing when a file is named: the working directory if it is inside, else its own.

    A path that reads as if it were inside, and leads out through a linked folder, is bound by the working directory.
    """
    working = os.getcwd()
    written, real = os.path.abspath(os.path.dirname(path)), os.path.realpath(os.path.dirname(path))
    return working if _inside(written, working) or _inside(real, working) else real


def _preference(target: Target, place: str) -> tuple[bool, bool, str]:
    return not target.named, os.path.abspath(target.path) != place, target.path


def _walk_folder(
    folder: str, base: str, patterns: Iterable[str], skipped: Callable[[str, str], None] | None
) -> Iterator[tuple[str, Target]]:
    """List the files to read in a folder, each with its real path."""
    from ignore import Error, WalkBuilder  # a run on named files alone does without it
    from ignore import IOError as WalkError

    builder = (
        WalkBuilder(Path(folder))
        .hidden(False)
        .require_git(False)
        # Outside a repository an ignore file further up, such as `*` in a home folder, is not this project's.
        .parents(_in_repository(folder))
        .overrides(_exclusions(base, patterns))
    )
    root = os.path.realpath(folder)
    folders = {folder: root}
    entries = builder.build()
    while True:
        try:
            path = os.fspath(next(entries).path())
        except StopIteration:
            return
        except (Error, WalkError) as error:
            if skipped:
                place, _, reason = str(error).partition(": IO error for operation on ")
                skipped(place if reason else folder, (reason or place).rsplit(": ", 1)[-1])
            continue
        if _may_be_read(path.lower()) and kind_of(path) and (real := _real_file(path, root, folders)):
            yield real, Target(os.path.normpath(path), root)


def _require_open(folder: str, path: str) -> None:
    """Raise UnopenedError when a folder on the way to a path that was named may not be looked into."""
    if not os.access(folder, os.R_OK | os.X_OK if folder == path else os.X_OK):
        remedy = "give yourself the right to look into it (`chmod u+rx`)"
        if folder != path:
            remedy = f"give yourself the right to enter the folder {folder} (`chmod u+x`)"
        raise UnopenedError(f"{path}: permission denied; {remedy}")


def _nearest_folder(path: str) -> str:
    """Give the nearest folder above a path that we can tell to be there."""
    above = os.path.dirname(path)
    while above and not os.path.isdir(above):
        above = os.path.dirname(above)
    return above or os.curdir


def _may_be_read(path: str) -> bool:
    """Leave out most files at once: a walk comes by very many."""
    return path.endswith(_ENDINGS) or "dockerfile." in path or "containerfile." in path


def _exclusions(base: str, patterns: Iterable[str]) -> Override:
    from ignore import Error
    from ignore.overrides import OverrideBuilder

    builder = OverrideBuilder(Path(base))
    for pattern in patterns:
        try:
            builder.add("!" + pattern)
        except Error as error:
            raise SourceError(f"the pattern {pattern!r} in `exclude` cannot be read: {error}") from None
    return builder.build()


def _in_repository(folder: str) -> bool:
    return _repository_around(os.path.realpath(folder)) is not None


def repository_of(path: str) -> str | None:
    """Tell the root of the git repository that a file or folder lies in, None when it lies in none."""
    place = os.path.realpath(path)
    return _repository_around(place if os.path.isdir(place) else os.path.dirname(place))


def _repository_around(folder: str) -> str | None:
    return next((str(one) for one in (Path(folder), *Path(folder).parents) if os.path.exists(one / ".git")), None)


def _real_file(path: str, root: str, folders: dict[str, str]) -> str | None:
    """Give the real path of a regular file; None for all else, and for a link that leads out of the root.

    `folders` remembers the real paths of folders.
    """
    try:
        mode = os.lstat(path).st_mode
        if stat.S_ISLNK(mode):
            place = os.path.realpath(path)
            return place if _inside(place, root) and stat.S_ISREG(os.stat(path).st_mode) else None
    except OSError:
        return None
    if not stat.S_ISREG(mode):
        return None
    folder, name = os.path.split(path)
    return os.path.join(_real_folder(folder, folders), name)


def _real_folder(folder: str, known: dict[str, str]) -> str:
    """Give the real path of a folder; `os.path.realpath` looks at all that are above it, neighbours at one."""
    if folder not in known:
        parent, name = os.path.split(folder)
        if name in {"", os.curdir, os.pardir} or os.path.islink(folder):
            known[folder] = os.path.realpath(folder)
        else:
            if parent not in known:
                known[parent] = os.path.realpath(parent)
            known[folder] = os.path.join(known[parent], name)
    return known[folder]


def _inside(place: str, root: str) -> bool:
    root = os.path.realpath(root)
    return place == root or place.startswith(root.rstrip(os.sep) + os.sep)


def _word_in(mark: bytes) -> bytes:
    if mark[:1] not in _FIRST_OF_MARKS:
        return _PLAIN_WORD
    return next((word for bom, word in _WORDS.items() if mark.startswith(bom)), _PLAIN_WORD)


def _chunk_mentions(word: bytes, chunk: bytes, more: Callable[[int], bytes]) -> bool:
    tail = b""
    while chunk:
        text = tail + chunk.lower()
        if word in text:
            return True
        tail = text[-len(word) :]
        chunk = more(_CHUNK)
    return False


def _open(path: str) -> tuple[int, int]:
    try:
        # Looked at before it is opened: opening a device can act on it, and opening a FIFO waits for a writer.
        _require_regular(os.stat(path))
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        descriptor = os.open(path, flags)
    except OSError as error:
        raise _unreadable(error) from None
    try:
        info = os.fstat(descriptor)
        _require_regular(info)
    except UnopenedError:
        os.close(descriptor)
        raise
    return descriptor, info.st_size


_KINDS_OF_FILE: Final = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def _require_regular(info: os.stat_result) -> None:
    if not stat.S_ISREG(info.st_mode):
        what = next((name for test, name in _KINDS_OF_FILE if test(info.st_mode)), "something else")
        raise UnopenedError(f"it is {what}, not a regular file; adalint opens regular files only")


def _unreadable(error: OSError) -> UnopenedError:
    match error.errno:
        case errno.ENOENT | errno.ENOTDIR:
            return UnopenedError("it is gone; it was moved or deleted, or a link leads nowhere")
        case errno.EACCES | errno.EPERM:
            return UnopenedError("permission denied; give yourself the right to read it (`chmod u+r`)")
        case errno.ELOOP:
            return UnopenedError("its symbolic links run in a circle; mend the link")
    return UnopenedError(f"cannot be read ({_reason(error)})")


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _too_large(size: int, max_bytes: int) -> SourceError:
    return SourceError(
        f"{size:,} bytes are more than the {max_bytes:,} that adalint reads; exclude the file, or split it"
    )


def _writable_place(path: str, root: str) -> str:
    place = os.path.realpath(path)
    linked = os.path.islink(path)
    if linked and _in_model_cache(place):
        raise SourceError(
            f"it is a link to {place} in a Hugging Face cache, which other revisions share; "
            "copy the file and fix the copy"
        )
    if not _inside(place, root):
        what = f"it is a link to {place}" if linked else "it"
        raise SourceError(f"{what} lies outside {root}; fix it there, by its own name")
    return place


def _in_model_cache(place: str) -> bool:
    parents = Path(place).parents
    return parents[0].name == "blobs" and any(
        parent.name == "hub" or parent.name.startswith(("models--", "datasets--", "spaces--")) for parent in parents
    )


def _replace(place: str, data: bytes, info: os.stat_result, before: bytes) -> None:
    folder, name = os.path.split(place)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{name}.", suffix=".adalint", dir=folder)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            _keep_owner_and_mode(temporary, info)
            os.fsync(descriptor)
        if read(place, max_bytes=max(len(before), MAX_BYTES)) != before:
            raise SourceError("it changed on disk while it was being fixed; run adalint again")
        os.replace(temporary, place)
    except BaseException:
        os.unlink(temporary)
        raise
    _sync_folder(folder)


def _keep_owner_and_mode(temporary: str, info: os.stat_result) -> None:
    own = os.stat(temporary)
    if hasattr(os, "chown") and (own.st_uid, own.st_gid) != (info.st_uid, info.st_gid):
        # Only root may give files away; the content is what counts.
        with contextlib.suppress(PermissionError):
            os.chown(temporary, info.st_uid, info.st_gid)
    os.chmod(temporary, stat.S_IMODE(info.st_mode))


def _sync_folder(folder: str) -> None:
    # The new name is already in place: a system that cannot sync a folder must not turn that into a failure.
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)
