import { setTimeout as pause } from 'node:timers/promises';
import { crmEvents, INPUTS_FREED, recordKey, type ServiceName, wireType } from '#libs/contracts';
import {
  type BatchTransaction,
  Conflict,
  emptyOutcome,
  eraseEffects,
  type Erased,
  eraseMail,
  erasePlans,
  type Erasing,
  eventId,
  inputKeysOf,
  type Pool,
  servicesHolding,
  transact,
} from '#libs/event-store';
import { parkingEvent } from './parking-event';

const MAX_TRIES = 20;

/**
 * Erases what the hub holds of a subject beside its events: what it is owed is cancelled, what waits for it is dropped,
 * receipts lose what was asked and answered, its parked keys are free, and whoever waits for an answer is told `erased`
 * (protocol 26). Each service is one transaction under the exclusive lock of the subject's keys; done again, it finds
 * nothing, and what comes later is decided as usual. With `dryRun` all is counted and nothing is changed. Resolves to
 * what was found, by service; throws {@link Conflict} where a service is too busy with the subject.
 */
export async function eraseSubject(
  pool: Pool,
  { tenant, subject, by, dryRun }: { tenant: string; subject: string; by: string; dryRun: boolean },
): Promise<Record<string, Erased>> {
  const found: Record<string, Erased> = {};
  for (const service of await servicesHolding(pool, tenant, subject)) {
    const inputKeys = await inputKeysOf(pool, service, recordKey(tenant, subject));
    found[service] = await patiently(() => eraseIn(pool, { service, tenant, subject, inputKeys }, by, dryRun));
  }
  return found;
}

/** Whose log tells that a subject was erased. */
const teller: ServiceName = 'crm-writer';

/**
 * Tells that a subject was erased, as an event: read models forget it, now and whenever they are built anew, and whoever
 * copies the topics can. To be told after the erasure; told again, it is one more event.
 */
export async function tellErasure(
  pool: Pool,
  { tenant, subject, by }: { tenant: string; subject: string; by: string },
): Promise<void> {
  const streamId = `erasure-${recordKey(tenant, subject)}`;
  const event = { type: 'SubjectErased', data: { by } };
  await patiently(() =>
    transact(pool, teller, [recordKey(tenant, subject)], async (tx) => {
      const { streams } = await tx.read({ marks: [], undated: [], inputKeys: [], streams: [streamId] });
      const version = (streams.get(streamId)?.length ?? 0) + 1;
      const id = eventId(streamId, version);
      const meta = { rootCause: id, causedBy: by };
      const told = { streamId, version, tenant, subject, type: wireType(crmEvents, event), data: event.data, meta };
      await tx.write({ ...emptyOutcome(), events: [told] });
    }),
  );
}

/** Takes back a dry run. */
class OnlyCounted extends Error {
  constructor(readonly found: Erased) {
    super('only counted');
    this.name = 'OnlyCounted';
  }
}

async function eraseIn(pool: Pool, erasing: Erasing, by: string, dryRun: boolean): Promise<Erased> {
  try {
    return await transact(pool, erasing.service, erasing.inputKeys, async (tx) => {
      const found = await erase(tx, erasing, by);
      if (dryRun) throw new OnlyCounted(found);
      return found;
    });
  } catch (thrown) {
    if (thrown instanceof OnlyCounted) return thrown.found;
    throw thrown;
  }
}

async function erase(tx: BatchTransaction, erasing: Erasing, by: string): Promise<Erased> {
  // Effects first: from then on no call of theirs can be settled, and no answer comes to the mailbox any more.
  const effects = await eraseEffects(tx, erasing);
  const mail = await eraseMail(tx, erasing);
  for (const inputKey of mail.freed) await announce(tx, erasing, inputKey, mail.dropped, by);
  const planned = await erasePlans(tx, erasing);
  return { ...effects, outcomes: mail.outcomes, inputs: mail.dropped.length, freed: mail.freed.length, planned };
}

function announce(
  tx: BatchTransaction,
  { service }: Erasing,
  inputKey: string,
  dropped: { inputKey: string; key: string }[],
  by: string,
): Promise<void> {
  const inputs = dropped.filter((input) => input.inputKey === inputKey).map(({ key }) => key);
  const data = { service, inputKey, how: 'erased', inputs, by };
  return parkingEvent(tx, service, inputKey, INPUTS_FREED, data, { rootCause: inputKey, causedBy: by });
}

// A claim or a sweep may hold rows in another order: whoever is told of a deadlock tries again.
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Conflict) || tries === MAX_TRIES) throw error;
      await pause(Math.random() * 10 * tries);
    }
  }
}
