import { expect } from 'chai';
import { ConformanceChecks } from '../../../oracle/peer/stream-conformance.js';
import { dialectFor, dialects } from '../../../reference/dialects/dialect.js';
import { SectionType } from '../../../reference/stream/format.js';

const checks = () => new ConformanceChecks(dialects['7.2'].stream);
const command = (name: string, value?: number) =>
  ({ name, offset: 0, ...(value === undefined ? {} : { value }) }) as never;
const section = (type: number) => ({ type, id: 1, idstr: 'ram', instance: 0, version: 4, offset: 0 }) as never;

describe('what a real source always does', () => {
  it('is to ping from 1 on, once the way back is open', () => {
    const good = checks();
    for (const one of [command('OPEN_RETURN_PATH'), command('PING', 1), command('PING', 2)]) good.command(one);
    expect(good.violations).to.deep.equal([]);
    const unopened = checks();
    unopened.command(command('PING', 1));
    expect(unopened.count).to.equal(1);
    const miscounted = checks();
    for (const one of [command('OPEN_RETURN_PATH'), command('PING', 0)]) miscounted.command(one);
    expect(miscounted.count).to.equal(1);
  });

  it('is to send nothing of a section behind its END, unless a postcopy is resumed', () => {
    const sections = [SectionType.start, SectionType.end, SectionType.part];
    const late = checks();
    for (const type of sections) late.sectionBegin(section(type));
    expect(late.count).to.equal(1);
    const resumed = checks();
    for (const type of sections.slice(0, 2)) resumed.sectionBegin(section(type));
    resumed.command(command('POSTCOPY_RESUME'));
    resumed.sectionBegin(section(SectionType.part));
    expect(resumed.count).to.equal(0);
  });

  it('is to discard a block from its begin to its end, and nothing twice', () => {
    const advise = (value: number) => ({ name: 'POSTCOPY_ADVISE', offset: 0, value, targetPageSize: 4096 }) as never;
    const discard = (block: string, ...starts: readonly number[]) => {
      const ranges = starts.map((start) => ({ start, length: 4096 }));
      return { name: 'POSTCOPY_RAM_DISCARD', offset: 0, block, ranges } as never;
    };
    const counted = (...commands: readonly never[]) => {
      const one = checks();
      for (const each of commands) one.command(each);
      return one.count;
    };
    expect(counted(advise(4096), discard('a', 0, 8192), discard('a', 12288), discard('b', 0))).to.equal(0);
    expect(counted(advise(4096), discard('a', 0, 8192), discard('a', 0, 8192))).to.equal(1);
    expect(counted(advise(4096), discard('a', 8192, 4096))).to.equal(1);
    // Parts of a large page of the host are discarded before the rest is.
    expect(counted(advise(2 ** 21 + 4096), discard('a', 8192), discard('a', 0))).to.equal(0);
  });

  it('is to synchronise data channels as often as its release does for so many records', () => {
    const syncs = (version: { major: number; minor: number }, flushes: number) => {
      const one = new ConformanceChecks(dialectFor(version).dialect.stream);
      for (let left = 5; left > 0; left--) one.ramEos();
      for (let left = flushes; left > 0; left--) one.ramFlush();
      return one.syncs;
    };
    expect(syncs({ major: 7, minor: 2 }, 0)).to.equal(5);
    expect(syncs({ major: 8, minor: 2 }, 3)).to.equal(3);
    expect(syncs({ major: 10, minor: 0 }, 3)).to.equal(3);
    // The last one of these has no record.
    expect(syncs({ major: 9, minor: 2 }, 3)).to.equal(4);
  });
});
