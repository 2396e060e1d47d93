interface Says {
  status: number;
  title: string;
  /** What has happened and what to do, for a person in front of a browser. */
  text: (about: { tenant?: string; portal?: string; says?: string }) => string;
  /** Whether to begin again is worth trying. */
  again: boolean;
}

/** Every way in which an installation ends without one. Nothing is kept in any of them. */
const refusals = {
  'no-such-tenant': {
    status: 404,
    title: 'There is nothing to install here',
    text: () => 'This address names no account that can be connected. Ask whoever sent you here for the right one.',
    again: false,
  },
  'state-mismatch': {
    status: 400,
    title: 'This installation was not begun here',
    text: () =>
      'HubSpot sent you back with something that this browser has not begun, or that was used already. Nothing was connected. Begin again at the address you were given, in one browser, with cookies allowed.',
    again: false,
  },
  'too-late': {
    status: 400,
    title: 'That took too long',
    text: () => 'An installation must be confirmed within ten minutes. Nothing was connected.',
    again: true,
  },
  declined: {
    status: 403,
    title: 'Not installed',
    text: () => 'HubSpot says that the app was not agreed to. Nothing was connected.',
    again: true,
  },
  'code-refused': {
    status: 400,
    title: 'HubSpot does not know this confirmation',
    text: ({ says = '' }) =>
      `HubSpot refused it (${says}): it may have been used already, or the app's client secret is wrong here. Nothing was connected by it.`,
    again: true,
  },
  'hubspot-away': {
    status: 502,
    title: 'HubSpot does not answer',
    text: () => 'HubSpot did not confirm the installation. Nothing was connected; try again in a few minutes.',
    again: true,
  },
  'store-away': {
    status: 503,
    title: 'The installation could not be kept',
    text: () => 'Our database does not answer. Nothing was connected; try again in a few minutes.',
    again: true,
  },
  'other-app': {
    status: 403,
    title: 'This is another app',
    text: () =>
      'What HubSpot confirmed belongs to another app than the one that is declared for this account. Nothing was connected. Whoever runs this hub must correct its tenants file.',
    again: false,
  },
  'portal-not-allowed': {
    status: 403,
    title: 'This HubSpot account is not allowed',
    text: ({ portal = 'unknown', tenant = '' }) =>
      `You chose the HubSpot account ${portal}, which is not one of ${tenant}. Nothing was connected. Choose the right account, or ask whoever runs this hub to add it.`,
    again: true,
  },
} as const satisfies Record<string, Says>;

/** Why an installation did not come about. */
export type RefusalCode = keyof typeof refusals;

/** Thrown where an installation is refused; what it says may be shown to the person. */
export class Refusal extends Error {
  readonly status: number;
  readonly title: string;
  /** Whose installation may be begun again. */
  readonly again: string | undefined;

  constructor(
    readonly code: RefusalCode,
    about: { tenant?: string; portal?: string; says?: string } = {},
  ) {
    const { status, title, text, again } = refusals[code];
    super(text(about));
    this.name = 'Refusal';
    this.status = status;
    this.title = title;
    this.again = again ? about.tenant : undefined;
  }
}
