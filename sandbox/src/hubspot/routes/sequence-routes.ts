import type { FastifyInstance, FastifyRequest } from 'fastify';
import { objectOf, textOf, type JsonObject } from '../../frame/json.ts';
import type { Crm } from '../crm/crm.ts';
import { instant, objectType } from '../crm/object-types.ts';
import { forbidden, invalid, missing } from '../errors.ts';

/** Which contacts are enrolled in which sequence. */
export class Sequences {
  /** Whether the account's users have the seats that enrolling needs. */
  seats = true;
  readonly #enrolments = new Map<string, JsonObject>();
  #next = 2_435_404_601;

  of(contact: string): JsonObject | undefined {
    return this.#enrolments.get(contact);
  }

  enrol(contact: string, sequenceId: string, userId: string, sender: string, toEmail: string): JsonObject {
    if (this.#enrolments.has(contact)) throw invalid(`Contact ${contact} is already enrolled in a sequence`);
    const now = instant(Date.now());
    const id = String(this.#next++);
    const enrolment = { id, toEmail, enrolledAt: now, updatedAt: now };
    const by = { enrolledBy: userId, enrolledByEmail: sender, sequenceId, sequenceName: `Sequence ${sequenceId}` };
    this.#enrolments.set(contact, { ...enrolment, ...by });
    return enrolment;
  }
}

const ROOTS = ['/automation/v4/sequences', '/automation/sequences/2026-03', '/automation/sequences/2026-09'];

export function addSequenceRoutes(app: FastifyInstance, crm: Crm, sequences: Sequences): void {
  const contactOf = (id: string) => {
    const contact = crm.records.find(objectType('contacts'), id);
    if (contact === undefined) throw missing(id);
    return contact;
  };
  const admit = (): void => {
    if (!sequences.seats) throw forbidden('automation.sequences.enrollments.write');
  };
  for (const root of ROOTS) {
    app.post(`${root}/enrollments`, async (request: FastifyRequest) => {
      admit();
      const body = objectOf(request.body);
      const [sequence, sender] = [textOf(body['sequenceId']), textOf(body['senderEmail'])];
      const user = textOf(objectOf(request.query)['userId']);
      if (!user) throw invalid('userId is required');
      if (!sequence || !sender) throw invalid('sequenceId and senderEmail are required');
      const contact = contactOf(textOf(body['contactId']) ?? '');
      const to = contact.properties.get('email');
      if (!to) throw invalid(`Contact ${contact.id} has no email`);
      return sequences.enrol(contact.id, sequence, user, sender, to);
    });
    app.get(`${root}/enrollments/contact/:contactId`, async (request: FastifyRequest) => {
      admit();
      const { id } = contactOf(textOf(objectOf(request.params)['contactId']) ?? '');
      const found = sequences.of(id);
      if (found === undefined) throw missing(id);
      return found;
    });
  }
}
