import { parse } from '@marcbachmann/cel-js';
import type { ReplaySelection } from '#libs/event-store';
import type { IncomingRecord } from '#libs/log';

/**
 * Makes a selection's tenant, subject and expression into a test of records. The expression is CEL
 * (https://cel.dev) over `id`, `key`, `tenant`, `subject`, `type`, `time` and `value` (the record's JSON); a record on which it
 * fails is not selected. Throws on an expression that does not parse.
 */
export function recordFilter(selection: ReplaySelection): (record: IncomingRecord) => boolean {
  const { tenant, subject, filter } = selection;
  const expression = filter === undefined ? undefined : parse(filter);
  return (record) => {
    const { envelope } = record;
    if (!envelope) return false;
    if (tenant !== undefined && envelope.tenant !== tenant) return false;
    if (subject !== undefined && envelope.subject !== subject) return false;
    return expression === undefined || holds(expression, record);
  };
}

function holds(expression: ReturnType<typeof parse>, { key, envelope, value }: IncomingRecord): boolean {
  try {
    const { id, tenant, subject, type, time } = envelope ?? {};
    const json = JSON.parse(value.toString('utf8')) as unknown;
    return expression({ id, key, tenant, subject, type, time, value: json }) === true;
  } catch {
    // A field that this record does not have: the expression does not speak of it.
    return false;
  }
}
