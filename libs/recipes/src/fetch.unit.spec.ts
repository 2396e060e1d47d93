import { enrichmentEvents } from '#libs/contracts';
import { runCases } from './cases';
import { differences } from './difference';
import { prepareFetch, takeOf } from './fetch';
import { readRecipe } from './read';
import { type Recipe, stepsOf } from './recipe';
import { stepsDue } from './steps-due';
import { recipeOf } from './testing/recipe-of';

interface Form {
  path?: string;
  more?: string;
  take?: string;
  when?: string;
}

const textOf = ({ path = '/customers/${record.external_id}/usage', more = '', take, when }: Form = {}) => `recipe: usage
trigger: { object: contact, property: lifecyclestage, becomes: [customer] }
steps:
  - name: usage
${when === undefined ? '' : `    when: ${when}\n`}    fetch:
      from: billing
      path: ${JSON.stringify(path)}
      take: ${take ?? '{ logins: body.logins_30d, plan: body.plan.name }'}
${more}
  - write: { properties: { logins: "\${steps.usage.logins}" } }
`;
const stepOf = (form?: Form) => {
  const [step] = stepsOf(recipeOf(textOf(form)), 'fetch');
  if (!step) throw new Error('the recipe has no fetch');
  return step;
};
const prepared = (form: Form, record: Record<string, string | null> = {}) =>
  prepareFetch(stepOf(form), { record, steps: {} });

describe('what is asked', () => {
  it.each([
    ['7', '/customers/7/usage'],
    ['a b', '/customers/a%20b/usage'],
    ['7/../8', undefined],
    ['a/b', '/customers/a%2Fb/usage'],
    ['7?admin=1#x', '/customers/7%3Fadmin%3D1%23x/usage'],
    ['//evil.example', '/customers/%2F%2Fevil.example/usage'],
    ['@evil.example', '/customers/%40evil.example/usage'],
    ['..\\8', undefined],
    ['..', undefined],
    ['.', undefined],
    [' .. ', undefined],
    ['%2e%2e', '/customers/%252e%252e/usage'],
    ['grün', '/customers/gr%C3%BCn/usage'],
    ['\ud800', '/customers/%EF%BF%BD/usage'],
  ])('%j is one part of the path or is refused', (id, path) => {
    const came = prepared({}, { external_id: id });
    expect(came).toEqual(
      path === undefined ? { rejected: expect.objectContaining({ code: 'path' }) as object } : { path },
    );
  });

  it('dots of several values make no way out', () => {
    const came = prepared({ path: '/a/${record.a}${record.b}/c' }, { a: '.', b: '.' });
    expect(came).toMatchObject({ rejected: { code: 'path' } });
  });

  it.each([null, '', '  '])('a part that is %j is missing', (external_id) => {
    expect(prepared({}, { external_id })).toEqual({
      rejected: { code: 'missing', reason: 'a part of the path is missing' },
    });
  });

  it('has a query, encoded, without what is null', () => {
    const more = '      query: { days: 30, mail: "${record.email}", q: "a ${record.none}&", none: "${record.none}" }';
    expect(prepared({ more, path: '/u' }, { email: 'a+b@example.com' })).toEqual({
      path: '/u?days=30&mail=a%2Bb%40example.com&q=a+%26',
    });
  });

  it('is bounded', () => {
    expect(prepared({}, { external_id: 'x'.repeat(5_000) })).toMatchObject({ rejected: { code: 'path' } });
  });

  it('is nothing where the condition does not hold, or cannot be told', () => {
    expect(prepared({ when: 'record.plan == "pro"' }, { external_id: '7' })).toMatchObject({
      rejected: { code: 'not-met' },
    });
    expect(prepared({ when: 'int(record.plan) > 3' }, { external_id: '7' })).toMatchObject({
      rejected: { code: 'expression' },
    });
  });
});

describe('what is taken', () => {
  const body = { logins_30d: 41, plan: { name: 'pro', secret: 'x' }, more: 'x' };

  it('are the fields that are named, and no others', () => {
    expect(takeOf(stepOf(), { status: 200, body })).toEqual({ fields: { logins: 41, plan: 'pro' } });
  });

  it('is null for what is absent, and knows the status', () => {
    const take = "{ logins: body.none, plan: \"status == 204 ? 'none' : 'some'\" }";
    expect(takeOf(stepOf({ take }), { status: 204, body: null })).toEqual({ fields: { logins: null, plan: 'none' } });
  });

  it('are the values for otherwise at 404, without which it is not found', () => {
    const more = '      otherwise: { logins: 0, plan: null }';
    expect(takeOf(stepOf({ more }), { status: 404, body: null })).toEqual({ fields: { logins: 0, plan: null } });
    expect(takeOf(stepOf(), { status: 404, body: null })).toMatchObject({ rejected: { code: 'not-found' } });
  });

  it('is nothing where an expression fails', () => {
    const take = '{ logins: int(body.more), plan: body.plan.name }';
    const came = takeOf(stepOf({ take }), { status: 200, body });
    expect(came).toMatchObject({ rejected: { code: 'expression' } });
  });

  it('is bounded', () => {
    const take = '{ logins: body, plan: body }';
    const came = takeOf(stepOf({ take }), { status: 200, body: 'x'.repeat(40_000) });
    expect(came).toMatchObject({ rejected: { code: 'too-large' } });
  });
});

describe('a recipe is refused', () => {
  const faults = (form: Form, around = (text: string) => text) => {
    const read = readRecipe(around(textOf(form)), 'r.yaml');
    return 'faults' in read ? read.faults.join('\n') : 'none';
  };

  it.each([
    '/a/../b',
    '//evil.example',
    '/a//b',
    '/a\\b',
    '/%2e%2e/b',
    '/a?b=c',
    '/a#b',
    '/a b',
    '/${record.a}/..',
    '/%zz',
    'a',
    'https://evil.example/a',
    '@evil.example',
    '${record.url}',
  ])('for the path %j', (path) => {
    expect(faults({ path })).toMatch(/steps\.0\.fetch\.path: must be/);
  });

  it.each([
    ['a system by its address', (text: string) => text.replace('billing', 'https://billing.example')],
    ['nothing to take', (text: string) => text.replace('{ logins: body.logins_30d, plan: body.plan.name }', '{}')],
    ['a variable that an answer has not', (text: string) => text.replace('body.logins_30d', 'record.email')],
    ['a field that nobody takes', (text: string) => text.replace('steps.usage.logins', 'steps.usage.none')],
    ['a step behind it', (text: string) => text.replace('record.external_id', 'steps.write.x')],
  ])('for %s', (_, around) => {
    expect(faults({}, around)).not.toBe('none');
  });

  it.each(['{ logins: 0 }', '{ logins: 0, plan: null, more: 1 }'])('for otherwise: %s', (otherwise) => {
    expect(faults({ more: `      otherwise: ${otherwise}` })).toMatch(/otherwise/);
  });

  it('for a value of the environment that fills no part of the path, without throwing', () => {
    const values = (text: string) => text.replace('trigger:', "values: { area: { default: ' ' } }\ntrigger:");
    expect(faults({ path: '/${values.area}/a' }, values)).toMatch(/missing/);
    expect(faults({ path: '/${values.area}/a' }, (text) => values(text).replace("' '", 'eu'))).toBe('none');
  });

  it('for keeping an answer no time at all', () => {
    expect(faults({ more: '      keep: 0m' })).toMatch(/keep/);
  });
});

describe('steps behind a fetch', () => {
  const text = `recipe: chain
trigger: { object: contact, property: lifecyclestage, becomes: [customer] }
steps:
  - name: customer
    fetch: { from: crm, path: "/c/\${record.email}", take: { id: body.id } }
  - name: usage
    fetch: { from: billing, path: "/u/\${steps.customer.id}", take: { logins: body.n } }
  - video: { template: t, title: Hi, variables: { logins: "\${steps.usage.logins} of \${steps.customer.id}" } }
  - write: { properties: { logins: "\${steps.usage.logins}" }, task: { title: Call } }
`;
  const recipe = recipeOf(text);
  const { wire } = enrichmentEvents.shapes.FetchCompleted;
  const due = (data: object, results?: object) =>
    stepsDue(
      {
        envelope: {
          id: 'e9',
          source: '/enrichment-service',
          type: wire,
          subject: 'contact:7',
          time: '2026-11-21T10:00:05.000Z',
          tenant: 'default',
          correlationid: 'root',
        },
        value: {
          recipe: 'chain',
          recipeVersion: 'v',
          fetch: 3,
          triggeredAt: '2026-11-21T10:00:00.000Z',
          system: 'crm',
          status: 200,
          content: 'c',
          ...(results ? { results } : {}),
          ...data,
        },
        hash: '',
      },
      [recipe],
      '1',
    );

  it('begin with its fields, and with what the steps before it left', () => {
    const customer = { id: 'x7' };
    expect(due({ step: 'customer', fields: customer })).toMatchObject({
      due: [{ step: { name: 'usage' }, results: { customer }, rootCause: 'root', content: 'c', number: 3 }],
    });
    expect(due({ step: 'usage', fields: { logins: 4 } }, { customer })).toMatchObject({
      due: [
        { step: { name: 'video' }, results: { customer, usage: { logins: 4 } }, at: '2026-11-21T10:00:00.000Z' },
        { step: { name: 'write' }, time: '2026-11-21T10:00:05.000Z' },
      ],
    });
  });

  it('are none where the recipe has no such step any more', () => {
    expect(due({ step: 'gone', fields: {} })).toMatchObject({ due: [] });
  });
});

it('cases tell what would be asked, and go on from what the step left', () => {
  const cases = `- case: a customer's usage is asked for and written
  record: { external_id: a/7 }
  steps: { usage: { logins: 41, plan: pro } }
  expect:
    usage: { fetched: /customers/a%2F7/usage?days=30 }
    write: { properties: { logins: '41' } }
- case: nobody is asked about a contact without a number
  record: {}
  expect:
    usage: { rejected: missing }
- case: nor about one that leads elsewhere
  record: { external_id: .. }
  expect:
    usage: { rejected: path }
- case: a wrong expectation is told
  record: { external_id: '7' }
  expect:
    usage: { fetched: /customers/8/usage }
`;
  const run = runCases(recipeOf(textOf({ more: '      query: { days: 30 }' })), cases, 'c.yaml');
  expect('results' in run ? run.results.map(({ differs }) => differs) : run.faults).toEqual([
    [],
    [],
    [],
    [
      {
        step: 'usage',
        expected: { fetched: '/customers/8/usage' },
        came: { fetched: '/customers/7/usage?days=30' },
      },
    ],
  ]);
});

describe('a change of a fetch', () => {
  const of = (before: Recipe | undefined, after: Recipe | undefined) =>
    differences(before, after).map(({ says, widens }) => `${widens ? '!' : '-'} ${says}`);

  it('tells who is asked, what is sent there and what is taken', () => {
    const after = recipeOf(textOf({ when: 'record.plan == "pro"' }));
    expect(of(undefined, after)).toEqual(
      expect.arrayContaining([
        '! newly asks the system billing at /customers/${record.external_id}/usage',
        '! newly sends contact.external_id to the system billing',
        '! newly takes logins from billing',
        '- newly reads contact.plan',
      ]),
    );
  });

  it('widens where another field is taken, more is sent, or something else is taken by the same name', () => {
    const before = recipeOf(textOf());
    expect(of(before, recipeOf(textOf({ take: '{ logins: body.all, plan: body.plan.name }' })))).toEqual([
      '! takes logins from billing as body.all, no longer as body.logins_30d',
    ]);
    expect(of(before, recipeOf(textOf({ more: '      query: { m: "${record.email}" }' })))).toEqual([
      '! newly sends contact.email to the system billing',
    ]);
    expect(of(before, before)).toEqual([]);
  });
});
