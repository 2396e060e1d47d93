import type { Envelope } from '#libs/contracts';
import type { BatchHandler } from '#libs/log';
import type { ZodType } from 'zod';

/** Events that people are told of: by their wire types, and what of them is told. */
export interface ToldEvents<Told> {
  types: ReadonlySet<string>;
  shape: ZodType<Told>;
}

/**
 * The same handler, which tells of certain events once it has handled them. What is delivered again is told again; what
 * has not the shape is told by nobody but the dead letter that the handler made of it.
 */
export const telling =
  <Told>(
    handle: BatchHandler,
    { types, shape }: ToldEvents<Told>,
    tell: (envelope: Envelope, told: Told) => void,
  ): BatchHandler =>
  async (...batch) => {
    await handle(...batch);
    for (const { envelope, value } of batch[0]) {
      const told = envelope && types.has(envelope.type) ? toldBy(shape, value) : undefined;
      if (envelope && told !== undefined) tell(envelope, told);
    }
  };

function toldBy<Told>(shape: ZodType<Told>, value: Buffer): Told | undefined {
  try {
    return shape.safeParse(JSON.parse(value.toString('utf8'))).data;
  } catch {
    return undefined;
  }
}
