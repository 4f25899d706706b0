import './chart.css';
import { tell } from './shared.js';
import waves from './waves.svg';
export function chart(place) {
  place.className = 'chart';
  place.append(Object.assign(new Image(), { src: waves }));
  tell('chart');
}
