import { endpointList, type EndpointDeclaration } from '../generic/endpoint.schema';
import { Endpoints, type Endpoint } from '../generic/endpoints';
import { AddressSet } from '../schemes/addresses';
import { createLogger } from '#libs/platform';

/** The lines that endpoints under test logged. */
export const lines: string[] = [];
export const logger = createLogger('test', 'info', { write: (line) => void lines.push(line) });

/** An endpoint as its declaration is read, with what a test wants to be different. */
export const declare = (over: object = {}): EndpointDeclaration => {
  const whole = { endpoint: 'test', source: 'test', authentication: [{ scheme: 'github', secretEnv: 'SECRET' }] };
  const [declared] = endpointList.parse([{ ...whole, ...over }]);
  return declared as EndpointDeclaration;
};

/** Opens an endpoint; `env` holds its secrets. */
export const open = (declared: EndpointDeclaration, env: Record<string, string>): Endpoint => {
  const around = { env, logger, proxies: new AddressSet(['10.0.0.0/8']) };
  return Endpoints.open([declared], around).get(declared.endpoint) as Endpoint;
};
