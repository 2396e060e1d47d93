import type { Circus } from '@jest/types';
import { TestEnvironment } from 'jest-environment-node';

/** Counts a file's failed tests, so that its hub prints its logs when there is something to explain. */
export default class HubEnvironment extends TestEnvironment {
  handleTestEvent(event: Circus.Event): void {
    if (event.name !== 'test_fn_failure' && event.name !== 'hook_failure') return;
    const shared = this.global as { failedTests?: number };
    shared.failedTests = (shared.failedTests ?? 0) + 1;
  }
}
