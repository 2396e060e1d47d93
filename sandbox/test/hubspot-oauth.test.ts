import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { seededRandom } from '../src/frame/seeded-random.ts';
import { createHubspot } from '../src/hubspot/server.ts';
import { listening, type Sandbox } from './harness.ts';

let hubspot: Sandbox;

before(async () => {
  const app = { clientSecret: 'test-secret', appId: 54321, accessToken: 'test-token', portalId: 62515 };
  hubspot = await listening(createHubspot({ ...app, retryScale: 0.01, random: seededRandom(7) }));
});
after(() => hubspot[Symbol.asyncDispose]());

const back = 'https://hub.example.test/oauth/hubspot/callback';
const verifier = 'a'.repeat(43);
const challenge = createHash('sha256').update(verifier).digest('base64url');
const client = { client_id: 'client-54321', client_secret: 'test-secret' };

async function authorize(over: Record<string, string> = {}) {
  const asked = { client_id: client.client_id, redirect_uri: back, scope: 'oauth tickets', state: 's1' };
  const pkce = { code_challenge: challenge, code_challenge_method: 'S256' };
  const query = new URLSearchParams({ ...asked, ...pkce, ...over });
  const answer = await fetch(`${hubspot.url}/oauth/authorize?${String(query)}`, { redirect: 'manual' });
  const location = answer.headers.get('location');
  return { status: answer.status, query: location === null ? undefined : new URL(location).searchParams };
}
const codeOf = async (over: Record<string, string> = {}) => (await authorize(over)).query?.get('code') ?? '';
const exchange = (code: string, over: Record<string, string> = {}) =>
  form('token', {
    ...{ grant_type: 'authorization_code', code, redirect_uri: back, code_verifier: verifier },
    ...client,
    ...over,
  });
async function form(path: string, fields: Record<string, string>): Promise<{ status: number; body: any }> {
  const options = { method: 'POST', body: new URLSearchParams(fields) };
  const answer = await fetch(`${hubspot.url}/oauth/2026-09/${path}`, options);
  return { status: answer.status, body: await answer.json() };
}

describe('an installation', () => {
  it('gives tokens of the account that the person chose, for what was granted', async () => {
    const { query } = await authorize({ portal: '62516', optional_scope: 'timeline automation', lacks: 'timeline' });
    assert.equal(query?.get('state'), 's1');
    const { body } = await exchange(query?.get('code') ?? '');
    assert.deepEqual([body.hub_id, body.scopes], [62516, ['oauth', 'tickets', 'automation']]);
    const { body: said } = await form('token/introspect', { token: body.access_token, ...client });
    assert.deepEqual([said.hub_id, said.app_id, said.scopes], [62516, 54321, ['oauth', 'tickets', 'automation']]);
    const again = await form('token', { grant_type: 'refresh_token', refresh_token: body.refresh_token, ...client });
    assert.equal(again.body.hub_id, 62516);
    const authorization = { authorization: `Bearer ${again.body.access_token}` };
    const details = await fetch(`${hubspot.url}/account-info/2026-09/details`, { headers: authorization });
    assert.equal(((await details.json()) as any).portalId, 62516);
    const { installations } = await hubspot.control<any>('GET', '/installations');
    assert.deepEqual(
      installations.map(({ portalId, grants, late }: any) => [portalId, grants, late]),
      [[62516, 2, 0]],
    );
  });

  it('is refused with its code spent, by another verifier, address, app, or secret', async () => {
    const code = await codeOf();
    assert.equal((await exchange(code)).status, 200);
    assert.equal((await exchange(code)).body.status, 'BAD_AUTH_CODE');
    assert.equal((await exchange(await codeOf(), { code_verifier: 'b'.repeat(43) })).body.status, 'BAD_AUTH_CODE');
    assert.equal((await exchange(await codeOf(), { redirect_uri: `${back}/` })).body.status, 'BAD_AUTH_CODE');
    assert.equal((await exchange(await codeOf(), { client_id: 'client-1' })).body.status, 'BAD_CLIENT_ID');
    assert.equal((await exchange(await codeOf(), { client_secret: 'x' })).body.status, 'BAD_CLIENT_SECRET');
    assert.equal((await authorize({ client_id: 'client-1' })).status, 400);
    assert.equal((await authorize({ scope: '' })).status, 400);
  });

  it('may be declined', async () => {
    const { query } = await authorize({ decline: '1' });
    assert.deepEqual([query?.get('error'), query?.get('code'), query?.get('state')], ['access_denied', null, 's1']);
  });

  it('ends when the app is uninstalled: its tokens are good for nothing', async () => {
    const { body } = await exchange(await codeOf({ portal: '62517' }));
    const headers = { authorization: `Bearer ${body.access_token}` };
    const call = (path: string, method = 'GET') => fetch(`${hubspot.url}${path}`, { method, headers });
    assert.equal((await call('/appinstalls/2026-09/external-install', 'DELETE')).status, 204);
    assert.equal((await call('/crm/owners/2026-09')).status, 401);
    const refresh = { grant_type: 'refresh_token', refresh_token: body.refresh_token };
    assert.equal((await form('token', { ...refresh, ...client })).body.status, 'BAD_REFRESH_TOKEN');
  });

  it('whose token is asked for too late counts as late', async () => {
    await hubspot.control('PUT', '/settings', { tokenLifeMs: 1 });
    const { body } = await exchange(await codeOf({ portal: '62518' }));
    const until = Date.now() + 5;
    while (Date.now() <= until) await new Promise((resolve) => setImmediate(resolve));
    await form('token', { grant_type: 'refresh_token', refresh_token: body.refresh_token, ...client });
    await hubspot.control('PUT', '/settings', { tokenLifeMs: 1_800_000 });
    const { installations } = await hubspot.control<any>('GET', '/installations');
    assert.equal(installations.find(({ portalId }: any) => portalId === 62518).late, 1);
  });
});
