import { readFileSync } from 'node:fs';
import { createTwoFilesPatch } from 'diff';
import type { Publication } from '#libs/contracts';
import { publicationsIn } from '#libs/event-store';
import {
  differences,
  elsewhere,
  liveIn,
  readRecipe,
  RecipeFault,
  type Recipe,
  selfContained,
  waitingIn,
} from '#libs/recipes';
import { print, UsageError } from '../output';
import { referenceIn } from '../reference';
import { historiesIn, withRegistry } from '../registry';

interface Where {
  environment: string;
  json: boolean;
}

/** What is live in an environment, and what waits there. */
export async function ls({ environment, json }: Where): Promise<void> {
  const histories = await withRegistry((pool) => historiesIn(pool, environment));
  const past = [...histories.values()];
  const live = past.flatMap((one) => liveIn(one) ?? []);
  const waiting = past.flatMap((one) => waitingIn(one) ?? []);
  const lines = [...live, ...waiting].map(lineOf);
  print(
    json,
    { environment, live: live.map(shown), waiting: waiting.map(shown) },
    lines.join('\n') || `Nothing is live in ${environment}.`,
  );
}

/** Every publication of an environment or of one of its recipes, newest first. */
export async function history(id: string | undefined, { environment, json }: Where): Promise<void> {
  const all = (await withRegistry((pool) => publicationsIn(pool, environment, id))).reverse();
  print(
    json,
    { environment, publications: all.map(shown) },
    all.map(lineOf).join('\n') || 'Nothing was published yet.',
  );
}

/** The text and what it means, before and after. */
export async function diff(
  named: string,
  options: Where & { from?: string; to?: string; tables?: string; asks?: string },
): Promise<void> {
  const { environment, json, from, to } = options;
  const ofFile = from === undefined && to === undefined;
  const file = ofFile ? readFile(named, environment, options) : undefined;
  const past = await withRegistry((pool) => publicationsIn(pool, environment, file?.id ?? named));
  const textOf = (version: string | undefined): Side => {
    const found = version === undefined ? liveIn(past) : past.find((one) => one.version === version);
    if (found) return { name: found.version, text: found.text };
    if (version === undefined) return { name: 'nothing', text: '' };
    throw new Error(
      `${named} has no version ${version} in ${environment}; \`refrain recipes history ${named}\` lists them`,
    );
  };
  const before = textOf(from);
  const after = file ? { name: file.name, text: file.text } : textOf(to);
  const found = differences(recipeOf(before, environment), recipeOf(after, environment));
  const patch = before.text === after.text ? '' : createTwoFilesPatch(before.name, after.name, before.text, after.text);
  const said = found.map(({ says, widens }) => `${widens ? '!' : '-'} ${says}`);
  const note = found.some(({ widens }) => widens)
    ? ['Lines with ! need approval where the recipe says approvals: required.']
    : [];
  print(
    json,
    { environment, before: before.name, after: after.name, patch, differences: found },
    [patch, ...said, ...note].filter(Boolean).join('\n') || `No difference to ${before.name}.`,
  );
}

interface Side {
  name: string;
  text: string;
}

function readFile(
  path: string,
  environment: string,
  folders: { tables?: string; asks?: string },
): Side & { id: string } {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    throw new UsageError(`there is no file ${path}; a recipe's id needs --from or --to`);
  }
  const reference = referenceIn(path, folders);
  const read = readRecipe(text, path, environment, reference);
  if ('faults' in read) throw new RecipeFault(read.faults);
  return { id: read.recipe.id, name: path, text: selfContained(text, reference.asks) };
}

function recipeOf({ name, text }: Side, environment: string): Recipe | undefined {
  // What stands in the registry was read with the tables of its time.
  const read = readRecipe(text, name, environment, elsewhere);
  return 'recipe' in read ? read.recipe : undefined;
}

const shown = ({ text: _, cases: __, ...publication }: Publication) => publication;

const lineOf = (p: Publication): string =>
  [
    p.at.toISOString(),
    p.recipe.padEnd(24),
    p.version,
    p.state === 'live' ? p.action : p.state,
    ...(p.source === undefined ? [] : [`from ${p.source}`]),
    `by ${p.by}${p.approvedBy === undefined ? '' : `, approved by ${p.approvedBy}`}:`,
    p.why,
    ...(p.ticket === undefined ? [] : [`(${p.ticket})`]),
  ].join(' ');
