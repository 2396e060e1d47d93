import { isIP } from 'node:net';

/** As long as an address may be that HeyGen is asked to load. */
const MOST_URL = 2_048;

// Names that stand for a machine or a network of one's own: RFC 6761, 6762, 8375, ICANN's name for private use, and what
// people have long used so.
const OWN =
  /(^|\.)(localhost|local|localdomain|internal|intranet|private|corp|home|lan|invalid|test|example|onion|home\.arpa)$/;

/**
 * Why an address that a record gives is not passed on, as a sentence's end without the address; undefined where it is: https,
 * of a host that has a public name. A number is no name, in whatever way it is written. Where the name leads is for whoever
 * loads it to look at: nothing is asked here. Pure.
 */
export function publicUrlFault(text: string): string | undefined {
  if (text.length > MOST_URL)
    return `has ${String(text.length)} characters, and HeyGen loads from ${String(MOST_URL)} at most`;
  if (/[\s\\\p{Cc}\p{Cf}]/u.test(text)) return 'holds blanks or signs that no address has';
  const url = URL.parse(text);
  if (url?.protocol !== 'https:') return 'is no https address';
  if (url.username !== '' || url.password !== '') return 'holds a name or a password';
  const host = url.hostname.replace(/\.$/, '');
  if (host.startsWith('[') || isIP(host) !== 0) return 'names its host by a number';
  return !host.includes('.') || OWN.test(host) ? 'names a host that is not public' : undefined;
}
