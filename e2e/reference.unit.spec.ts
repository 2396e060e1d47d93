import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import specs from '@asyncapi/specs';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';
import { messages, topics } from '#libs/contracts';

interface AsyncApi {
  channels: Record<string, { address: string; messages: Record<string, { $ref: string }> }>;
  components: { messages: Record<string, { name: string; payload: object; headers: object }> };
}

const root = join(__dirname, '..');
const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');
const ajv = addFormats(new Ajv({ strict: false, allErrors: true }));
const asyncApi = parse(textOf('docs/reference/asyncapi.yaml')) as AsyncApi;

describe('docs/reference/asyncapi.yaml', () => {
  it('is an AsyncAPI 3.0 document', () => {
    const isAsyncApi = ajv.compile(specs.schemasWithoutId['3.0.0'] as object);
    isAsyncApi(asyncApi);
    expect(isAsyncApi.errors ?? []).toEqual([]);
    expect(isAsyncApi({ ...asyncApi, channels: { render: { address: 1 } } })).toBe(false);
  });

  it('has a channel for every topic, with all its messages', () => {
    const found = Object.values(asyncApi.channels).map(({ address, messages: refs }) => ({
      address,
      types: Object.values(refs).map(({ $ref }) => asyncApi.components.messages[$ref.split('/').at(-1) ?? '']?.name),
    }));
    const wanted = topics.map(({ name }) => ({
      address: name,
      types: messages.filter((message) => message.topic === name).map((message) => message.wire),
    }));
    expect(found).toEqual(wanted);
  });

  it.each(Object.entries(asyncApi.components.messages))('has a usable schema of %s', (_, { payload }) => {
    expect(ajv.validateSchema(payload)).toBe(true);
  });
});

const schemas = { '.cases.yaml': 'recipe-cases', '.rows.yaml': 'ask-rows' };
it.each(globSync('{recipes,asks}/*.yaml', { cwd: root }))('%s fits its published schema', (file) => {
  const [, named] = Object.entries(schemas).find(([end]) => file.endsWith(end)) ?? [];
  const schema = named ?? (file.startsWith('asks') ? 'ask' : 'recipe');
  const fits = ajv.compile(JSON.parse(textOf(`docs/reference/${schema}.schema.json`)) as object);
  fits(parse(textOf(file)));
  expect(fits.errors ?? []).toEqual([]);
  expect(fits({ recipe: 'Not a name' })).toBe(false);
});

it.each([
  [
    'endpoints',
    'receive-other-webhooks',
    { endpoint: 'one', source: 'one', authentication: [{ scheme: 'github', secret: 'x' }] },
  ],
  ['connections', 'connect-hubspot-and-heygen', { door: 'heygen', secret: 'x' }],
  ['tenants', 'connect-several-accounts', { tenant: 'acme', hubspot: { token: 'x', tier: 'starter' } }],
  ['systems', 'fetch-from-other-systems', { system: 'billing', url: 'https://billing.example', secret: 'x' }],
])('the %s that the guide shows fit the published schema', (name, guide, wrong) => {
  const fits = ajv.compile(JSON.parse(textOf(`docs/reference/${name}.schema.json`)) as object);
  const blocks = textOf(`docs/how-to/${guide}.md`).matchAll(/```yaml\n(.*?)```/gs);
  const shown = [...blocks].map(([, yaml = '']) => parse(yaml) as unknown);
  expect(shown.length).toBeGreaterThan(0);
  for (const declared of shown) expect([fits(declared), fits.errors ?? []]).toEqual([true, []]);
  expect(fits([wrong])).toBe(false);
});

it('.env.example sets nothing', () => {
  const set = textOf('.env.example').split('\n');
  expect(set.filter((line) => line !== '' && !line.startsWith('#'))).toEqual([]);
});

it('every test that the guarantees name is there', () => {
  const guarantees = readFileSync(join(root, 'docs/explanation/guarantees.md'), 'utf8');
  const named = [...guarantees.matchAll(/`([\w./-]+\.spec\.ts)`/g)].map(([, file = '']) => file);
  expect(named.length).toBeGreaterThan(0);
  expect(named.filter((file) => !existsSync(join(root, file)))).toEqual([]);
});
