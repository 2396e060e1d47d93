import { z } from 'zod';
import { budgetEvents } from './budget';
import { callEvents } from './call';
import { crmEvents } from './crm';
import {
  INPUT_PARKED,
  INPUT_QUARANTINED,
  inputParked,
  INPUTS_FREED,
  inputsFreed,
  RECORD_UNREADABLE,
} from './dead-letter';
import { enrichmentEvents } from './enrichment';
import { VERIFIED } from './envelope';
import type { Catalog } from './events';
import { GENERIC_RECEIVED, genericHeaders } from './generic';
import { HEYGEN_CLAIMED, HEYGEN_RECEIVED, heygenWebhookBody } from './heygen';
import { HUBSPOT_RECEIVED, hubspotWebhookEvent, hubspotWorkflowCall, TEST_EVENT } from './hubspot';
import { recipeEvents } from './recipe';
import { renderEvents } from './render';
import { RENDER_ASKED, renderAsked } from './render-ask';
import { sweepEvents } from './sweep';
import { deadLetterTopic, services, Topic } from './topics';

/** One kind of message on one topic, as the published description of the topics tells it. */
export interface MessageSpec {
  topic: string;
  /** Short past-tense name; unique. */
  name: string;
  /** CloudEvents type. */
  wire: string;
  says: string;
  /** Shape of the value; without it the value is bytes, just as they came in. */
  data?: z.ZodType;
  /** Headers beside those of the envelope. */
  headers?: z.ZodObject;
}

const text = z.string();

const hubspotHeaders = z.object({
  [VERIFIED]: text.describe('What was checked of its sender, and the digest of the body'),
  [TEST_EVENT]: text.optional().describe("There where HubSpot's test button set it off: it is about no real record"),
});

const quarantineHeaders = z.object({
  refrain_reason: text.describe('Code of what is wrong with it'),
  refrain_detail: text.optional().describe('What is wrong with it, in words'),
});

const unreadableHeaders = z.object({
  refrain_original_topic: text,
  refrain_original_partition: text,
  refrain_original_offset: text,
  refrain_original_key: text,
  refrain_original_timestamp: text.describe('Epoch milliseconds'),
  refrain_error_code: text,
  refrain_error_class: text,
  refrain_error_message: text.optional(),
  refrain_attempts: text,
  refrain_handler_version: text.describe('Version of the code that could not read it'),
});

/** The contexts of the hub, each with the events that its topic carries. */
export const catalogs: readonly Catalog[] = [
  renderEvents,
  enrichmentEvents,
  crmEvents,
  sweepEvents,
  recipeEvents,
  budgetEvents,
  callEvents,
];

/** The messages that a context's events are on its topic, in all their versions. */
export const eventsOf = (of: Catalog): MessageSpec[] =>
  Object.entries(of.shapes).flatMap(([name, { wire, data, earlier = [] }]) => {
    const says = data.description ?? '';
    const former = earlier.map((version) => ({
      topic: of.topic,
      name: `${name}V${/\d+$/.exec(version.wire)?.[0] ?? ''}`,
      wire: version.wire,
      says: `${says} An earlier version: written no more, but it may still stand on the topic.`,
      data: version.data,
    }));
    return [{ topic: of.topic, name, wire, says, data }, ...former];
  });

const deadLettersOf = (service: string): MessageSpec[] => [
  {
    topic: deadLetterTopic(service),
    name: 'RecordDeadLettered',
    wire: RECORD_UNREADABLE,
    says: 'A record that cannot be read, as the bytes that stood on its topic. It blocks nothing.',
    headers: unreadableHeaders,
  },
  {
    topic: deadLetterTopic(service),
    name: 'InputParked',
    wire: INPUT_PARKED,
    says: "An input's handling failed: it and what follows for its key wait, in order, until they are released.",
    data: inputParked,
  },
  {
    topic: deadLetterTopic(service),
    name: 'InputsFreed',
    wire: INPUTS_FREED,
    says: 'What waited behind a parked key was decided after all, or part of it was discarded.',
    data: inputsFreed,
  },
];

/** Every kind of message of every topic. */
export const messages: readonly MessageSpec[] = [
  {
    topic: Topic.ingressHubspot,
    name: 'HubspotChangeReceived',
    wire: HUBSPOT_RECEIVED,
    says: 'A change that HubSpot told, verified: one event of a webhook, or what a workflow sent.',
    data: z.union([hubspotWebhookEvent, hubspotWorkflowCall]),
    headers: hubspotHeaders,
  },
  {
    topic: Topic.ingressHubspot,
    name: 'RenderAgainAsked',
    wire: RENDER_ASKED,
    says: 'A person asked at the app card for one more render, verified. Asked twice behind one render, it makes one.',
    data: renderAsked,
    headers: z.object({ [VERIFIED]: hubspotHeaders.shape[VERIFIED] }),
  },
  {
    topic: Topic.ingressHeygen,
    name: 'HeygenCallbackReceived',
    wire: HEYGEN_RECEIVED,
    says: 'A callback of HeyGen, verified.',
    data: heygenWebhookBody,
  },
  {
    topic: Topic.ingressHeygen,
    name: 'HeygenCallbackClaimed',
    wire: HEYGEN_CLAIMED,
    says: 'An unsigned callback that came to a secret address. It is no fact: HeyGen is asked what is true.',
    data: heygenWebhookBody,
  },
  {
    topic: Topic.ingressGeneric,
    name: 'GenericEventReceived',
    wire: GENERIC_RECEIVED,
    says: 'What a declared endpoint received, verified, as the bytes that came in.',
    headers: genericHeaders,
  },
  {
    topic: Topic.quarantine,
    name: 'InputQuarantined',
    wire: INPUT_QUARANTINED,
    says: 'Authentic input that has not the shape of its kind, as the bytes that came in.',
    headers: quarantineHeaders,
  },
  ...catalogs.flatMap(eventsOf),
  ...services.flatMap(deadLettersOf),
];
