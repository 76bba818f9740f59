/** How long processes could have run and had no processor, by what Linux says of their threads. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Starved } from '../protocol/fair-time.js';

const read = (path: string): string => {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // It has ended, or is not ours to look at.
    return '';
  }
};

/** The second of the numbers in a `schedstat`: nanoseconds in which a thread was runnable and did not run. */
const waited = (schedstat: string): number => Number(schedstat.split(' ')[1] ?? 0) / 1e6;

const list = (folder: string): string[] => {
  try {
    return readdirSync(folder).filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
};

/** Milliseconds that the threads of a process have waited for a processor. */
const ofProcess = (pid: string): number =>
  list(`/proc/${pid}/task`).reduce((sum, thread) => sum + waited(read(`/proc/${pid}/task/${thread}/schedstat`)), 0);

/** The session that a process belongs to: the fourth word behind its name, which may have blanks and brackets in it. */
const sessionOf = (pid: string): string | undefined => {
  const stat = read(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3];
};

/** We are busy with others, too: that we wait half the time for a processor weighs as much as that a monitor waits a fifth. */
const weightOfOurs = 0.4;

/**
 * Milliseconds that this process, and those of the session that `leader` leads, have waited for a processor, ours with
 * less weight; undefined on a system that does not say. Reads a few dozen small files: for when somebody is late.
 */
export function starvedSession(leader: number): Starved | undefined {
  if (waited(read('/proc/self/schedstat')) === 0) return undefined;
  return () => {
    // Who belongs to a session was born after its leader. When numbers begin anew, one may go unseen, and gets less time.
    const younger = list('/proc').filter((pid) => Number(pid) >= leader);
    const members = younger.filter((pid) => sessionOf(pid) === String(leader));
    const ours = weightOfOurs * waited(read('/proc/self/schedstat'));
    return members.reduce((sum, pid) => sum + ofProcess(pid), ours);
  };
}
