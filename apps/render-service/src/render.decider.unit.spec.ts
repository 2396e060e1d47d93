import { join } from 'node:path';
import type { Fate, RenderEvent } from '#libs/contracts';
import { fingerprintOf, labelOf, loadRecipes, readRecipe, stepOf, tablesWith } from '#libs/recipes';
import { given as givenOf } from '../../../libs/process/src/testing/given';
import { renderDecider } from './render.decider';
import type { RenderInput, VideoDue } from './render-input';

const [recipe] = loadRecipes(join(__dirname, '../../../recipes')).filter((r) => r.id === 'lead-qualified');
const step = stepOf(recipe, 'video');
if (!recipe || !step) throw new Error('the recipe is gone');
const given = (...history: RenderEvent[]) => givenOf(renderDecider(), ...history);

const streamId = 'render-default:contact:7:lead-qualified';
const at = '2026-11-21T10:00:00.000Z';
const about = { recipe: 'lead-qualified', recipeVersion: recipe.version, render: 1, triggeredAt: at };
const content = 'lifecyclestage=marketingqualifiedlead';
const cause = 'cause-1';

const record = { type: 'contact', id: '7' };
const chain = { tenant: 'default', record, content, at, rootCause: cause, results: {}, time: at, number: 0 };

const trigger = (over: Partial<VideoDue> = {}): RenderInput => ({
  type: 'triggered',
  trigger: { recipe, step, ...chain, ...over },
});
const read = (properties: Record<string, string | null>): RenderInput => ({
  type: 'read',
  rootCause: cause,
  recipe,
  streamId,
  purpose: 'read',
  at,
  ended: { state: 'done', answer: { properties, modifiedAt: at } },
});
const ada = { firstname: 'Ada', company: 'Example Works', recent_conversion_event_name: null };

const recipes = [labelOf(recipe)];
const readRecord = {
  recipes,
  kind: 'hubspot.read',
  purpose: 'read',
  request: {
    record: { type: 'contact', id: '7' },
    properties: ['firstname', 'company', 'recent_conversion_event_name'],
    notes: 0,
  },
};
const requested: RenderEvent = { type: 'RenderRequested', data: { ...about, rootCause: cause, content } };
const variables = { first_name: 'Ada', company: 'Example Works', recent_event: 'your interest' };
const prepared: RenderEvent = {
  type: 'RenderPrepared',
  data: {
    ...about,
    template: 'demo-outreach',
    variables,
    title: 'Outreach for Ada',
    recordModifiedAt: at,
    actedAt: at,
  },
};
const submitted: RenderEvent = {
  type: 'RenderSubmitted',
  data: { ...about, generation: 1, videoId: 'v1', actedAt: at },
};
const url = 'https://videos.example.test/v1.mp4';
const completed: RenderEvent = {
  type: 'RenderCompleted',
  data: { ...about, videoId: 'v1', url, content, actedAt: at },
};
const failed: RenderEvent = {
  type: 'RenderFailed',
  data: { ...about, videoId: 'v1', code: 'content_policy_violation', reason: 'broke', actedAt: at },
};

const callback = (result: 'success' | 'fail' | 'other', over = {}): RenderInput => ({
  type: 'called-back',
  at,
  render: 1,
  generation: 1,
  callback: {
    result,
    eventType: 'avatar_video',
    videoId: 'v1',
    url,
    code: 'content_policy_violation',
    message: 'broke',
    ...over,
  },
});
const generated = (ended: (RenderInput & { type: 'generated' })['ended']): RenderInput => ({
  type: 'generated',
  rootCause: cause,
  generation: 1,
  at,
  ended,
});

describe('a trigger', () => {
  it('requests a render and reads the record for it, only what the recipe needs', () => {
    expect(given()(trigger())).toEqual({ events: [requested], effects: [readRecord] });
  });

  it('that has its render already states the same reading again and numbers nothing', () => {
    expect(given(requested, prepared, submitted, completed)(trigger())).toEqual({ events: [], effects: [readRecord] });
  });

  it('of the same content within the cool-down makes no second video, whichever came first', () => {
    const later = trigger({ rootCause: 'cause-2', at: '2026-11-22T09:59:59.999Z' });
    const earlier = trigger({ rootCause: 'cause-2', at: '2026-11-20T10:00:00.001Z' });
    expect(given(requested, prepared)(later)).toEqual({ events: [] });
    expect(given(requested, prepared)(earlier)).toEqual({ events: [] });
  });

  it('that is found in the record and was told before does nothing, whatever became of it and came in between', () => {
    const [other, rejected]: RenderEvent[] = [
      {
        type: 'RenderRequested',
        data: { ...about, render: 2, triggeredAt: '2026-12-24T10:00:00.000Z', rootCause: 'cause-2', content: 'other' },
      },
      { type: 'RenderRejected', data: { ...about, code: 'missing', reason: 'why' } },
    ] as const;
    const found = trigger({ rootCause: 'cause-3', found: true, at: '2026-11-21T10:00:00.250Z' });
    for (const history of [
      [requested, prepared, submitted, completed],
      [requested, rejected],
    ])
      expect(given(...history, other)(found)).toEqual({ events: [] });
    const recipeWithout = { ...recipe, coolDownMs: 0 };
    expect(given(requested, completed)(trigger({ rootCause: 'cause-3', found: true, recipe: recipeWithout }))).toEqual({
      events: [],
    });
    expect(given(requested, rejected)(trigger({ rootCause: 'cause-3' })).events).toHaveLength(1);
    const lost = trigger({ rootCause: 'cause-3', found: true, at: '2026-12-21T10:00:00.000Z' });
    expect(given(requested, prepared, submitted, completed)(lost).events).toMatchObject([{ data: { render: 2 } }]);
  });

  it('after the cool-down makes the next render, by the triggers’ own times', () => {
    const next = given(
      requested,
      prepared,
      submitted,
      completed,
    )(trigger({ rootCause: 'cause-2', at: '2026-11-22T10:00:00.000Z' }));
    expect(next.events).toEqual([
      {
        type: 'RenderRequested',
        data: { ...about, render: 2, triggeredAt: '2026-11-22T10:00:00.000Z', rootCause: 'cause-2', content },
      },
    ]);
  });

  it('after a rejection makes a render: no video was made', () => {
    const rejected: RenderEvent = { type: 'RenderRejected', data: { ...about, code: 'missing', reason: 'r' } };
    expect(given(requested, rejected)(trigger({ rootCause: 'cause-2' })).events).toHaveLength(1);
  });
});

describe('the record as read', () => {
  const order = {
    recipes,
    kind: 'heygen.generate',
    purpose: 'generate',
    request: { template: 'demo-outreach', title: 'Outreach for Ada', callbackId: `${streamId}/1`, variables },
  };

  it('is prepared and ordered once, under an id that names the render', () => {
    expect(given(requested)(read(ada))).toEqual({ events: [prepared], effects: [order] });
  });

  it.each(['N/A', 'n/a', 'test', 'Unknown', '-', '   ', '.', '???', 'xxx', 'None', '123'])(
    'is rejected when firstname is the placeholder %p, and no order is owed',
    (firstname) => {
      const decision = given(requested)(read({ ...ada, firstname }));
      const code = firstname.trim() === '' ? 'missing' : 'placeholder';
      const reason = code === 'missing' ? 'firstname is missing' : 'firstname is a placeholder';
      expect(decision).toEqual({ events: [{ type: 'RenderRejected', data: { ...about, code, reason } }] });
    },
  );

  it.each(['Ada', 'Zoë', 'Jo', '李', 'Anne-Marie', "O'Neil", 'Test-Driven Dave'])('takes %p as a name', (firstname) => {
    expect(given(requested)(read({ ...ada, firstname })).effects).toHaveLength(1);
  });

  it('read again states the same order once more, for the ledger to compare', () => {
    for (const history of [[prepared], [prepared, submitted], [prepared, submitted, completed], [prepared, failed]]) {
      expect(given(requested, ...history)(read(ada))).toEqual({ events: [], effects: [order] });
    }
  });

  it('read again after a rejection is prepared after all, if the reason is gone', () => {
    const rejected: RenderEvent = { type: 'RenderRejected', data: { ...about, code: 'missing', reason: 'r' } };
    expect(given(requested, rejected)(read(ada))).toEqual({ events: [prepared], effects: [order] });
    expect(given(requested, rejected)(read({ ...ada, firstname: null }))).toEqual({ events: [] });
  });

  it('that cannot be read rejects the render', () => {
    const input: RenderInput = { ...read(ada), ended: { state: 'dead', code: 'http-404' } } as RenderInput;
    expect(given(requested)(input).events).toEqual([
      { type: 'RenderRejected', data: { ...about, code: 'http-404', reason: 'the record could not be read' } },
    ]);
  });
});

describe('the answer to the order', () => {
  it('submits the render, ties the video to it and sets the watchdog', () => {
    expect(given(requested, prepared)(generated({ state: 'done', answer: { videoId: 'v1' } }))).toEqual({
      events: [submitted],
      correlate: { vendor: 'heygen', externalId: 'v1' },
      timers: [{ name: 'overdue', due: '2026-11-21T10:30:00.000Z' }],
    });
  });

  it('after the callback only ties the video, and gives back the share of jobs that a repeat took', () => {
    for (const end of [completed, failed])
      expect(
        given(requested, prepared, submitted, end)(generated({ state: 'done', answer: { videoId: 'v1' } })),
      ).toEqual({
        events: [],
        correlate: { vendor: 'heygen', externalId: 'v1' },
        release: [{ kind: 'heygen.generate', purpose: 'generate' }],
      });
  });

  it('that is a refusal fails the render', () => {
    expect(given(requested, prepared)(generated({ state: 'dead', code: 'invalid_parameter' })).events).toEqual([
      {
        type: 'RenderFailed',
        data: {
          ...about,
          videoId: undefined,
          code: 'invalid_parameter',
          reason: 'HeyGen refused the order',
          actedAt: at,
        },
      },
    ]);
  });

  it('to an order that was made again after a failure submits the render again', () => {
    const again = { ...generated({ state: 'done', answer: { videoId: 'v2' } }), generation: 2 } as RenderInput;
    const resubmitted = { type: 'RenderSubmitted', data: { ...about, generation: 2, videoId: 'v2', actedAt: at } };
    expect(given(requested, prepared, submitted, failed)(again).events).toEqual([resubmitted]);
  });

  it('that was erased with its subject ends the render without a failure, which would be written to the CRM', () => {
    const rejected = { type: 'RenderRejected', data: { ...about, code: 'erased', reason: 'its subject was erased' } };
    const erased = generated({ state: 'erased', code: 'erased' });
    expect(given(requested, prepared)(erased)).toEqual({ events: [rejected] });
    expect(given(requested, prepared, submitted, completed)(erased)).toEqual({ events: [] });
  });

  it('that nobody knows waits for a person', () => {
    expect(given(requested, prepared)(generated({ state: 'held', code: 'deadline' }))).toEqual({ events: [] });
  });
});

describe('a callback', () => {
  it('completes the render and belongs to the trigger’s chain', () => {
    expect(given(requested, prepared, submitted)(callback('success'))).toEqual({
      events: [completed],
      rootCause: cause,
      release: [{ kind: 'heygen.generate', purpose: 'generate' }],
    });
  });

  it('says where the video is seen for good, where that is told', () => {
    const link = (render: number) => ({ url: `https://hub.example.test/v/${String(render)}`, link: String(render) });
    const seen = { ...completed, data: { ...completed.data, url: 'https://hub.example.test/v/1', link: '1' } };
    expect(given(requested, prepared, submitted)({ ...callback('success'), link } as RenderInput).events).toEqual([
      seen,
    ]);
    const answer = { videoId: 'v1', status: 'completed', url } as never;
    const ended = { state: 'done', answer } as const;
    const read: RenderInput = { type: 'status-read', rootCause: cause, at, purpose: 'status', ended, link };
    expect(given(requested, prepared, submitted)(read).events).toEqual([seen]);
  });

  it('before the order’s own answer proves that it was taken', () => {
    expect(given(requested, prepared)(callback('success')).events).toEqual([submitted, completed]);
  });

  it('of a failure without a code makes the hub ask for the code', () => {
    const ask = { kind: 'heygen.status', purpose: 'failure', request: { videoId: 'v1' }, recipes };
    const uncoded = callback('fail', { code: undefined });
    expect(given(requested, prepared, submitted)(uncoded)).toEqual({ events: [], effects: [ask], rootCause: cause });
    expect(given(requested, prepared)(uncoded)).toEqual({ events: [submitted], effects: [ask], rootCause: cause });
    expect(given(requested, prepared, submitted, failed)(uncoded).effects).toBeUndefined();
  });

  it('of a failure with a code fails the render', () => {
    expect(given(requested, prepared, submitted)(callback('fail')).events).toEqual([failed]);
  });

  it('a second time decides nothing', () => {
    expect(given(requested, prepared, submitted, completed)(callback('success')).events).toEqual([]);
    expect(given(requested, prepared, submitted, failed)(callback('fail')).events).toEqual([]);
  });

  it('of a failure after the video came changes nothing', () => {
    expect(given(requested, prepared, submitted, completed)(callback('fail')).events).toEqual([]);
  });

  it('of a video after a failure completes the render: the video exists', () => {
    expect(given(requested, prepared, submitted, failed)(callback('success')).events).toEqual([completed]);
  });

  it('with only a video id finds the render by it', () => {
    const unnamed = { ...callback('success'), render: undefined } as RenderInput;
    expect(given(requested, prepared, submitted)(unnamed).events).toEqual([completed]);
  });

  it('for another video, of another kind, or without a url decides nothing', () => {
    const unnamed = { ...callback('success', { videoId: 'v2' }), render: undefined } as RenderInput;
    expect(given(requested, prepared, submitted)(unnamed)).toEqual({ events: [] });
    expect(given(requested, prepared, submitted)(callback('other'))).toEqual({ events: [] });
    expect(given(requested, prepared, submitted)(callback('success', { url: undefined })).events).toEqual([]);
  });
});

describe('an overdue callback', () => {
  const overdue: RenderInput = { type: 'overdue', rootCause: cause, generation: 1 };

  it('makes the hub ask HeyGen, but not for a render that ended', () => {
    expect(given(requested, prepared, submitted)(overdue).effects).toEqual([
      { kind: 'heygen.status', purpose: 'status', request: { videoId: 'v1' }, recipes },
    ]);
    expect(given(requested, prepared, submitted, completed)(overdue)).toEqual({ events: [] });
  });

  it('is settled by what HeyGen says', () => {
    const status = (answer: object) =>
      given(
        requested,
        prepared,
        submitted,
      )({
        type: 'status-read',
        rootCause: cause,
        at,
        purpose: 'status',
        ended: { state: 'done', answer: answer as never },
      });
    expect(status({ videoId: 'v1', status: 'completed', url }).events).toEqual([completed]);
    expect(
      status({ videoId: 'v1', status: 'failed', code: 'content_policy_violation', message: 'broke' }).events,
    ).toEqual([failed]);
    expect(status({ videoId: 'v1', status: 'in-progress' }).events).toEqual([]);
    const unsaid: RenderInput = {
      type: 'status-read',
      rootCause: cause,
      at,
      purpose: 'status',
      ended: { state: 'dead', code: 'not_found' },
    };
    expect(given(requested, prepared, submitted)(unsaid).events[0]).toMatchObject({ data: { code: 'not_found' } });
  });

  it('is asked for again where HeyGen cannot say or makes the video still, a few times', () => {
    const heard = (purpose: string, ended: object): RenderInput => ({
      type: 'status-read',
      rootCause: cause,
      at,
      purpose,
      ended: ended as never,
    });
    const away = { state: 'dead', code: 'service_unavailable' };
    const making = { state: 'done', answer: { videoId: 'v1', status: 'in-progress' } };
    const waiting = given(requested, prepared, submitted);
    const again = (name: string, due: string) => ({ events: [], timers: [{ name, due }] });
    for (const purpose of ['status', 'failure'])
      expect(waiting(heard(purpose, away))).toEqual(again('overdue-1-2', '2026-11-21T10:05:00.000Z'));
    expect(waiting(heard('status-1-2', making))).toEqual(again('overdue-1-3', '2026-11-21T10:30:00.000Z'));
    expect(waiting({ ...overdue, ask: 3 }).effects).toMatchObject([{ purpose: 'status-1-3' }]);
    expect(waiting(heard('status-1-6', making))).toEqual({ events: [] });
    expect(waiting(heard('status-1-6', away)).events).toMatchObject([{ type: 'RenderFailed' }]);
    // A person gave the question up.
    expect(waiting(heard('status', { state: 'cancelled', code: 'cancelled' })).events).toMatchObject([
      { type: 'RenderFailed' },
    ]);
    expect(given(requested, prepared, submitted, completed)(heard('status', away))).toEqual({ events: [] });
  });
});

describe('a claim that HeyGen did not sign', () => {
  const claimed: RenderInput = { type: 'claimed', claim: 'c1', videoId: 'v1' };
  const asked = { kind: 'heygen.status', purpose: 'claim-c1', request: { videoId: 'v1' }, recipes };
  const answered = (ended: object): RenderInput => ({
    type: 'status-read',
    rootCause: cause,
    at,
    purpose: 'claim-c1',
    ended: ended as never,
  });

  it('settles nothing and makes the hub ask about the video that HeyGen gave the render', () => {
    const expected = { events: [], effects: [asked], rootCause: cause };
    expect(given(requested, prepared, submitted)(claimed)).toEqual(expected);
    expect(given(requested, prepared, submitted)({ type: 'claimed', claim: 'c1', render: 1 })).toEqual(expected);
  });

  it('says nothing of another video, of a render that was not taken, or of one that ended', () => {
    expect(given(requested, prepared, submitted)({ ...claimed, videoId: 'v2' })).toEqual({ events: [] });
    for (const history of [[prepared], [prepared, submitted, completed], [prepared, submitted, failed]]) {
      expect(given(requested, ...history)(claimed)).toEqual({ events: [] });
    }
  });

  it('is settled by what HeyGen answers alone', () => {
    const end = given(requested, prepared, submitted);
    expect(end(answered({ state: 'done', answer: { videoId: 'v1', status: 'in-progress' } }))).toEqual({ events: [] });
    expect(end(answered({ state: 'done', answer: { videoId: 'v1', status: 'completed', url } })).events).toEqual([
      completed,
    ]);
    expect(end(answered({ state: 'dead', code: 'http-500' }))).toEqual({ events: [] });
  });
});

describe('what a video looks up', () => {
  const looking = (name: string) => {
    const text = `recipe: lead-qualified
trigger: { object: contact, property: lifecyclestage }
steps:
  - video: { template: t, title: x, variables: { plan: '\${lookup("plans", record.plan, "name")}' } }
`;
    const made = readRecipe(text, 'r.yaml', undefined, { tables: tablesWith({ plans: { pro: { name } } }) });
    if ('faults' in made) throw new Error(made.faults.join('\n'));
    return { ...read({ plan: 'Pro' }), recipe: made.recipe } as RenderInput;
  };
  const first = given(requested)(looking('Professional'));

  it('stands in the event, and the order is the same when the table has changed', () => {
    const looked = [{ table: 'plans', key: 'pro', column: 'name', found: 'Professional' }];
    expect(first.events).toMatchObject([{ data: { variables: { plan: 'Professional' }, looked } }]);
    const again = given(requested, ...first.events)(looking('Otherwise'));
    expect(again).toEqual({ events: [], effects: first.effects });
    const submittedAlready = given(requested, ...first.events, submitted, completed)(looking('Otherwise'));
    expect(submittedAlready.effects).toEqual(first.effects);
  });
});

it('an address that a record gives and that is not public makes no video, and the event says so and what to do', () => {
  const shown = readRecipe(
    `recipe: lead-qualified
trigger: { object: contact, property: p }
steps:
  - video: { template: t, title: t, variables: { photo: { image: { url: '\${record.photo}' } } } }
`,
    'r.yaml',
  );
  if ('faults' in shown) throw new Error(shown.faults.join());
  const input = { ...(read({ photo: 'https://169.254.169.254/latest' }) as object), recipe: shown.recipe };
  expect(given(requested)(input as RenderInput)).toEqual({
    events: [
      {
        type: 'RenderRejected',
        data: {
          ...about,
          code: 'unsafe-url',
          reason: 'variable photo: its url names its host by a number: give a public https address',
        },
      },
    ],
  });
});

describe('where the record is merged, deleted or erased', () => {
  const into = { type: 'contact', id: '9' };
  const told = (fate: Fate): RenderInput => ({ type: 'followed', fate });
  const noted = (fate: Fate): RenderEvent => ({ type: 'RenderRecordFollowed', data: fate });
  const merge: Fate = { what: 'merged', into, at };
  const deletion: Fate = { what: 'deleted', at: '2026-11-21T11:00:00.000Z' };
  const erasure: Fate = { what: 'forgotten', at };
  const gone: RenderEvent = {
    type: 'RenderFailed',
    data: { ...about, code: 'record-deleted', reason: 'the record was deleted' },
  };
  const goneNow = { ...gone, data: { ...gone.data, actedAt: at } };
  const survivor = 'contact:9';
  const readThere = { ...readRecord, purpose: 'read@9', request: { ...readRecord.request, record: into } };
  const withdrawn = [
    { kind: 'hubspot.read', purpose: 'read' },
    { kind: 'heygen.generate', purpose: 'generate' },
  ];
  const superseded = { state: 'superseded' as const, code: 'superseded' };

  it('a merge is noted once, and what follows speaks of the record that goes on', () => {
    expect(given(requested)(told(merge))).toEqual({ events: [noted(merge)] });
    expect(given(requested, noted(merge))(told(merge))).toEqual({ events: [], subject: survivor });
    expect(given(requested, prepared, submitted, noted(merge))(callback('success'))).toMatchObject({
      events: [completed],
      subject: survivor,
      rootCause: cause,
    });
  });

  it('a reading that failed is asked again where the record goes on, once', () => {
    const failing = (purpose: string): RenderInput => ({
      ...(read(ada) as RenderInput & { type: 'read' }),
      purpose,
      ended: { state: 'dead', code: 'OBJECT_NOT_FOUND' },
    });
    expect(given(requested, noted(merge))(failing('read'))).toEqual({
      events: [],
      effects: [readThere],
      subject: survivor,
    });
    expect(given(requested, noted(merge))(failing('read@9')).events).toMatchObject([{ type: 'RenderRejected' }]);
  });

  it('a trigger that comes after the merge is served where the record goes on', () => {
    expect(given(noted(merge))(trigger())).toEqual({ events: [requested], effects: [readThere], subject: survivor });
  });

  it('of a deleted record what waits is withdrawn, and ends as failed', () => {
    expect(given(requested)(told(deletion))).toEqual({
      events: [noted(deletion)],
      supersede: withdrawn,
      timers: [{ name: 'withdraw', due: '2026-11-21T11:01:00.000Z' }],
    });
    // A call that ran then, and came to nothing, waits to be made again.
    expect(given(requested, prepared, noted(deletion))({ type: 'withdraw' })).toEqual({
      events: [],
      supersede: withdrawn,
    });
    expect(given(requested, prepared, submitted, noted(deletion))({ type: 'withdraw' })).toEqual({ events: [] });
    expect(given(requested, prepared, noted(deletion))(generated(superseded))).toEqual({ events: [goneNow] });
    expect(given(requested, noted(deletion))(read(ada))).toEqual({ events: [goneNow] });
    expect(given(requested, prepared, submitted)(told(deletion))).toEqual({ events: [noted(deletion)] });
  });

  it('a trigger that is older than the deletion orders nothing; a later one shows that the record lives', () => {
    expect(given(noted(deletion))(trigger())).toEqual({ events: [requested, gone] });
    expect(given(noted(deletion))(trigger({ at: '2026-11-21T12:00:00.000Z' })).effects).toEqual([readRecord]);
  });

  it('of an erased record nothing more is said than that its renders ended, and no new one begins', () => {
    const rejected = { type: 'RenderRejected', data: { ...about, code: 'erased', reason: 'its subject was erased' } };
    expect(given(noted(erasure))(trigger())).toEqual({ events: [] });
    expect(given(requested, prepared, noted(erasure))(generated(superseded))).toEqual({ events: [goneNow] });
    expect(given(requested, prepared, submitted, noted(erasure))(callback('success'))).toEqual({
      events: [rejected],
      rootCause: cause,
      release: [{ kind: 'heygen.generate', purpose: 'generate' }],
      effects: [{ recipes, kind: 'heygen.remove', purpose: 'remove-v1', request: { videoId: 'v1' } }],
    });
  });
});

it('says that HeyGen is at it once, when a look says so', () => {
  const looked: RenderInput = {
    type: 'status-read',
    rootCause: cause,
    at,
    purpose: 'status',
    ended: { state: 'done', answer: { videoId: 'v1', status: 'processing' } },
  };
  const started: RenderEvent = { type: 'RenderStarted', data: { ...about, videoId: 'v1' } };
  const timers = [{ name: 'overdue-1-2', due: '2026-11-21T10:30:00.000Z' }];
  expect(given(requested, prepared, submitted)(looked)).toEqual({ events: [started], timers });
  expect(given(requested, prepared, submitted, started)(looked)).toEqual({ events: [], timers });
  expect(given(requested, prepared, submitted, started)(callback('success')).events).toEqual([completed]);
  expect(given(requested, prepared, submitted, completed)(looked)).toEqual({ events: [] });
});

describe('triggers of machines', () => {
  const minute = (n: number): string => new Date(Date.parse(at) + n * 60_000).toISOString();
  const by = (n: number, who: 'person' | 'machine'): RenderInput =>
    trigger({ by: who, at: minute(n), content: `p=${String(n)}`, rootCause: `c${String(n)}` });
  /** Each render that is let in is submitted at once. */
  const run = (...inputs: RenderInput[]): RenderEvent[] =>
    inputs.reduce<RenderEvent[]>((history, input) => {
      const { events } = given(...history)(input);
      const requests = events.filter((event) => event.type === 'RenderRequested' && events.length === 1);
      const taken = requests.map(({ data }): RenderEvent => {
        const { render, triggeredAt } = data as typeof about;
        return {
          type: 'RenderSubmitted',
          data: { ...about, render, triggeredAt, generation: 1, actedAt: triggeredAt },
        };
      });
      return [...history, ...events, ...taken];
    }, []);

  it('are refused from the fourth answer in a row on, told of once, until a person changes something', () => {
    const events = run(by(0, 'person'), ...[1, 2, 3, 4, 5].map((n) => by(n, 'machine')), by(6, 'person'));
    const rejected = events.flatMap((event) => (event.type === 'RenderRejected' ? [event.data.code] : []));
    expect(rejected).toEqual(['loop', 'loop']);
    expect(events.filter(({ type }) => type === 'RenderLoopCut')).toEqual([
      { type: 'RenderLoopCut', data: { recipe: 'lead-qualified', at: minute(4) } },
    ]);
    const depths = events.flatMap((event) => (event.type === 'RenderRequested' ? [event.data.depth ?? 0] : []));
    expect(depths.filter((_, n) => n !== 5)).toEqual([0, 1, 2, 3, 4, 0]);
    expect(events.at(-1)?.type).toBe('RenderSubmitted');
  });

  it('that repeat what the hub wrote set off nothing', () => {
    const value = { property: 'p', fingerprint: fingerprintOf('p=1'), at };
    const [written] = given()({ type: 'written', value }).events;
    expect(written).toEqual({ type: 'RenderValueWritten', data: value });
    const history = written ? [written] : [];
    expect(given(...history)(by(1, 'machine'))).toEqual({ events: [] });
    expect(given(...history)(by(1, 'person')).effects).toHaveLength(1);
  });
});

describe('a person who asks for one more', () => {
  const again = (over: Partial<Extract<RenderInput, { type: 'asked' }>['ask']> = {}): RenderInput => ({
    type: 'asked',
    ask: {
      record,
      recipe,
      after: 1,
      by: 'hubspot-user:42',
      rootCause: 'ask-1',
      at: '2026-11-21T10:05:00.000Z',
      ...over,
    },
  });
  const second = { ...about, render: 2, triggeredAt: '2026-11-21T10:05:00.000Z' };
  const asked: RenderEvent = {
    type: 'RenderRequested',
    data: { ...second, rootCause: 'ask-1', content, asked: { after: 1, by: 'hubspot-user:42' } },
  };
  const done = [requested, prepared, submitted, completed];
  const rejected: RenderEvent = { type: 'RenderRejected', data: { ...about, code: 'missing', reason: 'no firstname' } };
  const deletedAt = '2026-11-21T10:01:00.000Z';

  it.each([
    ['is there', done],
    ['failed', [requested, prepared, submitted, failed]],
    ['was rejected', [requested, rejected]],
  ])('gets it within the cool-down where the newest %s, read afresh', (_, history) => {
    expect(given(...history)(again())).toEqual({ events: [asked], effects: [readRecord] });
  });

  it('gets what the first one was made of, whatever the steps before it left', () => {
    const results = { company: { name: 'Example Works' } };
    const first: RenderEvent = { type: 'RenderRequested', data: { ...about, rootCause: cause, content, results } };
    const { events } = given(first, prepared, submitted, completed)(again());
    expect(events).toMatchObject([{ data: { content, results } }]);
  });

  it('gets one, whoever asks behind the same render how often: by the same wish it is stated again', () => {
    expect(given(...done, asked)(again())).toEqual({ events: [], effects: [readRecord] });
    expect(given(...done, asked)(again({ rootCause: 'ask-2' }))).toEqual({ events: [] });
    const ended: RenderEvent = { type: 'RenderRejected', data: { ...second, code: 'missing', reason: 'why' } };
    expect(given(...done, asked, ended)(again({ rootCause: 'ask-2' }))).toEqual({ events: [] });
  });

  it.each([
    ['requested', [requested]],
    ['prepared', [requested, prepared]],
    ['submitted', [requested, prepared, submitted]],
  ])('gets none while the newest is %s', (_, history) => {
    expect(given(...history)(again())).toEqual({ events: [] });
  });

  it('gets none behind a render that is not there', () => {
    expect(given()(again())).toEqual({ events: [] });
    expect(given(...done)(again({ after: 2 }))).toEqual({ events: [] });
  });

  it.each(['deleted', 'forgotten'] as const)('gets none of a record that is %s', (what) => {
    const gone: RenderEvent = { type: 'RenderRecordFollowed', data: { what, at: deletedAt } };
    expect(given(...done, gone)(again())).toEqual({ events: [] });
  });

  it('gets one of the record that it goes on as, where it was merged', () => {
    const into = { type: 'contact', id: '8' };
    const merged: RenderEvent = { type: 'RenderRecordFollowed', data: { what: 'merged', at: deletedAt, into } };
    const decided = given(...done, merged)(again());
    expect(decided).toMatchObject({ events: [asked], subject: 'contact:8', effects: [{ request: { record: into } }] });
  });

  it('is told so where the recipe makes no video any more', () => {
    expect(given(...done)(again({ recipe: undefined })).events).toMatchObject([
      asked,
      { type: 'RenderRejected', data: { render: 2, code: 'recipe-gone' } },
    ]);
  });

  it('never asks as of before what is repeated: the newer link is to stand, whatever the gateway’s clock says', () => {
    const { events } = given(...done)(again({ at: '2026-11-20T10:00:00.000Z' }));
    expect(events).toMatchObject([{ data: { render: 2, triggeredAt: at } }]);
  });

  it('cools down the trigger’s own repeats, and none of the next person', () => {
    const later = trigger({ rootCause: 'cause-2', at: '2026-11-22T10:04:00.000Z' });
    expect(given(...done, asked)(later)).toEqual({ events: [] });
    const end: RenderEvent = { type: 'RenderRejected', data: { ...second, code: 'missing', reason: 'why' } };
    expect(given(...done, asked, end)(again({ after: 2, rootCause: 'ask-2' })).events).toMatchObject([
      { data: { render: 3, content } },
    ]);
  });
});
