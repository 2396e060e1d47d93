import { z } from 'zod';

/** What a template's variable may be besides text, in HeyGen's words. */
export const replacementTypes = ['image', 'video', 'audio', 'character', 'voice'] as const;

/** What fills a variable of a template that is no text, as HeyGen takes it. */
export const replacement = z.object({
  type: z.enum(replacementTypes).describe('What kind of variable it fills'),
  properties: z.record(z.string(), z.string()).describe("HeyGen's properties of that kind, such as url or voice_id"),
});

export type Replacement = z.infer<typeof replacement>;

const pixels = z
  .int('must be a whole number: write ${number(…)} around a property')
  .min(128, 'must be 128 at least')
  .max(4_096, 'must be 4096 at most')
  .refine((n) => n % 2 === 0, 'must be even');

const number = z.number('must be a number: write ${number(…)} around a property');
const flag = z.boolean('must be true or false');

/** How a video is made, besides what fills it; what is absent is as the template has it. */
export const videoOptions = z.object({
  caption: flag.optional().describe('Whether captions are made'),
  subtitles: z
    .object({
      preset_name: z.string().min(1, 'is missing').describe("HeyGen's name of a look"),
      alignment: z.int('must be a whole number').optional().describe("HeyGen's number of a place"),
      disable_highlight: flag.optional().describe('Whether the word that is spoken looks like the others'),
      font_size: number.positive('must be more than 0').optional().describe('In pixels'),
      position: z
        .object({ x: number.describe('From the left'), y: number.describe('From the top') })
        .optional()
        .describe('Where they stand'),
    })
    .optional()
    .describe('How captions look that are burnt in; version 3 alone knows them'),
  dimension: z
    .object({ width: pixels.describe('In pixels'), height: pixels.describe('In pixels') })
    .optional()
    .describe("Size of the picture, in the template's aspect ratio"),
  folder: z
    .string()
    .regex(/^[\w.:-]{1,200}$/, 'is no id: letters, digits, _ . : and - alone')
    .optional()
    .describe("Id of HeyGen's folder that it is put into"),
});

export type VideoOptions = z.infer<typeof videoOptions>;
