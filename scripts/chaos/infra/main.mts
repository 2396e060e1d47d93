// A broker and a database that can be killed and come back on their data, for the chaos test. Prints their addresses as
// one line of JSON; then each line "kill kafka|postgres <ms>" on standard input ends one and starts it again after that
// time, told by {"back": …}. Stops, and removes the data, when standard input closes.
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { startKafka } from '../../infra/kafka/broker.mts';
import { startPostgres } from '../../infra/postgres/server.mts';

const tell = (line: object) => void process.stdout.write(`${JSON.stringify(line)}\n`);

// A broker that comes back after a kill is not let in before the session of its former self is over: 9 s, unless told.
const soonBack = { 'broker.session.timeout.ms': 3_000, 'broker.heartbeat.interval.ms': 500 };
const [kafka, postgres] = await Promise.all([startKafka(soonBack), startPostgres()]);
const parts = { kafka, postgres };
tell({ kafkaBrokers: kafka.brokers, databaseUrl: postgres.databaseUrl });

const order = /^kill (kafka|postgres) (\d+)$/;
for await (const line of createInterface({ input: process.stdin })) {
  const [, name, ms] = order.exec(line) ?? [];
  if (!name) throw new Error(`not understood: ${line}`);
  const part = parts[name as keyof typeof parts];
  await part.kill();
  await sleep(Number(ms));
  await part.restart();
  tell({ back: name });
}
await Promise.all([kafka.stop(), postgres.stop()]);
