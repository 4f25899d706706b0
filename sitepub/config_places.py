"""Text of sitepub.yaml as places: stores, URLs, hosts, and what AWS calls its own. A ValueError says why not, and never repeats the text."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from sitepub.config_values import parse_folder, parse_text
from sitepub.core.settings import BucketAddress, FolderAddress, StoreAddress

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_URL_CHARACTERS = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?#\[\]-]|%[0-9A-Fa-f]{2})*")
_PLAIN_SEGMENT = re.compile(r"[A-Za-z0-9._-]{1,64}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_AWS_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+){1,3}-\d{1,2}")

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_RESERVED_STARTS = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_ENDS = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


def parse_store(text: str) -> StoreAddress:
    """A folder comes back as written; who knows where the file stands makes it absolute."""
    parse_text(text)
    if text.startswith("s3://"):
        return parse_bucket_address(text.removeprefix("s3://"))
    if re.match(r"https?://[^/]*\bs3[.-]", text):
        raise ValueError("the bucket itself is meant, `s3://` and its name")
    if not text.startswith("file:"):
        raise ValueError("")
    path = text.removeprefix("file:")
    if not path:
        raise ValueError("it names no folder")
    if path.startswith("//"):
        path = path.removeprefix("//")
        if not path.startswith("/"):
            raise ValueError("an absolute path has three slashes, `file:///path`")
    return FolderAddress(Path(parse_folder(path)))


def parse_bucket_address(text: str) -> BucketAddress:
    """`bucket[/prefix]`."""
    bucket, _, prefix = text.partition("/")
    reason = find_bucket_mistake(bucket)
    if reason:
        raise ValueError(reason)
    prefix = prefix.removesuffix("/") or prefix
    segments = prefix.split("/") if prefix else []
    if any(segment in ("", ".", "..") for segment in segments):
        raise ValueError("the prefix holds an empty, `.` or `..` segment")
    if ".sitepub" in segments:
        raise ValueError("`.sitepub` is where sitepub keeps its own records")
    if len(prefix.encode()) > 512:
        raise ValueError("the prefix takes more than 512 bytes of the 1,024 that a key has")
    return BucketAddress(bucket, prefix)


def find_bucket_mistake(bucket: str) -> str:
    """Why S3 knows no bucket of this name; empty if it may."""
    if not 3 <= len(bucket) <= 63:
        return "a bucket's name has 3 to 63 characters"
    if not _BUCKET.fullmatch(bucket):
        return "a bucket's name is made of lower-case letters, digits, `-` and `.`, and starts and ends with a letter or digit"
    if ".." in bucket or re.fullmatch(r"(\d+\.){3}\d+", bucket):
        return "a bucket's name holds no `..` and is no IP address"
    if bucket.startswith(_RESERVED_STARTS) or bucket.endswith(_RESERVED_ENDS):
        return "S3 reserves names that start or end like this"
    return ""


class SiteUrl(Struct, frozen=True):
    """`path` starts and ends with `/`."""

    text: str
    path: str


def parse_site_url(text: str) -> SiteUrl:
    """A URL, or a path on whatever host."""
    if not text.startswith("/") and "://" not in text and re.fullmatch(r"[\w.-]+\.[a-z]{2,}(/.*)?", text):
        raise ValueError("write the scheme too, `https://`")
    if text.startswith("//"):
        raise ValueError("write the scheme too, `https:`")
    if not text.startswith("/"):
        parse_endpoint(text)
    parts = urlsplit(text)
    if not _URL_CHARACTERS.fullmatch(text):
        raise ValueError("other characters than those of a URL must be percent-encoded")
    if parts.query or parts.fragment or "?" in text or "#" in text:
        raise ValueError("it has no query and no fragment")
    path = parts.path.rstrip("/") + "/"
    if any(segment in ("", ".", "..") for segment in path.split("/")[1:-1]):
        raise ValueError("its path holds an empty, `.` or `..` segment")
    return SiteUrl(text, path)


def parse_preview_url(text: str) -> str:
    if "{name}" not in text:
        raise ValueError("without `{name}` all previews would be at one place")
    parse_site_url(text.replace("{name}", "x"))
    return text


def parse_prefix(text: str) -> str:
    """A folder, without slashes at its ends; '' is the store itself, which is written as `/`."""
    path = parse_text(text).strip("/")
    segments = path.split("/") if path else []
    if any(segment in ("", ".", "..", ".sitepub") or not _PLAIN_SEGMENT.fullmatch(segment) for segment in segments):
        raise ValueError("its segments are made of letters, digits, `-`, `_` and `.`")
    return "/".join(segments)


def parse_endpoint(text: str) -> str:
    try:
        parts = urlsplit(parse_text(text))
        _ = parts.port
    except ValueError:
        raise ValueError("") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("")
    if "@" in parts.netloc:
        raise ValueError("credentials do not belong here, AWS's credential chain finds them")
    if not parts.hostname.startswith("[") and ":" not in parts.hostname:
        parse_host(parts.hostname)
    if "?" in text or "#" in text:
        raise ValueError("it has no query and no fragment")
    return text


def parse_executor(text: str) -> str:
    if text in ("processes", "threads"):
        return text
    if not text.startswith("dask://"):
        raise ValueError("")
    try:
        parts = urlsplit(text)
        has_port = parts.port is not None
    except ValueError:
        raise ValueError("") from None
    if not parts.hostname or not has_port or f"dask://{parts.netloc}" != text or "@" in text:
        raise ValueError("a scheduler is named by host and port, as `dask://scheduler.example.com:8786`")
    return text


def parse_host(text: str) -> str:
    host = text.lower().removesuffix(".")
    if "/" in host or ":" in host:
        raise ValueError("a host name has no scheme, port or path")
    if "*" in host:
        raise ValueError("each host is named by itself")
    if not host.isascii():
        raise ValueError("write it as DNS has it, with `xn--`")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        raise ValueError("")
    return host


def parse_distribution(text: str) -> str:
    if text == "none":
        return text
    if "." in text or ":" in text or "/" in text:
        raise ValueError("the id is meant, not its domain name or ARN")
    if not re.fullmatch(r"[A-Z][A-Z0-9]{2,63}", text):
        raise ValueError("")
    return text


def parse_certificate(text: str) -> str:
    if not re.fullmatch(r"arn:aws[a-z-]*:acm:us-east-1:\d{12}:certificate/[A-Za-z0-9-]+", text, re.ASCII):
        raise ValueError("CloudFront takes certificates of ACM in us-east-1 alone" if text.startswith("arn:") else "")
    return text


def parse_zone(text: str) -> str:
    """An id of Route 53, a name, or `none`."""
    if text == "none" or re.fullmatch(r"Z[A-Z0-9]{4,31}", text, re.ASCII):
        return text
    return parse_host(text)


def parse_account(text: str) -> str:
    if not re.fullmatch(r"\d{12}", text, re.ASCII):
        raise ValueError("")
    return text


def parse_region(text: str) -> str:
    """Other servers name their regions as they like; is_aws_region knows AWS's."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,62}", text, re.ASCII):
        raise ValueError("")
    return text


def is_aws_region(text: str) -> bool:
    return bool(_AWS_REGION.fullmatch(text))


def parse_redirect_source(text: str) -> str:
    parse_text(text)
    if not text.startswith("/") or text.startswith("//"):
        raise ValueError("")
    if any(character in text for character in "?#\\*"):
        raise ValueError("it is one path, without `?`, `#`, `*` and `\\`")
    segments = text.split("/")[1:]
    if any(segment in (".", "..") for segment in segments) or "" in segments[:-1]:
        raise ValueError("it holds an empty, `.` or `..` segment")
    if ".sitepub" in segments:
        raise ValueError("`.sitepub` is where sitepub keeps its own records")
    return text


def parse_redirect_aim(text: str) -> str:
    parse_text(text)
    if text.startswith("//"):
        raise ValueError("write the scheme too, `https:`")
    if not text.startswith("/"):
        parse_endpoint(text.partition("?")[0].partition("#")[0])
    if not _URL_CHARACTERS.fullmatch(text):
        raise ValueError("other characters than those of a URL must be percent-encoded")
    if len(text.encode()) > 2000:
        raise ValueError("it is longer than 2,000 bytes")
    return text
