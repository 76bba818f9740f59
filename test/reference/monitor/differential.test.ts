import { expect } from 'chai';
import fc from 'fast-check';
import { connected } from './harness.js';
import { hostileBytes } from './hostile-bytes.js';
import { findQemu, RealQemu } from './real-qemu.js';

const cases = Number(process.env.QMPSPEC_DIFFERENTIAL_CASES ?? 400);

/** Lines without what is unspecified: the order of members, and which of several unexpected ones is named. */
function canonical(text: string): unknown[] {
  return text
    .replace(/'[^']*' is unexpected/g, "'…' is unexpected")
    .split('\r\n')
    .filter((line) => line !== '')
    .map((line) => {
      try {
        return JSON.parse(line) as unknown;
      } catch {
        return line;
      }
    });
}

for (const version of ['7.2', '10.0'] as const) {
  describe(`QMP-D-20..31: hostile bytes get the replies of a real QEMU ${version}`, function () {
    this.timeout(120_000);
    let qemu: RealQemu | undefined;

    before(async function () {
      const binary = findQemu(version);
      if (binary === undefined) {
        console.log(`      skipped: no QEMU ${version} here`);
        this.skip();
      }
      qemu = new RealQemu(binary);
      await qemu.connect();
    });
    after(() => qemu?.stop());

    it(`${cases} inputs`, async () => {
      const { first, stop } = await connected({ args: ['--dialect', version] });
      let fence = 0;
      await fc.assert(
        fc.asyncProperty(hostileBytes, async (bytes) => {
          const id = `fence-${++fence}`;
          // 0xFF drops what is open, the line end ends the recovery.
          const sent = `${bytes}\xff\n{"execute":"query-name","id":"${id}"}`;
          const theirs = await qemu!.until(sent, new RegExp(`\\{[^\\r]*"id": "${id}"\\}\\r\\n`));
          const ours = await first.raw(sent);
          expect(canonical(ours)).to.deep.equal(canonical(theirs));
        }),
        { numRuns: cases },
      );
      await stop();
    });

    it('QMP-D-30, QMP-OUT-04: numbers come back in the same form', async () => {
      const { first, stop } = await connected({ args: ['--dialect', version] });
      const number = fc.oneof(
        fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
        fc.float({ noNaN: true, noDefaultInfinity: true }).map(String),
        fc.tuple(fc.integer({ min: 1 }), fc.integer({ min: -25, max: 25 })).map(([m, e]) => `${m}e${e}`),
        fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }).map(String),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(number, { minLength: 20, maxLength: 20 }), async (numbers) => {
          const sent = `{"execute":"query-name","id":[${numbers.join(',')}]}`;
          expect(await first.raw(sent)).to.equal(await qemu!.until(sent, /"id": \[.*\]\}\r\n/));
        }),
        { numRuns: cases / 8 },
      );
      await stop();
    });

    it('QMP-LIM-01..04: the same limits, and the same replies to what follows', async () => {
      const { first, stop } = await connected({ args: ['--dialect', version] });
      const nested = (depth: number) => `{"execute":"query-name","id":${'['.repeat(depth)}1${']'.repeat(depth)}}`;
      const long = 'x'.repeat(3000);
      for (const bytes of [
        nested(1023),
        nested(1024),
        '['.repeat(1025),
        '['.repeat(3000),
        `${long} `,
        `"${long}\n`,
        `{"execute":"${long}"}`,
        `"\\u1`,
        `"\\u12"}`,
        `["\\ud800\\u0041", "\\ud83f\\udffe"]`,
      ]) {
        const sent = `${bytes}\xff\n{"execute":"query-name","id":"fence"}`;
        const theirs = await qemu!.until(sent, /\{[^\r]*"id": "fence"\}\r\n/);
        expect(canonical(await first.raw(sent)), bytes.slice(0, 40)).to.deep.equal(canonical(theirs));
      }
      await stop();
    });
  });
}
