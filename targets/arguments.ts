/** Start options → the arguments that QEMU and everything that can stand in for it take. */
import { join } from 'node:path';
import type { MonitorPlace } from './process-instance.js';
import { type MonitorOptions, type StartOptions, usualMemory } from './target.js';

export interface CommandLine {
  readonly args: readonly string[];
  readonly monitors: readonly MonitorPlace[];
}

/**
 * Where a RAM image goes: to the beginning, and beyond the first MiB where further arguments make another machine. There its
 * firmware keeps its tables, and a guest that runs over what an image has put there may stop for good.
 */
const ramAt = (more: readonly string[]): number => (more.some((word) => /^--?(M|machine)$/.test(word)) ? 2 ** 20 : 0);

/**
 * @param freePort a TCP port on loopback that nobody listens on, asked for once per tcp monitor
 * @param more arguments that will come at the end
 */
export async function qemuArguments(
  options: StartOptions,
  scratch: string,
  freePort: () => Promise<number>,
  more: readonly string[] = [],
): Promise<CommandLine> {
  const args = ['-M', 'none', '-nodefaults', '-display', 'none', '-m', `${options.memory ?? usualMemory}M`];
  if (options.paused) args.push('-S');
  if (options.name !== undefined) args.push('-name', options.name);
  if (options.ramImage !== undefined) {
    args.push('-device', `loader,file=${options.ramImage},addr=${ramAt(more)},force-raw=on`);
  }
  if (options.incoming !== undefined) args.push('-incoming', options.incoming);
  const monitors: MonitorPlace[] = [];
  for (const [index, monitor] of (options.monitors ?? [{ transport: 'unix' as const }]).entries()) {
    const place = await placeFor(monitor, index, scratch, freePort);
    monitors.push(place);
    args.push(...monitorArguments(monitor, index, place));
  }
  return { args: [...args, ...(options.extra ?? [])], monitors };
}

async function placeFor(
  monitor: MonitorOptions,
  index: number,
  scratch: string,
  freePort: () => Promise<number>,
): Promise<MonitorPlace> {
  if (monitor.transport === 'stdio') return { kind: 'stdio' };
  if (monitor.transport === 'tcp') return { kind: 'tcp', host: '127.0.0.1', port: await freePort() };
  return { kind: 'unix', path: join(scratch, `qmp${index + 1}.sock`) };
}

function monitorArguments(monitor: MonitorOptions, index: number, place: MonitorPlace): string[] {
  if (monitor.oob) {
    const id = `qmp${index + 1}`;
    const backend =
      place.kind === 'unix'
        ? `socket,id=${id},path=${place.path},server,nowait`
        : place.kind === 'tcp'
          ? `socket,id=${id},host=${place.host},port=${place.port},server,nowait`
          : `stdio,id=${id}`;
    const pretty = monitor.pretty ? ',pretty=on' : '';
    return ['-chardev', backend, '-mon', `chardev=${id},mode=control${pretty},x-oob=on`];
  }
  const option = monitor.pretty ? '-qmp-pretty' : '-qmp';
  if (place.kind === 'stdio') return [option, 'stdio'];
  if (place.kind === 'tcp') return [option, `tcp:${place.host}:${place.port},server,nowait`];
  return [option, `unix:${place.path},server,nowait`];
}
