import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { stringify } from 'yaml';
import type { z } from 'zod';
import type { AskStep } from './ask';
import { askFaults, type AskFault, instructionOf } from './ask-check';
import { contextIn, NOTES } from './context';
import { type AskFile, askFileSchema, type askStep, type askUse } from './ask.schema';
import { type RecipeFile, recipeSchema, type StepFile } from './recipe.schema';
import { RecipeSource } from './source';
import { strictFaults } from './strict-schema';
import { literal } from './text';

/** Asks that stand in files of their own, by name and version. */
export interface Asks {
  /** Where they stand, for faults. */
  where: string;
  /** Every name with its version, the versions of a name in their order. */
  names(): readonly string[];
  /** One of them, or every fault of its file, each with its place; undefined where there is none. */
  get(name: string): ReadAsk | undefined;
}

/** An ask as it was read, or why it cannot be used. */
export type ReadAsk = { ask: AskFile } | { faults: string[] };

type WholeAsk = z.infer<typeof askStep> & { use?: string };
type AskingStep = Extract<StepFile, { ask: unknown }>;

/** A step of a recipe in which an ask is whole, wherever it stood. */
export type WholeStep = Exclude<StepFile, AskingStep> | (Omit<AskingStep, 'ask'> & { ask: WholeAsk });

/** A recipe's file in which every ask is whole. */
export type WholeRecipe = Omit<RecipeFile, 'steps' | 'asks'> & { steps: WholeStep[] };

const NAMED = /^([a-z][a-z0-9-]{0,62}@[1-9]\d{0,5})\.ya?ml$/;
/** Files beside asks that say what right answers are. */
const ROWS = /\.rows\.(ya?ml|jsonl)$/;

/** Name and version of an ask; a name alone says no version. */
export function askNamed(text: string): { name: string; version?: number } {
  const [name = '', version] = text.split('@');
  return version === undefined ? { name } : { name, version: Number(version) };
}

/** Where asks stand unless somebody says: in `asks`, beside the folder of recipes. */
export const asksBeside = (recipes: string): string => join(dirname(resolve(recipes)), 'asks');

/** The asks of a folder as they are now, `<name>@<version>.yaml`; none where there is no such folder. */
export function askFolder(folder: string): Asks {
  const read = new Map<string, ReadAsk>();
  for (const file of filesIn(folder)) {
    if (ROWS.test(file) || !/\.ya?ml$/.test(file)) continue;
    const path = join(folder, file);
    const name = NAMED.exec(file)?.[1];
    if (name === undefined) {
      const faults = [
        `${path}:1:1: the file of an ask is named <name>@<version>.yaml, such as lead-qualification@2.yaml`,
      ];
      read.set(file, { faults });
    } else if (read.has(name)) read.set(name, { faults: [`${path}:1:1: ${name} stands in another file too`] });
    else read.set(name, readAsk(readFileSync(path, 'utf8'), path));
  }
  const names = [...read.keys()].sort(byVersion);
  return { where: folder, names: () => names, get: (name) => read.get(name) };
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function byVersion(a: string, b: string): number {
  const [one, other] = [askNamed(a), askNamed(b)];
  return one.name === other.name ? (one.version ?? 0) - (other.version ?? 0) : one.name < other.name ? -1 : 1;
}

/** Reads one ask from its text; a file that is named as asks are must say so itself. */
export function readAsk(text: string, file: string): ReadAsk {
  const source = new RecipeSource(text, file);
  if (source.faults.length > 0) return { faults: source.faults };
  const parsed = askFileSchema.safeParse(source.value);
  if (!parsed.success) return { faults: parsed.error.issues.map(({ path, message }) => source.fault(path, message)) };
  const faults = fileFaults(parsed.data, NAMED.exec(basename(file))?.[1]);
  if (faults.length > 0) return { faults: faults.map(({ path, message }) => source.fault(path, message)) };
  return { ask: parsed.data };
}

function fileFaults(ask: AskFile, name = ask.ask): AskFault[] {
  const strict = strictFaults(ask.answer).map(({ path, message }) => ({ path: ['answer', ...path], message }));
  const differs = { path: ['ask'], message: `is ${ask.ask}, and stands as ${name}: one of them must change` };
  return [...(ask.ask === name ? [] : [differs]), ...(strict.length > 0 ? strict : askFaults(ask))];
}

/** The recipe with every ask whole, and the asks of files that it uses; or why it cannot be made so. */
export function withWholeAsks(
  recipe: RecipeFile,
  asks?: Asks,
): { recipe: WholeRecipe; used: Record<string, AskFile> } | { faults: AskFault[]; ofAsks: string[] } {
  const { asks: own = {}, steps, ...rest } = recipe;
  const faults: AskFault[] = [];
  const ofAsks: string[] = [];
  const used: Record<string, AskFile> = {};
  for (const [name, ask] of Object.entries(own))
    faults.push(...fileFaults(ask, name).map(({ path, message }) => ({ path: ['asks', name, ...path], message })));
  const whole = steps.map((step, i): WholeStep => {
    if (!('ask' in step)) return step;
    if (!('use' in step.ask)) return { ...step, ask: step.ask };
    const { use } = step.ask;
    const at = ['steps', i, 'ask'];
    const found = Object.hasOwn(own, use) ? { ask: own[use] as AskFile } : asks?.get(use);
    if (!found || 'faults' in found) {
      if (found) ofAsks.push(...found.faults);
      faults.push({ path: [...at, 'use'], message: found ? `${use} has faults` : unknownAsk(use, asks) });
      return { ...step, ask: NOTHING };
    }
    used[use] = found.ask;
    faults.push(...factFaults(step.ask, found.ask).map(({ path, message }) => ({ path: [...at, ...path], message })));
    return { ...step, ask: wholeAsk(step.ask, found.ask) };
  });
  for (const name of Object.keys(own))
    if (!(name in used)) faults.push({ path: ['asks', name], message: 'is used by no step' });
  return faults.length > 0 ? { faults, ofAsks } : { recipe: { ...rest, steps: whole }, used };
}

/** Stands where a fault was noted: such a recipe is never run. */
const NOTHING: WholeAsk = {
  ...{ model: '', properties: [], notes: 0, tokens: 1, facts: {}, instruction: '' },
  answer: { type: 'object', properties: {} },
};

function unknownAsk(use: string, asks: Asks | undefined): string {
  if (!asks) return `there is no ask ${use}: no folder of asks is given (ASKS_DIR of a service, --asks of a command)`;
  const { name, version = 0 } = askNamed(use);
  const versions = asks.names().flatMap((other) => (askNamed(other).name === name ? [askNamed(other).version] : []));
  if (versions.length > 0)
    return `there is no version ${String(version)} of ${name} in ${asks.where}: there are ${versions.join(', ')}`;
  return `there is no ask ${name} in ${asks.where}; there are: ${asks.names().join(', ') || 'none'}`;
}

function factFaults({ facts }: z.infer<typeof askUse>, file: AskFile): AskFault[] {
  const missing = Object.entries(file.facts).filter(([name]) => !Object.hasOwn(facts, name));
  const known = Object.keys(file.facts).join(', ') || 'none';
  return [
    ...missing.map(([name, is]) => ({
      path: [],
      message: `must give the fact ${name}, which ${file.ask} needs: ${is}`,
    })),
    ...Object.keys(facts)
      .filter((name) => !Object.hasOwn(file.facts, name))
      .map((name) => ({ path: ['facts', name], message: `is no fact that ${file.ask} is told; it needs: ${known}` })),
  ];
}

function wholeAsk({ use, facts, ...over }: z.infer<typeof askUse>, file: AskFile): WholeAsk {
  const { ask: _, description: __, facts: ___, mask = {}, ...rest } = file;
  const { most } = contextIn({ ...file, ...over, facts, mask: {} }).context;
  const told = [...(over.properties ?? file.properties), ...Object.keys(facts), NOTES, ...Object.keys(most)];
  // What the file hides stays hidden, unless the recipe says otherwise of the same.
  const kept = Object.entries(mask).filter(([name]) => told.includes(name));
  return { ...rest, ...over, facts, mask: { ...Object.fromEntries(kept), ...over.mask }, use };
}

/**
 * A recipe's text with the asks that it uses in it, so that it needs no other file: what publication keeps. A text that
 * has them, uses none or cannot be read stays as it is.
 */
export function selfContained(text: string, asks?: Asks): string {
  const { value } = new RecipeSource(text, '');
  const parsed = recipeSchema.safeParse(value);
  if (!parsed.success) return text;
  const whole = withWholeAsks(parsed.data, asks);
  if ('faults' in whole) return text;
  const { asks: own, ...rest } = value as Record<string, unknown>;
  if (Object.keys(whole.used).every((name) => name in (parsed.data.asks ?? {}))) return text;
  const added = yamlOf({ asks: whole.used });
  const appended = `${text.trimEnd()}\n# The asks that it uses, as they were when it was published.\n${added}`;
  // A text in braces takes nothing behind it.
  const isRead = own === undefined && recipeSchema.safeParse(new RecipeSource(appended, '').value).success;
  return isRead ? appended : yamlOf({ ...rest, asks: whole.used });
}

const yamlOf = (value: object): string => stringify(value, { lineWidth: 100, aliasDuplicateObjects: false });

/** The asks that stand in a published recipe's text, each with a hash of its content; none of a text that has none. */
export function asksIn(text: string): Map<string, string> {
  if (!text.includes('asks')) return new Map();
  const { value } = new RecipeSource(text, '');
  const own = recipeSchema.shape.asks.safeParse((value as { asks?: unknown } | null | undefined)?.asks);
  return new Map(Object.entries(own.data ?? {}).map(([name, ask]) => [name, contentOf(ask)]));
}

const contentOf = (ask: AskFile): string => createHash('sha256').update(JSON.stringify(ask)).digest('hex');

/** The step that an ask of a file is, where it is given these facts. */
export function stepOfAsk(ask: AskFile, facts: Readonly<Record<string, string>>): AskStep {
  const { description: _, thresholds: __, examples: ___, ask: use, mask = {}, effort, ...rest } = ask;
  const { notes, context } = contextIn(ask);
  return {
    kind: 'ask',
    name: askNamed(use).name,
    ...rest,
    notes,
    context,
    ...(effort === undefined ? {} : { effort }),
    facts: Object.fromEntries(Object.entries(facts).map(([name, text]) => [name, literal(text)])),
    mask,
    instruction: instructionOf(ask),
    supported: ask.supported ?? [],
    unsupported: ask.unsupported ?? 'leave-out',
    use,
    reads: ask.properties,
  };
}
