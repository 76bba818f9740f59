import { expect } from 'chai';
import type { CommandHandler } from '../../../reference/migration/host.js';
import { brief, connected, run } from './harness.js';

const inBand = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => `{"execute":"query-name","id":${from + n}}`).join('');
const pause = '{"exec-oob":"migrate-pause","id":"oob"}';
const engine = { commands: new Map<string, CommandHandler>([['migrate-pause', () => undefined]]) };

for (const [dialect, args] of [
  ['3.0', []],
  ['7.2', ['--dialect', '7.2']],
] as const) {
  const setup = { args, engine, oob: dialect === '3.0' ? true : undefined } as const;
  describe(`QMP-OOB: out-of-band execution, dialect ${dialect}`, () => {
    /** A client that has enabled oob. */
    const enabled = async () => {
      const running = await run({ args, engine, ...(dialect === '3.0' ? { oob: true } : {}) });
      const client = running.client();
      await client.received();
      await client.send('{"execute":"qmp_capabilities","arguments":{"enable":["oob","oob"]}}');
      return { ...running, first: client };
    };

    it('QMP-OOB-01: offered, not enabled', async () => {
      const running = await run({ args, engine, ...(setup.oob ? { oob: true } : {}) });
      const client = running.client();
      const [greeting] = (await client.received()) as [{ QMP: { capabilities: string[] } }];
      expect(greeting.QMP.capabilities).to.deep.equal(['oob']);
      const replies = await client.send(`{"execute":"qmp_capabilities"}${pause}`);
      expect(replies.map(brief)).to.deep.equal(['R', "QMP input member 'exec-oob' is unexpected"]);
      await running.stop();
    });

    it('QMP-OOB-02..05: errors as in band', async () => {
      const { first, stop } = await enabled();
      for (const [input, expected] of [
        ['{"exec-oob":5}', "QMP input member 'exec-oob' must be a string"],
        ['{"exec-oob":"migrate-pause","foo":1}', "QMP input member 'foo' is unexpected"],
        ['{"exec-oob":"nosuch"}', 'CommandNotFound: The command nosuch has not been found'],
        ['{"exec-oob":"query-name"}', 'The command query-name does not support OOB'],
        ['{"exec-oob":"migrate-pause","execute":"query-name"}', "QMP input member 'execute' clashes with 'exec-oob'"],
        ['{"execute":"query-name","exec-oob":"migrate-pause"}', "QMP input member 'execute' clashes with 'exec-oob'"],
        ['{"exec-oob":"migrate-pause","arguments":{"a":1}}', "Parameter 'a' is unexpected"],
        ['{"exec-oob":"migrate-pause"}', 'R'],
        ['{"execute":"migrate-pause"}', 'R'],
      ] as const)
        expect((await first.send(input)).map(brief), input).to.deep.equal([expected]);
      await stop();
    });

    it('QMP-OOB-13: in the same write as the negotiation', async () => {
      const running = await run({ args, engine, ...(setup.oob ? { oob: true } : {}) });
      const client = running.client();
      await client.received();
      const ids = (
        await client.send(
          `{"execute":"qmp_capabilities","arguments":{"enable":["oob"]},"id":1}{"execute":"query-name","id":2}${pause}`,
        )
      ).map(({ id }) => id);
      expect(ids).to.deep.equal([1, 'oob', 2]);
      await running.stop();
    });

    if (dialect === '3.0') {
      it('QMP-OOB-08..11: what does not fit is dropped with an event for everybody', async () => {
        const { first, client, stop } = await enabled();
        const other = client();
        await other.send('{"execute":"qmp_capabilities"}');
        const messages = await first.send(`${inBand(0, 12)}${pause}`);
        const dropped = messages.filter(({ event }) => event === 'COMMAND_DROPPED');
        expect(dropped.map(({ data }) => data)).to.deep.equal([9, 10, 11].map((id) => ({ id, reason: 'queue-full' })));
        expect(messages.slice(0, 3)).to.deep.equal(dropped);
        expect(messages.slice(3).map(({ id }) => id)).to.deep.equal(['oob', 0, 1, 2, 3, 4, 5, 6, 7, 8]);
        expect(await other.received()).to.deep.equal(dropped);
        expect((await first.send(inBand(20, 21))).map(({ id }) => id)).to.deep.equal([20]);
        await stop();
      });

      it('QMP-BUG-01: survives a dropped command without id', async () => {
        const { first, stop } = await enabled();
        const messages = await first.send('{"execute":"query-name"}'.repeat(30));
        expect(messages).to.have.length(30);
        expect(messages[0]?.data).to.deep.equal({ id: null, reason: 'queue-full' });
        await stop();
      });

      it('QMP-NEG-05, QMP-NEG-06: not offered', async () => {
        const { first, stop } = await connected();
        const enable = await first.command('qmp_capabilities', { enable: ['oob'] });
        expect(brief(enable[0]!)).to.contain('already complete');
        const running = await run();
        const client = running.client();
        await client.received();
        const replies = await client.command('qmp_capabilities', { enable: ['oob', 'oob'] });
        expect(replies.map(brief)).to.deep.equal(['Capability oob, oob not available']);
        await running.stop();
        await stop();
      });
    } else {
      for (const [waiting, before] of [
        [8, 0],
        [9, 1],
        [10, 2],
        [20, 12],
      ] as const) {
        it(`QMP-D-05, QMP-D-06: behind ${waiting} commands it is answered after ${before}`, async () => {
          const { first, stop } = await enabled();
          const ids = (await first.send(`${inBand(0, waiting)}${pause}`)).map(({ id }) => id);
          expect(ids.indexOf('oob')).to.equal(before);
          expect(ids.filter((id) => id !== 'oob')).to.deep.equal(Array.from({ length: waiting }, (_, n) => n));
          await stop();
        });
      }
    }
  });
}

describe('QMP-FLOW: one command at a time', () => {
  it('QMP-FLOW-01: a slow command holds back what comes behind it, nothing is lost', async () => {
    let finish = () => {};
    const slow = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const { first, client, stop } = await connected({
      engine: { commands: new Map<string, CommandHandler>([['migrate-pause', () => slow]]) },
    });
    const other = client();
    expect(await first.send(`{"execute":"migrate-pause","id":"slow"}${inBand(0, 40)}`)).to.deep.equal([]);
    await other.received();
    finish();
    const ids = (await first.received()).map(({ id }) => id);
    expect(ids).to.deep.equal(['slow', ...Array.from({ length: 40 }, (_, n) => n)]);
    await stop();
  });

  it('QMP-TRANS-14: after a half-close the replies to all complete commands, then the end', async () => {
    const { first, stop } = await connected();
    first.input.write(`${inBand(0, 3)} 5`);
    first.input.end();
    expect((await first.received()).map(({ id }) => id)).to.deep.equal([0, 1, 2]);
    expect(first.ended).to.equal(true);
    await stop();
  });

  it('QMP-ERR-05: an unexpected error of a handler is one error reply', async () => {
    const broken = () => {
      throw new Error('broken');
    };
    const { first, stop } = await connected({
      engine: { commands: new Map<string, CommandHandler>([['migrate-pause', broken]]) },
    });
    expect((await first.command('migrate-pause')).map(brief)).to.deep.equal(['internal error: broken']);
    await stop();
  });
});
