/** A bare pipelined socket: the same commands as a campaign, with nobody who looks at what comes back. */
import { mkdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { attempt } from '../../campaign/attempt.js';
import type { TargetFacts } from '../../targets/facts.js';
import { theReaper } from '../../targets/reaper.js';
import type { Scenario } from '../../targets/scenario.js';
import type { Target } from '../../targets/target.js';
import { busyIn } from './processor-time.js';

/** Unanswered commands at a time: what a monitor with a queue of 8 takes without waiting (QMP-D-06). */
export const window = 8;

/** Stands for the address of a migration. */
const somewhere = 'unix:{sink}';

/** Cases side by side that are run for their commands. */
const together = 6;

/** The commands that these cases send, in their order, as lines. */
export async function mixOf(target: Target, facts: TargetFacts, scenarios: readonly Scenario[]): Promise<string[]> {
  const mix = scenarios.map((): string[] => []);
  const open = [...scenarios.entries()].reverse();
  const lane = async () => {
    for (let one = open.pop(); one !== undefined; one = open.pop()) {
      const { transcript } = await attempt(one[1], { target, facts, strictDesc: false });
      mix[one[0]] = transcript.entries.flatMap(({ kind, text }) => (kind === 'sent' ? commandsIn(text) : []));
    }
  };
  await Promise.all(Array.from({ length: together }, lane));
  return mix.flat();
}

/** Without those of which there is one for each connection. */
function commandsIn(text: string): string[] {
  if (text.includes('qmp_capabilities') || text.includes('"quit"')) return [];
  const whole = text.split('\n').filter((line) => line.startsWith('{"exec') && isJson(line));
  return whole.map((line) => line.replace(/unix:[^"]*\.mig[^"]*/g, somewhere));
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

/** Where migrations go: everything is read, nothing is answered. */
async function sink(): Promise<{ readonly path: string; close(): void }> {
  const folder = theReaper().folder();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, 'sink');
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => undefined).on('close', () => open.delete(socket));
    socket.resume();
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    path,
    close: () => {
      for (const socket of open) socket.destroy();
      server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export interface Bare {
  /** Commands a second. */
  readonly rate: number;
  /** Microseconds of processor time of the target for each command, where the system tells. */
  readonly cost: number | undefined;
}

/** Deaths of the target after which it is not worth going on. */
const mostDeaths = 20;

/**
 * A socket that only counts replies; migrations go to somebody who reads them. A target that dies of what it is sent, as some
 * releases are known to, is started again, and goes on behind where it was.
 * @param time milliseconds
 */
export async function bare(target: Target, mix: readonly string[], time: number): Promise<Bare> {
  const migrations = await sink();
  const lines = mix.map((line) => line.replaceAll(somewhere, `unix:${migrations.path}`));
  let [sent, answered, spent, counted, cost] = [0, 0, 0, 0, 0];
  try {
    for (let [deaths, over] = [0, false]; !over; deaths++) {
      if (deaths > mostDeaths) throw new Error(`the target of the bare loop has died ${deaths} times`);
      const piece = await pieceOf(target, lines, sent, time - spent);
      sent = piece.next;
      over = piece.over || spent + piece.time >= time;
      answered += piece.answered;
      spent += piece.time;
      if (piece.busy === undefined) continue;
      counted += piece.answered;
      cost += piece.busy;
    }
  } finally {
    migrations.close();
  }
  if (answered === 0) throw new Error(`the target has answered nothing to the bare loop in ${Math.round(spent)} ms`);
  return { rate: answered / (spent / 1000), cost: counted === 0 ? undefined : (cost / counted) * 1000 };
}

interface Piece {
  /** Its time was over; else it died before. */
  readonly over: boolean;
  /** Number of the next line. */
  readonly next: number;
  readonly answered: number;
  /** Milliseconds. */
  readonly time: number;
  /** Milliseconds of processor time of the target; absent where it died, and where the system does not tell. */
  readonly busy: number | undefined;
}

/** One process, until the time is over or its connection ends. */
async function pieceOf(target: Target, lines: readonly string[], first: number, time: number): Promise<Piece> {
  const instance = await target.start();
  // A monitor serves one client at a time: whoever looked whether it has started well leaves it.
  instance.letGo?.();
  const socket: Socket = connect(join(instance.scratch, 'qmp1.sock'));
  let [sent, answered] = [first, -1];
  const since = busyIn();
  const began = performance.now();
  let ended = began;
  let busy: number | undefined;
  let over = false;
  try {
    over = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(true), time);
      const fill = () => {
        if (performance.now() - began > time) return;
        let text = '';
        for (; sent - first - answered < window; sent++) text += `${lines[sent % lines.length]}\n`;
        if (text !== '') socket.write(text);
      };
      socket
        .on('error', () => undefined)
        .on('close', () => {
          clearTimeout(timer);
          resolve(false);
        });
      socket.once('connect', () => socket.write('{"execute":"qmp_capabilities"}\n'));
      let rest = '';
      socket.setEncoding('latin1').on('data', (text: string) => {
        const parts = (rest + text).split('\n');
        rest = parts.pop() ?? '';
        for (const part of parts) if (/^\{"(return|error)"|"id": "/.test(part)) answered++;
        ended = performance.now();
        if (answered >= 0) fill();
      });
    });
    // It is a child of ours, as the processes of a crew are, which rest now.
    const used = busyIn(since);
    if (over && used !== undefined) busy = used.crew;
    // One that stands still is no slower for the time after its last answer.
    if (over) ended = Math.max(ended, began + time / 2);
  } finally {
    socket.destroy();
    await instance.dispose();
  }
  // What a death leaves unanswered is not sent again.
  const spent = ended > began ? ended - began : performance.now() - began;
  return { over, next: sent, answered: Math.max(0, answered), time: Math.max(1, spent), busy };
}
