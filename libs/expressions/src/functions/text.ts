import { spend } from '../bounds';
import { visibleText } from '../html';
import { type FunctionGroup, textOf } from './definition';
import { isPlaceholderValue } from './names';

/** Characters of HTML that are read; a mail's body is far below. */
const MOST_HTML = 100_000;
const plain = visibleText({ limits: { maxInputLength: MOST_HTML } });

export const text: FunctionGroup = {
  title: 'Text and fallbacks',
  functions: [
    {
      signature: 'text(value)',
      says: 'The text in Unicode’s composed form, without blanks around it, each run of blanks as one; null where nothing is left.',
      examples: [
        ['text("  two   words ")', 'two words'],
        ['text("   ")', null],
      ],
      run: (value: unknown) => textOf(value)?.normalize('NFC').replace(/\s+/gu, ' ') ?? null,
    },
    {
      signature: 'htmlToText(value)',
      says: `What a reader of the HTML would see: no tags, scripts, images or link targets, and nothing that a style hides; null where it is nested too deeply. Reads the first ${MOST_HTML.toLocaleString('en')} characters.`,
      examples: [
        ['htmlToText("<p>Dear <b>Ada</b>,</p><p>2 &lt; 3</p>")', 'Dear Ada,\n\n2 < 3'],
        ['htmlToText("<script>alert(1)</script>Hi")', 'Hi'],
        ['htmlToText("<p hidden>buy</p>Hi")', 'Hi'],
      ],
      cost: 500,
      run: (value: unknown) => {
        const html = textOf(value)?.slice(0, MOST_HTML) ?? '';
        // A list of a thousand items takes long to lay out.
        spend(html.length);
        return plain(html) || null;
      },
    },
    {
      signature: 'coalesce(value...)',
      says: 'The first value that is not null.',
      examples: [['coalesce(null, "", "last")', '']],
      run: (...values: unknown[]) => values.find((value) => value !== null && value !== undefined) ?? null,
    },
    {
      signature: 'firstFilled(value...)',
      says: 'The first value that is neither null nor a placeholder; with a text of your own at the end, a default.',
      examples: [
        ['firstFilled(null, " ", "n/a", "Ada")', 'Ada'],
        ['firstFilled("", "there")', 'there'],
      ],
      run: (...values: unknown[]) => values.find((value) => !isPlaceholderValue(value)) ?? null,
    },
    {
      signature: 'isBlank(value): bool',
      says: 'Whether there is nothing: null, blank text, an empty list or map.',
      examples: [
        ['isBlank(" ")', true],
        ['isBlank([])', true],
        ['isBlank(0)', false],
      ],
      run: (value: unknown) => {
        if (typeof value === 'string') return value.trim() === '';
        if (value === null || value === undefined) return true;
        return typeof value === 'object' && !(value instanceof Date) && Object.keys(value).length === 0;
      },
    },
  ],
};
