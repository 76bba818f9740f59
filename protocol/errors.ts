/** What can go wrong between a client and a monitor, each as its own class so that a verdict can be drawn from it. */
import { StacklessError } from './stackless-error.js';

/** No connection could be made. */
export class ConnectError extends StacklessError {
  override readonly name = 'ConnectError';
  constructor(
    readonly address: string,
    /** System code such as `ECONNREFUSED`. */
    readonly code: string,
    detail: string,
  ) {
    super(`cannot connect to ${address}: ${detail}`);
  }
}

/** Nobody can connect: the address that was to be listened at cannot be had. */
export class ListenError extends StacklessError {
  override readonly name = 'ListenError';
  constructor(
    readonly address: string,
    detail: string,
  ) {
    super(`cannot listen at ${address}: ${detail}`);
  }
}

/** What was waited for did not come in time. */
export class DeadlinePassed extends StacklessError {
  override readonly name = 'DeadlinePassed';
  constructor(
    readonly awaited: string,
    /** Milliseconds. */
    readonly deadline: number,
  ) {
    super(`no ${awaited} within ${Math.round(deadline)} ms`);
  }
}

/** The connection ended while something was awaited. */
export class Disconnected extends StacklessError {
  override readonly name = 'Disconnected';
  /** @param how it came to that */
  constructor(
    readonly awaited: string,
    how = 'the monitor closed the connection',
  ) {
    super(`${how}; ${awaited} was awaited`);
  }
}

/** Its first words negotiate options: IAC, then WILL, WONT, DO or DONT. */
const telnet = /^\xff[\xfb-\xfe]/;

/** The peer is no QMP monitor. */
export class NotQmp extends StacklessError {
  override readonly name = 'NotQmp';
  constructor(
    readonly address: string,
    readonly received: string,
  ) {
    const head = received.length > 60 ? `${received.slice(0, 60)}…` : received;
    super(
      received === ''
        ? `${address} sent nothing: a QMP monitor greets first`
        : telnet.test(received)
          ? `${address} speaks telnet: start the monitor without telnet=on`
          : `${address} is not a QMP monitor: it began with ${JSON.stringify(head)}`,
    );
  }
}
