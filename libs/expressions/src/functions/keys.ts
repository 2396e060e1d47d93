import { createHash, createHmac } from 'node:crypto';
import { givenNow } from '../bounds';
import { ExpressionError } from '../fault';
import { folded, type FunctionGroup, textOf } from './definition';

/** The functions that need the secret which an evaluation is given. */
export const keyFunctions: ReadonlySet<string> = new Set(['token']);

export const keys: FunctionGroup = {
  title: 'Hashes, tokens and keys',
  functions: [
    {
      signature: 'sha256(value)',
      says: 'The SHA-256 of the text without blanks around it, in hex. Who can guess the text can find it again: see `token`.',
      examples: [['sha256("ada@example.com")', createHash('sha256').update('ada@example.com').digest('hex')]],
      cost: 20,
      run: (value: unknown) => {
        const text = textOf(value);
        return text === null ? null : createHash('sha256').update(text).digest('hex');
      },
    },
    {
      signature: 'token(value)',
      says: 'A token that stands for the text: its HMAC-SHA-256 under a secret that no expression sees, in hex.',
      examples: [
        ['token("ada@example.com") == token(" ada@example.com ")', true],
        ['token("ada@example.com") == sha256("ada@example.com")', false],
      ],
      cost: 20,
      run: (value: unknown) => {
        const { tokenKey } = givenNow();
        if (!tokenKey?.symmetricKeySize) throw new ExpressionError('no-key', 'There is no key for tokens');
        const text = textOf(value);
        return text === null ? null : createHmac('sha256', tokenKey).update(text).digest('hex');
      },
    },
    {
      signature: 'matchKey(value...)',
      says:
        'A key to find the same thing by, from several fields: letters and digits alone, without case and accents; null ' +
        'where one of the fields is blank, since half a key finds strangers.',
      examples: [
        ['matchKey(" Müller & Co. ", "10115")', 'muller co|10115'],
        ['matchKey("Ada", null)', null],
      ],
      run: (...values: unknown[]) => {
        const parts = values.map((value) => folded((textOf(value) ?? '').replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ')));
        return parts.includes('') ? null : parts.join('|');
      },
    },
  ],
};
