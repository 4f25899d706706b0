"""How long `cover()` takes and what it evicts: some of many live paths changed, beside the only other one-item answer, `/*`.

    python benchmarks/cover.py [--live 1000000] [--changed 100000] [--items 1000] [--scatter pages|folders] [--tags]

Weights are random, so that hardly two covers are equally good. Prints one line for each run.
"""

from __future__ import annotations

import argparse
import random
import resource
import time
from collections import defaultdict

from sitepub.invalidation import Cover, cover


def make_paths(count: int, chance: random.Random) -> list[str]:
    """Folders up to five deep, some much fuller than others."""
    paths = set[str]()
    while len(paths) < count:
        folders = "/".join(f"w{int(chance.random() ** 2 * 40):x}" for _ in range(chance.randint(1, 5)))
        paths.add(f"/{folders}/{chance.randrange(10**6)}.html")
    return sorted(paths)


def choose_changed(paths: list[str], count: int, scatter: str, chance: random.Random) -> list[str]:
    """`pages`: anywhere, evenly. `folders`: runs of neighbours of all lengths."""
    if scatter == "pages":
        return chance.sample(paths, count)
    changed = set[str]()
    while len(changed) < count:
        start = chance.randrange(len(paths))
        changed.update(paths[start : start + chance.choice((1, 10, 100, 1000, 5000))])
    return sorted(changed)[:count]


def tag_paths(paths: list[str], chance: random.Random) -> dict[str, list[str]]:
    """Each folder, all, and a thousand shared assets of which every page loads three."""
    tags = defaultdict[str, list[str]](list)
    for path in paths:
        parts = path.split("/")
        for depth in range(2, len(parts)):
            tags["d" + "/".join(parts[1:depth])].append(path)
        for _ in range(3):
            tags[f"a{int(chance.random() ** 3 * 1000)}"].append(path)
        tags["all"].append(path)
    return dict(tags)


def describe(found: Cover, everything: float, seconds: float) -> str:
    wildcards = sum(item.endswith("*") for item in found.items)
    tags = sum(item.startswith("#") for item in found.items)
    kinds = f"{len(found.items)} items ({wildcards} wildcards, {tags} tags)"
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return f"{seconds:.1f} s processor, {kinds}, evicts {found.collateral / everything:.1%} of what `/*` would without need, {memory} MB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--live", type=int, default=1_000_000)
    parser.add_argument("--changed", type=int, default=100_000)
    parser.add_argument("--items", type=int, nargs="+", default=[1000])
    parser.add_argument("--scatter", choices=("pages", "folders"), default="folders")
    parser.add_argument("--tags", action="store_true")
    options = parser.parse_args()
    chance = random.Random(1)
    paths = make_paths(options.live, chance)
    live = {path: chance.random() for path in paths}
    changed = choose_changed(paths, options.changed, options.scatter, chance)
    tags = tag_paths(paths, chance) if options.tags else {}
    everything = sum(live.values()) - sum(live[path] for path in changed)
    for items in options.items:
        started = time.process_time()
        found = cover(changed, live, max_items=items, tags=tags)
        print(f"{options.scatter}, {items} items at most:", describe(found, everything, time.process_time() - started), flush=True)


if __name__ == "__main__":
    main()
