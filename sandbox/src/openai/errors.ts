import { VendorError } from '../frame/server.ts';

export function failed(
  status: number,
  message: string,
  details: { type?: string; param?: string | null; code?: string | null } = {},
  headers: Record<string, string> = {},
): VendorError {
  const { type = 'invalid_request_error', param = null, code = null } = details;
  return new VendorError(status, { error: { message, type, param, code } }, headers);
}

export const invalid = (message: string, param: string | null, code: string | null = null): VendorError =>
  failed(400, message, { param, code });

const NAMED: Record<string, () => VendorError> = {
  invalid_request_error: () => invalid('Injected: the request is invalid.', null),
  context_length_exceeded: () =>
    invalid("This model's maximum context length was exceeded.", 'messages', 'context_length_exceeded'),
  invalid_api_key: () => failed(401, 'Incorrect API key provided.', { code: 'invalid_api_key' }),
  unsupported_country_region_territory: () =>
    failed(403, 'Country, region, or territory not supported', {
      type: 'request_forbidden',
      code: 'unsupported_country_region_territory',
    }),
  model_not_found: () => modelNotFound('injected'),
  rate_limit_exceeded: () =>
    failed(
      429,
      'Rate limit reached for requests.',
      { type: 'requests', code: 'rate_limit_exceeded' },
      { 'retry-after': '1' },
    ),
  tokens_rate_limit_exceeded: () =>
    failed(
      429,
      'Rate limit reached for tokens.',
      { type: 'tokens', code: 'rate_limit_exceeded' },
      { 'retry-after': '1' },
    ),
  slow_down: () =>
    failed(
      429,
      'Traffic rises too fast; slow down.',
      { type: 'rate_limit_error', code: 'slow_down' },
      { 'retry-after': '2' },
    ),
  insufficient_quota: () =>
    failed(429, 'You exceeded your current quota.', { type: 'insufficient_quota', code: 'insufficient_quota' }),
  credit_balance_exhausted: () =>
    failed(429, 'The credit balance is exhausted.', { type: 'insufficient_quota', code: 'credit_balance_exhausted' }),
  organization_spend_limit_exceeded: () =>
    failed(429, "The organization's spend limit is reached.", {
      type: 'insufficient_quota',
      code: 'organization_spend_limit_exceeded',
    }),
  server_error: () => failed(500, 'The server had an error.', { type: 'server_error', code: 'server_error' }),
  server_is_overloaded: () =>
    failed(503, 'The server is overloaded.', { type: 'service_unavailable_error', code: 'server_is_overloaded' }),
};

/** Errors that a fault can ask for by name. */
export const namedError = (code: string): VendorError | undefined => NAMED[code]?.();

export const modelNotFound = (model: string): VendorError =>
  failed(404, `The model \`${model}\` does not exist or you do not have access to it.`, { code: 'model_not_found' });
