import { userInfo } from 'node:os';
import { Option } from 'commander';

/** `--by`: who asks for something that is kept, by default the user of this machine. */
export const byOption = (): Option =>
  new Option('--by <name>', 'who asks for it').default(userName(), 'your user name');

// A container may run as a user that has no name; no command is to fail for that.
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown';
  }
}
