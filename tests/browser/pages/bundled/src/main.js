import './main.css';
import anchor from './anchor.svg';
import { tell, starts } from './shared.js';
import Counting from './counting.js?worker';

document.querySelector('h1').append(Object.assign(new Image(40), { src: anchor }));
tell('main');
new Counting().onmessage = (event) => { document.querySelector('h1').append(event.data); document.documentElement.dataset.counted = 'yes'; };
document.getElementById('more').addEventListener('click', async () => {
  const { chart } = await import('./chart.js');
  chart(document.getElementById('shown'));
  for (const name of ['one', 'two']) tell((await import(`./words/${name}.js`)).word);
  tell(`shared started ${starts()}`);
  document.documentElement.dataset.ready = 'yes';
});
