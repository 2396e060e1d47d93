import Big from 'big.js';
import { ExpressionError } from '../fault';
import { entriesOf, type FunctionGroup, numberOf, wholeOf } from './definition';

export const numbers: FunctionGroup = {
  title: 'Numbers',
  functions: [
    {
      signature: 'number(value)',
      says: 'A number, also of text that is plainly one; null for anything else. For money use `amount`.',
      examples: [
        ['number("42.5")', 42.5],
        ['number("many")', null],
      ],
      run: numberOf,
    },
    {
      signature: 'round(value, decimals)',
      says: 'The number with so many decimals (0 to 9), halves away from zero.',
      examples: [
        ['round(2.345, 2)', 2.35],
        ['round(-2.5, 0)', -3],
      ],
      run: (value: unknown, decimals: unknown) => {
        const [number, places] = [numberOf(value), wholeOf(decimals, 0, 9)];
        return number === null ? null : new Big(number).round(places, 1).toNumber();
      },
    },
    {
      signature: 'clamp(value, least, most)',
      says: 'The number, or the bound that it lies beyond.',
      examples: [['clamp(120, 0, 100)', 100]],
      run: (value: unknown, least: unknown, most: unknown) => {
        const [number, low, high] = [numberOf(value), numberOf(least), numberOf(most)];
        return number === null || low === null || high === null ? null : Math.min(Math.max(number, low), high);
      },
    },
    {
      signature: 'band(value, thresholds)',
      says: 'What stands at the highest threshold that the number reaches; null below all of them.',
      examples: [
        ['band(65, {0: "cold", 50: "warm", 80: "hot"})', 'warm'],
        ['band(-1, {0: "cold"})', null],
      ],
      run: (value: unknown, thresholds: unknown) => {
        const number = numberOf(value);
        if (number === null) return null;
        let best: [number, unknown] | undefined;
        for (const [text, name] of entriesOf(thresholds)) {
          const threshold = numberOf(text);
          if (threshold === null) throw new ExpressionError('argument', 'A threshold is no number');
          if (number >= threshold && (best === undefined || threshold > best[0])) best = [threshold, name];
        }
        return best?.[1] ?? null;
      },
    },
  ],
};
