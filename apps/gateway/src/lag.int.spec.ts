import { Topic, topics, type ServiceName } from '#libs/contracts';
import { LagReader, LogConsumer, LogUnavailable } from '#libs/log';
import { startApp, type RunningApp } from '#libs/platform';
import { createTopics, testConnection } from '../../../libs/log/src/testing/log-fixture';
import { appModule } from './app.module';
import { gatewayConfig } from './gateway.config';
import { heygenSignature, hubspotHeaders, testSettings } from './testing/signed';

const connection = testConnection('lag');
const start = (over: Record<string, string> = {}) => {
  const settings = { KAFKA_BROKERS: connection.brokers.join(','), TOPIC_PREFIX: connection.topicPrefix };
  return startApp(
    { name: 'gateway', config: gatewayConfig, module: appModule },
    { ...testSettings, ...settings, LAG_LIMIT: '20', ...over },
  );
};

const apps: RunningApp[] = [];
beforeAll(() => createTopics(connection, topics));
afterAll(() => Promise.all(apps.map((app) => app.close())));

let last = 0;
async function postEvents(url: string, count: number): Promise<Response> {
  const events = Array.from(
    { length: count },
    () =>
      `{"eventId":${++last},"portalId":33,"occurredAt":1762387200123,"subscriptionType":"contact.creation","objectId":${last}}`,
  );
  const body = `[${events.join(',')}]`;
  return fetch(`${url}/webhooks/hubspot`, { method: 'POST', body, headers: hubspotHeaders(body) });
}

const postCallback = (url: string): Promise<Response> => {
  const body = `{"event_type":"avatar_video.fail","event_data":{"video_id":"v${++last}"}}`;
  return fetch(`${url}/webhooks/heygen`, { method: 'POST', body, headers: { signature: heygenSignature(body) } });
};

it('answers 429 while a group stands still too far behind, but not to HeyGen, and accepts when it has caught up', async () => {
  const group: ServiceName = 'crm-writer';
  const held = Promise.withResolvers<void>();
  let gate = Promise.resolve();
  let handled = 0;
  const consumer = new LogConsumer(
    connection,
    { groupId: group, chunkRecords: 1 },
    new Map([[Topic.ingressHubspot, async (records) => gate.then(() => void (handled += records.length))]]),
  );
  consumer.start();
  const reader = new LagReader(connection, [group], [Topic.ingressHubspot, Topic.ingressHeygen]);
  try {
    const gateway = await start();
    apps.push(gateway);
    expect((await postEvents(gateway.url, 10)).status).toBe(200);
    while (handled < 10 || (await reader.read()) > 0) await new Promise(setImmediate);

    gate = held.promise;
    let sent = 0;
    let answer = await postEvents(gateway.url, 10);
    for (; answer.status === 200 && sent < 5_000; sent += 10) answer = await postEvents(gateway.url, 10);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '30']);
    expect(await answer.json()).toMatchObject({ code: 'too-many-requests' });
    expect(await reader.read()).toBeGreaterThan(20);
    expect((await postCallback(gateway.url)).status).toBe(200);
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200);

    held.resolve();
    while ((await postEvents(gateway.url, 1)).status !== 200) await new Promise(setImmediate);
    expect(await reader.read()).toBeLessThan(sent + 40);
  } finally {
    held.resolve();
    await consumer.close();
    await reader.close();
  }
});

it('never answers 429 where the lag is not known', async () => {
  const gateway = await start({ KAFKA_BROKERS: '127.0.0.1:1', LAG_LIMIT: '1' });
  apps.push(gateway);
  expect((await postEvents(gateway.url, 1)).status).toBe(503);
  const reader = new LagReader({ ...connection, brokers: ['127.0.0.1:1'] }, ['crm-writer'], [Topic.ingressHubspot]);
  await expect(reader.read()).rejects.toThrow(LogUnavailable);
});

it('counts nothing of a group that never committed', async () => {
  const reader = new LagReader(connection, ['nobody'], [Topic.ingressHubspot]);
  expect(await reader.read()).toBe(0);
  await reader.close();
});
