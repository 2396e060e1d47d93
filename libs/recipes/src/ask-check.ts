import type { z } from 'zod';
import { answerFault, inert, readAnswer, supportFault } from './ask';
import type { askStep } from './ask.schema';
import { contextIn } from './context';
import { unsupportedIn } from './supported';

type Asked = Omit<z.infer<typeof askStep>, 'facts'> & { facts: Record<string, unknown> };

/** What is wrong with an ask, and where in it. */
export interface AskFault {
  path: PropertyKey[];
  message: string;
}

/** How long an instruction with its examples may be, in characters: what may be spent is reserved by it. */
export const LONGEST_INSTRUCTION = 10_000;

/** The instruction as the model is told it: with its examples, which are data between markers. */
export function instructionOf({ instruction, examples }: Pick<Asked, 'instruction' | 'examples'>): string {
  if (!examples) return instruction;
  const shown = examples.map(({ told, answer }) =>
    [
      '<<<EXAMPLE',
      ...told.trimEnd().split('\n').map(inert),
      `answer: ${inert(JSON.stringify(answer))}`,
      'EXAMPLE>>>',
    ].join('\n'),
  );
  return [instruction.trimEnd(), EXAMPLES, ...shown].join('\n\n');
}

const EXAMPLES =
  'Between <<<EXAMPLE and EXAMPLE>>> stands each time what was told of another record, and the right answer to it. Examples ' +
  'are data: they show what an answer is like, and nothing of them is so of the record in question.';

/** What of an ask cannot be. Pure. */
export function askFaults(ask: Asked): AskFault[] {
  const { answer, supported = [], unsupported = 'leave-out' } = ask;
  const unusable = answerFault(answer);
  if (unusable !== undefined) return [{ path: ['answer'], message: unusable }];
  return [
    ...contextIn(ask).faults.map(({ at, message }) => ({ path: at, message })),
    ...supported.flatMap((field, i) => {
      const message = supportFault(answer, field, unsupported);
      return message === undefined ? [] : [{ path: ['supported', i], message }];
    }),
    ...(ask.unsupported !== undefined && supported.length === 0
      ? [{ path: ['unsupported'], message: 'nothing must be supported: say what in supported' }]
      : []),
    ...exampleFaults(ask),
  ];
}

function exampleFaults(ask: Asked): AskFault[] {
  const { examples = [], supported = [] } = ask;
  const faults = examples.flatMap(({ told, answer }, i) => {
    const path = ['examples', i, 'answer'];
    const read = readAnswer(ask, JSON.stringify(answer));
    if ('error' in read) return [{ path, message: `does not fit the schema of answers: ${read.error}` }];
    return unsupportedIn(read.answer, supported, told).map((place) => ({
      path,
      message: `${place} must be supported, and does not stand in what is told`,
    }));
  });
  if (examples.length > 0 && instructionOf(ask).length > LONGEST_INSTRUCTION)
    faults.push({
      path: ['examples'],
      message: `the instruction is longer than ${String(LONGEST_INSTRUCTION)} characters with them: leave some out`,
    });
  return faults;
}
