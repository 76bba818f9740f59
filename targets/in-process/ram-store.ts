/** Guest RAM goes from instance to instance: new memory of this size costs a collection of garbage every few starts. */
import { createRamMemory, type RamMemory } from '../../reference/ram/ram-memory.js';

/** Milliseconds for which an instance that is gone may still hear of what it had begun. */
const lingers = 100;
/** Memories that lie idle at most. */
const mostIdle = 8;

const idle = new Map<number, RamMemory[]>();

/** What one instance has borrowed. */
export class RamLoan {
  private readonly lent: { readonly total: number; readonly memory: RamMemory }[] = [];

  /** Zero-filled memory for so many bytes of guest RAM. */
  readonly borrow = (total: number): RamMemory | undefined => {
    const memory = idle.get(total)?.pop() ?? createRamMemory(total);
    if (memory !== undefined) this.lent.push({ total, memory });
    return memory;
  };

  /** To be called when the instance is gone. */
  giveBack(): void {
    const lent = this.lent.splice(0);
    if (lent.length === 0) return;
    setTimeout(() => {
      for (const { total, memory } of lent) {
        const waiting = idle.get(total) ?? [];
        idle.set(total, waiting);
        if (waiting.length >= mostIdle) continue;
        memory.bytes.fill(0, 0, total);
        // An instance that was killed has not done so.
        memory.giveBackOutput();
        memory.giveBackInput();
        waiting.push(memory);
      }
    }, lingers).unref();
  }
}
