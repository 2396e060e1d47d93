import type { MessageSpec, TopicSpec } from '#libs/contracts';
import { code, page, table } from './markdown.mts';

const DAY = 86_400_000;

export function topicsPage(
  topics: readonly TopicSpec[],
  messages: readonly MessageSpec[],
  services: readonly string[],
) {
  return page(
    'Topics',
    'Every topic of the hub, as `refrain topics apply` makes it. `TOPIC_PREFIX` stands before each name. The key of a ' +
      'record is `<tenant>:<subject>`, so everything about one CRM record is in order. No topic is compacted.',
    table(
      ['Topic', 'Partitions', 'Kept for', 'Holds'],
      topics.map((topic) => [
        code(topic.name),
        String(topic.partitions),
        `${String(topic.retentionMs / DAY)} days`,
        topic.says,
      ]),
    ),
    '## Messages',
    'The type is the CloudEvents type in the header `ce_type`. [events.md](events.md) tells the fields of domain events, ' +
      '[asyncapi.yaml](asyncapi.yaml) the schema of every message.',
    table(
      ['Topic', 'Type', 'Says'],
      messages.map((message) => [code(message.topic), code(message.wire), message.says]),
    ),
    '## Consumer groups',
    `Each service consumes as the group of its own name: ${services.map(code).join(', ')}.`,
  );
}
