// Runs one of Kafka's own tools: `node scripts/infra/kafka/tool/main.mts <class> <arguments…>`. Ends as the tool does.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { findJava, kafkaJars } from '../jars.mts';

const [java, lib] = await Promise.all([findJava(), kafkaJars()]);
const settings = `-Dlog4j2.configurationFile=${join(import.meta.dirname, '../log4j2.properties')}`;
const args = ['-Xmx128m', '-XX:+UseSerialGC', settings, '-cp', join(lib, '*'), ...process.argv.slice(2)];
spawn(java, args, { stdio: 'inherit' }).once('close', (code) => process.exit(code ?? 1));
