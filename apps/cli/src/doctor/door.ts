import { createHmac, randomBytes } from 'node:crypto';
import { asksForSignature, type DoorFacts, type Reply } from './webhooks';

/** Where HubSpot's webhooks come in, below the gateway's public address. */
export const hubspotDoor = (publicUrl: string): string => `${publicUrl}/webhooks/hubspot`;

// No events: the gateway checks the signature as ever, and has nothing to put on a topic.
const NO_EVENTS = '[]';

/** Calls the gateway as HubSpot would, and as others might: it verifies, and keeps nothing of it. */
export async function readDoor(publicUrl: string, secret: string | undefined, signal: AbortSignal): Promise<DoorFacts> {
  const address = hubspotDoor(publicUrl);
  const { reply: unsigned, clock } = await call(address, { method: 'GET' }, signal);
  const facts = { address, unsigned, ...(clock ? { clock } : {}) };
  // Who is no gateway is shown no signature.
  if (secret === undefined || !asksForSignature(unsigned)) return facts;
  const [signed, forged] = await Promise.all([
    call(address, signedBy(secret, address), signal),
    call(address, signedBy(randomBytes(24).toString('hex'), address), signal),
  ]);
  return { ...facts, signed: signed.reply, forged: forged.reply };
}

function signedBy(secret: string, address: string): RequestInit {
  const timestamp = String(Date.now());
  const signature = createHmac('sha256', secret).update(`POST${address}${NO_EVENTS}${timestamp}`).digest('base64');
  const headers = {
    'content-type': 'application/json',
    'x-hubspot-signature-v3': signature,
    'x-hubspot-request-timestamp': timestamp,
  };
  return { method: 'POST', body: NO_EVENTS, headers };
}

async function call(
  address: string,
  request: RequestInit,
  signal: AbortSignal,
): Promise<{ reply: Reply; clock?: { theirs: number; ours: number } }> {
  const asked = Date.now();
  try {
    const response = await fetch(address, { ...request, signal, redirect: 'manual' });
    const ours = (asked + Date.now()) / 2;
    const theirs = Date.parse(response.headers.get('date') ?? '');
    const problem = problemIn(await response.text());
    return {
      reply: { status: response.status, ...(problem === undefined ? {} : { problem }) },
      ...(Number.isNaN(theirs) ? {} : { clock: { theirs, ours } }),
    };
  } catch (error) {
    return { reply: { failed: reasonOf(error) } };
  }
}

function problemIn(text: string): string | undefined {
  try {
    const { code } = JSON.parse(text) as { code?: unknown };
    return typeof code === 'string' ? code : undefined;
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  const { cause, name } = error as { cause?: { code?: unknown; message?: unknown }; name?: unknown };
  return String(cause?.code ?? cause?.message ?? name);
}
