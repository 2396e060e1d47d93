import type { SweepEvent } from '#libs/contracts';
import { given as givenOf } from '../../../libs/process/src/testing/given';
import type { JournaledChange, LookAnswer } from './journal.decider';
import { READS_A_LEG } from './journal.decider';
import { sweepDecider, type SweepInput } from './sweep.decider';

const given = (...history: SweepEvent[]) => givenOf(sweepDecider, ...history);
const app = 'app-1';
const noon = '2026-11-21T12:00:00.000Z';
const later = '2026-11-21T12:01:00.000Z';
const published = '2026-11-21T11:59:00.000Z';
const everyMs = 60_000;

const change = (over: Partial<JournaledChange> = {}): JournaledChange => ({
  ...{ place: 'o2.0', tenant: 'acme', object: 'contact', id: '1', at: noon, properties: ['stage'], isNew: false },
  ...over,
});
const answered = (over: Partial<LookAnswer> = {}): LookAnswer => ({
  ...{ cursor: { after: 'o2' }, upTo: published, changes: [change()], left: 2, undeclared: 1 },
  ...over,
});
const looked = (answer: LookAnswer, over: object = {}): SweepInput => ({
  ...{ type: 'journal-looked', purpose: 'look-0', ended: { answer }, at: noon, everyMs },
  ...over,
});
const legBegan = (over: object = {}): SweepEvent => ({
  type: 'JournalLegBegan',
  data: { app, leg: 1, cursor: { after: 'latest' }, ...over },
});
const journalRead = (over: object = {}): SweepEvent => ({
  type: 'JournalRead',
  data: { app, leg: 1, cursor: { after: 'o2' }, upTo: published, taken: 1, left: 2, undeclared: 1, ...over },
});
const look = (after: string, purpose: string) => ({
  kind: 'hubspot.journal',
  purpose,
  request: { app, cursor: { after } },
  lane: 'backfill',
});
const theEnd: LookAnswer = { changes: [], left: 0, undeclared: 0 };

describe('a journal', () => {
  it('is read from now on when somebody asks first, and left alone whoever asks then', () => {
    const asked: SweepInput = { type: 'journal-asked', app };
    expect(given()(asked)).toEqual({ events: [legBegan()], effects: [look('latest', 'look-0')] });
    expect(given(legBegan())(asked)).toEqual({ events: [] });
  });

  it('owes the next look by the answer of the one before, and forgets whom it told of', () => {
    expect(given(legBegan())(looked(answered()))).toEqual({
      events: [journalRead()],
      effects: [look('o2', 'look-1')],
      forget: [{ kind: 'hubspot.journal', purpose: 'look-0' }],
    });
  });

  it('is looked at again a while after its end, without an event, behind what was read last', () => {
    const timers = [{ name: 'look', due: later }];
    expect(given(legBegan(), journalRead())(looked(theEnd))).toEqual({ events: [], timers });
    expect(given(legBegan(), journalRead())({ type: 'journal-time', due: later, at: later, everyMs })).toEqual({
      events: [],
      effects: [look('o2', `look-1@${later}`)],
    });
  });

  it('is looked at again after a failure, and now and then where it is declared no more', () => {
    const failed = looked(theEnd, { ended: { code: 'cancelled' } });
    expect(given(legBegan())(failed)).toEqual({ events: [], timers: [{ name: 'look', due: later }] });
    expect(given(legBegan())({ type: 'journal-time', due: later, at: noon })).toEqual({
      events: [],
      timers: [{ name: 'look', due: '2026-11-21T13:00:00.000Z' }],
    });
  });

  it('says from when to when nothing is known, where HubSpot forgot the offset', () => {
    const gapTo = noon;
    const gap = (from?: string): SweepEvent => ({ type: 'JournalGapFound', data: { app, leg: 1, from, to: gapTo } });
    const answer = answered({ gapTo });
    expect(given(legBegan(), journalRead())(looked(answer)).events).toEqual([gap(published), journalRead()]);
    expect(given(legBegan())(looked(answer)).events).toEqual([gap(), journalRead()]);
  });

  it('goes on in a stream of its own after many reads, once', () => {
    const reads = Array.from({ length: READS_A_LEG - 1 }, () => journalRead());
    const handed: SweepEvent = {
      type: 'JournalHandedOn',
      data: { app, leg: 2, cursor: { after: 'o2' }, upTo: published },
    };
    const decision = given(legBegan(), ...reads)(looked(answered()));
    expect(decision).toMatchObject({ events: [journalRead(), handed] });
    expect(decision.effects).toBeUndefined();
    expect(given(legBegan(), ...reads, journalRead(), handed)(looked(answered()))).toEqual({ events: [] });
    const took: SweepInput = { type: 'journal-handed-on', handed: handed.data };
    const began = legBegan({ leg: 2, cursor: { after: 'o2' }, upTo: published });
    expect(given()(took)).toEqual({ events: [began], effects: [look('o2', 'look-0')] });
    expect(given(began)(took)).toEqual({ events: [] });
  });
});

describe('a change that the journal tells of', () => {
  const streamId = 'found-acme:contact:1';
  const at = '2026-11-21T11:58:00.000Z';
  const record = {
    id: '1',
    created: { at: '2026-11-01T00:00:00.000Z', sourceType: 'CRM_UI' },
    modifiedAt: noon,
    properties: { stage: { value: 'a', at, sourceType: 'INTEGRATION', sourceId: '7' } },
  };
  const read = (over: object = {}): SweepInput => ({
    ...{
      type: 'change-read',
      object: 'contact',
      id: '1',
      purpose: 'o2.0',
      ended: { answer: { record, isNew: false } },
    },
    ...over,
  });
  const said = (over: object = {}): SweepEvent => ({
    type: 'RecordFound',
    data: { object: 'contact', origin: 'journal', from: at, ...record, ...over },
  });
  const forget = [{ kind: 'hubspot.changed', purpose: 'o2.0' }];

  it('is looked up in a chain of its own, behind everything else', () => {
    expect(given()({ type: 'journaled', streamId, change: change() })).toEqual({
      events: [],
      effects: [
        {
          kind: 'hubspot.changed',
          purpose: 'o2.0',
          request: { record: { type: 'contact', id: '1' }, at: noon, properties: ['stage'], isNew: false },
          lane: 'backfill',
        },
      ],
      rootCause: `${streamId}@o2.0`,
      lane: 'backfill',
    });
  });

  it('is said at once where it is a deletion or a restore, once', () => {
    const deleted: SweepInput = { type: 'journaled', streamId, change: change({ properties: [], fate: 'deleted' }) };
    const fate = (what: 'deleted' | 'restored', when = noon): SweepEvent => ({
      type: 'RecordFateFound',
      data: { object: 'contact', id: '1', what, at: when },
    });
    expect(given()(deleted)).toEqual({ events: [fate('deleted')], rootCause: `${streamId}@o2.0` });
    expect(given(fate('deleted'))(deleted).events).toEqual([]);
    expect(given(fate('restored'))(deleted).events).toEqual([fate('deleted')]);
    expect(given(fate('deleted', later))(deleted).events).toEqual([fate('deleted')]);
  });

  it('is said with who made it, and nothing that was before it counts', () => {
    expect(given()(read())).toEqual({ events: [said()], forget, lane: 'backfill' });
    expect(given(said())(read())).toEqual({ events: [], forget });
    const isNew = read({ ended: { answer: { record, isNew: true } } });
    expect(given()(isNew).events).toEqual([said({ from: record.created.at })]);
  });

  it('of a record that is gone is not said; one that cannot be read is told, and of whom is erased nothing', () => {
    expect(given()(read({ ended: { answer: { isNew: false } } }))).toEqual({ events: [], forget });
    const unknown = { record: { ...record, properties: {} }, isNew: false };
    expect(given()(read({ ended: { answer: unknown } }))).toEqual({ events: [], forget });
    expect(given()(read({ ended: { code: 'VALIDATION_ERROR' } }))).toEqual({
      events: [
        { type: 'ChangeUnread', data: { object: 'contact', id: '1', change: 'o2.0', code: 'VALIDATION_ERROR' } },
      ],
    });
    expect(given()(read({ ended: { code: 'erased' } }))).toEqual({ events: [] });
  });
});
