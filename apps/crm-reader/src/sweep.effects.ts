import type { Answer, SweepCursor } from '#libs/contracts';
import type { EffectKind } from '#libs/process';
import type { CountRequest, HubspotAccounts, RecordPage, Where } from '#libs/vendors/hubspot';
import type { PageAnswer, PageRequest } from './leg.decider';
import type { ShapeRequest } from './shape.decider';

const DEADLINE_MS = 10_000;

/** crm-reader's calls: all of them only read. They wait behind everything else that is owed to HubSpot. */
export function sweepEffects(hubspot: HubspotAccounts): Record<string, EffectKind> {
  const query = { is: 'query', deadlineMs: DEADLINE_MS, maxAttempts: 8, maxRepeats: 0 } as const;
  return {
    'hubspot.list': {
      ...query,
      // The first page is counted beside.
      limits: hubspot.limits({ calls: 1, searches: 1 }),
      perform: ({ object, properties, cursor, ...about }: PageRequest, call) =>
        answered(
          hubspot.of(call.tenant).list({ object, properties, after: cursor.afterId }, call.signal),
          cursor,
          about.about,
        ),
    },
    'hubspot.search': {
      ...query,
      limits: hubspot.limits({ calls: 1, searches: 1 }),
      perform: ({ object, properties, cursor, between, about }: PageRequest, call) =>
        answered(
          hubspot.of(call.tenant).search({ object, properties, where: whereOf(cursor, between) }, call.signal),
          cursor,
          about,
        ),
    },
    'hubspot.count': {
      ...query,
      limits: hubspot.limits({ searches: 1 }),
      perform: (request: CountRequest, call) => hubspot.of(call.tenant).count(request, call.signal),
    },
    'hubspot.shape': {
      ...query,
      // The properties and the pipelines of a type; or a thousand owners, a hundred a call.
      limits: hubspot.limits({ calls: 10 }),
      perform: ({ part }: ShapeRequest, call) => hubspot.of(call.tenant).shape(part, call.signal),
    },
  };
}

/** What was read already is left out; the answer says what it was asked for, since records are told it too. */
async function answered(
  page: Promise<Answer<RecordPage>>,
  { seen = [] }: SweepCursor,
  about: PageRequest['about'],
): Promise<Answer<PageAnswer>> {
  const answer = await page;
  if (answer.outcome !== 'done') return answer;
  const { rows, records, ...rest } = answer.value;
  const isNew = ({ id }: { id: string }) => !seen.includes(id);
  return { ...answer, value: { ...rest, rows, records: records.filter(isNew), about } };
}

function whereOf({ modifiedFrom, modifiedAt, afterId = '0' }: SweepCursor, between: PageRequest['between']): Where {
  if (between) return { ...between, afterId };
  return modifiedAt === undefined ? { modifiedFrom: modifiedFrom ?? '' } : { modifiedAt, afterId };
}
