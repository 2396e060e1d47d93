import { setTimeout as sleep } from 'node:timers/promises';
import { createContact, type DemoContact, type Properties } from './contact.mts';
import { tellStory } from './story.mts';

export interface Job {
  readonly hubspotUrl: string;
  readonly accessToken: string;
  readonly kafkaBrokers: string;
  readonly topicPrefix: string;
  readonly print: (line: string) => void;
  /** Where to look when a property stays empty. */
  readonly logOf: (service: string) => string;
  readonly signal: AbortSignal;
}

const withinMs = 90_000;

/** What the job must leave on the contact, and who writes or fails to prepare it. */
const wanted: { name: string; madeBy: string; value?: string }[] = [
  { name: 'heygen_render_status', madeBy: 'render-service', value: 'COMPLETED' },
  { name: 'heygen_video_url', madeBy: 'render-service' },
  { name: 'lead_score', madeBy: 'enrichment-service' },
  { name: 'ai_lead_summary', madeBy: 'enrichment-service' },
  { name: 'ai_sentiment_score', madeBy: 'enrichment-service' },
  { name: 'ai_last_processed_timestamp', madeBy: 'enrichment-service' },
];

/** Drives the main job once and tells it as it happens; throws, saying what is missing, when it does not end in time. */
export async function driveMainJob(job: Job): Promise<void> {
  const since = performance.now();
  const seconds = () => ((performance.now() - since) / 1000).toFixed(2).padStart(6);
  job.print('\nThe main job: a contact becomes a marketing qualified lead');
  const story = await tellStory(job.kafkaBrokers, job.topicPrefix, ({ topic, type, traceId, detail }) =>
    job.print(`${seconds()} s  ${topic.padEnd(20)}  ${type}  ${detail}\n          trace ${traceId || '(none)'}`),
  );
  try {
    const contact = await createContact(job.hubspotUrl, job.accessToken);
    job.print(`${seconds()} s  HubSpot sandbox       contact ${contact.id} created, with two notes`);
    story.about(contact.id);
    await contact.change({ lifecyclestage: 'marketingqualifiedlead' });
    job.print(`${seconds()} s  HubSpot sandbox       its lifecyclestage becomes marketingqualifiedlead`);
    const properties = await waitForProperties(contact, job);
    job.print(`${seconds()} s  HubSpot sandbox       the contact carries the video and the score\n`);
    job.print(`Contact ${contact.id} as HubSpot now has it`);
    for (const [name, value] of Object.entries(properties)) job.print(`  ${name.padEnd(30)} ${value ?? '–'}`);
  } finally {
    await story.close();
  }
}

async function waitForProperties(contact: DemoContact, job: Job): Promise<Properties> {
  const names = ['firstname', 'lastname', 'lifecyclestage', 'heygen_job_id', ...wanted.map(({ name }) => name)];
  const deadline = Date.now() + withinMs;
  for (;;) {
    job.signal.throwIfAborted();
    const properties = await contact.read(names);
    const missing = wanted.filter(({ name, value }) => (value ? properties[name] !== value : !properties[name]));
    if (missing.length === 0) return Object.fromEntries(names.map((name) => [name, properties[name]]));
    const failed = properties.heygen_render_status === 'FAILED';
    if (failed || Date.now() > deadline) throw new Error(describeMissing(contact.id, missing, properties, failed, job));
    await sleep(200);
  }
}

function describeMissing(
  contactId: string,
  missing: typeof wanted,
  properties: Properties,
  failed: boolean,
  { logOf }: Job,
): string {
  const how = failed ? 'The render failed' : `It did not end within ${withinMs / 1000} s`;
  const lines = missing.map(({ name, value }) => {
    const is = properties[name] ? `"${properties[name]}"` : 'empty';
    return `  - ${name} is ${is}${value ? `, not ${value}` : ''}`;
  });
  const logs = ['gateway', ...new Set(missing.map(({ madeBy }) => madeBy)), 'crm-writer'].map((name) => logOf(name));
  return `The main job is not done. ${how}; on contact ${contactId}:\n${lines.join('\n')}\nRead ${logs.join(', ')}`;
}
