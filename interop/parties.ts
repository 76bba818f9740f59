/** Who takes part: the reference monitor and the QEMUs that are installed here. */
import { execFileSync } from 'node:child_process';
import type { DialectName } from '../reference/dialects/dialect.js';
import { findProgram, qemuTarget, referenceTarget } from '../targets/executable.js';
import type { Target } from '../targets/target.js';

export const partyNames = ['reference', 'qemu-7.2', 'qemu-10.0'] as const;
export type PartyName = (typeof partyNames)[number];

/** A QEMU that can be started, or why not. */
export type Found = { readonly program: string } | { readonly absent: string };

const places = {
  'qemu-7.2': { variable: 'QMPSPEC_QEMU_7', usual: 'qemu-system-x86_64', version: '7.2' },
  'qemu-10.0': { variable: 'QMPSPEC_QEMU_10', usual: 'qemu-system-x86_64', version: '10.0' },
} as const;

/** Looks for a QEMU where its environment variable says, else on PATH; only the right release will do. */
export function findQemu(name: Exclude<PartyName, 'reference'>): Found {
  const { variable, usual, version } = places[name];
  const named = process.env[variable];
  try {
    const program = findProgram(named ?? usual);
    const text = execFileSync(program, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    const found = /version (\d+\.\d+)/.exec(text)?.[1] ?? 'unknown';
    if (found === version) return { program };
    return { absent: `${program} is version ${found}; ${variable} can name a ${version}` };
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    return { absent: `${why}${named === undefined ? `, and ${variable} names none` : ''}` };
  }
}

/** All parties with the targets that start them; one for each dialect of the reference. */
export class Parties {
  readonly #targets = new Map<string, Target>();
  readonly #found = new Map<PartyName, Found>();

  /** Why this party cannot take part; undefined when it can. */
  absent(name: PartyName): string | undefined {
    if (name === 'reference') return undefined;
    let found = this.#found.get(name);
    if (found === undefined) {
      found = findQemu(name);
      this.#found.set(name, found);
    }
    return 'absent' in found ? found.absent : undefined;
  }

  /** @param dialect of the reference; a QEMU has its own */
  target(name: PartyName, dialect: DialectName): Target {
    const key = name === 'reference' ? `reference ${dialect}` : name;
    let target = this.#targets.get(key);
    if (target !== undefined) return target;
    if (name === 'reference') target = referenceTarget(key, ['--dialect', dialect, '--allow-exec']);
    else {
      const found = this.absent(name) === undefined ? this.#found.get(name) : undefined;
      if (found === undefined || !('program' in found)) throw new Error(`${name}: ${this.absent(name)}`);
      target = qemuTarget(name, found.program);
    }
    this.#targets.set(key, target);
    return target;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#targets.values()].map((target) => target.close()));
  }
}
