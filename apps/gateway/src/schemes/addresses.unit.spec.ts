import { codeOf, inbound } from '../testing/inbound';
import { AddressSet, addressesRule, senderAddress, verifyAddress } from './addresses';

const set = new AddressSet(['192.0.2.0/24', '198.51.100.7', '2001:db8::/32', '::1']);

it.each([
  ['192.0.2.1', '192.0.2.0/24'],
  ['192.0.2.255', '192.0.2.0/24'],
  ['::ffff:192.0.2.1', '192.0.2.0/24'],
  ['::FFFF:c000:0201', '192.0.2.0/24'],
  ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.0/24'],
  ['198.51.100.7', '198.51.100.7'],
  ['2001:DB8:0:0::1', '2001:db8::/32'],
  ['::1', '::1'],
])('finds %s in %s', (address, range) => {
  expect(set.rangeOf(address)).toBe(range);
});

it.each([
  '192.0.3.1',
  '198.51.100.8',
  '2001:db9::1',
  '::192.0.2.1',
  '64:ff9b::192.0.2.1',
  '::ffff:192.0.3.1',
  '192.0.2.1/24',
  '192.0.2.01',
  '192.0.2',
  '3221225985',
  '',
  'localhost',
  'unknown',
])('does not find %p', (address) => {
  expect(set.rangeOf(address)).toBeUndefined();
});

it.each([
  ['192.0.2.0/33'],
  ['192.0.2.0/'],
  ['192.0.2.0/24/1'],
  ['2001:db8::/129'],
  ['::ffff:192.0.2.0/120'],
  ['fe80::1%eth0'],
  ['example.test'],
  ['192.0.2.0/-1'],
])('takes %p for no range', (range) => {
  expect(addressesRule.safeParse({ scheme: 'addresses', allow: [range] }).success).toBe(false);
});

it('takes a range of all addresses for what it says', () => {
  expect(new AddressSet(['0.0.0.0/0']).has('203.0.113.1')).toBe(true);
  expect(new AddressSet(['0.0.0.0/0']).has('2001:db8::1')).toBe(false);
  expect(new AddressSet([]).has('203.0.113.1')).toBe(false);
});

const proxies = new AddressSet(['10.0.0.0/8', '::1']);

it.each([
  ['a sender that connects itself', '203.0.113.9', '192.0.2.1', '203.0.113.9'],
  ['one proxy', '10.0.0.1', '192.0.2.1', '192.0.2.1'],
  ['an IPv4 proxy on an IPv6 socket', '::ffff:10.0.0.1', '192.0.2.1', '192.0.2.1'],
  ['a chain of proxies', '10.0.0.1', '192.0.2.1, 10.0.0.3,10.0.0.2', '192.0.2.1'],
  ['what the sender wrote before the proxy', '10.0.0.1', '198.51.100.7, 192.0.2.1', '192.0.2.1'],
  ['an untrusted proxy between', '10.0.0.1', '192.0.2.1, 203.0.113.9, 10.0.0.2', '203.0.113.9'],
  ['only proxies', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
  ['no header', '10.0.0.1', undefined, '10.0.0.1'],
  ['an empty header', '10.0.0.1', '', '10.0.0.1'],
  ['ports', '10.0.0.1', '[2001:db8::9]:443, 10.0.0.2:8080', '2001:db8::9'],
  ['a name', '10.0.0.1', '192.0.2.1, unknown', undefined],
  ['rubbish', '10.0.0.1', '192.0.2.1, <script>', undefined],
])('knows the sender behind %s', (_name, peer, forwarded, sender) => {
  expect(senderAddress(inbound({ peer, headers: { 'x-forwarded-for': forwarded } }), proxies)).toBe(sender);
});

it('accepts and refuses by the address of the sender', () => {
  const verify = (peer: string, forwarded: string) =>
    codeOf(() => verifyAddress(inbound({ peer, headers: { 'x-forwarded-for': forwarded } }), set, proxies));
  expect(verify('10.0.0.1', '192.0.2.1')).toEqual({ says: '192.0.2.0/24' });
  expect(verify('203.0.113.9', '192.0.2.1')).toBe('address-not-allowed');
  expect(verify('10.0.0.1', 'unknown')).toBe('address-not-allowed');
});
