/** How bad it is: something does not work, will not for long or not well, or could not be looked at. */
export type Severity = 'error' | 'warning' | 'note';

/** Every code that a finding can have, with its severity: the one list. */
export const findings = {
  'settings-faulty': 'error',
  'recipes-faulty': 'error',
  'recipes-none': 'note',
  'check-failed': 'warning',

  'token-missing': 'error',
  'token-revoked': 'error',
  'token-expired': 'error',
  'tenant-unknown': 'error',
  'app-not-installed': 'error',
  'hubspot-unreachable': 'error',
  'hubspot-refused': 'error',
  'portal-differs': 'error',
  'app-unknown': 'error',
  'app-differs': 'error',
  'scope-missing': 'error',
  'setup-scope-missing': 'warning',
  'scopes-unread': 'note',
  'quota-spent': 'error',
  'quota-low': 'warning',
  'limit-too-high': 'warning',
  'time-zone-differs': 'warning',
  'clock-skew': 'error',
  'clock-drift': 'warning',

  'property-missing': 'error',
  'property-archived': 'error',
  'property-unknown': 'warning',
  'property-read-only': 'error',
  'property-calculated': 'error',
  'property-type': 'error',
  'property-drift': 'error',
  'property-unprepared': 'warning',
  'property-not-unique': 'error',
  'property-never-told': 'error',
  'property-seldom-told': 'warning',
  'option-missing': 'error',
  'option-unknown': 'warning',
  'properties-unread': 'warning',
  'pipeline-missing': 'error',
  'stage-missing': 'error',
  'stage-partial': 'warning',

  'subscription-missing': 'error',
  'subscription-inactive': 'error',
  'fate-untold': 'warning',
  'subscription-unused': 'note',
  'subscriptions-unread': 'note',
  'target-differs': 'error',
  'gateway-unreachable': 'error',
  'gateway-redirects': 'error',
  'gateway-strange': 'error',
  'gateway-unchecked': 'note',
  'signature-refused': 'error',
  'signature-unverified': 'error',
  'signature-untested': 'note',

  'heygen-key': 'error',
  'heygen-unreachable': 'error',
  'heygen-unchecked': 'note',
  'template-missing': 'error',
  'template-variable-missing': 'error',
  'template-variable-unknown': 'error',
  'template-variable-type': 'error',
  'template-dimension': 'error',
  'template-option-unknown': 'error',
  'bucket-refused': 'error',
  'bucket-unreachable': 'error',
  'openai-key': 'error',
  'openai-unreachable': 'error',
  'openai-unchecked': 'note',
  'batches-missing': 'note',
  'model-missing': 'error',
  'model-ending': 'warning',

  'kafka-unreachable': 'error',
  'kafka-unchecked': 'note',
  'topic-missing': 'error',
  'topic-differs': 'warning',
  'postgres-unreachable': 'error',
  'postgres-unchecked': 'note',
  'migrations-pending': 'error',
} as const satisfies Record<string, Severity>;

export type FindingCode = keyof typeof findings;

/** Something that somebody would ask about sooner or later, and what to do about it. No secret stands in it. */
export interface Finding {
  code: FindingCode;
  severity: Severity;
  where: string;
  what: string;
  remedy: string;
}

export const finding = (code: FindingCode, where: string, what: string, remedy: string): Finding => ({
  code,
  severity: findings[code],
  where,
  what,
  remedy,
});

const ranks: Record<Severity, number> = { error: 0, warning: 1, note: 2 };

/** The worst first; each of equals in the order of their codes and places, whichever check was quicker. */
export const sortedFindings = (all: readonly Finding[]): Finding[] =>
  [...all].sort(
    (a, b) => ranks[a.severity] - ranks[b.severity] || compare(a.code, b.code) || compare(a.where, b.where),
  );

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Several names in a sentence. */
export const listed = (names: Iterable<string>): string => [...new Set(names)].join(', ');
