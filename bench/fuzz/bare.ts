/** A bare pipelined socket: the same commands as a campaign, with nobody who looks at what comes back. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { attempt } from '../../campaign/attempt.js';
import type { TargetFacts } from '../../targets/facts.js';
import type { Scenario } from '../../targets/scenario.js';
import type { Target } from '../../targets/target.js';
import { type Busy, busyIn } from './processor-time.js';

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
  const folder = mkdtempSync(join(tmpdir(), 'qmpspec-bench-'));
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

/** A socket that only counts replies; migrations go to somebody who reads them. @param time milliseconds */
export async function bare(target: Target, mix: readonly string[], time: number): Promise<Bare> {
  const migrations = await sink();
  const lines = mix.map((line) => line.replaceAll(somewhere, `unix:${migrations.path}`));
  const instance = await target.start();
  const socket: Socket = connect(join(instance.scratch, 'qmp1.sock'));
  let [sent, answered] = [0, 0];
  const since = busyIn();
  let busy: Busy | undefined;
  const began = performance.now();
  let ended = began;
  try {
    await new Promise<void>((resolve, reject) => {
      const over = setTimeout(resolve, time);
      const fill = () => {
        if (performance.now() - began > time) return;
        let text = '';
        for (; sent - answered < window; sent++) text += `${lines[sent % lines.length]}\n`;
        if (text !== '') socket.write(text);
      };
      const fail = (error: Error) => {
        clearTimeout(over);
        reject(error);
      };
      socket.on('error', fail).on('close', () => fail(new Error('the target closed the connection of the bare loop')));
      socket.once('connect', () => socket.write('{"execute":"qmp_capabilities"}\n'));
      let rest = '';
      socket.setEncoding('latin1').on('data', (text: string) => {
        const parts = (rest + text).split('\n');
        rest = parts.pop() ?? '';
        for (const part of parts) if (/^\{"(return|error)"|"id": "/.test(part)) answered++;
        ended = performance.now();
        fill();
      });
    });
    busy = busyIn(since);
  } finally {
    socket.removeAllListeners('close').destroy();
    await instance.dispose();
    migrations.close();
  }
  // One that stands still is no slower for the time after its last answer.
  const rate = answered / ((Math.max(ended, began + time / 2) - began) / 1000);
  // It is a child of ours, as the processes of a crew are, which rest now.
  return { rate, cost: busy === undefined ? undefined : (busy.crew / answered) * 1000 };
}
