/** Known defects that end a process, or let it do nothing more: which one a process with such a past may have met. */
import type { ModelState } from '../../reference/model/index.js';
import { type KnownDefect, knownDefects, type Past } from '../known-defects.js';
import type { Sent } from './sent.js';

export class FatalDefects {
  private cancels = false;
  private migratesAfterCancel = false;
  private pauses = 0;
  private readonly defects: readonly KnownDefect[];

  /** @param known ids of those that the target's release has */
  constructor(known: ReadonlySet<string>) {
    this.defects = knownDefects.filter(({ id }) => known.has(id));
  }

  /** What a client has sent, on any connection. */
  remember(sent: Sent): void {
    if (sent.kind !== 'modelled') return;
    if (sent.name === 'migrate_cancel') this.cancels = true;
    else if (sent.name === 'migrate-pause') this.pauses++;
    else if (sent.name === 'migrate') this.migratesAfterCancel ||= this.cancels;
  }

  /**
   * The defect by which a process dies of a signal in one of these states.
   * @param states before the death: the command that kills is often the last one sent, and not yet executed in any of them
   */
  ofDeath(signal: string | null, states: readonly ModelState[]): string | undefined {
    if (signal === null) return undefined;
    const past: Past = { migratesAfterCancel: this.migratesAfterCancel, pausesAgain: this.pauses > 1 };
    const died = ({ dies }: KnownDefect): boolean =>
      dies?.signals.includes(signal) === true && states.some((state) => dies.when(state, past));
    return this.defects.find(died)?.id;
  }

  /** The defect by which a process may stay in one of these states for ever. */
  ofHang(...states: readonly ModelState[]): string | undefined {
    return this.defects.find(({ hangs }) => hangs !== undefined && states.some(hangs))?.id;
  }
}
