const map = L.map('map', { zoomAnimation: false, fadeAnimation: false, crs: L.CRS.Simple }).setView([50, 50], 1);
const ground = L.imageOverlay('ground.svg', [[0, 0], [100, 100]]).addTo(map);
L.control.layers({ ground }, {}).addTo(map);
L.marker([50, 50]).addTo(map).bindPopup('Here').openPopup();
L.marker([70, 80]).addTo(map);
L.circle([30, 30], { radius: 10 }).addTo(map);
map.whenReady(() => { document.documentElement.dataset.ready = 'yes'; });
