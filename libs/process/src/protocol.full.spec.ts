import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { testDatabase, type TestDatabase } from '../../event-store/src/testing/test-database';
import type { Finding } from '#libs/event-store';
import { type End, Office } from './testing/office';

// docs/explanation/protocol.md as commands: whatever happens to inputs and effects, in whatever order, the rules that
// `Watch` looks at after every step hold, and in the end everything is accounted for.

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
  await db.stopClock();
});
afterAll(() => db.drop());

interface Heard {
  records: number;
}

class Command<A> implements fc.AsyncCommand<Heard, Office> {
  constructor(
    private readonly name: string,
    private readonly given: A,
    private readonly act: (office: Office, given: A, heard: Heard) => Promise<void> | void,
    private readonly needs: (heard: Heard) => boolean,
  ) {}

  check = (heard: Readonly<Heard>): boolean => this.needs(heard);

  async run(heard: Heard, office: Office): Promise<void> {
    await this.act(office, this.given, heard);
  }

  toString = (): string => `${this.name} ${JSON.stringify(this.given)}`;
}

type Act<A> = (office: Office, given: A, heard: Heard) => Promise<void> | void;

/** A command that is drawn `often` times as often as others. */
function command<A>(often: number, name: string, given: fc.Arbitrary<A>, act: Act<A>, first = false) {
  const one = given.map((value) => new Command(name, value, act, ({ records }) => first || records > 0));
  return Array.from({ length: often }, () => one);
}

const replica = fc.constantFrom(1, 2);
const subject = fc.constantFrom(0, 1);
const who = fc.constantFrom('ada', 'ada', 'eve', 'eve', 'bug');
const some = fc.nat(20);
const none = fc.constant(undefined);
const end = fc.constantFrom<End>(
  ...(['done', 'done', 'done', 'done', 'failed', 'refused', 'no', 'unknown'] as const),
  ...(['died after sending', 'died before sending'] as const),
);
const finding = fc.constantFrom<Finding>(
  { state: 'owed' },
  { state: 'dead', code: 'said so' },
  { state: 'done', answer: 'seen' },
);
const owed: Finding = { state: 'owed' };

const hear: Act<[number, number, string]> = (office, [at, about, name], heard) => {
  heard.records += 1;
  return office.hear(at, about, name);
};

// Many steps at once, so that the rare states are reached too.
const work: Act<[number, End]> = async (office, [at, how]) => {
  await office.claim(at, 3);
  for (let which = 0; which < 3; which += 1) await office.end(at, which, how);
  await office.pump(at);
  await office.relay(at, false);
};
const runOut: Act<number> = async (office, at) => {
  await office.pass(10_000);
  await office.sweep(at);
};
const replayAll: Act<[number, boolean]> = async (office, [at, again]) => {
  await office.plan();
  await office.stepReplay(at);
  await office.moveReplay(0, 'applying', again);
  await office.stepReplay(at);
};

const commands = [
  command(10, 'a replica works', fc.tuple(replica, end), work),
  command(5, 'leases run out', replica, runOut),
  command(3, 'a replay is planned and applied', fc.tuple(replica, fc.boolean()), replayAll),
  command(5, 'a record comes', fc.tuple(replica, subject, who), hear, true),
  command(
    1,
    'records come again',
    fc.tuple(replica, fc.array(some, { minLength: 1, maxLength: 4 })),
    (office, [at, which]) => office.deliver([at], which),
  ),
  command(1, 'both replicas are given a record', some, (office, which) => office.deliver([1, 2], [which])),
  command(1, 'the database goes or comes', fc.boolean(), (office, cut) => void (office.code.cut = cut)),
  command(1, 'the code is changed', fc.boolean(), (office, mended) => void (office.code.mended = mended)),
  command(6, 'calls are claimed', fc.tuple(replica, fc.constantFrom(1, 3)), (office, [at, most]) =>
    office.claim(at, most),
  ),
  command(8, 'a call ends', fc.tuple(replica, some, end), (office, [at, which, how]) => office.end(at, which, how)),
  command(8, 'mail is decided', replica, (office, at) => office.pump(at)),
  command(2, 'events are published', fc.tuple(replica, fc.boolean()), (office, [at, dies]) => office.relay(at, dies)),
  command(3, 'time passes', fc.constantFrom(200, 2_500, 10_000), (office, ms) => office.pass(ms)),
  command(3, 'what is overdue is swept', replica, (office, at) => office.sweep(at)),
  command(2, 'a key is to be released', subject, (office, about) => office.release(about)),
  command(1, 'the first parked input is discarded', subject, (office, about) => office.discard(about, 'first')),
  command(1, 'parked inputs are discarded', subject, (office, about) => office.discard(about, 'all')),
  command(2, 'a replay is asked for', none, (office) => office.plan()),
  command(4, 'a replay goes on', replica, (office, at) => office.stepReplay(at)),
  command(3, 'a replay is applied', fc.tuple(some, fc.boolean()), (office, [which, again]) =>
    office.moveReplay(which, 'applying', again),
  ),
  command(1, 'a replay is aborted', some, (office, which) => office.moveReplay(which, 'aborted', false)),
  command(1, 'a subject is erased', subject, (office, about) => office.erase(about)),
  command(1, 'an effect is cancelled', some, (office, which) => office.decideBy('cancels', which, owed)),
  command(2, 'a held effect is decided', fc.tuple(some, finding), (office, [which, found]) =>
    office.decideBy('resolves', which, found),
  ),
  command(1, 'an effect is made again', some, (office, which) => office.decideBy('redoes', which, owed)),
].flat();

const RUNS = Number(process.env['MODEL_RUNS'] ?? 80);
// On a machine that is busy with something else a run takes most of a second.
const WITHIN_MS = RUNS * 2_000;

it(
  'keeps its rules whatever happens in whatever order',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.commands(commands, { maxCommands: 120, size: 'max' }), async (steps) => {
        const office = new Office(db, `m${randomBytes(5).toString('hex')}`);
        await fc.asyncModelRun(() => ({ model: { records: 0 }, real: office }), steps);
        if (office.records.length === 0) return;
        await office.settle();

        expect(await office.watch.unseen()).toEqual([]);
        const decided = await office.watch.decided();
        for (const { envelope } of office.records) {
          const { id = '', subject: about = '' } = envelope ?? {};
          if (office.discarded.has(about)) continue;
          const { wished = 0, ended = 0, replayed = 0 } = decided.get(id) ?? {};
          expect({ id, decided: wished - replayed, ended: ended > 0 }).toEqual({ id, decided: 1, ended: true });
        }
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
  },
  WITHIN_MS,
);
