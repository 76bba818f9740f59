import type { Clock } from '../../protocol/clock.js';
import type { Transition } from '../dialects/protocol.js';
import type { MigrationHost, RunState } from '../migration/host.js';
import { isLegalTransition } from './run-states.js';

type RunStatePart = Pick<
  MigrationHost,
  'runState' | 'setRunState' | 'stopGuest' | 'startGuest' | 'autostart' | 'guestTime'
>;

/** The run state of the guest and the events of its changes (qmp-protocol.md §15). */
export class MachineState implements RunStatePart {
  autostart = true;
  #state: RunState;
  /** Milliseconds that the guest ran before the present state; since when it runs, while it does. */
  #ran = 0;
  #since: number;

  constructor(
    initial: RunState,
    private readonly extraTransitions: readonly Transition[],
    private readonly emit: (event: 'STOP' | 'RESUME') => void,
    private readonly clock: Clock,
  ) {
    this.#state = initial;
    this.#since = clock.now();
  }

  get runState(): RunState {
    return this.#state;
  }

  /** @throws Error where a real monitor would abort. */
  setRunState(state: RunState): void {
    if (!isLegalTransition(this.#state, state, this.extraTransitions))
      throw new Error(`invalid runstate transition: '${this.#state}' -> '${state}'`);
    this.#ran = this.guestTime;
    this.#since = this.clock.now();
    this.#state = state;
  }

  /** Milliseconds that the guest has run; a guest that was migrated here goes on with those that it had. */
  get guestTime(): number {
    return this.#ran + (this.#state === 'running' ? this.clock.now() - this.#since : 0);
  }
  set guestTime(ms: number) {
    this.#ran = ms;
    this.#since = this.clock.now();
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
