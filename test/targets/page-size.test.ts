/** Machines whose pages are of another size than those of our peers. */
import { expect } from 'chai';
import { notApplicable } from '../../suites/applicability.js';
import { chapters } from '../../suites/index.js';
import { select } from '../../suites/schedule.js';
import { referenceTarget } from '../../targets/executable.js';
import { factsOf } from '../../targets/facts.js';
import { pageSizeOf } from '../../targets/page-size.js';
import type { Target } from '../../targets/target.js';
import { monitor } from './tiny-monitor.js';

/** A monitor of such a machine, which says of its pages what it is told to. */
const machine = (arch: string, pageSize: number): Target =>
  monitor(
    `execute === "query-target" ? { return: { arch: "${arch}" } }
      : execute === "query-commands" ? { return: ["query-target", "migrate"].map((name) => ({ name })) }
      : execute === "query-migrate" ? { return: { status: "completed", ram: { "page-size": ${pageSize} } } }
      : { return: {} }`,
  );

async function pagesOf(target: Target): Promise<number | undefined> {
  try {
    return (await factsOf(target)).pageSize;
  } finally {
    await target.close();
  }
}

describe('size of a page', () => {
  it('is asked of machines that may have another one', async () => {
    expect(await pagesOf(machine('aarch64', 1024))).to.equal(1024);
    expect(await pagesOf(machine('loongarch64', 16384))).to.equal(16384);
    expect(await pagesOf(machine('arm', 4096))).to.equal(4096);
  });

  it('is known of the others: what they say of it is judged, not believed', async () => {
    expect(await pagesOf(machine('x86_64', 1024))).to.equal(4096);
  });

  it('is the usual one where no migration tells another', async () => {
    const target = referenceTarget();
    try {
      expect(await pageSizeOf(target, 'aarch64')).to.equal(4096);
    } finally {
      await target.close();
    }
  });

  it('is known of machines with larger ones where a migration is not survived', async () => {
    const dying = (arch: string) =>
      monitor(
        `execute === "query-target" ? { return: { arch: "${arch}" } }
          : execute === "query-commands" ? { return: ["query-target", "migrate"].map((name) => ({ name })) }
          : execute === "migrate" ? process.exit(3)
          : { return: {} }`,
      );
    expect(await pagesOf(dying('sparc64'))).to.equal(8192);
    expect(await pagesOf(dying('tricore'))).to.equal(16384);
    expect(await pagesOf(dying('avr'))).to.equal(4096);
  });

  it('decides whether requirements apply that read or send streams of ours', async () => {
    const target = referenceTarget();
    try {
      const facts = await factsOf(target);
      const why = (id: string, pageSize: number) => {
        const [one] = select(chapters, [id]);
        if (one === undefined) throw new Error(`there is no ${id}`);
        return notApplicable(one.requirement, target, { ...facts, pageSize });
      };
      for (const id of ['MIG-STR-DEV-01', 'MIG-SM-O38.unknown', 'MIG-XBZ-', 'MIG-MFD-'].flatMap((one) =>
        select(chapters, [`${one}*`]).map(({ requirement }) => requirement.id),
      )) {
        expect(why(id, 1024), id).to.be.a('string');
      }
      expect(why('MIG-STR-DEV-01', 1024)).to.equal('its pages are of 1024 bytes, those of our peers of 4096');
      expect(why('MIG-STR-DEV-01', 4096)).to.equal(undefined);
      expect(why('QMP-REPLY-01', 1024)).to.equal(undefined);
    } finally {
      await target.close();
    }
  });
});
