"""What a disk says, as errors that users can act on."""

from __future__ import annotations

import contextlib
import errno
import stat
from collections.abc import Iterator
from pathlib import Path

from sitepub.core.model import Key
from sitepub.errors import ConfigurationError, RefusedError, SitepubError, StoppedError


@contextlib.contextmanager
def explain_disk_failures(key: Key, where: str) -> Iterator[None]:
    try:
        yield
    except OSError as failure:
        raise explain_disk_failure(failure, key, where) from failure


def explain_disk_failure(failure: OSError, key: Key, where: str) -> SitepubError:
    name = failure.filename if isinstance(failure.filename, str) else key
    match failure.errno:
        case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
            return ConfigurationError("disk-full", f"no space left for `{key}` in `{where}`", "make room, then publish again")
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return ConfigurationError("folder-forbidden", f"`{name}` in `{where}`: {_say(failure)}", "check its owner and mode")
        case errno.ENAMETOOLONG:
            return ConfigurationError("name-too-long", f"`{key}` is too long a name for `{where}`", "shorten it in the source")
        case errno.EISDIR | errno.EEXIST | errno.ENOTEMPTY:
            return RefusedError(
                "folder-blocks-file", f"`{key}` can't be written: a folder stands there in `{where}`", "remove the folder or move it away"
            )
        case errno.ENOTDIR:
            return explain_blocked_folder(find_blocking_file(Path(name)) or Path(name), where)
        case _:
            return StoppedError("disk-fault", f"`{name}` in `{where}`: {_say(failure)}", "check the disk, then publish again")


def explain_blocked_folder(blocking: Path, where: str) -> RefusedError:
    return RefusedError("file-blocks-folder", f"`{blocking}` is a file where `{where}` needs a folder", "remove the file or move it away")


def find_blocking_file(folder: Path) -> Path | None:
    """A file that stands at `folder` or above it."""
    return next((above for above in (folder, *folder.parents) if _is_no_folder(above)), None)


def _is_no_folder(path: Path) -> bool:
    """Looks once: between two looks a delete beside us may take a folder away."""
    try:
        return not stat.S_ISDIR(path.stat().st_mode)
    except OSError:
        return False


def explain_missing(key: Key, where: str) -> StoppedError:
    return StoppedError("missing-body", f"`{key}` is not in `{where}`", "run `sitepub verify`")


def _say(failure: OSError) -> str:
    return (failure.strerror or str(failure)).lower()
