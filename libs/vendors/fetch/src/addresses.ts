import { BlockList, isIP } from 'node:net';

const rangesOf = (family: 'ipv4' | 'ipv6', ranges: readonly string[]): BlockList => {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/');
    list.addSubnet(address, Number(prefix), family);
  }
  return list;
};

// IANA's special-purpose registry of IPv4, as far as it is not reachable from everywhere, and multicast.
const special = rangesOf('ipv4', [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  // A cloud's own host, which stands at a public address.
  '168.63.129.16/32',
]);

// Of IPv6 only this is unicast for everyone; whatever holds an IPv4 address inside or is set aside is not.
const global = rangesOf('ipv6', ['2000::/3']);
const setAside = rangesOf('ipv6', ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']);

// No system is there, in no network: metadata of clouds, link-local, multicast, "this host".
const nowhere = {
  ipv4: rangesOf('ipv4', [
    '0.0.0.0/8',
    '100.100.100.200/32',
    '169.254.0.0/16',
    '168.63.129.16/32',
    '192.0.0.0/24',
    '224.0.0.0/3',
  ]),
  ipv6: rangesOf('ipv6', ['::/128', 'fe80::/10', 'ff00::/8', 'fd00:ec2::/32', '64:ff9b::/96', '2002::/16', '::/96']),
};
const loopback6 = rangesOf('ipv6', ['::1/128']);

/** Whether a system may be asked at an address; one that is `isPrivate` may be in a private network or on this machine. */
export function mayAsk(address: string, isPrivate: boolean): boolean {
  const version = isIP(address);
  if (version === 4) return isPrivate ? !nowhere.ipv4.check(address) : !special.check(address);
  // A zone names a link of this machine.
  if (version !== 6 || address.includes('%')) return false;
  const inside = mapped(address);
  if (inside !== undefined) return mayAsk(inside, isPrivate);
  const is = (list: BlockList) => list.check(address, 'ipv6');
  if (isPrivate) return is(loopback6) || !is(nowhere.ipv6);
  return is(global) && !is(setAside);
}

/** The IPv4 address that an IPv6 address stands for (RFC 4291, 2.5.5.2). */
function mapped(address: string): string | undefined {
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical) ?? [];
  if (high === undefined || low === undefined) return undefined;
  return [high, low].flatMap((word) => [parseInt(word, 16) >> 8, parseInt(word, 16) & 255]).join('.');
}
