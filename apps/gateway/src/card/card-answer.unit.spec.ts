import type { CardPart, CardRead } from '#libs/event-store';
import { cardOf } from './card-answer';

const T1 = '2026-11-20T10:00:00.000Z';
const T2 = '2026-11-21T10:00:00.000Z';
const T3 = '2026-11-22T10:00:00.000Z';
const record = { type: 'contact', id: '1' };
const part = (over: Partial<CardPart> = {}): CardPart => ({
  kind: 'video',
  recipe: 'lead',
  own: 'contact:1',
  job: 1,
  at: T1,
  said: { status: 'COMPLETED', triggeredAt: T1 },
  credits: 0,
  inputTokens: 0,
  outputTokens: 0,
  ...over,
});
const read = (parts: CardPart[], over: Partial<CardRead> = {}): CardRead => ({
  parts,
  left: 0,
  isGone: false,
  asOf: T3,
  spent: { credits: 0, inputTokens: 0, outputTokens: 0 },
  ...over,
});
const failing = (code: string, at: string, over: Partial<CardPart> = {}): CardPart =>
  part({ at, ...over, said: { status: 'FAILED', error: { code, reason: 'for some reason' }, ...over.said } });

it('shows of each recipe the render of the newest trigger, whichever stream it is of', () => {
  const merged = part({ own: 'contact:7', job: 5, at: T3, said: { status: 'FAILED', triggeredAt: T1 } });
  const own = part({ job: 2, at: T2, said: { status: 'COMPLETED', triggeredAt: T2 } });
  const other = part({ recipe: 'other', at: T3 });
  expect(cardOf(record, read([merged, own, other])).videos.map(({ recipe, render }) => [recipe, render])).toEqual([
    ['other', 1],
    ['lead', 2],
  ]);
});

it.each([
  ['PENDING', false, { refused: expect.stringContaining('still being made') as string }],
  ['PROCESSING', false, { refused: expect.stringContaining('still being made') as string }],
  ['COMPLETED', false, { cost: { credits: 1 } }],
  ['FAILED', false, { cost: { credits: 1 } }],
  ['REJECTED', false, { cost: { credits: 1 } }],
  ['COMPLETED', true, { refused: 'The record was deleted.' }],
])('says of a render that is %s (record gone: %s) whether it can be made again', (status, isGone, again) => {
  const [video] = cardOf(record, read([part({ said: { status } })], { isGone })).videos;
  expect(video?.again).toEqual(again);
});

it('says the last error in words, of whatever it was, and none that was meant', () => {
  const last = (...parts: CardPart[]) => cardOf(record, read(parts)).lastError;
  expect(last(failing('not-met', T3), failing('superseded', T3, { kind: 'external' }))).toBeNull();
  const write = failing('PROPERTY_DOESNT_EXIST', T2, { kind: 'write' });
  expect(last(write, failing('missing', T1))).toEqual({
    of: 'write',
    code: 'PROPERTY_DOESNT_EXIST',
    says: 'HubSpot has no such property.',
    remedy: 'Make it with `refrain init hubspot`.',
    at: T2,
  });
  expect(last(write, failing('missing', T3))).toMatchObject({ of: 'video', says: 'For some reason.' });
  expect(last(failing('what-nobody-knows', T1))).toMatchObject({ says: 'For some reason.', remedy: null });
});

it('keeps within a megabyte whatever its parts say, and never half an address', () => {
  const long = '"'.repeat(100_000);
  const facts = Array.from({ length: 1_000 }, () => ({ label: long, value: long }));
  const texts = Array.from({ length: 1_000 }, () => long);
  const said = { summary: long, reasons: texts, evidence: texts, facts, fields: facts, url: long, videoId: long };
  const error = { code: long, reason: long };
  const parts = (['video', 'enrichment', 'external', 'write'] as const).flatMap((kind) =>
    Array.from({ length: 30 }, (_, i) =>
      part({
        kind,
        recipe: `${i} ${long}`,
        said: { ...said, step: long, system: long, ask: long, model: long, error },
      }),
    ),
  );
  const card = cardOf(record, read(parts, { left: 7 }));
  expect(Buffer.byteLength(JSON.stringify(card))).toBeLessThan(900_000);
  expect(card.videos[0]?.url).toBeNull();
  expect(card.cut).toBe('More is known than one card holds: the 67 oldest entries were left out.');
});
