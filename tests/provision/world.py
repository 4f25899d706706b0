"""A target in the fake account: what `up` and `down` are run on."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

from sitepub.aws.provision.api import Api
from sitepub.core.provision.blueprint import Blueprint
from sitepub.core.provision.removal import Removal
from sitepub.provisioning import Foreseen, Standing, foresee_up, raise_up
from sitepub.provisioning_site import Site
from sitepub.releases import Releases
from sitepub.removing import Farewell, foresee_down, take_down
from tests.support.builders import ManualClock, SilentProgress
from tests.support.fake_aws import ACCOUNT, FakeAws

FUNCTION = "function handler(event) { return event.request; }"


def make_blueprint(**changes: Any) -> Blueprint:
    usual: dict[str, Any] = {
        "bucket": "www-example-com",
        "account": ACCOUNT,
        "region": "eu-central-1",
        "domains": ("www.example.com", "example.com"),
        "function": FUNCTION,
    }
    return Blueprint(**{**usual, **changes})


@dataclass(slots=True)
class World:
    """`is_aws`: False for an endpoint that may lack something."""

    clock: ManualClock = field(default_factory=ManualClock)
    blueprint: Blueprint = field(default_factory=make_blueprint)
    is_aws: bool = True
    wait_seconds: float = 3600.0
    has_zone: bool = True
    aws: FakeAws = field(init=False)
    progress: SilentProgress = field(default_factory=SilentProgress)
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.aws = FakeAws(self.clock)
        if self.has_zone:
            self.aws.add_zone("com")
            self.aws.add_zone("example.com", is_private=True)
            self.aws.add_zone("example.com")
            self.aws.add_zone("ample.com")

    @property
    def site(self) -> Site:
        prefix = f"{self.blueprint.prefix}/.sitepub" if self.blueprint.prefix else ".sitepub"
        records = self.aws.store(self.blueprint.bucket, prefix)
        return Site(
            self.blueprint,
            Api(self.aws.client, self.clock, self.is_aws, "AWS"),
            Releases(records, self.clock, lambda: f"n{next(self.numbers)}"),
            self.clock,
            self.progress,
            wait_seconds=self.wait_seconds,
            records=records,
        )

    def foresee(self) -> Foreseen:
        return foresee_up(self.site)

    def up(self) -> Standing:
        site = self.site
        return raise_up(site, foresee_up(site))

    def foresee_down(self, **asked: bool) -> Farewell:
        return foresee_down(self.site, Removal(**asked))

    def down(self, **asked: bool) -> None:
        site = self.site
        take_down(site, foresee_down(site, Removal(**asked)))
