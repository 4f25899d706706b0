// node build.mjs WEBPACK OUT: packs ./src with the webpack at that folder, and writes the page that names what came out
import { createRequire } from 'node:module';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [webpackFolder, out] = process.argv.slice(2);
const webpack = createRequire(import.meta.url)(webpackFolder);
const name = 'static/[name].[contenthash:8]';

const settings = {
  context: import.meta.dirname ?? process.cwd(),
  mode: 'production',
  entry: './src/main.js',
  devtool: 'source-map',
  experiments: { css: true },
  module: { rules: [{ test: /\.svg$/, type: 'asset/resource' }] },
  output: { path: out, filename: `${name}.js`, cssFilename: `${name}.css`, assetModuleFilename: `${name}[ext]` },
};

webpack(settings, (error, stats) => {
  if (error || stats.hasErrors()) throw error ?? new Error(stats.toString());
  const made = stats.toJson({ all: false, assets: true }).assetsByChunkName.main;
  const [style, script] = ['.css', '.js'].map((ending) => made.find((file) => file.endsWith(ending)));
  writeFileSync(join(out, 'index.html'), `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8"><title>Packed</title><link rel="stylesheet" href="${style}"><script defer src="${script}"></script></head>
  <body><h1>Packed</h1><button id="more">more</button><div id="shown"></div></body>
</html>
`);
});
