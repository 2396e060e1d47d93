import type { Command } from 'commander';
import { type KeptCall, keptCall, keptCalls, tellUnsealed } from '#libs/event-store';
import { loadConfig, OwnKeys, Sealer } from '#libs/platform';
import { byOption } from '../operator';
import { print, UsageError } from '../output';
import { askedAs, openQuestion, QUESTION, type SealedQuestion, sealingConfig } from '../sealed-questions';
import { withStore } from '../store';

/** `refrain reasoning`: what language models were asked and answered, sealed until somebody says why it must be seen. */
export function addReasoning(program: Command): void {
  const reasoning = program
    .command('reasoning')
    .description(
      'what language models were asked about records and what they answered, kept sealed for REASONING_DAYS',
    );
  reasoning
    .command('ls [record]')
    .description('list answers, newest first: of all records, or of one such as contact:101')
    .option('--tenant <name>', 'only of this tenant')
    .option('--limit <number>', 'at most so many', '50')
    .option('--json', 'print as JSON', false)
    .action(ls);
  reasoning
    .command('show <id>')
    .description('one answer with its model, tokens, cost, time and trace; its texts only with --unmask')
    .option('--unmask', 'show what was asked and answered, which is told on call.events.v1', false)
    .option('--why <reason>', 'why it must be seen; kept with who sees it')
    .addOption(byOption())
    .option('--json', 'print as JSON', false)
    .action(show);
}

async function ls(
  subject: string | undefined,
  { tenant, limit, json }: { tenant?: string; limit: string; json: boolean },
): Promise<void> {
  if (!/^[1-9]\d{0,5}$/.test(limit)) throw new UsageError('--limit must be a whole number from 1 on');
  if (subject !== undefined && !/^[^:\s]+:[^:\s]+$/.test(subject))
    throw new UsageError('a record is its type and id, such as contact:101');
  const of = { kind: QUESTION, limit: Number(limit), ...(tenant ? { tenant } : {}), ...(subject ? { subject } : {}) };
  const calls = await withStore((pool) => keptCalls(pool, of));
  const none =
    'Nothing is kept: no question was answered, its days are over, or enrichment-service has no SEALING_KEY.';
  print(json, { calls }, calls.map(lineOf).join('\n') || none);
}

interface ShowOptions {
  unmask: boolean;
  why?: string;
  by: string;
  json: boolean;
}

async function show(id: string, { unmask, why, by, json }: ShowOptions): Promise<void> {
  if (unmask && !why?.trim()) throw new UsageError('--unmask needs --why: it is kept who saw what, and why');
  await withStore(async (pool) => {
    const call = await keptCall(pool, id);
    if (call?.kind !== QUESTION)
      throw new Error(`no answer ${id} is kept; \`refrain reasoning ls\` lists those there are`);
    const { sealed, place, service, ...shown } = call;
    if (!unmask) {
      const hint = `What was asked and answered is sealed; --unmask --why <reason> shows it, and tells so on the log.`;
      print(json, shown, [...detailsOf(shown), hint].join('\n'));
      return;
    }
    const { SEALING_KEY: keys } = loadConfig(sealingConfig, process.env);
    const question = await openQuestion(new Sealer(new OwnKeys(keys)), call);
    await tellUnsealed(pool, [call], { by, why: why?.trim() ?? '' });
    print(json, { ...shown, ...question }, [...detailsOf(shown), ...textsOf(question)].join('\n'));
  });
}

const say = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '-');

const lineOf = ({ id, at, tenant, subjects, facts }: KeptCall): string =>
  [
    id.padStart(6),
    at.toISOString(),
    tenant.padEnd(12),
    (subjects.join(', ') || '-').padEnd(22),
    askedAs(facts).padEnd(20),
    say(facts['answered']).padEnd(14),
    say(facts['finish']).padEnd(8),
    `${say(facts['inputTokens'])} + ${say(facts['outputTokens'])} tokens`,
  ].join('  ');

const detailsOf = ({ id, at, ends, tenant, subjects, attempt, facts }: KeptCall): string[] => [
  `answer ${id} of ${at.toISOString()}, kept until ${ends.toISOString()}`,
  `  about   ${tenant}  ${subjects.join(', ') || 'no record any more'}`,
  `  ask     ${askedAs(facts)}, call ${String(attempt)}`,
  `  model   ${say(facts['answered'])} (asked for ${say(facts['model'])}), ended by ${say(facts['finish'])}`,
  `  cost    ${say(facts['inputTokens'])} tokens in, ${say(facts['outputTokens'])} out, $${say(facts['usd'])}, ${say(facts['tookMs'])} ms`,
  `  trace   ${say(facts['trace'])}`,
];

const textsOf = ({ instruction, text, schema, misfit, answer }: SealedQuestion): string[] => [
  ...['', 'INSTRUCTION', instruction, '', 'TOLD', text, '', 'SCHEMA', JSON.stringify(schema, undefined, 2)],
  ...(misfit === undefined ? [] : ['', 'WHAT DID NOT FIT BEFORE', misfit]),
  ...['', 'ANSWER', answer],
];
