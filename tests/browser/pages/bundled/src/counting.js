postMessage('counted ' + (await import('./words/one.js')).word);
