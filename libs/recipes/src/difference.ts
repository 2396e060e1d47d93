import type { ActionForm } from './action';
import type { AssignStep } from './assign';
import type { AskStep } from './ask';
import type { FetchStep } from './fetch';
import { type Recipe, stepOf, stepsOf } from './recipe';
import { plain, type Text } from './text';
import { textsOfVideo } from './video';
import type { WriteStep } from './write';

/** One thing that a change of a recipe does to what leaves the hub or is written. */
export interface Difference {
  says: string;
  /** Whether it reaches further than before, or writes something else: a schema-affecting change. */
  widens: boolean;
}

/** What a recipe writes and to whom it tells what, each named once, with the type of what an answer gives. */
type Reach = Map<string, string>;

function reachOf(recipe: Recipe | undefined): Reach {
  const reach: Reach = new Map();
  if (!recipe) return reach;
  const { trigger, tenants } = recipe;
  const video = stepOf(recipe, 'video');
  const ask = stepOf(recipe, 'ask');
  for (const tenant of tenants?.map((name) => `tenant ${name}`) ?? [ALL]) reach.set(`is for ${tenant}`, '');
  const of = (property: string) => `${trigger.object}.${property}`;
  const reads = (properties: readonly string[], sent: ReadonlySet<string> = new Set()) => {
    for (const property of properties) if (!sent.has(property)) reach.set(`reads ${of(property)}`, '');
  };
  if (video) {
    reach.set(`writes the video's state and link to the ${trigger.object}`, '');
    // A property that is only required is read, but not sent.
    const sent = new Set(readsOf(textsOfVideo(video)));
    for (const property of sent) reach.set(`sends ${of(property)} to HeyGen`, '');
    reads(video.properties, sent);
  }
  if (ask) {
    const facts = readsOf(Object.values(ask.facts));
    for (const [says, as] of reachOfAsk(ask, trigger.object)) reach.set(says, as);
    for (const property of [...ask.properties, ...facts]) reach.set(`sends ${of(property)} to OpenAI`, '');
    reads(ask.reads, new Set([...ask.properties, ...facts]));
  }
  stepsOf(recipe, 'fetch').forEach((step) => {
    reads(step.reads, reachOfFetch(step, reach, of));
  });
  for (const step of stepsOf(recipe, 'write')) {
    for (const [says, as] of reachOfWrite(step, trigger.object, ask)) reach.set(says, as);
    reads(step.reads);
  }
  stepsOf(recipe, 'assign').forEach((step) => {
    reach.set(turnsOf(step), '');
    reads(step.reads);
  });
  return reach;
}

function reachOfAsk({ use, notes, context, answer }: AskStep, object: string): [string, string][] {
  const kinds = [...(notes > 0 ? ['notes'] : []), ...Object.keys(context.most)];
  const fields = Object.entries(answer.properties);
  return [
    ...(use === undefined ? [] : [[`${BY}${use}`, ''] as [string, string]]),
    ...kinds.map((kind): [string, string] => [`sends ${kind} of the ${object} to OpenAI`, '']),
    ...fields.map(([field, schema]): [string, string] => [`takes ${field} from the answer`, typeOf(schema)]),
  ];
}

type Reached = [says: string, as: string];

const reachOfWrite = ({ properties, actions }: WriteStep, object: string, ask: AskStep | undefined): Reached[] => [
  ...reachOfProperties(object, properties, ask),
  ...actions.flatMap((action) => reachOfAction(action, object, ask)),
];

const reachOfProperties = (object: string, properties: Record<string, Text>, ask: AskStep | undefined): Reached[] =>
  Object.entries(properties).map(([property, text]) => [`writes ${object}.${property}`, typeWritten(text, ask)]);

function reachOfAction(action: ActionForm, object: string, ask: AskStep | undefined): Reached[] {
  switch (action.kind) {
    case 'task':
      return [[`makes tasks for the ${object}`, '']];
    case 'note':
      return [[`makes notes at the ${object}`, '']];
    case 'list':
      return [[`${action.change === 'add' ? 'adds to' : 'removes from'} ${named('list', action.list)}`, '']];
    case 'consent': {
      const { subscription, status, basis = 'no basis' } = action;
      return [[`changes consent to ${named('subscription', subscription)} to ${status}, by ${basis}`, '']];
    }
    case 'sequence':
      return [[`enrols in ${named('sequence', action.sequence)} from ${named('address', action.sender)}`, '']];
    case 'upsert':
      return [
        ...reachOfProperties(action.object, action.properties, ask),
        ...action.associate.map(({ object, by }): Reached => [`ties ${action.object} to the ${object} of a ${by}`, '']),
      ];
    case 'event':
      return [[`tells the timeline of the ${object} of ${named('event', action.type)}`, '']];
  }
}

const named = (thing: string, { literal }: Text): string =>
  `${thing} ${literal === undefined ? 'that is computed' : plain(literal)}`;

function reachOfFetch({ system, path, at, query, take }: FetchStep, reach: Reach, of: (property: string) => string) {
  reach.set(`asks the system ${system} at ${at}`, '');
  const sent = new Set(readsOf([path, ...Object.values(query)]));
  for (const property of sent) reach.set(`sends ${of(property)} to the system ${system}`, '');
  for (const [field, { source }] of Object.entries(take)) {
    const says = `takes ${field} from ${system}`;
    reach.set(says, [reach.get(says) ?? [], source].flat().join(' and '));
  }
  return sent;
}
const turnsOf = ({ rota, among }: AssignStep): string => `takes turns in ${saidIn([rota])} among ${saidIn(among)}`;

/** What stands there, as far as it is known before. */
const saidIn = (texts: readonly Text[]): string =>
  texts.map(({ literal }) => (literal === undefined ? 'what an expression gives' : plain(literal))).join(', ');

const ALL = 'all tenants';
const BY = 'asks by ';

/** What reaches nobody new: something is read and told to nobody, or fewer tenants than all are left. */
const isNarrow = (says: string, was: Reach): boolean =>
  says.startsWith('reads ') || says.startsWith(BY) || (says.startsWith('is for tenant ') && was.has(`is for ${ALL}`));

const readsOf = (texts: readonly Text[]): string[] =>
  texts.flatMap(({ reads }) => (reads['record'] ?? []).flatMap(([property]) => property ?? []));

/** The type of what is written, as far as it is known before: that of the answer's field which stands there alone. */
function typeWritten({ literal, reads }: Text, ask: AskStep | undefined): string {
  if (literal !== undefined) return typeof literal;
  const fields = Object.values(reads).flat();
  const [[step, field = ''] = []] = fields;
  return ask && fields.length === 1 && step === ask.name ? typeOf(ask.answer.properties[field]) : '';
}

// Bounds and descriptions are no part of a type.
function typeOf(schema: unknown): string {
  if (typeof schema !== 'object' || schema === null) return JSON.stringify(schema) ?? '';
  const { type, format, enum: choices, items } = schema as Record<string, unknown>;
  return JSON.stringify(type === undefined ? schema : { type, format, enum: choices, items });
}

/**
 * What a change does to what leaves the hub and what is written; undefined stands for no recipe. Pure. A destination, a
 * property that a vendor is told, an answer's field or the type of one: new or other ones widen, fewer do not.
 */
export function differences(before: Recipe | undefined, after: Recipe | undefined): Difference[] {
  const was = reachOf(before);
  const is = reachOf(after);
  const added = [...is.keys()].filter((says) => !was.has(says));
  const removed = [...was.keys()].filter((says) => !is.has(says));
  const changed = [...is].filter(([says, type]) => (was.get(says) ?? type) !== type);
  return [
    ...added.map((says) => ({ says: `newly ${says}`, widens: !isNarrow(says, was) })),
    ...changed.map(([says, type]) => ({
      says: `${says} as ${type}, no longer as ${was.get(says) ?? ''}`,
      widens: true,
    })),
    ...removed.map((says) => ({ says: `no longer ${says}`, widens: false })),
  ];
}

/** Why a change is schema-affecting, in words; empty where it is not. */
export const schemaChanges = (before: Recipe | undefined, after: Recipe | undefined): string[] =>
  differences(before, after)
    .filter(({ widens }) => widens)
    .map(({ says }) => says);
