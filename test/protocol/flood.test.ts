import { expect } from 'chai';
import { Disconnected } from '../../protocol/errors.js';
import { Flood } from '../../protocol/flood.js';
import { greetingText } from './fake-monitor.js';
import { listen } from './listening.js';

const mib = 2 ** 20;

describe('a monitor that sends without end', () => {
  const event = '{"timestamp": {"seconds": 1, "microseconds": 1}, "event": "STOP"}\r\n';
  const floods: [name: string, bytes: Buffer][] = [
    ['blanks', Buffer.alloc(65536, ' ')],
    ['a message that does not end', Buffer.alloc(65536, '[')],
    ['events', Buffer.from(event.repeat(500))],
    ['lines that are none of the protocol', Buffer.from('x\n'.repeat(30_000))],
  ];
  for (const [name, bytes] of floods) {
    it(`loses the connection, and that is told: ${name}`, async () => {
      const monitor = await listen((socket) => {
        socket.on('error', () => undefined);
        socket.write(greetingText);
        const pour = () => {
          while (!socket.destroyed && socket.write(bytes));
        };
        socket.on('drain', pour);
        pour();
      });
      const session = await monitor.session({ deadline: 60_000 });
      await session.greeting();
      const error = await session.command('query-version').catch((one: Error) => one);
      expect(error).to.be.instanceOf(Disconnected);
      expect((error as Error).message).to.match(
        /^the monitor sends without end, and the connection was given up; reply/,
      );
      expect(session.ended).to.equal(true);
    });
  }

  it('is not one that has much to say to what it was asked', () => {
    const flood = new Flood();
    for (let times = 0; times < 1000; times++) {
      flood.asked(30);
      expect(flood.heard(mib / 16, 1)).to.equal(false);
    }
    expect(flood.heard(60 * mib, 1)).to.equal(false);
    expect(flood.heard(60 * mib, 1)).to.equal(true);
  });
});
