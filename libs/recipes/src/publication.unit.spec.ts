import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Publication } from '#libs/contracts';
import { differences, schemaChanges } from './difference';
import {
  approval,
  liveIn,
  publication,
  refusal,
  refuseChangedAsks,
  rollbackTo,
  waitingIn,
  type Wish,
  withdrawal,
} from './publication';
import { readRecipe } from './read';
import { elsewhere } from './reference';

const plain = readFileSync(join(__dirname, 'testing/lead-qualified.yaml'), 'utf8');
const guarded = `approvals: required\n${plain}`;
const wider = (text: string) => text.replace('[firstname, lastname,', '[firstname, lastname, phone,');
const quieter = (text: string) => text.replace('coolDown: 24h', 'coolDown: 48h');

const recipeOf = (text: string) => {
  const read = readRecipe(text, 'test.yaml');
  if ('faults' in read) throw new Error(read.faults.join());
  return read.recipe;
};
const wish = (text: string, over: Partial<Wish> = {}): Wish => ({
  environment: 'test',
  recipe: 'lead-qualified',
  version: recipeOf(text).version,
  text,
  action: 'published',
  by: 'Ann',
  why: 'because',
  ...over,
});

/** One recipe's registry in memory: what is decided is added. */
class Registry {
  readonly past: Publication[] = [];
  add<T extends Omit<Publication, 'at'>>(decided: T | undefined): T | undefined {
    if (decided) this.past.push({ ...decided, at: new Date(0) });
    return decided;
  }
  publish = (text: string, over: Partial<Wish> = {}) => this.add(publication(this.past, wish(text, over)));
  rollback = (version?: string) => {
    const to = rollbackTo(this.past, 'lead-qualified', version);
    return this.add(publication(this.past, wish(to.text, { action: 'rolled-back', version: to.version })));
  };
  approve = (text: string, by: string) => this.add(approval(this.past, 'lead-qualified', recipeOf(text).version, by));
  get live() {
    return liveIn(this.past)?.text;
  }
}

let registry: Registry;
beforeEach(() => {
  registry = new Registry();
});

it('makes a version live at once where no approval is asked for, and is done where it is live already', () => {
  registry.publish(plain);
  const second = registry.publish(wider(plain));
  expect(second).toEqual({
    ...wish(wider(plain)),
    number: 2,
    state: 'live',
    reasons: [],
    event: {
      type: 'RecipePublished',
      data: {
        recipe: 'lead-qualified',
        environment: 'test',
        version: recipeOf(wider(plain)).version,
        previous: recipeOf(plain).version,
        by: 'Ann',
        why: 'because',
        ticket: undefined,
        source: undefined,
      },
    },
  });
  expect(registry.publish(wider(plain))).toBeUndefined();
});

it('lets a change that reaches further wait for a second person, and one that does not pass', () => {
  expect(registry.publish(guarded)?.state).toBe('awaiting approval');
  registry.approve(guarded, 'Bob');
  expect(registry.live).toBe(guarded);
  expect(registry.publish(quieter(guarded))?.state).toBe('live');
  expect(registry.publish(wider(quieter(guarded)))).toMatchObject({
    state: 'awaiting approval',
    reasons: ['newly sends contact.phone to OpenAI'],
    event: { type: 'RecipeProposed', data: { reasons: ['newly sends contact.phone to OpenAI'] } },
  });
  expect(registry.live).toBe(quieter(guarded));
  expect(() => registry.publish(wider(quieter(guarded)))).toThrow('waits for approval already');
});

it.each(['Ann', ' ann ', 'ＡＮＮ'])('is not approved by who wanted it, also as %p', (by) => {
  registry.publish(guarded);
  expect(() => registry.approve(guarded, by)).toThrow('a second person must approve it');
  expect(registry.live).toBeUndefined();
});

it('approves and refuses only what waits, and a later publication takes its place', () => {
  registry.publish(guarded);
  expect(() => registry.approve(plain, 'Bob')).toThrow('does not wait for approval');
  registry.add(refusal(registry.past, 'lead-qualified', recipeOf(guarded).version, 'Bob', 'not so'));
  expect(registry.past.at(-1)).toMatchObject({ state: 'refused', by: 'Bob', why: 'not so' });
  expect(() => registry.approve(guarded, 'Bob')).toThrow('waits for no approval');
  registry.publish(guarded);
  registry.publish(wider(guarded));
  expect(() => registry.approve(guarded, 'Bob')).toThrow(`${recipeOf(wider(guarded)).version} does`);
  expect(waitingIn(registry.past)?.text).toBe(wider(guarded));
});

describe('with the line `approvals: required` taken away', () => {
  const taken = 'no longer says approvals: required';
  beforeEach(() => {
    registry.publish(plain);
    registry.publish(guarded, { why: 'from now on' });
  });

  it('waits for approval, as what it takes away demanded', () => {
    expect(registry.live).toBe(guarded);
    expect(registry.publish(wider(plain))?.reasons).toEqual([taken, 'newly sends contact.phone to OpenAI']);
    expect(registry.publish(quieter(plain))?.reasons).toEqual([taken]);
  });

  it('also after a rollback behind it, which itself waits for nobody', () => {
    expect(registry.rollback()).toMatchObject({ state: 'live', event: { type: 'RecipeRolledBack' } });
    expect(registry.live).toBe(plain);
    expect(registry.publish(wider(plain))?.reasons).toEqual([taken, 'newly sends contact.phone to OpenAI']);
  });

  it('also after it was withdrawn', () => {
    registry.add(withdrawal(registry.past, 'lead-qualified', { by: 'Ann', why: 'gone' }));
    expect(registry.live).toBeUndefined();
    expect(registry.publish(quieter(plain))?.reasons).toEqual([taken]);
    expect(() => withdrawal([], 'lead-qualified', { by: 'Ann', why: 'gone' })).toThrow('is not live');
  });

  it('passes once a second person has agreed', () => {
    registry.publish(quieter(plain));
    registry.approve(quieter(plain), 'Bob');
    expect(registry.publish(wider(quieter(plain)))?.state).toBe('live');
  });
});

it('rolls back only to what was live there', () => {
  registry.publish(plain);
  expect(() => registry.rollback()).toThrow('No other version');
  registry.publish(wider(guarded));
  expect(waitingIn(registry.past)).toBeDefined();
  expect(() => registry.rollback(recipeOf(wider(guarded)).version)).toThrow('was live there');
});

it('takes a former text that cannot be read any more for none: all is new', () => {
  registry.publish(guarded);
  registry.approve(guarded, 'Bob');
  registry.publish(quieter(guarded));
  Object.assign(registry.past.at(-1) ?? {}, { text: 'recipe: [' });
  expect(registry.publish(guarded)?.state).toBe('awaiting approval');
});

describe('what a change does', () => {
  const base = recipeOf(plain);
  it.each([
    [
      'a new destination',
      'lead_score: ${steps',
      'hs_score: ${steps.qualification.lead_score}\n        lead_score: ${steps',
      ['newly writes contact.hs_score'],
    ],
    [
      'a property newly told to a vendor',
      'record.company',
      'record.industry',
      ['newly sends contact.industry to HeyGen'],
    ],
    [
      'another type of an answer',
      '{ type: integer, minimum: 0, maximum: 100 }',
      '{ type: string }',
      [
        'takes lead_score from the answer as {"type":"string"}, no longer as {"type":"integer"}',
        'writes contact.lead_score as {"type":"string"}, no longer as {"type":"integer"}',
      ],
    ],
    [
      'a property that is read and told to nobody',
      'firstname: person-name',
      'firstname: person-name\n        hs_lead_status: present',
      [],
    ],
    ['fewer tenants', 'coolDown: 24h', 'coolDown: 24h\ntenants: [first]', []],
    ['other bounds', 'maximum: 100', 'maximum: 10', []],
    ['another model', 'model: gpt-6-luna', 'model: gpt-6-sol', []],
  ])('%s', (_, from, to, reasons) => {
    expect(plain).toContain(from);
    expect(schemaChanges(base, recipeOf(plain.replace(from, () => to))).sort()).toEqual(reasons);
  });

  it('counts another tenant as a further reach', () => {
    const of = (tenants: string) => recipeOf(`tenants: [${tenants}]\n${plain}`);
    expect(schemaChanges(of('first'), of('first, second'))).toEqual(['newly is for tenant second']);
    expect(schemaChanges(of('first'), base)).toEqual(['newly is for all tenants']);
  });

  it('counts every action as a reach of its own', () => {
    const writing = (write: string) =>
      recipeOf(`recipe: r\ntrigger: { object: contact, property: stage }\nsteps:\n  - write: { ${write} }\n`);
    const none = writing('properties: { a: x }');
    const of = (write: string) => schemaChanges(none, writing(`properties: { a: x }, ${write}`));
    expect(of('task: { title: x }')).toEqual(['newly makes tasks for the contact']);
    expect(of('note: x')).toEqual(['newly makes notes at the contact']);
    expect(of('lists: { add: [12], remove: ["${record.b}"] }')).toEqual([
      'newly adds to list 12',
      'newly removes from list that is computed',
    ]);
    const consent = 'consent: { subscription: 101, status: subscribed }';
    expect(of(consent)).toEqual(['newly changes consent to subscription 101 to subscribed, by no basis']);
    const sequence = 'sequence: { id: 7, sender: a@example.com, user: 1 }';
    expect(of(sequence)).toEqual(['newly enrols in sequence 7 from address a@example.com']);
    expect(schemaChanges(writing(sequence), writing(sequence.replace('a@', 'b@')))).toEqual([
      'newly enrols in sequence 7 from address b@example.com',
    ]);
    expect(of('upsert: { object: company, by: key, properties: { key: x } }')).toEqual(['newly writes company.key']);
  });

  it('says what is gone too, which reaches no further', () => {
    const less = recipeOf(
      plain.replace('jobtitle, ', '').replace('        ai_lead_summary: ${steps.qualification.summary}\n', ''),
    );
    expect(differences(base, less)).toEqual([
      { says: 'no longer sends contact.jobtitle to OpenAI', widens: false },
      { says: 'no longer writes contact.ai_lead_summary', widens: false },
    ]);
  });
});

describe('the cases beside a recipe', () => {
  const cases = `
- { case: greeted, record: { firstname: Ada }, expect: {} }
- { case: nobody, record: { firstname: test }, expect: {} }
`;
  const politer = plain.replace('Outreach for ${text(record.firstname)}', 'For ${text(record.firstname)}');
  const samples = (decided: { event: { data: object } } | undefined) =>
    decided && 'samples' in decided.event.data && decided.event.data.samples;
  const greeted = (title: string) => ({
    case: 'greeted',
    video: expect.objectContaining({ title }) as unknown,
    qualification: { asked: true },
  });
  const nobody = expect.objectContaining({
    case: 'nobody',
    video: expect.objectContaining({ rejected: 'placeholder' }) as unknown,
  }) as unknown;

  it('show with every publication what the former and the new version make of them, what differs first', () => {
    expect(samples(registry.publish(plain, { cases }))).toEqual([
      { before: null, after: greeted('Outreach for Ada') },
      { before: null, after: nobody },
    ]);
    const changed = cases.trim().split('\n').reverse().join('\n');
    expect(samples(registry.publish(politer, { cases: changed }))).toEqual([
      { before: greeted('Outreach for Ada'), after: greeted('For Ada') },
      { before: nobody, after: nobody },
    ]);
    expect(samples(registry.publish(plain))).toBeFalsy();
  });

  it('are told with what waits, and again with its approval', () => {
    registry.publish(guarded, { cases });
    registry.approve(guarded, 'Bob');
    const waiting = registry.publish(wider(guarded), { cases });
    expect(waiting?.state).toBe('awaiting approval');
    expect(samples(waiting)).toHaveLength(2);
    expect(samples(registry.approve(wider(guarded), 'Bob'))).toEqual(samples(waiting));
  });

  it('that cannot be read keep nothing from being published', () => {
    expect(samples(registry.publish(plain, { cases: 'case: [' }))).toEqual([]);
  });
});

it('says who takes turns, and that a change of them reaches further; a recipe with tables and tokens is told too', () => {
  const turning = (among: string) =>
    `recipe: r\ntrigger: { object: contact, property: p }\nsteps:\n  - assign: { rota: emea, among: ${among} }\n  - write: { properties: { hubspot_owner_id: '\${steps.assign.owner}' } }\n`;
  const read = (text: string) => {
    const found = readRecipe(text, 'r.yaml', undefined, elsewhere);
    if ('faults' in found) throw new Error(found.faults.join('\n'));
    return found.recipe;
  };
  expect(differences(read(turning('["1"]')), read(turning('["1", "2"]')))).toEqual([
    { says: 'newly takes turns in emea among 1, 2', widens: true },
    { says: 'no longer takes turns in emea among 1', widens: false },
  ]);
  const looked = read(turning(`'\${lookup("t", token(record.email), "owners")}'`));
  expect(differences(undefined, looked).map(({ says }) => says)).toContain(
    'newly takes turns in emea among what an expression gives',
  );
});

describe('an ask that was published', () => {
  const using = (recipe: string, instruction: string, ask = 'grade@1') => ({
    recipe,
    version: instruction,
    text: `recipe: ${recipe}
trigger: { object: contact, property: p }
steps: [{ ask: { use: ${ask} } }]
asks:
  ${ask}:
    ask: ${ask}
    description: Grades.
    properties: [company]
    instruction: ${instruction}
    answer:
      { type: object, additionalProperties: false, required: [score], properties: { score: { type: integer } } }
`,
  });
  const published = [using('old', 'Grade.'), { recipe: 'plain', version: '1', text: plain }];

  it('is used again as it was, by any recipe, and changed under its next version', () => {
    const next = [using('new', 'Grade.'), using('newer', 'Judge.', 'grade@2'), { recipe: 'plain', text: plain }];
    expect(() => {
      refuseChangedAsks(published, next);
    }).not.toThrow();
  });

  it('never changes under its version, and who tries is told what to do', () => {
    expect(() => {
      refuseChangedAsks(published, [using('new', 'Judge.')]);
    }).toThrow(
      /^new uses grade@1, which was published with old Grade\. and says something else there: .*next version.*Nothing was done$/,
    );
    expect(() => {
      refuseChangedAsks([], [using('a', 'Grade.'), using('b', 'Judge.')]);
    }).toThrow(/^a uses grade@1, which .*b/);
  });
});
