import { parseArgs } from 'node:util';
import type { FastifyInstance } from 'fastify';
import { seededRandom, type Random } from './frame/seeded-random.ts';
import { SettingsReader } from './settings.ts';

const HELP = `Usage: node sandbox/src/main.ts --vendor hubspot|heygen|openai [options]

  --vendor NAME   which vendor to stand in for
  --port N        port to listen on; 0 (the default) takes a free one
  --host ADDRESS  address to listen on (default 127.0.0.1)
  --seed N        the same random ids on every start
  --help          this text

Settings come from the environment; each secret also as NAME_FILE:
  hubspot  HUBSPOT_CLIENT_SECRET HUBSPOT_APP_ID HUBSPOT_ACCESS_TOKEN HUBSPOT_PORTAL_ID [HUBSPOT_DEVELOPER_KEY] [RETRY_SCALE] [RECORD_PAGE_DIR]
  heygen   HEYGEN_API_KEY HEYGEN_WEBHOOK_SECRET [RENDER_MS] [SUBMIT_MS] [RETRY_SCALE] [SANDBOX_PUBLIC_URL]
  openai   OPENAI_API_KEY [LATENCY_MS]
  hubspot and heygen: [WEBHOOK_TARGET_URL] [WEBHOOK_DELIVER_TO]
`;

type Start = (settings: SettingsReader, random: Random) => (() => FastifyInstance) | undefined;

const VENDORS: Record<string, () => Promise<Start>> = {
  hubspot: async () => (await import('./hubspot/server.ts')).hubspotFrom,
  heygen: async () => (await import('./heygen/server.ts')).heygenFrom,
  openai: async () => (await import('./openai/server.ts')).openaiFrom,
};

function quit(code: number, message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}

function options() {
  try {
    return parseArgs({
      options: {
        vendor: { type: 'string' },
        port: { type: 'string', default: '0' },
        host: { type: 'string', default: '127.0.0.1' },
        seed: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    return quit(2, `${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
  }
}

const { vendor, port, host, seed, help } = options();
if (help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const load = vendor === undefined || !Object.hasOwn(VENDORS, vendor) ? undefined : VENDORS[vendor];
if (load === undefined) quit(2, `--vendor must be one of ${Object.keys(VENDORS).join(', ')}\n\n${HELP}`);
if (!/^\d+$/.test(port) || Number(port) > 65_535) quit(2, '--port must be a number from 0 to 65535');
if (seed !== undefined && !/^\d+$/.test(seed)) quit(2, '--seed must be a whole number');

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0));

const settings = new SettingsReader(process.env);
const start = (await load())(settings, seededRandom(seed === undefined ? undefined : Number(seed)));
if (start === undefined)
  quit(1, `The ${vendor} sandbox cannot start:\n${settings.faults.map((fault) => `  - ${fault}`).join('\n')}`);
const app = start();
try {
  await app.listen({ port: Number(port), host });
} catch (error) {
  quit(1, `cannot listen on ${host}:${port}: ${error instanceof Error ? error.message : String(error)}`);
}
const address = app.server.address();
const shownHost = host.includes(':') ? `[${host}]` : host;
process.stdout.write(
  `${JSON.stringify({ vendor, url: `http://${shownHost}:${typeof address === 'object' ? address?.port : port}` })}\n`,
);
