"""JSON, compressed: how documents and records are stored."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sitepub.errors import ConfigurationError

PIECE_BYTES = 1 << 20


def compress_tree(tree: Mapping[str, object]) -> bytes:
    """The same tree, in the same order, gives the same bytes with the same zstandard."""
    import zstandard

    return zstandard.ZstdCompressor(level=3, write_content_size=True).compress(json.dumps(tree, separators=(",", ":")).encode())


def compress_pieces(pieces: Sequence[bytes]) -> bytes:
    """A text that is never held as a whole: it decompresses to its pieces, one after the other."""
    import zstandard

    compressor = zstandard.ZstdCompressor(level=3, write_content_size=True).compressobj(size=sum(map(len, pieces)))
    return b"".join([*map(compressor.compress, pieces), compressor.flush()])


def decompress_tree(stored: bytes, where: str) -> dict[str, Any]:
    """What was compressed; it has a `format`, whichever. Raises ConfigurationError `damaged-release`."""
    import zstandard

    try:
        tree = json.loads(zstandard.ZstdDecompressor().decompress(stored))
    except (zstandard.ZstdError, ValueError) as error:
        raise damaged_release(where) from error
    if not isinstance(tree, dict) or "format" not in tree:
        raise damaged_release(where)
    return tree


def text_size(stored: bytes, where: str) -> int:
    """Bytes of the text that was compressed, as its frame says. Raises ConfigurationError `damaged-release`."""
    import zstandard

    try:
        return zstandard.frame_content_size(stored)
    except zstandard.ZstdError as error:
        raise damaged_release(where) from error


def decompress_pieces(stored: bytes, where: str) -> Iterator[str]:
    """The text that was compressed, ASCII, some of it at a time. Raises ConfigurationError `damaged-release`; what was cut short ends early."""
    import zstandard

    try:
        with zstandard.ZstdDecompressor().stream_reader(stored) as reader:
            while piece := reader.read(PIECE_BYTES):
                yield piece.decode("ascii")
    except (zstandard.ZstdError, ValueError) as error:
        raise damaged_release(where) from error


def damaged_release(where: str) -> ConfigurationError:
    """To be raised for what stands at `where`."""
    return ConfigurationError("damaged-release", f"`{where}` is not what sitepub wrote there", "run `sitepub verify --repair`")
