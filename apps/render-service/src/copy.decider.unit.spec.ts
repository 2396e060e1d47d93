import type { RenderEvent } from '#libs/contracts';
import { given as givenOf } from '../../../libs/process/src/testing/given';
import { renderDecider } from './render.decider';
import type { RenderInput } from './render-input';

const given = (...history: RenderEvent[]) => givenOf(renderDecider(0, true), ...history);

const at = '2026-11-21T10:00:00.000Z';
const about = { recipe: 'r', recipeVersion: 'abc', render: 1, triggeredAt: at };
const rootCause = 'cause-1';
const recipes = ['r@abc'];
const requested: RenderEvent = { type: 'RenderRequested', data: { ...about, rootCause, content: 'c' } };
const prepared: RenderEvent = { type: 'RenderPrepared', data: { ...about, template: 't', variables: {} } };
const submitted: RenderEvent = {
  type: 'RenderSubmitted',
  data: { ...about, generation: 1, videoId: 'v1', actedAt: at },
};
const seen = { url: 'https://hub.example.test/v/l1', link: 'l1' };
const completed: RenderEvent = {
  type: 'RenderCompleted',
  data: { ...about, videoId: 'v1', ...seen, content: 'c', actedAt: at },
};
const place = { bucket: 'b', folder: 'default/l1' };
const copy = { ...place, files: { video: { bytes: 1, sha256: 'x', type: 'video/mp4' } } };
const copied: RenderEvent = { type: 'RenderCopied', data: { ...about, videoId: 'v1', link: 'l1', ...copy } };
const forgotten: RenderEvent = { type: 'RenderRecordFollowed', data: { what: 'forgotten', at } };

const calledBack = (link?: () => typeof seen): RenderInput => ({
  ...{ type: 'called-back', at, render: 1, generation: 1 },
  callback: { result: 'success', eventType: 'avatar_video.success', videoId: 'v1', url: 'https://v.example.com/1' },
  ...(link ? { link } : {}),
});
const copyEnded = (ended: (RenderInput & { type: 'copied' })['ended']): RenderInput => ({
  ...{ type: 'copied', rootCause, at, ended },
});
const made = copyEnded({ state: 'done', answer: copy });
const owed = (kind: string, purpose: string, request: object) => ({ kind, purpose, request, recipes });
const video = owed('heygen.remove', 'remove-v1', { videoId: 'v1' });

it('copies a video that is there, once, where its link can lead to a copy', () => {
  const order = owed('copy.make', 'copy', { videoId: 'v1', link: 'l1' });
  expect(given(requested, prepared, submitted)(calledBack(() => seen)).effects).toEqual([order]);
  expect(given(requested, prepared, submitted, completed)(calledBack(() => seen)).effects).toBeUndefined();
  expect(given(requested, prepared, submitted)(calledBack()).effects).toBeUndefined();
  const off = givenOf(renderDecider(0), requested, prepared, submitted)(calledBack(() => seen));
  expect([off.events.length, off.effects]).toEqual([1, undefined]);
});

it('says of a copy where it is, once', () => {
  expect(given(requested, prepared, submitted, completed)(made)).toEqual({ events: [copied] });
  expect(given(requested, prepared, submitted, completed, copied)(made)).toEqual({ events: [] });
  const dead = copyEnded({ state: 'dead', code: 'not-as-expected' });
  expect(given(requested, prepared, submitted, completed)(dead)).toEqual({ events: [] });
});

describe('of a record that HubSpot erased', () => {
  const told: RenderInput = { type: 'followed', fate: { what: 'forgotten', at } };

  it('video and copy are deleted, once', () => {
    const removal = owed('copy.remove', 'remove-1', place);
    const decided = given(requested, prepared, submitted, completed, copied)(told);
    expect(decided).toEqual({ events: [forgotten], effects: [video, removal] });
    expect(given(requested, prepared, submitted, completed, copied, forgotten)(told)).toEqual({ events: [] });
  });

  it('a copy that is under way is deleted, also when it is there all the same', () => {
    const removal = owed('copy.remove', 'remove-1', { link: 'l1' });
    expect(given(requested, prepared, submitted, completed)(told).effects).toEqual([video, removal]);
    expect(given(requested, prepared, submitted, completed, forgotten)(made)).toEqual({
      events: [],
      effects: [owed('copy.remove', 'remove-late', place)],
    });
  });

  it('a video that is in the making is deleted when it is made, and never copied', () => {
    expect(given(requested, prepared, submitted)(told)).toEqual({ events: [forgotten] });
    const decided = given(requested, prepared, submitted, forgotten)(calledBack(() => seen));
    expect(decided.effects).toEqual([video]);
    expect(decided.events).toMatchObject([{ type: 'RenderRejected', data: { code: 'erased' } }]);
    const overdue: RenderInput = { type: 'overdue', rootCause, generation: 1 };
    expect(given(requested, prepared, submitted, forgotten)(overdue).effects).toEqual([video]);
  });

  it('nothing is deleted that only left the CRM', () => {
    const deleted: RenderInput = { type: 'followed', fate: { what: 'deleted', at } };
    expect(given(requested, prepared, submitted, completed, copied)(deleted).effects).toBeUndefined();
  });
});

describe('of a record that an operator erased', () => {
  it('video and copy are deleted; what is in the making goes on', () => {
    const removal = owed('copy.remove', 'remove-1', place);
    const erased: RenderInput = { type: 'subject-erased' };
    expect(given(requested, prepared, submitted, completed, copied)(erased).effects).toEqual([video, removal]);
    expect(given(requested, prepared, submitted)(erased)).toEqual({ events: [] });
  });

  it('a copy that the erasure overtook is deleted at once and when its call is over', () => {
    const history = [requested, prepared, submitted, completed] as const;
    expect(given(...history)(copyEnded({ state: 'erased', code: 'erased' }))).toEqual({
      events: [],
      effects: [owed('copy.remove', 'remove-overtaken', { link: 'l1' })],
      timers: [{ name: 'remove-1', due: '2026-11-21T10:20:00.000Z' }],
    });
    const again: RenderInput = { type: 'remove-again', render: 1 };
    expect(given(...history)(again).effects).toEqual([owed('copy.remove', 'remove-again', { link: 'l1' })]);
  });
});
