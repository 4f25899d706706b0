import { count } from './count.js';

const told = [];
const ask = (worker) => new Promise((resolve, reject) => {
  worker.onmessage = (event) => resolve(event.data);
  worker.onerror = (event) => reject(new Error(event.message));
});

told.push(`page counts ${count()}`);
told.push(await ask(new Worker(new URL('./module-worker.js', import.meta.url), { type: 'module' })));
told.push(await ask(new Worker('classic-worker.js')));
const { instance } = await WebAssembly.instantiateStreaming(fetch(new URL('./add.wasm', import.meta.url)));
told.push(`wasm adds ${instance.exports.add(2, 3)}`);
const late = await import('./late.js');
told.push(`late counts ${late.counted}`);
await navigator.serviceWorker.register('sw.js');
await navigator.serviceWorker.ready;
told.push(`kept ${(await (await caches.open('v1')).keys()).map((kept) => new URL(kept.url).pathname).join(' ')}`);
document.querySelector('ol').append(...told.map((text) => Object.assign(document.createElement('li'), { textContent: text })));
document.documentElement.dataset.ready = 'yes';
