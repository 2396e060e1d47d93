import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { ClientCertificate } from './inbound';

const known = new WeakMap<Socket, ClientCertificate>();

/** The client certificate of a connection; undefined where there is none or it was not verified. */
export function clientCertificateOf(socket: Socket): ClientCertificate | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const read = known.get(socket);
  if (read) return read;
  const certificate = socket.getPeerX509Certificate();
  if (!certificate) return undefined;
  const found = readCertificate(certificate);
  known.set(socket, found);
  return found;
}

const readCertificate = (certificate: X509Certificate): ClientCertificate => ({
  fingerprints: [certificate.fingerprint, certificate.fingerprint256],
  // OpenSSL has escaped what is in a value, also line ends.
  subject: certificate.subject.split('\n').reverse().join(','),
  sans: sansIn(certificate.subjectAltName ?? ''),
});

/** The DNS names and URIs of Node's list, in which a value that could be mistaken for more stands as JSON. */
export function sansIn(list: string): string[] {
  const entry = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^",]*)(, |$)/y;
  const sans: string[] = [];
  while (entry.lastIndex < list.length) {
    const found = entry.exec(list);
    if (!found) return [];
    const [, kind = '', value = ''] = found;
    if (kind === 'DNS' || kind === 'URI') sans.push(value.startsWith('"') ? (JSON.parse(value) as string) : value);
  }
  return sans;
}
