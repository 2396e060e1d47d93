import { BODY_LIMIT, declaredName } from '#libs/platform';
import { z } from 'zod';
import { addressesRule } from '../schemes/addresses';
import { bearerTokenRule } from '../schemes/bearer-token';
import { certificateRule } from '../schemes/certificate';
import { hmacRule } from '../schemes/hmac';
import { presetRule } from '../schemes/presets';
import { distinct, headerName, perMinute } from '../schemes/rule';
import { apiKeyRule, basicRule } from '../schemes/shared-secret';

const place = {
  header: headerName().optional().describe('It is the value of this header'),
  pointer: z
    .string()
    .regex(/^(\/([^~/]|~[01])*)+$/, 'must be a JSON pointer, such as /data/id')
    .optional()
    .describe('It stands there in the JSON body (RFC 6901)'),
};

const isOnePlace = (at: { header?: string; pointer?: string }): boolean =>
  (at.header === undefined) !== (at.pointer === undefined);
const onePlace = 'names either header or pointer';

const placed = () => z.strictObject(place).refine(isOnePlace, onePlace);

const authentication = z.discriminatedUnion('scheme', [
  hmacRule,
  presetRule,
  basicRule,
  apiKeyRule,
  bearerTokenRule,
  certificateRule,
  addressesRule,
]);

const endpointSchema = z
  .strictObject({
    endpoint: declaredName().describe('Last part of its address: /webhooks/in/<endpoint>'),
    tenant: declaredName().default('default'),
    connection: declaredName().default('default'),
    source: declaredName().describe('Whose events they are; stands in the envelope and before the subject'),
    authentication: z.array(authentication).min(1).describe('All of them must hold'),
    format: z.enum(['json', 'bytes']).default('json').describe('What is not JSON is quarantined, or any body is taken'),
    event: z
      .strictObject({
        id: placed().optional().describe('Same on each repetition of an event; without it the hash of the body'),
        type: placed().optional(),
        subject: z
          .strictObject({
            ...place,
            type: declaredName().optional().describe('Stands before it; without it the source'),
          })
          .refine(isOnePlace, onePlace)
          .optional()
          .describe('What the event is about, the record key: `<type>:<value>`; without it `<source>:<id>`'),
      })
      .default({}),
    accept: z
      .strictObject({
        types: z.array(z.string().min(1)).min(1),
        others: z.enum(['refuse', 'ignore']).default('refuse').describe('Answer 422, or 200 and drop it'),
      })
      .optional()
      .describe('Which types of event are taken; needs event.type'),
    whenBehind: z
      .enum(['refuse', 'accept'])
      .default('refuse')
      .describe('Answer 429 while the services are behind LAG_LIMIT, or accept: for senders that do not repeat'),
    perMinute: perMinute(),
    maxBytes: z.int().min(1).max(BODY_LIMIT).default(BODY_LIMIT).describe('Largest body'),
  })
  .refine(
    ({ accept, event }) => accept === undefined || event.type !== undefined,
    'accepts types but has no event.type',
  )
  .refine(
    ({ format, event }) => format === 'json' || Object.values(event).every((at) => at.pointer === undefined),
    'has pointers into a body that is not JSON',
  );

/** The endpoints file. */
export const endpointList = z
  .array(endpointSchema)
  .min(1)
  .refine((all) => distinct(all.map(({ endpoint }) => endpoint)), 'declares an endpoint twice');

/** An endpoint as it was declared. */
export type EndpointDeclaration = z.infer<typeof endpointSchema>;

/** One of the schemes that an endpoint declares. */
export type SchemeDeclaration = z.infer<typeof authentication>;

/** Where something stands in a request. */
export type Place = z.infer<ReturnType<typeof placed>>;

/** The JSON Schema of the endpoints file, for editors and checks before a roll-out. */
export const endpointsJsonSchema = (): Record<string, unknown> => ({
  title: 'Refrain endpoints',
  ...z.toJSONSchema(endpointList, { target: 'draft-7', io: 'input' }),
});
