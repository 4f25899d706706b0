// Records what WHATWG `URL` (https://url.spec.whatwg.org/) makes of many spellings: node tests/core/record_urls.mjs > tests/core/fixtures/urls.json
const bases = [
  ["/", "index.html", null],
  ["/", "blog/2026/post.html", null],
  ["/docs/", "guide/a.html", null],
  ["/", "blog/post.html", "/sub/"],
  ["/docs/", "guide/a.html", "../img/x.html?y"],
  ["/", "blog/post.html", "https://cdn.other/lib/"],
  ["/", "blog/post.html", "//EX.org/deep/er/"],
  ["/", "blog/post.html", "http://www.ex.org/plain/"],
  ["/", "blog/post.html", "https://"],
];
const urls = [
  "a.png", "./a.png", "../a.png", "../../a.png", "../../../../a.png", "a/../b.png", "a/./b.png", "a/..", "a/.", "..", ".", "./", "../", "../..",
  "dir/", "dir//x.png", "//", "///", "/a.png", "/docs/a.png", "/docs/", "/docs", "/docs/../a.png", "/docs/../docs/a.png", "/docsx/a.png", "/../a.png",
  "/./a.png", "/", "/a//b", "/a/b/../../c", "/a/b/../..", "//ex.org/a.png", "//EX.ORG/a.png", "//other.org/a.png", "///ex.org/a.png", "////ex.org//a.png",
  "//ex.org", "//ex.org?x", "//ex.org:443/a.png", "//ex.org:80/a.png", "//ex.org:8443/a.png", "//ex.org:/a.png", "//ex.org:0443/a.png", "//ex.org:x/a.png",
  "//user@ex.org/a.png", "//user:pw@ex.org/a.png", "//u@v@ex.org/a.png", "//e%78.org/a.png", "//ex.org\\a.png", "\\\\ex.org\\a.png", "/\\ex.org/a.png",
  "\\/ex.org/a.png", "https://ex.org/a.png", "HTTPS://EX.ORG:443/a.png", "http://ex.org/a.png", "http://ex.org:80/a.png", "http://ex.org:443/a.png",
  "https:a.png", "https:/a.png", "https:///ex.org/a.png", "https:\\\\ex.org/a.png", "https:ex.org/a.png", "https:", "https:?q", "https://", "http:", "http:/ex.org/a.png",
  "http:ex.org/a.png", "https://www.ex.org/a.png", "https://ex.org./a.png", "https://münchen.example/a.png", "https://xn--mnchen-3ya.example/a.png",
  "https://MÜNCHEN.example/a.png", "data:image/png;base64,AA==", "blob:https://ex.org/1", "mailto:a@b.c", "javascript:void(0)", "about:blank", "HTTP://other/",
  "ftp://ex.org/a.png", "ws://ex.org/a", "file:///a.png", "tel:1", "a:b", "1:b", "a b:c.png", "./a:b.png", ":a.png", "#id", "#", "", " ", "?x", "?", "?x#y", "a.png?v=3#x",
  "f.eot?#iefix", "s.svg#icon", "a.png?b/../c", "a.png#b/../c", "a?b?c#d#e", "img\\a.png", "..\\a.png", "a.p\nng", "\ta.png", " a.png ", "a.png\r\n", "a\t/..\n/b.png",
  "\u0000a.png", "\u001f a.png\u0001", "my%20file.png", "my file.png", "%41.png", "a%2epng", "%2e%2e/a.png", "%2E%2e/a.png", ".%2e/a.png", "%2e./a.png", "%2e/a.png", "%2e",
  "%2E%2E", "...", ".../a.png", "%2e%2e%2e/a.png", ".a/..b/c..", "a%2Fb.png", "a%2f..%2fb.png", "a%5Cb.png", "caf%C3%A9.png", "café.png", "cafe\u0301.png", "日本/語.png",
  "a%FFb.png", "a%zz.png", "a%.png", "a%2.png", "100%", "%00.png", "a+b.png", "a&b.png", "a;b.png", "a%23b.png", "a%3Fb.png", "a*b'(c)!.png", "a|b^c`d{e}[f].png",
  "<a>\"b\".png", "a~b.png", "a@b.png", "a=b,c$.png", "C:/x.png", "c|/x.png", "/C:/x.png", "a/b/c/../../../../../d", "a//../b", "a/b//../../c", ";a", "&a", "😀.png",
];
const origin = "https://ex.org";
const domains = ["ex.org", "www.ex.org:80", "münchen.example"];
const rows = [];
for (const [mount, page, base] of bases) {
  for (const url of urls) {
    const document = new URL(origin + mount + page);
    let resolved = null;
    try {
      let root = document;
      if (base !== null) { try { root = new URL(base, document); } catch { /* a base that is no URL is ignored */ } }
      const found = new URL(url, root);
      resolved = { protocol: found.protocol, host: found.host, pathname: found.pathname, search: found.href.split("#")[0].includes("?") };
    } catch { /* not a URL */ }
    rows.push({ mount, page, base, url, resolved });
  }
}
process.stdout.write(JSON.stringify({ domains, rows }, null, 0).replaceAll('{"mount"', '\n{"mount"') + "\n");
