"""What an edge does with a path: one table for every program that does it."""

from __future__ import annotations

from dataclasses import dataclass

from sitepub.core.edge import EdgeRules, Moved, make_edge_rules
from sitepub.core.settings import Redirect, UrlStyle

REDIRECTS = (
    Redirect("/old/", "/new/"),
    Redirect("/page", "/new/page/", 302),
    Redirect("/gone.html", "https://other.org/x?y=1", 308),
    Redirect("/caf%C3%A9/", "/coffee/", 307),
)


@dataclass(frozen=True, slots=True)
class Routed:
    """`leads_to`: by style of URLs, where these differ."""

    sentence: str
    path: str
    leads_to: str | Moved | dict[UrlStyle, str | Moved]
    url_path: str = "/"

    def wanted(self, style: UrlStyle) -> str | Moved:
        return self.leads_to[style] if isinstance(self.leads_to, dict) else self.leads_to

    def rules(self, style: UrlStyle) -> EdgeRules:
        return make_edge_rules(REDIRECTS, url_path=self.url_path, url_style=style)


def page(path: str) -> dict[UrlStyle, str | Moved]:
    return {UrlStyle.DIRECTORY: Moved(301, f"{path}/"), UrlStyle.FILE: f"{path}.html", UrlStyle.BOTH: f"{path}/index.html"}


ROUTED = (
    Routed("the root is its page", "/", "/index.html"),
    Routed("a folder is its page", "/docs/", "/docs/index.html"),
    Routed("a stored page is itself", "/docs/index.html", "/docs/index.html"),
    Routed("a file is itself", "/css/app.0123456789ab.css", "/css/app.0123456789ab.css"),
    Routed("digits in an ending", "/a.woff2", "/a.woff2"),
    Routed("digits before an ending's letter", "/a.7z", "/a.7z"),
    Routed("a long ending", "/site.webmanifest", "/site.webmanifest"),
    Routed("a name without ending is a page", "/docs", page("/docs")),
    Routed("below another folder too", "/docs/guide", page("/docs/guide")),
    Routed("a version is a folder", "/v1.2", page("/v1.2")),
    Routed("and so is one with more numbers", "/docs/release-1.10.3", page("/docs/release-1.10.3")),
    Routed("an ending with a dash is none", "/v1.2-beta", page("/v1.2-beta")),
    Routed("a dot in a folder's name says nothing", "/v1.2/guide", page("/v1.2/guide")),
    Routed("what is well known keeps its name", "/.well-known/apple-app-site-association", "/.well-known/apple-app-site-association"),
    Routed("but for its folders", "/.well-known/x/", "/.well-known/x/index.html"),
    Routed("escapes stay", "/my%20page/", "/my%20page/index.html"),
    Routed("a redirect", "/old/", Moved(301, "/new/")),
    Routed("its stored page", "/old/index.html", Moved(301, "/new/")),
    Routed("its folder without the slash", "/old", Moved(301, "/new/")),
    Routed("nothing below it", "/old/x.png", "/old/x.png"),
    Routed("a redirect from a page, with its own status", "/page", Moved(302, "/new/page/")),
    Routed("to elsewhere", "/gone.html", Moved(308, "https://other.org/x?y=1")),
    Routed("from an escaped path", "/caf%C3%A9/", Moved(307, "/coffee/")),
    Routed("a mounted root", "/docs/", "/docs/index.html", url_path="/docs/"),
    Routed("a mounted redirect", "/docs/old/", Moved(301, "/docs/new/"), url_path="/docs/"),
    Routed("well known below the mount", "/docs/.well-known/x", "/docs/.well-known/x", url_path="/docs/"),
)
