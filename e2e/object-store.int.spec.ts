import { createHash, randomBytes } from 'node:crypto';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { type Expected, ObjectStore } from '#libs/vendors/object-store';
import type { Finding } from '../apps/cli/src/doctor/finding';
import { Watchdog } from './testing/children';
import { refrain } from './testing/command';
import { freePort } from './testing/free-port';
import { BUILD_MS, describeWithStorage, ObjectStorage } from './testing/object-store';

// Files are copied from an address to a real S3-compatible server, and looked at there with the official client.

describeWithStorage('an S3-compatible server', () => {
  const watchdog = new Watchdog();
  let storage: ObjectStorage;
  let store: ObjectStore;
  let server: Server;
  let origin: string;
  let says: RequestListener;
  let requests: { headers: NodeJS.Dict<string | string[]> }[] = [];

  beforeAll(async () => {
    storage = await ObjectStorage.start(watchdog);
    const { bucket, accessKeyId, secretAccessKey, url: endpoint } = storage;
    store = new ObjectStore({ bucket, accessKeyId, secretAccessKey, endpoint, region: 'us-east-1' });
    server = createServer((request, response) => {
      requests.push(request);
      says(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  }, BUILD_MS);
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await storage?.stop();
    await watchdog.stop();
  });
  beforeEach(() => {
    requests = [];
  });

  const MIB = 1024 * 1024;
  const video: Expected = { kind: 'video', most: 256 * MIB };
  const head = Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from('ftypisom')]);
  const mp4 = (bytes: number): Buffer => Buffer.concat([head, randomBytes(bytes - head.length)]);
  const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex');
  const copy = (key: string, expected = video, signal = AbortSignal.timeout(60_000)) =>
    store.copy(`${origin}/file?Signature=secret`, key, expected, signal);
  const gives =
    (content: Buffer, headers: Record<string, string> = {}): RequestListener =>
    (_, response) =>
      response.writeHead(200, { 'content-length': String(content.length), ...headers }).end(content);
  const there = async (key: string) => {
    const { Body, ContentType } = await storage.client.send(new GetObjectCommand({ Bucket: storage.bucket, Key: key }));
    return { type: ContentType, content: Buffer.from((await Body?.transformToByteArray()) ?? []) };
  };

  it('copies a file whole, says its checksum, and a copy that is made again is the same one', async () => {
    const content = mp4(12 * MIB + 17);
    says = gives(content, { 'content-type': 'application/octet-stream' });
    const copied = { outcome: 'done', value: { bytes: content.length, sha256: sha256(content), type: 'video/mp4' } };
    expect(await copy('a/one')).toEqual(copied);
    expect(await copy('a/one')).toEqual(copied);
    const { type, content: kept } = await there('a/one');
    expect([type, sha256(kept)]).toEqual(['video/mp4', sha256(content)]);
    expect((await storage.keys()).filter((key) => key.startsWith('a/'))).toEqual(['a/one']);
    expect(requests.map(({ headers }) => [headers['x-api-key'], headers['accept-encoding']])).toEqual(
      Array(2).fill([undefined, 'identity']),
    );
  });

  it('never holds a whole file', async () => {
    const [part, parts] = [randomBytes(MIB), 240];
    const send = async (response: ServerResponse) => {
      response.writeHead(200).write(head);
      for (let n = 0; n < parts; n += 1)
        if (!response.write(part)) await new Promise((resolve) => response.once('drain', resolve));
      response.end();
    };
    says = (_, response) => void send(response);
    const before = process.memoryUsage();
    let most = 0;
    const timer = setInterval(() => {
      const { arrayBuffers, external } = process.memoryUsage();
      most = Math.max(most, arrayBuffers + external - before.arrayBuffers - before.external);
    }, 5);
    const answer = await copy('a/large');
    clearInterval(timer);
    expect(answer).toMatchObject({ outcome: 'done', value: { bytes: parts * MIB + head.length } });
    expect(most).toBeLessThan(160 * MIB);
  });

  it.each<[string, RequestListener, object]>([
    ['an address that has ended', (_, response) => response.writeHead(403).end(), { outcome: 'stop', code: 'gone' }],
    ['a file that is gone', (_, response) => response.writeHead(404).end(), { outcome: 'stop', code: 'gone' }],
    ['an outage', (_, response) => response.writeHead(503).end(), { outcome: 'unknown', code: 'http-503' }],
    ['a page', gives(Buffer.from('<!doctype html><title>Sorry</title>')), { outcome: 'stop', code: 'not-as-expected' }],
    ['nothing', gives(Buffer.alloc(0)), { outcome: 'stop', code: 'not-as-expected' }],
    [
      'a download that breaks off',
      (_, response) => {
        response.writeHead(200, { 'content-length': String(20 * MIB) }).write(mp4(8 * MIB));
        setImmediate(() => response.destroy());
      },
      { outcome: 'unknown', code: 'broken-off' },
    ],
    [
      'more than is taken',
      (_, response) => response.writeHead(200, { 'content-length': String(300 * MIB) }).write(head),
      { outcome: 'stop', code: 'not-as-expected' },
    ],
  ])('leaves nothing of %s', async (_, answer, sorted) => {
    says = answer;
    const made = await copy('b/broken');
    expect(made).toMatchObject(sorted);
    expect(JSON.stringify(made)).not.toContain('secret');
    expect((await storage.keys()).filter((key) => key.startsWith('b/'))).toEqual([]);
    expect(await storage.unfinished()).toBe(0);
  });

  it('takes no more than it may of a file that does not say how large it is', async () => {
    says = (_, response) => response.writeHead(200).end(mp4(12 * MIB));
    expect(await copy('b/long', { kind: 'video', most: 11 * MIB })).toMatchObject({
      ...{ outcome: 'stop', code: 'not-as-expected' },
    });
    expect(await storage.unfinished()).toBe(0);
  });

  it('gives up in time, and leaves what was there before', async () => {
    const content = mp4(MIB);
    says = gives(content);
    await copy('c/kept');
    says = (_, response) => response.writeHead(200, { 'content-length': String(20 * MIB) }).write(mp4(6 * MIB));
    expect(await copy('c/kept', video, AbortSignal.timeout(500))).toMatchObject({ outcome: 'unknown' });
    expect(sha256((await there('c/kept')).content)).toBe(sha256(content));
  });

  it('leads to a copy without credentials, for a while, and deletes it, also twice', async () => {
    const content = mp4(MIB);
    says = gives(content);
    await copy('d/one');
    const link = await store.link(storage.bucket, 'd/one', 60);
    const seen = await fetch(link);
    expect([seen.status, sha256(Buffer.from(await seen.arrayBuffer()))]).toEqual([200, sha256(content)]);
    expect((await fetch(link.replace('d/one', 'a/one'))).status).toBe(403);
    for (const keys of [['d/one', 'd/two'], ['d/one']])
      expect(await store.remove(storage.bucket, keys, AbortSignal.timeout(5_000))).toEqual({ outcome: 'done' });
    const gone = storage.client.send(new HeadObjectCommand({ Bucket: storage.bucket, Key: 'd/one' }));
    await expect(gone).rejects.toMatchObject({ name: 'NotFound' });
  });

  it('waits for a person where the credentials or the bucket are wrong, and says no secret', async () => {
    says = gives(mp4(MIB));
    const { bucket, accessKeyId, url: endpoint } = storage;
    const settings = { bucket, accessKeyId, endpoint, region: 'us-east-1', secretAccessKey: storage.secretAccessKey };
    const wrong = new ObjectStore({ ...settings, secretAccessKey: 'wrong-secret' });
    const nowhere = new ObjectStore({ ...settings, bucket: 'nowhere' });
    for (const [other, code] of [
      [wrong, 'SignatureDoesNotMatch'],
      [nowhere, 'NoSuchBucket'],
    ] as const) {
      const answer = await other.copy(`${origin}/file`, 'e/one', video, AbortSignal.timeout(10_000));
      expect(answer).toMatchObject({ outcome: 'retry', refused: true, code });
      expect(JSON.stringify(answer)).not.toContain('wrong-secret');
    }
  });

  it('is looked at by `refrain doctor`, which leaves nothing there', async () => {
    const told = async (over: Record<string, string | undefined> = {}) => {
      const env = Object.entries({ ...storage.settings, ...over }).filter(([, value]) => value !== undefined);
      const { said } = await refrain(['doctor', '--json'], Object.fromEntries(env) as Record<string, string>);
      expect(said).not.toContain('wrong-secret');
      const { findings } = JSON.parse(said) as { findings: Finding[] };
      return findings.filter(({ what, where }) => /bucket/i.test(what + where)).map(({ code, what }) => [code, what]);
    };
    const before = await storage.keys();
    expect(await told()).toEqual([]);
    expect([await storage.keys(), await storage.unfinished()]).toEqual([before, 0]);
    expect(await told({ VIDEO_STORE_SECRET_ACCESS_KEY: 'wrong-secret' })).toEqual([
      ['bucket-refused', 'It takes no copies of videos: SignatureDoesNotMatch'],
    ]);
    expect(await told({ VIDEO_STORE_BUCKET: 'nowhere' })).toEqual([
      ['bucket-refused', 'It takes no copies of videos: NoSuchBucket'],
    ]);
    const closed = `http://127.0.0.1:${String(await freePort())}`;
    expect(await told({ VIDEO_STORE_ENDPOINT: closed })).toMatchObject([['bucket-unreachable', expect.any(String)]]);
    expect(await told({ VIDEO_STORE_SECRET_ACCESS_KEY: undefined })).toMatchObject([
      ['settings-faulty', expect.stringContaining('VIDEO_STORE_SECRET_ACCESS_KEY')],
    ]);
  });
});
