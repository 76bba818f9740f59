import { expect } from 'chai';
import { type DialectName, dialectNames, dialects } from '../../../reference/dialects/dialect.js';
import { pageSize } from '../../../reference/ram/guest-ram.js';
import { scratch, scribble, TestMachine } from './test-machine.js';

const files = scratch();
let count = 0;

interface Pair {
  readonly primary: TestMachine;
  readonly secondary: TestMachine;
  /** Asks for a checkpoint and waits until both sides have gone on. */
  readonly checkpoint: () => Promise<void>;
}

/** Checkpoints only when asked for. */
const never = 4_000_000_000n;

/** Primary and secondary side by side. */
async function pair(
  dialect: DialectName,
  use: (pair: Pair) => Promise<void>,
  capabilities: readonly string[] = [],
  parameters: Record<string, unknown> = {},
): Promise<void> {
  const primary = new TestMachine({ dialect, megabytes: 2 });
  const secondary = new TestMachine({ dialect, megabytes: 2, runState: 'prelaunch' });
  scribble(primary.ram);
  secondary.migration.deferIncoming();
  const uri = `unix:${files.path(`c${++count}`)}`;
  const delay = { 'x-checkpoint-delay': never };
  try {
    await primary.capabilities('events', 'x-colo', ...capabilities);
    await secondary.capabilities('events', 'x-colo');
    await primary.ok('migrate-set-parameters', { ...delay, ...parameters });
    await secondary.ok('migrate-incoming', { uri });
    primary.transcript.length = 0;
    secondary.transcript.length = 0;
    await primary.ok('migrate', { uri });
    await primary.until('R');
    await secondary.until('M(colo)');
    const gone = dialects[dialect].migration.coloSecondaryRuns ? 'R' : 'RESET';
    await use({
      primary,
      secondary,
      checkpoint: async () => {
        primary.transcript.length = 0;
        secondary.transcript.length = 0;
        await primary.ok('migrate-set-parameters', delay);
        await primary.until('R');
        await secondary.until(gone);
      },
    });
  } finally {
    primary.close();
    secondary.close();
  }
}

const ramOf = (machine: TestMachine) => machine.ram.blocks[0]!;
const same = (one: TestMachine, other: TestMachine) => ramOf(one).bytes.equals(ramOf(other).bytes);

/** The story without the reply of the command that may come anywhere. */
const events = (machine: TestMachine) => machine.story.replace(/ ?↵/, '').trim();

describe('migration: COLO between two references', () => {
  after(() => files.remove());

  for (const dialect of dialectNames) {
    const runs = dialects[dialect].migration.coloSecondaryRuns;

    it(`${dialect}: a checkpoint makes the secondary's RAM the primary's (MIG-SM-O82, I61)`, () =>
      pair(dialect, async ({ primary, secondary, checkpoint }) => {
        expect(same(primary, secondary)).to.equal(true);
        for (let round = 1; round <= 3; round++) {
          // A page of text, one that becomes zero, and the last one of the block.
          primary.ram.write(ramOf(primary), 5 * pageSize + 7, Buffer.from(`round ${round}`));
          primary.ram.write(ramOf(primary), (20 + round) * pageSize, Buffer.alloc(pageSize));
          primary.ram.write(ramOf(primary), ramOf(primary).bytes.length - 1, Buffer.from([round]));
          expect(same(primary, secondary)).to.equal(false);
          await checkpoint();
          expect(events(primary)).to.match(/^S P\d R$/);
          expect(events(secondary)).to.equal(runs ? 'S R' : 'RESET');
          expect(same(primary, secondary)).to.equal(true);
        }
        expect(await primary.info()).to.deep.equal({ status: 'colo' });
        expect(secondary.runState).to.equal(runs ? 'running' : 'inmigrate');
      }));

    it(`${dialect}: checkpoints come by themselves after x-checkpoint-delay`, () =>
      pair(dialect, async ({ primary, checkpoint }) => {
        await checkpoint();
        await primary.ok('migrate-set-parameters', { 'x-checkpoint-delay': 5n });
        primary.transcript.length = 0;
        while (primary.transcript.filter((word) => word === 'R').length < 3) {
          const seen = primary.transcript.length;
          await primary.until('R');
          while (primary.transcript.length === seen) await new Promise(setImmediate);
        }
        expect(primary.story).to.match(/^(S? ?P?\d* ?R) (S P\d+ R ?)+/);
      }));

    it(`${dialect}: the loss of the secondary is survived by a failover (MIG-SM-O83, O84)`, () =>
      pair(dialect, async ({ primary, secondary, checkpoint }) => {
        await checkpoint();
        primary.transcript.length = 0;
        secondary.close();
        await primary.logged(/COLO message/);
        expect(primary.runState).to.equal('running');
        expect(await primary.info()).to.deep.equal({ status: 'colo' });
        expect(primary.story).to.equal(runs ? 'COLO_EXIT' : '');
        await primary.ok('x-colo-lost-heartbeat');
        await primary.until('M(completed)');
        expect(events(primary)).to.equal(`${runs ? 'COLO_EXIT ' : ''}S M(completed) R`);
      }));

    it(`${dialect}: the loss of the primary is survived by a failover (MIG-SM-I62, I63)`, () =>
      pair(dialect, async ({ primary, secondary, checkpoint }) => {
        await checkpoint();
        secondary.transcript.length = 0;
        primary.close();
        await secondary.logged(/COLO message/);
        expect((await secondary.info()).status).to.equal('colo');
        expect(secondary.story).to.equal(runs ? 'COLO_EXIT' : '');
        await secondary.ok('x-colo-lost-heartbeat');
        await secondary.until('R');
        expect(events(secondary)).to.equal(runs ? 'COLO_EXIT S M(completed) R' : 'M(completed) R');
        expect(secondary.runState).to.equal('running');
      }));

    it(`${dialect}: a failover of both sides leaves two guests that run`, () =>
      pair(dialect, async ({ primary, secondary, checkpoint }) => {
        await checkpoint();
        primary.transcript.length = 0;
        await primary.ok('x-colo-lost-heartbeat');
        await primary.until('M(completed)');
        expect(events(primary)).to.equal(runs ? 'S M(completed) COLO_EXIT R' : 'S M(completed) R');
        expect(await primary.info()).to.include({ status: 'completed', 'total-time': 0 });
        await secondary.ok('x-colo-lost-heartbeat');
        await secondary.until('M(completed)');
        expect(secondary.runState).to.equal('running');
      }));

    it(`${dialect}: checkpoints go on behind a return path, and without deltas (MIG-SM-O41)`, () =>
      pair(
        dialect,
        async ({ primary, secondary, checkpoint }) => {
          for (let round = 1; round <= 3; round++) {
            primary.ram.write(ramOf(primary), 5 * pageSize, Buffer.from(`round ${round}`));
            await checkpoint();
            expect(same(primary, secondary)).to.equal(true);
          }
        },
        ['return-path', 'xbzrle'],
      ));
  }

  for (const dialect of ['7.2', '10.0'] as const) {
    it(`${dialect}: undoes what the secondary's own guest has written`, () =>
      pair(dialect, async ({ primary, secondary, checkpoint }) => {
        secondary.ram.write(ramOf(secondary), 9 * pageSize, Buffer.from('only here'));
        secondary.ram.write(ramOf(secondary), 5 * pageSize, Buffer.from('here too'));
        primary.ram.write(ramOf(primary), 5 * pageSize, Buffer.from('as the primary has it'));
        await checkpoint();
        expect(same(primary, secondary)).to.equal(true);
      }));
  }
});
