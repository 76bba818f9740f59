/**
 * Virtual time and a seeded choice of what happens next. Nothing moves unless this moves it: an arrival on some lane, a turn
 * that was asked for, or a timer. The real event loop only serves to let promises and stream callbacks run to their end
 * between two moves, whose order therefore follows from the seed alone.
 */
import type { Clock } from '../protocol/clock.js';
import type { Lane } from '../targets/in-process/pipe.js';
import type { Random } from './random.js';

/** Everything waits for something that can never come. */
export class Deadlock extends Error {
  override readonly name = 'Deadlock';
}

/** The run has used its allowance of moves: it goes round in circles. */
export class Endless extends Error {
  override readonly name = 'Endless';
}

interface Arrival {
  readonly number: number;
  readonly action: () => void;
}

interface Queue {
  readonly arrivals: Arrival[];
  /** Nothing arrives before this time. */
  heldUntil: number;
}

interface Timer {
  readonly at: number;
  readonly number: number;
  readonly action: () => void;
}

/** Moves that are made before the real event loop looks at the host again: few at first, for a run that is over soon. */
const firstBurst = 8;
const longestBurst = 64;
/** Virtual time that a move takes: so many milliseconds, once to 16 times. */
const moveTime = 0.001;
/** One in so many arrivals is late, and with it everything behind it on its lane. */
const lateOneIn = 48;
/** By at most so many virtual milliseconds. */
const latest = 40;

export class Scheduler implements Clock {
  /** Moves so far. */
  moves = 0;

  private time = 0;
  private numbers = 0;
  /** Lanes with something on them, in no particular order. */
  private readonly ready: Queue[] = [];
  private readonly turns: Arrival[] = [];
  /** Earliest last. */
  private readonly timers: Timer[] = [];

  constructor(private readonly random: Random) {}

  now(): number {
    return this.time;
  }

  after(ms: number, action: () => void): () => void {
    const timer = { at: this.time + Math.max(0, ms), number: this.numbers++, action };
    let low = 0;
    let high = this.timers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.timers[middle] as Timer;
      if (other.at > timer.at) low = middle + 1;
      else high = middle;
    }
    this.timers.splice(low, 0, timer);
    return () => {
      const at = this.timers.indexOf(timer);
      if (at >= 0) this.timers.splice(at, 1);
    };
  }

  soon(action: () => void): void {
    this.turns.push({ number: this.numbers++, action });
  }

  /** A lane of its own: what is put on it arrives in order. */
  readonly lane = (): Lane => {
    const queue: Queue = { arrivals: [], heldUntil: 0 };
    return (action) => {
      if (queue.arrivals.length === 0) this.ready.push(queue);
      queue.arrivals.push({ number: this.numbers++, action });
    };
  };

  /**
   * Moves on until `work` is done.
   * @param allowance moves at most
   * @throws Deadlock, Endless, or what `work` was rejected with
   */
  drive<T>(work: Promise<T>, allowance: number): Promise<T> {
    const until = this.moves + allowance;
    return new Promise<T>((resolve, reject) => {
      let over = false;
      const end = (settle: () => void) => {
        over = true;
        // What the last move has set going in streams ends first, so that nothing is added to a result later.
        setImmediate(settle);
      };
      work.then(
        (value) => end(() => resolve(value)),
        (error: unknown) => end(() => reject(error)),
      );
      const one = () => {
        if (over) return;
        if (this.moves >= until) {
          end(() => reject(new Endless(`the run was not over after ${allowance} moves`)));
          return;
        }
        if (!this.move()) end(() => reject(new Deadlock('everything waits, and nothing is on its way')));
      };
      let burst = firstBurst;
      const round = () => {
        if (over) return;
        for (let i = 0; i < burst; i++) setImmediate(one);
        setImmediate(round);
        burst = Math.min(burst * 2, longestBurst);
      };
      round();
    });
  }

  /** Makes one thing happen; false when there is nothing. */
  private move(): boolean {
    this.moves++;
    this.time += moveTime * (1 + this.random.below(16));
    if (this.fire(this.time)) return true;
    const action = this.dueTurn() ?? this.arrival() ?? this.turns.shift()?.action;
    if (action !== undefined) {
      action();
      return true;
    }
    const next = this.nextMoment();
    if (next === undefined) return false;
    this.time = Math.max(this.time, next);
    // Either a timer is due now, or a lane goes on with the next move.
    this.fire(this.time);
    return true;
  }

  /** Runs the earliest timer that is due. */
  private fire(time: number): boolean {
    const timer = this.timers.at(-1);
    if (timer === undefined || timer.at > time) return false;
    this.timers.pop();
    timer.action();
    return true;
  }

  /** The head of a lane that the seed chooses. */
  private arrival(): (() => void) | undefined {
    const { ready, random, time } = this;
    for (let tries = ready.length, at = random.below(Math.max(1, tries)); tries > 0; tries--, at++) {
      const index = at % ready.length;
      const queue = ready[index] as Queue;
      if (queue.heldUntil > time) continue;
      if (queue.heldUntil === 0 && random.oneIn(lateOneIn)) {
        queue.heldUntil = time + (1 + random.below(latest * 1000)) / 1000;
        continue;
      }
      queue.heldUntil = 0;
      const first = queue.arrivals.shift() as Arrival;
      if (queue.arrivals.length === 0) {
        ready[index] = ready[ready.length - 1] as Queue;
        ready.pop();
      }
      return first.action;
    }
    return undefined;
  }

  /** The next turn, if everything that was ready when it was asked for has been; what is late is on its way, not ready. */
  private dueTurn(): (() => void) | undefined {
    const turn = this.turns[0];
    if (turn === undefined || this.random.oneIn(4)) return undefined;
    for (const { arrivals, heldUntil } of this.ready) {
      if (heldUntil <= this.time && (arrivals[0] as Arrival).number < turn.number) return undefined;
    }
    this.turns.shift();
    return turn.action;
  }

  /** When something can happen again. */
  private nextMoment(): number | undefined {
    const times = this.ready.map(({ heldUntil }) => heldUntil);
    const timer = this.timers.at(-1);
    if (timer !== undefined) times.push(timer.at);
    return times.length === 0 ? undefined : Math.min(...times);
  }
}
