// What answers cost of OpenAI's time: how busy two replicas of enrichment-service keep a model that takes 5 s for an answer,
// 50 at once, whether what comes in waits for it, and whether equal questions are paid for once. OpenAI's stand-in is the
// judge. `--records N` asks N different questions; a fifth of what comes in repeats another one.
import { Topic } from '#libs/contracts';
import { changeOf, contactsOf } from './support/crm.mts';
import { place, type Place } from './support/place.mts';
import { untilDone } from './support/progress.mts';
import type { Figure } from '../scripts/bench/main.mts';

const QUESTIONS = 2_000;
const AT_ONCE = 50;
const ANSWER_S = 5;
const REPEATED = 0.2;
/** Calls in ten seconds of a Professional account. */
const HUBSPOT = 190;
/** By then all that came in at first has been taken in. */
const TAKEN_IN_MS = 30_000;

type Both = Place<'hubspot' | 'openai'>;

/** Asks all questions at once, and measures until the last answer. */
export async function suite(
  infra: { kafkaBrokers: string; databaseUrl: string },
  figure: (f: Figure) => void,
  { records: questions = QUESTIONS }: { records?: number } = {},
): Promise<void> {
  const triggers = Math.round(questions / (1 - REPEATED));
  const at = await place(infra, {
    vendors: ['hubspot', 'openai'],
    services: { 'enrichment-service': 2 },
    settings: {
      HUBSPOT_PER_TEN_SECONDS: String(HUBSPOT),
      OPENAI_AT_ONCE: String(AT_ONCE),
      OPENAI_PER_MINUTE: '10000',
      LATENCY_MS: String(ANSWER_S * 1_000),
    },
    recipes: 'bench/enrich/recipes',
  });
  try {
    const { hubspot } = at.sandboxes;
    await hubspot.control('PUT', '/rate-limit', { perTenSeconds: HUBSPOT });
    const contacts = await contactsOf(hubspot, triggers, (i) => ({ company: `Company ${i % questions}` }));
    const changed = { property: 'lifecyclestage', value: 'marketingqualifiedlead' };
    const began = Date.now();
    await at.publish(contacts.map((contact, i) => changeOf(contact, i, changed, began)));
    for (const one of await measured(at, questions, triggers, began)) figure(one);
  } finally {
    await at.stop();
  }
}

async function measured(at: Both, questions: number, triggers: number, began: number): Promise<Figure[]> {
  const { longestMs, most } = await allAnswered(at, questions, began);
  const calls = (await at.sandboxes.openai.calls()).filter(({ path }) => path === '/v1/chat/completions');
  const starts = calls.map((call) => Date.parse(call.at));
  const ends = calls.map((call) => Date.parse(call.at) + (call.durationMs ?? 0));
  const took = (Math.max(...ends) - Math.min(...starts)) / 1_000;
  const least = (questions / AT_ONCE) * ANSWER_S;
  const { calls: billed } = await at.sandboxes.openai.control<{ calls: number }>('GET', '/billing');
  return [
    {
      suite: 'enrich',
      name: 'OpenAI kept busy, two replicas',
      value: Number(took.toFixed(1)),
      unit: 's',
      against: `${questions} answers of ${ANSWER_S} s, ${AT_ONCE} at once, take ${least} s at least`,
      ratio: Number((least / took).toFixed(3)),
      target: '>= 0.95',
      ok: least / took >= 0.95,
    },
    {
      suite: 'enrich',
      name: 'billed answers',
      value: billed,
      unit: 'answers',
      against: `${questions} different questions of ${triggers}`,
      ratio: billed / questions,
      target: '= 1',
      ok: billed === questions,
    },
    {
      suite: 'enrich',
      name: `longest time that consumers were behind while the model answers, from ${TAKEN_IN_MS / 1_000} s on`,
      value: Number((longestMs / 1_000).toFixed(1)),
      unit: 's',
      against: `an answer takes ${ANSWER_S} s; at most ${most} records, ${AT_ONCE} answers end together`,
      ratio: Number((longestMs / 1_000 / ANSWER_S).toFixed(2)),
      target: '< 1',
      ok: longestMs < ANSWER_S * 1_000,
    },
  ];
}

/**
 * Waits until all is answered, or nothing moves any more. Resolves to the longest time between two looks that found
 * consumers not behind, and to the most records of any look.
 */
async function allAnswered(at: Both, questions: number, began: number): Promise<{ longestMs: number; most: number }> {
  const lag = at.lagOf(['enrichment-service'], [Topic.ingressHubspot, Topic.enrichment]);
  let [caughtUp, longestMs, most] = [began + TAKEN_IN_MS, 0, 0];
  try {
    await untilDone(async (stillMs) => {
      const { calls: billed } = await at.sandboxes.openai.control<{ calls: number }>('GET', '/billing');
      const behind = await lag.read();
      if (Date.now() > caughtUp) {
        most = Math.max(most, behind);
        if (behind > 0) longestMs = Math.max(longestMs, Date.now() - caughtUp);
        else caughtUp = Date.now();
      }
      return {
        share: billed / questions,
        says: `${billed} of ${questions} asked, ${behind} records behind`,
        moved: billed,
        // The last ones are answered one answer later; one too many would be asked by then.
        isDone: billed >= questions && stillMs > 2_000 * ANSWER_S,
      };
    });
  } finally {
    await lag.close();
  }
  return { longestMs, most };
}
