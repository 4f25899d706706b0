"""Edge cases, group E: scripts and modules."""

from __future__ import annotations

from sitepub.core.model import FileClass
from sitepub.core.settings import Aliases
from tests.edge_cases.table import Row, Site, javascript, shown

PAGE = '<script type=module src="/main•.js"></script>'


def _pinned(files: dict[str, str], *warnings: str) -> Site:
    base = {"index.html": PAGE, "main•.js": 'import "./l/a.js"', "l/a.js": 'import "../c•.js"', "c•.js": "1"}
    return Site(base | files, classes={"l/a.js": FileClass.PINNED}, warnings=warnings)


ROWS = (
    Row(
        "E1",
        "static imports in all forms",
        javascript(
            {
                "an import for its effect": 'import"./a•.js"',
                "default and named imports without a space": "import d,{x as y}from'./a•.js'",
                "a namespace import": 'import*as n from "./a•.js"',
                "a default and a namespace": 'import d, * as n from "./a•.js"',
                "an import across lines and comments": 'import // "./x.js"\n d /* from "./y.js" */ ,\n{ x, // }\n y }\nfrom\n/**/"./a•.js"',
                "a comment that ends in a dot before an import": '// ends here.\nimport "./a•.js"; // and here.\nimport("./b•.js")',
                "percent-encoding, a query and a fragment": 'import "./a%20b•%2ejs?v=1.2#x.y"',
                "wide white space": 'x\u2028import "./a•.js";\xa0import "./b•.js"; // c\u2029import "./d•.js"',
                "names that are not ASCII": 'import é from "./é•.js"; éimport("./x.js")',
                "carriage returns": 'import "./a•.js"\r// import "./b.js"\rimport "./c•.js"',
                "an absolute path and other hosts": 'import "/js/a•.js"; import "https://ex.org"; import "//ex.org"',
                "a label and a condition": 'x ? import("./a•.js") : y; if (z) import("./b•.js")',
            }
        ),
    ),
    Row(
        "E2",
        "names may be strings",
        javascript(
            {
                "names as strings": 'import {"str name.js" as z} from "./a•.js"; export {"x.js" as "y.js"} from "./b•.js"',
                "exports from": 'export*from"./a•.js"; export * as ns from "./b•.js"; export {default} from "./c•.js"; export * as "d.js" from "./d•.js"',
                "an export of names only": 'export {a, b as c}; "./x.js"',
                "words that can be names": 'import from from "./a•.js"; import source from "./b•.js"; import defer, {as as from} from "./c•.js"',
            }
        ),
    ),
    Row(
        "E3",
        "import attributes and phases",
        javascript(
            {
                "import attributes": 'import j from "./a•.json" with {type:"json.x"}; import k from "./b•.css" assert {type: "css"}',
                "phases": 'import source s from "./a•.wasm"; import defer * as d from "./b•.js"; import.source("./c•.wasm"); import.defer("./d•.js")',
            }
        ),
    ),
    Row(
        "E4",
        "dynamic imports of a literal",
        javascript(
            {
                "dynamic imports": 'import("./a•.js"); import ( /* x.js */ "./b•.js" ); import(`./c•.js`); import("./d•.js", {with: {type: "json"}})',
            }
        ),
    ),
    Row(
        "E5",
        "a computed import keeps the name of all that it can mean",
        javascript(
            {
                "a computed import is left": 'import(`./l/${x}.js`); import("./" + x); import(x + "./a.js"); import(x ? "./a.js" : "./b.js")',
            }
        )
        | {
            "a template": Site(
                {"index.html": PAGE, "main•.js": 'import "./l/a.js"; import(`./l/${x}.js`)', "l/a.js": "export {}"},
                classes={"l/a.js": FileClass.PINNED},
            ),
            "a sum": Site(
                {"index.html": PAGE, "main•.js": 'import "./l/a.js"; import("./l/" + x)', "l/a.js": "export {}"},
                classes={"l/a.js": FileClass.PINNED},
            ),
            "another folder is not meant": Site(
                {"index.html": PAGE, "main•.js": 'import "./m/a•.js"; import(`./l/${x}.js`)', "m/a•.js": "export {}"}
            ),
        },
    ),
    Row(
        "E6",
        "comments, strings and templates import nothing",
        javascript(
            {
                "specifiers in comments": '// import "./a.js"\n/* import("./a.js") */ /** @type {import("./htmx.js")} */ var x',
                "specifiers in strings and templates": '"import \'./a.js\'"; \'import("./a.js")\'; `import("./a.js")`; import.meta',
            }
        ),
    ),
    Row(
        "E7",
        "code in templates is code",
        javascript(
            {
                "an import within a template": '`${import("./a•.js")}`',
                "nested templates with braces and strings": '`a${`b${ {c:"}`", d:{}} }` + import("./a•.js")}${"}"}`; import("./b•.js")',
                "an escaped backtick and a lone dollar": '`\\`${"$"}$ $\\{ ${1}`; import("./a•.js")',
                "an object in a template": '`${f({a: 1}, import("./a•.js"))}`',
            }
        ),
    ),
    Row(
        "E8",
        "regular expressions are told from divisions",
        javascript(
            {
                "quotes in regular expressions": "x=/[\"'`/]/; import('./a•.js')",
                "a slash in a class": "x = /[/\"]/; import('./a•.js')",
                "a regular expression after if": "if (x) /\"/.test(y); import('./a•.js')",
                "one after while with nested parentheses": "while (a(b)(c)) /'/.exec(y); import('./a•.js')",
                "one after a head with strings in it": "if (a(\")\") && '(') /'/.test(x); import('./a•.js')",
                "one after a long head": "for (a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),a(b),c) /'/.test(x); import('./a•.js')",
                "one after a block": "if (x) {}\n/'/.test(y); import('./a•.js')",
                "one after return and typeof": "function f(){return/\"/} typeof /'/; import('./a•.js')",
                "one after an arrow, an operator and a comment": "x=>/'/; y = z && /'/; w = /* c */ /'/ // d\n/2; import('./a•.js')",
                "one with an escaped slash": "x = /\\/'/; import('./a•.js')",
                "one that is divided": "x = /'/g / 2 / /'/.y; import('./a•.js')",
                "a property named like a keyword": "x = a.return / b; '/'; import('./a•.js')",
                "divisions by a slash in quotes": "a++/'/'.b; c--/'/'.b; d[0]/'/'.b; (e)/'/'.b; 1./'/'.b; 'f'/'/'.b; `g`/'/'.b; h/'/'.b; import('./a•.js')",
                "a sum with a regular expression": "a + /'/; b - /'/; import('./a•.js')",
                "a division that looks like the regular expression of a method": "x = (a)/'/g.x'/2; import('./a•.js')",
                "a head with a regular expression in it": "if (/[(']/.test(x)) /'/.test(y); import('./a•.js')",
                "a head with a template in it": "if (`(${a})(${b}('`) /'/.test(y); import('./a•.js')",
                "a division over lines with a comment": "x=a//c'\n/2; import('./a•.js')",
                "a spread import": "x = [...import('./a•.js')]",
            }
        ),
    ),
    Row(
        "E9",
        "properties and longer words are not the keyword",
        javascript(
            {
                "properties and longer words": 'o.import("./a.js"); $import("./a.js"); x={import:1}; importx("./a.js"); o?.import("./a.js"); o.#import("./a.js")',
                "methods named import": 'class A { import(){} import(a){} async import(a, b){} static import("./x.js".y){} }; o = {import(a = "./a.js"){}}',
                "export as a property": 'o.export("./a.js"); exports.a = "./a.js"; x = {export: 1}; import.meta',
            }
        ),
    ),
    Row(
        "E10",
        "import.meta.resolve is rewritten, import.meta.url is not",
        javascript(
            {
                "import.meta.url is no reference, resolve is": 'import.meta.url; import.meta.resolve("./a•.js"); import.meta.resolve(x)',
            }
        ),
    ),
    Row(
        "E11",
        "a URL beside the module",
        javascript(
            {
                "a URL beside the module": "new URL('./a•.png', import.meta.url).href; new URL(`b•.png`, import.meta.url,)",
                "a URL beside something else": "new URL('./a.png', document.baseURI); new URL('./a.png'); URL('./a.png', import.meta.url); new URL('./a.png', import.meta.url.x)",
                "a URL of a longer name": "new MyURL('./a.png', import.meta.url); new URLPattern('./a.png', import.meta.url); new x.URL('./a.png')",
            }
        ),
    ),
    Row(
        "E12",
        "a worker beside the module is rewritten, one beside the document keeps its name",
        javascript(
            {
                "a worker beside the module": "new Worker(new URL('./a•.js', import.meta.url), {type: 'module'}); new SharedWorker(new URL('./b•.js', import.meta.url))",
                "a worker by a plain string resolves against the document": "new Worker('a.js'); new SharedWorker('./b.js'); new Worker(`c.js`, {})",
            }
        )
        | {
            "an alias of the worker": Site(
                {"index.html": "<script src=a•.js></script><script src=w•.js></script>", "a•.js": "new Worker('w.js')", "w•.js": "1"}
            )
        },
    ),
    Row(
        "E13",
        "service workers keep their names",
        javascript(
            {
                "service workers": "navigator.serviceWorker.register('/sw.js'); navigator.serviceWorker.register(new URL('./sw2.js', import.meta.url)); new Workbox('/sw3.js')",
            }
        )
        | {
            "one by its registration, with what it imports": Site(
                {
                    "index.html": '<script>navigator.serviceWorker.register("/offline.js")</script>',
                    "offline.js": 'importScripts("lib•.js")',
                    "lib•.js": "1",
                },
                classes={"offline.js": FileClass.ENTRY},
            )
        },
    ),
    Row(
        "E14",
        "importScripts, relative to the worker",
        javascript(
            {
                "importScripts": "importScripts('a•.js', \"b•.js\",`c•.js`, d, 'e.js'); self.importScripts('f•.js'); x.importScripts('g.js')",
            }
        )
        | {
            "relative to the worker": Site(
                {
                    "index.html": "<script type=module src=js/a•.js></script>",
                    "js/a•.js": "new Worker(new URL('./w•.js', import.meta.url))",
                    "js/w•.js": "importScripts('lib•.js', '../x•.js')",
                    "js/lib•.js": "1",
                    "x•.js": "2",
                }
            )
        },
    ),
    Row(
        "E15",
        "specifiers that name no file",
        javascript(
            {
                "bare names and names without an ending": 'import "react"; import "lodash/get.js"; import "#inner.js"; import "./a"; import "./dir/"; import "@scope/a.js"',
                "specifiers of other schemes": 'import "node:fs.x"; import "data:text/javascript,a.b"',
            }
        )
        | {
            "a missing file is told of, a bare name is not": Site(
                {"index.html": PAGE, "main•.js": 'import "react"; import "./a"; import "./dir/"', "a.js": "1"},
                warnings=("loads `a`, which", "loads `dir/`, which"),
            )
        },
        otherwise="A file that is not there is told of; a bare name is the business of an import map, so it is not.",
    ),
    Row(
        "E16",
        "modules that import each other, or themselves, are named as one",
        javascript(
            {
                "a module that imports itself": 'import * as self from "./self•.js"',
            }
        )
        | {
            "three in a circle": Site(
                {"index.html": PAGE, "main•.js": 'import "./b•.js"', "b•.js": 'import "./c•.js"', "c•.js": 'import "./main•.js"'}
            ),
            "one that imports itself": Site({"index.html": PAGE, "main•.js": 'import "./main•.js"'}),
        },
    ),
    Row(
        "E17",
        "a module that something reaches unseen has one URL everywhere",
        {
            "a string": _pinned({"main•.js": 'import "./l/a.js"; const name = "./l/a.js"; import(name)'}),
            "an attribute": _pinned({"index.html": PAGE + '<div data-module="l/a.js"></div>'}),
            "inline JSON": _pinned({"index.html": PAGE + '<script type="application/json">{"m": "l/a.js"}</script>'}),
            "a folder of an import map": _pinned({"index.html": '<script type=importmap>{"imports":{"l/":"/l/"}}</script>' + PAGE}),
            "a key of an import map": _pinned({"index.html": '<script type=importmap>{"imports":{"/l/a.js":"/c•.js"}}</script>' + PAGE}),
            "a frozen module": _pinned({"_astro/x.js": 'import "../l/a.js"'}),
            "a script that can't be followed": _pinned({"x.js": 'import("./l/a.js"); "open'}, "`x.js` has a string without an end"),
            "nothing of the kind": Site({"index.html": PAGE, "main•.js": 'import "./l/a•.js"', "l/a•.js": "export {}"}),
        },
    ),
    Row(
        "E18",
        "preload and import name the same URL",
        {
            "a page and a module": Site(
                {"index.html": '<link rel=modulepreload href="l/a•.js">' + PAGE, "main•.js": 'import "./l/a•.js"', "l/a•.js": "export {}"}
            )
        },
    ),
    Row(
        "E19",
        "what an import map names follows, or stays for good",
        {
            "values and exact scopes": Site(
                {
                    "index.html": '<script type=importmap>{"imports":{"lib":"/lib•.js"},"scopes":{"/main•.js":{"dep":"/dep•.js"}}}</script>'
                    + PAGE,
                    "main•.js": 'import "lib"; import "dep"',
                    "lib•.js": "1",
                    "dep•.js": "2",
                }
            ),
            "a key that is a URL": Site(
                {
                    "index.html": '<script type=importmap>{"imports":{"/x.js":"/y•.js"}}</script>' + PAGE,
                    "main•.js": 'import "./x.js"',
                    "x.js": "1",
                    "y•.js": "2",
                },
                classes={"x.js": FileClass.PINNED},
            ),
            "its integrity": Site(
                {
                    "index.html": '<script type=importmap>{"integrity":{"/main•.js":"sha384-⟨sha384 main.js⟩"}}</script>' + PAGE,
                    "main•.js": 'import "./b•.js"',
                    "b•.js": "1",
                }
            ),
        }
        | shown("tests/core/test_json.py::test_an_import_map_names_its_modules_keys_and_prefixes"),
        otherwise="A key that is a URL keeps the module of that URL under its plain name (E17); values and exact scopes follow.",
    ),
    Row(
        "E20",
        "what is below a folder in an import map stays",
        {
            "with a prefix": Site(
                {
                    "index.html": '<script type=importmap>{"imports":{"lib/":"/lib/"}}</script>' + PAGE,
                    "main•.js": 'import "./lib/a.js"; import "./c•.js"',
                    "lib/a.js": "1",
                    "c•.js": "2",
                },
                classes={"lib/a.js": FileClass.PINNED},
            )
        },
    ),
    Row(
        "E21",
        "marks in front of a script, and comments like those of HTML",
        javascript(
            {
                "a byte order mark": '\ufeffimport "./a•.js"',
                "a hashbang": '#!/usr/bin/env node "it\'s"\nimport "./a•.js"',
                "a hashbang after a byte order mark": '\ufeff#!node\'\nimport "./a•.js"',
                "HTML-like comments in a classic script": "<!-- don't\nimportScripts('a•.js')\n --> won't\nimportScripts('b•.js')",
                "their signs as operators in a module": "import './a•.js'; x = a<!--b; import('./b•.js')",
            }
        ),
    ),
    Row(
        "E22",
        "a script that can't be followed is left whole, and told of",
        {
            "with its plain names": Site(
                {
                    "index.html": "<script src=a•.js></script><script type=module src=b.js></script>",
                    "a•.js": 'import("./b.js"); "open',
                    "b.js": "export {}",
                },
                classes={"b.js": FileClass.PINNED},
                warnings=("`a.js` has a string without an end, from line 1; it is published as it is",),
            )
        }
        | shown("tests/core/test_javascript.py::test_script_that_cannot_be_followed_is_left_whole"),
    ),
    Row(
        "E23",
        "strings are left, and what they name keeps its plain name",
        javascript(
            {
                "plain strings": "'img/a.png'; fetch('data.json'); el.src = 'a.png'; import.meta",
            }
        )
        | {
            "with an alias by evidence": Site(
                {"index.html": "<script src=a•.js></script><img src=img/a•.png>", "a•.js": "el.src = 'img/a.png'", "img/a•.png": "x"},
                settings={"aliases": Aliases.AUTO},
            )
        },
    ),
    Row(
        "E24",
        "Leaflet finds its icons by their name",
        {
            "its stylesheet is not edited": Site(
                {
                    "index.html": '<link rel=stylesheet href="l/leaflet•.css">',
                    "l/leaflet•.css": ".leaflet-default-icon-path{background-image:url(images/marker-icon.png)}",
                    "l/images/marker-icon.png": "1",
                },
                classes={"l/images/marker-icon.png": FileClass.PINNED},
            )
        },
    ),
    Row(
        "E25",
        "chunks that a bundler's code names stay as they are",
        {
            "in the bundler's folder": Site(
                {
                    "index.html": "<script src=/_next/static/main.js></script>",
                    "_next/static/main.js": 'e => "./" + {1:"ab12"}[e] + ".js"',
                    "_next/static/ab12.js": 'import "../../x.js"',
                    "x.js": "1",
                },
                classes={"_next/static/main.js": FileClass.FROZEN, "_next/static/ab12.js": FileClass.FROZEN, "x.js": FileClass.PINNED},
            )
        },
    ),
    Row(
        "E26",
        "syntax tells a module, not the name",
        {
            "a classic script and a module": Site(
                {
                    "index.html": "<script src=a•.js></script><script type=module src=b•.mjs></script>",
                    "a•.js": 'import("./c•.js")',
                    "b•.mjs": 'import "./c•.js"; import d from "./d•.json" with {type: "json"}',
                    "c•.js": "export {}",
                    "d•.json": '{"a": "c.js"}',
                }
            ),
            "a file of another runtime is a leaf": Site(
                {"index.html": "<script src=a•.cjs></script>", "a•.cjs": 'require("./b.cjs")', "b.cjs": "1"}
            ),
        }
        | shown("tests/core/test_javascript.py::test_module_is_known_by_its_syntax"),
    ),
    Row(
        "E27",
        "hostile and huge scripts are read in linear time",
        shown("tests/core/test_javascript.py::test_hostile_shapes_are_read_once", "tests/core/test_javascript.py::test_bundle_on_one_line"),
    ),
    Row(
        "E28",
        "escapes in specifiers are undone to look the file up",
        javascript(
            {
                "escaped specifiers": 'import "./a•\\u002ejs"; import \'./caf\\xe9•.js\'; import "./\\u{61}•\\x2ejs"; import("./a\\\nb•.js")',
            }
        ),
    ),
    Row(
        "E29",
        "data for hydration keeps old names, which work as aliases",
        {
            "with an alias by evidence": Site(
                {"index.html": '<img src=a•.png><script id=__NEXT_DATA__ type="application/json">{"src":"/a.png"}</script>', "a•.png": "x"},
                settings={"aliases": Aliases.AUTO},
            )
        },
    ),
)
