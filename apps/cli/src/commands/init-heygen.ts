import type { Command } from 'commander';
import type { Answer } from '#libs/contracts';
import { loadConfig } from '#libs/platform';
import { HeygenEndpoints, type WebhookEndpoint } from '#libs/vendors/heygen';
import { heygenConfig, publicConfig } from '../cli.config';
import { type EndpointChange, type EndpointPlan, endpointPlan } from '../heygen-endpoint';
import { print, UsageError } from '../output';
import { SecretFile } from '../secret-file';
import { patiently } from '../webhook-changes';

interface Options {
  url?: string;
  secretFile?: string;
  rotate: boolean;
  yes: boolean;
  dryRun: boolean;
  json: boolean;
}

/** `refrain init heygen`: the endpoint that HeyGen calls when a video is ready, and its secret. */
export function addInitHeygen(init: Command): void {
  init
    .command('heygen')
    .description(
      'register the gateway at HeyGen for the ends of videos, or make its endpoint a new secret; shows what would be done ' +
        'first, and deletes nothing. HeyGen tells a secret once: it is written to a new file, and printed nowhere. The ' +
        'key is read from HEYGEN_API_KEY or HEYGEN_API_KEY_FILE',
    )
    .option('--url <url>', 'address under which HeyGen calls the gateway; PUBLIC_URL unless said')
    .option(
      '--secret-file <file>',
      'where the secret is written: a file that is not there yet; where the gateway looks for its next one',
    )
    .option('--rotate', 'make a new secret; the old one is good no more at HeyGen from that moment on', false)
    .option('--yes', 'do it; without it nothing is changed', false)
    .option('--dry-run', 'change nothing, also with --yes', false)
    .option('--json', 'print what would be done, and what came of it, as JSON, without the secret', false)
    .action(manage);
}

async function manage({ url: said, secretFile, rotate, yes, dryRun, json }: Options): Promise<void> {
  const { HEYGEN_BASE_URL: baseUrl, HEYGEN_API_KEY: apiKey } = loadConfig(heygenConfig, process.env);
  const url = endpointUrl(said, baseUrl);
  const heygen = new HeygenEndpoints({ baseUrl, apiKey });
  const plan = endpointPlan(told(await patiently((signal) => heygen.list(signal)), 'list', url), { url, rotate });
  const done = yes && !dryRun && plan.changes.length > 0;
  const bringsSecret = plan.changes.some(({ change }) => change !== 'choose');
  if (done) await carryOut(heygen, plan, bringsSecret ? newFile(secretFile) : undefined);
  const kept = done && bringsSecret ? { secretFile } : {};
  print(json, { ...plan, ...kept, done }, textOf(plan, kept.secretFile, done));
}

/** The gateway's door, over https as HeyGen asks for; where HeyGen itself is stood in for without, so may the gateway be. */
function endpointUrl(said: string | undefined, heygen: string): string {
  const url = said ?? loadConfig(publicConfig, process.env).PUBLIC_URL;
  const allowed = heygen.startsWith('https:') ? ['https:'] : ['https:', 'http:'];
  if (url !== undefined && URL.canParse(url) && allowed.includes(new URL(url).protocol))
    return `${url.replace(/\/+$/, '')}/webhooks/heygen`;
  throw new UsageError("HeyGen calls https addresses alone: give the gateway's with --url, or set PUBLIC_URL");
}

function newFile(path: string | undefined): SecretFile {
  if (path !== undefined) return SecretFile.make(path);
  throw new UsageError('HeyGen will tell a secret, once: say with --secret-file where it is to be written');
}

async function carryOut(heygen: HeygenEndpoints, { url, changes }: EndpointPlan, file: SecretFile | undefined) {
  for (const change of changes) {
    const answer = await patiently((signal) => perform(heygen, change, signal));
    const secret = answer.outcome === 'done' ? answer.value.secret : undefined;
    if (change.change === 'choose') {
      if (answer.outcome !== 'done') file?.drop();
    } else if (secret === undefined) file?.drop();
    // Nothing stands between its coming and its being kept.
    else keep(file, secret, change);
    told(answer, change.change, url);
    if (change.change !== 'choose' && secret === undefined)
      throw new Error(`HeyGen told no secret of ${url}: make a new one with --rotate`);
  }
}

function keep(file: SecretFile | undefined, secret: string, { change }: EndpointChange): void {
  try {
    file?.keep(secret);
  } catch (error) {
    const was = change === 'rotate' ? 'the old one is good no more' : 'the endpoint is registered';
    throw new Error(
      `${(error as Error).message}: the new secret is lost, and ${was}; make another at once with --rotate and a file ` +
        'elsewhere. HeyGen repeats for a day what is refused meanwhile',
      { cause: error },
    );
  }
}

function perform(
  heygen: HeygenEndpoints,
  change: EndpointChange,
  signal: AbortSignal,
): Promise<Answer<WebhookEndpoint>> {
  switch (change.change) {
    case 'register':
      return heygen.register(change.url, change.events, signal);
    case 'choose':
      return heygen.choose(change.id, change.events, signal);
    case 'rotate':
      return heygen.rotate(change.id, signal);
  }
}

type Call = 'list' | EndpointChange['change'];
type Refusal = Exclude<Answer, { outcome: 'done' }>;

function told<T>(answer: Answer<T>, call: Call, url: string): T {
  if (answer.outcome === 'done') return answer.value;
  throw new Error(sentence(answer, call, url));
}

const NO_KEY = ['unauthorized', 'http-401'];

function sentence({ outcome, code, message }: Refusal, call: Call, url: string): string {
  if (NO_KEY.includes(code)) return 'HeyGen does not take the key (HEYGEN_API_KEY)';
  if (call === 'register' && code === 'invalid_parameter')
    return (
      `HeyGen does not take ${url}: ${message}. It asks the address by OPTIONS and waits one second: let the gateway run, ` +
      'its proxy let OPTIONS through and answer fast, and its certificate be one that strict clients take (RSA of 2048 bits ' +
      'or more, with its chain)'
    );
  if (outcome !== 'unknown') return `HeyGen said ${code}: ${message}`;
  const after: Record<Call, string> = {
    list: 'nothing was changed',
    register: 'it may be registered; run this again: what is there by then is given a secret by --rotate',
    choose: 'it may have been done; run this again',
    rotate: 'the old secret may be good no more; run this again at once',
  };
  return `HeyGen gave no usable answer (${code}): ${after[call]}`;
}

function textOf({ url, changes, others }: EndpointPlan, secretFile: string | undefined, done: boolean): string {
  return [
    `Endpoint ${url}`,
    ...changes.map(wordsOf),
    ...others.map(({ id, url }) => `! HeyGen also calls ${url} (${id}): it is left as it is`),
    ...(secretFile === undefined ? [] : [`The secret stands in ${secretFile}: let the gateway accept it (${NEXT})`]),
    changes.length === 0 ? 'It is as it should be.' : done ? 'Done.' : 'Nothing was changed; --yes does it.',
  ].join('\n');
}

const NEXT = 'HEYGEN_WEBHOOK_NEXT_SECRET_FILE, or nextSecretFile of its connection';

function wordsOf(change: EndpointChange): string {
  switch (change.change) {
    case 'register':
      return `+ register it for ${change.events.join(', ')}`;
    case 'choose':
      return `~ let it be called for ${change.events.join(', ')}`;
    case 'rotate':
      return '~ make a new secret; what HeyGen signs by it before the gateway has it is refused, and repeated by HeyGen';
  }
}
