/** The time that a whole requirement has: many short steps take long on a monitor that takes its time with each answer. */
import { hostClock } from '../protocol/clock.js';
import { DeadlinePassed } from '../protocol/errors.js';
import { afterFairTime, type Starved } from '../protocol/fair-time.js';
import { isReply } from '../protocol/message.js';
import { readMessage } from '../protocol/read-message.js';
import type { Entry } from '../protocol/transcript.js';

/** Milliseconds from which on an answer is slow: a monitor with nothing to do gives one in less than one. */
const slow = 50;
/** Entries that are looked at, and the answers among them that are needed to tell. */
const looked = 64;
const enough = 5;
/** Times the deadline that such a monitor has at most. */
const mostTimes = 8;

/** Whether most of the latest answers were slow. */
export function answersSlowly(entries: readonly Entry[]): boolean {
  const asked = new Map<string, number>();
  const took: number[] = [];
  for (const { at, kind, text, time } of entries.slice(-looked)) {
    if (kind === 'sent' && !asked.has(at)) asked.set(at, time);
    if (kind !== 'received' || !isReply(readMessage(text))) continue;
    const since = asked.get(at);
    if (since !== undefined) took.push(time - since);
    asked.delete(at);
  }
  return took.length >= enough && took.filter((ms) => ms >= slow).length > took.length / 2;
}

/** What a requirement consists of. */
interface Work {
  readonly transcript: { readonly entries: readonly Entry[] };
  readonly starved: Starved;
}

/** Ends a requirement that goes on and on. @param deadline milliseconds @throws DeadlinePassed */
export function withinItsTime<T>(work: Promise<T>, deadline: number, { transcript, starved }: Work): Promise<T> {
  return new Promise((resolve, reject) => {
    let [times, passed] = [0, 0];
    let cancel: () => void = () => undefined;
    const begin = () => {
      times++;
      cancel = afterFairTime(hostClock, deadline, late, starved);
    };
    const late = (length: number) => {
      passed += length;
      if (times < mostTimes && answersSlowly(transcript.entries)) begin();
      else reject(new DeadlinePassed('end of the requirement', passed));
    };
    begin();
    work.then(resolve, reject).finally(() => cancel());
  });
}
