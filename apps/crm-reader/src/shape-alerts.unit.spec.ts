import type { IncomingRecord } from '#libs/log';
import { readMetrics } from '#libs/platform';
import { ShapeAlerts } from './shape-alerts';

const changes = [
  { name: 'property seats', to: 'number (number)' },
  { name: 'property size', from: 'number (number)' },
];
const record = (value: object): IncomingRecord => ({
  topic: 'sweep.events.v1',
  partition: 0,
  offset: '0',
  timestamp: 0,
  key: 'acme:shape:deal',
  value: Buffer.from(JSON.stringify(value)),
  headers: {},
  envelope: {
    id: 'shape-acme:shape:deal@3',
    source: '/crm-reader',
    type: 'refrain.portal-shape.changed.v1',
    subject: 'shape:deal',
    time: '2026-11-22T10:00:00.000Z',
    tenant: 'acme',
    correlationid: 'c',
  },
});

it('tells of what became other in a portal in one line, and counts each change', async () => {
  const lines: unknown[] = [];
  const alerts = new ShapeAlerts({ warn: (...line: unknown[]) => lines.push(line) } as never);
  const handle = alerts.over(() => Promise.resolve());
  await handle([record({ part: 'deal', changes }), record({ part: 'deal' })]);
  expect(lines).toEqual([
    [{ tenant: 'acme', part: 'deal', changes }, 'the portal is other than it was: see refrain drift'],
  ]);
  expect(await readMetrics()).toContain('refrain_portal_changes_total{tenant="acme",part="deal"} 2');
});
