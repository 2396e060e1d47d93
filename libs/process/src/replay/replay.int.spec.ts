import { moveReplay, replayItems, requestReplay } from '#libs/event-store';
import { until } from '../../../event-store/src/testing/until';
import { GREETER_TOPIC } from '../testing/greeter';
import { Replaying } from '../testing/replaying';
import type { ItemPlan } from './simulation';

const names = ['Ada', 'Bob', 'Charlie', 'Dorothy', 'Eve', 'Frances'];
const shortNames = names.filter((name) => name.length < 4);

let hub: Replaying;

beforeEach(async () => {
  hub = await Replaying.create();
  await hub.publish(...names.map((who, i) => ({ about: `contact:${String(i)}`, id: `wish-${who}`, who })));
});
afterEach(async () => {
  await hub.drop();
  expect(hub.errors).toEqual([]);
});

const verdicts = (plans: ItemPlan[]) =>
  plans.flatMap((p) => p.effects.map((e) => `${e.kind.slice(8)} ${e.verdict}`)).sort();

it('plans what a fix would do, performs nothing, and then does exactly that', async () => {
  await hub.liveYesterday({ refusesShortNames: true });
  hub.start({});
  const before = await hub.world();
  const { id, items, plans } = await hub.plan();
  expect(await hub.world()).toEqual(before);
  expect(items).toHaveLength(names.length);
  expect(plans.map((p) => p.then)).toEqual(names.map(() => 'same'));
  expect(verdicts(plans)).toEqual([
    ...names.map(() => 'look skipped'),
    ...shortNames.map(() => 'send new'),
    ...names.filter((name) => name.length > 3).map(() => 'send skipped'),
  ]);
  expect(plans.flatMap((p) => p.effects.map((e) => e.cost?.credits ?? 0)).reduce((a, b) => a + b)).toBe(3);
  expect(plans.some((p) => p.assumed)).toBe(false);

  const applied = await hub.apply(id);
  expect(applied.map((item) => item.state)).toEqual(names.map(() => 'applied'));
  expect([...hub.calls].sort()).toEqual(shortNames.map((name) => `send Hi ${name}`));
  expect(await moveReplay(hub.db.pool, id, ['planned'], 'applying')).toBe(false);
  const again = await hub.plan();
  expect(new Set(verdicts(again.plans))).toEqual(new Set(['look skipped', 'send skipped']));
});

it('shows what would be changed, and changes it only when asked to', async () => {
  await hub.liveYesterday({});
  hub.start({ polite: true });
  const { id, plans } = await hub.plan();
  expect(verdicts(plans)).toEqual([...names.map(() => 'look skipped'), ...names.map(() => 'send changed')]);
  await hub.apply(id);
  expect(hub.calls).toEqual([]);
  const second = await hub.plan();
  await hub.apply(second.id, true);
  expect([...hub.calls].sort()).toEqual(names.map((name) => `send Dear ${name}`));
});

it('selects by subject, expression and offsets; an expression that does not parse fails the plan', async () => {
  await hub.liveYesterday({});
  hub.start({});
  expect((await hub.plan({ subject: 'contact:2' })).items.map((item) => item.subject)).toEqual(['default:contact:2']);
  expect((await hub.plan({ filter: `value.who == 'Eve' && tenant == 'default'` })).items).toHaveLength(1);
  expect((await hub.plan({ filter: `value.nobody == 'Eve'` })).items).toEqual([]);
  expect((await hub.plan({ tenant: 'other' })).items).toEqual([]);
  expect((await hub.plan({ from: new Date(Date.now() + 60_000).toISOString() })).items).toEqual([]);
  const id = await requestReplay(hub.db.pool, {
    service: 'greeter',
    topic: GREETER_TOPIC,
    selection: { filter: 'value.who ==' },
    by: 'test',
  });
  await expect(hub.until(id, 'planned')).rejects.toThrow();
});

it('knows no then for records that were never decided, and says where it guesses', async () => {
  hub.start({});
  const { plans } = await hub.plan();
  expect(plans.map((p) => p.then)).toEqual(names.map(() => 'no then'));
  expect(plans.map((p) => p.assumed)).toEqual(names.map(() => 'greeter.look'));
  expect(verdicts(plans)).toEqual(names.map(() => 'look new'));
});

it('a bulk replay killed half way does exactly the planned set', async () => {
  await hub.liveYesterday({ refusesShortNames: true });
  hub.start({});
  const { id } = await hub.plan();
  await moveReplay(hub.db.pool, id, ['planned'], 'applying');
  await until(async () => (await replayItems(hub.db.pool, id, { state: 'applied', limit: 100 })).length >= 2);
  await hub.stopAll();
  hub.start({});
  await hub.until(id, 'done');
  await hub.untilSettled();
  expect([...hub.calls].sort()).toEqual(shortNames.map((name) => `send Hi ${name}`));
});

it('holds an item that would now do something else than the operator saw', async () => {
  await hub.liveYesterday({ refusesShortNames: true });
  hub.start({});
  const [first, second] = [await hub.plan(), await hub.plan()];
  await hub.apply(first.id);
  const items = await hub.apply(second.id);
  expect(
    items.filter((item) => item.state === 'held').map((item) => (item.plan as ItemPlan).effects[1]?.verdict),
  ).toEqual(shortNames.map(() => 'new'));
  expect([...hub.calls].sort()).toEqual(shortNames.map((name) => `send Hi ${name}`));
});
