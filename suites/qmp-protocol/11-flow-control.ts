/** qmp-protocol.md §11: in-band flow control. Sizes are bounded, so that it is quick. */

import { event } from '../../oracle/patterns.js';
import { openSocket, parseAddress } from '../../protocol/address.js';
import { isObject } from '../../protocol/json.js';
import { Session } from '../../protocol/session.js';
import { ChapterBuilder } from '../requirement.js';
import { done } from './shapes.js';
import { onTwoMonitors, several } from './two-monitors.js';

/** Replies of some 100 kB each: together more than a socket and its reader hold. */
const unread = 4;
/** Slow commands that another monitor must not wait for: with fewer our next write may come after them all. */
const [fewest, mostCommands] = [4, 64] as const;
/**
 * Characters of their replies: more than a socket and its reader hold. Of what lies ready on two of them we read the first one
 * whole, whichever came first.
 */
const replies = 2 ** 20;

export const flowControl = new ChapterBuilder(['QMP protocol', '11 Flow control'], 'qmp-protocol.md §11')
  .must('QMP-FLOW-01', 'a burst of commands is answered whole, in order', async (t) => {
    const session = await t.session();
    const ids = Array.from({ length: 100 }, (_, id) => id);
    const text = ids.map((id) => `{"execute":"query-version","id":${id}}`).join('');
    t.sequence(
      await session.exchange(text),
      ids.map((id) => done(undefined, { id })),
    );
  })
  .must(
    'QMP-FLOW-02',
    'a client that does not read holds up neither the monitor nor others, and loses nothing',
    async (t) => {
      const { first: probe, second: other } = await onTwoMonitors(t);
      await probe.fence();
      const address = parseAddress(probe.address);
      probe.close();
      // A socket that nobody listens to reads no more than its buffer holds.
      const socket = await openSocket(address, 5000);
      // Nobody else hears of an error until a session takes the socket over.
      socket.on('error', () => undefined);
      try {
        const ids = Array.from({ length: unread }, (_, id) => id);
        socket.write('{"execute":"qmp_capabilities","id":"first"}');
        for (const id of ids) socket.write(`{"execute":"query-qmp-schema","id":${id}}`);
        socket.write('{"execute":"stop","id":"stop"}');
        // It is executed although nothing is read: the others see what it did.
        await other.event('STOP', { deadline: 15000 });
        t.succeeded(await other.command('query-version'), 'the other monitor');
        await other.command('cont');
        const session = t.hears(Session.over(socket, probe.address, { transcript: t.transcript, endpoint: 'source' }));
        await session.greeting();
        const all = await session.take(1, unread + 4, 'everything that was held back', 15000);
        const withIds = ids.map((id) => ({
          words: `the schema with id ${id}`,
          test: ({ kind, value }: (typeof all)[number]) => kind === 'success' && isObject(value) && value.id === id,
        }));
        t.sequence(all, [
          done({}, { id: 'first' }),
          ...withIds,
          event('STOP'),
          done({}, { id: 'stop' }),
          event('RESUME'),
        ]);
      } finally {
        socket.destroy();
      }
    },
    { ...several, tags: ['QMP-FLOW-03'] },
  )
  .must(
    'QMP-FLOW-04',
    'a long reply on one monitor delays another by no more than its command',
    async (t) => {
      const { first: busy, second: other } = await onTwoMonitors(t);
      const { text } = await busy.command('query-qmp-schema');
      const commands = Math.min(mostCommands, Math.max(fewest, Math.ceil(replies / text.length)));
      // What is being executed, what had begun by the time that the other monitor was asked, and what lay ready to be read.
      const few = Math.floor(commands / 2);
      // Our own writes may be held up between the two monitors: the best of a few rounds counts.
      let best = commands;
      for (let round = 0; round < 20 && best > few; round++) {
        const mark = busy.mark();
        const ids = Array.from({ length: commands }, () => busy.freshId());
        // In one write: a monitor that is always done before the next one comes has nothing to choose from.
        await busy.sendBytes(ids.map((id) => JSON.stringify({ execute: 'query-qmp-schema', id })).join(''));
        t.succeeded(await other.command('query-version'));
        best = Math.min(best, busy.replies(mark).length);
        await busy.reply(ids.at(-1) ?? null, { since: mark, deadline: 15000 });
      }
      t.check(
        best <= few,
        `${few} of ${commands} replies before the other one at most, in one round of 20`,
        `${best} or more in each`,
      );
    },
    several,
  )
  .done();
