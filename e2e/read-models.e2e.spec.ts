import { Hub } from './testing/hub';
import { Lead, settled } from './testing/lead';
import { until } from './testing/until';

let hub: Hub;
beforeAll(async () => {
  hub = await Hub.start();
});
afterAll(() => hub?.stop());

interface Listed {
  records: { subject: string; renderStatus: string; videoId: string; leadScore: string; writeStatus: string }[];
}
interface State {
  live: { position: string };
  last: string;
}
interface Rebuilt {
  live: { events: number; askedBy: string };
  next?: object;
}

const of = (lead: Lead, { records }: Listed) => records.find(({ subject }) => subject === `contact:${lead.id}`);

it('shows operators where a record stands, and is made again without an effect', async () => {
  const lead = await Lead.make(hub);
  await hub.post(`[${lead.change()}]`);
  const { heygen_job_id: videoId } = await lead.done();
  await settled(hub);
  await until('the read model has every event', async () => {
    const [state] = (await hub.refrain<{ readModels: State[] }>('rebuild', '--ls')).readModels;
    return state !== undefined && state.live.position === state.last;
  });
  const listed = of(lead, await hub.refrain<Listed>('records', 'ls', '--status', 'COMPLETED'));
  expect(listed).toMatchObject({ renderStatus: 'COMPLETED', videoId, leadScore: '59', writeStatus: 'COMPLETED' });
  expect(of(lead, await hub.refrain<Listed>('records', 'ls', '--status', 'FAILED'))).toBeUndefined();

  const before = { outcome: await lead.outcome(), records: hub.records.length };
  const first = await hub.refrain<Rebuilt>('rebuild', 'records', '--by', 'first');
  expect(first).toMatchObject({ live: { askedBy: 'first' } });
  expect(of(lead, await hub.refrain<Listed>('records', 'ls'))).toEqual(listed);

  // Without the service, the command does it itself.
  await hub.child('crm-writer').stop();
  const second = await hub.refrain<Rebuilt>('rebuild', 'records', '--by', 'second');
  expect(second).toEqual({ ...first, live: expect.objectContaining({ askedBy: 'second', events: first.live.events }) });
  expect(of(lead, await hub.refrain<Listed>('records', 'ls'))).toEqual(listed);
  expect({ outcome: await lead.outcome(), records: hub.records.length }).toEqual(before);

  await expect(hub.refrain('rebuild', 'recrods')).rejects.toThrow(/there is no read model recrods; there is records/);
});
