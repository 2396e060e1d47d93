import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { recipeSchema, type AskStep, type VideoStep } from './recipe.schema';

/** A recipe that was read and found good. `version` names its content: equal content, equal version. */
export interface Recipe {
  id: string;
  version: string;
  trigger: { object: string; property: string; becomes: string[] };
  coolDownMs: number;
  video?: VideoStep;
  ask?: AskStep;
}

/** Says, with file and line, why recipes cannot be used. */
export class RecipeFault extends Error {
  constructor(readonly faults: string[]) {
    super(faults.join('\n'));
    this.name = 'RecipeFault';
  }
}

/** Reads all recipes of a folder, all or none; throws one {@link RecipeFault} that names every fault. */
export function loadRecipes(folder: string): Recipe[] {
  const files = readdirSync(folder)
    .filter((file) => /\.ya?ml$/.test(file))
    .sort();
  const faults: string[] = [];
  const recipes: Recipe[] = [];
  for (const file of files) {
    const read = readRecipe(readFileSync(join(folder, file), 'utf8'), file);
    if ('faults' in read) faults.push(...read.faults);
    else if (recipes.some((other) => other.id === read.recipe.id))
      faults.push(`${file}: recipe ${read.recipe.id} exists already`);
    else recipes.push(read.recipe);
  }
  if (faults.length > 0) throw new RecipeFault(faults);
  return recipes;
}

/** Reads one recipe from its text; `file` is named in faults. */
export function readRecipe(text: string, file: string): { recipe: Recipe } | { faults: string[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const at = (offset: number | undefined) => {
    const { line, col } = lines.linePos(offset ?? 0);
    return `${file}:${String(line)}:${String(col)}`;
  };
  if (document.errors.length > 0) {
    return { faults: document.errors.map((e) => `${at(e.pos[0])}: ${e.message.split('\n')[0] ?? ''}`) };
  }
  const parsed = recipeSchema.safeParse(document.toJS());
  if (!parsed.success) {
    return {
      faults: parsed.error.issues.map((issue) => {
        const node = nodeAt(document, issue.path);
        return `${at(node)}: ${issue.path.join('.')}: ${issue.message}`;
      }),
    };
  }
  const unmapped = unknownAnswerFields(parsed.data);
  if (unmapped.length > 0) return { faults: unmapped.map((fault) => `${file}: ${fault}`) };
  return { recipe: recipeOf(parsed.data) };
}

type Parsed = z.infer<typeof recipeSchema>;

function recipeOf(parsed: Parsed): Recipe {
  const steps = Object.assign({}, ...parsed.steps) as { video?: VideoStep; ask?: AskStep };
  return {
    id: parsed.recipe,
    version: createHash('sha256').update(JSON.stringify(parsed)).digest('hex').slice(0, 12),
    trigger: parsed.trigger,
    coolDownMs: parsed.coolDown,
    ...steps,
  };
}

const unknownAnswerFields = (parsed: Parsed): string[] =>
  parsed.steps.flatMap((step) =>
    'ask' in step
      ? Object.entries(step.ask.write)
          .filter(([, field]) => !(field in step.ask.answer.properties))
          .map(([property, field]) => `${property} is written from ${field}, which the answer does not have`)
      : [],
  );

// The nearest node that exists: a missing key is shown at its parent.
function nodeAt(document: ReturnType<typeof parseDocument>, path: PropertyKey[]): number | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const node: unknown = document.getIn(path.slice(0, length), true);
    if (typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range)) {
      return Number(node.range[0]);
    }
  }
  return undefined;
}
