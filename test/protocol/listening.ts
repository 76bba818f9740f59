/** Monitors of a test's own, which are gone after it, and what they say. */
import type { Socket } from 'node:net';
import { expect } from 'chai';
import { FakeMonitor } from './fake-monitor.js';

const monitors: FakeMonitor[] = [];
export const listen = async (accept: (socket: Socket, number: number) => void): Promise<FakeMonitor> => {
  const monitor = await FakeMonitor.listen(accept);
  monitors.push(monitor);
  return monitor;
};
export const reply = (id: unknown) => JSON.stringify({ return: {}, id });
export const stop = '{"event": "STOP", "timestamp": {"seconds": 1, "microseconds": 2}}';

/** The error of a promise that must fail. */
export const failure = <E extends Error>(promise: Promise<unknown>, type: new (...args: never[]) => E): Promise<E> =>
  promise.then(
    (value) => expect.fail(`it succeeded with ${String(value)}`),
    (error: unknown) => {
      expect(error).to.be.instanceOf(type);
      return error as E;
    },
  );

afterEach(() => {
  for (const monitor of monitors.splice(0)) monitor.close();
});
