import { parse } from './acorn/acorn.mjs';
import { count } from './count.js';
postMessage(`module worker parses ${parse('a + 1', { ecmaVersion: 2022 }).body.length}, counts ${count()}`);
