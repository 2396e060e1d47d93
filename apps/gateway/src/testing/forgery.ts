import fc from 'fast-check';

const runs = Number(process.env['FORGERY_RUNS'] ?? 1_500);
const seed = process.env['FORGERY_SEED'];

/** How often each property of what stands at a door is tried, and from which seed; `npm run fuzz` tells more of both. */
export const tries = {
  numRuns: runs,
  ...(seed === undefined ? {} : { seed: Number(seed) }),
  interruptAfterTimeLimit: 50_000 + runs * 10,
  markInterruptAsFailure: true,
};

/** Longest time of a test that tries so often, in milliseconds. */
export const triesWithinMs = 60_000 + runs * 20;

/** Whatever may stand in a body. */
export const anyBody = fc.oneof(
  fc.json().map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
);

const position = fc.nat(10_000);

/** Changes of bytes: one flipped, the end cut off, some put in. */
export const changedBytes = fc.oneof(
  fc.tuple(position, fc.integer({ min: 1, max: 255 })).map(([at, mask]) => (old: Buffer) => {
    const changed = Buffer.from(old);
    if (changed.length > 0) changed[at % changed.length] = (changed[at % changed.length] ?? 0) ^ mask;
    return changed;
  }),
  position.map((at) => (old: Buffer) => old.subarray(0, at % (old.length + 1))),
  fc.tuple(position, fc.uint8Array({ minLength: 1, maxLength: 5 })).map(([at, bytes]) => (old: Buffer) => {
    const border = at % (old.length + 1);
    return Buffer.concat([old.subarray(0, border), bytes, old.subarray(border)]);
  }),
);
