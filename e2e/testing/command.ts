import { createProgram } from '../../apps/cli/src/program';

export interface Told {
  said: string;
  code: number;
  /** Name and message of what the command threw. */
  failure: string;
}

/** Runs a `refrain` command in this process, with these settings and no others. */
export async function refrain(args: string[], env: Record<string, string>): Promise<Told> {
  const outputs: string[] = [];
  const keep = (text: unknown) => outputs.push(String(text)) > 0;
  const environment = jest.replaceProperty(process, 'env', env);
  const spies = (['stdout', 'stderr'] as const).map((to) => jest.spyOn(process[to], 'write').mockImplementation(keep));
  let failure = '';
  try {
    await createProgram().parseAsync(['node', 'refrain', ...args]);
  } catch (error) {
    failure = `${(error as Error).name}: ${(error as Error).message}`;
  } finally {
    for (const spy of spies) spy.mockRestore();
    environment.restore();
  }
  const told = { said: outputs.join(''), code: Number(process.exitCode ?? 0), failure };
  process.exitCode = undefined;
  return told;
}
