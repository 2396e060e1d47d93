/** What may be masked in a text before it is told: `all` hides it whole. */
export const MASKS = ['email', 'phone', 'card', 'iban', 'all'] as const;
export type Mask = (typeof MASKS)[number];

/**
 * A text without what the masks name; in its place stands what was there, such as `[email]`. Card numbers and IBANs are
 * known by their check digits; a phone number by a leading + or 0 and seven digits at least, so that a sum is none.
 */
export const masked = (text: string, masks: readonly Mask[]): string =>
  masks.includes('all') ? '[hidden]' : ORDER.reduce((t, mask) => (masks.includes(mask) ? hide[mask](t) : t), text);

// An IBAN or a card number holds what else would look like a phone number.
const ORDER = ['email', 'iban', 'card', 'phone'] as const;

const hide: Record<(typeof ORDER)[number], (text: string) => string> = {
  email: (text) => text.replace(/[\p{L}\p{N}._%+'-]{1,64}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63})+/gu, '[email]'),
  iban: (text) => text.replace(/\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b/g, (one) => (isIban(one) ? '[iban]' : one)),
  card: (text) => text.replace(/\b\d(?:[ -]?\d){12,18}\b/g, (one) => (isCard(one) ? '[card]' : one)),
  phone: (text) =>
    text.replace(/(?<![\p{L}\p{N}$€£])(?:\+|00|0)(?:[ ()/.-]{0,2}\d){6,15}(?![\p{L}\p{N}])/gu, '[phone]'),
};

function isIban(text: string): boolean {
  const bare = text.replaceAll(' ', '');
  const digits = [...bare.slice(4), ...bare.slice(0, 4)].map((c) => parseInt(c, 36).toString()).join('');
  let rest = 0;
  for (const digit of digits) rest = (rest * 10 + Number(digit)) % 97;
  return rest === 1;
}

function isCard(text: string): boolean {
  const digits = [...text.replace(/\D/g, '')].map(Number).reverse();
  const sum = digits.reduce((all, digit, i) => {
    const worth = i % 2 === 0 ? digit : digit * 2;
    return all + (worth > 9 ? worth - 9 : worth);
  }, 0);
  return sum % 10 === 0;
}
