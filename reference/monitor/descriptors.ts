/** Descriptor passing (qmp-protocol.md §14). A receiver of SCM_RIGHTS messages hands what it got to {@link MonitorDescriptors.receive}. */
import { closeSync } from 'node:fs';
import { CommandError } from '../migration/host.js';

function close(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // It was not open any more; it is gone either way.
  }
}

/** What belongs to one monitor: the pending batch of its connection and its named descriptors (QMP-FD-09). */
export class MonitorDescriptors {
  readonly #named = new Map<string, number>();
  #pending: readonly number[] = [];

  /** A batch that came with some byte; replaces the one before it (QMP-FD-01). */
  receive(batch: readonly number[]): void {
    this.dropPending();
    this.#pending = batch;
  }

  /** Closes the pending batch, as a disconnect does (QMP-FD-10). */
  dropPending(): void {
    for (const fd of this.#pending) close(fd);
    this.#pending = [];
  }

  /** The first descriptor of the batch; the others are closed (QMP-FD-02). */
  takePending(): number {
    const [first, ...others] = this.#pending;
    this.#pending = [];
    for (const fd of others) close(fd);
    if (first === undefined) throw new CommandError('No file descriptor supplied via SCM_RIGHTS');
    return first;
  }

  /** `getfd` (QMP-FD-05, QMP-FD-06). */
  name(fdname: string): void {
    const fd = this.takePending();
    if (/^[0-9]/.test(fdname)) {
      close(fd);
      throw new CommandError("Parameter 'fdname' expects a name not starting with a digit");
    }
    const old = this.#named.get(fdname);
    if (old !== undefined) close(old);
    this.#named.set(fdname, fd);
  }

  /** `closefd` (QMP-FD-08). */
  closeNamed(fdname: string): void {
    const fd = this.take(fdname);
    if (fd === undefined) throw new CommandError(`File descriptor named '${fdname}' not found`);
    close(fd);
  }

  /** Takes the descriptor out of the table; `undefined` if there is none of that name (QMP-FD-11). */
  take(fdname: string): number | undefined {
    const fd = this.#named.get(fdname);
    this.#named.delete(fdname);
    return fd;
  }
}

interface SetMember {
  readonly fd: number;
  readonly opaque: string | undefined;
}

/** Descriptor sets, shared by all monitors (QMP-FD-12..15). */
export class DescriptorSets {
  readonly #sets = new Map<bigint, SetMember[]>();

  /** Adds a descriptor to the set `id`, or to a new one with the lowest unused id. */
  add(fd: number, id: bigint | undefined, opaque: string | undefined): { fd: bigint; 'fdset-id': bigint } {
    if (id !== undefined && id < 0n) {
      close(fd);
      throw new CommandError("Parameter 'fdset-id' expects a non-negative value");
    }
    const chosen = id ?? this.#unusedId();
    const members = this.#sets.get(chosen) ?? [];
    members.push({ fd, opaque });
    this.#sets.set(chosen, members);
    return { fd: BigInt(fd), 'fdset-id': chosen };
  }

  /** Closes one member, or all; an empty set disappears (QMP-FD-14). */
  remove(id: bigint, fd: bigint | undefined): void {
    const members = this.#sets.get(id);
    const gone = members?.filter((member) => fd === undefined || BigInt(member.fd) === fd) ?? [];
    if (members === undefined || gone.length === 0) {
      const name = fd === undefined ? `fdset-id:${id}` : `fdset-id:${id}, fd:${fd}`;
      throw new CommandError(`File descriptor named '${name}' not found`);
    }
    for (const member of gone) close(member.fd);
    const rest = members.filter((member) => !gone.includes(member));
    if (rest.length === 0) this.#sets.delete(id);
    else this.#sets.set(id, rest);
  }

  /** Highest set first, oldest member first (QMP-FD-13). */
  list(): object[] {
    const ordered = [...this.#sets].sort(([a], [b]) => (a < b ? 1 : -1));
    return ordered.map(([id, members]) => ({
      'fdset-id': id,
      fds: members.map(({ fd, opaque }) => (opaque === undefined ? { fd } : { fd, opaque })),
    }));
  }

  clear(): void {
    for (const members of this.#sets.values()) for (const { fd } of members) close(fd);
    this.#sets.clear();
  }

  #unusedId(): bigint {
    let id = 0n;
    while (this.#sets.has(id)) id++;
    return id;
  }
}
