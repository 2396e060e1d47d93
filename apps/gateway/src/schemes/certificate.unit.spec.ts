import { codeOf, inbound } from '../testing/inbound';
import { AddressSet } from './addresses';
import { certificateRule, verifyCertificate } from './certificate';

const proxies = new AddressSet(['10.0.0.0/8']);
const HASH = '468ed33be74eee6556d90c0149c1309e9ba61d6425303443c0748a02dd8de688';
const verify = (declared: object, value: string | undefined, peer = '10.0.0.1') => {
  const rule = certificateRule.parse({ scheme: 'certificate', ...declared });
  return codeOf(() => verifyCertificate(inbound({ peer, headers: { [rule.header]: value } }), rule, proxies));
};
const accepted = { says: 'by x-forwarded-client-cert' };

// The example of Envoy's documentation (HTTP header manipulation, x-forwarded-client-cert), with one element.
const xfcc = `By=http://frontend.lyft.com;Hash=${HASH};Subject="/C=US/ST=CA/L=San Francisco/OU=Lyft/CN=Test Client";URI=http://testclient.lyft.com;DNS=lyft.com;DNS=www.lyft.com`;

it.each([
  [{ fingerprints: [HASH] }],
  [{ fingerprints: ['00'.repeat(32), HASH.toUpperCase().replace(/(..)(?=.)/g, '$1:')] }],
  [{ subjects: ['/C=US/ST=CA/L=San Francisco/OU=Lyft/CN=Test Client'] }],
  [{ sans: ['http://testclient.lyft.com'] }],
  [{ sans: ['www.lyft.com'] }],
  [{ fingerprints: [HASH], sans: ['lyft.com'] }],
])('accepts Envoy’s example by %p', (rule) => {
  expect(verify(rule, xfcc)).toEqual(accepted);
});

it.each([
  [{ fingerprints: ['00'.repeat(32)] }],
  [{ subjects: ['CN=Test Client'] }],
  [{ sans: ['http://frontend.lyft.com'] }],
  [{ fingerprints: [HASH], sans: ['other.test'] }],
])('refuses it by %p', (rule) => {
  expect(verify(rule, xfcc)).toBe('certificate-not-accepted');
});

it('believes nobody but a trusted proxy', () => {
  expect(verify({ fingerprints: [HASH] }, xfcc, '203.0.113.9')).toBe('certificate-missing');
  expect(verify({ fingerprints: [HASH] }, undefined)).toBe('certificate-missing');
  expect(verify({ fingerprints: [HASH] }, '')).toBe('certificate-missing');
});

it.each([
  ['two elements, as of a proxy that appends', `Hash=${HASH},Hash=${'0'.repeat(64)}`],
  ['an element that was put in by a name', `URI=x,Hash=${HASH}`],
  ['two fingerprints', `Hash=${HASH};Hash=${HASH}`],
  ['a quote without end', `Hash=${HASH};Subject="CN=a`],
  ['a value in a quoted one', `Subject="x;Hash=${HASH}"`],
  ['no pairs', HASH],
])('refuses %s', (_name, value) => {
  expect(verify({ fingerprints: [HASH] }, value)).toBe('certificate-not-accepted');
});

it('reads quotes inside of a subject', () => {
  expect(verify({ subjects: ['CN="A, Inc."; O=x'] }, 'Subject="CN=\\"A, Inc.\\"; O=x"')).toEqual(accepted);
});

it('reads a header that holds just one value', () => {
  const fingerprint = { header: 'X-SSL-Fingerprint', format: 'fingerprint', fingerprints: ['ab'.repeat(20)] };
  expect(verify(fingerprint, 'AB'.repeat(20))).toEqual({ says: 'by x-ssl-fingerprint' });
  expect(verify(fingerprint, 'ab'.repeat(19))).toBe('certificate-not-accepted');
  const subject = { header: 'x-dn', format: 'subject', subjects: ['CN=a,O=b'] };
  expect(verify(subject, 'CN=a,O=b')).toEqual({ says: 'by x-dn' });
  expect(verify(subject, 'CN=a')).toBe('certificate-not-accepted');
});

it('refuses declarations that accept nothing, or what their format does not tell', () => {
  const isFine = (rule: object) => certificateRule.safeParse({ scheme: 'certificate', ...rule }).success;
  expect(isFine({})).toBe(false);
  expect(isFine({ fingerprints: ['xyz'] })).toBe(false);
  expect(isFine({ format: 'subject', fingerprints: [HASH] })).toBe(false);
  expect(isFine({ format: 'subject', subjects: ['a'], sans: ['b'] })).toBe(false);
});
