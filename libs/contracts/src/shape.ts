import { z } from 'zod';
import { recordKey, subjectOf } from './keys';

const text = z.string();

const part = text.describe(
  'Part of the portal: `types` (types of objects that were defined there), `owners`, or a type of records with its ' +
    'properties and pipelines',
);

/** One thing that is new, gone or other than it was. */
const change = z.object({
  name: text.describe('What it is: `property email`, `stage default/4711`, `type 2-77`, `owner 12`'),
  from: text.optional().describe('What it was; absent where it is new'),
  to: text.optional().describe('What it is now; absent where it is gone'),
});
export type ShapeChange = z.infer<typeof change>;

/** What a portal consists of, as it was seen: streams `shape-…`, beside the sweeps on their topic. */
export const shapeShapes = {
  ShapeKept: {
    wire: 'refrain.portal-shape.kept.v1',
    data: z
      .object({ part, entries: z.record(text, text).describe('What there is, and of which type or name it is') })
      .describe('A part of a portal was seen for the first time.'),
  },
  ShapeChanged: {
    wire: 'refrain.portal-shape.changed.v1',
    data: z
      .object({ part, changes: z.array(change).describe('What is other than it was') })
      .describe('A part of a portal is other than it was when it was last looked at.'),
  },
  ShapeLooked: {
    wire: 'refrain.portal-shape.looked.v1',
    data: z
      .object({
        part,
        look: z.int().positive().describe('Number of the look at this part, from 1'),
        code: text.optional().describe('Why it could not be read, for programs'),
        next: z.iso.datetime().describe('When it is looked at again'),
      })
      .describe('A part of a portal was looked at, or could not be.'),
  },
} as const;

/** A part of one tenant's portal. */
export interface ShapeName {
  tenant: string;
  part: string;
}

/** Wire type of what a person or the schedule asks crm-reader for; it comes by the mailbox and is on no topic. */
export const SHAPE_ASKED = 'refrain.portal-shape.asked.v1';

/** What is asked for. */
export const shapeAsked = z.object({
  part: text,
  /** Asked by the schedule: nothing is read where the next look has its time already. */
  scheduled: z.boolean().optional(),
});
export type ShapeAsked = z.infer<typeof shapeAsked>;

/** The subject of the looks at a part: `shape:deal`. */
export const shapeSubject = (part: string): string => subjectOf({ type: 'shape', id: part });

/** The stream of a part of a portal. */
export const shapeStream = ({ tenant, part }: ShapeName): string => `shape-${recordKey(tenant, shapeSubject(part))}`;
