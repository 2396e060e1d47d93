import { z } from 'zod';
import { dataOf, inert, tellingOf } from './ask';
import type { AskFile } from './ask.schema';
import { labelFault, labelSchema, type Label } from './agreement';
import { stepOfAsk } from './asks';
import { contextKinds, type Note } from './context';
import { linesOf } from './condense';
import { property, stepName } from './parts.schema';
import { RecipeSource } from './source';

const said = z.union([
  z.string().min(1),
  z.strictObject({ at: z.union([z.iso.date(), z.iso.datetime({ offset: true })]), text: z.string().min(1) }),
]);

/** One row of a labelled set, as its file says it. */
const rowSchema = z
  .strictObject({
    row: z.string().min(1).optional().describe('What it is called where it is shown; its number unless said'),
    told: z.string().min(1).optional().describe('What the model is told, line by line; in the place of all below'),
    record: z.record(property, z.string().nullable()).optional().describe('The properties of a record'),
    notes: z.array(said).optional().describe('Its notes, the newest first'),
    context: z
      .partialRecord(z.enum(contextKinds), z.array(said))
      .optional()
      .describe('What else was written or said, by kind, the newest first'),
    facts: z.record(stepName, z.string()).optional().describe('The facts that the ask needs'),
    label: z
      .record(z.string().min(1), labelSchema)
      .refine((label) => Object.keys(label).length > 0, 'says nothing')
      .describe('What is right of the answer, by field; a field that it does not name is not judged'),
  })
  .refine(
    ({ told, record, notes, context, facts }) => (told === undefined) === Boolean(record ?? notes ?? context ?? facts),
    {
      message: 'needs either told, or what it is made of: record, notes, context, facts',
    },
  );

/** The published JSON Schema of a labelled set, for editors. */
export const rowsJsonSchema = (): Record<string, unknown> => ({
  title: 'Labelled rows of a Refrain ask',
  ...z.toJSONSchema(z.array(rowSchema).min(1), { target: 'draft-7', io: 'input' }),
});

/** One input with what is right of the answer to it. */
export interface AskRow {
  name: string;
  label: Readonly<Record<string, Label>>;
  /** What a model that is asked so is told. */
  textFor(ask: AskFile): string;
  /** The facts that an ask needs and the row does not give. */
  missing(ask: AskFile): string[];
}

/**
 * Reads a labelled set, YAML or, by the file's name, JSON lines: its rows, or every fault with its line. Labels are held
 * against the answers of the ask.
 */
export function readRows(text: string, file: string, ask: AskFile): { rows: AskRow[] } | { faults: string[] } {
  const faults: string[] = [];
  const rows: AskRow[] = [];
  for (const { source, values, at } of partsOf(text, file)) {
    faults.push(...source.faults);
    values.forEach((value, i) => {
      const tell = (path: PropertyKey[], message: string) => faults.push(source.fault([...at(i), ...path], message));
      const parsed = rowSchema.safeParse(value);
      if (!parsed.success) {
        for (const { path, message } of parsed.error.issues) tell(path, message);
        return;
      }
      const given = parsed.data;
      for (const [field, label] of Object.entries(given.label)) {
        const fault = labelFault(ask.answer, field, label);
        if (fault !== undefined) tell(['label', field], fault);
      }
      const row: AskRow = {
        name: given.row ?? `row ${String(rows.length + 1)}`,
        label: given.label,
        textFor: (one) => told(given, one),
        missing: (one) => missingIn(given, one),
      };
      for (const name of row.missing(ask)) tell([], `must give the fact ${name}: ${ask.facts[name] ?? ''}`);
      rows.push(row);
    });
  }
  if (faults.length === 0 && rows.length === 0) faults.push(`${file}:1:1: holds no rows`);
  return faults.length > 0 ? { faults } : { rows };
}

interface Part {
  source: RecipeSource;
  values: unknown[];
  /** Where the value of a number stands. */
  at: (i: number) => PropertyKey[];
}

function partsOf(text: string, file: string): Part[] {
  if (file.endsWith('.jsonl')) {
    return text.split('\n').flatMap((line, i) => {
      if (line.trim() === '') return [];
      // Lines that came before are lines of the file, too.
      const source = new RecipeSource(line, file, i);
      return [{ source, values: source.faults.length > 0 ? [] : [source.value], at: () => [] }];
    });
  }
  const source = new RecipeSource(text, file);
  if (source.faults.length > 0) return [{ source, values: [], at: () => [] }];
  if (Array.isArray(source.value)) return [{ source, values: source.value as unknown[], at: (i) => [i] }];
  return [{ source, values: [source.value], at: () => [] }];
}

const missingIn = ({ told: text, facts = {} }: z.infer<typeof rowSchema>, ask: AskFile): string[] =>
  text === undefined ? Object.keys(ask.facts).filter((name) => !Object.hasOwn(facts, name)) : [];

function told(row: z.infer<typeof rowSchema>, ask: AskFile): string {
  const { told: text, record = {}, notes = [], context = {}, facts = {} } = row;
  if (text !== undefined) return dataOf(text.trimEnd().split('\n').map(inert).join('\n'));
  const read = {
    notes: notes.map(dated),
    context: Object.fromEntries(Object.entries(context).map(([kind, all]) => [kind, all.map(dated)])),
  };
  return dataOf(linesOf(tellingOf(stepOfAsk(ask, facts), { record, steps: {} }, read).entries));
}

const dated = (note: z.infer<typeof said>): Note => (typeof note === 'string' ? { at: UNDATED, text: note } : note);

/** When a note was written of which nobody says it. */
const UNDATED = '2026-01-01T00:00:00Z';
