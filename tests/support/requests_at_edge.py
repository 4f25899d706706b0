"""What an edge does with a path: one table for every program that does it."""

from __future__ import annotations

from dataclasses import dataclass

from sitepub.core.edge import HIDDEN, EdgeRules, Moved, make_edge_rules
from sitepub.core.settings import Redirect, UrlStyle

REDIRECTS = (
    Redirect("/old/", "/new/"),
    Redirect("/page", "/new/page/", 302),
    Redirect("/gone.html", "https://other.org/x?y=1", 308),
    Redirect("/caf%C3%A9/", "/coffee/", 307),
    Redirect("/part/", "/new/#part"),
    Redirect("/c++/", "/cpp/"),
    Redirect("/%E2%82%AC.html", "/euro/%E2%82%AC", 302),
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


def page(path: str, stored: str = "") -> dict[UrlStyle, str | Moved]:
    """`stored`: how the store is asked for it, where that is not how a visitor asks."""
    stored = stored or path
    return {UrlStyle.DIRECTORY: Moved(301, f"{path}/"), UrlStyle.FILE: f"{stored}.html", UrlStyle.BOTH: f"{stored}/index.html"}


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
    Routed("and from one that was escaped otherwise", "/%63af%c3%a9/", Moved(307, "/coffee/")),
    Routed("and from one that was not escaped", "/caf\u00e9/", Moved(307, "/coffee/")),
    Routed("from another", "/%e2%82%ac.html", Moved(302, "/euro/%E2%82%AC")),
    Routed("from a path with a plus", "/c%2B%2B/index.html", Moved(301, "/cpp/")),
    Routed("letters are not escaped", "/%64ocs/%69ndex%2Ehtml", "/docs/index.html"),
    Routed("a slash that is escaped is one", "/docs%2findex.html", "/docs/index.html"),
    Routed("escapes are in upper case", "/my%e2%82%acpage.html", "/my%E2%82%ACpage.html"),
    Routed("what must be escaped is", '/a|b [c]"<\u00e9\U0001f600>.html', "/a%7Cb%20%5Bc%5D%22%3C%C3%A9%F0%9F%98%80%3E.html"),
    Routed("a percent sign that escapes nothing is itself", "/100%/%zz%4.html", "/100%25/%25zz%254.html"),
    Routed("what is escaped twice is unescaped never", "/%252e%252e/%2525.html", "/%252e%252e/%2525.html"),
    Routed("bytes that are no text stay", "/%ff%C3.html", "/%FF%C3.html"),
    Routed("a plus is none to a store unless it is escaped", "/c++/a+b.html", "/c%2B%2B/a%2Bb.html"),
    Routed("nor if it was", "/b%2b%2B/", "/b%2B%2B/index.html"),
    Routed("a page's name with a plus", "/c++11", page("/c++11", "/c%2B%2B11")),
    Routed("many slashes are one", "//docs///index.html", "/docs/index.html"),
    Routed("another host is a folder", "//other.org/x", page("/other.org/x")),
    Routed("also if it is escaped", "/%2F/other.org%2fx", page("/other.org/x")),
    Routed("and behind a backslash", "/\\other.org/x", page("/%5Cother.org/x")),
    Routed("a line break makes no header", "/x%0d%0aSet-Cookie:%20a=b", page("/x%0D%0ASet-Cookie:%20a=b")),
    Routed("folders above are for browsers to find", "/a/../b/", "/a/../b/index.html"),
    Routed("what is ours is hidden", "/.sitepub/state.json", HIDDEN),
    Routed("its folder too", "/.sitepub", HIDDEN),
    Routed("however it is escaped", "/%2e%73itepub%2Fstate.json", HIDDEN),
    Routed("behind slashes", "//.sitepub//state.json", HIDDEN),
    Routed("and folders", "/docs/x/../.sitepub/releases/", HIDDEN),
    Routed("what only looks like it is not", "/x.sitepub/a.html", "/x.sitepub/a.html"),
    Routed("a mounted root", "/docs/", "/docs/index.html", url_path="/docs/"),
    Routed("a mounted redirect", "/docs/old/", Moved(301, "/docs/new/"), url_path="/docs/"),
    Routed("well known below the mount", "/docs/.well-known/x", "/docs/.well-known/x", url_path="/docs/"),
    Routed("the mount without its slash", "/docs", Moved(302, "/docs/"), url_path="/docs/"),
    Routed("the host's root leads to the mount", "/", Moved(302, "/docs/"), url_path="/docs/"),
    Routed("what is beside the mount is left alone", "/other/x+y", "/other/x%2By", url_path="/docs/"),
    Routed("even what is redirected below it", "/old/", "/old/", url_path="/docs/"),
    Routed("ours below the mount", "/docs/.sitepub/state.json", HIDDEN, url_path="/docs/"),
    Routed("ours beside the mount", "/.sitepub/state.json", HIDDEN, url_path="/docs/"),
    Routed("a mount that has to be escaped", "/caf%c3%a9/", "/caf%C3%A9/index.html", url_path="/caf\u00e9/"),
    Routed("and a redirect below it", "/caf%C3%A9/old", Moved(301, "/caf%C3%A9/new/"), url_path="/caf\u00e9/"),
)
