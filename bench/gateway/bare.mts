// The least that a door must do: read the body, check the v3 signature, parse. No framework, no log. Its arguments: the
// port, the secret and the address that is signed.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';

const [port, secret = '', signedUrl = ''] = process.argv.slice(2);

createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks);
    const timestamp = String(request.headers['x-hubspot-request-timestamp']);
    const given = Buffer.from(String(request.headers['x-hubspot-signature-v3']));
    const digest = createHmac('sha256', secret)
      .update(`POST${signedUrl}`)
      .update(body)
      .update(timestamp)
      .digest('base64');
    const expected = Buffer.from(digest);
    const isFresh = Math.abs(Date.now() - Number(timestamp)) <= 300_000;
    if (!isFresh || given.length !== expected.length || !timingSafeEqual(given, expected)) {
      response.writeHead(401).end();
      return;
    }
    const events = JSON.parse(body.toString()) as unknown[];
    response.writeHead(200, { 'content-type': 'application/json' }).end(`{"accepted":${String(events.length)}}`);
  });
}).listen(Number(port), '127.0.0.1');
