import { moveReplay, replayOf, requestReplay } from '#libs/event-store';
import { GREETER_TOPIC } from '../testing/greeter';
import { Replaying } from '../testing/replaying';

let hub: Replaying;
beforeEach(async () => {
  hub = await Replaying.create();
});
afterEach(async () => {
  await hub.drop();
  expect(hub.errors).toEqual([]);
});

const wishes = ['Ada', 'Bo', 'Charlie'].map((who, i) => ({
  about: `contact:${String(i)}`,
  id: `wish-${String(i)}`,
  who,
}));

/** A plan as the greeter would be with other code. */
async function preview(declared: unknown) {
  const asked = { service: 'greeter', topic: GREETER_TOPIC, selection: {}, by: 'test', declared };
  return requestReplay(hub.db.pool, asked);
}

it('plans as the service would be by other declarations, does nothing, and is never applied', async () => {
  await hub.publish(...wishes);
  await hub.liveYesterday({});
  hub.start({});
  const before = await hub.world();
  const { plans: today } = await hub.plan();
  const id = await preview({ polite: true });
  const { plans } = await hub.planned(id);
  const letters = (all: typeof plans) =>
    all.flatMap(({ effects }) => effects.flatMap(({ kind, verdict }) => (kind === 'greeter.send' ? [verdict] : [])));
  expect(letters(today)).toEqual(['skipped', 'skipped', 'skipped']);
  expect(letters(plans)).toEqual(['changed', 'changed', 'changed']);
  expect(await hub.world()).toEqual(before);
  expect(await moveReplay(hub.db.pool, id, ['planned'], 'applying')).toBe(false);
  expect((await replayOf(hub.db.pool, id))?.state).toBe('planned');
});

it('fails with the reason where what is declared is of no use', async () => {
  await hub.publish(...wishes);
  hub.start({});
  const id = await preview('nonsense');
  await expect(hub.until(id, 'planned')).rejects.toThrow('no code of the greeter');
});
