import type { CrmEvent } from '#libs/contracts';
import { stepsOf } from '#libs/recipes';
import { given as givenOf } from '../../../libs/process/src/testing/given';
import { recipeOf } from '../../../libs/recipes/src/testing/recipe-of';
import { recordDecider, type RecordInput } from './record.decider';
import type { StepDue } from './step.decider';

const recipe = recipeOf(`recipe: r
trigger: { object: contact, property: industry, take: { it: event.value } }
steps:
  - write: { properties: { score: "\${steps.trigger.it}" } }
`);
const record = { type: 'contact', id: '7' };
const t = (minute: number): string => new Date(Date.UTC(2026, 10, 21, 10, minute)).toISOString();

type By = StepDue['by'];
const told = (minute: number, by: By, value = `v${String(minute)}`): RecordInput => ({
  type: 'told',
  record,
  wishes: [],
  steps: stepsOf(recipe, 'write').map((step) => ({
    recipe,
    step,
    ...(by === undefined ? {} : { by }),
    time: t(minute),
    guard: { at: t(minute), number: 0, rank: 3 },
    results: { trigger: { it: value } },
    content: `industry=${value}`,
    rootCause: `cause-${String(minute)}`,
  })),
});
const elsewhere = (minute: number, value: string, by: 'person' | 'machine' = 'machine'): RecordInput => ({
  type: 'told',
  record,
  wishes: [],
  steps: [],
  elsewhere: { property: 'score', value, by, at: t(minute) },
});

/** Decides inputs one after the other; each write is taken at the time of what led to it. */
function run(...inputs: [minute: number, RecordInput][]): CrmEvent[] {
  return inputs.reduce<CrmEvent[]>((history, [minute, input]) => {
    const decide = (all: CrmEvent[], one: RecordInput) => [...all, ...givenOf(recordDecider, ...all)(one).events];
    const after = decide(history, input);
    const write = after.filter(({ type }) => type === 'RecordUpdateOwed').length;
    const isOwed = write > after.filter(({ type }) => type === 'RecordUpdated').length;
    return isOwed ? decide(after, { type: 'written', record, write, at: t(minute), ended: { state: 'done' } }) : after;
  }, []);
}
const of = (events: CrmEvent[], type: CrmEvent['type']) => events.filter((event) => event.type === type);

it('refuses a write step that a machine sets off as the fourth answer in a row, and says so once', () => {
  const events = run(
    [0, told(0, 'person')],
    ...[1, 2, 3, 4, 5].map((m): [number, RecordInput] => [m, told(m, 'machine')]),
  );
  expect(of(events, 'RecordStepFilled').map(({ data }) => (data as { depth?: number }).depth)).toEqual([
    ...[undefined, 1, 2, 3],
  ]);
  expect(of(events, 'RecordLoopCut')).toEqual([{ type: 'RecordLoopCut', data: { recipe: 'r', at: t(4) } }]);
  expect(of(events, 'RecordStepRejected')).toMatchObject([{ data: { code: 'loop' } }, { data: { code: 'loop' } }]);
});

it('takes what a machine repeats of its own writing for an echo', () => {
  const wrote: RecordInput = {
    type: 'told',
    record,
    wishes: [{ properties: { industry: 'v9' }, guard: { at: t(0), number: 1, rank: 3 }, because: 'test' }],
    steps: [],
  };
  expect(of(run([0, wrote], [9, told(9, 'machine')]), 'RecordStepFilled')).toEqual([]);
  expect(of(run([0, wrote], [9, told(9, 'person')]), 'RecordStepFilled')).toHaveLength(1);
});

describe('a property that a machine sets back', () => {
  const rounds = (count: number): [number, RecordInput][] =>
    Array.from({ length: count }, (_, n): [number, RecordInput][] => [
      [n * 2, told(n * 2, undefined)],
      [n * 2 + 1, elsewhere(n * 2 + 1, 'theirs')],
    ]).flat();

  it('is left to it after five rounds within an hour, for an hour', () => {
    const events = run(...rounds(5), [20, told(20, undefined)]);
    expect(of(events, 'RecordLoopCut')).toEqual([
      { type: 'RecordLoopCut', data: { recipe: 'r', property: 'score', at: t(9) } },
    ]);
    expect(of(events, 'RecordUpdated')).toHaveLength(5);
    expect(of(run(...rounds(5), [20, told(20, undefined)], [70, told(70, undefined)]), 'RecordUpdated')).toHaveLength(
      6,
    );
  });

  it('counts once for each wish, and not where nothing is set back', () => {
    const again = [...rounds(4), [8, elsewhere(8, 'theirs')], [9, elsewhere(9, 'v6')]] as [number, RecordInput][];
    expect(of(run(...again), 'RecordSetElsewhere')).toHaveLength(4);
    expect(of(run([0, elsewhere(0, 'theirs')]), 'RecordSetElsewhere')).toEqual([]);
  });

  it('is contested no more once a person has changed it', () => {
    const events = run(...rounds(4), [9, elsewhere(9, 'mine', 'person')], ...rounds(5).slice(8));
    expect(of(events, 'RecordLoopCut')).toEqual([]);
    expect(of(run([0, elsewhere(0, 'mine', 'person')]), 'RecordSetElsewhere')).toEqual([]);
  });

  it('is forgotten after an hour without', () => {
    const late = rounds(5).map(([minute], n): [number, RecordInput] => {
      const at = minute * 20;
      return [at, n % 2 === 0 ? told(at, undefined) : elsewhere(at, 'theirs')];
    });
    expect(of(run(...late), 'RecordLoopCut')).toEqual([]);
  });
});
