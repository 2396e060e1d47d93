import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { CreateBucketCommand, ListMultipartUploadsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { root, type Watchdog } from './children';
import { freePort } from './free-port';
import { until } from './until';

const VERSION = '1.8.0';
const kept = join(root, '.refrain', `versitygw-${VERSION}`);

/** Where neither the program nor Go is, tests of it are shown as skipped; CI has Go. */
export const describeWithStorage =
  findProgram() !== undefined || hasGo() || process.env['CI'] ? describe : describe.skip;

/** How long it may take to build the program, once. */
export const BUILD_MS = 900_000;

/** An S3-compatible server of its own, with a bucket, that keeps its objects as files. */
export class ObjectStorage {
  readonly bucket = 'videos';
  readonly accessKeyId = 'test-access';
  readonly secretAccessKey = 'test-secret-key';
  /** The official client, to look from outside. */
  readonly client: S3Client;

  private constructor(
    readonly url: string,
    private readonly process: ChildProcess,
    private readonly folder: string,
  ) {
    const { accessKeyId, secretAccessKey } = this;
    const credentials = { accessKeyId, secretAccessKey };
    this.client = new S3Client({ endpoint: url, region: 'us-east-1', credentials, forcePathStyle: true });
  }

  static async start(watchdog: Watchdog): Promise<ObjectStorage> {
    const program = await provide();
    const folder = mkdtempSync(join(tmpdir(), 'refrain-objects-'));
    for (const part of ['meta', 'data']) mkdirSync(join(folder, part));
    const port = await freePort();
    const env = { PATH: process.env['PATH'], ROOT_ACCESS_KEY: 'test-access', ROOT_SECRET_KEY: 'test-secret-key' };
    const args = [
      '--port',
      `127.0.0.1:${String(port)}`,
      '--quiet',
      'posix',
      '--sidecar',
      join(folder, 'meta'),
      join(folder, 'data'),
    ];
    const child = spawn(program, args, { env, stdio: 'ignore', detached: true });
    if (child.pid) watchdog.tell('child', child.pid);
    const storage = new ObjectStorage(`http://127.0.0.1:${String(port)}`, child, folder);
    await until('the object storage takes a bucket', async () => {
      if (child.exitCode !== null) throw new Error(`${program} ended with ${String(child.exitCode)}`);
      return storage.client.send(new CreateBucketCommand({ Bucket: storage.bucket })).then(
        () => true,
        () => false,
      );
    });
    return storage;
  }

  /** The settings of services that keep copies there. */
  get settings(): Record<string, string> {
    return {
      VIDEO_STORE_BUCKET: this.bucket,
      VIDEO_STORE_ENDPOINT: this.url,
      VIDEO_STORE_ACCESS_KEY_ID: this.accessKeyId,
      VIDEO_STORE_SECRET_ACCESS_KEY: this.secretAccessKey,
    };
  }

  /** The keys that are there, sorted. */
  async keys(): Promise<string[]> {
    const { Contents = [] } = await this.client.send(new ListObjectsV2Command({ Bucket: this.bucket }));
    return Contents.map(({ Key = '' }) => Key).sort();
  }

  /** Uploads that were begun and not ended. */
  async unfinished(): Promise<number> {
    const { Uploads = [] } = await this.client.send(new ListMultipartUploadsCommand({ Bucket: this.bucket }));
    return Uploads.length;
  }

  async stop(): Promise<void> {
    this.client.destroy();
    const ended = new Promise((resolve) => this.process.once('close', resolve));
    if (this.process.exitCode === null && this.process.kill('SIGKILL')) await ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The program: VERSITYGW_PATH, else one of this machine, else built once by Go into `.refrain/`. */
async function provide(): Promise<string> {
  const found = findProgram();
  if (found !== undefined) return found;
  mkdirSync(kept, { recursive: true });
  const env = { ...process.env, GOBIN: kept };
  await promisify(execFile)('go', ['install', `github.com/versity/versitygw/cmd/versitygw@v${VERSION}`], { env }).catch(
    (error: unknown) => {
      throw new Error(
        'Tests of copies need an S3-compatible server: install Go 1.25, which builds one, or name one by VERSITYGW_PATH',
        { cause: error },
      );
    },
  );
  return join(kept, 'versitygw');
}

function findProgram(): string | undefined {
  const given = process.env['VERSITYGW_PATH'];
  if (given) return given;
  const folders = [kept, ...(process.env['PATH'] ?? '').split(delimiter)];
  return folders.map((folder) => join(folder, 'versitygw')).find((path) => existsSync(path));
}

function hasGo(): boolean {
  try {
    execFileSync('go', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
