import type { FastifyInstance, FastifyRequest } from 'fastify';
import { numberOf, objectOf, textOf, type JsonObject } from '../../frame/json.ts';
import { instant } from '../crm/object-types.ts';
import { invalid } from '../errors.ts';

const SUBSCRIPTIONS = new Map([
  [101, 'Newsletter'],
  [102, 'One to one'],
]);
const STATES = ['SUBSCRIBED', 'UNSUBSCRIBED', 'NOT_SPECIFIED'];
const BASES = [
  'LEGITIMATE_INTEREST_PQL',
  'LEGITIMATE_INTEREST_CLIENT',
  'PERFORMANCE_OF_CONTRACT',
  'CONSENT_WITH_NOTICE',
  'NON_GDPR',
  'PROCESS_AND_STORE',
  'LEGITIMATE_INTEREST_OTHER',
];

/** Which address takes which kind of e-mail. */
export class Consents {
  /** Whether the account has its data privacy settings on: then every change needs its legal basis. */
  dataPrivacy = false;
  readonly #states = new Map<string, string>();

  set(email: string, body: JsonObject): JsonObject {
    const id = numberOf(body['subscriptionId']);
    const state = textOf(body['statusState']) ?? '';
    const [basis, explanation] = [textOf(body['legalBasis']), textOf(body['legalBasisExplanation'])];
    if (!/^[^\s@]+@[^\s@]+$/.test(email)) throw invalid(`${email} is not a valid email address`);
    if (body['channel'] !== 'EMAIL') throw invalid('channel must be EMAIL');
    if (id === undefined || !SUBSCRIPTIONS.has(id)) throw invalid(`Subscription ${String(id)} does not exist`);
    if (!STATES.includes(state)) throw invalid(`statusState must be one of ${STATES.join(', ')}`);
    if (basis !== undefined && !BASES.includes(basis)) throw invalid(`legalBasis must be one of ${BASES.join(', ')}`);
    if (this.dataPrivacy && (!basis || !explanation))
      throw invalid('legalBasis and legalBasisExplanation are required for accounts with data privacy settings on');
    this.#states.set(keyOf(email, id), state);
    return this.#shown(email, id);
  }

  of(email: string): JsonObject[] {
    return [...SUBSCRIPTIONS.keys()].map((id) => this.#shown(email, id));
  }

  #shown(email: string, id: number): JsonObject {
    return {
      subscriptionId: id,
      subscriptionName: SUBSCRIPTIONS.get(id),
      subscriberIdString: email,
      channel: 'EMAIL',
      status: this.#states.get(keyOf(email, id)) ?? 'NOT_SPECIFIED',
      timestamp: instant(Date.now()),
    };
  }
}

const keyOf = (email: string, id: number): string => `${email.toLowerCase()} ${id}`;

export function addConsentRoutes(app: FastifyInstance, consents: Consents): void {
  const emailOf = (request: FastifyRequest): string => textOf(objectOf(request.params)['email']) ?? '';
  for (const version of ['v4', '2026-09']) {
    const path = `/communication-preferences/${version}/statuses/:email`;
    app.get(path, async (request) => {
      if (objectOf(request.query)['channel'] !== 'EMAIL') throw invalid('channel must be EMAIL');
      const now = instant(Date.now());
      return { status: 'COMPLETE', results: consents.of(emailOf(request)), startedAt: now, completedAt: now };
    });
    app.post(path, async (request) => {
      const now = instant(Date.now());
      const results = [consents.set(emailOf(request), objectOf(request.body))];
      return { status: 'COMPLETE', results, startedAt: now, completedAt: now };
    });
  }
}
