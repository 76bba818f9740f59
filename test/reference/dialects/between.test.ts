/** Releases that have no dialect of their own. */
import { expect } from 'chai';
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
    const { dialect, readings } = dialectFor({ major: 5, minor: 2 });
    expect(dialect.name).to.equal('3.0');
    expect(dialect.version).to.deep.equal({ major: 5, minor: 2, micro: 0 });
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
    const { conflicts } = dialectFor({ major: 8, minor: 2 }).dialect.migration;
    const doubtful = (desc: RegExp) => conflicts.find((one) => desc.test(one.desc))?.perhaps;
    expect(doubtful(/ignore-shared/)).to.equal(undefined);
    expect(doubtful(/^Multifd is not compatible with xbzrle/)).to.equal(true);
    expect(doubtful(/^Multifd is not compatible with compress/)).to.equal(undefined);
    expect(doubtful(/^Compression is not compatible with xbzrle/)).to.equal(true);
    expect(dialectFor({ major: 9, minor: 2 }).dialect.migration.conflicts.some(({ perhaps }) => perhaps)).to.equal(
      false,
    );
    expect(dialects['7.2'].migration.conflicts.some(({ perhaps }) => perhaps)).to.equal(false);
  });

  it('takes over a rule in the very release that it is known of', () => {
    const doubles = (major: number, minor: number) => dialectFor({ major, minor }).dialect.protocol.doubles;
    expect(doubles(5, 9)).to.equal(dialects['3.0'].protocol.doubles);
    expect(doubles(6, 0)).to.equal(dialects['7.2'].protocol.doubles);
  });
});
