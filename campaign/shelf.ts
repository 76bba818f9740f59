/** Sources that live on between scenarios, with the judge's knowledge of them. Several lanes may share one shelf. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Carried } from '../oracle/judge.js';
import type { Scenario } from '../targets/scenario.js';
import type { Instance } from '../targets/target.js';
import type { LeakWatch } from './leak.js';

export interface Kept {
  readonly instance: Instance;
  readonly carried: Carried;
  /** What it has served, oldest first. */
  readonly history: readonly Scenario[];
  readonly leaks: LeakWatch;
}

export class Shelf {
  private readonly kept = new Map<string, Kept[]>();

  /** @param key what it was started with */
  put(key: string, one: Kept): void {
    const same = this.kept.get(key) ?? [];
    same.push(one);
    this.kept.set(key, same);
  }

  /** The one that was put there last and still lives. */
  take(key: string): Kept | undefined {
    const same = this.kept.get(key) ?? [];
    for (let one = same.pop(); one !== undefined; one = same.pop()) {
      if (one.instance.exit === undefined) {
        clearChannels(one.instance.scratch);
        return one;
      }
      void one.instance.dispose();
    }
    return undefined;
  }

  async clear(): Promise<void> {
    const all = [...this.kept.values()].flat();
    this.kept.clear();
    await Promise.all(all.map(({ instance }) => instance.dispose()));
  }
}

/** Sockets that destinations of an earlier scenario left in the source's folder; the next one listens at the same names. */
function clearChannels(scratch: string): void {
  if (!existsSync(scratch)) return;
  for (const name of readdirSync(scratch)) if (/\.mig(\.in)?$/.test(name)) rmSync(join(scratch, name), { force: true });
}
