import type { Environment } from './settings.mts';

const names =
  /^(PATH|HOME|TMPDIR|TZ|LANG|LC_.*|NODE_EXTRA_CA_CERTS|NODE_OPTIONS|HTTPS?_PROXY|NO_PROXY|LOG_LEVEL|OTEL_.*)$/i;

/** Returns the part of the environment that every process may see: nothing of it is a secret of a vendor or a store. */
export function inherited(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => names.test(name)));
}
