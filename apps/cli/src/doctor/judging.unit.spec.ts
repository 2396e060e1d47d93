import type { PropertyUse } from '#libs/recipes';
import type { VideoTemplate } from '#libs/vendors/heygen';
import { type AccountFacts, judgeAccount, judgeClock } from './account';
import type { Finding } from './finding';
import { type Definition, judgePreparation, judgeProperties, judgeStages } from './portal';
import { judgeBatches, judgeModels, judgeTemplates } from './vendors';
import { type DoorFacts, judgeDoor, judgeWebhooks } from './webhooks';

const codes = (found: readonly Finding[]): string[] => found.map(({ code }) => code);
const refused = (code: string, message = '') => ({ outcome: 'retry', code, message, refused: true }) as const;
const stopped = (code: string) => ({ outcome: 'stop', code, message: '' }) as const;

describe('an account', () => {
  const done = { outcome: 'done', value: { appId: '7', portalId: 1, scopes: ['tickets'] } } as const;
  const facts = (over: Partial<AccountFacts> = {}): AccountFacts => ({
    where: 'here',
    plan: { perTenSeconds: 100, perDay: 1_000, timeZone: 'UTC' },
    scopes: [{ scope: 'tickets', for: ['r'], setup: false }],
    token: done,
    account: { outcome: 'done', value: { portalId: 1, timeZone: 'UTC', rates: {} } },
    ...over,
  });

  it('is well where all is as declared', () => {
    expect(judgeAccount(facts({ declaredApp: '7', declaredPortals: [1] }))).toEqual([]);
  });

  it.each([
    ['no-token', 'token-missing'],
    ['tenant-unknown', 'tenant-unknown'],
    ['not-installed', 'app-not-installed'],
    ['EXPIRED_AUTHENTICATION', 'token-expired'],
    ['INVALID_AUTHENTICATION', 'token-revoked'],
    ['BAD_REFRESH_TOKEN', 'token-revoked'],
    ['http-401', 'token-revoked'],
    ['DAILY', 'quota-spent'],
    ['unreachable', 'hubspot-unreachable'],
    ['deadline', 'hubspot-unreachable'],
    ['MIGRATION', 'hubspot-refused'],
  ])('whose calls are refused as %s has one fault, %s', (said, code) => {
    expect(codes(judgeAccount(facts({ account: refused(said), token: refused(said) })))).toEqual([code]);
  });

  it('is judged by what its token may do also where its calls are refused', () => {
    const found = judgeAccount(
      facts({ account: refused('DAILY'), token: { outcome: 'done', value: { ...done.value, scopes: [] } } }),
    );
    expect(codes(found)).toEqual(['quota-spent', 'scope-missing']);
  });

  it('whose token HubSpot takes and does not tell of needs a declared app', () => {
    const token = stopped('no-such-route');
    expect(codes(judgeAccount(facts({ token })))).toEqual(['app-unknown', 'scopes-unread']);
    expect(codes(judgeAccount(facts({ token, declaredApp: '7' })))).toEqual(['scopes-unread']);
  });

  it('lacks a scope for preparation without an error', () => {
    const scopes = [{ scope: 'x', for: ['refrain doctor'], setup: true }];
    expect(judgeAccount(facts({ scopes })).map(({ code, severity }) => [code, severity])).toEqual([
      ['setup-scope-missing', 'warning'],
    ]);
  });

  it('is warned of before its day is used up, and told of limits that are not its own', () => {
    const rates = { most: 50, dailyMost: 500, dailyRemaining: 49 };
    const account = { outcome: 'done', value: { portalId: 1, timeZone: 'Europe/Berlin', rates } } as const;
    expect(codes(judgeAccount(facts({ account })))).toEqual([
      'quota-low',
      'limit-too-high',
      'limit-too-high',
      'time-zone-differs',
    ]);
    const enough = {
      ...account,
      value: { ...account.value, timeZone: 'Etc/UTC', rates: { dailyMost: 2_000, dailyRemaining: 200 } },
    };
    expect(judgeAccount(facts({ account: enough }))).toEqual([]);
  });

  it.each([
    [0, []],
    [29_000, []],
    [-31_000, ['clock-drift']],
    [300_000, ['clock-skew']],
  ])('whose clock is %i ms ahead is judged %j', (ahead, expected) => {
    expect(codes(judgeClock({ theirs: 1_000_000 + ahead, ours: 1_000_000 }, 'HubSpot', 'here'))).toEqual(expected);
  });
});

describe('a property', () => {
  const definition = (over: Partial<Definition> = {}): Definition => ({
    name: 'p',
    type: 'string',
    options: [],
    ...over,
  });
  const option = (value: string) => ({ value, label: value, displayOrder: 0, hidden: false });
  const use = (over: Partial<PropertyUse> = {}): PropertyUse => ({
    object: 'deal',
    property: 'p',
    recipe: 'r',
    how: 'writes',
    ...over,
  });
  const judge = (of: Partial<Definition> | undefined, over: Partial<PropertyUse> = {}, archived: string[] = []) =>
    codes(
      judgeProperties({
        tenant: 'default',
        uses: [use(over)],
        defined: new Map([['deal', { outcome: 'done', value: { present: of ? [definition(of)] : [], archived } }]]),
      }),
    );

  it.each<[string, Partial<Definition> | undefined, Partial<PropertyUse>, string[]]>([
    ['is there', {}, { kind: 'number' }, []],
    ['is not there and written', undefined, {}, ['property-missing']],
    ['is not there and waited for', undefined, { how: 'waits' }, ['property-missing']],
    ['is not there and only read', undefined, { how: 'reads' }, ['property-unknown']],
    [
      'is read-only and read',
      { modificationMetadata: { archivable: false, readOnlyDefinition: true, readOnlyValue: true } },
      { how: 'reads' },
      [],
    ],
    [
      'is read-only and written',
      { modificationMetadata: { archivable: false, readOnlyDefinition: true, readOnlyValue: true } },
      {},
      ['property-read-only'],
    ],
    ['is calculated and written', { calculated: true }, {}, ['property-calculated']],
    ['is calculated and waited for', { calculated: true }, { how: 'waits' }, ['property-seldom-told']],
    ['takes numbers and is given text', { type: 'number' }, { kind: 'text' }, ['property-type']],
    ['takes numbers and is given a number in text', { type: 'number' }, { values: ['5.5'] }, []],
    ['takes numbers and is given another text', { type: 'number' }, { values: ['many'] }, ['property-type']],
    ['takes truth and is given a number', { type: 'bool' }, { kind: 'number' }, ['property-type']],
    ['takes times and is given one', { type: 'datetime' }, { kind: 'time' }, []],
    ['takes dates and is given a list', { type: 'date' }, { kind: 'list' }, ['property-type']],
    ['has the option', { type: 'enumeration', options: [option('a'), option('b')] }, { values: ['a;b'] }, []],
    ['lacks the option', { type: 'enumeration', options: [option('a')] }, { values: ['a', 'c'] }, ['option-missing']],
    ['has its options elsewhere', { type: 'enumeration', externalOptions: true }, { values: ['c'] }, []],
    [
      'lacks an option that is waited for',
      { type: 'enumeration', options: [option('a')] },
      { how: 'waits', values: ['c'] },
      ['option-unknown'],
    ],
    ['is not unique and finds records', {}, { how: 'finds' }, ['property-not-unique']],
    ['is unique and finds records', { hasUniqueValue: true }, { how: 'finds' }, []],
  ])('that %s', (_, of, over, expected) => {
    expect(judge(of, over)).toEqual(expected);
  });

  it('that was archived is told as such', () => {
    expect(judge(undefined, {}, ['p'])).toEqual(['property-archived']);
  });

  it('of records that cannot be looked at is nothing but that', () => {
    const defined = new Map([['deal', stopped('MISSING_SCOPES')]]);
    expect(codes(judgeProperties({ tenant: 'default', uses: [use(), use({ property: 'q' })], defined }))).toEqual([
      'properties-unread',
    ]);
  });

  it('that init makes is missing once: as one that recipes write, or as one that nobody writes yet', () => {
    const lead = { name: 'lead_score', label: '', groupName: '', type: 'number', fieldType: 'number' } as const;
    const prepared = { object: 'contact', groups: [], properties: [lead], differing: [] };
    const written = use({ object: 'contact', property: 'lead_score' });
    expect(codes(judgePreparation('default', prepared, []))).toEqual(['property-unprepared']);
    expect(judgePreparation('default', prepared, [written])).toEqual([]);
  });
});

it('a stage must be in one pipeline, and is warned of where it is not in all', () => {
  const stage = (id: string, label: string) => ({ id, label }) as never;
  const pipelines = new Map([
    [
      'deal',
      [
        { id: 'sales', label: 'Sales', stages: [stage('1', 'Risk')] },
        { id: 'renewals', label: 'Renewals', stages: [stage('2', 'Open')] },
      ],
    ],
  ]);
  const judge = (named: string, of: 'stage' | 'pipeline', by: 'id' | 'name or id') =>
    judgeStages({ tenant: 'default', stages: [{ object: 'deal', recipe: 'r', of, named, by }], pipelines });
  expect(codes(judge('Risk', 'stage', 'name or id'))).toEqual(['stage-partial']);
  expect(codes(judge('Risk', 'stage', 'id'))).toEqual(['stage-missing']);
  expect(codes(judge('2', 'stage', 'id'))).toEqual([]);
  expect(codes(judge('other', 'pipeline', 'id'))).toEqual(['pipeline-missing']);
  expect(judge('Risk', 'stage', 'name or id')[0]?.what).toContain('records in Renewals are rejected');
});

describe('subscriptions', () => {
  const need = { object: 'contact', change: 'propertyChange', property: 'p', for: ['r'], fate: false };
  const judge = (
    subscriptions: { eventType: string; objectTypeId?: string; propertyName?: string; active: boolean }[],
  ) => {
    const webhooks = { targetUrl: 'x', subscriptions: subscriptions.map((one, n) => ({ id: String(n), ...one })) };
    return codes(judgeWebhooks({ where: 'here', needs: [need], webhooks, target: 'x' }));
  };

  it('tell of a change in either form', () => {
    expect(judge([{ eventType: 'contact.propertyChange', propertyName: 'p', active: true }])).toEqual([]);
    expect(
      judge([{ eventType: 'object.propertyChange', objectTypeId: '0-1', propertyName: 'p', active: true }]),
    ).toEqual([]);
  });

  it('of another property or type tell nothing of it', () => {
    const others = [
      { eventType: 'contact.propertyChange', propertyName: 'q', active: true },
      { eventType: 'object.propertyChange', objectTypeId: '0-3', propertyName: 'p', active: true },
    ];
    expect(judge(others)).toEqual(['subscription-missing', 'subscription-unused']);
    expect(judge([{ eventType: 'contact.propertyChange', propertyName: 'p', active: false }])).toEqual([
      'subscription-inactive',
    ]);
  });

  it('go to the gateway, or to somewhere', () => {
    const webhooks = { subscriptions: [] };
    expect(codes(judgeWebhooks({ where: 'here', needs: [], webhooks, target: 'x' }))).toEqual(['target-differs']);
    expect(judgeWebhooks({ where: 'here', needs: [], webhooks })).toEqual([]);
  });
});

describe('the door', () => {
  const asked = { status: 401, problem: 'signature-missing' };
  const well: DoorFacts = {
    address: 'https://hub.example.com/webhooks/hubspot',
    unsigned: asked,
    signed: { status: 200 },
    forged: { status: 401, problem: 'signature-mismatch' },
  };
  it.each<[string, Partial<DoorFacts>, string[]]>([
    ['is well', {}, []],
    ['does not answer', { unsigned: { failed: 'ENOTFOUND' } }, ['gateway-unreachable']],
    ['leads elsewhere', { unsigned: { status: 301 } }, ['gateway-redirects']],
    ['is somebody else', { unsigned: { status: 404 } }, ['gateway-strange']],
    ['takes what is not signed', { unsigned: { status: 200 } }, ['gateway-strange']],
    ['takes what anybody signs', { forged: { status: 200 } }, ['signature-unverified']],
    ['has another secret', { signed: { status: 401, problem: 'signature-mismatch' } }, ['signature-refused']],
    ['has another time', { signed: { status: 401, problem: 'timestamp-stale' } }, ['clock-skew']],
    ['cannot answer', { signed: { status: 503, problem: 'overloaded' } }, ['gateway-strange']],
    ['is not tried', { signed: undefined, forged: undefined }, ['signature-untested']],
    ['has a clock that is behind', { clock: { theirs: 0, ours: 400_000 } }, ['clock-skew']],
  ])('that %s', (_, over, expected) => {
    expect(codes(judgeDoor({ ...well, ...over }))).toEqual(expected);
  });
});

describe('vendors', () => {
  const use = { template: 't', recipe: 'r', variables: { name: 'text', photo: 'image' }, subtitled: false };
  const own = [
    { name: 'name', type: 'text' },
    { name: 'photo', type: 'image' },
  ];
  const told = (value: VideoTemplate, over = {}, version: 'v3' | 'v2' = 'v3') =>
    codes(judgeTemplates([{ ...use, ...over }], new Map([['t', { outcome: 'done', value }]]), version));
  it('have the templates that recipes name, with the same variables of the same types', () => {
    const answers = (answer: Parameters<typeof judgeTemplates>[1] extends ReadonlyMap<string, infer A> ? A : never) =>
      codes(judgeTemplates([use], new Map([['t', answer]]), 'v3'));
    expect(told({ variables: own })).toEqual([]);
    expect(told({ variables: [{ name: 'name', type: 'voice' }, { name: 'photo' }, { name: 'more' }] })).toEqual([
      'template-variable-missing',
      'template-variable-type',
    ]);
    expect(told({ variables: own }, { variables: { name: 'text', photo: 'text' } })).toEqual([
      'template-variable-type',
    ]);
    expect(answers(stopped('not_found'))).toEqual(['template-missing']);
    expect(answers(stopped('insufficient_api_key_scope'))).toEqual(['heygen-key']);
    expect(answers({ outcome: 'unknown', code: 'http-500', message: '' })).toEqual(['heygen-unreachable']);
  });

  it.each([
    ['16:9', 1280, 720, []],
    ['16:9', 854, 480, []],
    ['16:9', 720, 1280, ['template-dimension']],
    ['9:16', 720, 1280, []],
    [undefined, 720, 1280, []],
  ])('have templates of the aspect ratio (%s) that recipes ask for', (aspectRatio, width, height, found) => {
    const template = { variables: own, ...(aspectRatio === undefined ? {} : { aspectRatio }) };
    expect(told(template, { dimension: { width, height } })).toEqual(found);
  });

  it('take subtitles by version 3 alone', () => {
    expect(told({ variables: own }, { subtitled: true })).toEqual([]);
    expect(told({ variables: own }, { subtitled: true }, 'v2')).toEqual(['template-option-unknown']);
  });

  describe('have the models', () => {
    const now = Date.parse('2026-11-22');
    const judge = (models: { id: string; endsAt?: string }[], summaryModel = 'm') =>
      judgeModels({ uses: [{ model: 'm', recipe: 'r' }], summaryModel }, { outcome: 'done', value: models }, now);

    it('that recipes ask, and for how long', () => {
      expect(judge([{ id: 'm' }])).toEqual([]);
      expect(codes(judge([{ id: 'm', endsAt: '2027-01-14' }]))).toEqual(['model-ending']);
      expect(judge([{ id: 'm', endsAt: '2027-09-01' }])).toEqual([]);
      expect(codes(judge([{ id: 'n' }]))).toEqual(['model-missing']);
      const none = judgeModels({ uses: [], summaryModel: 'm' }, refused('invalid_api_key'), now);
      expect(codes(none)).toEqual(['openai-key']);
    });

    it('that sums up what is too long: of another one than recipes ask the setting is named, and no recipe', () => {
      const told = (models: { id: string; endsAt?: string }[], summaryModel?: string) =>
        judge(models, summaryModel).map(({ code, where, remedy }) => [code, where, remedy]);
      expect(told([{ id: 'm' }, { id: 's' }], 's')).toEqual([]);
      expect(told([{ id: 'm' }], 's')).toEqual([
        ['model-missing', 'OpenAI model s, OPENAI_SUMMARY_MODEL', 'Name another model in OPENAI_SUMMARY_MODEL.'],
      ]);
      expect(told([{ id: 'm' }, { id: 's', endsAt: '2027-01-14' }], 's')).toEqual([
        [
          ...['model-ending', 'OpenAI model s, OPENAI_SUMMARY_MODEL'],
          'Name its successor in OPENAI_SUMMARY_MODEL before that.',
        ],
      ]);
      expect(told([])).toEqual([
        [
          ...['model-missing', 'OpenAI model m, recipe r, OPENAI_SUMMARY_MODEL'],
          'Name another model in the recipe and in OPENAI_SUMMARY_MODEL.',
        ],
      ]);
    });
  });

  it('without a Batch API are told of; what keeps that from being known is told of the models', () => {
    expect(codes(judgeBatches({ outcome: 'done', value: false }))).toEqual(['batches-missing']);
    expect(judgeBatches({ outcome: 'done', value: true })).toEqual([]);
    expect(judgeBatches(refused('invalid_api_key'))).toEqual([]);
  });
});
