"""What holds of every scan of any bytes."""

from __future__ import annotations

from sitepub.core.references.model import Scan


def check_sound(body: bytes, scan: Scan) -> None:
    """Spans are ordered, within the file and apart; a digest goes before what spells a dot, inside its span."""
    end = 0
    for one in scan.references:
        assert end <= one.start <= one.end <= len(body)
        assert one.dot == -1 or one.start <= one.dot < one.end
        assert one.dot == -1 or body[one.dot : one.dot + 1] in (b".", b"\\", b"%")
        assert one.line == body.count(b"\n", 0, one.start) + 1
        end = one.end
