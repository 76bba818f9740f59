/** Releases that have no dialect of their own. */
import { expect } from 'chai';
import { described } from '../../../reference/dialects/between.js';
import { dialectFor, dialects } from '../../../reference/dialects/dialect.js';

const names = (release: [number, number]) => {
  const { dialect, exact, readings } = dialectFor({ major: release[0], minor: release[1] });
  return { name: dialect.name, exact, readings: readings.length, json: dialect.protocol.json };
};

describe('the dialect of a release', () => {
  it('is its own where it has one', () => {
    for (const [release, name] of [
      [[3, 0], '3.0'],
      [[7, 2], '7.2'],
      [[10, 0], '10.0'],
    ] as const) {
      const chosen = dialectFor({ major: release[0], minor: release[1] });
      expect(chosen.dialect).to.equal(dialects[name]);
      expect(chosen.exact).to.equal(true);
      expect(chosen.readings).to.deep.equal([]);
    }
  });

  it('is the oldest one for anything older, without another reading', () => {
    expect(names([2, 12])).to.deep.equal({ name: '3.0', exact: false, readings: 0, json: 'baseline' });
  });

  it('is the older neighbour with what is known to be newer, between two', () => {
    expect(names([3, 1])).to.deep.equal({ name: '3.0', exact: false, readings: 1, json: 'strict' });
    const { dialect, readings } = dialectFor({ major: 5, minor: 1 });
    expect(dialect.name).to.equal('3.0');
    expect(dialect.version).to.deep.equal({ major: 5, minor: 1, micro: 0 });
    expect(dialect.protocol.oobOffer).to.equal('always');
    expect(dialect.protocol.doubles).to.equal('%f');
    // Not known since when: the older one's first, the newer one's in the other reading.
    expect(dialect.migration.emptyUnixPathRefused).to.equal(false);
    expect(readings[0]?.migration.emptyUnixPathRefused).to.equal(true);
    expect(readings[0]?.name).to.equal('7.2');
    // What is known is the same in both.
    expect(readings[0]?.protocol.doubles).to.equal('%f');
  });

  it('leaves in doubt what only one of both neighbours refuses of capabilities', () => {
    for (const release of [
      { major: 8, minor: 1 },
      { major: 9, minor: 0 },
    ]) {
      const { conflicts } = dialectFor(release).dialect.migration;
      const doubtful = (desc: RegExp) => conflicts.find((one) => desc.test(one.desc))?.perhaps;
      expect(doubtful(/ignore-shared/)).to.equal(undefined);
      expect(doubtful(/^Multifd is not compatible with xbzrle/)).to.equal(release.major === 8 ? true : undefined);
      expect(doubtful(/^Compression is not compatible with xbzrle/)).to.equal(true);
    }
    for (const release of [...described.map(([major, minor]) => ({ major, minor })), dialects['7.2'].version]) {
      const { conflicts } = dialectFor(release).dialect.migration;
      expect(conflicts.filter(({ perhaps }) => perhaps)).to.deep.equal([]);
    }
  });

  it('is exact, without another reading, for every release that was described', () => {
    for (const [major, minor] of described) {
      const { dialect, exact, readings } = dialectFor({ major, minor });
      expect({ exact, readings }).to.deep.equal({ exact: true, readings: [] });
      expect(dialect.version).to.deep.equal({ major, minor, micro: 0 });
    }
  });

  it('has what neither neighbour has in the releases that have it, and in no other', () => {
    const rules = (major: number, minor: number) => dialectFor({ major, minor }).dialect.migration;
    const names = (major: number, minor: number) => rules(major, minor).parameters.map(({ name }) => name);
    expect(rules(8, 2).capabilities).to.include.members(['compress', 'switchover-ack']);
    expect(rules(9, 2).capabilities).to.deep.equal(dialects['10.0'].migration.capabilities);
    expect(names(10, 1)).not.to.include('cpr-exec-command');
    expect(names(11, 1)).to.include.members(['cpr-exec-command', 'x-rdma-chunk-size']);
    expect(names(11, 0)).not.to.include('x-rdma-chunk-size');
    expect(rules(11, 0).failedSwitchover).to.equal('guest-first');
    expect(rules(10, 2).failedSwitchover).to.equal('failed-first');
    // Later releases than any that was looked at keep what came last.
    expect(names(12, 0)).to.deep.equal(names(11, 1));
  });

  it('calls parameters in errors by their own names where the release does', () => {
    const text = (major: number, minor: number, name: string) =>
      dialectFor({ major, minor }).dialect.migration.parameters.find((one) => one.name === name)?.error;
    const tail = 'expects an integer in the range of';
    expect(text(10, 2, 'max-cpu-throttle')).to.equal(`Parameter 'max_cpu_throttle' ${tail} cpu_throttle_initial to 99`);
    expect(text(11, 0, 'max-cpu-throttle')).to.equal(`Option max-cpu-throttle ${tail} cpu-throttle-initial to 99`);
    expect(text(11, 0, 'vcpu-dirty-limit')).to.equal("Parameter 'vcpu-dirty-limit' must be greater than 1 MB/s");
  });

  it('takes over a rule in the very release that it is known of', () => {
    const doubles = (major: number, minor: number) => dialectFor({ major, minor }).dialect.protocol.doubles;
    expect(doubles(5, 9)).to.equal(dialects['3.0'].protocol.doubles);
    expect(doubles(6, 0)).to.equal(dialects['7.2'].protocol.doubles);
  });
});
