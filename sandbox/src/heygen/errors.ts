import { VendorError } from '../frame/server.ts';

const STATUS: Record<string, number> = {
  invalid_parameter: 400,
  download_failed: 400,
  content_policy_violation: 400,
  avatar_not_usable: 400,
  resource_limit_reached: 400,
  unauthorized: 401,
  insufficient_credit: 402,
  trial_limit_exceeded: 402,
  subscription_required: 402,
  plan_upgrade_required: 402,
  forbidden: 403,
  insufficient_api_key_scope: 403,
  resource_access_denied: 403,
  voice_not_usable: 403,
  not_found: 404,
  video_not_found: 404,
  avatar_not_found: 404,
  asset_not_found: 404,
  webhook_not_found: 404,
  request_in_progress: 409,
  resource_not_ready: 409,
  rate_limit_exceeded: 429,
  quota_exceeded: 429,
  internal_error: 500,
  service_unavailable: 503,
  gateway_timeout: 504,
};

/** An error as version 3 words it: a code, a message and, where one parameter is at fault, its name. */
export function failed(
  code: string,
  message: string,
  param?: string,
  headers: Record<string, string> = {},
): VendorError {
  const error = {
    code,
    message,
    ...(param === undefined ? {} : { param }),
    doc_url: `https://developers.heygen.com/docs/error-codes#${code}`,
  };
  return new VendorError(STATUS[code] ?? 400, { error }, headers);
}

export const invalid = (message: string, param: string): VendorError => failed('invalid_parameter', message, param);

/** Errors that a fault can ask for by name. */
export function namedError(code: string): VendorError | undefined {
  if (STATUS[code] === undefined) return undefined;
  const headers = code === 'rate_limit_exceeded' ? { 'retry-after': '1' } : undefined;
  return failed(code, `Injected: ${code}`, undefined, headers);
}

/** The same fault as version 2 words it. */
export function asVersion2(error: VendorError): VendorError {
  const body = error.body as { error?: { code?: string; message?: string } };
  return new VendorError(
    error.status,
    { error: { code: body.error?.code, message: body.error?.message }, data: null },
    error.headers,
  );
}
