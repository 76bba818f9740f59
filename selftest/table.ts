/** The kill table. */
import type { Crew } from './crew.js';
import type { Kill } from './hunt.js';
import { wrongNamed } from './planted.js';
import type { Result, Results } from './results.js';

export type KillResult = Result & { readonly kind: 'kill' } & Kill;

export interface Round {
  readonly crew: Crew;
  readonly results: Results;
  /** Program of a QEMU; absent: the reference. */
  readonly qemu: string | undefined;
  readonly out: (line: string) => void;
}

export interface KillTable {
  readonly kills: readonly Kill[];
  readonly survivors: readonly string[];
  /** Names that there was no time for. */
  readonly left: readonly string[];
}

/** Hunts what is not in the results yet, and shows the whole table. */
export async function huntAll(
  { crew, results, qemu, out }: Round,
  names: readonly string[],
  told: (kill: Kill) => void = () => undefined,
): Promise<KillTable> {
  const began = performance.now();
  const subject = qemu ?? 'reference';
  const width = Math.max(...names.map((name) => name.length), 5);
  const row = ({ fault, requirement, idle, judged, duration, where }: Kill): void => {
    const killer = requirement ?? (idle ? '(does not show here)' : 'SURVIVED');
    const took = requirement === undefined ? '' : `${duration.toFixed(1)} ms`;
    const cells = [
      fault.padEnd(width),
      (wrongNamed(fault)?.area ?? '').padEnd(13),
      (where === 'process' ? `${killer} (process)` : killer).padEnd(38),
      String(judged).padStart(6),
      took.padStart(9),
    ];
    out(cells.join('  '));
  };
  out(`${'fault'.padEnd(width)}  ${'area'.padEnd(13)}  ${'killed by'.padEnd(38)}  judged       took`);
  const kills: Kill[] = names.flatMap((name) => results.find<KillResult>('kill', subject, name) ?? []);
  for (const kill of kills) row(kill);
  const known = new Set(kills.map(({ fault }) => fault));
  const jobs = names
    .filter((name) => !known.has(name))
    .map((fault) => ({ kind: 'hunt', fault, ...(qemu === undefined ? {} : { qemu }) }) as const);
  await crew.all(jobs, (_, { kill }) => {
    if (kill === undefined) return;
    kills.push(kill);
    known.add(kill.fault);
    results.add<KillResult>({ ...kill, kind: 'kill', subject, name: kill.fault });
    told(kill);
    row(kill);
  });
  const idle = kills.filter((kill) => kill.idle).length;
  const survivors = kills.filter((kill) => kill.requirement === undefined && !kill.idle).map(({ fault }) => fault);
  const left = names.filter((name) => !known.has(name));
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const killed = kills.length - survivors.length - idle;
  const hidden = idle === 0 ? '' : `, ${idle} do not show here`;
  const rest = left.length === 0 ? '' : `, ${left.length} not tried yet`;
  out(`${names.length} faults: ${killed} killed, ${survivors.length} survived${hidden}${rest}; ${seconds} s`);
  for (const name of survivors) out(`  survived: ${name}, a monitor that ${wrongNamed(name)?.title}`);
  return { kills, survivors, left };
}
