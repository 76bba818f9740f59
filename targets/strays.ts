/**
 * What has left the group that it was started in: a daemon, or what a wrapper starts in a session of its own. A variable that
 * all of ours inherit tells whose it is.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** Its value is the folder of a run. */
const variable = 'QMPSPEC_SCRATCH';

/** What a process that is started in a run has in its environment. */
export const markOf = (root: string): Readonly<Record<string, string>> => ({ [variable]: root });

/** Ends what bears the mark of a run. Where the system does not show environments, nothing is found. */
export function endStrays(root: string): void {
  const mark = `${variable}=${root}`;
  for (const name of processes()) {
    try {
      if (!readFileSync(`/proc/${name}/environ`, 'latin1').split('\0').includes(mark)) continue;
      if (Number(name) !== process.pid) process.kill(Number(name), 'SIGKILL');
    } catch {
      // It has ended, or is not ours to look at.
    }
  }
}

function processes(): string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

/** The same for a shell, with the folder in `$root`. */
export const endStraysByShell = `
for file in $(grep -l -F "${variable}=$root" /proc/[0-9]*/environ 2>/dev/null); do
  process=\${file#/proc/}
  kill -9 "\${process%/environ}" 2>/dev/null
done`;
