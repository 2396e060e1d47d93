import type { Publication } from '#libs/contracts';
import { type NewPublication, type Pool, publicationsIn, textsOnceLive } from '#libs/event-store';
import {
  liveIn,
  publication,
  PublicationRefused,
  readTogether,
  type Recipe,
  refuseChangedAsks,
  refuseLoops,
  rollbackTo,
  selfContained,
  templatesOf,
  type Wish,
  withdrawal,
} from '#libs/recipes';
import { loadConfig } from '#libs/platform';
import { videoConfig } from '../cli.config';
import { print } from '../output';
import { casesBeside, recipeFiles } from '../recipe-files';
import { referenceIn } from '../reference';
import { templateCheck } from '../templates';
import { append, type Histories, historiesIn, withRegistry } from '../registry';

const TEMPLATES_LIMIT_MS = 10_000;

/** What all publications say. */
export interface Said {
  environment: string;
  by: string;
  why: string;
  ticket?: string;
  dryRun: boolean;
  json: boolean;
}

/** The recipes of a file or folder, all of them or none. */
export async function publish(
  path: string,
  options: Said & { tables?: string; asks?: string; anyTemplate: boolean },
): Promise<void> {
  const reference = referenceIn(path, options);
  const { good, faults } = readTogether(recipeFiles(path), options.environment, reference);
  if (faults.length > 0) {
    process.stderr.write(`refrain: nothing is published:\n${faults.join('\n')}\n`);
    if (options.json) print(true, { faults }, '');
    process.exitCode = 1;
    return;
  }
  if (
    !options.anyTemplate &&
    !(await templatesFit(
      good.map(({ recipe }) => recipe),
      options.json,
    ))
  )
    return;
  await withRegistry(async (pool) => {
    const past = await historiesIn(pool, options.environment);
    const wishes = good.map(({ recipe, text, file }) => ({
      ...wish(recipe.id, recipe.version, selfContained(text, reference.asks), 'published', options),
      cases: casesBeside(file)?.text,
    }));
    await fulfil(pool, wishes, past, options);
  });
}

/**
 * Whether HeyGen's templates have the variables that the recipes give, and no others; where they differ, says so. What
 * HeyGen does not answer keeps nobody from publishing: `refrain doctor` asks it again.
 */
async function templatesFit(recipes: readonly Recipe[], json: boolean): Promise<boolean> {
  const uses = recipes.flatMap(templatesOf);
  if (uses.length === 0) return true;
  const check = templateCheck(loadConfig(videoConfig, process.env), uses);
  if (!check) {
    process.stderr.write('refrain: HEYGEN_API_KEY is not set here: the templates were not compared with the recipes\n');
    return true;
  }
  const found = await check(AbortSignal.timeout(TEMPLATES_LIMIT_MS));
  const lines = found.map(({ code, where, what, remedy }) => `${where}: ${what}. [${code}] ${remedy}`);
  const differs = found.some(({ code }) => code.startsWith('template-'));
  if (found.length === 0) return true;
  const end = differs
    ? 'nothing is published; --any-template publishes all the same:'
    : 'the templates were not compared:';
  process.stderr.write(`refrain: ${end}\n${lines.join('\n')}\n`);
  if (!differs) return true;
  if (json) print(true, { faults: lines }, '');
  process.exitCode = 1;
  return false;
}

/** The very version that is live elsewhere. */
export async function promote(id: string, options: Said & { from: string; to: string }): Promise<void> {
  await withRegistry(async (pool) => {
    const live = liveIn(await publicationsIn(pool, options.from, id));
    if (!live)
      throw new PublicationRefused(`${id} is not live in ${options.from}; \`refrain recipes ls\` lists what is`);
    const said = { ...options, environment: options.to };
    const past = await historiesIn(pool, options.to);
    await fulfil(
      pool,
      [{ ...wish(id, live.version, live.text, 'promoted', said), source: options.from, cases: live.cases }],
      past,
      said,
    );
  });
}

/** A version that was live there before. */
export async function rollback(id: string, options: Said & { to?: string }): Promise<void> {
  await withRegistry(async (pool) => {
    const past = await historiesIn(pool, options.environment);
    const { version, text, cases } = rollbackTo(past.get(id) ?? [], id, options.to);
    await fulfil(pool, [{ ...wish(id, version, text, 'rolled-back', options), cases }], past, options);
  });
}

/** What is live there goes. */
export const withdraw = (id: string, { environment, by, why, ticket, dryRun, json }: Said): Promise<void> =>
  change(id, environment, json, (past) => withdrawal(past, id, { by, why, ticket }), dryRun);

const wish = (recipe: string, version: string, text: string, action: Wish['action'], said: Said): Wish => {
  const { environment, by, why, ticket } = said;
  return { environment, recipe, version, text, action, by, why, ticket };
};

/** Adds what follows from wishes, all of it or nothing, and says of each what became of it. */
async function fulfil(pool: Pool, wishes: Wish[], past: Histories, { dryRun, json }: Said): Promise<void> {
  const decided = wishes.map((one) => ({ ...one, decided: publication(past.get(one.recipe) ?? [], one) }));
  const next = decided.flatMap((one) => (one.decided ? [one.decided] : []));
  refuseLoops(past.values(), next);
  refuseChangedAsks(await textsOnceLive(pool), next);
  if (!dryRun && next.length > 0)
    await append(
      pool,
      next.map(({ reasons: _, ...one }) => one),
      past,
    );
  const shown = decided.map(({ recipe, version, environment, decided: one }) =>
    one ? shownOf(one, one.reasons) : { recipe, version, environment, state: 'live already' },
  );
  const lines = decided.map((one) =>
    one.decided
      ? lineOf(one.decided, dryRun, one.decided.reasons)
      : `${one.recipe} ${one.version} is live in ${one.environment} already`,
  );
  print(json, { dryRun, publications: shown }, lines.join('\n'));
}

/** Adds what is decided on a recipe's publications. */
export async function change(
  id: string,
  environment: string,
  json: boolean,
  decide: (past: Publication[]) => NewPublication,
  dryRun = false,
): Promise<void> {
  await withRegistry(async (pool) => {
    const past = await historiesIn(pool, environment);
    const decided = decide(past.get(id) ?? []);
    // What waited was looked at when it was wanted; since then others may have gone live.
    if (decided.event.type === 'RecipePublished') {
      refuseLoops(past.values(), [decided]);
      refuseChangedAsks(await textsOnceLive(pool), [decided]);
    }
    if (!dryRun) await append(pool, [decided], past);
    print(json, { dryRun, publications: [shownOf(decided)] }, lineOf(decided, dryRun));
  });
}

const shownOf = ({ event: _, text: __, cases: ___, ...shown }: NewPublication, reasons: string[] = []) => ({
  ...shown,
  reasons,
});

function lineOf(
  { recipe, version, environment, action, state, event }: NewPublication,
  dryRun: boolean,
  reasons: string[] = [],
) {
  const previous = event.data.previous === undefined ? '' : ` (until then ${event.data.previous})`;
  if (state === 'live')
    return `${recipe} ${version} ${dryRun ? 'would be' : 'is'} ${action} in ${environment}${previous}`;
  if (state === 'refused') return `${recipe} ${version} is refused in ${environment}; what is live stays`;
  const named = `${recipe} --environment ${environment}`;
  return [
    `${recipe} ${version} ${dryRun ? 'would wait' : 'waits'} for approval in ${environment}; what is live stays`,
    ...reasons.map((reason) => `  it ${reason}`),
    `  a second person looks: refrain recipes diff ${named} --to ${version}`,
    `  and approves: refrain recipes approve ${named} --version ${version}`,
  ].join('\n');
}
