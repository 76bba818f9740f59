/** Processor time of this process, of those that run cases for it, and of what these have started: from /proc, where there is one. */
import { readdirSync } from 'node:fs';
import { statOf, tick } from '../figures.js';

/** Milliseconds. */
export interface Busy {
  /** Of the campaign itself. */
  readonly campaign: number;
  /** Of the processes that run and judge its cases. */
  readonly crew: number;
  /** Of the target, and of whatever else they have started. */
  readonly target: number;
}

interface Figures {
  readonly parent: number;
  readonly own: number;
  /** Of children that are gone. */
  readonly ended: number;
}

function figuresOf(pid: string): Figures | undefined {
  const fields = statOf(pid);
  if (fields === undefined) return undefined;
  const figure = (n: number) => fields[n] as number;
  return { parent: figure(1), own: (figure(11) + figure(12)) * tick, ended: (figure(13) + figure(14)) * tick };
}

/** So far, or since an earlier look; `undefined` where the system has no /proc. */
export function busyIn(since: Busy = { campaign: 0, crew: 0, target: 0 }): Busy | undefined {
  const all = new Map<number, Figures>();
  try {
    for (const name of readdirSync('/proc')) {
      const figures = /^\d+$/.test(name) ? figuresOf(name) : undefined;
      if (figures !== undefined) all.set(Number(name), figures);
    }
  } catch {
    return undefined;
  }
  const { user, system } = process.cpuUsage();
  const sums = { campaign: (user + system) / 1000, crew: 0, target: 0 };
  for (const figures of all.values()) {
    if (figures.parent === process.pid) {
      sums.crew += figures.own;
      sums.target += figures.ended;
    } else if (all.get(figures.parent)?.parent === process.pid) sums.target += figures.own + figures.ended;
  }
  return {
    campaign: sums.campaign - since.campaign,
    crew: sums.crew - since.crew,
    target: sums.target - since.target,
  };
}
