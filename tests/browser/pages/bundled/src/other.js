import { tell, starts } from './shared.js';
const { chart } = await import('./chart.js');
chart(document.body.appendChild(document.createElement('div')));
tell(`shared started ${starts()}`);
document.documentElement.dataset.ready = 'yes';
