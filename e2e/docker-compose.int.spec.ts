import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv, promisify } from 'node:util';

const root = join(__dirname, '..');

/** The Compose Specification's own loader: schema, interpolation, merging and consistency, as `docker compose` does. */
const loader = 'github.com/compose-spec/compose-go/v2/cmd@v2.16.2';

interface Project {
  services: Record<
    string,
    {
      image: string;
      environment?: Record<string, string | null>;
      profiles?: string[];
      ports?: { host_ip?: string }[];
      depends_on?: Record<string, { condition: string }>;
      healthcheck?: object;
    }
  >;
}

/** Loads docker-compose.yml with the given settings; throws with the loader's reason when it refuses the file. */
async function load(settings: Record<string, string | undefined> = {}): Promise<Project> {
  const { PATH, HOME, GOPROXY, GOFLAGS, GOSUMDB, GOCACHE, GOPATH } = process.env;
  const env = { PATH, HOME, GOPROXY, GOFLAGS, GOSUMDB, GOCACHE, GOPATH, ...settings } as NodeJS.ProcessEnv;
  const options = { cwd: root, env, maxBuffer: 16 * 1024 * 1024 };
  const { stdout } = await promisify(execFile)(
    'go',
    ['run', loader, '--format', 'json', 'docker-compose.yml'],
    options,
  );
  return JSON.parse(stdout) as Project;
}

function hasGo(): boolean {
  try {
    execFileSync('go', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

// The loader is a Go program. Where Go is missing the checks are shown as skipped; CI has it.
const describeWithGo = hasGo() || process.env.CI ? describe : describe.skip;

describeWithGo('docker-compose.yml, as the Compose Specification reads it', () => {
  let project: Project;
  beforeAll(async () => {
    project = await load(parseEnv(readFileSync(join(root, 'deploy/demo.env'), 'utf8')));
  }, 300_000);

  it('is accepted with no setting at all, since npm start uses its broker and database that way', async () => {
    const { services } = await load();
    expect(services.kafka?.image).toBe('apache/kafka:4.3.1');
    expect(services.postgres?.image).toBe('postgres:18.4');
  });

  it('publishes every port on loopback only', () => {
    const ports = Object.values(project.services).flatMap(({ ports }) => ports ?? []);
    expect(ports.length).toBeGreaterThan(4);
    expect(ports.filter(({ host_ip }) => host_ip !== '127.0.0.1')).toEqual([]);
  });

  it('starts the services once the stores are healthy and the setup is done', () => {
    for (const name of ['gateway', 'render-service', 'enrichment-service', 'crm-writer', 'crm-reader']) {
      expect(project.services[name]?.depends_on).toMatchObject({
        setup: { condition: 'service_completed_successfully' },
        kafka: { condition: 'service_healthy' },
        postgres: { condition: 'service_healthy' },
      });
      expect(project.services[name]?.healthcheck).toBeDefined();
    }
  });

  it('pins every image to a version', () => {
    const images = Object.values(project.services).map(({ image }) => image);
    expect(images.filter((image) => !/:\d+\.\d+(\.\d+)?$/.test(image))).toEqual([]);
  });

  it('gives the vendor keys only to the services that use them', () => {
    const holders = (name: string) =>
      Object.entries(project.services)
        .filter(([, { profiles }]) => !profiles?.includes('demo'))
        // What is given as empty is not given.
        .filter(([, { environment = {} }]) => name in environment && environment[name] !== '')
        .map(([service]) => service)
        .sort();
    expect(holders('HUBSPOT_CLIENT_SECRET')).toEqual(['gateway']);
    expect(holders('HEYGEN_WEBHOOK_SECRET')).toEqual(['gateway']);
    expect(holders('HEYGEN_API_KEY')).toEqual(['render-service']);
    expect(holders('VIDEO_LINK_KEY')).toEqual(['render-service']);
    expect(holders('OPENAI_API_KEY')).toEqual(['enrichment-service']);
    expect(holders('HUBSPOT_ACCESS_TOKEN')).toEqual([
      'crm-reader',
      'crm-writer',
      'enrichment-service',
      'render-service',
    ]);
  });
});
