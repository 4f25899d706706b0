"""Where elements end whose content is text and not markup: `<script>`, `<style>`, `<textarea>` and their like in HTML."""

from __future__ import annotations

import re
from collections.abc import Mapping

RAW_TEXT_ELEMENTS = frozenset({b"iframe", b"noembed", b"noframes", b"script", b"style", b"textarea", b"title", b"xmp"})

_ENDS: Mapping[bytes, re.Pattern[bytes]] = {
    name: re.compile(rb"</" + name + rb"(?=[\t\n\f\r />])", re.IGNORECASE) for name in RAW_TEXT_ELEMENTS
}
_SCRIPT_STEP = re.compile(rb"<(?:(/script)(?=[\t\n\f\r />])|!--)", re.IGNORECASE)
_ESCAPED_STEP = re.compile(rb"(-->)|<(/?)script(?=[\t\n\f\r />])", re.IGNORECASE)


def find_end_of_raw_text(body: bytes, name: bytes, start: int) -> int | None:
    """Where the end tag of element `name` begins whose content starts at `start`; None: it goes on to the end of the file."""
    if name == b"script":
        return _find_end_of_script(body, start)
    end = _ENDS[name].search(body, start)
    return end.start() if end else None


def _find_end_of_script(body: bytes, position: int) -> int | None:
    while step := _SCRIPT_STEP.search(body, position):
        if step[1] is not None:
            return step.start()
        end, position = _leave_escape(body, step.start() + 2)
        if end is not None or position < 0:
            return end
    return None


def _leave_escape(body: bytes, position: int) -> tuple[int | None, int]:
    """Behind `<!--` in a script a `</script>` ends it only if no `<script` stands open. Returns its end, or where the escape is over.

    https://html.spec.whatwg.org/multipage/parsing.html#script-data-escaped-state; `position` is at the dashes, for `<!-->` is over at once.
    """
    is_double = False
    while step := _ESCAPED_STEP.search(body, position):
        position = step.end()
        if step[1] is not None:
            return None, position
        if not step[2]:
            is_double = True
        elif is_double:
            is_double = False
        else:
            return step.start(), position
    return None, -1
