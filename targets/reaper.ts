/**
 * Nothing that we start outlives us. Ordinary ends are handled in the process; for the rest (SIGKILL, a crash) a small shell
 * waits at the other end of a pipe and, when the pipe closes, kills what is still registered and removes our scratch folder.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeScratchRoot } from './scratch-root.js';
import { endStrays, endStraysByShell } from './strays.js';

const script = `
pids=' ' starting=0
while read -r verb what; do
  case $verb in
    starting) starting=$((starting + 1)) ;;
    born) starting=$((starting - 1)); pids="$pids$what " ;;
    died) rest=' '; for pid in $pids; do [ "$pid" = "$what" ] || rest="$rest$pid "; done; pids=$rest ;;
    root) root=$what ;;
  esac
done
for pid in $pids; do kill -9 "-$pid" 2>/dev/null; done
# What was just being started is in a folder of ours and reads from a socket, which nobody's shell does that looks around.
if [ $starting -gt 0 ]; then
  for try in 1 2 3; do
    for process in /proc/[0-9]*; do
      case $(readlink "$process/cwd" "$process/fd/0" 2>/dev/null) in
        "$root"/*socket:*) kill -9 "-\${process#/proc/}" 2>/dev/null ;;
      esac
    done
    sleep 0.1
  done
fi
${endStraysByShell}
# What was killed a moment ago may still be making files.
for try in 1 2 3 4 5; do rm -rf "$root" 2>/dev/null && break; sleep 0.2; done
`;

class Reaper {
  readonly root: string;
  private readonly shell: ChildProcess;
  private readonly living = new Set<number>();
  private folders = 0;

  constructor() {
    this.root = makeScratchRoot();
    this.shell = spawn('/bin/sh', ['-c', script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    this.shell.on('error', () => undefined);
    this.shell.stdin?.on('error', () => undefined);
    this.shell.unref();
    // An open pipe to the shell must not keep us alive.
    (this.shell.stdin as unknown as { unref?: () => void } | null)?.unref?.();
    this.tell(`root ${this.root}`);
    process.once('exit', () => this.sweep());
  }

  private tell(line: string): void {
    this.shell.stdin?.write(`${line}\n`);
  }

  /** A process is about to be started in a folder of ours; {@link born} follows. */
  starting(): void {
    this.tell('starting');
  }

  /** @param pid of the process that was about to be started, which leads its own group; undefined when it was not */
  born(pid: number | undefined): void {
    if (pid !== undefined) this.living.add(pid);
    this.tell(`born ${pid ?? ''}`);
  }

  died(pid: number): void {
    this.living.delete(pid);
    this.tell(`died ${pid}`);
  }

  folder(): string {
    return join(this.root, String(++this.folders));
  }

  private sweep(): void {
    for (const pid of this.living) {
      killGroup(pid);
      this.tell(`died ${pid}`);
    }
    endStrays(this.root);
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Ends a process that leads its group, and all that is left of the group. */
export function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended by itself a moment ago.
  }
}

let reaper: Reaper | undefined;

/** The one reaper of this process; made at the first use. */
export function theReaper(): Reaper {
  reaper ??= new Reaper();
  return reaper;
}
