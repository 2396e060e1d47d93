import { z } from 'zod';

/** A value of a recipe's file that may hold expressions. */
export const text = z.string().min(1).describe('Text, with expressions in ${…}');

const number = z.union([z.number(), text]).describe('A number, or one expression that gives one');
const flag = z.union([z.boolean(), text]).describe('true, false, or one expression that gives one of them');

const asset = {
  url: text.optional().describe('A public https address, from which HeyGen loads it'),
  asset_id: text.optional().describe('Or its id among the assets at HeyGen'),
};

const isOne = ({ url, asset_id: id }: { url?: string | undefined; asset_id?: string | undefined }): boolean =>
  (url === undefined) !== (id === undefined);
const ONE = { message: 'needs one of url and asset_id' };

/** What fills a variable of a template: a text, or what HeyGen takes for one of another type. */
export const variable = z.union(
  [
    text,
    z.strictObject({
      image: z
        .strictObject({ ...asset, fit: text.optional().describe('How it fills its place, by HeyGen’s word') })
        .refine(isOne, ONE),
    }),
    z.strictObject({
      video: z
        .strictObject({ ...asset, play_style: text.optional().describe('fit_to_scene, freeze, loop or full_video') })
        .refine(isOne, ONE),
    }),
    z.strictObject({ audio: z.strictObject(asset).refine(isOne, ONE) }),
    z.strictObject({
      character: z.strictObject({
        character_id: text.describe('Id of the avatar or the talking photo'),
        type: text.describe('avatar or talking_photo'),
      }),
    }),
    z.strictObject({
      voice: z.strictObject({ voice_id: text, locale: text.optional().describe('Such as en-GB') }),
    }),
  ],
  { error: 'must be text, or one of image, video, audio, character and voice' },
);

/** What fills a variable that is no text, as its file says it. */
export type VariableFile = Exclude<z.infer<typeof variable>, string>;

/** How a video is made, as its file says it. */
export const optionsOfVideo = {
  caption: flag.optional().describe('Whether captions are made; true, false, or an expression'),
  subtitles: z
    .strictObject({
      preset_name: text.describe("HeyGen's name of a look"),
      alignment: number.optional(),
      disable_highlight: flag.optional(),
      font_size: number.optional(),
      position: z.strictObject({ x: number, y: number }).optional(),
    })
    .optional()
    .describe('How captions look that are burnt in; not by HEYGEN_API=v2'),
  dimension: z
    .strictObject({ width: number, height: number })
    .optional()
    .describe("Size of the picture: even numbers of 128 to 4096 in the template's aspect ratio"),
  folder: text.optional().describe("Id of HeyGen's folder that the video is put into"),
};
