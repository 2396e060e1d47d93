import { z } from 'zod';

const units: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A table whose rows a Postgres database gives, as its file says it. */
export const tableSchema = z.strictObject({
  url: z
    .union([z.strictObject({ env: z.string().min(1) }), z.strictObject({ file: z.string().min(1) })])
    .describe('Where the address of the database stands: in an environment variable, or in a file'),
  query: z.string().min(1).describe('One select, without a semicolon'),
  key: z.string().min(1).describe('The column whose value is the key of a row'),
  every: z
    .string()
    .regex(/^[1-9]\d{0,4}[smhd]$/, 'must be a number and s, m, h or d, such as 5m')
    .prefault('5m')
    .transform((text) => Number(text.slice(0, -1)) * (units[text.slice(-1)] ?? 0))
    .describe('How often its rows are read'),
});

/** A table's file as it was read. */
export type TableFile = z.infer<typeof tableSchema>;
