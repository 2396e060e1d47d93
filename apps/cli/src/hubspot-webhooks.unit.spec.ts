import type { SubscriptionNeed } from '#libs/recipes';
import type { AppSubscription } from '#libs/vendors/hubspot';
import { MOST_SUBSCRIPTIONS, tooMany, webhookPlan, type WebhookWishes } from './hubspot-webhooks';

const targetUrl = 'https://hub.example.com/webhooks/hubspot';
const need = (object: string, change: string, property?: string, fate = false): SubscriptionNeed => ({
  ...{ object, change, for: ['r'], fate },
  ...(property === undefined ? {} : { property }),
});
const there = (id: string, eventType: string, over: Partial<AppSubscription> = {}): AppSubscription => ({
  ...{ id, eventType, active: true },
  ...over,
});
const planOf = (
  subscriptions: AppSubscription[],
  needs: SubscriptionNeed[],
  wishes: Partial<WebhookWishes> = {},
  app: { targetUrl?: string; maxConcurrentRequests?: number } = { targetUrl, maxConcurrentRequests: 10 },
) => webhookPlan({ ...app, subscriptions }, { needs, targetUrl, pauseUnneeded: false, ...wishes });

const nothing = { changes: [], unneeded: [], impossible: [] };

it('changes nothing where all is there, in whichever form, and active', () => {
  const needs = [
    need('contact', 'propertyChange', 'email'),
    need('deal', 'merge', undefined, true),
    need('call', 'creation'),
  ];
  const classic = [
    there('1', 'contact.propertyChange', { propertyName: 'email' }),
    there('2', 'deal.merge'),
    there('3', 'object.creation', { objectTypeId: '0-48' }),
  ];
  const generic = [
    there('1', 'object.propertyChange', { objectTypeId: '0-1', propertyName: 'email' }),
    there('2', 'object.merge', { objectTypeId: '0-3' }),
    there('3', 'object.creation', { objectTypeId: '0-48' }),
  ];
  expect(planOf(classic, needs)).toEqual(nothing);
  expect(planOf(generic, needs)).toEqual(nothing);
});

it('subscribes to what lacks, in the form for any type of record only where there is no other', () => {
  const needs = [
    need('contact', 'propertyChange', 'email'),
    need('contact', 'privacyDeletion'),
    need('call', 'creation'),
    need('2-123', 'propertyChange', 'p'),
  ];
  const { changes } = planOf([], needs);
  expect(changes.map((one) => one.change === 'subscribe' && [one.event, one.for, one.subscription])).toEqual([
    ['contact.propertyChange.email', ['r'], { eventType: 'contact.propertyChange', propertyName: 'email' }],
    ['contact.privacyDeletion', ['r'], { eventType: 'contact.privacyDeletion' }],
    ['call.creation', ['r'], { eventType: 'object.creation', objectTypeId: '0-48' }],
    ['2-123.propertyChange.p', ['r'], { eventType: 'object.propertyChange', objectTypeId: '2-123', propertyName: 'p' }],
  ]);
});

it('activates what is paused, once, rather than to make it anew; one that tells of more stays paused', () => {
  const paused = { active: false };
  const present = [
    there('1', 'contact.propertyChange', paused),
    there('2', 'object.propertyChange', { ...paused, objectTypeId: '0-1', propertyName: 'email' }),
    there('3', 'contact.propertyChange', { ...paused, propertyName: 'email' }),
  ];
  expect(planOf(present, [need('contact', 'propertyChange', 'email')])).toEqual({
    ...nothing,
    changes: [{ change: 'activate', event: 'contact.propertyChange.email', for: ['r'], id: '2' }],
  });
});

it('shows what nobody needs, and pauses it only where it is told to; what is paused already is none of it', () => {
  const present = [
    there('1', 'contact.creation'),
    there('2', 'deal.propertyChange', { propertyName: 'amount' }),
    there('3', 'ticket.creation', { active: false }),
  ];
  const needs = [need('contact', 'creation')];
  expect(planOf(present, needs)).toEqual({ ...nothing, unneeded: ['deal.propertyChange.amount'] });
  expect(planOf(present, needs, { pauseUnneeded: true }).changes).toEqual([
    { change: 'pause', event: 'deal.propertyChange.amount', for: [], id: '2' },
  ]);
});

it('sets the target first, and how many requests may come at once only where that is said or not set yet', () => {
  const needs = [need('contact', 'creation')];
  const target = (app: { targetUrl?: string; maxConcurrentRequests?: number }, most?: number) =>
    planOf([], needs, most === undefined ? {} : { maxConcurrentRequests: most }, app).changes[0];
  const set = (maxConcurrentRequests: number, was?: string) => ({
    change: 'target',
    target: { targetUrl, maxConcurrentRequests },
    ...(was === undefined ? {} : { was }),
  });
  expect(target({})).toEqual(set(10));
  expect(target({ targetUrl: 'https://old.example.com', maxConcurrentRequests: 20 })).toEqual(
    set(20, 'https://old.example.com'),
  );
  expect(target({ targetUrl, maxConcurrentRequests: 20 }, 30)).toEqual(set(30));
  expect(target({ targetUrl, maxConcurrentRequests: 20 })).toMatchObject({ change: 'subscribe' });
  expect(target({ targetUrl })).toMatchObject({ change: 'subscribe' });
});

it('says what nobody can subscribe to: a change of any property, a type without a known id', () => {
  const { changes, impossible } = planOf([], [need('contact', 'propertyChange'), need('invoice', 'creation')]);
  expect(changes).toEqual([]);
  expect(impossible.map(({ event, why }) => [event, why])).toEqual([
    ['contact.propertyChange', expect.stringContaining('name it in the trigger')],
    ['invoice.creation', expect.stringContaining("HubSpot's id of invoice records")],
  ]);
});

it('counts paused ones too against what HubSpot allows', () => {
  const many = Array.from({ length: MOST_SUBSCRIPTIONS }, (_, n) =>
    there(String(n), 'deal.merge', { active: n === 0 }),
  );
  const of = (subscriptions: AppSubscription[], needs: SubscriptionNeed[]) =>
    tooMany({ subscriptions }, planOf(subscriptions, needs));
  expect(of(many, [need('deal', 'merge')])).toBeUndefined();
  expect(of(many.slice(1), [need('contact', 'creation')])).toBeUndefined();
  expect(of(many, [need('contact', 'creation')])).toContain('1001 subscriptions, and HubSpot allows 1000');
});
