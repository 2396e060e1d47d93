import type { Environment } from './settings.mts';

const ofTheSystem = ['PATH', 'HOME', 'TMPDIR', 'TZ', 'LANG', 'LC_ALL', 'NODE_EXTRA_CA_CERTS', 'NODE_OPTIONS'];
const ofTheNetwork = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];
const ofEveryApp = ['LOG_LEVEL', 'SHUTDOWN_LIMIT', 'TOPIC_PREFIX', 'TOPIC_REPLICATION', 'INBOX_DAYS', 'RECEIPT_DAYS'];
const names = new Set([...ofTheSystem, ...ofTheNetwork, ...ofEveryApp]);

/** Returns the part of the environment that every process may see: nothing of it is a secret of a vendor or a store. */
export function inherited(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => names.has(name) || name.startsWith('OTEL_')));
}
