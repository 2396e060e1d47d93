import { z } from 'zod';
import type { HmacRule, hmacRule } from './hmac';
import { namesItsSecrets, secretFields } from './rule';

type Key = z.infer<typeof hmacRule>['key'];

const SKEW = 300;

/** Standard Webhooks (https://github.com/standard-webhooks/standard-webhooks, the specification), under a header prefix. */
const standard = (headers: string): HmacRule & { key: Key } => ({
  header: `${headers}-signature`,
  algorithm: 'sha256',
  encoding: 'base64',
  prefix: 'v1,',
  separator: ' ',
  signed: [{ header: `${headers}-id` }, { text: '.' }, 'timestamp', { text: '.' }, 'body'],
  timestamp: { header: `${headers}-timestamp`, unit: 's', toleranceSeconds: SKEW },
  key: 'base64',
});

/** The ways of signing of senders that are often met. */
export const presets = {
  /** https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries */
  github: {
    header: 'x-hub-signature-256',
    algorithm: 'sha256',
    encoding: 'hex',
    prefix: 'sha256=',
    signed: ['body'],
    key: 'text',
  },
  /** https://docs.stripe.com/webhooks ("Verify manually"); schemes other than v1 are ignored. */
  stripe: {
    header: 'stripe-signature',
    algorithm: 'sha256',
    encoding: 'hex',
    prefix: 'v1=',
    separator: ',',
    signed: ['timestamp', { text: '.' }, 'body'],
    timestamp: { item: 't=', unit: 's', toleranceSeconds: SKEW },
    key: 'text',
  },
  /** https://docs.slack.dev/authentication/verifying-requests-from-slack */
  slack: {
    header: 'x-slack-signature',
    algorithm: 'sha256',
    encoding: 'hex',
    prefix: 'v0=',
    signed: [{ text: 'v0:' }, 'timestamp', { text: ':' }, 'body'],
    timestamp: { header: 'x-slack-request-timestamp', unit: 's', toleranceSeconds: SKEW },
    key: 'text',
  },
  'standard-webhooks': standard('webhook'),
  /** https://docs.svix.com/receiving/verifying-payloads/how-manual */
  svix: standard('svix'),
  /** https://platform.openai.com/docs/guides/webhooks: Standard Webhooks, also for `batch.*`. */
  openai: standard('webhook'),
} as const satisfies Record<string, HmacRule & { key: Key }>;

export type PresetName = keyof typeof presets;

const presetNames = Object.keys(presets) as [PresetName, ...PresetName[]];

/** A sender's own way of signing, by its name. */
export const presetRule = z.strictObject({ scheme: z.enum(presetNames), ...secretFields }).check(namesItsSecrets);
