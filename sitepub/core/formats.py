"""Versions of what sitepub remembers, and the names of what it looks for: constants that a run with nothing to do needs, and no more."""

from __future__ import annotations

SURVEYS = 9
"""Grows with every change of a scanner or of the form of surveys, so that no cache answers with what an older one found."""

NAMES = 1
"""Grows with every change that gives unchanged files other names."""

BUNDLER_MANIFESTS = (
    *(".vite/manifest.json", "asset-manifest.json", "build-manifest.json", "assets-manifest.json", "rev-manifest.json"),
    "hashmap.json",  # of VitePress
)
"""Files in which bundlers list what they wrote, relative to the folder that they wrote into."""
