/** Someone else was quicker: a moved version, an existing mark, a deadlock. Roll back and look again. */
export class Conflict extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.name = 'Conflict';
  }
}

/** The database cannot be reached or is going down: nothing was decided; wait and try the same again. */
export class StoreUnavailable extends Error {
  constructor(options: ErrorOptions) {
    super('the event store is unavailable', options);
    this.name = 'StoreUnavailable';
  }
}

const conflicts = new Set(['23505', '40001', '40P01']);

// Classes 08 (connection), 53 (resources), 57 (operator) and 58 (system) of Postgres' error codes, appendix A; 25006 is
// a primary that became a read replica, 25P03 an idle transaction that the server ended, 25P04 one that ran too long.
const isAway = (code: string | undefined): boolean =>
  code === undefined || /^(08|53|57|58)/.test(code) || ['25006', '25P03', '25P04', '55P03'].includes(code);

/** Sorts an error of `pg` by what the receiver must do: {@link Conflict}, {@link StoreUnavailable}, or itself (a bug). */
export function sorted(error: unknown): unknown {
  if (error instanceof Conflict || error instanceof StoreUnavailable) return error;
  if (!Error.isError(error)) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  if (code !== undefined && conflicts.has(code)) return new Conflict(error.message, { cause: error });
  const fromServer = code !== undefined && /^[0-9A-Z]{5}$/.test(code);
  if (fromServer ? isAway(code) : isLostConnection(error, code)) return new StoreUnavailable({ cause: error });
  return error;
}

function isLostConnection(error: Error, code: string | undefined): boolean {
  if (code?.startsWith('E')) return true; // ECONNREFUSED, ECONNRESET, EPIPE, …
  return /connection|timeout exceeded when trying to connect|Client was closed|not queryable/i.test(error.message);
}
