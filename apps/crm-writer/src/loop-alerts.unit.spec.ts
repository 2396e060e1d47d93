import type { IncomingRecord } from '#libs/log';
import { readMetrics } from '#libs/platform';
import { LoopAlerts } from './loop-alerts';

const record = (type: string, data: object): IncomingRecord => ({
  topic: 'render.events.v1',
  partition: 0,
  offset: '0',
  timestamp: 0,
  key: 'default:contact:7',
  value: Buffer.from(JSON.stringify(data)),
  headers: {},
  envelope: {
    id: 'e1',
    source: '/render-service',
    type,
    subject: 'contact:7',
    time: '2026-11-21T10:00:00.000Z',
    tenant: 'default',
    correlationid: 'c',
  },
});

it('tells of each loop that was cut, after it was handled, in a line and a count', async () => {
  const lines: [object, string][] = [];
  const alerts = new LoopAlerts({ warn: (...line: unknown[]) => lines.push(line as [object, string]) } as never);
  const handled: number[] = [];
  const handle = alerts.over((records) => {
    expect(lines).toEqual([]);
    handled.push(records.length);
    return Promise.resolve();
  });
  const cut = record('refrain.render-loop.cut.v1', { recipe: 'greeted', at: '2026-11-21T10:00:00.000Z' });
  await handle([record('refrain.render.requested.v1', {}), cut]);
  expect(handled).toEqual([2]);
  expect(lines).toEqual([
    [
      { by: 'render-service', recipe: 'greeted', tenant: 'default', subject: 'contact:7' },
      'machines answered each other: the loop is cut',
    ],
  ]);
  expect(await readMetrics()).toContain('refrain_loops_cut_total{service="render-service",recipe="greeted"} 1');
});

it.each(['no JSON', '7', '{"recipe":7}'])('holds nothing up for %s, which the handler has set aside', async (value) => {
  const lines: unknown[] = [];
  const alerts = new LoopAlerts({ warn: (...line: unknown[]) => lines.push(line) } as never);
  const handle = alerts.over(() => Promise.resolve());
  const poison = { ...record('refrain.render-loop.cut.v1', {}), value: Buffer.from(value) };
  await expect(handle([poison, record('refrain.render-loop.cut.v1', { recipe: 'greeted' })])).resolves.toBeUndefined();
  expect(lines).toHaveLength(1);
});
