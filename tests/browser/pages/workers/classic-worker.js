importScripts('acorn/acorn.js', 'plain.js');
postMessage(`classic worker parses ${acorn.parse('b; c', { ecmaVersion: 2022 }).body.length}, ${plain}`);
