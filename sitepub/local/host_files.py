"""Reads `_redirects` and `_headers` at the root of the source and joins them with sitepub.yaml, which has the last word."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from sitepub.core.model import Warning
from sitepub.core.paths import HOST_HEADERS as HEADERS
from sitepub.core.paths import HOST_REDIRECTS as REDIRECTS
from sitepub.core.settings import Config, Target

_MAX_BYTES = 1 << 20


def join_host_files(config: Config, target: Target) -> tuple[Config, tuple[Warning, ...]]:
    """The same configuration where there are no such files."""
    texts = {name: text for name in (REDIRECTS, HEADERS) if (text := _read(config.source / name))}
    if not texts:
        return config, ()
    from sitepub.core.host_files import join, read_headers, read_redirects

    def exists(path: str) -> bool:
        try:
            return (config.source / path).is_file()
        except OSError:  # a name longer than any file's
            return False

    rules = join(
        {
            REDIRECTS: read_redirects(texts.get(REDIRECTS, ""), url_path=target.url_path, exists=exists, taken=config.redirects),
            HEADERS: read_headers(texts.get(HEADERS, ""), exists=exists),
        }
    )
    joined = replace(config, redirects=(*config.redirects, *rules.redirects), headers=(*rules.headers, *config.headers))
    return joined, rules.warnings


def _read(path: Path) -> str:
    """Empty where there is none. Its scan has judged links before."""
    try:
        with path.open("rb") as file:
            return file.read(_MAX_BYTES).decode("utf-8-sig", "replace")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return ""
