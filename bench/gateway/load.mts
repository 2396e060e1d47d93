// Load by Debian's wrk: signed HubSpot requests, 64 connections, each answer looked at.
import { spawn } from 'node:child_process';
import { createHmac, randomInt } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const CONNECTIONS = 64;
export const SECRET = 'a-secret-of-the-bench';
/** Different requests in one measurement: enough for every partition, few enough to be signed at once. */
const REQUESTS = 256;
const EVENT_BYTES = 1024;

/** What one measurement gave; latencies in milliseconds. */
export interface Load {
  requests: number;
  perSecond: number;
  p50: number;
  p99: number;
  /** Answers other than 2xx and 3xx, and connections that failed. */
  refused: number;
}

/** Asks `url` for so long; each request holds so many events of 1 KiB and is signed for `signedUrl`. Needs `wrk` on the path. */
export async function load(url: string, signedUrl: string, events: number, forMs: number): Promise<Load> {
  const folder = mkdtempSync(join(tmpdir(), 'load-'));
  try {
    const script = join(folder, 'load.lua');
    writeFileSync(script, luaOf(Array.from({ length: REQUESTS }, () => requestOf(signedUrl, events))));
    const seconds = String(Math.max(1, Math.round(forMs / 1_000)));
    const args = [
      '-t',
      '1',
      '-c',
      String(CONNECTIONS),
      '-d',
      seconds,
      '--timeout',
      '10s',
      '--latency',
      '-s',
      script,
      url,
    ];
    return loadOf(await output('wrk', args));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface SignedBody {
  body: string;
  signature: string;
  timestamp: string;
}

function requestOf(signedUrl: string, events: number): SignedBody {
  const body = `[${Array.from({ length: events }, () => newEvent()).join(',')}]`;
  const timestamp = String(Date.now());
  const signature = createHmac('sha256', SECRET).update(`POST${signedUrl}${body}${timestamp}`).digest('base64');
  return { body, signature, timestamp };
}

/** A property change of 1 KiB, about one of many contacts. */
export function newEvent(): string {
  const event = {
    eventId: randomInt(2 ** 32),
    subscriptionId: 25,
    portalId: 33,
    appId: 1160452,
    occurredAt: 1_762_387_200_000 + randomInt(1_000_000),
    subscriptionType: 'contact.propertyChange',
    attemptNumber: 0,
    objectId: 1_000_000 + randomInt(1_000_000),
    propertyName: 'about',
    propertyValue: '',
    changeSource: 'CRM_UI',
    sourceId: 'userId:9586504',
  };
  event.propertyValue = 'v'.repeat(Math.max(0, EVENT_BYTES - JSON.stringify(event).length));
  return JSON.stringify(event);
}

const luaOf = (requests: SignedBody[]): string => `
  local requests = {
    ${requests.map((r) => `{ body = [==[${r.body}]==], signature = "${r.signature}", timestamp = "${r.timestamp}" }`).join(',\n')}
  }
  local formatted, at = {}, 0
  function init()
    for i, r in ipairs(requests) do
      formatted[i] = wrk.format("POST", nil, {
        ["content-type"] = "application/json",
        ["x-hubspot-signature-v3"] = r.signature,
        ["x-hubspot-request-timestamp"] = r.timestamp,
      }, r.body)
    end
  end
  function request()
    at = at % #formatted + 1
    return formatted[at]
  end
  function done(summary, latency)
    local e = summary.errors
    io.write(string.format("result %d %d %d %f %f\\n", summary.requests, summary.duration,
      e.status + e.connect + e.read + e.write + e.timeout, latency:percentile(50), latency:percentile(99)))
  end
`;

function loadOf(printed: string): Load {
  const result = /^result (\d+) (\d+) (\d+) ([\d.]+) ([\d.]+)$/m.exec(printed);
  if (!result) throw new Error(`wrk measured nothing:\n${printed}`);
  const [requests = 0, micros = 1, refused = 0, p50 = 0, p99 = 0] = result.slice(1).map(Number);
  return { requests, refused, perSecond: (requests * 1e6) / micros, p50: p50 / 1_000, p99: p99 / 1_000 };
}

function output(command: string, args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    }
    child.on('error', (error: NodeJS.ErrnoException) => {
      const missing =
        error.code === 'ENOENT' ? new Error(`${command} is not on the path: apt-get install ${command}`) : error;
      reject(missing);
    });
    child.on('close', (code) => (code === 0 ? resolve(printed) : reject(new Error(`${command} failed:\n${printed}`))));
  });
}
