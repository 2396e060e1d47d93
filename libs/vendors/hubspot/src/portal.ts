import type { Answer } from '#libs/contracts';
import type { PublicOwner } from '@hubspot/api-client/lib/codegen/crm/owners/index';
import type { Pipeline } from '@hubspot/api-client/lib/codegen/crm/pipelines/index';
import type { Property } from '@hubspot/api-client/lib/codegen/crm/properties/index';
import type { ObjectSchema } from '@hubspot/api-client/lib/codegen/crm/schemas/index';
import { sorted, typeIdOf } from './answering';
import type { Sdk } from './sdk';

export type { ObjectSchema, Pipeline, Property, PublicOwner };

const OWNERS_A_PAGE = 100;

/** All object types of a portal that were defined there, with their properties and associations. */
export const schemas = (sdk: Sdk, signal: AbortSignal): Promise<Answer<ObjectSchema[]>> =>
  sorted(signal, async () => (await sdk.crm.schemas.coreApi.getAll()).results);

/** All properties of a type of records, those that are archived or those that are not; sensitive ones are not among them. */
export const properties = (
  sdk: Sdk,
  type: string,
  signal: AbortSignal,
  archived = false,
): Promise<Answer<Property[]>> =>
  sorted(signal, async () => (await sdk.crm.properties.coreApi.getAll(typeIdOf(type), archived)).results);

/** All pipelines of a type of records, each with its stages. */
export const pipelines = (sdk: Sdk, type: string, signal: AbortSignal): Promise<Answer<Pipeline[]>> =>
  sorted(signal, async () => (await sdk.crm.pipelines.pipelinesApi.getAll(typeIdOf(type))).results);

/** All owners, from all pages. */
export const owners = (sdk: Sdk, signal: AbortSignal): Promise<Answer<PublicOwner[]>> =>
  sorted(signal, async () => {
    const all: PublicOwner[] = [];
    for (let after: string | undefined; ;) {
      const page = await sdk.crm.owners.ownersApi.getPage(undefined, after, OWNERS_A_PAGE);
      all.push(...page.results);
      after = page.paging?.next?.after;
      if (after === undefined) return all;
    }
  });
