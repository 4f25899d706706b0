self.addEventListener('install', (event) => event.waitUntil(caches.open('v1').then((kept) => kept.addAll(['late.js', 'icon.svg', './']))));
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
