import { starts } from '../shared.js';
export const word = 'two ' + starts();
