import { type Publication, RECIPES_SERVICE, recipeEvents, Topic } from '#libs/contracts';
import {
  appendPublications,
  Conflict,
  type NewPublication,
  type Pool,
  publicationsIn,
  relayAll,
} from '#libs/event-store';
import { LogProducer } from '#libs/log';
import { publishTo } from '#libs/process';
import { logConnection } from './log';
import { withStore } from './store';

/** Opens the registry of recipes for one command. What publications left to be told on the log is told at the end. */
export const withRegistry = <T>(work: (pool: Pool) => Promise<T>): Promise<T> =>
  withStore(async (pool) => {
    try {
      return await work(pool);
    } finally {
      await tell(pool);
    }
  });

export type Histories = ReadonlyMap<string, Publication[]>;

/** The publications of an environment by their recipe. */
export const historiesIn = async (pool: Pool, environment: string): Promise<Histories> =>
  Map.groupBy(await publicationsIn(pool, environment), ({ recipe }) => recipe);

/** Adds publications that were decided on these, all or none; says whose came first where there are more by now. */
export async function append(pool: Pool, publications: NewPublication[], past: Histories): Promise<void> {
  const known = [...past.values()].reduce((sum, history) => sum + history.length, 0);
  try {
    await appendPublications(pool, publications, known);
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
    const environment = publications[0]?.environment ?? '';
    const first = (await publicationsIn(pool, environment)).find(
      ({ recipe, number }) => number > (past.get(recipe)?.length ?? 0),
    );
    throw first ? new Error(overtaken(first), { cause: error }) : error;
  }
}

const overtaken = ({ by, action, recipe, version, environment }: Publication): string =>
  `${by} was quicker: ${recipe} ${version} was ${action} in ${environment} meanwhile, and nothing of yours was done; ` +
  `look with \`refrain recipes history ${recipe}\`, then try again`;

// What is committed is live, told or not: a log that is away fails no command.
async function tell(pool: Pool): Promise<void> {
  const opened: LogProducer[] = [];
  const publish = publishTo((records) => {
    const producer = opened[0] ?? new LogProducer(logConnection());
    opened[0] = producer;
    return producer.publish(records);
  }, recipeEvents);
  try {
    await relayAll(pool, RECIPES_SERVICE, publish);
  } catch (error) {
    const why = error instanceof Error ? error.message.replaceAll('\n', ' ') : String(error);
    process.stderr.write(
      `refrain: not all publications are on ${Topic.recipes} yet (${why}); the next \`refrain recipes\` command tells them\n`,
    );
  } finally {
    await opened[0]?.close();
  }
}
