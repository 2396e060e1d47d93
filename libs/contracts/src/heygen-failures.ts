/**
 * What helps where HeyGen refuses an order or fails at a render:
 * - `unpaid`: nothing pays for it; it goes on by itself once the wallet is filled.
 * - `refused`: the same order would end the same way; somebody has to change something.
 * - `broken`: HeyGen's own fault; the same order may well succeed.
 */
export type HeygenFailure = 'unpaid' | 'refused' | 'broken';

// 4001, 4002 and 5000 are the guides' codes: HeyGen itself has none such, but what stands in between may.
const codes: Readonly<Record<HeygenFailure, readonly string[]>> = {
  unpaid: ['insufficient_credit', 'trial_limit_exceeded', 'MOVIO_PAYMENT_INSUFFICIENT_CREDIT', '4002'],
  refused: [
    ...['invalid_parameter', 'download_failed', 'content_policy_violation', '4001'],
    ...['avatar_not_usable', 'avatar_consent_required', 'voice_not_usable'],
    ...['resource_limit_reached', 'resource_limit_exceeded', 'quota_exceeded'],
    ...['subscription_required', 'plan_upgrade_required'],
    ...['forbidden', 'insufficient_api_key_scope', 'resource_access_denied'],
    ...['not_found', 'avatar_not_found', 'asset_not_found', 'video_not_found'],
    // Of versions 1 and 2 (docs.heygen.com/reference/errors).
    ...['40001', '40010', '40012', '40031', '40039', '40044', '40065'],
    ...['400101', '400105', '400175', '400561', '400562', '400569', '400573', '400599'],
    ...['400621', '400624', '400631', '400652'],
  ],
  broken: ['internal_error', 'service_unavailable', 'gateway_timeout', 'RENDER_FAILED', '5000'],
};

const byCode = new Map(
  Object.entries(codes).flatMap(([failure, all]) => all.map((code) => [code, failure as HeygenFailure] as const)),
);

/** The class of a code, in this one place for adapter and deciders; undefined where nothing is known of the code. */
export const heygenFailureOf = (code: string): HeygenFailure | undefined => byCode.get(code);

/** All codes of a class. */
export const heygenCodes = (failure: HeygenFailure): readonly string[] => codes[failure];
