import { expect } from 'chai';
import { attempt } from '../../campaign/attempt.js';
import { statusOf } from '../../campaign/loaded.js';
import { recoveredSymptoms } from '../../campaign/recovered.js';
import { answer } from '../../generators/scenario/answers.js';
import { Transcript } from '../../protocol/transcript.js';
import { type DialectName, dialects } from '../../reference/dialects/dialect.js';
import { loadSchema } from '../../reference/schema/index.js';
import { SimulatedWorld } from '../../simulation/world.js';
import { InProcessTarget } from '../../targets/in-process/target.js';
import { peerMessages } from '../../targets/scenario.js';
import { baselineFacts } from '../oracle/scripted-target.js';

/** A postcopy that is paused and taken up again, with these messages on its second connection, and where it came to. */
function told(end: string, messages: readonly string[], { behaviour = 'silent', refused = false } = {}) {
  const transcript = new Transcript();
  const fact = (text: string) => transcript.add('channel back', 'channel', text);
  const shows = (status: string) =>
    transcript.add('source', 'received', `{"return": {"status": "${status}"}, "id": "qs1.9"}`);
  transcript.add('source', 'started', '{}');
  fact(`listens at /x/back.mig: ${behaviour}`);
  transcript.add('source', 'sent', '{"execute":"migrate","arguments":{"uri":"unix:/x/back.mig"},"id":"qs1.1"}\n');
  fact('connection 1: accepted');
  fact('sent 00ff0000: unknown');
  shows('postcopy-active');
  if (!refused) shows('postcopy-paused');
  transcript.add(
    'source',
    'sent',
    '{"execute":"migrate","arguments":{"uri":"unix:/x/back.mig","resume":true},"id":"qs1.2"}\n',
  );
  if (!refused) shows('postcopy-recover');
  fact('connection 2: accepted');
  for (const message of messages) fact(`sent 0000: ${message}`);
  shows(end);
  return recoveredSymptoms(transcript).map(({ rows: [row] }) => row);
}

describe('messages that come back while a postcopy is taken up again', () => {
  it('end it well with an acknowledgement alone', () => {
    expect(told('postcopy-active', [])).to.deep.equal(['MIG-SM-O74']);
    expect(told('postcopy-active', ['pong', 'bad-ack'])).to.deep.equal(['MIG-SM-O74']);
    expect(told('completed', ['bitmap'])).to.deep.equal(['MIG-SM-O74']);
    expect(told('postcopy-active', ['pong', 'resume-ack', 'unknown'])).to.deep.equal([]);
  });

  it('end it badly once one of them was wrong', () => {
    expect(told('postcopy-active', ['unknown', 'resume-ack'])).to.deep.equal(['MIG-STR-RP-01']);
    expect(told('postcopy-active', ['bad-ack', 'resume-ack'])).to.deep.equal(['MIG-STR-RP-13']);
    expect(told('postcopy-paused', ['unknown', 'resume-ack'])).to.deep.equal([]);
  });

  it('are not judged where their meaning is open, or nothing was taken up', () => {
    expect(told('postcopy-active', ['request-again', 'resume-ack'])).to.deep.equal([]);
    expect(told('postcopy-active', ['bitmap', 'resume-ack'])).to.deep.equal([]);
    expect(told('postcopy-active', [], { behaviour: 'answer' })).to.deep.equal([]);
    expect(told('postcopy-active', [], { refused: true })).to.deep.equal([]);
  });

  for (const dialect of ['3.0', '7.2', '10.0'] as const)
    it(`are no symptom where the source does with them as it should: ${dialect}`, async () => {
      const { ends, symptoms } = await shown(dialect);
      expect(symptoms).to.deep.equal([]);
      // Recoveries that break, and such as nobody ends, are among them.
      expect(ends).to.include.members(['postcopy-paused', 'postcopy-recover']);
    });
});

/** What the reference makes of every message in a recovery, some of them among others. */
async function shown(dialect: DialectName): Promise<{ ends: string[]; symptoms: string[] }> {
  const facts = { ...baselineFacts, dialect: dialects[dialect], schema: loadSchema(dialect) };
  const [ends, symptoms] = [new Set<string>(), [] as string[]];
  for (let n = 0; n < 2 * peerMessages.length; n++) {
    const more = n < peerMessages.length ? [0] : [7 * n, 11 * n, 13 * n, 17 * n, 19 * n, 23 * n];
    const one = answer([3 * peerMessages.length + (n % peerMessages.length), ...more], dialects[dialect]);
    const world = new SimulatedWorld(n);
    const target = new InProcessTarget({ dialect, world: world.target });
    const run = await world.scheduler.drive(
      attempt(one, { target, facts, strictDesc: false, world: world.stage }),
      60_000,
    );
    world.end();
    symptoms.push(...run.symptoms.map(({ subject }) => `${n}: ${subject}`));
    ends.add(run.transcript.entries.map(statusOf).findLast((status) => status !== undefined) ?? 'none');
  }
  return { ends: [...ends], symptoms };
}
