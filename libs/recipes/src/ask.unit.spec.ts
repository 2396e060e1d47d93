import { promptAttacks } from './testing/prompt-attacks';
import { askText } from './ask';
import { stepOf } from './recipe';
import { recipeOf } from './testing/recipe-of';

const recipe = recipeOf(`
recipe: judged
trigger: { object: contact, property: p }
steps:
  - ask:
      properties: [firstname, company]
      notes: 5
      facts: { told: '\${record.firstname}' }
      instruction: Judge.
      answer: { type: object, properties: { score: { type: integer } } }
`);
const step = stepOf(recipe, 'ask');
if (!step) throw new Error('the recipe asks nothing');

const note = (text: string) => ({ at: '2026-11-20T09:00:00Z', text });
const of = (text: string) =>
  askText(step, { record: { firstname: text, company: 'Example' }, steps: {} }, [note(text), note('second')]);

it('knows more than fifty ways in which a text may try to be an instruction', () => {
  expect(new Set(promptAttacks.map(({ way }) => way)).size).toBeGreaterThanOrEqual(50);
});

describe('what a record says stays data', () => {
  it.each(promptAttacks.map((attack) => [attack.way, attack] as const))('%s', (_, { text, hides }) => {
    const told = of(text);
    const lines = told.split('\n');
    expect([lines[0], lines.at(-1)]).toEqual(['<<<DATA', 'DATA>>>']);
    expect(told.slice(7, -7)).not.toMatch(/<<<|>>>/);
    // What begins a line is ours alone: a property, a fact or a note that the record has.
    const begun = lines.slice(1, -1).filter((line) => !line.startsWith('  '));
    expect(begun.map((line) => line.split(':')[0])).toEqual([
      'firstname',
      'company',
      'told',
      'note of 2026-11-20',
      'note of 2026-11-20',
    ]);
    if (hides) expect(lines.slice(4).join(' ')).not.toMatch(hides);
  });
});

it('hides what a mask names, where it names it', () => {
  const masking = stepOf(
    recipeOf(`
recipe: masked
trigger: { object: contact, property: p }
steps:
  - ask:
      properties: [firstname, email]
      notes: 5
      mask: { email: [all], notes: [email, phone] }
      instruction: Judge.
      answer: { type: object, properties: { score: { type: integer } } }
`),
    'ask',
  );
  if (!masking) throw new Error('the recipe asks nothing');
  const record = { firstname: 'call +49 89 1234567', email: 'a@example.com' };
  expect(askText(masking, { record, steps: {} }, [note('a@example.com or +49 89 1234567')]).split('\n')).toEqual([
    '<<<DATA',
    'firstname: call +49 89 1234567',
    'email: [hidden]',
    'note of 2026-11-20: [email] or [phone]',
    'DATA>>>',
  ]);
});

it('keeps what a reader sees: accents, emoji and paragraphs', () => {
  expect(of('Zoë & Ömer 👋\n\nsecond line')).toContain('firstname: Zoë & Ömer 👋\n  second line');
});
