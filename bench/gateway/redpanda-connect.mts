// Redpanda Connect as a front door: check the signature, split the batch, write with acks=all, answer once it is written.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { signedUrl, doorAt, DOOR } from './doors.mts';
import { SECRET } from './load.mts';
import { Server } from '../support/server.mts';

/** Starts a binary of it that brings requests to a topic; its configuration is written into `folder`. */
export function redpandaDoor(
  binary: string,
  { brokers, topic, folder }: { brokers: string; topic: string; folder: string },
) {
  return (port: number): Promise<Server> => {
    const file = join(folder, 'redpanda-connect.json');
    writeFileSync(file, JSON.stringify(configuration(port, brokers.split(','), topic)));
    return Server.start([binary, 'run', file], doorAt(port));
  };
}

const configuration = (port: number, brokers: string[], topic: string) => ({
  http: { enabled: false },
  logger: { level: 'ERROR' },
  input: {
    http_server: { address: `127.0.0.1:${String(port)}`, path: DOOR, allowed_verbs: ['POST'], timeout: '30s' },
  },
  pipeline: {
    processors: [
      {
        mapping: [
          `let signed = "POST${signedUrl}" + content().string() + @."X-Hubspot-Request-Timestamp"`,
          `let expected = $signed.hash("hmac_sha256", "${SECRET}").encode("base64")`,
          'root = if $expected != @."X-Hubspot-Signature-V3" { throw("signature-mismatch") } else { content() }',
        ].join('\n'),
      },
      { unarchive: { format: 'json_array' } },
    ],
  },
  output: {
    reject_errored: {
      broker: {
        pattern: 'fan_out_sequential',
        outputs: [
          {
            kafka_franz: {
              seed_brokers: brokers,
              topic,
              key: 'default:contact:${! json("objectId") }',
              max_in_flight: 256,
            },
          },
          { sync_response: {} },
        ],
      },
    },
  },
});
