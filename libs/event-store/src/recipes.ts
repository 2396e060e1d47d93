import {
  type Publication,
  RECIPES_SERVICE,
  RECIPES_TENANT,
  recipeEvents,
  type RecipeEvent,
  recipeStream,
  recipeSubject,
  wireType,
} from '#libs/contracts';
import type { Pool, PoolClient } from 'pg';
import { emptyOutcome } from './batch-statements';
import { Conflict } from './errors';
import { type Queryable, rowsOf } from './query';
import { eventId, type NewEvent } from './shapes';
import { transact } from './transaction';

/** A publication with the event that tells of it. */
export interface NewPublication extends Omit<Publication, 'at'> {
  event: RecipeEvent;
}

/** What is live in an environment; `mark` moves with every publication there. */
export interface PublishedRecipes {
  mark: string;
  recipes: { recipe: string; version: string; text: string }[];
}

/** All publications of an environment, or of one of its recipes, the oldest first. */
export const publicationsIn = async (db: Queryable, environment: string, recipe?: string): Promise<Publication[]> =>
  (await rowsOf<Row>(db, PUBLICATIONS, [environment, recipe ?? null])).map(publicationOf);

/** Every text that was live anywhere, with the version that it was published as, the oldest first. */
export const textsOnceLive = (db: Queryable): Promise<{ recipe: string; version: string; text: string }[]> =>
  rowsOf(db, ONCE_LIVE, []);

/**
 * What is live in an environment, or undefined where nothing was published there since `since`. Rows are only added, so
 * their number tells: also of one that commits late.
 */
export async function publishedRecipes(
  db: Queryable,
  environment: string,
  since?: string,
): Promise<PublishedRecipes | undefined> {
  const [row] = await rowsOf<{ mark: string }>(db, MARK, [environment]);
  const mark = row?.mark ?? '0';
  // What is published between the two looks is read now, and once more at the next look.
  return mark === since ? undefined : { mark, recipes: await rowsOf(db, LIVE, [environment]) };
}

/**
 * Adds publications of one environment and their events, all or none. `past` is how many there were when it was decided:
 * what was looked at may be any of them. Throws {@link Conflict} where there are more by now.
 */
export async function appendPublications(pool: Pool, publications: NewPublication[], past: number): Promise<void> {
  const streams = publications.map(({ recipe, environment }) => recipeStream(recipe, environment));
  await transact(pool, RECIPES_SERVICE, streams, async (tx) => {
    const environment = publications[0]?.environment ?? '';
    await tx.db.query(`select pg_advisory_xact_lock(hashtext('refrain.recipes'), hashtext($1))`, [environment]);
    const [now] = await rowsOf<{ mark: string }>(tx.db, MARK, [environment]);
    if (Number(now?.mark) !== past) throw new Conflict(`something was published in ${environment} meanwhile`);
    for (const publication of publications) await add(tx.db, publication);
    await tx.write({ ...emptyOutcome(), events: publications.map(eventOf) });
  });
}

async function add(db: PoolClient, p: NewPublication): Promise<void> {
  await db.query(ADD_TEXT, [p.recipe, p.version, p.text]);
  await db.query(ADD, [
    p.environment,
    p.recipe,
    p.number,
    p.action,
    p.state,
    p.version,
    p.source,
    p.by,
    p.why,
    p.ticket,
    p.approvedBy,
    p.cases,
  ]);
}

function eventOf({ recipe, environment, number, event }: NewPublication): NewEvent {
  const streamId = recipeStream(recipe, environment);
  const id = eventId(streamId, number);
  return {
    streamId,
    version: number,
    tenant: RECIPES_TENANT,
    subject: recipeSubject(recipe),
    type: wireType(recipeEvents, event),
    data: event.data,
    meta: { rootCause: id, causedBy: id },
  };
}

type Row = { [K in keyof Publication]-?: undefined extends Publication[K] ? string | null : Publication[K] };

const publicationOf = ({ source, ticket, approvedBy, cases, ...row }: Row): Publication => ({
  ...row,
  source: source ?? undefined,
  ticket: ticket ?? undefined,
  approvedBy: approvedBy ?? undefined,
  cases: cases ?? undefined,
});

const PUBLICATIONS = `
  select environment, recipe, number, action, state, version, text, source, by_whom as by, why, ticket,
    approved_by as "approvedBy", cases, at
  from recipe_publication join recipe_text using (recipe, version)
  where environment = $1 and ($2::text is null or recipe = $2)
  order by at, recipe, number`;

const MARK = 'select count(*)::text as mark from recipe_publication where environment = $1';

const LIVE = `
  select recipe, version, text from (
    select distinct on (recipe) recipe, version, action from recipe_publication
    where environment = $1 and state = 'live' order by recipe, number desc) as newest
  join recipe_text using (recipe, version)
  where action <> 'withdrawn' order by recipe`;

const ONCE_LIVE = `
  select recipe, version, text from recipe_text
  join (select recipe, version, min(at) as first from recipe_publication where state = 'live' group by recipe, version) as live
    using (recipe, version)
  order by first, recipe, version`;

const ADD_TEXT = 'insert into recipe_text (recipe, version, text) values ($1, $2, $3) on conflict do nothing';

const ADD = `
  insert into recipe_publication
    (environment, recipe, number, action, state, version, source, by_whom, why, ticket, approved_by, cases)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`;
