import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import { dialectNames } from '../../../reference/dialects/dialect.js';
import { isZeroPage } from '../../../reference/ram/zero-page.js';
import { type MachineOptions, scratch, scribble, TestMachine } from './test-machine.js';

const files = scratch();
let count = 0;
/** Which of them the rest of a postcopy heeds depends on the release. */
const unlimited = { 'max-bandwidth': 0n, 'max-postcopy-bandwidth': 0n };

interface Pair {
  readonly source: TestMachine;
  readonly destination: TestMachine;
  readonly uri: string;
}

/** A pair in which postcopy is just about to be asked for: slow enough to catch every state. */
async function pair(options: MachineOptions, capabilities: readonly string[], use: (pair: Pair) => Promise<void>) {
  const source = new TestMachine({ megabytes: 2, ...options });
  const destination = new TestMachine({ megabytes: 2, ...options, runState: 'prelaunch' });
  scribble(source.ram);
  destination.migration.deferIncoming();
  const uri = `unix:${files.path(`m${++count}`)}`;
  try {
    await source.capabilities('events', 'postcopy-ram', ...capabilities);
    await destination.capabilities('events', 'postcopy-ram');
    await destination.ok('migrate-incoming', { uri });
    await source.ok('migrate-set-parameters', { 'max-bandwidth': 300_000n });
    source.transcript.length = 0;
    await source.ok('migrate', { uri });
    await source.until('M(active)');
    await use({ source, destination, uri });
  } finally {
    source.close();
    destination.close();
  }
}

/** Pages that hold anything but zeroes. */
function pagesWithContent(bytes: Buffer): number {
  let pages = 0;
  for (let at = 0; at < bytes.length; at += 4096) if (!isZeroPage(bytes, at)) pages++;
  return pages;
}

describe('migration: postcopy between two references', () => {
  after(() => files.remove());

  for (const dialect of dialectNames) {
    it(`${dialect}: runs on the destination while pages still come (MIG-SM-R07, R11)`, () =>
      pair({ dialect }, [], async ({ source, destination }) => {
        await source.ok('migrate-start-postcopy');
        await source.until('M(completed)');
        await destination.until('M(completed)');
        const switched = dialect === '10.0' ? 'S M(device) P2 M(postcopy-active)' : 'M(postcopy-active) S P2';
        expect(source.story).to.equal(`M(setup) ↵ P1 M(active) ↵ ${switched} M(completed)`);
        expect(destination.story).to.equal('M(setup) ↵ M(active) M(postcopy-active) R M(completed)');
        expect(destination.ram.blocks[0]!.bytes.equals(source.ram.blocks[0]!.bytes)).to.equal(true);
        expect(source.runState).to.equal('postmigrate');
        expect((await source.info()).ram)
          .to.have.property('postcopy-requests')
          .that.is.greaterThan(0);
      }));

    it(`${dialect}: keeps to the limit whatever the guest of the destination misses (MIG-SM-O56)`, () =>
      pair({ dialect }, [], async ({ source, destination }) => {
        await source.ok('migrate-set-parameters', { 'max-postcopy-bandwidth': 40_000n });
        await source.ok('migrate-start-postcopy');
        await destination.until('R');
        const ram = async () => (await source.info()).ram as Readonly<Record<string, number>>;
        while ((await ram())['postcopy-requests'] === 0) await setImmediate();
        expect((await ram()).remaining).to.be.above(100_000);
        expect((await source.info()).status).to.equal('postcopy-active');
        await source.ok('migrate-set-parameters', unlimited);
        await source.until('M(completed)');
      }));

    it(`${dialect}: pauses, recovers and completes (MIG-SM-O60 to O74, I46 to I54)`, () =>
      pair({ dialect }, [], async ({ source, destination }) => {
        await source.ok('migrate-set-parameters', { 'max-postcopy-bandwidth': 300_000n });
        await source.ok('migrate-start-postcopy');
        await destination.until('R');
        await source.ok('migrate-pause');
        await source.until('M(postcopy-paused)');
        await destination.until('M(postcopy-paused)');
        expect(await source.refused('migrate_cancel')).to.match(/cannot cancel/);
        const uri = `unix:${files.path(`r${++count}`)}`;
        await source.ok('migrate', { uri: 'unix:/nonexistent/x', resume: true });
        await source.logged(/Failed to connect/);
        expect((await source.info()).status).to.equal('postcopy-paused');
        await destination.ok('migrate-recover', { uri });
        await source.ok('migrate', { uri, resume: true });
        await source.ok('migrate-set-parameters', unlimited);
        await source.until('M(completed)');
        await destination.until('M(completed)');
        expect(source.story).to.match(/M\(postcopy-recover\) M\(postcopy-active\) M\(completed\)$/);
        expect(destination.story).to.match(/M\(postcopy-recover\) M\(postcopy-active\) M\(completed\)$/);
        expect(destination.ram.blocks[0]!.bytes.equals(source.ram.blocks[0]!.bytes)).to.equal(true);
      }));
  }

  it('gives back what was sent, from the switch on, with release-ram', () =>
    pair({}, ['release-ram'], async ({ source, destination }) => {
      const { bytes } = source.ram.blocks[0]!;
      const before = Buffer.from(bytes);
      await source.ok('migrate-set-parameters', { 'max-postcopy-bandwidth': 300_000n });
      expect(bytes.equals(before), 'RAM before the switch').to.equal(true);
      await source.ok('migrate-start-postcopy');
      await destination.until('R');
      const { remaining } = (await source.info()).ram as { remaining: number };
      const kept = pagesWithContent(bytes);
      expect(kept, 'pages kept').to.be.greaterThan(0);
      expect(kept, 'pages kept').to.be.at.most(remaining / 4096);
      await source.ok('migrate-set-parameters', unlimited);
      await source.until('M(completed)');
      await destination.until('M(completed)');
      expect(destination.ram.blocks[0]!.bytes.equals(before), 'RAM of the destination').to.equal(true);
      expect(pagesWithContent(bytes)).to.equal(0);
    }));

  it('keeps everything with release-ram when it completes in precopy', () =>
    pair({}, ['release-ram'], async ({ source }) => {
      const before = Buffer.from(source.ram.blocks[0]!.bytes);
      await source.ok('migrate-set-parameters', unlimited);
      await source.until('M(completed)');
      expect(source.ram.blocks[0]!.bytes.equals(before)).to.equal(true);
    }));

  it('is held in pre-switchover first (MIG-SM-O52, O53)', () =>
    pair({}, ['pause-before-switchover'], async ({ source, destination }) => {
      await source.ok('migrate-start-postcopy');
      await source.until('M(pre-switchover)');
      await source.ok('migrate-continue', { state: 'pre-switchover' });
      await destination.until('M(completed)');
      await source.until('M(completed)');
      expect(source.story).to.equal(
        'M(setup) ↵ P1 M(active) ↵ S M(pre-switchover) ↵ M(postcopy-active) P2 M(completed)',
      );
    }));
});

describe('migration: COLO between two references', () => {
  it('enters colo on both sides, and fails over (MIG-SM-O80 to O84, I60, I63)', async () => {
    const source = new TestMachine({ megabytes: 1 });
    const destination = new TestMachine({ megabytes: 1, runState: 'prelaunch' });
    destination.migration.deferIncoming();
    const uri = `unix:${scratchSocket()}`;
    try {
      await source.capabilities('events', 'x-colo');
      await destination.capabilities('events');
      await destination.ok('migrate-incoming', { uri });
      await source.ok('migrate', { uri });
      await source.until('R');
      await destination.until('M(colo)');
      expect(await source.info()).to.deep.equal({ status: 'colo' });
      await source.ok('x-colo-lost-heartbeat');
      await source.until('M(completed)');
      // The reply may come anywhere among the events of the failover (MIG-SM-R14).
      expect(source.story.replace(/ ↵(?!.*↵)/, '')).to.match(/S P\d M\(colo\) R S M\(completed\) R$/);
      expect(await source.info()).to.include({ status: 'completed', 'total-time': 0 });
      await destination.ok('x-colo-lost-heartbeat');
      await destination.until('M(completed)');
      expect(destination.runState).to.equal('running');
    } finally {
      source.close();
      destination.close();
      colo.remove();
    }
  });
});
const colo = scratch();
const scratchSocket = () => colo.path('colo');
