import { z } from 'zod';

const copiedFile = z.object({
  bytes: z.int().describe('Its size'),
  sha256: z.string().describe('SHA-256 of its content, in hex'),
  type: z.string().describe("Its media type, by the content's own beginning"),
});

/** A file of a video that was copied. */
export type CopiedFile = z.infer<typeof copiedFile>;

/** Where a video's files are kept: each under its name, in the folder. */
export const videoCopy = {
  bucket: z.string().describe('Bucket of the copy'),
  folder: z.string().describe('What the keys of its files begin with; a / and the name of the file stand behind it'),
  files: z
    .object({
      video: copiedFile.describe('The video'),
      thumbnail: copiedFile.optional().describe('A picture of it'),
      captions: copiedFile.optional().describe('Its captions'),
    })
    .describe('What was copied, by name'),
};

/** A copy of a video. */
export type VideoCopy = z.infer<z.ZodObject<typeof videoCopy>>;
