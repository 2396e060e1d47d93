import { codeOf, inbound, secrets } from '../testing/inbound';
import { basicRule, verifyApiKey, verifyBasic } from './shared-secret';

const basic = (credentials: string) => `Basic ${Buffer.from(credentials).toString('base64')}`;

describe('HTTP Basic', () => {
  const verify = (authorization?: string) =>
    codeOf(() => verifyBasic(inbound({ headers: { authorization } }), { user: 'erp' }, secrets('pässword:1', 'next')));

  it.each([
    [basic('erp:pässword:1'), 'current'],
    [basic('erp:next'), 'next'],
    [basic('erp:next').replace('Basic', 'bAsIc'), 'next'],
  ])('accepts %p', (authorization, secret) => {
    expect(verify(authorization)).toEqual({ says: secret, secret });
  });

  it.each([
    [undefined],
    [''],
    ['Basic'],
    ['Basic '],
    [basic('erp:')],
    [basic('erp')],
    [basic('ERP:next')],
    [basic('erp:next ')],
    [basic(':next')],
    [`${basic('erp:next')}=`],
    [basic('erp:next').slice(6)],
    [basic('erp:next').replace('Basic', 'Bearer')],
  ])('refuses %p', (authorization) => {
    expect(verify(authorization)).toBe('unauthorized');
  });

  it('takes no user with a colon: nobody could tell where the password begins', () => {
    expect(basicRule.safeParse({ scheme: 'basic', user: 'a:b', secretEnv: 'S' }).success).toBe(false);
  });
});

describe('API key', () => {
  const rule = { header: 'x-key', prefix: 'Key ' };
  const verify = (key?: string) =>
    codeOf(() => verifyApiKey(inbound({ headers: { 'x-key': key } }), rule, secrets('one', 'two')));

  it('accepts the current and the next', () => {
    expect(verify('Key one')).toEqual({ says: 'x-key current', secret: 'current' });
    expect(verify('Key two')).toEqual({ says: 'x-key next', secret: 'next' });
  });

  it.each([undefined, '', 'one', 'Key', 'Key ', 'Key three', 'key one', 'Key one,Key one', 'Key onetwo'])(
    'refuses %p',
    (key) => {
      expect(verify(key)).toBe('unauthorized');
    },
  );
});
