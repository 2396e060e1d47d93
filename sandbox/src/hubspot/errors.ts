import { randomUUID } from 'node:crypto';
import { VendorError } from '../frame/server.ts';
import type { JsonObject } from '../frame/json.ts';

const CONTENT_TYPE = { 'content-type': 'application/json;charset=utf-8' };

function failure(status: number, message: string, extra: JsonObject = {}, headers = {}): VendorError {
  const correlationId = randomUUID();
  return new VendorError(
    status,
    { status: 'error', message, correlationId, ...extra },
    { ...CONTENT_TYPE, 'x-hubspot-correlation-id': correlationId, ...headers },
  );
}

export const invalid = (message: string, extra: JsonObject = {}): VendorError =>
  failure(400, message, { category: 'VALIDATION_ERROR', ...extra });

export const conflict = (message: string): VendorError => failure(409, message, { category: 'CONFLICT' });

export const missing = (id: string): VendorError =>
  /^\d+$/.test(id)
    ? failure(404, 'resource not found')
    : failure(404, 'Object not found.  objectId are usually numeric.', {
        context: { id: [id] },
        category: 'OBJECT_NOT_FOUND',
      });

export const missingProperty = (name: string): VendorError =>
  failure(404, `Property "${name}" does not exist`, {
    category: 'OBJECT_NOT_FOUND',
    context: { propertyName: [name] },
  });

export const unauthorized = (): VendorError =>
  failure(401, 'Authentication credentials not found. This API supports OAuth 2.0 authentication.', {
    category: 'INVALID_AUTHENTICATION',
  });

const NO_SCOPES = "This app hasn't been granted all required scopes to make this call.";

export const forbidden = (...scopes: string[]): VendorError =>
  failure(403, `${NO_SCOPES} Read more about required scopes here: https://developers.hubspot.com/scopes.`, {
    category: 'MISSING_SCOPES',
    errors: [
      {
        message: 'One or more of the following scopes are required.',
        context: { requiredGranularScopes: scopes },
      },
    ],
    links: { scopes: 'https://developers.hubspot.com/scopes' },
  });

export function expired(expiredAt: number): VendorError {
  const seconds = Math.max(1, Math.floor((Date.now() - expiredAt) / 1000));
  return failure(401, `The OAuth token used to make this call expired ${seconds} second(s) ago.`, {
    category: 'EXPIRED_AUTHENTICATION',
    context: { 'expire time': [new Date(expiredAt).toISOString()] },
  });
}

export const badGrant = (): VendorError =>
  new VendorError(400, {
    error: 'invalid_grant',
    error_description: 'refresh token is invalid, expired or revoked',
    status: 'BAD_REFRESH_TOKEN',
    message: 'refresh token is invalid, expired or revoked',
  });

export const badCode = (): VendorError =>
  new VendorError(400, { status: 'BAD_AUTH_CODE', message: 'missing or unknown auth code' });

export type LimitPolicy = 'TEN_SECONDLY_ROLLING' | 'SECONDLY' | 'DAILY';

/** The answer over a limit; it has `errorType` where other errors have `category`. */
export function overLimit(policy: LimitPolicy, retryAfterSeconds?: number): VendorError {
  return failure(
    429,
    `You have reached your ${policy.toLowerCase()} limit.`,
    { errorType: 'RATE_LIMIT', policyName: policy, groupName: 'publicapi:sandbox' },
    retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) },
  );
}

const page = (status: number, title: string): VendorError =>
  new VendorError(status, `<html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>`, {
    'content-type': 'text/html;charset=utf-8',
  });

/** A page, as the vendor answers for routes that it does not have; or what its other errors look like. */
export const unknownRoute = (asPage = true): VendorError =>
  asPage ? page(404, '404 Not Found') : failure(404, 'The requested URL was not found.');

// What stands before the vendor answers by itself when it cannot reach it.
const PROXY: Record<string, [status: number, title: string]> = {
  BAD_GATEWAY: [502, '502 Bad Gateway'],
  GATEWAY_TIMEOUT: [504, '504 Gateway Time-out'],
  ORIGIN_DOWN: [521, 'Web server is down'],
  ORIGIN_SLOW: [522, 'Connection timed out'],
  ORIGIN_UNREACHABLE: [523, 'Origin is unreachable'],
  ORIGIN_TIMEOUT: [524, 'A timeout occurred'],
  HANDSHAKE_FAILED: [525, 'SSL handshake failed'],
  BAD_CERTIFICATE: [526, 'Invalid SSL certificate'],
};

/** Errors that a fault can ask for by name. */
export function namedError(code: string): VendorError | undefined {
  switch (code) {
    case 'TEN_SECONDLY_ROLLING':
    case 'SECONDLY':
    case 'DAILY':
      return overLimit(code);
    case 'MISSING_SCOPES':
      return forbidden('crm.objects.contacts.write');
    case 'EXPIRED_AUTHENTICATION':
      return expired(Date.now() - 32_000);
    case 'INVALID_AUTHENTICATION':
      return unauthorized();
    case 'LOCKED':
      return failure(423, 'The resource is locked, try again later.');
    case 'MIGRATION':
      return failure(477, 'The account is being migrated.', {}, { 'retry-after': '60' });
    case 'MERGE_LIMIT':
      return failure(414, 'The record has been merged too often.');
    case 'CONFLICT':
      return conflict('Contact already exists. Existing ID: 12345');
    case 'INTERNAL_ERROR':
      return failure(500, 'internal error');
    default:
      return PROXY[code] && page(...PROXY[code]);
  }
}
