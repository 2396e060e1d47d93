import { BlockList, isIP } from 'node:net';
import { Problem } from '#libs/platform';
import { z } from 'zod';
import type { Evidence, InboundRequest } from './inbound';

/** Accepts an address or a range in CIDR notation, IPv4 or IPv6. */
export const cidr = () =>
  z.string().refine((range) => {
    const [address = '', prefix, ...rest] = range.split('/');
    const version = isIP(address);
    if (version === 0 || address.includes('%') || rest.length > 0 || normalAddress(address)?.mapped) return false;
    return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128));
  }, 'must be an address or a range such as 192.0.2.0/24 or 2001:db8::/32');

/** Addresses from which requests are taken. */
export const addressesRule = z.strictObject({
  scheme: z.literal('addresses'),
  allow: z.array(cidr()).min(1).describe('Addresses and ranges of the sender; behind proxies see TRUSTED_PROXIES'),
});

interface Address {
  text: string;
  family: 'ipv4' | 'ipv6';
  /** It was written as an IPv6 address that stands for an IPv4 one. */
  mapped?: boolean;
}

/** Reads an address; one that is IPv4 inside of IPv6 (RFC 4291, 2.5.5.2) becomes the IPv4 address. Undefined for anything else. */
function normalAddress(text: string): Address | undefined {
  const bare = text.replace(/%.*$/, '');
  const version = isIP(bare);
  if (version === 0) return undefined;
  if (version === 4) return { text: bare, family: 'ipv4' };
  const canonical = new URL(`http://[${bare}]`).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical) ?? [];
  if (high === undefined || low === undefined) return { text: canonical, family: 'ipv6' };
  const value = [parseInt(high, 16), parseInt(low, 16)].flatMap((word) => [word >> 8, word & 255]);
  return { text: value.join('.'), family: 'ipv4', mapped: true };
}

/** A set of addresses and ranges. */
export class AddressSet {
  private readonly ranges: { name: string; list: BlockList }[];

  constructor(ranges: readonly string[]) {
    this.ranges = ranges.map((name) => {
      const [address = '', prefix] = name.split('/');
      const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
      const list = new BlockList();
      list.addSubnet(address, Number(prefix ?? (family === 'ipv4' ? 32 : 128)), family);
      return { name, list };
    });
  }

  /** The first range that holds the address; undefined where none does or it is no address. */
  rangeOf(address: string): string | undefined {
    const normal = normalAddress(address);
    return normal && this.ranges.find(({ list }) => list.check(normal.text, normal.family))?.name;
  }

  has(address: string): boolean {
    return this.rangeOf(address) !== undefined;
  }
}

/**
 * The address of the sender: whoever holds the connection, or where that is a trusted proxy, the right-most address of
 * X-Forwarded-For that is none. What stands left of it anybody may have written. Undefined where it cannot be told.
 */
export function senderAddress({ peer, headers }: InboundRequest, proxies: AddressSet): string | undefined {
  const hops = (headers['x-forwarded-for'] ?? '').split(',').map((hop) => withoutPort(hop.trim()));
  let sender = peer;
  while (proxies.has(sender)) {
    const hop = hops.pop();
    if (hop === undefined || hop === '') return sender;
    if (!normalAddress(hop)) return undefined;
    sender = hop;
  }
  return sender;
}

// Some proxies write `192.0.2.1:4711` or `[2001:db8::1]:4711`.
const withoutPort = (hop: string): string =>
  /^\[(.+)\](?::\d+)?$|^([\d.]+):\d+$/.exec(hop)?.slice(1).find(Boolean) ?? hop;

/** Checks that the sender's address is in the set; throws a 403 problem. */
export function verifyAddress(request: InboundRequest, allowed: AddressSet, proxies: AddressSet): Evidence {
  const sender = senderAddress(request, proxies);
  const range = sender === undefined ? undefined : allowed.rangeOf(sender);
  if (range === undefined) throw new Problem('address-not-allowed');
  return { says: range };
}
