import type { Answer, JournalCursor } from '#libs/contracts';
import type { DeclaredJournal } from '#libs/platform';
import type { EffectKind } from '#libs/process';
import type { Recipe } from '#libs/recipes';
import { type ChangedRecord, type HubspotAccounts, HubspotJournal, RECORDS_A_PAGE } from '#libs/vendors/hubspot';
import { type ChangeAnswer, CHANGED, type ChangeRequest } from './found.decider';
import { type Keep, keptOf, nothingRead, partOf } from './journal-file';
import { JOURNAL, type LookAnswer, type LookRequest } from './journal.decider';

/** Told how each look at a journal went. */
export interface JournalWatch {
  looked(app: string, answer: Answer<LookAnswer>): void;
}

const LOOK_LIMIT_MS = 10_000;
const READ_LIMIT_MS = 10_000;

/**
 * The calls by which journals are read. Looking uses up nothing of any account's limits; looking a change up shares a
 * call with others of its tenant.
 */
export function journalEffects(
  journals: readonly DeclaredJournal[],
  everyMs: number,
  { hubspot, recipes, watch }: { hubspot: HubspotAccounts; recipes: () => readonly Recipe[]; watch: JournalWatch },
): Record<string, EffectKind> {
  const readers = new Map(journals.map((one) => [one.clientId, { declared: one, client: new HubspotJournal(one) }]));
  const query = { is: 'query', maxRepeats: 0 } as const;
  const read = async (requests: readonly ChangeRequest[], tenant: string, signal: AbortSignal) => {
    const answers = await hubspot.of(tenant).readChanged(requests, signal);
    return requests.map((request, i) => told(request, answers[i]));
  };
  return {
    [JOURNAL]: {
      ...query,
      // Its troubles are no account's, and there is no reason ever to give up.
      vendor: 'hubspot-journal',
      deadlineMs: LOOK_LIMIT_MS,
      maxAttempts: Infinity,
      async perform({ app, cursor }: LookRequest, { signal }) {
        const reader = readers.get(app);
        if (!reader) return UNDECLARED;
        const { client, declared } = reader;
        const keep = keptOf(declared.tenants, recipes());
        const answer = await lookAt(client, cursor, keep, signal);
        watch.looked(app, answer);
        return answer.outcome === 'retry'
          ? { ...answer, afterMs: Math.min(answer.afterMs ?? everyMs, everyMs) }
          : answer;
      },
    },
    [CHANGED]: {
      ...query,
      deadlineMs: READ_LIMIT_MS,
      maxAttempts: 8,
      limits: hubspot.limits(1),
      async perform(request: ChangeRequest, { tenant, signal }) {
        const [answer] = await read([request], tenant, signal);
        return answer ?? told(request, undefined);
      },
      batch: {
        most: RECORDS_A_PAGE,
        perform: (requests: readonly ChangeRequest[], { tenant, signal }) => read(requests, tenant, signal),
      },
    },
  };
}

const UNDECLARED = {
  outcome: 'retry',
  code: 'journal-undeclared',
  message: 'no journal of that app is declared',
  refused: true,
  afterMs: 60_000,
} as const;

function told({ isNew }: ChangeRequest, answer: Answer<ChangedRecord> | undefined): Answer<ChangeAnswer> {
  if (!answer) return { outcome: 'unknown', code: 'not-answered', message: 'the call has no answer for it' };
  return answer.outcome === 'done' ? { ...answer, value: { ...answer.value, isNew } } : answer;
}

async function lookAt(
  client: HubspotJournal,
  cursor: JournalCursor,
  keep: Keep,
  signal: AbortSignal,
): Promise<Answer<LookAnswer>> {
  const now = new Date().toISOString();
  if (cursor.after === 'latest') {
    const answer = await client.latest(signal);
    if (answer.outcome !== 'done') return answer;
    // Where there is nothing yet, all that comes is new.
    return { outcome: 'done', value: { ...nothingRead, cursor: { after: answer.value ?? 'earliest' }, upTo: now } };
  }
  const isEarliest = cursor.after === 'earliest';
  const answer = await (isEarliest ? client.earliest(signal) : client.after(cursor.after, signal));
  if (answer.outcome !== 'done') return answer;
  const { file } = answer.value;
  if (file) return { outcome: 'done', value: partOf(file, cursor, keep) };
  if (isEarliest || answer.value.isKnown) return { outcome: 'done', value: nothingRead };
  const oldest = await client.earliest(signal);
  if (oldest.outcome !== 'done') return oldest;
  const earliest = { after: 'earliest' };
  const { file: first } = oldest.value;
  const value = first ? partOf(first, earliest, keep) : { ...nothingRead, cursor: earliest, upTo: now };
  return { outcome: 'done', value: { ...value, gapTo: first?.publishedAt ?? now } };
}
