import { join } from 'node:path';
import type { RenderEvent } from '#libs/contracts';
import { loadRecipes } from '#libs/recipes';
import { given as givenOf } from '../../../libs/process/src/testing/given';
import { videoPrices } from './prices';
import { renderDecider } from './render.decider';
import type { RenderInput, VideoState } from './render-input';
import { renderProcess } from './render.source';

const given = (...history: RenderEvent[]) => givenOf(renderDecider(), ...history);
const at = '2026-11-21T10:00:00.000Z';
const about = { recipe: 'lead-qualified', recipeVersion: 'v', render: 1, triggeredAt: at };
const cause = 'cause-1';
const url = 'https://videos.example.test/v1.mp4';
const order = { template: 'demo', variables: {}, title: 'Demo' };

const requested: RenderEvent = { type: 'RenderRequested', data: { ...about, rootCause: cause, content: 'c' } };
const prepared: RenderEvent = { type: 'RenderPrepared', data: { ...about, ...order } };
const submitted = (reserved?: boolean): RenderEvent => ({
  type: 'RenderSubmitted',
  data: { ...about, generation: 1, videoId: 'v1', ...(reserved ? { reserved } : {}) },
});
const completed: RenderEvent = { type: 'RenderCompleted', data: { ...about, videoId: 'v1', url, content: 'c' } };
const failed: RenderEvent = { type: 'RenderFailed', data: { ...about, videoId: 'v1', code: 'broke', reason: 'broke' } };
const history = (...more: RenderEvent[]) => [requested, prepared, ...more];

const callback = (result: 'success' | 'fail', code?: string): RenderInput => ({
  type: 'called-back',
  at,
  render: 1,
  generation: 1,
  callback: { result, eventType: 'avatar_video', videoId: 'v1', url, code, message: 'broke' },
});
const answered: RenderInput = {
  ...{ type: 'generated', rootCause: cause, generation: 1, at, reserved: true },
  ended: { state: 'done', answer: { videoId: 'v1' } },
};
const read = (purpose: string, answer: Partial<VideoState>, usd?: number): RenderInput => ({
  ...{ type: 'status-read', rootCause: cause, at, purpose, usd },
  ended: { state: 'done', answer: { videoId: 'v1', status: 'completed', url, ...answer } },
});

const job = { kind: 'heygen.generate', purpose: 'generate', generation: 1 };
const measure = {
  ...{ kind: 'heygen.status', purpose: 'measured-1', request: { videoId: 'v1' } },
  recipes: ['lead-qualified@v'],
};

it('notes that a budget holds money for an order', () => {
  expect(given(...history())(answered).events).toMatchObject([{ type: 'RenderSubmitted', data: { reserved: true } }]);
});

describe('a callback of success', () => {
  it('has the length asked for once, where a budget holds money', () => {
    expect(given(...history(submitted(true)))(callback('success')).effects).toEqual([measure]);
    expect(given(...history(submitted(true), completed))(callback('success')).effects).toBeUndefined();
  });

  it('asks for nothing where none does', () => {
    expect(given(...history(submitted()))(callback('success')).effects).toBeUndefined();
  });

  it('before the answer of its order has it asked for when that comes', () => {
    expect(given(...history(submitted(), completed))(answered)).toMatchObject({ events: [], effects: [measure] });
  });
});

it('books what the length says, and nothing where it is not told', () => {
  const ended = given(...history(submitted(true), completed));
  expect(ended(read('measured-1', { duration: 30 }, 3))).toEqual({ events: [], spent: [{ ...job, usd: 3 }] });
  expect(ended(read('measured-1', {}))).toEqual({ events: [] });
  expect(ended(read('measured-1', { status: 'in-progress' }))).toEqual({ events: [] });
});

it('books what the watchdog finds, without another question', () => {
  const found = given(...history(submitted(true)))(read('status', { duration: 30 }, 3));
  expect([found.spent, found.effects]).toEqual([[{ ...job, usd: 3 }], undefined]);
});

it('gives back what a failed video would have cost, however it is told', () => {
  const open = given(...history(submitted(true)));
  const free = [{ ...job, usd: 0 }];
  expect(open(callback('fail', 'content_policy_violation')).spent).toEqual(free);
  expect(open(read('failure', { status: 'failed', code: 'internal_error' })).spent).toEqual(free);
  expect(given(...history(submitted(), failed))(answered).spent).toEqual(free);
  expect(given(...history(submitted()))(callback('fail', 'content_policy_violation')).spent).toBeUndefined();
});

it('settles a later order by itself', () => {
  const postponed: RenderEvent = {
    type: 'RenderPostponed',
    data: { ...about, generation: 1, code: 'internal_error', reason: 'broke', waitsFor: 'retry' },
  };
  const again = given(...history(submitted(true), postponed));
  expect(again({ ...answered, generation: 2 }).events).toMatchObject([{ data: { generation: 2, reserved: true } }]);
});

describe('prices', () => {
  const settings = { HEYGEN_USD_PER_SECOND: 0.05, HEYGEN_VIDEO_SECONDS: 30, HEYGEN_TEST_RENDERS: false };
  const words = { template: 'demo', variables: { one: 'two words', other: ' and  three more ' } };

  it('count the template and the words of its texts', () => {
    expect(videoPrices(settings).estimate(words)).toEqual({ usd: 0.05 * (30 + 5 * 0.4), like: 'demo' });
    expect(videoPrices(settings).ofSeconds(20)).toBe(1);
  });

  it('are nothing for test renders', () => {
    const tests = videoPrices({ ...settings, HEYGEN_TEST_RENDERS: true });
    expect([tests.estimate(words), tests.ofSeconds(20), tests.unknown]).toEqual([undefined, 0, undefined]);
  });
});

it('tells the decider what a video of its length costs', () => {
  const recipes = loadRecipes(join(__dirname, '../../../recipes'));
  const { outcome } = renderProcess(
    () => recipes,
    () => undefined,
    { prices: { ofSeconds: (s) => s * 0.1 } },
  );
  const end = {
    kind: 'heygen.status',
    purpose: 'measured-1',
    slot: 's',
    generation: 1,
    rootCause: cause,
    state: 'done' as const,
  };
  const answer = { videoId: 'v1', status: 'completed', url, duration: 20 };
  const input = outcome(
    { ...end, answer, code: null, meta: { rootCause: cause, causedBy: cause } },
    at,
    'render-default:contact:7:lead-qualified',
  );
  expect(input).toMatchObject({ type: 'status-read', usd: 2 });
});
