import { visibleText } from '#libs/expressions';

// Laid out as the lines of a note: nothing before an entry of a list, nothing between lines that are not there.
const seen = visibleText({
  preserveNewlines: true,
  selectors: [
    ...['ul', 'ol', 'li', 'td', 'th', 'p'].map((selector) => ({
      ...{ selector, format: 'block' },
      options: { leadingLineBreaks: 1, trailingLineBreaks: 1 },
    })),
    { selector: 'hr', format: 'skip' },
  ],
});

/** Elements by which a text that may be plain shows that it is HTML; an address in angle brackets is none. */
const ELEMENT =
  /<\/?(?:a|b|blockquote|body|br|center|code|div|em|font|h[1-6]|head|hr|html|i|img|li|meta|ol|p|pre|s|script|small|span|strong|style|sub|sup|table|tbody|td|th|tr|u|ul)\b[^<>]*>/i;
const TAG = /<[^<>]+>/;

/**
 * What a reader sees of a text that is HTML (`html`), or may be; undefined where that cannot be told. A text without tags
 * stays as it is.
 */
export function readable(text: string, kind: 'html' | 'any'): string | undefined {
  const isHtml = (kind === 'html' ? TAG : ELEMENT).test(text);
  return (isHtml ? seen(text) : text)?.trim();
}

const BEGINNINGS: readonly [RegExp, string][] = [
  [/^%PDF-/, 'a PDF file'],
  [/^PK\p{Cc}{2}/u, 'a ZIP or Office file'],
  [/^.?PNG\r?\n/, 'an image'],
  [/^GIF8[79]a/, 'an image'],
  [/^.{0,8}(?:JFIF|Exif)\p{Cc}/su, 'an image'],
  [/^\{\\rtf/, 'an RTF file'],
  [/^data:[\w.+-]+\/[\w.+-]+;base64,/, 'a file in base64'],
];

// Control characters but for the usual blanks; what stood for bytes that are no UTF-8; what no standard gives a meaning.
const NO_CHARACTER = /(?![\t\n\v\f\r\u0085])[\p{Cc}\ufffd\p{Co}\p{Cs}]/gu;
const MOST_OF_NO_CHARACTERS = 0.02;
const BASE64 = /(?:[A-Za-z0-9+/_-]{60,}\s?)+={0,2}/g;
const LEAST_BASE64 = 200;
const MOST_OF_BASE64 = 0.5;

/** What something that should be text is instead: bytes of a file, or such in base64; undefined for text. */
export function notText(text: string): string | undefined {
  const [, file] = BEGINNINGS.find(([begins]) => begins.test(text.slice(0, 100))) ?? [];
  if (file !== undefined) return file;
  const none = text.match(NO_CHARACTER)?.length ?? 0;
  if (none > 4 && none > text.length * MOST_OF_NO_CHARACTERS) return 'binary';
  const coded = (text.match(BASE64) ?? []).filter((run) => run.length >= LEAST_BASE64 && isMixed(run)).join('').length;
  return coded > text.length * MOST_OF_BASE64 ? 'base64' : undefined;
}

// A long line of dashes, a number or a hash is none.
const isMixed = (run: string): boolean => [/[a-z]/, /[A-Z]/, /\d/].every((some) => some.test(run));
