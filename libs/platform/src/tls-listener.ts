import { readFileSync, statSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer, type Server, type ServerOptions } from 'node:https';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { ConfigError } from './config';
import type { Logger } from './logging';

/** Where an app listens with TLS; each file is PEM. */
export interface TlsListener {
  port: number;
  certFile: string;
  keyFile: string;
  /** Whose client certificates are verified; without it none are asked for. */
  clientCaFile: string | undefined;
}

const LOOK_EVERY_MS = 1_000;

/**
 * Makes a TLS server whose files are read again within a second of their change; what cannot be used leaves the old ones
 * in force. A client without a verified certificate is let in, for doors that need none: `socket.authorized` says which.
 * Throws {@link ConfigError} where the files cannot be used at first.
 */
export function tlsServer(tls: TlsListener, options: ServerOptions, handle: RequestListener, logger: Logger): Server {
  let state = stateOf(tls);
  const server = createServer(
    { ...options, ...firstOf(tls), minVersion: 'TLSv1.2', rejectUnauthorized: false },
    handle,
  );
  let warned = '';
  const timer = setInterval(() => {
    const now = stateOf(tls);
    if (now === state) return;
    try {
      const files = read(tls);
      createSecureContext(files);
      server.setSecureContext({ ...files, minVersion: 'TLSv1.2' });
      state = now;
      logger.info({ certFile: tls.certFile }, 'the TLS files were read again');
    } catch (error) {
      if (warned !== now) logger.warn({ why: codeOf(error) }, 'the TLS files were not read again; the old ones stay');
      warned = now;
    }
  }, LOOK_EVERY_MS).unref();
  server.once('close', () => clearInterval(timer));
  return server;
}

function firstOf(tls: TlsListener): SecureContextOptions & { requestCert: boolean } {
  try {
    const files = read(tls);
    createSecureContext(files);
    return { ...files, requestCert: tls.clientCaFile !== undefined };
  } catch (error) {
    throw new ConfigError([`TLS_CERT_FILE, TLS_KEY_FILE, TLS_CLIENT_CA_FILE: cannot be used (${codeOf(error)})`]);
  }
}

const read = ({ certFile, keyFile, clientCaFile }: TlsListener): SecureContextOptions => ({
  cert: readFileSync(certFile),
  key: readFileSync(keyFile),
  ca: clientCaFile === undefined ? undefined : readFileSync(clientCaFile),
});

const stateOf = ({ certFile, keyFile, clientCaFile }: TlsListener): string =>
  [certFile, keyFile, clientCaFile]
    .map((path) => {
      const stat = path === undefined ? undefined : statSync(path, { throwIfNoEntry: false });
      return stat && [stat.mtimeMs, stat.size, stat.ino].join(' ');
    })
    .join('|');

/** Nothing of the error but its code: it could repeat what stands in a file. */
const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'unreadable';
