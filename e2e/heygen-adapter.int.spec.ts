import { HeygenClient, LegacyHeygenClient, type TemplateVideo, type VideoVendor } from '#libs/vendors/heygen';
import { Watchdog } from './testing/children';
import { accountOf, newSecrets } from './testing/secrets';
import { until } from './testing/until';
import { type Sandbox, startSandbox } from './testing/vendors';

const watchdog = new Watchdog();
const secrets = newSecrets();
let heygen: Sandbox;
let clients: Record<'v3' | 'v2', VideoVendor>;

beforeAll(async () => {
  const nowhere = { url: 'http://127.0.0.1:1', publicUrl: 'http://127.0.0.1:1' };
  const settings = { RENDER_MS: '200', SUBMIT_MS: '0' };
  heygen = await startSandbox('heygen', secrets, accountOf({}), nowhere, settings, watchdog);
  const access = { baseUrl: heygen.url, apiKey: secrets.heygenApiKey };
  clients = { v3: new HeygenClient(access), v2: new LegacyHeygenClient(access) };
});
afterAll(async () => {
  await heygen.child.stop();
  await watchdog.stop();
});
afterEach(() => heygen.control('DELETE', '/faults'));

let made = 0;
const order = (over: Partial<TemplateVideo> = {}): TemplateVideo => {
  const callbackId = `render-default:contact:1:r/1/${String(++made)}`;
  const variables = { first_name: 'Ada', company: 'Example', recent_event: 'the fair' };
  return { template: 'demo-outreach', title: `For Ada [${callbackId}]`, callbackId, variables, ...over };
};
const once = (callbackId: string) => ({ idempotencyKey: callbackId.replaceAll('/', '.'), isRepeat: false });
const again = (callbackId: string) => ({ ...once(callbackId), isRepeat: true });
const soon = (ms = 3_000) => AbortSignal.timeout(ms);
const billed = async ({ callbackId }: TemplateVideo): Promise<number> =>
  (await heygen.control<{ byCallbackId: Record<string, number> }>('GET', '/billing')).byCallbackId[callbackId] ?? 0;
const fault = (match: object, kind: object, times = 1) =>
  heygen.control('POST', '/faults', { match, fault: kind, times });

describe.each(['v3', 'v2'] as const)('by the path of %s', (version) => {
  const client = () => clients[version];

  it('a video is ordered, followed to its end, found by its title and deleted', async () => {
    const wanted = order();
    const answer = await client().submit(wanted, once(wanted.callbackId), soon());
    if (answer.outcome !== 'done') throw new Error(answer.code);
    const { videoId } = answer.value;
    const state = await until('the video is there', async () => {
      const now = await client().status(videoId, soon());
      return now.outcome === 'done' && now.value.status === 'completed' ? now.value : undefined;
    });
    expect(state).toEqual({
      ...{ videoId, status: 'completed', duration: 12.5 },
      url: expect.stringContaining(videoId) as string,
      thumbnailUrl: expect.stringContaining('.png') as string,
    });
    expect(await client().find(`[${wanted.callbackId}]`, soon())).toEqual({ outcome: 'done', value: { videoId } });
    // A title that only begins alike is another one's.
    expect(await client().find(`[${wanted.callbackId}0]`, soon())).toEqual({ outcome: 'done', value: undefined });
    expect((await client().remove(videoId, soon())).outcome).toBe('done');
    expect((await client().status(videoId, soon())).outcome).toBe('stop');
  });

  it('an order whose answer was lost is found again, and billed once', async () => {
    const wanted = order();
    await fault({ method: 'POST' }, { kind: 'accept-then-hang' });
    expect((await client().submit(wanted, once(wanted.callbackId), soon(300))).outcome).toBe('unknown');
    const repeated = await client().submit(wanted, again(wanted.callbackId), soon());
    expect(repeated.outcome).toBe('done');
    expect(await billed(wanted)).toBe(1);
  });

  it('where it cannot be looked for, nothing is ordered: it stays unknown', async () => {
    const wanted = order();
    await fault({ method: 'GET' }, { kind: 'status', code: 'forbidden' });
    const repeated = await client().submit(wanted, again(wanted.callbackId), soon());
    expect(repeated).toMatchObject({ outcome: 'unknown', code: 'forbidden' });
    expect(await billed(wanted)).toBe(0);
  });

  it('a wrong variable is named', async () => {
    const { first_name: _, ...variables } = order().variables;
    const wanted = order({ variables });
    expect(await client().submit(wanted, once(wanted.callbackId), soon())).toMatchObject({
      ...{ outcome: 'stop', code: 'invalid_parameter' },
      message: expect.stringContaining('first_name') as string,
    });
  });

  it('the variables of a template are known with their types', async () => {
    const id = `typed-${version}`;
    await heygen.control('POST', '/templates', { id, variables: { name: 'text', photo: 'image', who: 'character' } });
    const answer = await client().template(id, soon());
    expect(answer).toMatchObject({ outcome: 'done' });
    const names = Object.fromEntries(
      answer.outcome === 'done' ? answer.value.variables.map((one) => [one.name, one.type]) : [],
    );
    expect(names).toEqual({ name: 'text', photo: 'image', who: 'character' });
  });

  it('variables of every type and how the video is made reach HeyGen as it takes them', async () => {
    const id = `every-${version}`;
    const variables = { name: 'text', photo: 'image', clip: 'video', music: 'audio', host: 'character', tone: 'voice' };
    await heygen.control('POST', '/templates', { id, variables, aspectRatio: '9:16' });
    const wanted = order({
      template: id,
      variables: { name: 'Ada' },
      replacements: {
        photo: { type: 'image', properties: { url: 'https://media.example.com/a.jpg', fit: 'cover' } },
        clip: { type: 'video', properties: { asset_id: 'c1', play_style: 'loop' } },
        music: { type: 'audio', properties: { asset_id: 'm1' } },
        host: { type: 'character', properties: { character_id: 'h1', type: 'avatar' } },
        tone: { type: 'voice', properties: { voice_id: 'v1', locale: 'en-GB' } },
      },
      options: { caption: true, dimension: { width: 720, height: 1280 }, folder: 'f1' },
    });
    expect((await client().submit(wanted, once(wanted.callbackId), soon())).outcome).toBe('done');
    const { renders } = await heygen.control<{ renders: Record<string, unknown>[] }>('GET', '/renders');
    const taken = renders.find(({ callbackId }) => callbackId === wanted.callbackId);
    expect(taken).toMatchObject({
      variables: { name: { name: 'name', type: 'text', properties: { content: 'Ada' } }, host: { name: 'host' } },
      options: { caption: true, dimension: { width: 720, height: 1280 } },
      folderId: 'f1',
    });
    const off = { ...wanted, options: { dimension: { width: 1280, height: 720 } } };
    expect(await client().submit(off, once(order().callbackId), soon())).toMatchObject({
      ...{ outcome: 'stop', code: 'invalid_parameter' },
      message: expect.stringContaining('aspect ratio') as string,
    });
  });

  it('a render that failed says why, also where HeyGen answers 200', async () => {
    const wanted = order();
    const plan = {
      match: { callbackId: wanted.callbackId },
      outcome: 'fail',
      code: 'MOVIO_PAYMENT_INSUFFICIENT_CREDIT',
    };
    await heygen.control('POST', '/render-outcomes', { ...plan, message: 'no credit' });
    const answer = await client().submit(wanted, once(wanted.callbackId), soon());
    const videoId = answer.outcome === 'done' ? answer.value.videoId : '';
    const state = await until('it has failed', async () => {
      const now = await client().status(videoId, soon());
      return now.outcome === 'done' && now.value.status === 'failed' ? now.value : undefined;
    });
    expect(state).toEqual({ videoId, status: 'failed', code: plan.code, message: 'no credit' });
  });
});

it('v3: a repeat that comes before the video can be found makes none: HeyGen knows the key', async () => {
  const wanted = order();
  await fault({ method: 'POST' }, { kind: 'accept-then-hang' });
  await clients.v3.submit(wanted, once(wanted.callbackId), soon(300));
  await fault({ method: 'GET' }, { kind: 'status', status: 200, body: { data: [], has_more: false } });
  expect((await clients.v3.submit(wanted, again(wanted.callbackId), soon())).outcome).toBe('done');
  expect(await billed(wanted)).toBe(1);
});

it('v3 takes subtitles; for v2, which would leave them out, nothing is ordered', async () => {
  const wanted = order({ options: { subtitles: { preset_name: 'bold', position: { x: 1, y: 2 } } } });
  expect(await clients.v2.submit(wanted, once(wanted.callbackId), soon())).toMatchObject({
    ...{ outcome: 'stop', code: 'unsupported-option' },
  });
  expect(await billed(wanted)).toBe(0);
  expect((await clients.v3.submit(wanted, once(wanted.callbackId), soon())).outcome).toBe('done');
  const { renders } = await heygen.control<{ renders: { callbackId: string; options: object }[] }>('GET', '/renders');
  expect(renders.find(({ callbackId }) => callbackId === wanted.callbackId)?.options).toMatchObject(
    wanted.options ?? {},
  );
});

it('v2: a repeat that does not find its video orders none: there is no key that would stop a second', async () => {
  const wanted = order();
  expect(await clients.v2.submit(wanted, again(wanted.callbackId), soon())).toMatchObject({
    ...{ outcome: 'unknown', code: 'not-found-yet' },
  });
  expect(await billed(wanted)).toBe(0);
});

it.each([
  ['invalid_parameter', { outcome: 'stop' }],
  ['content_policy_violation', { outcome: 'stop' }],
  ['avatar_not_usable', { outcome: 'stop' }],
  ['resource_limit_reached', { outcome: 'stop' }],
  ['unauthorized', { outcome: 'retry', refused: true, afterMs: 60_000 }],
  ['insufficient_credit', { outcome: 'retry', refused: true, afterMs: 300_000 }],
  ['trial_limit_exceeded', { outcome: 'retry', refused: true, afterMs: 300_000 }],
  ['plan_upgrade_required', { outcome: 'stop' }],
  ['forbidden', { outcome: 'stop' }],
  ['not_found', { outcome: 'stop' }],
  ['request_in_progress', { outcome: 'retry', refused: true, afterMs: 2_000 }],
  ['resource_not_ready', { outcome: 'retry', refused: true }],
  ['rate_limit_exceeded', { outcome: 'retry', refused: true, afterMs: 1_000 }],
  ['quota_exceeded', { outcome: 'stop' }],
  ['internal_error', { outcome: 'unknown' }],
  ['service_unavailable', { outcome: 'unknown' }],
  ['gateway_timeout', { outcome: 'unknown' }],
])('%s is told apart from all others', async (code, expected) => {
  for (const client of Object.values(clients)) {
    await fault({ method: 'POST' }, { kind: 'status', code });
    const wanted = order();
    expect(await client.submit(wanted, once(wanted.callbackId), soon())).toMatchObject({ ...expected, code });
    expect(await billed(wanted)).toBe(0);
  }
});

it.each([
  [
    'a bare sentence',
    { error: 'Something is wrong', data: null },
    400,
    { outcome: 'stop', message: 'Something is wrong' },
  ],
  ['a number in words of version 1', { code: 400569, message: 'video not found', data: null }, 404, { code: '400569' }],
  [
    'a number that means a wrong key',
    { code: 40009, message: 'no', data: null },
    400,
    { outcome: 'retry', refused: true },
  ],
  [
    'the code of guides for no credit',
    { error: { code: 4002, message: 'no' } },
    400,
    { outcome: 'retry', code: '4002' },
  ],
  ['nothing that could be read', '<html>', 502, { outcome: 'unknown', code: 'http-502' }],
  ['a success that says nothing', { data: {} }, 200, { outcome: 'unknown', code: 'unreadable-answer' }],
])('%s is understood', async (_, body, status, expected) => {
  await fault({ method: 'POST' }, { kind: 'status', status, body });
  const wanted = order();
  expect(await clients.v3.submit(wanted, once(wanted.callbackId), soon())).toMatchObject(expected);
});
