import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { Answer } from '#libs/contracts';
import { networkAnswer } from '#libs/vendors/http';
import { type Expected, HEAD_BYTES, typeOf } from './content';

export type { Expected } from './content';

/** Where files are kept: S3 itself, or what speaks as it does. */
export interface ObjectStoreSettings {
  /** Where it is not Amazon's own. */
  endpoint?: string | undefined;
  region: string;
  bucket: string;
  accessKeyId: string;
  secretAccessKey: string;
}

/** A file that was copied. */
export interface Copied {
  bytes: number;
  /** Of its content, in hex. */
  sha256: string;
  /** Media type, by the content's own beginning. */
  type: string;
}

/** In the memory of one copy there are two parts at most. */
const PART_BYTES = 5 * 1024 * 1024;

/**
 * A bucket of files. Never throws: every answer is sorted. What was begun and came to nothing leaves nothing behind but, where
 * the process ended, parts that the bucket's own rule for unfinished uploads takes away.
 */
export class ObjectStore {
  private readonly client: S3Client;
  readonly bucket: string;

  constructor({ endpoint, region, bucket, accessKeyId, secretAccessKey }: ObjectStoreSettings) {
    this.bucket = bucket;
    this.client = new S3Client({
      region,
      credentials: { accessKeyId, secretAccessKey },
      // The ledger repeats, and knows how often.
      maxAttempts: 1,
      ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    });
  }

  /**
   * Copies what stands at an address under a key, as a stream; what stood there is replaced, so a copy that is made again is the
   * same. `gone` (stop) where nothing is there any more or the address has ended, `not-as-expected` (stop) where it is another kind
   * of file or a larger one; a download that broke off, or is shorter than was said, is to be repeated.
   */
  async copy(url: string, key: string, expected: Expected, signal: AbortSignal): Promise<Answer<Copied>> {
    let source: Source;
    try {
      // As it stands there: a length counts only of what is not packed.
      const response = await fetch(url, { signal, headers: { 'accept-encoding': 'identity' } });
      const opened = await sourceOf(response, expected);
      if ('outcome' in opened) return opened;
      source = opened;
    } catch (error) {
      return broken(error);
    }
    const { type, body } = source;
    const params = { Bucket: this.bucket, Key: key, Body: Readable.from(body), ContentType: type };
    const upload = new Upload({ client: this.client, params, queueSize: 1, partSize: PART_BYTES });
    const abort = () => void upload.abort().catch(() => undefined);
    signal.addEventListener('abort', abort, { once: true });
    try {
      await upload.done();
      return { outcome: 'done', value: { ...source.counted(), type } };
    } catch (error) {
      return source.fault() ?? refusalOf(error);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Deletes what stands under keys; what is not there is deleted already. */
  async remove(bucket: string, keys: readonly string[], signal: AbortSignal): Promise<Answer<void>> {
    try {
      const Delete = { Objects: keys.map((Key) => ({ Key })), Quiet: true };
      const { Errors: [first] = [] } = await this.client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete }), {
        abortSignal: signal,
      });
      if (first === undefined || first.Code === 'NoSuchKey') return { outcome: 'done', value: undefined };
      return { outcome: 'unknown', code: first.Code ?? 'not-deleted', message: '' };
    } catch (error) {
      return refusalOf(error);
    }
  }

  /** Whether a file may be put under a key: an upload is begun and given up, so nothing is put there. */
  async mayPut(key: string, signal: AbortSignal): Promise<Answer<void>> {
    const at = { Bucket: this.bucket, Key: key };
    try {
      const { UploadId } = await this.client.send(new CreateMultipartUploadCommand(at), { abortSignal: signal });
      await this.client.send(new AbortMultipartUploadCommand({ ...at, UploadId }), { abortSignal: signal });
      return { outcome: 'done', value: undefined };
    } catch (error) {
      return refusalOf(error);
    }
  }

  /** An address at which the file under a key can be seen without credentials, for so many seconds. Nobody is asked for it. */
  link(bucket: string, key: string, seconds: number): Promise<string> {
    return getSignedUrl(this.client, new GetObjectCommand({ Bucket: bucket, Key: key }), { expiresIn: seconds });
  }
}

/** A download whose beginning is known. */
interface Source {
  type: string;
  body: AsyncIterable<Buffer>;
  counted: () => Pick<Copied, 'bytes' | 'sha256'>;
  /** What ended it, where it did not come to its end. */
  fault: () => Exclude<Answer, { outcome: 'done' }> | undefined;
}

type Refused = Exclude<Answer, { outcome: 'done' }>;

const GONE = new Set([401, 403, 404, 410]);

async function sourceOf(response: Response, { kind, most }: Expected): Promise<Source | Refused> {
  const { status, headers, body } = response;
  if (status !== 200 || !body) {
    await body?.cancel();
    if (GONE.has(status)) return { outcome: 'stop', code: 'gone', message: `HTTP ${String(status)}` };
    return { outcome: 'unknown', code: `http-${String(status)}`, message: 'the file was not sent' };
  }
  const length = Number((headers.get('content-encoding') === null && headers.get('content-length')) || NaN);
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, undefined>;
  const refuse = async (message: string): Promise<Refused> => {
    await chunks.return?.();
    return { outcome: 'stop', code: 'not-as-expected', message };
  };
  if (length > most) return refuse(`it has ${String(length)} bytes, and ${String(most)} are taken`);
  let head = Buffer.alloc(0);
  while (head.length < HEAD_BYTES) {
    const { value, done } = await chunks.next();
    if (done) break;
    head = Buffer.concat([head, value]);
  }
  const type = typeOf(head, kind);
  if (type === undefined) return refuse(`it is no ${kind}`);

  const hash = createHash('sha256');
  let bytes = 0;
  let fault: Refused | undefined;
  async function* counting(): AsyncGenerator<Buffer> {
    try {
      for (let next: Uint8Array | undefined = head; next !== undefined;) {
        bytes += next.length;
        if (bytes > most)
          fault = { outcome: 'stop', code: 'not-as-expected', message: `more than ${String(most)} bytes` };
        if (fault) throw new Error(fault.code);
        hash.update(next);
        yield Buffer.from(next.buffer, next.byteOffset, next.byteLength);
        const { value, done } = await chunks.next();
        next = done ? undefined : value;
      }
    } catch (error) {
      fault ??= broken(error);
      throw error;
    } finally {
      await chunks.return?.();
    }
    if (Number.isNaN(length) || bytes === length) return;
    fault = { outcome: 'unknown', code: 'broken-off', message: `${String(bytes)} of ${String(length)} bytes came` };
    throw new Error(fault.code);
  }
  return { type, body: counting(), counted: () => ({ bytes, sha256: hash.digest('hex') }), fault: () => fault };
}

// The address is not repeated: whoever has it sees the video.
function broken(error: unknown): Refused {
  const answer = networkAnswer(error);
  return answer.code === 'connection-lost' ? { ...answer, code: 'broken-off' } : answer;
}

/** Wrong credentials, and a bucket that is not there, are set right by a person: what is owed waits. */
const WAITS = new Set([
  ...['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'AccessDenied', 'NoSuchBucket', 'InvalidBucketName'],
  ...['ExpiredToken', 'RequestTimeTooSkewed'],
]);
const WAIT_MS = 60_000;

function refusalOf(error: unknown): Refused {
  const { name, $metadata: { httpStatusCode: status } = {} } = error as {
    name?: string;
    $metadata?: { httpStatusCode?: number };
  };
  const code = name ?? 'unknown';
  if (status === undefined) return networkAnswer(error);
  const message = `HTTP ${String(status)}`;
  if (WAITS.has(code) || status === 401 || status === 403)
    return { outcome: 'retry', code, message, refused: true, afterMs: WAIT_MS };
  if (status === 429 || code === 'SlowDown') return { outcome: 'retry', code, message, refused: true };
  return { outcome: 'unknown', code, message };
}
