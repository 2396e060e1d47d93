export { type FetchAnswer, type FetchRequest, fetchFrom, type System } from './fetch.client';
