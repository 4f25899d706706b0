"""Everything that a command says, under one name: a file for each noun stands behind it. Returns strings, prints nothing."""

from __future__ import annotations

from sitepub.report_account import Account, account_as_json, account_as_text, turn_as_text, warnings_as_text
from sitepub.report_json import error_as_json, to_json
from sitepub.report_status import release_line, releases_as_json, releases_as_text, status_as_json, status_as_text
from sitepub.report_story import story_as_json, story_as_text
from sitepub.report_sweep import forgetting_as_json, forgetting_as_text, sweep_as_json, sweep_as_text, with_invalidation
from sitepub.report_whereabouts import distributions_as_json, distributions_as_text, whereabouts_as_lines

__all__ = (
    "Account",
    "account_as_json",
    "account_as_text",
    "distributions_as_json",
    "distributions_as_text",
    "error_as_json",
    "forgetting_as_json",
    "forgetting_as_text",
    "release_line",
    "releases_as_json",
    "releases_as_text",
    "status_as_json",
    "status_as_text",
    "story_as_json",
    "story_as_text",
    "sweep_as_json",
    "sweep_as_text",
    "to_json",
    "turn_as_text",
    "warnings_as_text",
    "whereabouts_as_lines",
    "with_invalidation",
)
