import { expect } from 'chai';
import { execute, ScenarioError } from '../../oracle/execute.js';
import { streamOf } from '../../oracle/peer/stream-parts.js';
import type { Transcript } from '../../protocol/transcript.js';
import { dialects } from '../../reference/dialects/dialect.js';
import { resolveTarget } from '../../targets/resolve.js';
import { channelUri, type FeedPart, feedParts, type Scenario, type Step } from '../../targets/scenario.js';

const { target } = resolveTarget('reference:7.2');
const dialect = dialects['7.2'];
const run = (...steps: readonly Step[]): Promise<Transcript> => {
  const scenario: Scenario = { scenario: 1, steps };
  return execute(scenario, { target, dialect });
};
const command = (at: string, execute: string, args?: unknown): Step => ({
  do: 'command',
  at,
  execute,
  ...(args === undefined ? {} : { arguments: args }),
});
const start = (at: string, options: Extract<Step, { do: 'start' }>['options'] = {}): Step[] => [
  { do: 'start', at, options },
  { do: 'connect', at },
  command(at, 'migrate-set-capabilities', { capabilities: [{ capability: 'events', state: true }] }),
];
/** MIGRATION statuses that an endpoint told. */
const told = (transcript: Transcript, at: string): string[] =>
  transcript.entries
    .filter((entry) => entry.at === at && entry.kind === 'received')
    .map(({ text }) => /"MIGRATION", .*"status": "([\w-]+)"/.exec(text)?.[1] ?? '')
    .filter((status) => status !== '');
const facts = (transcript: Transcript, at: string) =>
  transcript.entries.filter((entry) => entry.at === at && entry.kind === 'channel').map(({ text }) => text);

describe('channels of a scenario', () => {
  after(() => target.close());

  it('lead through a relay that stalls and is released', async () => {
    const transcript = await run(
      ...start('source', { memory: 16 }),
      ...start('destination', { memory: 16, incoming: 'defer' }),
      command('destination', 'migrate-incoming', { uri: channelUri('in') }),
      { do: 'relay', channel: 'link', to: 'in', behaviour: 'stall' },
      command('source', 'migrate', { uri: channelUri('link') }),
      { do: 'channel', channel: 'link', is: 'connected' },
      { do: 'release', channel: 'link' },
      { do: 'status', at: 'destination', is: ['completed'] },
      { do: 'status', at: 'source', is: ['completed'] },
    );
    expect(told(transcript, 'source').at(-1)).to.equal('completed');
    expect(told(transcript, 'destination')).to.deep.equal(['setup', 'active', 'completed']);
    expect(facts(transcript, 'channel link').slice(0, 3)).to.deep.equal(['stall', 'connection 1: accepted', 'pass']);
  });

  const whole: readonly FeedPart[] = ['header', 'configuration', 'ram', 'pages', 'ram-end', 'end'];
  const fed = (step: Partial<Extract<Step, { do: 'feed' }>>) =>
    run(
      ...start('destination', { memory: 16, incoming: 'defer' }),
      command('destination', 'migrate-incoming', { uri: channelUri('in') }),
      { do: 'feed', channel: 'in', parts: whole, ...step },
      { do: 'status', at: 'destination', is: ['completed', 'failed'] },
    );

  it('feed a destination that loads', async () => {
    expect(told(await fed({ every: 50 }), 'destination')).to.deep.equal(['setup', 'active', 'completed']);
  });

  it('feed a destination with a cut and with a damaged stream, and it ends', async () => {
    for (const damage of [{ cut: 100 }, { flip: 1 }]) {
      const transcript = await fed(damage);
      expect(told(transcript, 'destination')).to.deep.equal(['setup', 'active', 'failed']);
      expect(transcript.entries.find(({ kind }) => kind === 'exited')?.text).to.equal('exit status 1');
    }
  });

  it('know the bytes of every part', () => {
    const sizes = feedParts.map((part) => streamOf([part], dialect.stream).length);
    expect(Math.min(...sizes)).to.be.greaterThan(0);
    expect(streamOf(whole, dialect.stream).length).to.equal(
      whole.reduce((sum, part) => sum + streamOf([part], dialect.stream).length, 0),
    );
  });

  it('start a destination that listens on one from the beginning, before there is any instance', async () => {
    const transcript = await run(
      ...start('destination', { memory: 16, incoming: channelUri('in') }),
      { do: 'feed', channel: 'in', parts: whole },
      { do: 'status', at: 'destination', is: ['completed'] },
    );
    expect(told(transcript, 'destination').at(-1)).to.equal('completed');
  });

  it('that no step has opened are an error of the scenario', async () => {
    const error = await run(...start('source'), { do: 'cut', channel: 'x' }).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(ScenarioError);
    expect((error as Error).message).to.equal("no step opens channel 'x'");
  });

  it('carry on after a connection that could not be made', async () => {
    const transcript = await run(
      ...start('source'),
      { do: 'kill', at: 'source' },
      { do: 'connect', at: 'source' },
      command('source', 'query-status'),
    );
    const notes = transcript.entries.filter(({ kind }) => kind === 'note').map(({ text }) => text);
    expect(notes.some((text) => text.startsWith('step 5 (connect)'))).to.equal(true);
  });
});
