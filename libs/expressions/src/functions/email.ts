import { domainToASCII } from 'node:url';
import providers from 'email-providers/all.json';
import { type FunctionGroup, shortTextOf } from './definition';

// The list also names a domain that RFC 2606 keeps for examples.
const freeMail = new Set(providers.filter((domain) => !/(^|\.)example\.(com|net|org)$/.test(domain)));
// What HTML takes for an address (https://html.spec.whatwg.org/#valid-e-mail-address), with a domain of at least two labels.
const local = /^[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}$/;
const domain = /^(?=.{3,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$/;

/** The two sides of an address; undefined where the text is none. */
function addressOf(value: unknown): { local: string; domain: string } | undefined {
  const text = shortTextOf(value, 320)?.normalize('NFKC').toLowerCase();
  const bare =
    text
      ?.replace(/^[^<>]*<([^<>]*)>$/, '$1')
      .replace(/^mailto:/, '')
      .trim() ?? '';
  const at = bare.lastIndexOf('@');
  const sides = { local: bare.slice(0, Math.max(at, 0)), domain: at < 0 ? '' : domainToASCII(bare.slice(at + 1)) };
  const fit = local.test(sides.local) && !/^\.|\.\.|\.$/.test(sides.local) && domain.test(sides.domain);
  return fit ? sides : undefined;
}

export const email: FunctionGroup = {
  title: 'E-mail',
  functions: [
    {
      signature: 'email(value)',
      says: 'The address in lower case, without a name or `mailto:` around it, its domain in ASCII; null where there is none.',
      examples: [
        ['email(" Ada <Ada@Example.COM> ")', 'ada@example.com'],
        ['email("ada@bücher.example")', 'ada@xn--bcher-kva.example'],
        ['email("ada at example.com")', null],
      ],
      cost: 20,
      run: (value: unknown) => {
        const address = addressOf(value);
        return address ? `${address.local}@${address.domain}` : null;
      },
    },
    {
      signature: 'isEmail(value): bool',
      says: 'Whether the value can be an address; whether mail arrives there nobody knows.',
      examples: [
        ['isEmail("ada@example.com")', true],
        ['isEmail("ada@localhost")', false],
      ],
      cost: 20,
      run: (value: unknown) => addressOf(value) !== undefined,
    },
    {
      signature: 'emailDomain(value)',
      says: 'The domain of an address.',
      examples: [['emailDomain("Ada@Mail.Example.com")', 'mail.example.com']],
      cost: 20,
      run: (value: unknown) => addressOf(value)?.domain ?? null,
    },
    {
      signature: 'isFreeMail(value): bool',
      says: 'Whether the address is one of a public mail provider rather than of a company.',
      examples: [
        ['isFreeMail("ada@gmail.com")', true],
        ['isFreeMail("ada@example.com")', false],
      ],
      cost: 20,
      run: (value: unknown) => freeMail.has(addressOf(value)?.domain ?? ''),
    },
  ],
};
