import { expect } from 'chai';
import { folded } from '../../campaign/fold.js';
import { meaningful, shrink } from '../../campaign/shrink.js';
import { simplerSteps } from '../../campaign/simpler.js';
import { scenarioOf } from '../../generators/scenario/walk.js';
import { dialects } from '../../reference/dialects/dialect.js';
import type { Scenario, Step } from '../../targets/scenario.js';

const command = (execute: string, args?: unknown): Step => ({
  do: 'command',
  at: 'source',
  execute,
  ...(args === undefined ? {} : { arguments: args }),
});
const scenario = (...steps: Step[]): Scenario => ({ scenario: 1, steps });
const names = (steps: readonly Step[]): string[] =>
  steps.map((step) => (step.do === 'command' ? step.execute : step.do));

/** Shows its symptom when the commands stand in it in this order. */
const needs =
  (...wanted: string[]) =>
  async ({ steps }: Scenario): Promise<boolean> => {
    let at = 0;
    for (const name of names(steps)) if (name === wanted[at]) at++;
    return at === wanted.length;
  };

describe('shrinking', () => {
  it('ends with the steps that are needed, whatever stood between them', async () => {
    const long = scenario(
      { do: 'start', at: 'source', options: { paused: true } },
      { do: 'connect', at: 'source' },
      ...['stop', 'query-migrate', 'cont', 'query-status', 'stop', 'migrate_cancel', 'cont'].map((name) =>
        command(name),
      ),
    );
    const shows = needs('cont', 'migrate_cancel');
    const { scenario: small, minimal } = await shrink(long, { shows, going: () => true });
    expect(names(small.steps)).to.deep.equal(['start', 'connect', 'cont', 'migrate_cancel']);
    expect(small.steps[0]).to.deep.equal({ do: 'start', at: 'source' });
    expect(minimal).to.equal(true);
  });

  it('is 1-minimal for generated scenarios: no single step can go', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const whole = scenarioOf(seed, dialects['3.0']);
      const commands = names(whole.steps).filter((name) => /^(migrate|query|cont|stop)/.test(name));
      const shows = needs(...commands.slice(-2));
      const { scenario: small } = await shrink(whole, { shows, going: () => true });
      for (let i = 0; i < small.steps.length; i++) {
        const without = meaningful([...small.steps.slice(0, i), ...small.steps.slice(i + 1)]);
        expect(await shows({ ...small, steps: without }), `seed ${seed}, step ${i + 1}`).to.equal(false);
      }
      expect(meaningful(small.steps)).to.deep.equal(small.steps);
    }
  });

  it('feeds and cuts in one, and lets a process listen from its start', async () => {
    const whole = scenario(
      { do: 'start', at: 'source', options: { incoming: 'defer' } },
      { do: 'connect', at: 'source' },
      command('migrate-incoming', { uri: 'unix:{channel fed}' }),
      { do: 'feed', channel: 'fed', parts: ['header'] },
      { do: 'cut', channel: 'fed' },
      { do: 'status', at: 'source', is: ['failed'] },
      command('query-migrate'),
      command('query-status'),
    );
    // Somebody listens, the stream ends, and both questions are asked.
    const shows = async ({ steps }: Scenario) => {
      const text = JSON.stringify(steps);
      const ends = steps.some((step) => step.do === 'cut' || (step.do === 'feed' && step.cut !== undefined));
      const all = ['query-migrate', 'query-status', 'unix:{channel fed}', '"status"'].every((one) =>
        text.includes(one),
      );
      return ends && all;
    };
    const { scenario: small } = await shrink(whole, { shows, going: () => true });
    expect(small.steps.map((step) => step.do)).to.deep.equal(['start', 'connect', 'feed', 'cut', 'status', 'pipeline']);
    const [closer] = folded(small.steps);
    expect(closer?.map((step) => step.do)).to.deep.equal(['start', 'connect', 'feed', 'status', 'pipeline']);
  });

  it('puts commands into one write while there is more than fits a glance', async () => {
    const all = ['stop', 'cont', 'migrate', 'migrate-pause', 'migrate_cancel', 'query-migrate'];
    const whole = scenario(
      { do: 'start', at: 'source' },
      { do: 'connect', at: 'source' },
      ...all.map((name) => command(name)),
    );
    const said = ({ steps }: Scenario) =>
      steps.flatMap((step) => (step.do === 'pipeline' ? step.commands.map(({ execute }) => execute) : names([step])));
    const shows = async (one: Scenario) => all.every((name) => said(one).includes(name));
    const { scenario: small, minimal } = await shrink(whole, { shows, going: () => true });
    expect(small.steps).to.have.lengthOf(6);
    expect(said(small)).to.deep.equal(['start', 'connect', ...all]);
    expect(minimal).to.equal(true);
  });

  it('lets several peers be one, ahead of the commands, while there is more than fits a glance', async () => {
    const wanted = ['stop', 'cont', 'migrate_cancel'];
    const peer = (channel: string): Step => ({ do: 'peer', channel, behaviour: 'answer' });
    const to = (channel: string): Step => command('migrate', { uri: `unix:{channel ${channel}}` });
    const long = scenario(
      { do: 'start', at: 'source' },
      { do: 'connect', at: 'source' },
      command('stop'),
      peer('a'),
      to('a'),
      command('cont'),
      peer('b'),
      to('b'),
      command('migrate_cancel'),
    );
    // Two migrations to places where somebody listens, and the rest in its order.
    const shows = async ({ steps }: Scenario): Promise<boolean> => {
      const open = steps.flatMap((step) => (step.do === 'peer' ? [step.channel] : []));
      const all = steps.flatMap((step) =>
        step.do === 'pipeline' ? step.commands : step.do === 'command' ? [step] : [],
      );
      const uris = all.filter(({ execute }) => execute === 'migrate').map((one) => JSON.stringify(one));
      const rest = all.map(({ execute }) => execute).filter((name) => wanted.includes(name));
      return (
        uris.length === 2 &&
        uris.every((text) => open.some((name) => text.includes(`{channel ${name}}`))) &&
        rest.join() === wanted.join()
      );
    };
    const { scenario: small } = await shrink(long, { shows, going: () => true });
    const left = ['start', 'peer', 'connect', 'command', 'command', 'pipeline'];
    expect(small.steps.map((step) => step.do)).to.deep.equal(left);
  });

  it('takes a line for the command that it is, unless that would change a number', () => {
    const raw = (bytes: string) => simplerSteps({ do: 'raw', at: 'source', bytes })[0];
    expect(raw('{"execute":"stop","id":7}\n')).to.deep.equal([command('stop')]);
    expect(raw('{"execute":"a","arguments":{"b":[1,"c"]}}')).to.deep.equal([command('a', { b: [1, 'c'] })]);
    for (const bytes of [
      '{"execute":"a","arguments":{"b":18446744073709551615}}',
      '{"exec-oob":"stop"}',
      '{"execute":',
    ]) {
      expect(raw(bytes)?.[0]?.do).to.not.equal('command');
    }
  });

  it('drops messages of one write as wholes', () => {
    const simpler = (bytes: string) =>
      simplerSteps({ do: 'raw', at: 'source', bytes }).map(([step]) => (step?.do === 'raw' ? step.bytes : ''));
    expect(simpler('{"a":1}\n{"b":2}\n{"c":3}\n').slice(0, 5)).to.deep.equal([
      '{"a":1}\n',
      '{"b":2}\n{"c":3}\n',
      '{"b":2}\n{"c":3}\n',
      '{"a":1}\n{"c":3}\n',
      '{"a":1}\n{"b":2}\n',
    ]);
    // What is one message is left to what takes texts apart.
    expect(simpler('{"a":1}\n')).to.not.include('');
  });

  it('stops when time is up, with what it has', async () => {
    let left = 3;
    const whole = scenario(
      { do: 'start', at: 'source' },
      { do: 'connect', at: 'source' },
      command('stop'),
      command('cont'),
    );
    const { minimal, tried } = await shrink(whole, { shows: async () => false, going: () => left-- > 0 });
    expect(minimal).to.equal(false);
    expect(tried).to.be.at.most(3);
  });

  it('drops what lacks its prerequisite', () => {
    const steps: Step[] = [
      { do: 'start', at: 'source' },
      { do: 'connect', at: 'source' },
      command('stop'),
      { do: 'cut', channel: 'a' },
      { do: 'command', at: 'destination', execute: 'cont' },
      { do: 'disconnect', at: 'source' },
      command('cont'),
    ];
    expect(names(meaningful(steps))).to.deep.equal(['start', 'connect', 'stop', 'disconnect']);
  });

  it('takes arguments apart, never makes them larger', () => {
    const step = command('migrate-set-capabilities', {
      capabilities: [
        { capability: 'events', state: true },
        { capability: 'xbzrle', state: false },
      ],
    });
    const size = JSON.stringify(step).length;
    const simpler = simplerSteps(step);
    expect(simpler.length).to.be.greaterThan(2);
    for (const one of simpler) expect(JSON.stringify(one[0]).length).to.be.lessThan(size);
  });

  it('lets a peer hold what has to come in time', () => {
    const peer = { do: 'peer', channel: 'c', behaviour: 'answer' } as const;
    const steps: Step[] = [
      { do: 'start', at: 'source' },
      peer,
      { do: 'connect', at: 'source' },
      command('migrate_cancel'),
    ];
    expect(folded(steps)).to.deep.include([steps[0], { ...peer, behaviour: 'stall' }, ...steps.slice(2)]);
  });
});
