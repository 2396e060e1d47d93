import { type Mask, masked } from './mask';

const all: Mask[] = ['email', 'phone', 'card', 'iban'];

describe('what is masked', () => {
  it.each([
    ['write to zoë.ömer+x@mail.example.co.uk, please', 'write to [email], please'],
    ['call +49 (0)89 123 456-78 or 0171/2345678.', 'call [phone] or [phone].'],
    ['0049 89 1234567', '[phone]'],
    ['card 4111 1111 1111 1111 and 4111-1111-1111-1111', 'card [card] and [card]'],
    ['to DE89 3704 0044 0532 0130 00 by Friday', 'to [iban] by Friday'],
    ['GB82WEST12345698765432', '[iban]'],
  ])('%s', (text, told) => {
    expect(masked(text, all)).toBe(told);
  });

  it.each([
    'We have $50,000 for 120 seats in Q1 2027',
    'order 4111 1111 1111 1112, ticket 20261122',
    'version 0.9.12, 0.5 of 10',
    '12 @ 3 euros',
  ])('is not %s', (text) => {
    expect(masked(text, all)).toBe(text);
  });

  it('is what the rule names, and no more', () => {
    expect(masked('DE00 3704 0044 0532 0130 00 is none', ['iban'])).toMatch(/^DE00/);
    const text = 'a@example.com, +49 89 1234567';
    expect([masked(text, ['phone']), masked(text, []), masked(text, ['all'])]).toEqual([
      'a@example.com, [phone]',
      text,
      '[hidden]',
    ]);
  });
});
