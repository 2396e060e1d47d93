import type { RawRecord } from '../testing/topics';
import type { Call } from '../testing/vendors';
import { check } from './checker';
import type { Evidence } from './evidence';

const contact = '101';
const lastname = 'Chaos-1-00000';
const triggeredAt = '2026-03-01T10:00:00.000Z';
const bytes = `{"eventId":1,"objectId":${contact}}`;
const url = 'http://heygen.test/videos/v1/video.mp4';
const renders = 'render.events.v1';
const enrichments = 'enrichment.events.v1';
const writes = 'crm.events.v1';

const record = (topic: string, stream: string, version: number, type: string, data: object): RawRecord => ({
  topic,
  key: `default:contact:${contact}`,
  value: Buffer.from(JSON.stringify(data)),
  headers: { ce_id: `${stream}@${version}`, ce_type: `refrain.${type}.v1` },
});
const render = (version: number, state: string, over = {}) =>
  record(renders, 'render-c', version, `render.${state}`, { render: 1, triggeredAt, ...over });
const enrichment = (version: number, state: string) =>
  record(enrichments, 'enrichment-c', version, `enrichment.${state}`, { enrichment: 1, triggeredAt });
const owed = (version: number, write: number, properties: object) =>
  record(writes, 'record-c', version, 'record-update.owed', { write, properties });

const pending = { heygen_render_status: 'PENDING', heygen_job_id: 'v1' };
const completed = { heygen_render_status: 'COMPLETED', heygen_job_id: 'v1', heygen_video_url: url };
const scored = { lead_score: '59' };

const call = (over: Partial<Call>): Call => ({
  n: 1,
  at: triggeredAt,
  method: 'POST',
  path: '/',
  status: 200,
  ...over,
});
const patch = (properties: object): Call =>
  call({ method: 'PATCH', path: `/crm/objects/2026-09/0-1/${contact}`, requestBody: { properties } });
const batch = (...inputs: Record<string, string>[]): Call =>
  call({
    method: 'POST',
    path: '/crm/objects/2026-09/0-1/batch/update',
    requestBody: { inputs: inputs.map((properties) => ({ id: contact, properties })) },
  });
const question = (over: Partial<Call> = {}): Call =>
  call({ path: '/v1/chat/completions', requestBody: { text: `about ${lastname}` }, billed: true, ...over });
const billed = (generation: number) => ({
  id: 'v1',
  callbackId: `render-default:contact:${contact}:lead-qualified/1/${generation}`,
  idempotencyKey: `key-${generation}`,
  status: 'completed',
  refunded: false,
});

/** One contact whose one trigger was accepted once and became a video and a score. */
const healthy = (): Evidence => ({
  sent: [{ bytes, contact, trigger: true, at: Date.parse(triggeredAt), accepted: 1 }],
  contacts: [{ id: contact, lastname, properties: { ...completed, ...scored } }],
  calls: { hubspot: [patch(pending), patch(scored), patch(completed)], heygen: [], openai: [question()] },
  billedRenders: [billed(1)],
  records: [
    { topic: 'ingress.hubspot.v1', key: `default:contact:${contact}`, value: Buffer.from(bytes), headers: {} },
    ...['requested', 'prepared', 'submitted'].map((state, i) => render(i + 1, state)),
    render(4, 'completed', { url }),
    ...['requested', 'prepared', 'completed'].map((state, i) => enrichment(i + 1, state)),
    ...[pending, scored, completed].map((properties, i) => owed(i + 1, i + 1, properties)),
  ],
  disturbances: [],
});

const rulesBroken = (evidence: Evidence) => check(evidence).map(({ rule }) => rule);
const withRecords = (change: (records: RawRecord[]) => RawRecord[]): Evidence => ({
  ...healthy(),
  records: change([...healthy().records]),
});
const withCalls = (calls: Partial<Evidence['calls']>, over: Partial<Evidence> = {}): Evidence => ({
  ...healthy(),
  ...over,
  calls: { ...healthy().calls, ...calls },
});

it('finds nothing in a run as it should be', () => {
  expect(check(healthy())).toEqual([]);
});

it('allows events and equal writes to be repeated, and overtaken writes to be left out', () => {
  expect(check(withCalls({ hubspot: [scored, completed].map(patch) }))).toEqual([]);
  expect(check(withRecords((records) => [...records, ...records.slice(1)]))).toEqual([]);
  expect(check(withCalls({ hubspot: [pending, pending, scored, completed, completed].map(patch) }))).toEqual([]);
});

it('finds a webhook that was accepted and is not on the topic', () => {
  expect(rulesBroken(withRecords((records) => records.slice(1)))).toEqual(['lost-webhook']);
});

it('finds a webhook whose bytes were changed', () => {
  const changed = (records: RawRecord[]) =>
    records.map((one, i) => (i === 0 ? { ...one, value: Buffer.from(bytes.replace(':1,', ': 1,')) } : one));
  expect(rulesBroken(withRecords(changed))).toEqual(['lost-webhook']);
});

it('finds an event that appears before the one it follows, and one that is missing', () => {
  const swapped = ([first, one, two, ...rest]: RawRecord[]) => [first, two, one, ...rest] as RawRecord[];
  expect(rulesBroken(withRecords(swapped))).toEqual(['out-of-order']);
  expect(rulesBroken(withRecords((records) => records.filter((_, i) => i !== 2)))).toEqual(['out-of-order']);
});

it('finds a dead letter', () => {
  const letter = { topic: 'crm-writer.dlq', key: `default:contact:${contact}`, value: Buffer.alloc(0), headers: {} };
  expect(rulesBroken(withRecords((records) => [...records, letter]))).toEqual(['dead-letter']);
});

it('finds a second billed render, by a new key or the same', () => {
  expect(rulesBroken({ ...healthy(), billedRenders: [billed(1), billed(2)] })).toEqual(['billed-render']);
  expect(rulesBroken({ ...healthy(), billedRenders: [billed(1), billed(1)] })).toEqual(['billed-render']);
});

it('finds a question that was paid twice without an excuse, and excuses one whose answer a fault swallowed', () => {
  expect(rulesBroken(withCalls({ openai: [question(), question()] }))).toEqual(['billed-question']);
  expect(check(withCalls({ openai: [question({ status: null }), question()] }))).toEqual([]);
  const at = Date.parse(triggeredAt);
  const killed = { what: 'kill', service: 'enrichment-service', from: at + 100, to: at + 4_000 };
  expect(check(withCalls({ openai: [question(), question()] }, { disturbances: [killed] }))).toEqual([]);
  const elsewhere = { ...killed, service: 'crm-writer' };
  const late = { ...killed, from: at + 60_000, to: at + 64_000 };
  expect(rulesBroken(withCalls({ openai: [question(), question()] }, { disturbances: [elsewhere, late] }))).toEqual([
    'billed-question',
  ]);
});

it('finds a late PENDING, also where the end is right', () => {
  const hubspot = [pending, scored, completed, pending, completed].map(patch);
  expect(rulesBroken(withCalls({ hubspot }))).toEqual(['late-pending', 'writes-in-order']);
});

it('finds writes in another order than was decided', () => {
  for (const seen of [
    [scored, pending, completed],
    [pending, scored],
    [pending, completed, scored],
  ])
    expect(rulesBroken(withCalls({ hubspot: seen.map(patch) }))).toEqual(['writes-in-order']);
});

it('sees the writes of a batch as it sees one of its own', () => {
  expect(check(withCalls({ hubspot: [batch(pending), batch(scored), patch(completed)] }))).toEqual([]);
  expect(rulesBroken(withCalls({ hubspot: [batch(pending), batch(completed), patch(scored)] }))).toEqual([
    'writes-in-order',
  ]);
});

it('finds a trigger that came to nothing, and a job that never ended', () => {
  const without = (topic: string) => withRecords((records) => records.filter((one) => one.topic !== topic));
  expect(rulesBroken(without(renders))).toEqual(['render-accounted', 'final-state']);
  expect(rulesBroken(without(enrichments))).toEqual(['enrichment-accounted']);
  const open = withRecords((records) =>
    records.filter((one) => one.headers['ce_type'] !== 'refrain.render.completed.v1'),
  );
  expect(rulesBroken(open)).toEqual(['render-accounted', 'final-state', 'final-state']);
});

it('finds a contact that does not say what came of it', () => {
  const saying = (properties: object): Evidence => ({
    ...healthy(),
    contacts: [{ id: contact, lastname, properties: { ...completed, ...scored, ...properties } }],
  });
  expect(rulesBroken(saying({ heygen_render_status: 'PENDING' }))).toEqual(['final-state']);
  expect(rulesBroken(saying({ heygen_video_url: 'http://other.test/' }))).toEqual(['final-state']);
  expect(rulesBroken(saying({ lead_score: null }))).toEqual(['final-state']);
});
