"""Nets under the tests: nothing leaves the machine, nobody's credentials or configuration are read."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import MutableMapping
from pathlib import Path

DEAD_PROXY = "http://127.0.0.1:9"
"""Nothing listens there. Native clients and other processes, which no hook of ours reaches, are sent to it."""

_DROPPED = ("AWS_", "GIT_", "SITEPUB_", "BOTO_")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


class NetworkRefused(RuntimeError):
    """A test reached out of the machine."""


def refuse_network() -> None:
    """For the rest of the process: an audit hook can't be taken away, by no library either."""
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        if isinstance(address, tuple) and not is_loopback(str(address[0])):
            raise NetworkRefused(f"tests may connect to loopback only, not to {address[0]}")
    elif event == "socket.getaddrinfo":
        host = arguments[0]
        if host is not None and not is_loopback(host.decode() if isinstance(host, bytes) else str(host)):
            raise NetworkRefused(f"tests may look up loopback only, not {host!r}")


def is_loopback(host: str) -> bool:
    if host in ("", "localhost") or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def clear_environment(environment: MutableMapping[str, str], home: Path) -> None:
    """An account that owns nothing: an empty home, no credentials, a git identity of its own."""
    for name in [name for name in environment if name.startswith(_DROPPED) or name.lower() in _PROXIES]:
        del environment[name]
    home.mkdir(parents=True, exist_ok=True)
    for name, value in make_environment(home).items():
        environment[name] = value


def make_environment(home: Path) -> dict[str, str]:
    proxies = dict.fromkeys((*_PROXIES, *(name.upper() for name in _PROXIES)), DEAD_PROXY)
    return {
        **proxies,
        "NO_PROXY": "127.0.0.1,localhost,::1",
        "no_proxy": "127.0.0.1,localhost,::1",
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "share"),
        "XDG_STATE_HOME": str(home / "state"),
        "AWS_CONFIG_FILE": str(home / "aws-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(home / "aws-credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "GIT_CONFIG_GLOBAL": str(write_git_configuration(home)),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CEILING_DIRECTORIES": str(home.parent),
    }


def write_git_configuration(home: Path) -> Path:
    path = home / "gitconfig"
    path.write_text(
        "[user]\n\tname = Test\n\temail = test@example.com\n"
        '[init]\n\tdefaultBranch = main\n[commit]\n\tgpgSign = false\n[gc]\n\tauto = 0\n[protocol "file"]\n\tallow = always\n'
    )
    return path
