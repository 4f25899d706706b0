import { count } from './count.js';
export const counted = count();
