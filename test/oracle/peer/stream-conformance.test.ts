import { expect } from 'chai';
import { ConformanceChecks } from '../../../oracle/peer/stream-conformance.js';
import { dialects } from '../../../reference/dialects/dialect.js';
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
});
