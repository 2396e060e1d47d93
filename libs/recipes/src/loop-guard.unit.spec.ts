import type { HubspotChange } from '#libs/contracts';
import { changerOf } from './changer';
import {
  acted,
  fingerprintOf,
  isWritten,
  noTriggers,
  numbered,
  refused,
  ruleOn,
  type Triggering,
  type Triggers,
  writtenTo,
  wrote,
} from './loop-guard';
import { recipeOf } from './testing/recipe-of';

const t = (minute: number): string => new Date(Date.UTC(2026, 10, 21, 10, minute)).toISOString();
let causes = 0;
const by = (who: Triggering['by'], minute: number, over: Partial<Triggering> = {}): Triggering => ({
  ...(who === undefined ? {} : { by: who }),
  content: `p=${String((causes += 1))}`,
  at: t(minute),
  rootCause: `cause-${String(causes)}`,
  ...over,
});

/** What becomes of triggers of a stream that acts upon each at once. */
function rulings(all: Triggering[], before: Triggers = noTriggers): string[] {
  let triggers = before;
  return all.map((one) => {
    const ruling = ruleOn(triggers, one);
    if (ruling.let === 'echo') return 'echo';
    triggers = numbered(triggers, { ...one, depth: ruling.depth });
    triggers = ruling.let === 'in' ? acted(triggers, one.at) : refused(triggers, one.at);
    return ruling.let === 'in' ? String(ruling.depth) : `cut${ruling.again ? ' again' : ''}`;
  });
}

it('lets three answers of machines in, then none until a person changes something', () => {
  const machines = [1, 2, 3, 4, 5, 6].map((minute) => by('machine', minute));
  expect(rulings([by('person', 0), ...machines, by('person', 7), by('machine', 8)])).toEqual([
    ...['0', '1', '2', '3', 'cut', 'cut again', 'cut again', '0', '1'],
  ]);
});

it('lets machines in again when none came for ten minutes; each that comes meanwhile begins them anew', () => {
  const cut = [0, 1, 2, 3, 4].map((minute) => by('machine', minute));
  expect(rulings([...cut, by('machine', 13), by('machine', 22), by('machine', 32)])).toEqual([
    ...['0', '1', '2', '3', 'cut', 'cut again', 'cut again', '0'],
  ]);
});

it('serves whatever people and imports do, and machines that answer nothing', () => {
  expect(rulings(Array.from({ length: 50 }, (_, n) => by('person', n / 5)))).toEqual(Array(50).fill('0'));
  expect(rulings([0, 11, 22, 33, 44, 55].map((minute) => by('machine', minute)))).toEqual(Array(6).fill('0'));
});

it('rules on the steps of one trigger alike, and tells of the cut once', () => {
  const same = by('machine', 5, { rootCause: 'same' });
  expect(rulings([by('machine', 1), by('machine', 2), same, same])).toEqual(['0', '1', '2', '2']);
  const all = [0, 1, 2, 3].map((minute) => by('machine', minute));
  expect(rulings([...all, same, same])).toEqual(['0', '1', '2', '3', 'cut', 'cut again']);
});

it('lets an older trigger that comes late change nothing of what is known', () => {
  const known = numbered(noTriggers, { rootCause: 'new', at: t(5), depth: 2 });
  expect(numbered(known, { rootCause: 'old', at: t(1) })).toBe(known);
});

it('takes what a machine repeats of the hub’s own writing for an echo, not what a person does', () => {
  const written = wrote(noTriggers, { property: 'p', fingerprint: fingerprintOf('p=9'), at: t(0) });
  expect(rulings([by('machine', 1, { content: 'p=9' })], written)).toEqual(['echo']);
  expect(rulings([by('machine', 100, { content: 'p=9' })], written)).toEqual(['echo']);
  expect(rulings([by('machine', 1, { content: 'p=8' })], written)).toEqual(['1']);
  expect(rulings([by('person', 1, { content: 'p=9' })], written)).toEqual(['0']);
});

it('counts no date, other source or later step as an answer', () => {
  expect(rulings([by('machine', 0), by('machine', 1), by(undefined, 2), by('machine', 3)])).toEqual([
    '0',
    '1',
    '1',
    '2',
  ]);
});

it.each([
  ['CRM_UI', 'person'],
  ['IMPORT', 'person'],
  ['FORM', 'person'],
  ['MERGE_CONTACTS', 'person'],
  ['AUTOMATION_PLATFORM', 'machine'],
  ['INTEGRATION', 'machine'],
  ['API', 'machine'],
  ['BATCH_UPDATE', 'machine'],
  ['SOMETHING_NEW', 'machine'],
])('%s is a %s', (changeSource, who) => {
  const change = { delivery: 'webhook', change: 'propertyChange', identity: '', record: { type: 'contact', id: '7' } };
  expect(changerOf({ ...change, changeSource } as HubspotChange)).toBe(who);
});

it('a user stands behind a source that nobody knows, but not behind a machine', () => {
  const change = { delivery: 'webhook', change: 'propertyChange', identity: '', record: { type: 'contact', id: '7' } };
  const by = (changeSource: string) => changerOf({ ...change, changeSource, sourceId: 'userId:7' } as HubspotChange);
  expect([by('PLAYBOOKS'), by('AUTOMATION_PLATFORM')]).toEqual(['person', 'machine']);
});

it('a workflow that does not say who it is is a machine', () => {
  const change = { change: 'workflow', identity: '', record: { type: 'contact', id: '7' } };
  expect(changerOf({ ...change, delivery: 'workflow' })).toBe('machine');
  expect(changerOf({ ...change, delivery: 'webhook' })).toBe('person');
});

describe('what the hub writes', () => {
  const recipe = recipeOf(`recipe: looping
trigger: { object: contact, property: hs_lead_status }
steps:
  - write: { properties: { lead_score: "1" } }
`);
  const record = { type: 'contact', id: '7' };

  it('is known to the recipes that it would set off, by a fingerprint', () => {
    const of = (properties: Record<string, string>, over = {}) =>
      writtenTo([recipe], { record, tenant: 'default', properties, at: t(0), ...over });
    expect(of({ hs_lead_status: 'NEW', lead_score: '1' })).toEqual([
      {
        recipe,
        record,
        value: { property: 'hs_lead_status', fingerprint: fingerprintOf('hs_lead_status=NEW'), at: t(0) },
      },
    ]);
    expect(of({ lead_score: '1' })).toEqual([]);
    expect(of({ hs_lead_status: 'NEW' }, { record: { type: 'deal', id: '7' } })).toEqual([]);
  });

  it('are the properties of write steps and of videos', () => {
    const all = [recipe];
    expect([isWritten(all, 'contact', 'lead_score'), isWritten(all, 'deal', 'lead_score')]).toEqual([true, false]);
    expect(isWritten(all, 'contact', 'heygen_video_url')).toBe(false);
  });
});
