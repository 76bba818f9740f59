import { expect } from 'chai';
import { dialectNames } from '../../../reference/dialects/dialect.js';
import { type MachineOptions, scratch, scribble, TestMachine } from './test-machine.js';

const files = scratch();
let count = 0;

interface Pair {
  readonly source: TestMachine;
  readonly destination: TestMachine;
  readonly uri: string;
}

/** Two machines of one dialect; the destination listens on a unix socket. */
async function pair(options: MachineOptions, capabilities: readonly string[], use: (pair: Pair) => Promise<void>) {
  const source = new TestMachine({ megabytes: 4, ...options });
  const destination = new TestMachine({ megabytes: 4, ...options, paused: false, runState: 'prelaunch' });
  scribble(source.ram);
  destination.migration.deferIncoming();
  const uri = `unix:${files.path(`m${++count}`)}`;
  try {
    await source.capabilities('events', ...capabilities);
    await destination.capabilities('events', ...capabilities.filter((name) => name === 'postcopy-ram'));
    await destination.ok('migrate-incoming', { uri });
    await use({ source, destination, uri });
  } finally {
    source.close();
    destination.close();
  }
}
const same = ({ source, destination }: Pair) => source.ram.blocks[0]!.bytes.equals(destination.ram.blocks[0]!.bytes);

/** Passes are numbered on; their number is checked where it matters. */
const plain = (story: string) => story.replaceAll(/ (P\d+ )+S/g, ' S').replaceAll(/P\d+/g, 'P');

describe('migration: plain precopy between two references', () => {
  after(() => files.remove());

  for (const dialect of dialectNames) {
    const device = dialect === '10.0' ? ' M(device)' : '';
    for (const capabilities of [[], ['return-path'], ['xbzrle'], ['auto-converge', 'return-path']]) {
      it(`dialect ${dialect}, ${capabilities.join(' ') || 'no capabilities'} (MIG-SM-R01, -R10)`, () =>
        pair({ dialect }, capabilities, async (both) => {
          await both.source.ok('migrate', { uri: both.uri });
          await both.source.until('M(completed)');
          await both.destination.until('M(completed)');
          const after = `M(setup) ↵ P M(active) S${device} P M(completed)`;
          expect(plain(both.source.story.replace('P1', 'first')).replace('first', 'P')).to.equal(after);
          expect(both.destination.story).to.equal('M(setup) ↵ M(active) R M(completed)');
          expect(same(both)).to.equal(true);
          expect(both.source.runState).to.equal('postmigrate');
          expect(both.destination.runState).to.equal('running');
        }));
    }
  }

  it('numbers passes from 1, two for a guest that drains before the first window ends', () =>
    pair({ megabytes: 1 }, [], async ({ source, uri }) => {
      await source.ok('migrate', { uri });
      await source.until('M(completed)');
      expect(source.story).to.match(/P1 .*P2/);
      expect((await source.info()).ram).to.include({
        'dirty-sync-count': source.transcript.filter((e) => /^P/.test(e)).length,
      });
    }));

  it('compresses the first pass (capability compress)', () =>
    pair({}, ['compress'], async (both) => {
      await both.destination.capabilities('compress');
      await both.source.ok('migrate', { uri: both.uri });
      await both.source.until('M(completed)');
      await both.destination.until('M(completed)');
      expect(same(both)).to.equal(true);
    }));

  it('takes a paused guest over as it was: no STOP, no RESUME (MIG-SM-E04, QMP-RUN-17)', () =>
    pair({ paused: true }, [], async ({ source, destination, uri }) => {
      await source.ok('migrate', { uri });
      await destination.until('M(completed)');
      expect(source.story).not.to.match(/S |R/);
      expect(destination.runState).to.equal('prelaunch');
      expect(destination.story).to.equal('M(setup) ↵ M(active) M(completed)');
    }));

  it('sends what the guest writes meanwhile', () =>
    pair({}, ['pause-before-switchover'], async (both) => {
      const { source, uri } = both;
      await source.ok('migrate', { uri });
      await source.until('M(pre-switchover)');
      source.ram.write(source.ram.blocks[0]!, 8192 + 5, Buffer.from('late'));
      await source.ok('migrate-continue', { state: 'pre-switchover' });
      await source.until('M(completed)');
      await both.destination.until('M(completed)');
      expect(both.destination.ram.blocks[0]!.bytes.toString('latin1', 8197, 8201)).to.equal('late');
      expect(same(both)).to.equal(true);
      expect(source.story).to.match(/M\(pre-switchover\) ↵ M\(device\) P\d+ M\(completed\)$/);
    }));

  it('holds to the bandwidth limit in windows of 100 ms, and answers meanwhile', () =>
    pair({ megabytes: 1 }, [], async ({ source, destination, uri }) => {
      await source.ok('migrate-set-parameters', { 'max-bandwidth': 1_000_000n, 'downtime-limit': 0n });
      const began = performance.now();
      await source.ok('migrate', { uri });
      await source.until('M(active)');
      expect(await source.info()).to.have.property('status', 'active');
      const mark = performance.now();
      await source.info();
      expect(performance.now() - mark).to.be.lessThan(1000);
      await destination.until('M(completed)');
      // About 0.7 MB of pages at 0.1 MB a window: the seventh window begins after 600 ms.
      expect(performance.now() - began).to.be.greaterThan(450);
    }));

  it('completes at once when the downtime limit is raised', () =>
    pair({ megabytes: 4 }, [], async ({ source, uri }) => {
      await source.ok('migrate-set-parameters', { 'max-bandwidth': 300_000n, 'downtime-limit': 0n });
      await source.ok('migrate', { uri });
      await source.until('M(active)');
      const began = performance.now();
      await source.ok('migrate-set-parameters', { 'downtime-limit': 2_000_000n });
      await source.until('M(completed)');
      expect(performance.now() - began).to.be.lessThan(5000);
    }));

  it('migrates again after completed, counting anew (MIG-SM-O45, MIG-DEF-18)', () =>
    pair({ megabytes: 1 }, [], async ({ source, uri }) => {
      await source.ok('migrate', { uri });
      await source.until('M(completed)');
      const first = (await source.info()).ram as Record<string, number>;
      source.transcript.length = 0;
      await source.ok('migrate', { uri: 'exec:cat >/dev/null' });
      await source.until('M(completed)');
      const second = (await source.info()).ram as Record<string, number>;
      expect(source.transcript).to.include('P1');
      expect(second.normal).to.equal(first.normal);
      expect(second.duplicate).to.equal(first.duplicate);
    }));

  it('shows the members that each status has (MIG-CMD-QMIG-01 to -03)', () =>
    pair({}, ['pause-before-switchover', 'return-path'], async ({ source, destination, uri }) => {
      expect(await source.info()).to.deep.equal({});
      expect(await destination.info()).to.deep.equal({});
      await source.ok('migrate', { uri });
      expect(await source.info()).to.deep.equal({ status: 'setup' });
      await source.until('M(pre-switchover)');
      const held = await source.info();
      expect(Object.keys(held).sort()).to.deep.equal([
        'expected-downtime',
        'ram',
        'setup-time',
        'status',
        'total-time',
      ]);
      expect(held.ram).to.have.all.keys(
        'total remaining transferred duplicate skipped normal normal-bytes dirty-pages-rate mbps dirty-sync-count'
          .split(' ')
          .concat(['postcopy-requests', 'page-size', 'multifd-bytes']),
      );
      await source.ok('migrate-continue', { state: 'pre-switchover' });
      await source.until('M(completed)');
      const done = await source.info();
      expect(Object.keys(done).sort()).to.deep.equal(['downtime', 'ram', 'setup-time', 'status', 'total-time']);
      const ram = done.ram as Record<string, number>;
      expect(ram).to.include({ remaining: 0, 'dirty-pages-rate': 0, skipped: 0, 'page-size': 4096, total: 4 << 20 });
      expect(ram['normal-bytes']).to.equal(ram.normal! * 4096);
      expect(ram.normal! + ram.duplicate!).to.be.at.least(1024);
      await destination.until('M(completed)');
      expect(await destination.info()).to.deep.equal({ status: 'completed' });
    }));
});
