import type { Command } from 'commander';
import { topics } from '#libs/contracts';
import { applyTopics, checkTopics, type TopicDifference, withAdmin } from '#libs/log';
import { loadConfig } from '#libs/platform';
import { logConfig } from '../cli.config';
import { print } from '../output';

/** `refrain topics apply|check`: the topics as `libs/contracts` declares them. */
export function addTopics(program: Command): void {
  const command = program.command('topics').description('the topics of the hub, as they are declared');
  command
    .command('apply')
    .description('create missing topics, add partitions, set retention; applying twice changes nothing')
    .option('--dry-run', 'only say what would change', false)
    .option('--json', 'print the changes as JSON', false)
    .action(async ({ json, dryRun }: { json: boolean; dryRun: boolean }) => {
      const changes = await onBroker(dryRun ? 'check' : 'apply');
      print(json, { changes }, table(changes, dryRun ? 'would change' : 'changed'));
    });
  command
    .command('check')
    .description('compare the broker with what is declared; exits 1 where they differ')
    .option('--json', 'print the differences as JSON', false)
    .action(async ({ json }: { json: boolean }) => {
      const differences = await onBroker('check');
      print(json, { differences }, table(differences, 'differs'));
      if (differences.length > 0) process.exitCode = 1;
    });
}

function onBroker(what: 'apply' | 'check'): Promise<TopicDifference[]> {
  const config = loadConfig(logConfig, process.env);
  const prefix = config.TOPIC_PREFIX;
  return withAdmin({ brokers: config.KAFKA_BROKERS, clientId: 'refrain-cli' }, (admin) =>
    what === 'check'
      ? checkTopics(admin, topics, { prefix })
      : applyTopics(admin, topics, { prefix, replicationFactor: config.TOPIC_REPLICATION }),
  );
}

function table(differences: TopicDifference[], verb: string): string {
  if (differences.length === 0) return 'All topics are as declared.';
  return differences.map((d) => `${d.topic} ${verb}: ${d.what} ${d.found} → ${d.wanted}`).join('\n');
}
