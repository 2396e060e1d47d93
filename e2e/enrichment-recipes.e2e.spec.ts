import { randomBytes } from 'node:crypto';
import { Hub } from './testing/hub';
import { settled } from './testing/lead';
import { until } from './testing/until';
import type { Call } from './testing/vendors';

// The shipped recipes about tickets, deals and calls, from HubSpot's webhook to HubSpot's record.

const CALLS = '0-48';
let hub: Hub;
beforeAll(async () => {
  hub = await Hub.start();
  // By what records the calls.
  await hub.hubspot.crm.properties.coreApi.create('calls', {
    ...{ name: 'call_transcript', label: 'Transcript', groupName: 'callinformation' },
    ...{ type: 'string' as never, fieldType: 'textarea' as never },
  });
  const { subscriptions } = await hub.control<{ subscriptions: object[] }>('hubspot', 'GET', '/subscriptions');
  const ofCalls = ['object.creation', 'object.propertyChange'].map((subscriptionType) => ({
    subscriptionType,
    objectTypeId: CALLS,
  }));
  await hub.control('hubspot', 'PUT', '/subscriptions', { subscriptions: [...subscriptions, ...ofCalls] });
});
afterAll(() => hub?.stop());

interface Stored {
  id: string;
  properties: Record<string, string | null | undefined>;
  associations: Record<string, string[] | undefined>;
}
type Type = 'tickets' | 'deals' | 'calls';

const stored = (type: string, id: string) => hub.control<Stored>('hubspot', 'GET', `/objects/${type}/${id}`);
const make = async (type: Type, properties: Record<string, string>) =>
  (await hub.control<Stored>('hubspot', 'POST', `/ui/${type}`, { properties })).id;
const change = (type: Type, id: string, properties: Record<string, string>) =>
  hub.control('hubspot', 'PATCH', `/ui/${type}/${id}`, { properties });
/** Resolves once a property of a record is as it should be. */
const becomes = (type: Type, id: string, name: string, is: (value: string) => boolean) =>
  until(`${name} of ${type} ${id}`, async () => {
    const value = (await stored(type, id)).properties[name];
    return value !== null && value !== undefined && value !== '' && is(value) ? value : undefined;
  });
const tasksOf = async (type: Type, id: string) => {
  const ids = (await stored(type, id)).associations['tasks'] ?? [];
  return Promise.all(ids.map(async (task) => (await stored('tasks', task)).properties));
};
const untilTasks = (type: Type, id: string, n: number) =>
  until(`${String(n)} tasks of ${type} ${id}`, async () => {
    const tasks = await tasksOf(type, id);
    return tasks.length >= n && tasks;
  });

/** Words that no other text says. */
const marked = () => `case ${randomBytes(5).toString('hex')}`;
const says = (words: string, answer: object) =>
  hub.control('openai', 'POST', '/answers', { match: { bodyIncludes: words }, answer });
const mood = (sentiment: number, evidence: string[] = []) => ({
  ...{ sentiment, churn_risk: 0.5, evidence },
  reason: 'They wait for their money.',
});
const asked = async (words: string): Promise<Call[]> =>
  (await hub.calls('openai')).filter((call) => JSON.stringify(call.requestBody ?? '').includes(words));
const billed = async (words: string): Promise<number> => (await asked(words)).filter((call) => call.billed).length;

/** What there is in the end of a record's tasks, and of questions with its words: what follows late shows there, too. */
const expected: { type: Type; id: string; words: string; tasks: number; questions: number }[] = [];
const ends = (type: Type, id: string, words: string, { tasks = 1, questions = 1 } = {}) =>
  void expected.push({ type, id, words, tasks, questions });

const ticket = (content: string) =>
  make('tickets', { subject: 'Invoice', content, hs_pipeline_stage: '1', hubspot_owner_id: '701' });

describe('a ticket', () => {
  it('that is angry ends with its sentiment, and with a task that quotes only what was written', async () => {
    const words = marked();
    const content = `This is terrible, I am angry: the invoice of ${words} is wrong again.`;
    await says(words, mood(0.08, ['I am angry', 'We have told our lawyers']));
    const id = await ticket(content);
    expect(await becomes('tickets', id, 'ai_sentiment_score', Boolean)).toBe('0.08');
    const [task, ...others] = await untilTasks('tickets', id, 1);
    expect(others).toEqual([]);
    expect(task).toMatchObject({
      hs_task_subject: 'Unhappy customer: Invoice',
      hs_task_priority: 'HIGH',
      hubspot_owner_id: '701',
      hs_task_body: expect.stringContaining('They wait for their money. They wrote: “I am angry”') as string,
    });
    expect(task?.['hs_task_body']).not.toContain('lawyers');
    ends('tickets', id, words);
  });

  it('that nobody rehearsed is judged by its words alone', async () => {
    const words = marked();
    const id = await ticket(`Thanks, we love it and are happy with ${words}.`);
    const score = Number(await becomes('tickets', id, 'ai_sentiment_score', Boolean));
    expect(score).toBeGreaterThan(0.5);
    expect(score).toBeLessThanOrEqual(1);
    ends('tickets', id, words, { tasks: 0 });
  });

  it('whose mood wobbles around the threshold makes one task, and another one after it was good', async () => {
    const words = marked();
    const said = async (id: string | undefined, n: number, sentiment: number) => {
      const content = `Still no refund for ${words}, letter ${String(n)}.`;
      await says(`${words}, letter ${String(n)}.`, mood(sentiment));
      const of = id ?? (await ticket(content));
      if (id !== undefined) await change('tickets', id, { content });
      await becomes('tickets', of, 'ai_sentiment_score', (value) => Number(value) === sentiment);
      return of;
    };
    const id = await said(undefined, 1, 0.3);
    await untilTasks('tickets', id, 1);
    for (const [n, sentiment] of [0.36, 0.34, 0.4, 0.33].entries()) await said(id, n + 2, sentiment);
    expect(await tasksOf('tickets', id)).toHaveLength(1);
    await said(id, 6, 0.7);
    await said(id, 7, 0.2);
    expect(await untilTasks('tickets', id, 2)).toHaveLength(2);
    ends('tickets', id, words, { tasks: 2, questions: 7 });
  });
});

it('a deal whose customer is upset moves to the stage for that, with a task for its owner', async () => {
  const words = marked();
  await says(words, mood(0.1, [`we will leave over ${words}`]));
  const properties = { dealname: 'Yearly plan', pipeline: 'default', dealstage: 'presentationscheduled' };
  const id = await make('deals', { ...properties, hubspot_owner_id: '702' });
  await hub.control('hubspot', 'POST', `/ui/deals/${id}/notes`, { body: `Kim says that we will leave over ${words}.` });
  await becomes('deals', id, 'dealstage', (stage) => stage === '4711');
  const [task] = await untilTasks('deals', id, 1);
  expect(task).toMatchObject({
    hs_task_subject: 'Deal at risk: Yearly plan',
    hubspot_owner_id: '702',
    hs_task_body: expect.stringContaining(`They wrote: “we will leave over ${words}”`) as string,
  });
  ends('deals', id, words);
});

describe('a call', () => {
  const recorded = (call_transcript: string, hs_call_title = 'Terms') =>
    make('calls', { hs_timestamp: '2026-11-05T10:00:00Z', hs_call_title, call_transcript });
  const transcript = (words: string) =>
    `Ada: twenty seats are too many for ${words}. Kim: I see. We send an offer for five seats by Friday. Ada: Fine.`;

  it('of which hardly anything is known is not asked about', async () => {
    const words = marked();
    const id = await recorded(words);
    await until('the question is rejected', () =>
      hub
        .topic('enrichment.events.v1')
        .some(
          ({ key, headers }) => key === `default:call:${id}` && headers['ce_type'] === 'refrain.enrichment.rejected.v1',
        ),
    );
    expect(await asked(words)).toEqual([]);
  });

  it('with a transcript ends with its summary and next steps; two with the same words are one question', async () => {
    const words = marked();
    const ids = await Promise.all([recorded(transcript(words)), recorded(transcript(words))]);
    for (const id of ids) {
      expect(await becomes('calls', id, 'ai_call_summary', Boolean)).toContain(words);
      const steps = await becomes('calls', id, 'ai_next_steps', Boolean);
      expect(steps).toContain('We send an offer for five seats by Friday');
      ends('calls', id, words, { tasks: 0 });
    }
  });

  it('whose transcript comes later is summed up then', async () => {
    const words = marked();
    const id = await recorded('', 'Intro');
    await change('calls', id, { call_transcript: transcript(words) });
    expect(await becomes('calls', id, 'ai_call_summary', Boolean)).toContain(words);
    ends('calls', id, words, { tasks: 0 });
  });
});

it('nobody is told twice, no question was paid for twice, and nothing waits', async () => {
  await settled(hub);
  for (const { type, id, words, ...one } of expected)
    expect([type, { tasks: (await tasksOf(type, id)).length, questions: await billed(words) }]).toEqual([type, one]);
  const { entries } = await hub.control<{ entries: { question: string }[] }>('openai', 'GET', '/billing');
  expect(entries.length).toBeGreaterThan(10);
  expect(new Set(entries.map(({ question }) => question)).size).toBe(entries.length);
  const { effects } = await hub.refrain<{ effects: object[] }>('dlq', 'ls');
  expect(effects).toEqual([]);
});
