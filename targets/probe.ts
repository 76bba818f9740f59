/**
 * The control probe: is the monitor itself in order? Asked first, last and after each failure, it tells "the target died",
 * "is wedged" and "is slow" from "the requirement failed".
 */
import { ConnectError, DeadlinePassed, Disconnected, NotQmp } from '../protocol/errors.js';
import type { Session } from '../protocol/session.js';
import { describeExit, type Instance } from './target.js';

export type Health = 'healthy' | 'slow' | 'wedged' | 'dead';

export interface ProbeResult {
  readonly health: Health;
  /** What was seen, in words. */
  readonly detail: string;
  /** Milliseconds of one round trip; absent when there was none. */
  readonly roundTrip?: number;
}

/** A round trip above this is called slow, in milliseconds: a monitor with nothing to do answers in less than one. */
export const slowRoundTrip = 1000;

/**
 * Connects to the first monitor, negotiates, and asks two things, of which the first must succeed. What is said to the
 * second is not judged: that is what requirements are for.
 * @param deadline milliseconds for each step; default: what the target's sessions have
 */
export async function probe(instance: Instance, deadline?: number): Promise<ProbeResult> {
  if (instance.exit !== undefined) return { health: 'dead', detail: describeExit(instance.exit) };
  let session: Session | undefined;
  try {
    session = await instance.connect(deadline === undefined ? {} : { deadline });
    await session.negotiate();
    const began = performance.now();
    const version = await session.command('query-version');
    const roundTrip = performance.now() - began;
    if (version.kind !== 'success')
      return { health: 'wedged', detail: `query-version was answered with ${version.text}` };
    await session.command('qmpspec-no-such-command');
    return roundTrip > slowRoundTrip
      ? { health: 'slow', detail: `query-version took ${Math.round(roundTrip)} ms`, roundTrip }
      : { health: 'healthy', detail: '', roundTrip };
  } catch (error) {
    return await explain(error, instance, session);
  } finally {
    session?.close();
  }
}

/** Milliseconds by which the end of a process may be known later than that of its connections. */
export const endIsTold = 500;

async function explain(error: unknown, instance: Instance, session: Session | undefined): Promise<ProbeResult> {
  const left = error instanceof Disconnected || error instanceof NotQmp || error instanceof ConnectError;
  const exit = instance.exit ?? (left ? await instance.exited(endIsTold).catch(() => undefined) : undefined);
  if (exit !== undefined) return { health: 'dead', detail: describeExit(exit) };
  if (error instanceof ConnectError) return { health: 'dead', detail: error.message };
  if (error instanceof DeadlinePassed) return { health: 'wedged', detail: `${error.message}${lastWords(session)}` };
  if (error instanceof Disconnected || error instanceof NotQmp) return { health: 'wedged', detail: error.message };
  throw error;
}

/** What a monitor said that never said what was awaited: whoever writes one sees what is wrong with it. */
function lastWords(session: Session | undefined): string {
  const text = session?.log.at(-1)?.text;
  if (text === undefined) return '';
  return `; its last words were ${JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text)}`;
}
