import { createSecretKey } from 'node:crypto';
import type { Given } from '../given';
import { HeldTables } from '../tables';

const tables = new HeldTables();
tables.load('segments', 'segments.csv', 'code,name\nent,Enterprise\nsmb,Small business\n');

/** What the examples of the reference are evaluated with. */
export const given: Given = { tables, tokenKey: createSecretKey('a key for tests', 'utf8') };
