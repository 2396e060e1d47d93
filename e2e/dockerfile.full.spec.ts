import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(__dirname, '..');
const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8');
const apps = ['gateway', 'render-service', 'enrichment-service', 'crm-writer', 'crm-reader'];

/** Returns the words of an instruction in exec form, such as CMD ["gateway"], exactly as Docker would take them. */
function instruction(name: string): string[] {
  const line = new RegExp(`^${name} (\\[.*\\])$`, 'm').exec(dockerfile);
  if (!line) throw new Error(`The Dockerfile has no ${name} in exec form`);
  return JSON.parse(line[1] as string) as string[];
}

function run(command: string, args: string[], cwd: string): Promise<{ code: number | null; output: string }> {
  // No NODE_ENV or KAFKA_BROKERS of the test run may reach what is tested.
  const env = { PATH: process.env.PATH, HOME: process.env.HOME } as NodeJS.ProcessEnv;
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 300_000 });
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr.on('data', (data: Buffer) => (output += data.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}

describe("the Dockerfile's start command, from pruned dependencies", () => {
  let image: string;
  beforeAll(async () => {
    image = mkdtempSync(join(tmpdir(), 'refrain-image-'));
    const card = 'deploy/hubspot-app/src/app/cards';
    for (const part of ['package.json', 'package-lock.json', '.npmrc', 'dist', 'recipes', 'asks', 'sandbox', card]) {
      cpSync(join(root, part), join(image, part), {
        recursive: true,
        filter: (path) => !path.includes('node_modules'),
      });
    }
    const installed = await run('npm', ['ci', '--omit=dev'], image);
    if (installed.code !== 0) throw new Error(`npm ci --omit=dev failed:\n${installed.output}`);
  }, 300_000);
  afterAll(() => rmSync(image, { recursive: true, force: true }));

  it.each(apps)('starts %s, which names every missing setting at once and exits 1', async (app) => {
    const [command, ...args] = instruction('ENTRYPOINT');
    const { code, output } = await run(command as string, [...args, app], image);
    expect(output).toContain(`${app}: The configuration has`);
    expect(output).toContain('KAFKA_BROKERS: is missing');
    expect(code).toBe(1);
  });

  it('starts the gateway when no app is named', () => {
    expect(instruction('CMD')).toEqual(['gateway']);
  });

  it('starts the command line', async () => {
    const [command, ...args] = instruction('ENTRYPOINT');
    const { code, output } = await run(command as string, [...args, 'cli', '--help'], image);
    expect(output).toContain('Usage: refrain');
    expect(code).toBe(0);
  });

  it('writes the project of a HubSpot app with its card', async () => {
    const [command, ...args] = instruction('ENTRYPOINT');
    const init = ['cli', 'init', 'hubspot-app', '--out', 'my-app', '--url', 'https://hub.example.com'];
    const { code, output } = await run(command as string, [...args, ...init, '--recipes', 'recipes'], image);
    expect(output).toContain('my-app/src/app/cards/record-card.tsx: new');
    expect(code).toBe(0);
  });

  it('starts the sandboxes', async () => {
    const { code, output } = await run('node', ['sandbox/src/main.ts', '--help'], image);
    expect(output).toContain('--vendor');
    expect(code).toBe(0);
  });
});
