import * as pdfjs from './pdfjs/build/pdf.mjs';

pdfjs.GlobalWorkerOptions.workerSrc = new URL('./pdfjs/build/pdf.worker.mjs', import.meta.url).href;
const opened = await pdfjs.getDocument({
  url: 'sample.pdf',
  cMapUrl: 'pdfjs/cmaps/',
  iccUrl: 'pdfjs/iccs/',
  standardFontDataUrl: 'pdfjs/standard_fonts/',
  wasmUrl: 'pdfjs/wasm/',
}).promise;
const page = await opened.getPage(1);
const viewport = page.getViewport({ scale: 1.5 });
const canvas = document.querySelector('canvas');
canvas.width = viewport.width;
canvas.height = viewport.height;
document.querySelector('.page').style.setProperty('--total-scale-factor', '1.5');
await page.render({ canvas, viewport }).promise;
await new pdfjs.TextLayer({ textContentSource: page.streamTextContent(), container: document.querySelector('.textLayer'), viewport }).render();
document.documentElement.dataset.ready = 'yes';
