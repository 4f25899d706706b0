import { count } from './count.js';
export const late = count();
