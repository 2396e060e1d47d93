import { existingId, sortedHubspotError } from './errors';

const general = { status: 'error', correlationId: '7c1c6d8e-0000-4000-8000-000000000000' };
const html = '<html><head><title>502 Bad Gateway</title></head><body>cloudflare</body></html>';
const refused = (code: string, afterMs?: number) => ({
  outcome: 'retry',
  code,
  refused: true,
  ...(afterMs === undefined ? {} : { afterMs }),
});
const stop = (code: string) => ({ outcome: 'stop', code });
const unknown = (code: string) => ({ outcome: 'unknown', code });
const invalidText = (error: string) =>
  `Property values were not valid: [{"isValid":false,"message":"x","error":"${error}","name":"x","portalId":1}]`;
const limit = (policyName: string) => ({
  ...general,
  message: `You have reached your ${policyName.toLowerCase()} limit.`,
  errorType: 'RATE_LIMIT',
  policyName,
  groupName: 'publicapi:private-apps-api-calls',
});
const scopes = {
  ...general,
  message: "This app hasn't been granted all required scopes to make this call.",
  errors: [
    {
      message: 'One or more of the following scopes are required.',
      context: { requiredGranularScopes: ['crm.objects.contacts.read'] },
    },
  ],
  links: { scopes: 'https://developers.hubspot.com/scopes' },
  category: 'MISSING_SCOPES',
};

const badProperty = (code: string) => ({
  ...general,
  message: invalidText(code),
  errors: [{ message: 'x', code, context: { propertyName: ['x'] } }],
  category: 'VALIDATION_ERROR',
});
const codes = [
  ...['PROPERTY_DOESNT_EXIST', 'READ_ONLY_VALUE', 'INVALID_OPTION', 'INVALID_EMAIL', 'INVALID_LONG', 'INVALID_INTEGER'],
];

it.each<[string, number, unknown, Record<string, string>, object]>([
  ...codes.map((code): [string, number, unknown, Record<string, string>, object] => [
    `a value that is ${code}`,
    400,
    badProperty(code),
    {},
    stop(code),
  ]),
  [
    'a code that stands in the sentence alone',
    400,
    { ...general, message: invalidText('INVALID_OPTION'), category: 'VALIDATION_ERROR' },
    {},
    stop('INVALID_OPTION'),
  ],
  ['a body without any field', 400, {}, {}, stop('http-400')],
  ['fields of other shapes', 400, { message: 7, errors: 'x', category: null }, {}, stop('http-400')],
  ['a list for a body', 400, [], {}, stop('http-400')],
  [
    'a refresh token that is revoked',
    400,
    { error: 'invalid_grant', status: 'BAD_REFRESH_TOKEN', message: 'x' },
    {},
    stop('BAD_REFRESH_TOKEN'),
  ],
  [
    'an expired token',
    401,
    { ...general, category: 'EXPIRED_AUTHENTICATION', message: 'expired 32 second(s) ago.' },
    {},
    refused('EXPIRED_AUTHENTICATION', 60_000),
  ],
  [
    'no token that is known',
    401,
    { ...general, category: 'INVALID_AUTHENTICATION', message: 'x' },
    {},
    refused('INVALID_AUTHENTICATION', 60_000),
  ],
  ['401 without a word', 401, '', {}, refused('http-401', 60_000)],
  ['missing scopes', 403, scopes, {}, refused('MISSING_SCOPES', 60_000)],
  ['a record that is not there', 404, { ...general, message: 'resource not found' }, {}, stop('http-404')],
  [
    'an id that is no number',
    404,
    {
      ...general,
      message: 'Object not found.  objectId are usually numeric.',
      context: { id: ['x'] },
      category: 'OBJECT_NOT_FOUND',
    },
    {},
    stop('OBJECT_NOT_FOUND'),
  ],
  ['a route that is not there', 404, html, {}, refused('no-such-route', 60_000)],
  ['a method that is not there', 405, html, {}, refused('no-such-route', 60_000)],
  [
    'a contact that exists already',
    409,
    { ...general, message: 'Contact already exists. Existing ID: 12345', category: 'CONFLICT' },
    {},
    stop('CONFLICT'),
  ],
  ['a merge too many, or an address too long', 414, { ...general, message: 'x' }, {}, stop('http-414')],
  ['a locked record', 423, { ...general, message: 'locked' }, {}, refused('http-423', 2_000)],
  ['the ten-secondly limit', 429, limit('TEN_SECONDLY_ROLLING'), {}, refused('TEN_SECONDLY_ROLLING', 10_000)],
  ['the secondly limit of search', 429, limit('SECONDLY'), {}, refused('SECONDLY', 1_000)],
  ['the daily limit', 429, limit('DAILY'), {}, refused('DAILY', 900_000)],
  [
    'a limit with its wait',
    429,
    limit('TEN_SECONDLY_ROLLING'),
    { 'retry-after': '3' },
    refused('TEN_SECONDLY_ROLLING', 3_000),
  ],
  [
    'a limit without a policy',
    429,
    { ...general, errorType: 'RATE_LIMIT', message: 'x' },
    {},
    refused('RATE_LIMIT', 10_000),
  ],
  ['a limit named as formerly', 429, { ...limit('DAILY'), category: 'RATE_LIMITS' }, {}, refused('DAILY', 900_000)],
  [
    'an account that moves',
    477,
    { ...general, message: 'x' },
    { 'retry-after': '86400' },
    refused('http-477', 86_400_000),
  ],
  ['an account that moves, for how long ever', 477, { ...general, message: 'x' }, {}, refused('http-477', 60_000)],
  ['a success that the SDK does not expect', 201, { id: '7' }, {}, unknown('http-201')],
  ['a failure inside', 500, { ...general, message: 'internal error' }, {}, unknown('http-500')],
  ...[502, 503, 504, 520, 522, 524].map((status): [string, number, unknown, Record<string, string>, object] => [
    'a page of the proxy',
    status,
    html,
    {},
    unknown(`http-${String(status)}`),
  ]),
  // Nothing went through to HubSpot: it uses up no attempt, and the breaker hears of it.
  ...[521, 523, 525, 526].map((status): [string, number, unknown, Record<string, string>, object] => [
    'a proxy without a connection',
    status,
    html,
    {},
    refused('unreachable'),
  ]),
])('sorts %s (%i)', (_, code, body, headers, expected) => {
  // As the SDK throws: its message holds body and headers.
  const thrown = Object.assign(new Error(`HTTP-Code: ${String(code)} token-hush`), { code, body, headers });
  const { message, ...answer } = sortedHubspotError(thrown);
  expect(answer).toEqual(expected);
  expect(message).not.toContain('token-hush');
});

it('knows a 403 that is for good, and codes of its own', () => {
  const forbidden = Object.assign(new Error(), { code: 403, body: scopes });
  expect(sortedHubspotError(forbidden, { forbidden: 'stop' })).toMatchObject(stop('not-allowed'));
  const dynamic = Object.assign(new Error(), { code: 400, body: { ...general, message: 'List is DYNAMIC' } });
  expect(sortedHubspotError(dynamic, { codes: [{ said: /dynamic/i, code: 'own' }] })).toMatchObject(stop('own'));
});

it('knows a failure without an answer, also one whose code is a number', () => {
  const cut = new DOMException('The deadline has passed', 'TimeoutError');
  expect(cut.code).toBe(23);
  expect(sortedHubspotError(cut)).toMatchObject(unknown('deadline'));
});

it('reads the id of the record that exists already', () => {
  expect(existingId('Contact already exists. Existing ID: 12345')).toBe('12345');
  expect(existingId('x')).toBeUndefined();
});
