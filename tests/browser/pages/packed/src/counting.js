import('./words/one.js').then(({ word }) => postMessage('counted ' + word));
