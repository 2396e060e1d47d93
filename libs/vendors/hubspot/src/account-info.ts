import type { Answer } from '#libs/contracts';
import { z } from 'zod';
import { requestWhole, sorted } from './answering';
import { type Rates, ratesIn, type Sdk } from './sdk';
import { families } from './versions';

/** An account as HubSpot knows it, and what the answer said beside. */
export interface AccountInfo {
  portalId: number;
  /** The IANA time zone whose midnight begins a day of its limits. */
  timeZone: string;
  rates: Rates;
  /** HubSpot's own time (epoch milliseconds, to the second), and ours in the middle of the call. */
  clock?: { theirs: number; ours: number };
}

const details = z.looseObject({ portalId: z.number(), timeZone: z.string() });

/** Asks which account the token is of. */
export const accountInfo = (sdk: Sdk, signal: AbortSignal): Promise<Answer<AccountInfo>> =>
  sorted(signal, async () => {
    const asked = Date.now();
    const path = `${families.accountInfo.root}/details`;
    const { body, headers } = await requestWhole(sdk, signal, { method: 'GET', path });
    const ours = (asked + Date.now()) / 2;
    const { portalId, timeZone } = details.parse(body);
    const theirs = Date.parse(headers['date'] ?? '');
    return {
      portalId,
      timeZone,
      rates: ratesIn(headers),
      ...(Number.isNaN(theirs) ? {} : { clock: { theirs, ours } }),
    };
  });
