import { setTimeout as sleep } from 'node:timers/promises';
import type { Hub } from '../testing/hub';
import type { ContactSeen, SentEvent } from './evidence';
import type { Plan, PlannedContact, PlannedEvent, PlannedPost } from './plan';
import type { Chances } from './random';

const ATTEMPTS = 60;
const AGAIN_MS = 500;
/** Contacts that are made beside each other. */
const AT_ONCE = 20;

/** Plays the outside world: makes contacts, and sends of them what HubSpot would, until it is accepted. */
export class Driver {
  readonly contacts: ContactSeen[] = [];
  /** Requests that never got an answer of success. */
  unaccepted = 0;
  /** Forged callbacks that got one. */
  forgedAccepted = 0;
  private readonly sent = new Map<PlannedEvent, SentEvent>();
  private readonly began = Date.now();

  constructor(
    private readonly hub: Hub,
    private readonly plan: Plan,
    private readonly chances: Chances,
  ) {}

  get events(): SentEvent[] {
    return [...this.sent.values()];
  }

  /** Makes the contacts and tells the sandboxes which of their calls go wrong; HubSpot says nothing of it yet. */
  async prepare(): Promise<void> {
    await this.hub.control('hubspot', 'PUT', '/subscriptions', {
      subscriptions: [{ subscriptionType: 'contact.propertyChange', propertyName: 'lifecyclestage', active: true }],
    });
    await this.hub.control('hubspot', 'PUT', '/webhooks', { duplicate: 1, shuffle: true });
    for (let done = 0; done < this.plan.contacts.length; done += AT_ONCE) {
      const some = this.plan.contacts.slice(done, done + AT_ONCE);
      this.contacts.push(...(await Promise.all(some.map((contact) => this.make(contact)))));
    }
  }

  /** Sends everything, spread over the plan's time; resolves when all was accepted or given up. */
  async send(): Promise<void> {
    const { posts, contacts, forged = [], overMs } = this.plan;
    const inHubspot = contacts.filter((contact) => contact.inHubspot).map((contact) => this.qualify(contact));
    const all = posts.map(async (post, i) => {
      await sleep((overMs * i) / posts.length);
      await this.post(post);
    });
    await Promise.all([...all, ...inHubspot, ...forged.map((one) => this.forge(one))]);
  }

  private async make({ index, firstname, callFaults, renderFault, wants }: PlannedContact): Promise<ContactSeen> {
    const lastname = `Chaos-${this.plan.seed}-${String(index).padStart(5, '0')}`;
    const properties = { firstname, lastname, email: `${lastname.toLowerCase()}@example.test` };
    const notes = ['Asked for a demo. $50k ready for Q1'];
    const { id } = await this.hub.control<{ id: string }>('hubspot', 'POST', '/ui/contacts', { properties, notes });
    for (const { vendor, fault, times } of callFaults) {
      const match = {
        hubspot: { pathPrefix: `/crm/objects/2026-09/0-1/${id}` },
        heygen: { bodyIncludes: `contact:${id}:` },
        openai: { bodyIncludes: lastname },
      }[vendor];
      await this.hub.control(vendor, 'POST', '/faults', { match, fault, times });
    }
    if (renderFault) {
      const match = { title: `contact:${id}:` };
      await this.hub.control('heygen', 'POST', '/render-outcomes', { match, outcome: 'fail', ...renderFault });
    }
    return { id, lastname, wants, properties: {} };
  }

  // A callback that tells of the contact's video, signed by somebody who does not know the secret.
  private async forge({ contact, at }: { contact: number; at: number }): Promise<void> {
    await sleep(at * this.plan.overMs);
    const callback_id = `render-default:contact:${this.contacts[contact]?.id ?? ''}:lead-video/1/1`;
    const event_data = { video_id: `forged-${contact}`, url: 'https://forged.example.test/video.mp4', callback_id };
    const body = JSON.stringify({ event_type: 'avatar_video.success', event_data });
    const secret = this.hub.secrets.hubspotClientSecret;
    const answer = await this.hub.callBack(body, { secret }).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) this.forgedAccepted += 1;
  }

  // The sandbox may be frozen for some seconds; it answers afterwards.
  private async qualify({ index }: PlannedContact): Promise<void> {
    await sleep(this.chances.next() * this.plan.overMs);
    const properties = { lifecyclestage: 'marketingqualifiedlead' };
    await this.hub.control('hubspot', 'PATCH', `/ui/contacts/${this.contacts[index]?.id ?? ''}`, { properties });
  }

  private async post({ events, replica }: PlannedPost): Promise<void> {
    const sent = events.map((event) => this.eventOf(event));
    const [first] = events;
    const bytes = sent.map((event) => event.bytes);
    const body = first?.kind === 'workflow' ? (bytes[0] ?? '') : `[${bytes.join(',')}]`;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const to = ((replica + attempt) % 2) + 1;
      const answer = await this.hub.post(body, { replica: to }).catch(() => undefined);
      await answer?.body?.cancel();
      if (answer?.ok) {
        for (const event of sent) event.accepted += 1;
        return;
      }
      await sleep(AGAIN_MS);
    }
    this.unaccepted += 1;
  }

  private eventOf(event: PlannedEvent): SentEvent {
    const known = this.sent.get(event);
    if (known) return known;
    const contact = this.contacts[event.contact]?.id ?? '';
    const workflow = event.kind === 'workflow';
    const at = workflow ? Date.now() : this.began - event.ageMs;
    const bytes = JSON.stringify({
      ...(workflow ? {} : this.envelopeOf(event, at)),
      objectId: Number(contact),
      propertyName: 'lifecyclestage',
      propertyValue: event.trigger ? 'marketingqualifiedlead' : 'lead',
      changeSource: workflow ? 'AUTOMATION_PLATFORM' : 'CRM_UI',
      eventId: event.eventId,
    });
    const sent = { bytes, contact, trigger: event.trigger, at, accepted: 0 };
    this.sent.set(event, sent);
    return sent;
  }

  private envelopeOf({ eventId }: PlannedEvent, occurredAt: number) {
    const { appId, portalId } = this.hub.account;
    const subscriptionType = 'contact.propertyChange';
    return { eventId, subscriptionId: 7_562_680, portalId, appId, occurredAt, subscriptionType, attemptNumber: 0 };
  }
}
