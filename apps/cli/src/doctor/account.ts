import type { Answer } from '#libs/contracts';
import type { ScopeNeed } from '#libs/recipes';
import type { AccountInfo, HubspotPlan, Rates, TokenInfo } from '#libs/vendors/hubspot';
import { type Finding, finding, type FindingCode, listed } from './finding';

type Refused = Exclude<Answer, { outcome: 'done' }>;

/** What is known of a tenant's HubSpot account: as it is declared, and as HubSpot answered. */
export interface AccountFacts {
  where: string;
  declaredApp?: string;
  declaredPortals?: readonly number[];
  plan?: HubspotPlan;
  scopes: readonly ScopeNeed[];
  token: Answer<TokenInfo>;
  account: Answer<AccountInfo>;
}

/** Judges a token, its app and scopes, the account's limits and clock. Pure. */
export function judgeAccount({ where, token, account, ...declared }: AccountFacts): Finding[] {
  return [
    ...(account.outcome === 'done' ? [] : [judgeRefusal(account, where)]),
    ...(token.outcome === 'done' ? judgeToken(token.value, where, declared) : []),
    ...(token.outcome !== 'done' && account.outcome === 'done' ? untold(token, where, declared) : []),
    ...(account.outcome === 'done' ? judgeLimits(account.value, declared.plan, where) : []),
    ...(account.outcome === 'done' ? judgeClock(account.value.clock, 'HubSpot', where) : []),
  ];
}

const NEW_TOKEN =
  'Put a new token of the app where the setting or TENANTS_FILE names it; a file is read anew for each call.';

const refusals: Readonly<Record<string, [FindingCode, string, string]>> = {
  'no-token': ['token-missing', 'There is no token to call HubSpot by', NEW_TOKEN],
  'tenant-unknown': ['tenant-unknown', 'No account is declared for the tenant', 'Declare it in TENANTS_FILE.'],
  'not-installed': [
    'app-not-installed',
    "Nobody has installed the app in the tenant's account: what is owed there waits",
    'Send an administrator of it to /oauth/hubspot/install?tenant=… on the gateway; see `refrain installations ls`.',
  ],
  EXPIRED_AUTHENTICATION: ['token-expired', 'HubSpot says that the token has expired', NEW_TOKEN],
  DAILY: [
    'quota-spent',
    "HubSpot takes no more calls today: the account's daily limit is used up",
    'Wait until midnight of the account, or buy an API limit increase; what is owed waits by itself.',
  ],
};

const REVOKED = ['BAD_REFRESH_TOKEN', 'INVALID_AUTHENTICATION', 'MISSING_AUTHENTICATION', 'http-401'];
const UNREACHED = ['unreachable', 'deadline', 'connection-lost'];

function judgeRefusal({ code, message }: Refused, where: string): Finding {
  const known = refusals[code];
  if (known) return finding(known[0], where, known[1], known[2]);
  if (REVOKED.includes(code)) {
    const what = `HubSpot does not take the token (${code}): it was revoked or rotated, or the app is installed no more`;
    return finding('token-revoked', where, what, `Install the app again where that is so. ${NEW_TOKEN}`);
  }
  if (UNREACHED.includes(code)) {
    const remedy =
      'See that this machine may connect to HubSpot (HUBSPOT_BASE_URL, proxies, DNS), and look at status.hubspot.com.';
    return finding(
      'hubspot-unreachable',
      where,
      `HubSpot gave no answer (${code} ${message})`.replace(' )', ')'),
      remedy,
    );
  }
  return finding(
    'hubspot-refused',
    where,
    `HubSpot refused the call: ${code}: ${message}`,
    'Look up the code in HubSpot’s documentation.',
  );
}

/** The token is good, and HubSpot does not say whose it is, as it need not of every kind. */
function untold({ code }: Refused, where: string, { declaredApp }: Declared): Finding[] {
  const unread = finding(
    'scopes-unread',
    where,
    `HubSpot does not say what the token may do (${code})`,
    'Compare its scopes with those that `refrain init hubspot-app` writes.',
  );
  if (declaredApp !== undefined) return [unread];
  const what = `HubSpot does not say whose the token is (${code}), and no app is declared: changes that apps make are parked`;
  const remedy = 'Declare our own app (HUBSPOT_APP_ID, or app in TENANTS_FILE).';
  return [finding('app-unknown', where, what, remedy), unread];
}

type Declared = Pick<AccountFacts, 'declaredApp' | 'declaredPortals' | 'scopes'>;

function judgeToken({ appId, portalId, scopes }: TokenInfo, where: string, declared: Declared): Finding[] {
  const { declaredApp, declaredPortals } = declared;
  const found: Finding[] = [];
  if (declaredApp !== undefined && declaredApp !== appId) {
    const what = `App ${declaredApp} is declared as our own, and the token is of app ${appId}: our own changes would set off recipes`;
    found.push(
      finding(
        'app-differs',
        where,
        what,
        `Declare app ${appId} (HUBSPOT_APP_ID, or app in TENANTS_FILE), or take it out.`,
      ),
    );
  }
  if (portalId !== undefined && declaredPortals && !declaredPortals.includes(portalId)) {
    const what = `The token is of portal ${portalId}, and the tenant is declared with ${listed(declaredPortals.map(String)) || 'none'}`;
    found.push(
      finding(
        'portal-differs',
        where,
        what,
        'Put the token of the right portal there, or name this one under portals in TENANTS_FILE.',
      ),
    );
  }
  return [...found, ...declared.scopes.flatMap((need) => (scopes.includes(need.scope) ? [] : [missing(need, where)]))];
}

function missing({ scope, for: users, setup }: ScopeNeed, where: string): Finding {
  const code = setup ? 'setup-scope-missing' : 'scope-missing';
  const remedy = `Add ${scope} to the app (\`refrain init hubspot-app\` writes its project) and install it again.`;
  return finding(code, where, `The token lacks the scope ${scope}, which is needed for ${listed(users)}`, remedy);
}

const LOW = 0.1;

function judgeLimits({ rates, timeZone }: AccountInfo, plan: HubspotPlan | undefined, where: string): Finding[] {
  const found: Finding[] = [];
  const { dailyMost = 0, dailyRemaining } = rates;
  if (dailyRemaining !== undefined && dailyRemaining < dailyMost * LOW) {
    const what = `${dailyRemaining} of ${dailyMost} calls are left today`;
    found.push(finding('quota-low', where, what, 'See who calls (`refrain limits`), or buy an API limit increase.'));
  }
  if (!plan) return found;
  for (const [setting, ours, theirs] of limitsOf(plan, rates)) {
    if (theirs === undefined || ours === undefined || ours <= theirs) continue;
    const what = `${ours} calls are declared ${setting}, and HubSpot allows ${theirs}: it will refuse what is beyond`;
    found.push(
      finding(
        'limit-too-high',
        where,
        what,
        `Declare ${theirs} (HUBSPOT_PER_TEN_SECONDS, HUBSPOT_PER_DAY), or the right tier.`,
      ),
    );
  }
  // Without a daily limit nobody needs to know when a day begins.
  if (rates.dailyMost !== undefined && !isSameZone(timeZone, plan.timeZone)) {
    const what = `The account's day begins in ${timeZone}, and ${plan.timeZone} is declared: the daily limit is counted by another day`;
    found.push(
      finding(
        'time-zone-differs',
        where,
        what,
        `Declare ${timeZone} (HUBSPOT_TIME_ZONE, or timeZone in TENANTS_FILE).`,
      ),
    );
  }
  return found;
}

const limitsOf = (plan: HubspotPlan, rates: Rates) =>
  [
    ['in ten seconds', plan.perTenSeconds, rates.most],
    ['a day', plan.perDay, rates.dailyMost],
  ] as const;

const isSameZone = (a: string, b: string): boolean => a === b || zoneOf(a) === zoneOf(b);
const zoneOf = (name: string): string => new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;

/** Beyond five minutes signatures are refused on both sides. */
const SKEW_MS = 300_000;
const DRIFT_MS = 30_000;

/** Judges how far another's clock is from ours, in epoch milliseconds. Pure. */
export function judgeClock(clock: AccountInfo['clock'], whose: string, where: string): Finding[] {
  if (!clock) return [];
  const ms = clock.theirs - clock.ours;
  if (Math.abs(ms) < DRIFT_MS) return [];
  const what = `The clock here is ${Math.round(Math.abs(ms) / 1_000)} s ${ms > 0 ? 'behind' : 'ahead of'} ${whose}'s`;
  const remedy = 'Let a time service (NTP) set the clocks of this machine and of the gateway’s.';
  return Math.abs(ms) >= SKEW_MS
    ? [finding('clock-skew', where, `${what}: signatures of that age are refused`, remedy)]
    : [finding('clock-drift', where, what, remedy)];
}
