"""All that `up` wants for a target, with the names by which it is found again. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from sitepub.core.edge import ERROR_PAGE
from sitepub.core.model import INDEX
from sitepub.core.partitions import AWS, partition_of_region, require_cdn
from sitepub.core.policy import keys_arn
from sitepub.core.settings import BucketAddress, PriceClass, Target
from sitepub.errors import ConfigurationError, UsageError

TAG = "sitepub"
"""The tag of all that is ours; its value is the blueprint's name. What can't be tagged has the name itself, and says so in its comment."""

_NOT_OURS = re.compile(r"(^|\.)(localhost|local|test|invalid|internal|cloudfront\.net|amazonaws\.com(\.cn)?)$|^[0-9.]+$|:")


class Blueprint(Struct, frozen=True):
    """`distribution`: the id of one that stands already. `zone`, `certificate`: as sitepub.yaml names them. `function`: the edge function's
    text, `left_out`: paths whose redirects find no room in it. `file`: the user's distribution config. `is_compatible`: an S3 server without
    the rest of AWS. `lacks_error_page`: the site as built has none. `takes_plain_http`: its S3 has no TLS, so none is demanded."""

    bucket: str
    account: str
    region: str
    prefix: str = ""
    partition: str = "aws"
    url_path: str = "/"
    domains: tuple[str, ...] = ()
    has_distribution: bool = True
    distribution: str | None = None
    zone: str | None = None
    certificate: str | None = None
    price_class: str = PriceClass.ALL
    function: str = ""
    left_out: tuple[str, ...] = ()
    file: Mapping[str, Any] | None = None
    is_compatible: bool = False
    lacks_error_page: bool = False
    takes_plain_http: bool = False

    @property
    def name(self) -> str:
        """Of letters, digits and `-`, 64 at most: the strictest of CloudFront's names."""
        store = str(BucketAddress(self.bucket, self.prefix))
        return f"sitepub-{self.bucket[:40].replace('.', '-')}-{hashlib.sha256(store.encode()).hexdigest()[:10]}"

    @property
    def comment(self) -> str:
        """128 characters at most. By it and its name is known what has no tags."""
        return f"made by sitepub: {self.name}"

    @property
    def origin_domain(self) -> str:
        return f"{self.bucket}.s3.{self.region}.amazonaws.com"

    @property
    def origin_path(self) -> str:
        """The folder of the bucket that stands for the host's root: a mounted site's prefix ends with the path that it is mounted at."""
        path = f"/{self.prefix}" if self.prefix else ""
        return path.removesuffix(self.url_path.rstrip("/")) if self.url_path != "/" else path

    @property
    def error_page(self) -> str:
        return self.url_path + ERROR_PAGE

    @property
    def root_object(self) -> str:
        return self.url_path.removeprefix("/") + INDEX

    @property
    def bucket_arn(self) -> str:
        return f"arn:{self.partition}:s3:::{self.bucket}"

    @property
    def keys_arn(self) -> str:
        return keys_arn(self.partition, BucketAddress(self.bucket, self.prefix))

    @property
    def sid(self) -> str:
        """Of letters and digits, as the ids of statements are."""
        return f"SitepubRead{self.name.rpartition('-')[2]}"


def make_blueprint(
    target: Target,
    *,
    account: str,
    region: str,
    endpoint_url: str | None = None,
    is_compatible: bool = False,
    function: str = "",
    left_out: tuple[str, ...] = (),
    file: Mapping[str, Any] | None = None,
) -> Blueprint:
    """`endpoint_url`: of S3, where the environment names one. Raises ConfigurationError for what can't be made."""
    store = check_target(target)
    has_distribution = target.distribution != "none" and not is_compatible
    if has_distribution:
        _check_world(target, region)
        _check_mount(target, store)
    endpoint = target.endpoint_url or endpoint_url or ""
    return Blueprint(
        bucket=store.bucket,
        prefix=store.prefix,
        account=account,
        region=region,
        partition=partition_of_region(region).name,
        url_path=target.url_path,
        domains=tuple(find_domains(target)) if has_distribution else (),
        has_distribution=has_distribution,
        distribution=target.distribution if has_distribution else None,
        zone=target.zone,
        certificate=target.certificate,
        price_class=target.price_class,
        function=function,
        left_out=left_out,
        file=file,
        is_compatible=is_compatible,
        takes_plain_http=endpoint.startswith("http://"),
    )


def check_target(target: Target) -> BucketAddress:
    """The bucket that is to be set up. Raises UsageError for a preview, ConfigurationError for a folder."""
    if target.preview is not None:
        hint = f"name `{target.preview.of}` itself; `sitepub gc --preview {target.preview.name}` removes a preview"
        raise UsageError("preview-stands-in-a-site", f"`{target.name}` is a preview, which stands in what was set up for others", hint)
    if not isinstance(target.store, BucketAddress):
        message = f"`{target.name}` is published to a folder, there is nothing to set up"
        raise ConfigurationError("no-bucket-named", message, "write `store: s3://…` in the target, or choose another with `--target`")
    return target.store


def find_domains(target: Target) -> Iterator[str]:
    """The host of `url:`, then those of `domains:`; names of one's own machine and AWS's own need neither certificate nor record."""
    host = urlsplit(target.url).hostname or ""
    for name in dict.fromkeys((host.lower(), *target.domains)):
        if "." in name and not _NOT_OURS.search(name):
            yield name


def _check_world(target: Target, region: str) -> None:
    """China's CloudFront has other rules: approved names, other certificates, another zone of aliases, no cache tags."""
    require_cdn(region)
    partition = partition_of_region(region)
    if partition is not AWS:
        message = f"`{target.name}` is in `{region}`: `sitepub up` makes no distribution in {partition.words}"
        hint = "`distribution: none` makes the bucket alone; name a distribution of your own in `distribution:` afterwards"
        raise ConfigurationError("no-up-there", message, hint)


def _check_mount(target: Target, store: BucketAddress) -> None:
    """Requests reach the bucket with their whole path, so the keys must have it too."""
    path = target.url_path.strip("/")
    if path and path != store.prefix and not store.prefix.endswith(f"/{path}"):
        message = f"`{target.name}` is mounted at `/{path}/`, so that visitors ask for keys below `{path}/`, but the store is `{store}`"
        raise ConfigurationError("mounted-elsewhere", message, f"let the store's prefix end with it: `s3://{store.bucket}/{path}`")
