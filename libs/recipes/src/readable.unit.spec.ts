import { notText, readable } from './readable';

const bytes = (n: number) => Buffer.from(Array.from({ length: n }, (_, i) => (i * 7919) % 256));

describe('what is no text', () => {
  it.each([
    ['a PDF file', '%PDF-1.7\n%âãÏÓ\n1 0 obj << /Type /Catalog >> endobj'],
    ['a ZIP or Office file', 'PK\u0003\u0004\u0014\u0000\u0006'],
    ['an image', '\u0089PNG\r\n\u001a\n'],
    ['an RTF file', '{\\rtf1\\ansi Hello}'],
    ['a file in base64', 'data:application/pdf;base64,JVBERi0xLjcK'],
    ['binary', bytes(2_000).toString('latin1')],
    ['binary', bytes(2_000).toString('utf8')],
    ['base64', bytes(2_000).toString('base64')],
    ['base64', `Attached:\n${bytes(6_000).toString('base64').replace(/.{76}/g, '$&\n')}`],
  ])('is told as %s', (is, text) => {
    expect(notText(text)).toBe(is);
  });

  it.each([
    'We have $50k ready for Q1.',
    'Zoë & Ömer 👋 – 客户表示他们需要',
    '-'.repeat(500),
    '0123456789'.repeat(50),
    `see https://example.com/${'aB3'.repeat(90)} for what we said on Monday, and ${'please '.repeat(60)}`,
    'tab\tand\nline\r\nends',
    '',
  ])('is not %j', (text) => {
    expect(notText(text)).toBeUndefined();
  });
});

it.each(['<', '<a "', '<li>x</li>', '<p style="color:red">x</p>', '&lt;', 'data:;base64,'])(
  'a text of nothing but %j is read in no time',
  (one) => {
    const text = one.repeat(65_000 / one.length);
    const began = performance.now();
    readable(text, 'html');
    readable(text, 'any');
    notText(text);
    expect(performance.now() - began).toBeLessThan(2_000);
  },
);

it('lays out HTML as the lines that a reader sees', () => {
  expect(readable('<p>one</p><p>two</p><ul><li>three</li><li>four &amp; five</li></ul>', 'html')).toBe(
    'one\ntwo\nthree\nfour & five',
  );
  expect(readable('a\nb  c &amp; d ', 'html')).toBe('a\nb  c &amp; d');
  expect(readable('<i>'.repeat(500), 'any')).toBeUndefined();
});
