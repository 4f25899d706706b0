import { count } from '/docs/count.js';
postMessage(count());
