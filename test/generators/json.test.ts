import { expect } from 'chai';
import fc from 'fast-check';
import { families } from '../../generators/json/families.js';
import { type RawText, rawTexts, resynchronisation } from '../../generators/json/raw-text.js';
import { Tape } from '../../generators/scenario/tape.js';
import { writePlan } from '../../generators/timing/plans.js';
import { fragments } from '../../protocol/fragments.js';
import { isObject } from '../../protocol/json.js';
import type { Received } from '../../protocol/message.js';
import type { Session } from '../../protocol/session.js';
import { dialects } from '../../reference/dialects/dialect.js';
import { tapesOf } from './assertions.js';
import { provingTargets } from './targets.js';

const tried = Number(process.env.QMPSPEC_RAW_TEXTS ?? 300);

/** The text of an error, `undefined` for a success; names of unexpected members are unspecified. */
const descOf = ({ value }: Received): string | undefined =>
  isObject(value) && isObject(value.error) ? anyMember(String(value.error.desc)) : undefined;

const anyMember = (desc: string): string =>
  desc.replace(/^(Parameter|QMP input member) '.*' is unexpected$/s, '$1 is unexpected');

/** Text as it comes back: the output encoder replaces what is no character. */
const shown = (desc: string): string => anyMember(desc);

async function check(session: Session, { bytes, expected }: RawText, tape: Tape): Promise<string | undefined> {
  const { plan } = writePlan(tape, Buffer.from(bytes, 'latin1'));
  const mark = session.mark();
  await session.sendBytes(bytes, plan);
  if (expected.open) {
    await session.sendBytes(resynchronisation);
    await session.fence();
    return undefined;
  }
  const got = (await session.fence(mark)).map(descOf);
  const wanted = expected.replies.map((desc) => (desc === undefined ? undefined : shown(desc)));
  return JSON.stringify(got) === JSON.stringify(wanted)
    ? undefined
    : `${JSON.stringify(bytes.slice(0, 200))} expected ${JSON.stringify(wanted)} got ${JSON.stringify(got)}`;
}

describe('raw texts', () => {
  for (const { name, open } of provingTargets) {
    it(`get the replies that the rules ask for from ${name}, and a command after each is understood`, async function () {
      this.timeout(120_000);
      const { target, instance, facts } = await open(this);
      const session = await instance.connect({ deadline: 20_000 });
      await session.negotiate();
      const wrong: string[] = [];
      const plans = tapesOf(9, tried, 16);
      for (const [index, text] of fc.sample(rawTexts(facts.dialect), { numRuns: tried, seed: 6 }).entries()) {
        const fault = await check(session, text, new Tape(plans[index] ?? []));
        if (fault !== undefined) wrong.push(`${text.family}: ${fault}`);
      }
      await instance.dispose();
      await target.close();
      expect(wrong.slice(0, 5).join('\n')).to.equal('');
    });
  }

  it('come in every family, plain and mutated', () => {
    const seen = new Set(
      fc
        .sample(rawTexts(dialects['7.2']), { numRuns: 3000, seed: 1 })
        .map(({ family, mutations }) => `${family} ${mutations > 0}`),
    );
    for (const { name } of families) expect(seen).to.include.members([`${name} true`, `${name} false`]);
  });

  it('are cut without a byte lost', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 900 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        (bytes, tape) => {
          const buffer = Buffer.from(bytes);
          const { plan } = writePlan(new Tape(tape), buffer);
          const pieces = fragments(buffer, plan);
          expect(Buffer.concat(pieces)).to.deep.equal(buffer);
          expect(pieces.every(({ length }) => length > 0)).to.equal(true);
        },
      ),
    );
  });

  it('are cut inside characters, escapes and numbers', () => {
    const buffer = Buffer.from('{"id":"€\\u00e9","n":12345}');
    const cuts = new Set(tapesOf(2, 300, 16).map((tape) => writePlan(new Tape(tape), buffer).cut));
    expect([...cuts].sort()).to.deep.equal(['anywhere', 'around ends', 'byte by byte', 'even', 'inside', 'whole']);
  });
});
