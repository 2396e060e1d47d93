/** Prints a result: for people by default, as one JSON value where `--json` was given. */
export function print(json: boolean, value: unknown, text: string): void {
  process.stdout.write(json ? `${JSON.stringify(value)}\n` : `${text}\n`);
}

/** The command was used wrongly: exit status 2. */
export class UsageError extends Error {}
