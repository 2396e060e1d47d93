import fc from 'fast-check';
import { spoken } from './spoken';

it.each([
  ['Zoë Grünwald', 'Zoë Grünwald', []],
  ["O'Brien-Smith & Sons, 2 < 3", "O'Brien-Smith & Sons, 2 < 3", []],
  ['مريم', 'مريم', []],
  ['李小龍', '李小龍', []],
  ['  Ada \n\t Lovelace ', 'Ada Lovelace', []],
  ['<b>Ada</b> <script>alert(1)</script>', 'Ada', ['HTML']],
  ['Ada<img src=x onerror=alert(1)>', 'Ada', ['HTML']],
  ['Ada <!-- hidden -->', 'Ada', ['HTML']],
  ['{{constructor.constructor("x")()}} Ada', 'Ada', ['template signs']],
  ['Ada ${7*7} <%= 7*7 %> {% if x %}', 'Ada', ['template signs']],
  ['Ada 👩‍💻🇩🇪👍🏽 1️⃣', 'Ada 1', ['emoji', 'invisible signs']],
  ['\u202eecila\u202c', 'ecila', ['signs of direction']],
  ['A\u200bd\u00ada', 'Ada', ['invisible signs']],
  ['Ada\u0000\u0007', 'Ada', ['control characters']],
  ['👍', '', ['emoji']],
  ['<scr<b>ipt>Ada', 'Ada', ['HTML']],
  ['<\u200bimg src=x> Ada', 'Ada', ['invisible signs', 'HTML']],
])('%j is said as %j', (text, said, removed) => {
  expect(spoken(text)).toEqual({ text: said, removed });
});

it('is clean after once, whatever comes in, and quick about it', () => {
  const odd = fc.constantFrom(
    '<',
    '>',
    '{{',
    '}}',
    '${',
    '}',
    '<%',
    '%>',
    '\u202e',
    '👍',
    '\u0000',
    'a',
    ' ',
    '<script>',
    '\ud800',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(odd, fc.string({ unit: 'binary' })), { maxLength: 60 }), (parts) => {
      const { text } = spoken(parts.join(''));
      expect(text).not.toMatch(/[\u202a-\u202e\u2066-\u2069\p{Cc}]|\p{Extended_Pictographic}|<\/?[a-z][^<>]*>/iu);
    }),
  );
  const long = '<'.repeat(50_000) + '{{'.repeat(25_000);
  expect(spoken(long).text.length).toBeLessThanOrEqual(long.length);
});
