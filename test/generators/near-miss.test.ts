import { expect } from 'chai';
import fc from 'fast-check';
import { type NearMiss, nearMisses, textOf } from '../../generators/near-miss/near-miss.js';
import { isObject } from '../../protocol/json.js';
import type { Received } from '../../protocol/message.js';
import { dialects } from '../../reference/dialects/dialect.js';
import { loadSchema } from '../../reference/schema/index.js';
import { provingTargets } from './targets.js';

const tried = Number(process.env.QMPSPEC_NEAR_MISSES ?? 500);

/** What is wrong with the answer; `undefined` when it is exactly the error that was to be provoked. */
function wrongAnswer({ expected }: NearMiss, id: number, got: readonly Received[]): string | undefined {
  const [reply] = got;
  const error = isObject(reply?.value) ? reply.value.error : undefined;
  if (got.length !== 1 || reply === undefined || !isObject(error)) return `${got.map(({ text }) => text).join(' ')}`;
  const desc = String(error.desc);
  const right = expected.desc instanceof RegExp ? expected.desc.test(desc) : expected.desc.includes(desc);
  const rightId = isObject(reply.value) && (expected.id ? reply.value.id === id : !('id' in reply.value));
  return error.class === expected.errorClass && right && rightId ? undefined : reply.text;
}

describe('near-misses', () => {
  for (const { name, open } of provingTargets) {
    it(`each provoke exactly their error from ${name}`, async function () {
      this.timeout(60_000);
      const { target, instance, facts } = await open(this);
      const twin = loadSchema(facts.dialect.name);
      const source = nearMisses({
        schema: facts.schema,
        rules: facts.dialect.protocol,
        twin,
        ...(facts.commands === undefined ? {} : { commands: facts.commands }),
      });
      const session = await instance.connect({ deadline: 20_000 });
      await session.negotiate();
      const misses = fc.sample(source, { numRuns: tried, seed: 5 });
      const wrong: string[] = [];
      for (const [id, miss] of misses.entries()) {
        const text = textOf(miss, id);
        const answer = wrongAnswer(miss, id, await session.exchange(Buffer.from(`${text}\n`)));
        if (answer !== undefined) wrong.push(`${miss.kind}: ${text} expected ${miss.expected.desc} got ${answer}`);
      }
      await instance.dispose();
      await target.close();
      expect(wrong.join('\n')).to.equal('');
    });
  }

  it('come in every kind', () => {
    const { protocol } = dialects['7.2'];
    const source = nearMisses({ schema: loadSchema('7.2'), rules: protocol });
    const kinds = new Set(fc.sample(source, { numRuns: 3000, seed: 1 }).map(({ kind }) => kind));
    expect([...kinds].sort()).to.deep.equal([
      'arguments are no object',
      'command is no string',
      'duplicate member',
      'extra nesting',
      'float for an integer',
      'missing member',
      'narrow overflow',
      'no command',
      'null',
      'out of range',
      'unknown command',
      'unknown enum value',
      'unknown envelope member',
      'unknown member',
      'wrong case of a command',
      'wrong case of a member',
      'wrong case of an enum value',
      'wrong type',
    ]);
  });

  it('never double a member where that is no fault', () => {
    const source = nearMisses({ schema: loadSchema('3.0'), rules: dialects['3.0'].protocol });
    const kinds = fc.sample(source, { numRuns: 2000, seed: 2 }).map(({ kind }) => kind);
    expect(kinds).not.to.include('duplicate member');
  });
});
