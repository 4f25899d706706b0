"""A temporary folder tells of itself alone."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from sitepub.errors import ConfigurationError
from sitepub.local.export import temporary_folder


def test_what_its_user_meets_with_is_told_as_it_is() -> None:
    with pytest.raises(BrokenPipeError), temporary_folder() as folder:
        (folder / "a").write_text("a")
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
    assert not folder.exists()
    with pytest.raises(FileNotFoundError), temporary_folder():
        Path("/nowhere/else").read_text()


def test_a_folder_that_is_full_or_can_not_be_made_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="No space left on device") as caught, temporary_folder():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert caught.value.code == "no-temporary-space"
    with pytest.raises(ConfigurationError, match="Not a directory"), temporary_folder() as folder:
        (folder / "a").write_text("a")
        (folder / "a/b").write_text("b")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    with pytest.raises(ConfigurationError, match="No such file or directory"), temporary_folder():
        pytest.fail("there is no such folder")
