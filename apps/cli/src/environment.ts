import { InvalidArgumentError, Option } from 'commander';

/** Reads the name of an environment, as publications bear it. */
export function environmentName(text: string): string {
  if (/^[a-z][a-z0-9-]{0,62}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be lowercase words joined by hyphens.');
}

/** The environment that a command is about: `default` unless said. */
export const environmentOption = (): Option =>
  new Option('--environment <name>', 'dev, test, prod or any other').argParser(environmentName).default('default');
