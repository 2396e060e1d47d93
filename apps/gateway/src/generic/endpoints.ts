import { readFileSync } from 'node:fs';
import { ConfigError, type Environment, type Logger } from '#libs/platform';
import { parse } from 'yaml';
import { z } from 'zod';
import { AddressSet, cidr, verifyAddress } from '../schemes/addresses';
import { issuerKeys, verifyBearerToken } from '../schemes/bearer-token';
import { verifyCertificate } from '../schemes/certificate';
import { verifyHmac } from '../schemes/hmac';
import type { Evidence, InboundRequest, Secrets } from '../schemes/inbound';
import { presets } from '../schemes/presets';
import type { SecretDeclaration } from '../schemes/rule';
import { verifyApiKey, verifyBasic } from '../schemes/shared-secret';
import { endpointList, type EndpointDeclaration, type SchemeDeclaration } from './endpoint.schema';
import { MinuteCap } from '../minute-cap';
import { NoSecret, SecretPair, type KeyFormat } from '../secret-pair';

/** A scheme with all that it needs; `now` is epoch milliseconds. */
export interface Scheme {
  name: SchemeDeclaration['scheme'];
  verify: (request: InboundRequest, now: number) => Evidence | Promise<Evidence>;
}

/** An endpoint that can receive. */
export interface Endpoint {
  declared: EndpointDeclaration;
  schemes: readonly Scheme[];
  cap: MinuteCap | undefined;
}

/** What endpoints are opened with. */
export interface Surroundings {
  env: Environment;
  logger: Logger;
  proxies: AddressSet;
}

/** The declared endpoints, each by its name. */
export class Endpoints {
  private constructor(private readonly byName: ReadonlyMap<string, Endpoint>) {}

  /** Opens all or none: throws one {@link ConfigError} with every secret that cannot be read. */
  static open(declared: readonly EndpointDeclaration[], around: Surroundings): Endpoints {
    const faults: string[] = [];
    const opened = declared.map((one): [string, Endpoint] => {
      const schemes = inOrder(one.authentication).flatMap((scheme, i) => {
        try {
          return [{ name: scheme.scheme, verify: verifierOf(scheme, around) }];
        } catch (error) {
          if (!(error instanceof NoSecret)) throw error;
          faults.push(`ENDPOINTS_FILE: endpoint ${one.endpoint}, ${scheme.scheme} (${i + 1}): ${error.message}`);
          return [];
        }
      });
      const cap = one.perMinute === undefined ? undefined : new MinuteCap(one.perMinute);
      return [one.endpoint, { declared: one, schemes, cap }];
    });
    if (faults.length > 0) throw new ConfigError(faults);
    return new Endpoints(new Map(opened));
  }

  get(name: string): Endpoint | undefined {
    return this.byName.get(name);
  }
}

/** What costs nothing comes first; the issuer is asked only about what passed everything else. */
const inOrder = (schemes: readonly SchemeDeclaration[]): SchemeDeclaration[] => {
  const rank = ({ scheme }: SchemeDeclaration) =>
    scheme === 'bearer-token' ? 2 : scheme === 'addresses' || scheme === 'certificate' ? 0 : 1;
  return schemes.toSorted((a, b) => rank(a) - rank(b));
};

function verifierOf(declared: SchemeDeclaration, { env, logger, proxies }: Surroundings): Scheme['verify'] {
  const secretsOf = (from: SecretDeclaration, format: KeyFormat = 'text'): (() => Secrets) => {
    const pair = new SecretPair(from, format, env, logger);
    return () => pair.read(performance.now());
  };
  switch (declared.scheme) {
    case 'addresses': {
      const allowed = new AddressSet(declared.allow);
      return (request) => verifyAddress(request, allowed, proxies);
    }
    case 'certificate':
      return (request) => verifyCertificate(request, declared, proxies);
    case 'basic': {
      const secrets = secretsOf(declared);
      return (request) => verifyBasic(request, declared, secrets());
    }
    case 'api-key': {
      const secrets = secretsOf(declared);
      return (request) => verifyApiKey(request, declared, secrets());
    }
    case 'bearer-token': {
      const keys = issuerKeys(declared.jwks);
      return (request, now) => verifyBearerToken(request, declared, keys, now);
    }
    default: {
      const rule = declared.scheme === 'hmac' ? declared : presets[declared.scheme];
      const secrets = secretsOf(declared, rule.key);
      return (request, now) => verifyHmac(request, rule, secrets(), now);
    }
  }
}

/** A setting that names the endpoints file; what is wrong with the file is a fault of the setting. */
export const endpointsFile = () =>
  z.string().transform((path, context) => {
    try {
      // Without pretty errors: they repeat lines of the file.
      const read = endpointList.safeParse(parse(readFileSync(path, 'utf8'), { prettyErrors: false }));
      if (read.success) return read.data;
      context.addIssue({ code: 'custom', message: `is no list of endpoints: ${z.prettifyError(read.error)}` });
    } catch (error) {
      context.addIssue({ code: 'custom', message: `cannot be read: ${(error as Error).message}` });
    }
    return z.NEVER;
  });

/** A setting that lists addresses and ranges, separated by commas. */
export const addressSet = () =>
  z
    .string()
    .transform((text) => text.split(',').map((range) => range.trim()))
    .pipe(z.array(cidr()))
    .transform((ranges) => new AddressSet(ranges));
