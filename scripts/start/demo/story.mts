import { randomUUID } from 'node:crypto';
import { Kafka, logLevel, type Consumer } from 'kafkajs';

export interface StoryLine {
  readonly topic: string;
  readonly type: string;
  readonly traceId: string;
  readonly detail: string;
}

export interface Story {
  /** Names the contact to tell of; what the topics already held back about it is told at once. */
  about(contactId: string): void;
  close(): Promise<void>;
}

interface Told extends StoryLine {
  readonly subject: string;
  readonly body: Record<string, unknown>;
  readonly text: string;
}

const names = [
  'ingress.hubspot.v1',
  'ingress.heygen.v1',
  'render.events.v1',
  'enrichment.events.v1',
  'crm.events.v1',
] as const;

/** Tells what happens to one contact, from the public topics alone, beginning with the first record after this call. */
export async function tellStory(brokers: string, topicPrefix: string, tell: (line: StoryLine) => void): Promise<Story> {
  const topics = names.map((name) => topicPrefix + name);
  const kafka = new Kafka({ clientId: 'refrain-start', brokers: brokers.split(','), logLevel: logLevel.NOTHING });
  const groupId = `refrain-start-${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 200 });
  const admin = kafka.admin();
  await Promise.all([admin.connect(), consumer.connect()]);
  const ends = await Promise.all(
    topics.map(async (topic) => ({ topic, offsets: await admin.fetchTopicOffsets(topic) })),
  );

  let contactId: string | undefined;
  let waiting: Told[] = [];
  const videos = new Set<string>();
  const consider = (told: Told) => {
    if (contactId === undefined || !isAbout(told, contactId, videos)) return void waiting.push(told);
    if (typeof told.body.videoId === 'string' && !videos.has(told.body.videoId)) {
      videos.add(told.body.videoId);
      reconsider(); // a callback may have been read before the event that names its video
    }
    if (isWorthTelling(told)) tell(told);
  };
  const reconsider = () => {
    const again = waiting;
    waiting = [];
    again.forEach(consider);
  };

  await consumer.subscribe({ topics });
  await runFrom(consumer, ends, consider);
  return {
    about: (id) => {
      contactId = id;
      reconsider();
    },
    close: async () => {
      await consumer.disconnect();
      await admin.deleteGroups([groupId]).catch(() => {}); // the broker forgets it by itself, later
      await admin.disconnect();
    },
  };
}

type Ends = { topic: string; offsets: { partition: number; offset: string }[] }[];

async function runFrom(consumer: Consumer, ends: Ends, consider: (told: Told) => void): Promise<void> {
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ topic, message }) => {
      const header = (name: string) => String(message.headers?.[name] ?? '');
      const text = message.value?.toString() ?? '';
      const body = parsed(text);
      consider({
        topic,
        text,
        body,
        type: header('ce_type'),
        subject: header('ce_subject'),
        traceId: header('traceparent').split('-')[1] ?? '',
        detail: detailOf(body),
      });
    },
  });
  // Explicit, since "latest" would be looked up only with the first fetch, when records may have come in already.
  for (const { topic, offsets } of ends) {
    for (const { partition, offset } of offsets) consumer.seek({ topic, partition, offset });
  }
}

function isAbout(told: Told, contactId: string, videos: ReadonlySet<string>): boolean {
  return told.subject === `contact:${contactId}` || [...videos].some((video) => told.text.includes(video));
}

/** Every change of the contact comes in, our own write-backs among them; the story is about the one that triggers. */
function isWorthTelling({ topic, body }: Told): boolean {
  return !topic.endsWith('ingress.hubspot.v1') || body.propertyName === 'lifecyclestage';
}

function detailOf(body: Record<string, unknown>): string {
  const shown = ['propertyName', 'propertyValue', 'event_type', 'videoId', 'url', 'score', 'status', 'code', 'reason'];
  return shown
    .filter((name) => ['string', 'number'].includes(typeof body[name]))
    .map((name) => `${name}=${String(body[name])}`)
    .join(' ');
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
