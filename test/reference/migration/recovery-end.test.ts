/** A recovery that its source ends without ever having taken the load up again (MIG-SM-I55). */
import { expect } from 'chai';
import { execute } from '../../../oracle/execute.js';
import { judgeTranscript } from '../../../oracle/judge.js';
import { dialectNames, dialects } from '../../../reference/dialects/dialect.js';
import { loadSchema } from '../../../reference/schema/index.js';
import { InProcessTarget } from '../../../targets/in-process/target.js';
import { channelUri, type Step } from '../../../targets/scenario.js';

const at = 'destination';
const command = (name: string, args: unknown): Step => ({ do: 'command', at, execute: name, arguments: args });
const capabilities = ['events', 'postcopy-ram'].map((capability) => ({ capability, state: true }));
const status = (is: string): Step => ({ do: 'event', at, event: 'MIGRATION', status: [is] });

const steps: readonly Step[] = [
  { do: 'start', at, options: { memory: 16, incoming: 'defer' } },
  { do: 'connect', at },
  command('migrate-set-capabilities', { capabilities }),
  command('migrate-incoming', { uri: channelUri('first') }),
  {
    do: 'feed',
    channel: 'first',
    parts: ['header', 'configuration', 'return-path', 'advise', 'ram', 'discard', 'switch'],
  },
  status('postcopy-active'),
  command('migrate-pause', {}),
  status('postcopy-paused'),
  command('migrate-recover', { uri: channelUri('second') }),
  { do: 'feed', channel: 'second', parts: ['recv-bitmap'] },
  status('postcopy-recover'),
  { do: 'feed', channel: 'second', parts: ['rest', 'ram-end', 'end'] },
  status('postcopy-paused'),
];

describe('a recovery that ends before it has begun', () => {
  for (const name of dialectNames) {
    it(`pauses the postcopy again in ${name}`, async () => {
      const dialect = dialects[name];
      const target = new InProcessTarget({ dialect: name, memory: 16 });
      try {
        const transcript = await execute({ scenario: 1, steps }, { target, dialect });
        const notes = transcript.entries.filter(({ kind }) => kind === 'note');
        expect(notes.map(({ text }) => text)).to.deep.equal([]);
        const { kind, divergence } = judgeTranscript(transcript, { dialect, schema: loadSchema(name) });
        expect(kind, JSON.stringify(divergence)).to.equal('conforms');
      } finally {
        await target.close();
      }
    });
  }
});
