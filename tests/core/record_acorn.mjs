// Records what acorn finds in the scripts of the packages of tests/sites-package.json, as the truth of tests/core/test_javascript_oracle.py:
//   node tests/core/record_acorn.mjs tests/.sites/npm/node_modules > tests/core/fixtures/acorn.json
// A finding is a letter and the byte span of a literal: s static import or export from, d import(), r import.meta.resolve(),
// u new URL(…, import.meta.url); c is a computed import() and its offset.
import { createRequire } from "node:module";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";

const root = resolve(process.argv[2]);
const require = createRequire(join(root, "index.js"));
const acorn = require("acorn");
const walk = require("acorn-walk");
const packages = ["@fortawesome/fontawesome-free", "acorn", "acorn-walk", "bootstrap", "dompurify", "katex", "leaflet", "marked", "monaco-editor",
  "pdfjs-dist", "reveal.js", "swagger-ui-dist", "three", "vite"];

function* scripts(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && entry.name !== "node_modules") yield* scripts(path);
    else if (entry.isFile() && /\.(js|mjs|cjs)$/.test(entry.name)) yield path;
  }
}

function parse(text) {
  const options = { ecmaVersion: "latest", allowHashBang: true, allowReturnOutsideFunction: true };
  for (const sourceType of ["module", "script"]) {
    try {
      return { sourceType, tree: acorn.parse(text, { ...options, sourceType }) };
    } catch {}
  }
  return null;
}

const isMeta = (node) => node?.type === "MetaProperty" && node.meta.name === "import";
const isMember = (node, name) => node?.type === "MemberExpression" && isMeta(node.object) && node.property.name === name;
const isLiteral = (node) =>
  (node?.type === "Literal" && typeof node.value === "string") || (node?.type === "TemplateLiteral" && node.expressions.length === 0);

function find(tree) {
  const found = [];
  const add = (kind, node) => found.push([kind, node.start + 1, node.end - 1]);
  const statement = (node) => node.source && add("s", node.source);
  walk.full(tree, (node) => {
    if (/^(Import|ExportNamed|ExportAll)Declaration$/.test(node.type)) statement(node);
    else if (node.type === "ImportExpression") isLiteral(node.source) ? add("d", node.source) : found.push(["c", node.start]);
    else if (node.type === "CallExpression" && isMember(node.callee, "resolve") && isLiteral(node.arguments[0])) add("r", node.arguments[0]);
    else if (node.type === "NewExpression" && node.callee.name === "URL" && isMember(node.arguments[1], "url") && isLiteral(node.arguments[0]))
      add("u", node.arguments[0]);
  });
  return found.sort((a, b) => a[1] - b[1]);
}

function toBytes(text, found) {
  let at = 0, bytes = 0;
  const convert = (offset) => {
    bytes += Buffer.byteLength(text.slice(at, offset));
    at = offset;
    return bytes;
  };
  return found.map(([kind, ...offsets]) => kind + offsets.map(convert).join("-")).join(" ");
}

const truth = { acorn: acorn.version, packages: {}, unparsed: [] };
for (const name of packages) {
  const folder = join(root, name);
  const files = {};
  for (const path of scripts(folder)) {
    const text = readFileSync(path, "utf8");
    const parsed = parse(text);
    const file = relative(folder, path);
    if (parsed === null) truth.unparsed.push(`${name}/${file}`);
    else files[file] = toBytes(text, find(parsed.tree));
  }
  truth.packages[name] = { version: JSON.parse(readFileSync(join(folder, "package.json"))).version, files };
}
process.stdout.write(JSON.stringify(truth, null, 0).replaceAll('","', '",\n"') + "\n");
