import { sorted, StoreUnavailable } from '../errors';
import { NotBuilt } from './record-list';

/** Why a read model that somebody waits for could not be read: it is not built, or the database does not answer in time. */
export function unread(error: unknown, model: string): unknown {
  // No tables, or those of an older version, until they are built anew.
  if (error instanceof Error && 'code' in error && ['42P01', '42703'].includes(String(error.code)))
    return new NotBuilt(model);
  // The client's own limit, for a database that takes the question and says nothing.
  if (error instanceof Error && error.message === 'Query read timeout') return new StoreUnavailable({ cause: error });
  return sorted(error);
}
