/** The kill table. */
import { faults } from '../reference/faults/index.js';
import type { Crew } from './crew.js';
import type { Kill } from './hunt.js';

export async function huntAll(
  crew: Crew,
  names: readonly string[],
  qemu: string | undefined,
  out: (line: string) => void,
  told: (kill: Kill) => void = () => undefined,
): Promise<Kill[]> {
  const began = performance.now();
  const width = Math.max(...names.map((name) => name.length), 5);
  out(`${'fault'.padEnd(width)}  ${'area'.padEnd(13)}  ${'killed by'.padEnd(34)}  judged      took`);
  const kills: Kill[] = [];
  const jobs = names.map((fault) => ({ kind: 'hunt', fault, ...(qemu === undefined ? {} : { qemu }) }) as const);
  await crew.all(jobs, (_, { kill }) => {
    if (kill === undefined) return;
    kills.push(kill);
    told(kill);
    const { fault, requirement, judged, duration, where } = kill;
    const killer =
      requirement === undefined ? 'SURVIVED' : where === 'process' ? `${requirement} (process)` : requirement;
    const took = requirement === undefined ? '' : `${duration.toFixed(1)} ms`;
    out(
      `${fault.padEnd(width)}  ${(faults.get(fault)?.area ?? '').padEnd(13)}  ${killer.padEnd(34)}  ${String(judged).padStart(6)}  ${took.padStart(9)}`,
    );
  });
  const survivors = kills.filter(({ requirement }) => requirement === undefined).map(({ fault }) => fault);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  out(`${kills.length} faults: ${kills.length - survivors.length} killed, ${survivors.length} survived; ${seconds} s`);
  for (const name of survivors) out(`  survived: ${name}, a monitor that ${faults.get(name)?.title}`);
  return kills;
}
