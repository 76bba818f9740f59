import type { Transition } from '../dialects/protocol.js';
import type { MigrationHost, RunState } from '../migration/host.js';
import { isLegalTransition } from './run-states.js';

type RunStatePart = Pick<MigrationHost, 'runState' | 'setRunState' | 'stopGuest' | 'startGuest' | 'autostart'>;

/** The run state of the guest and the events of its changes (qmp-protocol.md §15). */
export class MachineState implements RunStatePart {
  autostart = true;
  #state: RunState;

  constructor(
    initial: RunState,
    private readonly extraTransitions: readonly Transition[],
    private readonly emit: (event: 'STOP' | 'RESUME') => void,
  ) {
    this.#state = initial;
  }

  get runState(): RunState {
    return this.#state;
  }

  /** @throws Error where a real monitor would abort. */
  setRunState(state: RunState): void {
    if (!isLegalTransition(this.#state, state, this.extraTransitions))
      throw new Error(`invalid runstate transition: '${this.#state}' -> '${state}'`);
    this.#state = state;
  }

  stopGuest(state: RunState): void {
    const wasRunning = this.#state === 'running';
    this.setRunState(state);
    if (wasRunning) this.emit('STOP');
  }

  startGuest(): void {
    if (this.#state === 'running') return;
    this.setRunState('running');
    this.emit('RESUME');
  }
}
