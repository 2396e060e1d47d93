import { randomBytes, randomInt } from 'node:crypto';
import type { Hub } from './hub';
import type { RawRecord } from './topics';
import { until } from './until';
import type { Call } from './vendors';

type Properties = Record<string, string | null>;

const asked = [
  'heygen_video_url',
  'heygen_render_status',
  'heygen_render_error',
  'heygen_job_id',
  'lead_score',
  'ai_lead_summary',
  'ai_sentiment_score',
  'ai_budget_estimate',
  'ai_last_processed_timestamp',
];

/** A render as HeyGen's sandbox keeps it. */
export interface Render {
  id: string;
  status: string;
  idempotencyKey: string;
}

/** A contact in the HubSpot sandbox with a name of its own, and what the outside world has seen of it. */
export class Lead {
  private constructor(
    private readonly hub: Hub,
    readonly id: string,
    /** Unique, so that calls which carry it are this lead's. */
    readonly lastname: string,
    readonly email: string,
  ) {}

  /** A person makes a contact with a note. */
  static async make(hub: Hub, { firstname = 'Maria', note = '$50k ready for Q1' } = {}): Promise<Lead> {
    const lastname = `Johnson-${randomBytes(5).toString('hex')}`;
    const email = `${lastname.toLowerCase()}@example.test`;
    const properties = { lastname, email, ...(firstname === '' ? {} : { firstname }) };
    const { id } = await hub.control<{ id: string }>('hubspot', 'POST', '/ui/contacts', { properties, notes: [note] });
    return new Lead(hub, id, lastname, email);
  }

  /** What HubSpot sends when the contact becomes a marketing qualified lead: one event of a Webhooks API array. */
  change(over: Record<string, unknown> = {}): string {
    const { appId, portalId } = this.hub.account;
    return JSON.stringify({
      eventId: randomInt(2 ** 32),
      subscriptionId: 7_562_680,
      portalId,
      appId,
      occurredAt: Date.now(),
      subscriptionType: 'contact.propertyChange',
      attemptNumber: 0,
      objectId: Number(this.id),
      propertyName: 'lifecyclestage',
      propertyValue: 'marketingqualifiedlead',
      changeSource: 'CRM_UI',
      sourceId: 'userId:9586504',
      ...over,
    });
  }

  /** What a workflow sends of the same. */
  workflowCall(): string {
    const { eventId, ...rest } = JSON.parse(this.change()) as Record<string, unknown>;
    const { objectId, propertyName, propertyValue } = rest;
    return JSON.stringify({ objectId, propertyName, propertyValue, changeSource: 'AUTOMATION_PLATFORM', eventId });
  }

  /** A person makes the contact a marketing qualified lead, in HubSpot itself: HubSpot sends the webhook, and repeats it. */
  async qualify(): Promise<void> {
    const properties = { lifecyclestage: 'marketingqualifiedlead' };
    await this.hub.control('hubspot', 'PATCH', `/ui/contacts/${this.id}`, { properties });
  }

  /** The properties that the hub may have filled, read with the official client. */
  async read(): Promise<Properties> {
    const { properties } = await this.hub.hubspot.crm.contacts.basicApi.getById(this.id, asked);
    return Object.fromEntries(asked.map((name) => [name, properties[name] ?? null]));
  }

  /**
   * The properties, read with the official client, as soon as they have the given values; `true` stands for any. It is
   * watched for behind HubSpot's API, whose rate limit is the hub's.
   */
  async has(wanted: Record<string, string | true>, withinMs?: number): Promise<Properties> {
    await until(
      `contact ${this.id} has ${JSON.stringify(wanted)}`,
      async () => {
        const path = `/objects/contacts/${this.id}`;
        const { properties } = await this.hub.control<{ properties: Properties }>('hubspot', 'GET', path);
        return Object.entries(wanted).every(([name, value]) =>
          value === true ? Boolean(properties[name]) : properties[name] === value,
        );
      },
      withinMs,
    );
    return this.read();
  }

  /** Resolves with the properties when both the video and the score are there. */
  done(withinMs?: number): Promise<Properties> {
    return this.has({ heygen_render_status: 'COMPLETED', heygen_video_url: true, lead_score: true }, withinMs);
  }

  /** The calls that wrote to the contact. */
  patches(): Promise<Call[]> {
    return writesTo(this.hub, this.id);
  }

  /** How often the hub wrote a property, or a property with a value. */
  async writesOf(name: string, value?: string): Promise<number> {
    const written = (await this.patches()).map((call) => (call.requestBody?.['properties'] as Properties)[name]);
    return written.filter((one) => (value === undefined ? one !== undefined : one === value)).length;
  }

  /** The contact's renders that were charged for. */
  async billedRenders(): Promise<Render[]> {
    const { renders } = await this.hub.control<{ renders: (Render & { callbackId: string })[] }>(
      'heygen',
      'GET',
      '/billing',
    );
    return renders.filter(({ callbackId }) => callbackId.includes(`contact:${this.id}:`));
  }

  /** The orders that HeyGen was sent for the contact. */
  async orders(): Promise<Call[]> {
    const calls = await this.hub.calls('heygen');
    return calls.filter((call) => JSON.stringify(call.requestBody ?? '').includes(`contact:${this.id}:`));
  }

  /** The questions that OpenAI was sent about the contact. */
  async questions(): Promise<Call[]> {
    const calls = await this.hub.calls('openai');
    return calls.filter((call) => JSON.stringify(call.requestBody ?? '').includes(this.lastname));
  }

  /** The records of a topic that are about the contact, of one type if given. */
  records(topic: string, type?: string, tenant = 'default'): RawRecord[] {
    return this.hub
      .topic(topic)
      .filter(({ key, headers }) => key === `${tenant}:contact:${this.id}` && (!type || headers['ce_type'] === type));
  }

  /** Everything that cost something or changed something, counted. */
  async outcome() {
    return {
      billedRenders: (await this.billedRenders()).length,
      billedQuestions: (await this.questions()).filter((call) => call.billed).length,
      // Where the video is made at once, COMPLETED may overtake PENDING before that is written.
      pendingAgain: Math.max(0, (await this.writesOf('heygen_render_status', 'PENDING')) - 1),
      completed: await this.writesOf('heygen_render_status', 'COMPLETED'),
      scored: await this.writesOf('lead_score'),
    };
  }
}

const writes = 'crm.events.v1';
const owed = 'refrain.record-update.owed.v1';
const ended = ['refrain.record.updated.v1', 'refrain.record-update.superseded.v1'];

/** How many writes there are depends on what was wanted while one waited; the last one brings the last of the two. */
function allWritten(lead: Lead): boolean {
  const wished = lead.records(writes, owed);
  const ends = ended.flatMap((type) => lead.records(writes, type));
  const says = (name: string) => wished.some(({ value }) => String(value).includes(`"${name}"`));
  return says('heygen_video_url') && says('lead_score') && ends.length === wished.length;
}

interface HubspotState {
  eventsCollected: number;
  deliveries: { queued: number; inFlight: number; waitingForRetry: number };
}

interface Input {
  id: string;
  properties: Properties;
}

/** The calls that wrote to a contact, by itself or among others: each as if it had been by itself. */
export async function writesTo(hub: Hub, id: string): Promise<Call[]> {
  return (await hub.calls('hubspot')).flatMap((call) => {
    if (call.method === 'PATCH' && call.path.endsWith(`/${id}`)) return [call];
    if (!call.path.endsWith('/batch/update')) return [];
    const { inputs = [] } = (call.requestBody ?? {}) as { inputs?: Input[] };
    return inputs.filter((one) => one.id === id).map(({ properties }) => ({ ...call, requestBody: { properties } }));
  });
}

/** The outcome of a job that ran once. */
export const once = { billedRenders: 1, billedQuestions: 1, pendingAgain: 0, completed: 1, scored: 1 };

/**
 * Resolves when nothing more can follow from what was sent before: every service has read it, a whole job that began
 * afterwards has ended, its last events are on the log, and HubSpot has sent the webhooks of what the hub wrote to it,
 * which every service has read too.
 */
export async function settled(hub: Hub): Promise<void> {
  await hub.caughtUp();
  const witness = await Lead.make(hub);
  await hub.post(`[${witness.change()}]`);
  await witness.done();
  await until('the writes to the witness are on the log', () => allWritten(witness));
  await until('HubSpot has sent all its webhooks', async () => {
    const { eventsCollected, deliveries } = await hub.control<HubspotState>('hubspot', 'GET', '/state');
    return eventsCollected + deliveries.queued + deliveries.inFlight + deliveries.waitingForRetry === 0;
  });
  await hub.caughtUp();
}
