import { requestReplay } from '#libs/event-store';
import { eraseSubject } from '../erasure';
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

const wish = (who: string, about: string) => ({ about, id: `wish-${about}`, who });
const erase = () => eraseSubject(hub.db.pool, { tenant: 'default', subject: 'contact:1', by: 'test', dryRun: false });
const verdicts = ({ effects }: { effects: { kind: string; verdict: string }[] }) =>
  effects.map(({ kind, verdict }) => `${kind} ${verdict}`);

/** All that the plans' own tables hold. */
async function kept(): Promise<string> {
  const texts = await Promise.all(
    ['replay_item', 'replay_answer', 'replay_stream'].map(async (table) => {
      const { rows } = await hub.db.pool.query<{ row: string }>(`select t::text as row from ${table} t`);
      return rows.map(({ row }) => row);
    }),
  );
  return texts.flat().join('\n');
}

it('holds what a plan would have done about an erased subject, and empties the plan of it', async () => {
  await hub.publish(wish('Adelheid', 'contact:1'), wish('Bertha', 'contact:2'));
  hub.start({});
  const { id } = await hub.plan({}, { reads: true });
  const said = (name: string) => Buffer.from(JSON.stringify({ who: name })).toString('base64');
  expect(await kept()).toContain(said('Adelheid'));
  expect((await erase())['greeter']).toMatchObject({ planned: 2 });
  expect(await kept()).not.toMatch('Adelheid');
  expect(await kept()).not.toMatch(said('Adelheid'));
  expect(await kept()).toMatch(said('Bertha'));
  const items = await hub.apply(id);
  expect(items.map(({ state, reason }) => [state, reason]).sort()).toEqual([
    ['applied', undefined],
    ['held', 'its subject was erased'],
  ]);
  expect(hub.calls.filter((call) => call.startsWith('send'))).toEqual(['send Hi Bertha']);
});

it('refuses, in a later plan, the effects that were erased', async () => {
  await hub.publish(wish('Adelheid', 'contact:1'));
  await hub.liveYesterday({});
  await erase();
  hub.start({ polite: true });
  const { id, plans } = await hub.plan();
  expect(plans.map(verdicts)).toEqual([['greeter.look refused']]);
  await hub.apply(id, true);
  expect(hub.calls).toEqual([]);
});

it('does not stop a plan that is being made', async () => {
  await hub.publish(wish('Adelheid', 'contact:1'), wish('Bertha', 'contact:2'));
  const asked = { service: 'greeter', topic: GREETER_TOPIC, selection: {}, by: 'test' };
  const id = await requestReplay(hub.db.pool, asked);
  hub.start({});
  await Promise.all([erase(), hub.until(id, 'planned')]);
  await erase();
  expect(await kept()).not.toMatch('Adelheid');
});
