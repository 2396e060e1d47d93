import { createHash, randomBytes } from 'node:crypto';
import { Watchdog } from './testing/children';
import { Hub } from './testing/hub';
import { Lead, once, settled } from './testing/lead';
import { BUILD_MS, describeWithStorage, ObjectStorage } from './testing/object-store';
import { until } from './testing/until';

// Finished videos are copied to a real S3-compatible server; what the contact has leads there, and an erasure leaves nothing.

describeWithStorage('copies of videos', () => {
  const watchdog = new Watchdog();
  const key = randomBytes(24).toString('hex');
  let storage: ObjectStorage;
  let hub: Hub;
  beforeAll(async () => {
    storage = await ObjectStorage.start(watchdog);
    hub = await Hub.start({ VIDEO_LINK_KEY: key, VIDEO_STORE_PREFIX: 'kept/', ...storage.settings });
  }, BUILD_MS);
  afterAll(async () => {
    await hub?.stop();
    await storage?.stop();
    await watchdog.stop();
  });
  afterEach(() => hub.control('heygen', 'DELETE', '/faults'));

  const see = (link: string) => fetch(hub.gatewayUrl + new URL(link).pathname, { redirect: 'manual' });
  /** Where the link leads to in our storage, as soon as it does. */
  const copyOf = (link: string) =>
    until('the link leads to the copy', async () => {
      const location = (await see(link)).headers.get('location');
      return location?.startsWith(storage.url) ? location : undefined;
    });
  const folderOf = (link: string) => `kept/default/${new URL(link).pathname.slice('/v/'.length)}`;
  const filesOf = async (link: string) => (await storage.keys()).filter((one) => one.startsWith(folderOf(link)));
  const fault = (kind: object) =>
    hub.control('heygen', 'POST', '/faults', { match: { method: 'GET', pathPrefix: '/assets/' }, fault: kind });
  const atHeygen = async (videoId = '') =>
    (await hub.control<{ renders: { id: string }[] }>('heygen', 'GET', '/renders')).renders.some(
      ({ id }) => id === videoId,
    );

  async function greeted(): Promise<{ lead: Lead; link: string; videoId: string }> {
    const lead = await Lead.make(hub);
    expect((await hub.post(`[${lead.change()}]`)).status).toBe(200);
    const { heygen_video_url: link, heygen_job_id: videoId } = await lead.done();
    return { lead, link: link ?? '', videoId: videoId ?? '' };
  }

  it('leads to a copy with the checksum that the event says, also when HeyGen has the video no more', async () => {
    const { lead, link, videoId } = await greeted();
    await copyOf(link);
    const [event] = lead.records('render.events.v1', 'refrain.render.copied.v1');
    const { files, bucket, folder } = JSON.parse(String(event?.value)) as {
      bucket: string;
      folder: string;
      files: Record<string, { bytes: number; sha256: string; type: string }>;
    };
    expect([bucket, folder]).toEqual([storage.bucket, folderOf(link)]);
    expect(files).toMatchObject({ video: { type: 'video/mp4' }, thumbnail: { type: 'image/png' } });
    // The contact has the link that it was given, and the same change again makes neither a video nor a copy.
    await hub.post(`[${lead.change()}]`);
    await settled(hub);
    expect([await lead.outcome(), (await lead.read())['heygen_video_url']]).toEqual([once, link]);
    const headers = { 'x-api-key': hub.secrets.heygenApiKey };
    await fetch(`${hub.sandboxes.heygen.url}/v3/videos/${videoId}`, { method: 'DELETE', headers });
    const seen = await fetch(await copyOf(link));
    const bytes = Buffer.from(await seen.arrayBuffer());
    expect([seen.status, seen.headers.get('content-type'), bytes.length]).toEqual([
      200,
      'video/mp4',
      files['video']?.bytes,
    ]);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(files['video']?.sha256);
    expect(lead.records('render.events.v1', 'refrain.render.copied.v1')).toHaveLength(1);
    for (const secret of [storage.secretAccessKey, 'X-Amz-Signature', key]) expect(hub.logs()).not.toContain(secret);
  });

  it('copies again what broke off, and asks HeyGen for the address of what has ended', async () => {
    await fault({ kind: 'reset' });
    await fault({ kind: 'status', code: 'resource_access_denied' });
    await fault({ kind: 'html', status: 500 });
    const { lead, link, videoId } = await greeted();
    await copyOf(link);
    expect(await filesOf(link)).toEqual([`${folderOf(link)}/thumbnail`, `${folderOf(link)}/video`]);
    expect(await storage.unfinished()).toBe(0);
    const calls = await hub.calls('heygen');
    const looks = calls.filter(({ method, path }) => method === 'GET' && path === `/v3/videos/${videoId}`);
    expect(looks.length).toBeGreaterThan(1);
    expect(await lead.outcome()).toEqual(once);
  });

  it('deletes copy and video of a record that an operator erases, and of one that HubSpot does', async () => {
    const [operators, hubspots, other] = await Promise.all([greeted(), greeted(), greeted()]);
    for (const { link } of [operators, hubspots, other]) await copyOf(link);
    await hub.refrain('erase', 'default', `contact:${operators.lead.id}`);
    const erasure = { subscriptionType: 'contact.privacyDeletion', propertyName: undefined, propertyValue: undefined };
    await hub.post(`[${hubspots.lead.change(erasure)}]`);
    for (const { link, videoId } of [operators, hubspots]) {
      await until('the copy is gone', async () => (await filesOf(link)).length === 0);
      await until('the video is gone', async () => !(await atHeygen(videoId)));
      await until('the link leads nowhere', async () => (await see(link)).status === 404);
    }
    expect([(await filesOf(other.link)).length, await atHeygen(other.videoId)]).toEqual([2, true]);
    expect((await fetch(await copyOf(other.link))).status).toBe(200);
  });
});
