import type { TimelineForm } from '#libs/contracts';
import { type Recipe, stepsOf } from './recipe';
import { recipesOf, upserts } from './uses';

/** A scope that a token must have, and what for: ids of recipes, or a command. */
export interface ScopeNeed {
  scope: string;
  for: string[];
  /** Only to prepare and check the account: what runs does without it. */
  setup: boolean;
}

/** A kind of webhook that must come: what happens to records of a type, a change of one property where one is named. */
export interface SubscriptionNeed {
  object: string;
  change: string;
  property?: string;
  for: string[];
  /** Nothing is set off by it: it tells what became of records that recipes are about. */
  fate: boolean;
}

/** What a HubSpot app must ask for, so that recipes can run. */
export interface Needs {
  scopes: ScopeNeed[];
  subscriptions: SubscriptionNeed[];
}

/**
 * What a tenant's recipes need of its HubSpot app, where its account has timelines written in that form: no scope and no
 * webhook more. Pure; sorted, whatever their order.
 */
export function needsOf(recipes: readonly Recipe[], tenant: string, timeline: TimelineForm = 'notes'): Needs {
  const own = recipesOf(recipes, tenant);
  return { scopes: scopesOf(own, timeline), subscriptions: subscriptionsOf(own) };
}

function scopesOf(recipes: readonly Recipe[], timeline: TimelineForm): ScopeNeed[] {
  const found = new Map<string, ScopeNeed>();
  const add = (scope: string, reason: string, setup: boolean) => {
    const known = found.get(scope) ?? { scope, for: [], setup };
    const reasons = known.for.includes(reason) ? known.for : [...known.for, reason].sort();
    found.set(scope, { scope, for: reasons, setup: known.setup && setup });
  };
  for (const recipe of recipes) {
    for (const scope of runScopes(recipe, timeline)) add(scope, recipe.id, false);
    for (const object of objectsOf(recipe)) add(schemaScope(object, 'read'), 'refrain doctor', true);
  }
  if (recipes.length > 0) {
    for (const way of ['read', 'write'] as const) add(schemaScope('contact', way), 'refrain init hubspot', true);
  }
  return [...found.values()].sort((a, b) => compare(a.scope, b.scope));
}

function runScopes(recipe: Recipe, timeline: TimelineForm): string[] {
  const { object } = recipe.trigger;
  const writes = stepsOf(recipe, 'write');
  const saysOfRecord =
    stepsOf(recipe, 'video').length > 0 ||
    writes.some(({ properties, stage }) => Object.keys(properties).length > 0 || stage !== undefined);
  const actions = writes.flatMap((step) => step.actions);
  return [
    objectScope(object, 'read'),
    ...(saysOfRecord ? [objectScope(object, 'write')] : []),
    ...stepsOf(recipe, 'ask').flatMap(({ notes, context }) => [
      ...(notes > 0 ? [objectScope('note', 'read')] : []),
      ...Object.keys(context.most).flatMap((kind) => contextScopes[kind] ?? [objectScope('call', 'read')]),
    ]),
    ...actions.flatMap(({ kind }) => actionScopes[kind === 'event' && timeline === 'notes' ? 'note' : kind]),
    ...upserts(actions).flatMap((upsert) => [
      objectScope(upsert.object, 'read'),
      objectScope(upsert.object, 'write'),
      ...upsert.associate.flatMap((other) => [objectScope(other.object, 'read'), objectScope(other.object, 'write')]),
    ]),
  ];
}

/** The types of records that a recipe reads, writes or finds. */
const objectsOf = (recipe: Recipe): string[] => [
  recipe.trigger.object,
  ...stepsOf(recipe, 'write').flatMap(({ actions }) =>
    upserts(actions).flatMap(({ object, associate }) => [object, ...associate.map((other) => other.object)]),
  ),
];

const named: Readonly<Record<string, string>> = { contact: 'contacts', company: 'companies', deal: 'deals' };

// Activities are guarded by the scopes of contacts, tickets by one scope for all that is done with them.
const scopedAs = (object: string): string => named[object] ?? (object.startsWith('2-') ? 'custom' : 'contacts');

const objectScope = (object: string, way: 'read' | 'write'): string =>
  object === 'ticket' ? 'tickets' : `crm.objects.${scopedAs(object)}.${way}`;

const schemaScope = (object: string, way: 'read' | 'write'): string =>
  object === 'ticket' ? 'tickets' : `crm.schemas.${scopedAs(object)}.${way}`;

/** What is needed to read kinds of context; of all others, what calls need. */
const contextScopes: Readonly<Record<string, readonly string[]>> = {
  emails: [objectScope('email', 'read'), 'sales-email-read'],
  tickets: [objectScope('ticket', 'read')],
};

/** What is needed beside the record's own scopes. */
const actionScopes = {
  task: [objectScope('task', 'read'), objectScope('task', 'write')],
  note: [objectScope('note', 'read'), objectScope('note', 'write')],
  list: ['crm.lists.write'],
  consent: ['communication_preferences.read', 'communication_preferences.read_write'],
  sequence: ['automation.sequences.read', 'automation.sequences.enrollments.write'],
  event: ['timeline'],
  upsert: [],
} as const;

// Of these HubSpot tells what becomes of them; activities are only deleted and restored.
const merged = (object: string): boolean => object in named || object === 'ticket' || object.startsWith('2-');

/** What webhooks recipes wait for, whichever tenant they are for. Pure; sorted, whatever their order. */
export function subscriptionsOf(recipes: readonly Recipe[]): SubscriptionNeed[] {
  const found = new Map<string, SubscriptionNeed>();
  const add = (need: Omit<SubscriptionNeed, 'for'>, recipe: string) => {
    const key = [need.object, need.change, need.property].join(' ');
    const known = found.get(key) ?? { ...need, for: [] };
    const reasons = known.for.includes(recipe) ? known.for : [...known.for, recipe].sort();
    found.set(key, { ...known, for: reasons, fate: known.fate && need.fate });
  };
  for (const { id, trigger } of recipes) {
    const { object, on = [], properties = [], source, due } = trigger;
    if (due) add({ object, change: PROPERTY_CHANGE, property: due.date, fate: false }, id);
    else if (source === undefined) {
      for (const change of on) {
        if (change !== PROPERTY_CHANGE) add({ object, change, fate: false }, id);
        else for (const property of properties) add({ object, change, property, fate: false }, id);
      }
    }
    for (const change of fatesOf(object)) add({ object, change, fate: true }, id);
  }
  return [...found.values()].sort((a, b) => compare(keyOf(a), keyOf(b)));
}

const PROPERTY_CHANGE = 'propertyChange';

const fatesOf = (object: string): string[] => [
  'deletion',
  'restore',
  ...(merged(object) ? ['merge'] : []),
  ...(object === 'contact' ? ['privacyDeletion'] : []),
];

const keyOf = ({ object, change, property = '' }: SubscriptionNeed): string => `${object} ${change} ${property}`;

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
