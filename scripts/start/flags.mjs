// Flags of `npm start`, read twice: by the entry script before anything is installed, and by the program itself.
import { parseArgs } from 'node:util';

const usage = `Usage: npm start [-- options]

Starts the hub on this machine: Kafka, Postgres, the vendor sandboxes and the services,
drives the main job once before your eyes, and stays up until Ctrl-C.

Options:
  --check     do it once, then stop; exits 0, or 1 with the reason
  --no-demo   start everything, leave the main job to you
  --help      show this text

Settings are read from the environment and from .env, when there is one. KAFKA_BROKERS and DATABASE_URL
name a broker and a database to use; a vendor whose own key is set there is not stood in for.`;

/**
 * Returns the flags, or ends the process: 0 after --help, 2 on wrong usage.
 * @param {string[]} argv
 * @returns {{ check: boolean, demo: boolean }}
 */
export function readFlags(argv) {
  try {
    const { values } = parseArgs({
      args: argv,
      options: {
        check: { type: 'boolean', default: false },
        'no-demo': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      console.log(usage);
      process.exit(0);
    }
    if (values.check && values['no-demo']) throw new Error('--check runs the demo, so it cannot go with --no-demo');
    return { check: values.check, demo: !values['no-demo'] };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    process.exit(2);
  }
}
