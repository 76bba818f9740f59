import { expect } from 'chai';
import { answeredSymptoms } from '../../campaign/answered.js';
import { attempt } from '../../campaign/attempt.js';
import { answer, answersOf } from '../../generators/scenario/answers.js';
import { Transcript } from '../../protocol/transcript.js';
import { type DialectName, dialects } from '../../reference/dialects/dialect.js';
import { loadSchema } from '../../reference/schema/index.js';
import { SimulatedWorld } from '../../simulation/world.js';
import { InProcessTarget } from '../../targets/in-process/target.js';
import { baselineFacts } from '../oracle/scripted-target.js';

/** What the reference shows in all answers of a campaign's beginning, and in as many longer ones. */
async function shown(dialect: DialectName): Promise<string[]> {
  const all: string[] = [];
  const facts = { ...baselineFacts, dialect: dialects[dialect], schema: loadSchema(dialect) };
  const count = answersOf(dialects[dialect]);
  for (let n = 0; n < 2 * count; n++) {
    const more = n < count ? [] : [n, 7 * n, 11 * n, 13 * n, 17 * n, 19 * n, 23 * n];
    const one = answer([n, ...more], dialects[dialect]);
    const world = new SimulatedWorld(n);
    const target = new InProcessTarget({ dialect, world: world.target });
    const run = attempt(one, { target, facts, strictDesc: false, world: world.stage });
    const { symptoms } = await world.scheduler.drive(run, 60_000);
    world.end();
    all.push(...symptoms.map(({ subject }) => `${n}: ${subject}`));
  }
  return all;
}

/** A migration over a return path, with these messages from a peer that has read everything, and its end. */
function told(end: string, messages: readonly string[], more: readonly string[] = [], dialect: DialectName = '7.2') {
  const transcript = new Transcript();
  const fact = (text: string) => transcript.add('channel back', 'channel', text);
  transcript.add('source', 'started', '{}');
  fact('listens at /x/back.mig: silent');
  transcript.add('source', 'sent', '{"execute":"migrate","arguments":{"uri":"unix:/x/back.mig"},"id":"qs1.1"}\n');
  fact('connection 1: read OPEN_RETURN_PATH');
  fact('connection 1: the stream has ended');
  for (const message of messages) fact(`sent 0000: ${message}`);
  for (const line of more) transcript.add('source', 'sent', `${line}\n`);
  transcript.add('source', 'received', `{"return": {"status": "${end}"}, "id": "qs1.2"}`);
  return answeredSymptoms(transcript, dialects[dialect]).map(({ rows: [row] }) => row);
}

describe('messages that come back to a source', () => {
  for (const dialect of ['3.0', '10.0'] as const)
    it(`are no symptom where it does with them as it should: ${dialect}`, async () => {
      expect(await shown(dialect)).to.deep.equal([]);
    });

  for (const [what, row] of [
    ['unknown', 'MIG-STR-RP-01'],
    ['shut-empty', 'MIG-STR-RP-02'],
    ['shut-error', 'MIG-STR-RP-04'],
    ['request-again', 'MIG-STR-RP-05'],
    ['request-beyond', 'MIG-STR-RP-08'],
    ['request-empty', 'MIG-STR-RP-09'],
    ['bitmap', 'MIG-STR-RP-11'],
    ['bad-ack', 'MIG-STR-RP-13'],
  ] as const)
    it(`must not end well with ${what}`, () => {
      expect(told('completed', ['pong', what, 'shut'])).to.deep.equal([row]);
      expect(told('failed', [what])).to.deep.equal([]);
    });

  it('must not end badly with what means nothing', () => {
    expect(told('failed', ['pong', 'resume-ack', 'pong', 'shut'])).to.deep.equal(['MIG-STR-RP-20']);
    expect(told('completed', ['pong', 'shut'])).to.deep.equal([]);
  });

  it('are not judged where their meaning is open', () => {
    expect(told('completed', ['request', 'request-again', 'shut'])).to.deep.equal([]);
    expect(told('completed', ['request-empty', 'shut'], [], '3.0')).to.deep.equal([]);
    // Behind the last word nobody listens.
    expect(told('completed', ['shut', 'unknown'])).to.deep.equal([]);
    expect(told('failed', ['half', 'shut'])).to.deep.equal([]);
    expect(told('failed', ['pong', 'shut'], ['{"execute":"migrate_cancel","id":"qs1.3"}'])).to.deep.equal([]);
  });
});
