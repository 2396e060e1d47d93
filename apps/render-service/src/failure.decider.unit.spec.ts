import type { RenderEvent } from '#libs/contracts';
import { given as givenOf } from '../../../libs/process/src/testing/given';
import { renderDecider } from './render.decider';
import type { RenderInput } from './render-input';

const given = (...history: RenderEvent[]) => givenOf(renderDecider(60_000), ...history);

const streamId = 'render-default:contact:7:lead-qualified';
const at = '2026-11-21T10:00:00.000Z';
const aMinuteOn = '2026-11-21T10:01:00.000Z';
const about = { recipe: 'lead-qualified', recipeVersion: 'v1', render: 1, triggeredAt: at };
const content = 'lifecyclestage=marketingqualifiedlead';
const rootCause = 'cause-1';
const url = 'https://videos.example.test/v1.mp4';
const jobs = [{ kind: 'heygen.generate', purpose: 'generate' }];

const order = { template: 'demo-outreach', title: 'Outreach for Ada', variables: { first_name: 'Ada' } };
const requested: RenderEvent = { type: 'RenderRequested', data: { ...about, rootCause, content } };
const prepared: RenderEvent = { type: 'RenderPrepared', data: { ...about, ...order } };
const taken = (generation: number): RenderEvent => ({
  type: 'RenderSubmitted',
  data: { ...about, generation, videoId: `v${String(generation)}`, actedAt: at },
});
const failed = (code: string, over = {}): RenderEvent => ({
  type: 'RenderFailed',
  data: { ...about, videoId: 'v1', code, reason: 'why', actedAt: at, ...over },
});
const postponed = (generation: number, code: string, waitsFor: 'credit' | 'retry'): RenderEvent => ({
  type: 'RenderPostponed',
  data: { ...about, generation, videoId: `v${String(generation)}`, code, reason: 'why', waitsFor },
});
const completed = (generation: number): RenderEvent => ({
  type: 'RenderCompleted',
  data: { ...about, videoId: `v${String(generation)}`, url, content, actedAt: at },
});
const begun = [requested, prepared];
const first = [...begun, taken(1)];

const heard = (generation: number, result: 'success' | 'fail', over = {}): RenderInput => ({
  type: 'called-back',
  at,
  render: 1,
  generation,
  callback: {
    result,
    eventType: 'e',
    videoId: `v${String(generation)}`,
    url,
    code: 'internal_error',
    message: 'why',
    ...over,
  },
});
const byVideo = (generation: number, result: 'success' | 'fail'): RenderInput =>
  ({ ...heard(generation, result), generation: 1, render: undefined }) as RenderInput;
const answered = (generation: number): RenderInput => ({
  type: 'generated',
  rootCause,
  generation,
  at,
  ended: { state: 'done', answer: { videoId: `v${String(generation)}` } },
});
const refused = (generation: number, code: string): RenderInput => ({
  type: 'generated',
  rootCause,
  generation,
  at,
  ended: { state: 'dead', code, message: 'why' },
});
const said = (videoId: string, status: 'failed' | 'completed', code?: string, purpose = 'failure'): RenderInput => ({
  type: 'status-read',
  rootCause,
  at,
  purpose,
  ended: {
    state: 'done',
    answer: {
      videoId,
      status,
      ...(code === undefined ? {} : { code, message: 'why' }),
      ...(status === 'completed' ? { url } : {}),
    },
  },
});
const again = (generation: number): RenderInput => ({ type: 'again', render: 1, generation, streamId });
const ordered = (generation: number) => ({
  kind: 'heygen.generate',
  purpose: 'generate',
  request: { ...order, callbackId: `${streamId}/1` },
  recipes: ['lead-qualified@v1'],
  generation,
});
const timer = (generation: number) => [{ name: `again-1-${String(generation)}`, due: aMinuteOn }];

describe('what would fail again', () => {
  const codes = ['content_policy_violation', 'avatar_not_usable', 'voice_not_usable', 'quota_exceeded', '4001'];

  it.each([...codes, 'plan_upgrade_required', '400105'])('%s stops at once, as refusal and as failure', (code) => {
    expect(given(...first)(said('v1', 'failed', code))).toEqual({ events: [failed(code)], release: jobs });
    expect(given(...first)(heard(1, 'fail', { code })).events).toEqual([failed(code)]);
    const refusal = failed(code, { videoId: undefined, reason: 'HeyGen refused the order: why' });
    expect(given(...begun)(refused(1, code))).toEqual({ events: [refusal] });
  });

  it('is also any refusal of which nothing is known', () => {
    expect(given(...begun)(refused(1, 'http-400')).events[0]).toMatchObject({ type: 'RenderFailed' });
  });
});

describe('HeyGen’s own fault', () => {
  it.each(['internal_error', 'RENDER_FAILED', '5000', 'failed', 'never_heard_of'])(
    '%s is ordered once more after a while, under the next generation',
    (code) => {
      expect(given(...first)(said('v1', 'failed', code))).toEqual({
        events: [postponed(1, code, 'retry')],
        timers: timer(1),
        release: jobs,
      });
      expect(given(...first, postponed(1, code, 'retry'))(again(1))).toEqual({
        events: [],
        effects: [ordered(2)],
        rootCause,
      });
    },
  );

  it('of the submission is put off too', () => {
    expect(given(...begun)(refused(1, '5000'))).toMatchObject({
      events: [{ type: 'RenderPostponed', data: { generation: 1, waitsFor: 'retry' } }],
      timers: timer(1),
    });
  });

  it('ends the render the third time, with its code and reason', () => {
    const twice = [postponed(1, '5000', 'retry'), taken(2), postponed(2, '5000', 'retry'), taken(3)];
    expect(given(...first, ...twice)(said('v3', 'failed', '5000')).events).toEqual([failed('5000', { videoId: 'v3' })]);
  });

  it('counts apart from what waited for credit', () => {
    const waited = [1, 2, 3, 4].flatMap((n) => [postponed(n, '4002', 'credit'), taken(n + 1)]);
    expect(given(...first, ...waited)(said('v5', 'failed', '5000')).events[0]).toMatchObject({
      type: 'RenderPostponed',
    });
  });
});

describe('missing credit', () => {
  it.each(['MOVIO_PAYMENT_INSUFFICIENT_CREDIT', 'insufficient_credit', 'trial_limit_exceeded', '4002'])(
    '%s is waited for without end',
    (code) => {
      const waited = Array.from({ length: 9 }, (_, n) => [postponed(n + 1, code, 'credit'), taken(n + 2)]).flat();
      expect(given(...first, ...waited)(said('v10', 'failed', code))).toEqual({
        events: [postponed(10, code, 'credit')],
        timers: timer(10),
        release: jobs,
      });
    },
  );
});

describe('several orders of one render', () => {
  const second = [...first, postponed(1, '5000', 'retry'), taken(2)];
  const waiting = [...first, postponed(1, '5000', 'retry')];

  it('each have a watchdog and questions of their own', () => {
    expect(given(...waiting)(answered(2))).toEqual({
      events: [taken(2)],
      correlate: { vendor: 'heygen', externalId: 'v2' },
      timers: [{ name: 'overdue-2', due: '2026-11-21T10:30:00.000Z' }],
    });
    expect(given(...second)({ type: 'overdue', rootCause, generation: 1 })).toEqual({ events: [] });
    expect(given(...second)({ type: 'overdue', rootCause, generation: 2 }).effects).toMatchObject([
      { purpose: 'status-2', request: { videoId: 'v2' } },
    ]);
    expect(given(...second)(heard(2, 'fail', { code: undefined })).effects).toMatchObject([{ purpose: 'failure-2' }]);
  });

  it('are not ended by a failure of the first that is told again, however it is told', () => {
    for (const history of [waiting, second, [...second, completed(2)]]) {
      for (const input of [
        heard(1, 'fail'),
        byVideo(1, 'fail'),
        heard(1, 'fail', { code: undefined, videoId: undefined }),
      ])
        expect(given(...history)(input)).toMatchObject({ events: [] });
      expect(given(...history)(said('v1', 'failed', '5000')).events).toEqual([]);
      expect(given(...history)(heard(1, 'fail', { code: undefined })).effects).toBeUndefined();
    }
    // The second one's share of HeyGen's jobs is still taken.
    expect(given(...second)(heard(1, 'fail')).release).toBeUndefined();
  });

  it('are not ended by a failure of one that a person made beside the first', () => {
    expect(given(...first)(heard(2, 'fail'))).toMatchObject({ events: [] });
  });

  it('are completed by a video of the first after all, and what still waits is withdrawn', () => {
    for (const input of [heard(1, 'success'), byVideo(1, 'success'), said('v1', 'completed')]) {
      expect(given(...waiting)(input)).toMatchObject({ events: [completed(1)], supersede: jobs });
      const late = given(...second)(input);
      expect(late.events).toEqual([completed(1)]);
      expect(late.release).toBeUndefined();
    }
    const ended = given(...waiting, completed(1));
    expect(ended(again(1))).toEqual({ events: [] });
    expect(
      ended({ ...refused(2, 'superseded'), ended: { state: 'superseded', code: 'superseded' } } as RenderInput),
    ).toEqual({
      events: [],
    });
  });

  it('keep the video that came first; the other one gives its job back', () => {
    expect(given(...second, completed(1))(heard(2, 'success'))).toEqual({ events: [], rootCause, release: jobs });
    expect(given(...waiting, completed(1))(answered(2))).toEqual({
      events: [],
      correlate: { vendor: 'heygen', externalId: 'v2' },
    });
    expect(given(...second, completed(2))(heard(1, 'success')).events).toEqual([]);
  });

  it('take an early callback of the second for its submission, and its late answer for nothing new', () => {
    expect(given(...waiting)(heard(2, 'success')).events).toEqual([taken(2), completed(2)]);
    expect(given(...waiting)(heard(2, 'fail')).events).toEqual([taken(2), postponed(2, 'internal_error', 'retry')]);
    const early = [...waiting, taken(2), postponed(2, 'internal_error', 'retry')];
    expect(given(...early)(answered(2))).toMatchObject({ events: [], release: jobs });
  });

  it('take an early failure of the first likewise', () => {
    expect(given(...begun)(heard(1, 'fail')).events).toEqual([taken(1), postponed(1, 'internal_error', 'retry')]);
    expect(given(...waiting)(answered(1))).toMatchObject({ events: [], release: jobs });
  });

  it('are ordered once, whenever a timer is told again', () => {
    expect(given(...second)(again(1))).toEqual({ events: [] });
    expect(given(...second, postponed(2, '5000', 'retry'))(again(1))).toEqual({ events: [] });
  });
});

describe('a record that is gone', () => {
  const gone: RenderEvent = { type: 'RenderRecordFollowed', data: { what: 'deleted', at } };

  it('has nothing ordered for it any more', () => {
    const decision = given(...first, postponed(1, '5000', 'retry'), gone)(again(1));
    expect(decision.effects).toBeUndefined();
    expect(decision.events).toMatchObject([{ type: 'RenderFailed' }]);
  });
});
