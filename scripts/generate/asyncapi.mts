import { envelopeSchema, type MessageSpec, type TopicSpec } from '#libs/contracts';
import { stringify } from 'yaml';
import { type JsonSchema, jsonSchemaOf } from './json-schema.mts';

export interface Hub {
  version: string;
  topics: readonly TopicSpec[];
  messages: readonly MessageSpec[];
}

/** The AsyncAPI 3.0 document of every topic: channels, messages with CloudEvents headers, schemas of values. */
export function asyncApi(hub: Hub): string {
  const document = {
    asyncapi: '3.0.0',
    info: {
      title: 'Refrain',
      version: hub.version,
      description:
        'What the hub received and what it decided, as CloudEvents 1.0 in Kafka binary mode. Delivered at least once, in ' +
        'order for each key. TOPIC_PREFIX, where it is set, stands before every address.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    channels: Object.fromEntries(hub.topics.map((topic) => [idOf(topic.name), channel(topic, hub.messages)])),
    operations: Object.fromEntries(hub.topics.map((topic) => [`send-${idOf(topic.name)}`, sending(topic)])),
    components: {
      schemas: { envelope: envelopeHeaders() },
      messages: Object.fromEntries(hub.messages.map((spec) => [spec.name, message(spec)])),
    },
  };
  const head = '# Written by `npm run generate` from the code. Change the code instead.\n';
  return head + stringify(document, { lineWidth: 120, aliasDuplicateObjects: false });
}

const idOf = (topic: string): string => topic.replaceAll('.', '-');

function channel(topic: TopicSpec, messages: readonly MessageSpec[]) {
  const names = messages.filter((spec) => spec.topic === topic.name).map((spec) => spec.name);
  return {
    address: topic.name,
    description: topic.says,
    messages: Object.fromEntries(names.map((name) => [name, { $ref: `#/components/messages/${name}` }])),
    bindings: {
      kafka: {
        topic: topic.name,
        partitions: topic.partitions,
        topicConfiguration: { 'cleanup.policy': ['delete'], 'retention.ms': topic.retentionMs },
        bindingVersion: '0.5.0',
      },
    },
  };
}

const sending = (topic: TopicSpec) => ({
  action: 'send',
  channel: { $ref: `#/channels/${idOf(topic.name)}` },
  summary: topic.says,
});

function message({ name, wire, says, data, headers }: MessageSpec) {
  const own = headers ? jsonSchemaOf(headers) : { properties: {}, required: [] };
  return {
    name: wire,
    title: name,
    summary: says,
    contentType: 'application/json',
    headers: {
      allOf: [
        { $ref: '#/components/schemas/envelope' },
        {
          type: 'object',
          required: ['ce_type', ...(own.required ?? [])],
          properties: { ce_type: { const: wire }, ...own.properties },
        },
      ],
    },
    payload: data ? jsonSchemaOf(data) : { description: 'The bytes as they came in; not always JSON.' },
    bindings: {
      kafka: {
        key: { type: 'string', description: '`<tenant>:<subject>`: the CRM record concerned' },
        bindingVersion: '0.5.0',
      },
    },
  };
}

/** The envelope's attributes as headers: `ce_*`, but `traceparent`, which W3C named. */
function envelopeHeaders(): JsonSchema {
  const { properties = {}, required = [] } = jsonSchemaOf(envelopeSchema);
  const headerOf = (attribute: string): string => (attribute === 'traceparent' ? attribute : `ce_${attribute}`);
  return {
    type: 'object',
    required: ['ce_specversion', 'content-type', ...required.map(headerOf)],
    properties: {
      ce_specversion: { const: '1.0' },
      'content-type': { const: 'application/json' },
      ...Object.fromEntries(Object.entries(properties).map(([name, schema]) => [headerOf(name), schema])),
    },
  };
}
