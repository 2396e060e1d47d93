import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { ConfigError, loadConfig } from './config';
import { mostSealedBytes, OwnKeys, SealBroken, Sealer, sealingKeys } from './seal';

const [first, second] = [randomBytes(32), randomBytes(32)];
const sealer = new Sealer(new OwnKeys([first]));

it('gives back what was sealed, and shows nothing of it', async () => {
  const sealed = await sealer.seal('na1-secret', 'installation/acme');
  expect(sealed).not.toContain('na1-secret');
  expect(sealed).not.toContain(Buffer.from('na1-secret').toString('base64').slice(0, 8));
  expect(await sealer.open(sealed, 'installation/acme')).toBe('na1-secret');
});

it('seals the same text differently each time', async () => {
  expect(await sealer.seal('x', 'p')).not.toBe(await sealer.seal('x', 'p'));
});

it('is opened by a former key behind the new one, and no more once that is gone', async () => {
  const sealed = await sealer.seal('x', 'p');
  expect(await new Sealer(new OwnKeys([second, first])).open(sealed, 'p')).toBe('x');
  await expect(new Sealer(new OwnKeys([second])).open(sealed, 'p')).rejects.toThrow(/not among the sealing keys/);
});

it('tells whether its key is there, and how much it is at most, without being opened', async () => {
  const text = 'ü'.repeat(1_000);
  const sealed = await sealer.seal(text, 'p');
  expect(await sealer.hasKeyOf(sealed)).toBe(true);
  expect(await new Sealer(new OwnKeys([second])).hasKeyOf(sealed)).toBe(false);
  expect(await sealer.hasKeyOf('no seal')).toBe(false);
  const most = mostSealedBytes(sealed);
  expect(most).toBeGreaterThanOrEqual(Buffer.byteLength(text));
  expect(most).toBeLessThan(Buffer.byteLength(text) + 300);
  const keyService = { wrap: () => Promise.reject(new Error('away')), unwrap: () => Promise.reject(new Error('away')) };
  await expect(new Sealer(keyService).hasKeyOf(sealed)).rejects.toThrow('away');
});

it('is refused elsewhere, and where a byte was changed', async () => {
  const sealed = await sealer.seal('x', 'installation/acme');
  await expect(sealer.open(sealed, 'installation/globex')).rejects.toThrow(SealBroken);
  const parts = JSON.parse(sealed) as { by: string; key: string; data: string };
  for (const part of ['key', 'data'] as const) {
    const bytes = Buffer.from(parts[part], 'base64');
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    const changed = JSON.stringify({ ...parts, [part]: bytes.toString('base64') });
    await expect(sealer.open(changed, 'installation/acme')).rejects.toThrow(SealBroken);
  }
  for (const none of ['', '{}', 'null', JSON.stringify({ ...parts, data: '' })]) {
    await expect(sealer.open(none, 'installation/acme')).rejects.toThrow(SealBroken);
  }
});

it('takes keys of 32 bytes, one a line, and never shows a wrong one', () => {
  const schema = z.object({ SEALING_KEY: sealingKeys() });
  const text = `${first.toString('base64')}\n${second.toString('base64')}\n`;
  expect(loadConfig(schema, { SEALING_KEY: text }).SEALING_KEY).toEqual([first, second]);
  for (const wrong of ['c2hvcnQ=', `${first.toString('base64')} c2hvcnQ=`]) {
    expect(() => loadConfig(schema, { SEALING_KEY: wrong })).toThrow(ConfigError);
    expect(() => loadConfig(schema, { SEALING_KEY: wrong })).toThrow(/^(?!.*c2hvcnQ=)/s);
  }
});
