import { Alert } from 'bootstrap';
import { count } from '/docs/count.js';

const worker = new Worker(new URL('/docs/worker.js', import.meta.url), { type: 'module' });
const counted = await new Promise((resolve) => { worker.onmessage = (event) => resolve(event.data); });
const { late } = await import('/docs/late.js');
document.querySelector('.alert').append(`${typeof Alert} ${count()} ${late} ${counted}`);
document.documentElement.dataset.ready = 'yes';
