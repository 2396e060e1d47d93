import type { SweepEvent, SweepOrigin } from '#libs/contracts';
import { given as givenOf } from '../../../libs/process/src/testing/given';
import type { LegInput, PageAnswer } from './leg.decider';
import { PAGES_A_LEG } from './leg.decider';
import { sweepDecider, type SweepInput, type Task } from './sweep.decider';

const given = (...history: SweepEvent[]) => givenOf(sweepDecider, ...history);
const hour = 3_600_000;
const noon = '2026-11-21T12:00:00.000Z';
const name = (origin: SweepOrigin, sweep = 1) => ({ sweep, object: 'contact', origin });
const taskOf = (origin: SweepOrigin, over: Partial<Task> = {}): Task => ({
  object: 'contact',
  origin,
  properties: ['stage'],
  ...over,
});
const asked = (origin: SweepOrigin, over: object = {}): SweepInput => ({
  type: 'asked',
  task: taskOf(origin),
  isScheduled: origin !== 'backfill',
  at: noon,
  ...(origin === 'backfill' ? {} : { everyMs: hour }),
  ...over,
});
const window = { from: '2026-11-21T10:55:00.000Z', to: '2026-11-21T11:59:00.000Z' };
const began = (origin: SweepOrigin = 'reconcile', over: object = {}): SweepEvent => ({
  type: 'SweepBegan',
  data: {
    ...name(origin),
    properties: ['stage'],
    ...(origin === 'reconcile' ? window : {}),
    again: false,
    ...over,
  },
});
const read = (over: object = {}): SweepInput => ({
  type: 'read',
  read: { ...name('reconcile'), found: 7, counted: { hubspot: 7, found: 7 }, ...over },
  at: noon,
  everyMs: hour,
});
const ended = (over: object = {}): SweepEvent => ({
  type: 'SweepEnded',
  data: { ...name('reconcile'), found: 7, counted: { hubspot: 7, found: 7 }, upTo: window.to, next, ...over },
});
const next = '2026-11-21T13:00:00.000Z';
const record = {
  id: '1',
  created: { at: '2026-11-01T00:00:00.000Z' },
  modifiedAt: '2026-11-21T11:00:00.000Z',
  properties: { stage: { value: 'a', at: '2026-11-21T10:59:00.000Z' } },
};

describe('sweeps', () => {
  it('begin when somebody asks, and whoever asks meanwhile joins', () => {
    const by = { by: 'ada' };
    expect(given()(asked('backfill', by))).toEqual({ events: [began('backfill', by)] });
    expect(given(began('backfill'))(asked('backfill'))).toEqual({ events: [] });
  });

  it('by batch say so to all that they find, and of what was found only by the lane', () => {
    const { events } = given()(asked('backfill', { task: taskOf('backfill', { batch: true }) }));
    expect(events).toEqual([began('backfill', { batch: true })]);
    const [first] = events;
    const leg = given()({ type: 'begun', began: first?.data } as LegInput);
    const about = { ...name('backfill'), batch: true };
    expect(leg.effects).toMatchObject([{ request: { about } }]);
    const found: SweepInput = { type: 'found', streamId: 'found-default:contact:1', about, record };
    const data = { ...name('backfill'), ...record };
    expect(given()(found)).toMatchObject({ events: [{ type: 'RecordFound', data }], lane: 'batch' });
    expect(given()(found).events[0]?.data).not.toHaveProperty('batch');
  });

  it('by schedule begin with the service, and are left to their time afterwards', () => {
    expect(given()(asked('reconcile'))).toEqual({ events: [began()] });
    expect(given(began(), ended())(asked('reconcile'))).toEqual({ events: [] });
    const late = asked('reconcile', { at: '2026-11-21T13:00:01.000Z' });
    expect(given(began(), ended())(late).events).toMatchObject([{ type: 'SweepBegan' }]);
    const sooner = asked('reconcile', { everyMs: hour / 2 });
    expect(given(began(), ended())(sooner).events).toMatchObject([{ type: 'SweepBegan' }]);
  });

  it('follow one another without a gap, and a timer that counts no more does nothing', () => {
    const time = (due: string, task?: Task): SweepInput => ({ type: 'time', due, task, at: due, everyMs: hour });
    const second = given(began(), ended())(time(next, taskOf('reconcile')));
    const from = '2026-11-21T11:54:00.000Z';
    expect(second.events).toEqual([began('reconcile', { sweep: 2, from, to: '2026-11-21T12:59:00.000Z' })]);
    expect(given(began(), ended())(time('2026-11-21T12:30:00.000Z', taskOf('reconcile')))).toEqual({ events: [] });
    expect(given(began(), ended())(time(next))).toEqual({ events: [] });
  });

  it('say up to when all is complete, and when the next one begins', () => {
    const complete: SweepEvent = {
      type: 'CompleteUpTo',
      data: { object: 'contact', at: window.to, counted: { hubspot: 7, found: 7 } },
    };
    expect(given(began())(read())).toEqual({
      events: [ended(), complete],
      timers: [{ name: 'next', due: next }],
    });
    expect(given(began(), ended())(read())).toEqual({ events: [] });
  });

  it('are made once more where HubSpot counts more, then say both numbers and begin there again', () => {
    const counted = { hubspot: 9, found: 7 };
    const differed: SweepEvent = { type: 'SweepDiffered', data: { ...name('reconcile'), counted } };
    const again = began('reconcile', { sweep: 2, again: true });
    expect(given(began())(read({ counted }))).toEqual({ events: [differed, again] });
    const incomplete = ended({ sweep: 2, counted, upTo: undefined, code: 'counts-differ' });
    const second = read({ sweep: 2, counted });
    expect(given(began(), differed, again)(second).events).toEqual([incomplete]);
    const time: SweepInput = { type: 'time', due: next, task: taskOf('reconcile'), at: next, everyMs: hour };
    expect(given(began(), differed, again, incomplete)(time).events).toMatchObject([
      { data: { sweep: 3, from: '2026-11-21T10:50:00.000Z' } },
    ]);
  });

  it('that could not be read to their end move nothing on', () => {
    const { events } = given(began())(read({ counted: undefined, code: 'HTTP 400' }));
    expect(events).toEqual([ended({ counted: undefined, upTo: undefined, code: 'HTTP 400' })]);
  });

  it('that nobody needs end at once, where a person asks', () => {
    const task = { object: 'contact', origin: 'backfill', code: 'no-recipe' };
    expect(given()(asked('backfill', { task })).events).toEqual([
      { type: 'SweepEnded', data: { ...name('backfill'), found: 0, code: 'no-recipe' } },
    ]);
  });

  it('of dates look from where the last one ended until a little behind the next one', () => {
    const due = { recipe: 'win-back', property: 'seen', offsetMs: 90 * 24 * hour };
    const task = taskOf('due', { due });
    const first = given()(asked('due', { task })).events;
    expect(first).toMatchObject([{ data: { from: noon, to: '2026-11-21T13:05:00.000Z', due } }]);
    const over: SweepEvent = {
      type: 'SweepEnded',
      data: { ...name('due'), found: 0, upTo: '2026-11-21T13:05:00.000Z', next },
    };
    const second = given(...first, over)({ type: 'time', due: next, task, at: next, everyMs: hour });
    expect(second.events).toMatchObject([{ data: { from: '2026-11-21T13:05:00.000Z' } }]);
  });
});

describe('a part of a sweep', () => {
  const begun: LegInput = { type: 'begun', began: (began() as SweepEvent & { type: 'SweepBegan' }).data };
  const legOf = (...inputs: SweepInput[]) =>
    inputs.reduce<SweepEvent[]>((history, input) => [...history, ...given(...history)(input).events], []);
  const rows = (count: number) =>
    Array.from({ length: count }, (_, n) => ({ id: String(n), modifiedAt: record.modifiedAt }));
  const pageAnswer = (over: Partial<PageAnswer> = {}): PageAnswer => ({
    rows: rows(3),
    records: [],
    isLast: true,
    about: name('reconcile'),
    ...over,
  });
  const page = (number: number, over: Partial<PageAnswer> = {}): LegInput => ({
    type: 'page',
    page: number,
    ended: { answer: pageAnswer(over) },
  });

  it('owes one page, and the next one when that has come', () => {
    expect(given()(begun).effects).toEqual([
      {
        kind: 'hubspot.search',
        purpose: 'page-1',
        lane: 'backfill',
        request: {
          object: 'contact',
          properties: ['stage'],
          cursor: { modifiedFrom: window.from },
          about: { ...name('reconcile'), from: window.from },
        },
      },
    ]);
    const later = [{ id: '9', modifiedAt: '2026-11-21T11:30:00.000Z' }];
    const { effects } = given(...legOf(begun))(page(1, { rows: later, isLast: false, total: 51 }));
    expect(effects).toMatchObject([
      { purpose: 'page-2', request: { cursor: { modifiedFrom: later[0]?.modifiedAt, seen: ['9'] } } },
    ]);
  });

  it('takes no page twice, and none before it has begun', () => {
    expect(given()(page(1))).toEqual({ events: [] });
    expect(given(...legOf(begun, page(1)))(page(1))).toEqual({ events: [] });
    expect(given(...legOf(begun))(begun)).toEqual({ events: [] });
  });

  it('needs no count where one page was all, else it asks how many there are in the window now', () => {
    const last = given(...legOf(begun))(page(1));
    expect(last.events).toMatchObject([{ type: 'SweepPageRead' }, { data: { counted: { hubspot: 3, found: 3 } } }]);
    const moved = [{ id: '9', modifiedAt: '2026-11-21T11:30:00.000Z' }];
    const history = legOf(begun, page(1, { rows: moved, isLast: false }));
    const counting = given(...history)(page(2, { rows: [{ id: '8', modifiedAt: noon }] }));
    expect(counting.forget).toEqual([{ kind: 'hubspot.search', purpose: 'page-2' }]);
    expect(counting.effects).toMatchObject([{ kind: 'hubspot.count', request: { modified: window } }]);
    const all = [...history, ...counting.events];
    expect(given(...all)({ type: 'counted', ended: { answer: 2 } }).events).toEqual([
      { type: 'SweepRead', data: { ...name('reconcile'), found: 2, counted: { hubspot: 2, found: 1 } } },
    ]);
  });

  it('hands on after so many pages: no stream becomes long', () => {
    const pages = Array.from({ length: PAGES_A_LEG }, (_, n) =>
      page(n + 1, {
        rows: [{ id: String(n), modifiedAt: new Date(Date.parse(window.from) + n + 1).toISOString() }],
        isLast: false,
      }),
    );
    const history = legOf(begun, ...pages);
    const handed = history.at(-1);
    expect(handed).toMatchObject({ type: 'SweepHandedOn', data: { leg: 2, pages: PAGES_A_LEG, found: PAGES_A_LEG } });
    const second = given()({ type: 'begun', began: (handed as SweepEvent & { type: 'SweepHandedOn' }).data });
    expect(second.effects).toMatchObject([{ purpose: `page-${String(PAGES_A_LEG + 1)}` }]);
  });

  it('ends where a page cannot be read, and says why', () => {
    const failed: LegInput = { type: 'page', page: 1, ended: { code: 'VALIDATION_ERROR' } };
    expect(given(...legOf(begun))(failed).events).toEqual([
      { type: 'SweepRead', data: { ...name('reconcile'), found: 0, code: 'VALIDATION_ERROR' } },
    ]);
  });

  it('lists where all records are read, and looks for dates so much earlier as recipes wait', () => {
    const all = { type: 'begun', began: (began('backfill') as SweepEvent & { type: 'SweepBegan' }).data } as LegInput;
    expect(given()(all).effects).toMatchObject([{ kind: 'hubspot.list', request: { cursor: {} } }]);
    const due = { recipe: 'renewal', property: 'ends', offsetMs: -24 * hour };
    const dates = { ...name('due'), properties: ['ends'], from: noon, to: next, due, again: false };
    expect(given()({ type: 'begun', began: dates }).effects).toMatchObject([
      {
        kind: 'hubspot.search',
        request: {
          between: { property: 'ends', from: '2026-11-22T12:00:00.000Z', to: '2026-11-22T13:00:00.000Z' },
          about: { ...name('due'), recipe: 'renewal' },
        },
      },
    ]);
  });
});

describe('a record', () => {
  const found = (about: object, over: object = {}): SweepInput => ({
    type: 'found',
    streamId: 'found-default:contact:1',
    about: { ...name('reconcile'), ...about },
    record: { ...record, ...over },
  });
  const say = (about: object = {}): SweepEvent => ({
    type: 'RecordFound',
    data: { ...name('reconcile'), ...about, ...record },
  });

  it('is said once, and begins a chain of its own by each find', () => {
    expect(given()(found({}))).toEqual({
      events: [say()],
      rootCause: 'found-default:contact:1@1',
      lane: 'backfill',
    });
    expect(given()(found({ origin: 'due' }))).not.toHaveProperty('lane');
    expect(given(say())(found({}))).toEqual({ events: [] });
    const moved = { properties: { stage: { value: 'b', at: noon } } };
    expect(given(say())(found({}, moved))).toMatchObject({ rootCause: 'found-default:contact:1@2' });
  });

  it('that says the same is not said again by schedule, but to whoever asks', () => {
    expect(given(say())(found({ sweep: 2 }, { modifiedAt: noon }))).toEqual({ events: [] });
    const asks = { origin: 'backfill' as const };
    expect(given(say(), say(asks))(found({ ...asks, sweep: 2 })).events).toHaveLength(1);
    expect(given(say(), say(asks))(found(asks))).toEqual({ events: [] });
  });
});
