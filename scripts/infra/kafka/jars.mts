import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runToEnd } from '../child.mts';
import { Unavailable } from '../unavailable.mts';
import { makeWorkDirectory, refrainDirectory } from '../work-directory.mts';

const run = promisify(execFile);
const home = join(refrainDirectory, 'kafka-4.3.1');
const lib = join(home, 'lib-with-tools');

/** Returns the folder with the jars of broker and tools, fetched by Maven the first time. Complete or not there. */
export async function kafkaJars(): Promise<string> {
  if (existsSync(lib) && readdirSync(lib).length > 0) return lib;
  await run('mvn', ['-v']).catch(() => {
    throw new Unavailable('Maven (`mvn`) is needed once to fetch Kafka 4.3.1, and is not on the PATH');
  });
  const work = makeWorkDirectory('kafka-jars');
  const out = join(work.path, 'lib');
  try {
    await runToEnd({
      name: 'Fetching Kafka 4.3.1 with Maven',
      command: 'mvn',
      args: [
        '-q',
        '-B',
        '-f',
        join(import.meta.dirname, 'pom.xml'),
        'dependency:copy-dependencies',
        `-DoutputDirectory=${out}`,
        '-DincludeScope=runtime',
      ],
      env: process.env,
      cwd: work.path,
      logFile: join(work.path, 'maven.log'),
    });
    mkdirSync(home, { recursive: true });
    if (!existsSync(lib)) renameSync(out, lib);
  } catch (error) {
    if (!existsSync(lib)) throw new Unavailable(error instanceof Error ? error.message : String(error));
  } finally {
    work.remove();
  }
  return lib;
}

/** Returns the Java to run: JAVA_HOME's, else the PATH's; 17 or newer. */
export async function findJava(): Promise<string> {
  const java = process.env.JAVA_HOME ? join(process.env.JAVA_HOME, 'bin', 'java') : 'java';
  const said = await run(java, ['-version']).catch(() => {
    throw new Unavailable(`Java 17 or newer is needed, and \`${java}\` does not run`);
  });
  const version = /version "(?:1\.)?(\d+)/.exec(said.stderr + said.stdout);
  if (Number(version?.[1]) >= 17) return java;
  throw new Unavailable(`Java 17 or newer is needed, and \`${java}\` is ${version?.[1] ?? 'of an unknown version'}`);
}
