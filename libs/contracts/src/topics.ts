const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A topic as it must exist on the broker. Retention is in milliseconds. */
export interface TopicSpec {
  name: string;
  partitions: number;
  retentionMs: number;
  says: string;
}

const topic = (name: string, says: string, partitions = 6, retentionMs = 7 * DAY): TopicSpec => ({
  name,
  partitions,
  retentionMs,
  says,
});

/** The services that consume; each has a dead letter topic `<service>.dlq`. */
export const services = ['render-service', 'enrichment-service', 'crm-writer', 'crm-reader'] as const;

/** Name of a service: consumer group, owner of streams and effects, prefix of its dead letter topic. */
export type ServiceName = (typeof services)[number];

/** The dead letter topic of a service. */
export const deadLetterTopic = (service: string): string => `${service}.dlq`;

export const Topic = {
  ingressHubspot: 'ingress.hubspot.v1',
  ingressHeygen: 'ingress.heygen.v1',
  ingressGeneric: 'ingress.generic.v1',
  quarantine: 'ingress.quarantine',
  render: 'render.events.v1',
  enrichment: 'enrichment.events.v1',
  crm: 'crm.events.v1',
  sweep: 'sweep.events.v1',
  recipes: 'recipes.events.v1',
  budget: 'budget.events.v1',
  call: 'call.events.v1',
} as const;

/** Every topic of the hub: the one place where partitions and retention are declared. None is compacted (protocol 20). */
export const topics: readonly TopicSpec[] = [
  topic(
    Topic.ingressHubspot,
    'HubSpot changes, verified, as the exact bytes that HubSpot sent, and what people asked for at the app card',
  ),
  topic(Topic.ingressHeygen, 'HeyGen callbacks, verified, as the exact bytes that HeyGen sent', 3),
  topic(Topic.ingressGeneric, 'What declared endpoints received, verified, as the exact bytes that were sent'),
  topic(Topic.quarantine, 'Authentic input that has not the shape of its kind, with the reason', 1, 30 * DAY),
  topic(Topic.render, 'What render-service decided'),
  topic(Topic.enrichment, 'What enrichment-service decided'),
  topic(Topic.crm, 'What crm-writer decided'),
  topic(Topic.sweep, 'What crm-reader found in the CRM, and up to when it is complete'),
  topic(Topic.recipes, 'What was published, rolled back and withdrawn of the recipes', 1, 30 * DAY),
  topic(Topic.budget, 'Which budgets of spend are exhausted', 1, 30 * DAY),
  topic(Topic.call, 'Who looked at what was asked and answered in calls', 1, 365 * DAY),
  ...services.map((service) =>
    topic(deadLetterTopic(service), `What ${service} could not read or handle`, 1, 30 * DAY),
  ),
];
